//! A stream for a caller.
//!
//! Enters: events. Leaves: server-sent events, as the official SDKs add them up. Never: two blocks at once: those that come interleaved are told one
//! after the other.
//!
//! `message_start` has to state a usage that nobody knows yet: zeros, which `message_delta` corrects with the whole count.

mod frames;

use std::collections::VecDeque;

use bytes::BytesMut;
use serde_json::{Map, Value, json};

use super::messages::HOME;
use super::{answer, fault, seals, tell, usage};
use crate::chat::{
    Answer, Block, CallKind, Content, Delta, Event, Extra, Finish, FinishKind, Losses, Place, Seal, UsageReport,
};
use crate::dialect::chat::{Encode, Telling};
use crate::dialect::{Dialect, carry};

pub(super) struct Encoder {
    telling: Telling,
    origin: Dialect,
    has_started: bool,
    writer: Writer,
    /// Blocks that are not over, the one being told first.
    queue: VecDeque<Waiting>,
    held_bytes: usize,
    finish: Option<Finish>,
    usage: Option<UsageReport>,
    tier: Option<String>,
    /// Members for the last frames.
    extra: Extra,
    has_lost_choices: bool,
    has_lost_logprobs: bool,
}

/// Writes blocks, numbered as they begin.
struct Writer {
    origin: Dialect,
    next_index: u32,
    told: tell::Told,
}

struct Waiting {
    block: u32,
    head: Block,
    /// What came while another block was being told.
    held: Vec<Delta>,
    /// Its number in what the caller sees. Thoughts get one with their first word.
    index: Option<u32>,
    has_begun: bool,
    has_ended: bool,
    /// There is no such block here.
    is_silent: bool,
    /// Told at the end: `signature_delta` is the last of a block.
    seal: Option<Seal>,
}

/// More than this is not kept: then blocks are told interleaved, which their indices allow for.
const HELD_BYTES_MAX: usize = 4 << 20;

// === impl Encoder ===

impl Encoder {
    pub(super) fn new(telling: Telling) -> Self {
        Self {
            telling,
            origin: HOME,
            has_started: false,
            writer: Writer { origin: HOME, next_index: 0, told: tell::Told::default() },
            queue: VecDeque::new(),
            held_bytes: 0,
            finish: None,
            usage: None,
            tier: None,
            extra: Extra::new(),
            has_lost_choices: false,
            has_lost_logprobs: false,
        }
    }

    fn start(&mut self, head: Answer, out: &mut BytesMut, losses: &mut Losses) {
        self.has_started = true;
        self.origin = head.origin;
        self.writer.origin = head.origin;
        let mut message = answer::start(&head, &self.telling);
        message.insert("usage".into(), usage::zeros().into());
        carry::answer(HOME, head.origin, &head.extra, &mut message, losses);
        self.tier = head.service_tier;
        frames::frame("message_start", json!({ "message": message }), out);
    }

    /// A provider that says nothing of itself has still begun.
    fn need_start(&mut self, out: &mut BytesMut, losses: &mut Losses) {
        if !self.has_started {
            self.start(Answer::new(self.origin), out, losses);
        }
    }

    fn begin(&mut self, block: u32, head: Block, out: &mut BytesMut, losses: &mut Losses) {
        let waiting = Waiting {
            block,
            head,
            held: Vec::new(),
            index: None,
            has_begun: false,
            has_ended: false,
            is_silent: false,
            seal: None,
        };
        self.queue.push_back(waiting);
        self.advance(out, losses);
    }

    fn delta(&mut self, block: u32, delta: Delta, out: &mut BytesMut, losses: &mut Losses) {
        let Some(waiting) = self.queue.iter_mut().find(|waiting| waiting.block == block) else { return };
        if waiting.has_begun {
            return self.writer.delta(waiting, delta, out, losses);
        }
        self.held_bytes += weight(&delta);
        waiting.held.push(delta);
        if self.held_bytes > HELD_BYTES_MAX {
            self.queue.iter_mut().for_each(|waiting| self.writer.catch_up(waiting, out, losses));
            self.held_bytes = 0;
        }
    }

    /// Tells the first block, and those that were over before it.
    fn advance(&mut self, out: &mut BytesMut, losses: &mut Losses) {
        while let Some(first) = self.queue.front_mut() {
            let held: usize = first.held.iter().map(weight).sum();
            self.held_bytes = self.held_bytes.saturating_sub(held);
            self.writer.catch_up(first, out, losses);
            if !first.has_ended {
                return;
            }
            self.writer.end(first, out);
            self.queue.pop_front();
        }
    }

