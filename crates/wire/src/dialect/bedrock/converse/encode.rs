//! A stream for a caller.
//!
//! Enters: events. Leaves: messages of Amazon's event stream. Never: two blocks at once, or a success after a fault.

use bytes::BytesMut;
use serde_json::{Map, Value, json};

use super::{HOME, answer, fault, seal, usage};
use crate::chat::{Block, CallKind, Content, Delta, Event, Extra, Finish, Losses, Place, Seal, UsageReport};
use crate::dialect::chat::Encode;
use crate::dialect::in_order::InOrder;
use crate::dialect::{Dialect, beside, call, carry};
use crate::frame::{self, Message};

pub(super) struct Encoder {
    order: InOrder,
    stream: Stream,
}

struct Stream {
    origin: Dialect,
    has_started: bool,
    next_index: u32,
    open: Option<Open>,
    calls: bool,
    finish: Option<Finish>,
    usage: Option<UsageReport>,
    tier: Option<String>,
    /// Members for the last messages.
    extra: Extra,
    has_lost_choices: bool,
    has_lost_logprobs: bool,
}

struct Open {
    index: u32,
    kind: Kind,
    seal: Option<Seal>,
    /// A block that said nothing is not told at all.
    has_spoken: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thought,
    Call,
    /// A call whose arguments are free text, told as the string of one member.
    FreeCall,
    Other,
}

/// It comes with `messageStop`; the other late members come with `metadata`.
const AT_STOP: &str = "additionalModelResponseFields";

// === impl Encoder ===

impl Encoder {
    pub(super) fn new() -> Self {
        let stream = Stream {
            origin: HOME,
            has_started: false,
            next_index: 0,
            open: None,
            calls: false,
            finish: None,
            usage: None,
            tier: None,
            extra: Extra::new(),
            has_lost_choices: false,
            has_lost_logprobs: false,
        };
        Self { order: InOrder::default(), stream }
    }
}

impl Encode for Encoder {
    fn event(&mut self, event: Event, out: &mut BytesMut, losses: &mut Losses) {
        let Self { order, stream } = self;
        order.push(event, |event| stream.event(event, out, losses));
    }
}

fn tell(kind: &str, members: &Value, out: &mut BytesMut) {
    frame::write_message(Message::Event(kind), members.to_string().as_bytes(), out);
}

// === impl Stream ===

impl Stream {
    fn event(&mut self, event: Event, out: &mut BytesMut, losses: &mut Losses) {
        if !matches!(event, Event::Fault(_)) && !std::mem::replace(&mut self.has_started, true) {
            tell("messageStart", &json!({ "role": "assistant" }), out);
        }
        match event {
            Event::Start { origin, service_tier, extra, .. } => {
                self.origin = origin;
                self.tier = service_tier;
                self.late(&extra, losses);
            }
            Event::Begin { choice: 0, head, .. } => self.begin(head, out, losses),
            Event::Delta { choice: 0, delta, .. } => self.delta(delta, out, losses),
            Event::End { choice: 0, .. } => self.end(out),
            Event::Finish { choice: 0, finish } => self.finish = Some(finish),
            Event::Begin { .. } | Event::Delta { .. } | Event::End { .. } | Event::Finish { .. } => {
                if !std::mem::replace(&mut self.has_lost_choices, true) {
                    losses.dropped(Place::Answer("choices"), "the target has one answer");
                }
            }
            Event::Logprobs { .. } => {
                if !std::mem::replace(&mut self.has_lost_logprobs, true) {
                    losses.dropped(Place::Answer("logprobs"), carry::NO_PLACE);
                }
            }
            Event::Extra { extra, .. } => self.late(&extra, losses),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Done => self.done(out, losses),
            Event::Fault(fault) => {
                let (kind, told) = fault::write_exception(&fault);
                let told = Value::Object(told).to_string();
                frame::write_message(Message::Exception(&kind), told.as_bytes(), out);
            }
        }
    }

    fn late(&mut self, extra: &Extra, losses: &mut Losses) {
        let mut held = std::mem::take(&mut self.extra);
        carry::answer(HOME, self.origin, extra, &mut held, losses);
        self.extra = held;
    }

    fn done(&mut self, out: &mut BytesMut, losses: &mut Losses) {
        let reason = answer::stop_reason(self.finish.as_ref(), self.origin, self.calls, losses);
        let mut stop = json!({ "stopReason": reason });
        if let Some(fields) = self.extra.shift_remove(AT_STOP) {
            stop[AT_STOP] = fields;
        }
        tell("messageStop", &stop, out);
        let mut metadata = std::mem::take(&mut self.extra);
        metadata.insert("usage".into(), usage::write(self.usage.as_ref(), self.origin, losses));
        if let Some(tier) = self.tier.take() {
            metadata.insert("serviceTier".into(), json!({ "type": tier }));
        }
        tell("metadata", &Value::Object(metadata), out);
    }

    fn begin(&mut self, mut head: Block, out: &mut BytesMut, losses: &mut Losses) {
        let mut seal = head.seal.take();
        let kind = self.kind(&head.content, losses);
        carry::answer(HOME, self.origin, &head.extra, &mut Map::new(), losses);
        if kind != Kind::Thought {
            seal.take().into_iter().for_each(|seal| self.aside(&seal, beside::NEXT, out));
        }
        let index = self.next_index;
        self.next_index += u32::from(kind != Kind::Other);
        self.open = Some(Open { index, kind, seal, has_spoken: false });
        self.first_words(head.content, out, losses);
    }

