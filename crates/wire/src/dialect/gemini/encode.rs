//! Writes a stream for callers of `streamGenerateContent?alt=sse`.
//!
//! Enters: events. Leaves: chunks, each a partial answer. Never: half a call: Google tells a call's arguments at once.
//!
//! The reason to stop, the usage and what a candidate says besides come in the last chunk, together, as Google does it.

use bytes::BytesMut;
use serde_json::{Map, Value, json};

use super::answer::{finish, identity, logprobs_result};
use super::say::{Say, Seals};
use super::{fault, grounding, usage};
use crate::chat::{Block, Citation, Content, Delta, Event, Extra, Finish, Losses, Place, UsageReport};
use crate::dialect::Dialect;
use crate::dialect::carry::{self, NO_PLACE};
use crate::dialect::chat::{Encode, Telling};

/// Calls, images and signed texts are held until they are whole: as much as this of one.
const HELD_BYTES_MAX: usize = 32 << 20;

/// No caller asked for more.
const CHOICES_MAX: usize = 128;

pub(super) struct Encoder {
    telling: Telling,
    /// Whose words extras are in.
    origin: Dialect,
    /// `modelVersion` and `responseId`.
    identity: Map<String, Value>,
    /// Top-level members that go with the next chunk.
    pending: Map<String, Value>,
    tier: Option<String>,
    usage: Option<UsageReport>,
    choices: Vec<Choice>,
    over: bool,
}

#[derive(Default)]
struct Choice {
    /// By number, those that have not ended.
    open: Vec<(u32, Held)>,
    /// The last text that was told, thought or not: the next of its kind would run into it.
    last: Option<bool>,
    finish: Option<Finish>,
    extra: Extra,
    told: bool,
    called: bool,
}

/// A block while it is being made.
struct Held {
    block: Block,
    bytes: usize,
    /// Told piece by piece.
    flows: bool,
    /// Nothing of it was told yet.
    fresh: bool,
}

// === impl Encoder ===

impl Encoder {
    pub(super) fn new(telling: Telling) -> Self {
        Self {
            telling,
            origin: Dialect::Gemini,
            identity: Map::new(),
            pending: Map::new(),
            tier: None,
            usage: None,
            choices: Vec::new(),
            over: false,
        }
    }

    fn choice(&mut self, index: u32) -> Option<&mut Choice> {
        let index = index as usize;
        if index >= CHOICES_MAX {
            return None;
        }
        if self.choices.len() <= index {
            self.choices.resize_with(index + 1, Choice::default);
        }
        self.choices.get_mut(index)
    }

    fn start(&mut self, event: Event, losses: &mut Losses) {
        let Event::Start { origin, id, model, service_tier, extra, .. } = event else { return };
        self.origin = origin;
        self.identity = identity(&model, &id, &self.telling);
        if let Some(tier) = &service_tier {
            self.pending.insert("usageMetadata".into(), json!({"serviceTier": tier}));
        }
        self.tier = service_tier;
        carry::answer(Dialect::Gemini, origin, &extra, &mut self.pending, losses);
    }

    /// A chunk with these members of one candidate.
    fn tell(&mut self, index: u32, mut candidate: Map<String, Value>, out: &mut BytesMut) {
        candidate.insert("index".into(), index.into());
        let mut chunk = Map::from_iter([("candidates".to_owned(), json!([candidate]))]);
        chunk.append(&mut self.pending);
        chunk.extend(self.identity.clone());
        write(&Value::Object(chunk), out);
    }

    fn parts(&mut self, index: u32, parts: Vec<Value>, out: &mut BytesMut) {
        if let Some(choice) = self.choice(index) {
            choice.told = true;
        }
        let content = json!({"parts": parts, "role": "model"});
        self.tell(index, Map::from_iter([("content".to_owned(), content)]), out);
    }