    fn done(&mut self, out: &mut BytesMut, losses: &mut Losses) {
        self.queue.iter_mut().for_each(|waiting| waiting.has_ended = true);
        self.advance(out, losses);
        let home = self.origin == HOME;
        let finish = self.finish.take().unwrap_or_else(|| Finish::new(FinishKind::Stop, ""));
        let mut delta = std::mem::take(&mut self.extra);
        let management = delta.shift_remove("context_management");
        let reason = answer::stop_reason(&finish, home, self.writer.told, losses);
        delta.insert("stop_reason".into(), reason.into());
        delta.insert("stop_sequence".into(), finish.stop_sequence.into());
        let usage = usage::write(self.usage.as_ref(), self.origin, self.tier.as_deref(), losses);
        let mut frame = json!({ "delta": delta, "usage": usage });
        if let Some(management) = management {
            frame["context_management"] = management;
        }
        frames::frame("message_delta", frame, out);
        frames::frame("message_stop", json!({}), out);
    }

    fn lost_choices(&mut self, losses: &mut Losses) {
        if !std::mem::replace(&mut self.has_lost_choices, true) {
            losses.dropped(Place::Answer("choices"), "the target has one answer");
        }
    }
}

fn weight(delta: &Delta) -> usize {
    match delta {
        Delta::Text(text) | Delta::Arguments(text) | Delta::Data(text) => text.len(),
        Delta::Seal(seal) => seal.data.len(),
        Delta::Citation(_) | Delta::Extra(_) => 256,
    }
}

impl Encode for Encoder {
    fn event(&mut self, event: Event, out: &mut BytesMut, losses: &mut Losses) {
        if !matches!(event, Event::Start { .. } | Event::Fault(_)) {
            self.need_start(out, losses);
        }
        match event {
            Event::Start { origin, id, model, service_tier, extra, .. } => {
                self.start(Answer { id, model, service_tier, extra, ..Answer::new(origin) }, out, losses);
            }
            Event::Begin { choice: 0, block, head } => self.begin(block, head, out, losses),
            Event::Delta { choice: 0, block, delta } => self.delta(block, delta, out, losses),
            Event::End { choice: 0, block } => {
                if let Some(waiting) = self.queue.iter_mut().find(|waiting| waiting.block == block) {
                    waiting.has_ended = true;
                }
                self.advance(out, losses);
            }
            Event::Finish { choice: 0, finish } => self.finish = Some(finish),
            Event::Begin { .. } | Event::Delta { .. } | Event::End { .. } | Event::Finish { .. } => {
                self.lost_choices(losses);
            }
            Event::Logprobs { .. } => {
                if !std::mem::replace(&mut self.has_lost_logprobs, true) {
                    losses.dropped(Place::Answer("logprobs"), carry::NO_PLACE);
                }
            }
            Event::Extra { choice: None, extra } if self.origin == HOME => self.extra.extend(extra),
            Event::Extra { extra, .. } => carry::answer(HOME, self.origin, &extra, &mut Map::new(), losses),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Done => self.done(out, losses),
            Event::Fault(fault) => frames::frame("error", fault::write(&fault), out),
        }
    }
}

// === impl Writer ===

impl Writer {
    /// Begins the block, if it has not begun, and says what was held of it.
    fn catch_up(&mut self, waiting: &mut Waiting, out: &mut BytesMut, losses: &mut Losses) {
        if !std::mem::replace(&mut waiting.has_begun, true) {
            self.begin(waiting, out, losses);
        }
        for delta in std::mem::take(&mut waiting.held) {
            self.delta(waiting, delta, out, losses);
        }
    }

    fn begin(&mut self, waiting: &mut Waiting, out: &mut BytesMut, losses: &mut Losses) {
        let is_reasoning = seals::is_reasoning(&waiting.head);
        match waiting.head.seal.take() {
            Some(seal) if !is_reasoning => self.aside(&seal, seals::NEXT, out),
            seal => waiting.seal = seal,
        }
        if is_reasoning {
            carry::answer(HOME, self.origin, &waiting.head.extra, &mut Map::new(), losses);
        } else if let Some(mut head) = tell::head(&waiting.head, &mut self.told, losses) {
            if let Value::Object(members) = &mut head {
                carry::answer(HOME, self.origin, &waiting.head.extra, members, losses);
            }
            waiting.index = Some(self.open(head, out));
        } else {
            waiting.is_silent = true;
            return;
        }
        self.first_words(waiting, out, losses);
    }