    fn kind(&mut self, content: &Content, losses: &mut Losses) -> Kind {
        match content {
            Content::Text { .. } => Kind::Text,
            Content::Refusal { .. } => {
                losses.approximated(Place::Answer("refusal"), "told as text");
                Kind::Text
            }
            Content::Reasoning { .. } => Kind::Thought,
            Content::ToolUse { kind, .. } => {
                self.calls = true;
                if *kind == CallKind::Custom { Kind::FreeCall } else { Kind::Call }
            }
            other => {
                answer::unsayable(other, losses);
                Kind::Other
            }
        }
    }

    /// What the block's beginning says already.
    fn first_words(&mut self, content: Content, out: &mut BytesMut, losses: &mut Losses) {
        match content {
            Content::Text { text, citations } => {
                self.delta(Delta::Text(text), out, losses);
                citations.into_iter().for_each(|citation| self.delta(Delta::Citation(citation), out, losses));
            }
            Content::Refusal { text } | Content::Reasoning { text, .. } => self.delta(Delta::Text(text), out, losses),
            Content::ToolUse { id, name, arguments, kind } => {
                let index = self.open.as_ref().map(|open| open.index);
                let start = json!({ "toolUse": { "toolUseId": id, "name": name } });
                tell("contentBlockStart", &json!({ "start": start, "contentBlockIndex": index }), out);
                if let Some(open) = &mut self.open {
                    open.has_spoken = true;
                }
                if kind == CallKind::Custom {
                    losses.approximated(Place::Answer("tool call"), call::NO_OBJECT);
                    self.piece(json!({ "toolUse": { "input": "{\"input\":\"" } }), out);
                }
                self.delta(Delta::Arguments(arguments), out, losses);
            }
            _ => {}
        }
    }

    fn delta(&mut self, delta: Delta, out: &mut BytesMut, losses: &mut Losses) {
        let Some(open) = &mut self.open else { return };
        match (delta, open.kind) {
            (Delta::Text(text) | Delta::Arguments(text), _) if text.is_empty() => {}
            (Delta::Text(text), Kind::Text) => self.piece(json!({ "text": text }), out),
            (Delta::Text(text), Kind::Thought) => self.piece(json!({ "reasoningContent": { "text": text } }), out),
            (Delta::Arguments(text), Kind::Call) => self.piece(json!({ "toolUse": { "input": text } }), out),
            (Delta::Arguments(text), Kind::FreeCall) => {
                let text = call::escaped(&text);
                self.piece(json!({ "toolUse": { "input": text } }), out);
            }
            (Delta::Citation(citation), Kind::Text) => {
                if let Some(citation) = answer::citation(&citation, losses) {
                    self.piece(json!({ "citation": citation }), out);
                }
            }
            (Delta::Seal(seal), _) => open.seal = Some(seal),
            (Delta::Extra(extra), _) => {
                let names: Vec<_> = extra.keys().map(String::as_str).collect();
                losses.dropped(Place::Answer("extra"), format!("{}: {}", names.join(", "), carry::NO_PLACE));
            }
            _ => {}
        }
    }

    fn piece(&mut self, delta: Value, out: &mut BytesMut) {
        if let Some(open) = &mut self.open {
            open.has_spoken = true;
            tell("contentBlockDelta", &json!({ "delta": delta, "contentBlockIndex": open.index }), out);
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        let Some(kind) = self.open.as_ref().map(|open| open.kind) else { return };
        if kind == Kind::FreeCall {
            self.piece(json!({ "toolUse": { "input": "\"}" } }), out);
        }
        let seal = self.open.as_mut().and_then(|open| open.seal.take());
        if let (Kind::Thought, Some(seal)) = (kind, &seal) {
            let hidden = seal.redacted && self.open.as_ref().is_some_and(|open| !open.has_spoken);
            self.piece(sealed(seal, hidden), out);
        }
        let Some(open) = self.open.take() else { return };
        if kind == Kind::Text && !open.has_spoken {
            tell("contentBlockDelta", &json!({ "delta": { "text": "" }, "contentBlockIndex": open.index }), out);
        }
        if kind == Kind::Text || open.has_spoken {
            tell("contentBlockStop", &json!({ "contentBlockIndex": open.index }), out);
        }
        if let (false, Some(seal)) = (kind == Kind::Thought, seal) {
            self.aside(&seal, beside::PREVIOUS, out);
        }
    }

    /// The seal of a block that has no place for one.
    fn aside(&mut self, seal: &Seal, side: &str, out: &mut BytesMut) {
        let index = self.next_index;
        self.next_index += 1;
        let delta = sealed(&beside::marked(seal, side), false);
        tell("contentBlockDelta", &json!({ "delta": delta, "contentBlockIndex": index }), out);
        tell("contentBlockStop", &json!({ "contentBlockIndex": index }), out);
    }
}

fn sealed(seal: &Seal, hidden: bool) -> Value {
    match hidden {
        true => json!({ "reasoningContent": { "redactedContent": seal::redacted(seal) } }),
        false => json!({ "reasoningContent": { "signature": seal.pack(HOME) } }),
    }
}