    fn begin(&mut self, index: u32, number: u32, mut head: Block, out: &mut BytesMut, losses: &mut Losses) {
        self.take_foreign(&mut head.extra, losses);
        let flows = matches!(&head.content, Content::Text { .. } | Content::Reasoning { .. } | Content::Refusal { .. })
            && head.seal.is_none()
            && head.extra.is_empty();
        let mut held = Held { bytes: size(&head), block: head, flows, fresh: true };
        let piece = if flows { take_text(&mut held.block.content) } else { String::new() };
        if matches!(held.block.content, Content::Refusal { .. }) {
            losses.approximated(Place::Answer("refusal"), "a refusal, as text");
        }
        let Some(choice) = self.choice(index) else { return };
        choice.open.push((number, held));
        self.text(index, number, piece, out);
    }

    /// More of a text that flows.
    fn text(&mut self, index: u32, number: u32, piece: String, out: &mut BytesMut) {
        let Some(choice) = self.choice(index) else { return };
        let last = choice.last;
        let Some((_, held)) = choice.open.iter_mut().find(|(open, _)| *open == number) else { return };
        if piece.is_empty() {
            return;
        }
        let thought = matches!(held.block.content, Content::Reasoning { .. });
        let boundary = held.fresh && last == Some(thought);
        held.fresh = false;
        if !thought {
            // For the offsets of citations.
            append_text(&mut held.block.content, &piece, &mut held.bytes);
        }
        choice.last = Some(thought);
        let part = |text: &str| match thought {
            true => json!({"text": text, "thought": true}),
            false => json!({"text": text}),
        };
        // Two texts in one chunk are two texts: the first of them, empty, goes on with the last one.
        let parts = if boundary { vec![part(""), part(&piece)] } else { vec![part(&piece)] };
        self.parts(index, parts, out);
    }

    /// So that a text need not wait for its end to be told without them.
    fn take_foreign(&self, extra: &mut Extra, losses: &mut Losses) {
        if self.origin != Dialect::Gemini {
            for name in std::mem::take(extra).keys() {
                losses.dropped(Place::Answer("content"), format!("{name}: {NO_PLACE}"));
            }
        }
    }

    fn delta(&mut self, index: u32, number: u32, mut delta: Delta, out: &mut BytesMut, losses: &mut Losses) {
        if let Delta::Extra(extra) = &mut delta {
            self.take_foreign(extra, losses);
        }
        let Some(choice) = self.choice(index) else { return };
        let Some((_, held)) = choice.open.iter_mut().find(|(open, _)| *open == number) else { return };
        match delta {
            Delta::Text(piece) if held.flows => self.text(index, number, piece, out),
            Delta::Text(piece) | Delta::Arguments(piece) | Delta::Data(piece) => held.grow(&piece),
            Delta::Citation(citation) => {
                if let Content::Text { citations, .. } = &mut held.block.content {
                    citations.push(citation);
                }
            }
            Delta::Seal(seal) => held.block.seal = Some(seal),
            Delta::Extra(extra) => held.block.extra.extend(extra),
        }
    }

    fn end(&mut self, index: u32, number: u32, out: &mut BytesMut, losses: &mut Losses) {
        let origin = self.origin;
        let Some(choice) = self.choice(index) else { return };
        let Some(at) = choice.open.iter().position(|(open, _)| *open == number) else { return };
        let (_, Held { mut block, flows, .. }) = choice.open.remove(at);
        let grounding = match &block.content {
            Content::Text { text, citations } => cited(text, citations),
            _ => None,
        };
        if flows {
            // What is left to tell is the seal that came after the text.
            take_text(&mut block.content);
        }
        choice.called |= matches!(block.content, Content::ToolUse { .. });
        let mut say = Say::new(origin, Seals::Packed, losses);
        say.block(&block, &Place::Answer("content"));
        let parts = say.take();
        if !parts.is_empty() {
            choice.last = None;
            self.parts(index, parts, out);
        }
        if let Some(grounding) = grounding {
            self.tell(index, Map::from_iter([("groundingMetadata".to_owned(), grounding)]), out);
        }
    }