    /// What the block's beginning says already.
    fn first_words(&mut self, waiting: &mut Waiting, out: &mut BytesMut, losses: &mut Losses) {
        let mut words = Vec::new();
        match &mut waiting.head.content {
            Content::Text { text, citations } => {
                words.push(Delta::Text(std::mem::take(text)));
                words.extend(citations.drain(..).map(Delta::Citation));
            }
            Content::Refusal { text } | Content::Reasoning { text, .. } => {
                words.push(Delta::Text(std::mem::take(text)));
            }
            Content::ToolUse { arguments, kind, .. } => {
                if *kind == CallKind::Custom {
                    losses.approximated(Place::Answer("tool call"), tell::NO_OBJECT);
                    frames::arguments(waiting.index, "{\"input\":\"", out);
                }
                words.push(Delta::Arguments(std::mem::take(arguments)));
            }
            _ => {}
        }
        for word in words {
            self.delta(waiting, word, out, losses);
        }
    }

    fn open(&mut self, head: Value, out: &mut BytesMut) -> u32 {
        let index = self.next_index;
        self.next_index += 1;
        frames::frame("content_block_start", json!({ "index": index, "content_block": head }), out);
        index
    }

    fn delta(&mut self, waiting: &mut Waiting, delta: Delta, out: &mut BytesMut, losses: &mut Losses) {
        if waiting.is_silent {
            return;
        }
        match (delta, &waiting.head.content) {
            (Delta::Text(text) | Delta::Arguments(text), _) if text.is_empty() => {}
            (Delta::Text(text), Content::Reasoning { .. }) => {
                let index = *waiting.index.get_or_insert_with(|| self.open(seals::thinking("", ""), out));
                frames::text(index, frames::THINKING, &text, out);
            }
            (Delta::Text(text), Content::Text { .. } | Content::Refusal { .. }) => {
                frames::text(waiting.index.unwrap_or_default(), frames::TEXT, &text, out);
            }
            (Delta::Arguments(text), Content::ToolUse { kind: CallKind::Custom, .. }) => {
                frames::arguments(waiting.index, &frames::escaped(&text), out);
            }
            (Delta::Arguments(text), Content::ToolUse { .. }) => frames::arguments(waiting.index, &text, out),
            (Delta::Citation(citation), Content::Text { .. }) => {
                if let (Some(index), Some(citation)) = (waiting.index, tell::citation(&citation, losses)) {
                    let delta = json!({ "type": "citations_delta", "citation": citation });
                    frames::frame("content_block_delta", json!({ "index": index, "delta": delta }), out);
                }
            }
            (Delta::Seal(seal), _) => waiting.seal = Some(seal),
            (Delta::Extra(extra), _) => {
                carry::answer(Dialect::Raw, self.origin, &extra, &mut Map::new(), losses);
            }
            _ => {}
        }
    }

    fn end(&mut self, waiting: &mut Waiting, out: &mut BytesMut) {
        let is_reasoning = seals::is_reasoning(&waiting.head);
        let seal = waiting.seal.take();
        if let Content::ToolUse { kind: CallKind::Custom, .. } = waiting.head.content {
            frames::arguments(waiting.index, "\"}", out);
        }
        match (seal, waiting.index) {
            (Some(seal), None) if is_reasoning && seal.redacted => {
                let index = self.open(tell::thought("", Some(&seal)), out);
                frames::stop(index, out);
            }
            (Some(seal), index) if is_reasoning => {
                let index = index.unwrap_or_else(|| self.open(seals::thinking("", ""), out));
                frames::text(index, frames::SIGNATURE, &seal.pack(HOME), out);
                frames::stop(index, out);
            }
            (seal, index) => {
                index.into_iter().for_each(|index| frames::stop(index, out));
                seal.into_iter().for_each(|seal| self.aside(&seal, seals::PREVIOUS, out));
            }
        }
    }

    /// The seal of a block that has no place for one.
    fn aside(&mut self, seal: &Seal, side: &str, out: &mut BytesMut) {
        let index = self.open(seals::thinking("", ""), out);
        frames::text(index, frames::SIGNATURE, &seals::beside(seal, side), out);
        frames::stop(index, out);
    }
}
