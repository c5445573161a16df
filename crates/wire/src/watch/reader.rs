//! Reads frames of one dialect and keeps the sum of what they say.
//!
//! Enters: frames, or a whole body. Leaves: [`Seen`].
//! Never: parses a frame that carries text and nothing else: most frames do, and the caller is waiting for them.

use http::HeaderMap;
use memchr::memmem;
use tollgate_model::Usage;

use super::Seen;
use crate::{
    dialect::{
        Dialect, Shape, Tally,
        facts::Facts,
        likeness::Likeness,
        scan::{Look, Scanner},
        walk::{walk, walk_tail},
    },
    frame::Frame,
};

/// The first frames are parsed in any case, for the model's name. Some never say it.
const CURIOUS_FRAMES: u32 = 4;

#[derive(Debug)]
pub(super) struct Reader {
    shape: &'static Shape,
    scanner: &'static Scanner,
    /// What all frames so far say together.
    facts: Facts,
    likeness: Likeness,
    /// The last frame that stated a usage and no more, not yet parsed.
    held: Vec<u8>,
    parsed: u32,
    deltas: u32,
    text_bytes: u64,
    skipped: u32,
    /// A frame's inner JSON, where frames have one.
    unwrapped: Vec<u8>,
}

// === impl Reader ===

impl Reader {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            shape: dialect.shape(),
            scanner: Scanner::of(dialect),
            facts: Facts::default(),
            likeness: Likeness::default(),
            held: Vec::new(),
            parsed: 0,
            deltas: 0,
            text_bytes: 0,
            skipped: 0,
            unwrapped: Vec::new(),
        }
    }

    /// There is nothing to look for.
    pub(super) fn is_blind(&self) -> bool {
        self.shape.members.is_empty()
    }

    pub(super) fn whole(&mut self, body: &[u8]) {
        let read = walk(body, self.shape.members, &mut |facts| absorb(&mut self.facts, facts, self.shape.tally));
        self.facts.ended = read.is_ok();
        // Searching for the text costs as much as all the rest, and nearly every whole answer was counted.
        if read.is_err() || self.facts.counts.usage().is_none() {
            self.text_bytes = self.scanner.whole_text_bytes(body);
        }
    }

    pub(super) fn frame(&mut self, frame: Frame<'_>) {
        match frame {
            Frame::Whole { data, .. } if data.trim_ascii() == b"[DONE]" => self.facts.ended |= self.shape.done,
            Frame::Whole { data, .. } if self.shape.wrapped => {
                let mut unwrapped = std::mem::take(&mut self.unwrapped);
                match unwrap(data, &mut unwrapped) {
                    true => self.json(b"", &unwrapped),
                    false => self.skip(),
                }
                self.unwrapped = unwrapped;
            }
            Frame::Whole { kind, data } => self.json(kind, data),
            Frame::Fault { .. } => self.facts.failed = true,
            Frame::Tail { kind, data } => {
                self.skip();
                self.note_kind(kind);
                let tally = self.shape.tally;
                walk_tail(data, self.shape.members, &mut |facts| absorb(&mut self.facts, facts, tally));
            }
            Frame::Broken => self.skip(),
        }
    }

    fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    fn json(&mut self, kind: &[u8], data: &[u8]) {
        let alike = if kind.is_empty() { self.likeness.text_bytes(data) } else { None };
        let text = alike.unwrap_or_else(|| self.look(kind, data));
        self.text_bytes = self.text_bytes.saturating_add(text);
        self.deltas = self.deltas.saturating_add(u32::from(text > 0));
    }

    /// How much text is in this frame, after it was read for facts if it may have any.
    fn look(&mut self, kind: &[u8], data: &[u8]) -> u64 {
        let curious = self.facts.model.is_none() && self.parsed < CURIOUS_FRAMES;
        let look = if curious || kind == b"error" { Look::Parse } else { self.scanner.look(kind, data) };
        match look {
            Look::Parse if self.parse(kind, data) => return 0,
            Look::Parse => {}
            Look::Hold => {
                self.held.clear();
                self.held.extend_from_slice(data);
            }
            Look::Pass if self.scanner.searches() => self.likeness.learn(data, self.scanner),
            Look::Pass => {}
        }
        self.scanner.frame_text_bytes(data)
    }

    /// Does this frame repeat the text of those before it?
    fn parse(&mut self, kind: &[u8], data: &[u8]) -> bool {
        self.parsed = self.parsed.saturating_add(1);
        let mut recap = self.note_kind(kind);
        let tally = self.shape.tally;
        let read = walk(data, self.shape.members, &mut |facts| {
            recap |= facts.recap;
            if !facts.counts.is_empty() {
                self.held.clear();
            }
            absorb(&mut self.facts, facts, tally);
        });
        if read.is_err() {
            self.skip();
        }
        recap
    }

    fn note_kind(&mut self, kind: &[u8]) -> bool {
        let facts = Facts::of_kind(kind, self.shape.signs);
        let recap = facts.recap;
        absorb(&mut self.facts, facts, self.shape.tally);
        recap
    }

    pub(super) fn usage(&mut self) -> Option<Usage> {
        self.parse_held();
        self.facts.counts.usage()
    }

    fn parse_held(&mut self) {
        if !self.held.is_empty() {
            let held = std::mem::take(&mut self.held);
            self.parse(b"", &held);
        }
    }

    pub(super) fn finish(mut self, headers: &HeaderMap) -> Seen {
        self.parse_held();
        for (name, slot) in self.shape.headers {
            let count = headers.get(*name).and_then(|value| value.to_str().ok()?.trim().parse().ok());
            if let Some(count) = count {
                self.facts.counts.set(*slot, count);
            }
        }
        Seen {
            usage: self.facts.counts.usage(),
            terms: self.facts.terms,
            charged: self.facts.counts.charged(),
            model: self.facts.model,
            finish: self.facts.finish,
            failed: self.facts.failed,
            ended: self.facts.ended,
            deltas: self.deltas,
            text_bytes: self.text_bytes,
            skipped: self.skipped,
        }
    }
}

fn absorb(held: &mut Facts, later: Facts, tally: Tally) {
    match tally {
        Tally::Overlay => held.counts.overlay(&later.counts),
        Tally::Last if later.counts.is_empty() => {}
        Tally::Last => held.counts = later.counts,
    }
    held.terms.overlay(later.terms);
    held.model = held.model.take().or(later.model);
    held.finish = later.finish.or(held.finish.take());
    held.failed |= later.failed;
    held.ended |= later.ended;
}

/// `{"bytes":"<base64>","p":"..."}`, where `p` is padding against guessing text from its length.
fn unwrap(data: &[u8], into: &mut Vec<u8>) -> bool {
    use base64::{Engine, engine::general_purpose::STANDARD};
    into.clear();
    let Some(at) = memmem::find(data, b"\"bytes\"") else { return false };
    let value = data[at + 7..].trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
    let Some(text) = value.and_then(|value| value.strip_prefix(b"\"")) else { return false };
    let Some(end) = memchr::memchr(b'"', text) else { return false };
    STANDARD.decode_vec(&text[..end], into).is_ok()
}

#[cfg(test)]
mod tests;