    /// All that comes last.
    fn done(&mut self, out: &mut BytesMut, losses: &mut Losses) {
        if self.choices.is_empty() {
            self.choices.push(Choice::default());
        }
        let mut candidates = Vec::new();
        for (index, choice) in self.choices.iter_mut().enumerate() {
            let mut candidate = Map::new();
            if choice.told {
                candidate.insert("content".into(), json!({"parts": [{"text": ""}], "role": "model"}));
            }
            candidate.insert("index".into(), index.into());
            finish(choice.finish.as_ref(), choice.called, &mut candidate, losses);
            // A stream without a reason has not ended.
            if !candidate.contains_key("finishReason") {
                candidate.insert("finishReason".into(), "OTHER".into());
                losses.approximated(Place::Answer("finish_reason"), "the provider gave none");
            }
            carry::answer(Dialect::Gemini, self.origin, &choice.extra, &mut candidate, losses);
            candidates.push(Value::Object(candidate));
        }
        let blocked = self.pending.contains_key("promptFeedback") && !self.choices.iter().any(|choice| choice.told);
        let mut chunk = Map::new();
        if !blocked {
            chunk.insert("candidates".into(), candidates.into());
        }
        chunk.append(&mut self.pending);
        if let Some(report) = self.usage.take() {
            chunk.insert("usageMetadata".into(), usage::write(&report, self.tier.as_deref(), losses));
        }
        chunk.extend(self.identity.clone());
        write(&Value::Object(chunk), out);
    }
}

impl Encode for Encoder {
    fn event(&mut self, event: Event, out: &mut BytesMut, losses: &mut Losses) {
        if self.over {
            return;
        }
        match event {
            Event::Start { .. } => self.start(event, losses),
            Event::Begin { choice, block, head } => self.begin(choice, block, head, out, losses),
            Event::Delta { choice, block, delta } => self.delta(choice, block, delta, out, losses),
            Event::End { choice, block } => self.end(choice, block, out, losses),
            Event::Logprobs { choice, logprobs } => {
                let result = logprobs_result(&logprobs, losses);
                self.tell(choice, Map::from_iter([("logprobsResult".to_owned(), result)]), out);
            }
            Event::Extra { choice: None, extra } => {
                carry::answer(Dialect::Gemini, self.origin, &extra, &mut self.pending, losses);
            }
            Event::Extra { choice: Some(choice), extra } => {
                if let Some(choice) = self.choice(choice) {
                    choice.extra.extend(extra);
                }
            }
            Event::Finish { choice, finish } => {
                if let Some(choice) = self.choice(choice) {
                    choice.finish = Some(finish);
                }
            }
            Event::Usage(report) => self.usage = Some(report),
            Event::Done => {
                self.over = true;
                self.done(out, losses);
            }
            Event::Fault(fault) => {
                self.over = true;
                write(&fault::write(&fault), out);
            }
        }
    }
}

fn write(chunk: &Value, out: &mut BytesMut) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(chunk.to_string().as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
}

fn cited(text: &str, citations: &[Citation]) -> Option<Value> {
    grounding::write(std::iter::once((0, text, citations)))
}

/// How much of it is held already.
fn size(block: &Block) -> usize {
    match &block.content {
        Content::Text { text, .. } | Content::Reasoning { text, .. } | Content::ToolUse { arguments: text, .. } => {
            text.len()
        }
        _ => 0,
    }
}

fn take_text(content: &mut Content) -> String {
    match content {
        Content::Text { text, .. } | Content::Reasoning { text, .. } | Content::Refusal { text } => {
            std::mem::take(text)
        }
        _ => String::new(),
    }
}

fn append_text(content: &mut Content, piece: &str, bytes: &mut usize) {
    if let Content::Text { text, .. } = content
        && *bytes + piece.len() <= HELD_BYTES_MAX
    {
        *bytes += piece.len();
        text.push_str(piece);
    }
}

// === impl Held ===

impl Held {
    fn grow(&mut self, piece: &str) {
        use crate::chat::Source;
        if self.bytes + piece.len() > HELD_BYTES_MAX {
            return;
        }
        self.bytes += piece.len();
        match &mut self.block.content {
            Content::Text { text, .. }
            | Content::Reasoning { text, .. }
            | Content::Refusal { text }
            | Content::ToolUse { arguments: text, .. }
            | Content::Image { source: Source::Data { base64: text, .. }, .. }
            | Content::Audio { source: Source::Data { base64: text, .. } }
            | Content::File { source: Source::Data { base64: text, .. }, .. } => text.push_str(piece),
            _ => {}
        }
    }
}
