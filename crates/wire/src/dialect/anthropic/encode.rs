//! A stream for a caller.
//!
//! Enters: events. Leaves: server-sent events, as the official SDKs add them up. Never: two blocks at once, or a success after a fault.
//!
//! `message_start` has to state a usage that nobody knows yet: zeros, which `message_delta` corrects with the whole count.

mod block;
mod frames;

use bytes::BytesMut;
use serde_json::{Map, json};

use super::messages::HOME;
use super::{answer, fault, usage};
use crate::chat::{Answer, Event, Extra, Finish, FinishKind, Losses, Place, UsageReport};
use crate::dialect::carry;
use crate::dialect::chat::{Encode, Telling};
use crate::dialect::in_order::InOrder;

use block::Blocks;

pub(super) struct Encoder {
    order: InOrder,
    message: Message,
}

struct Message {
    telling: Telling,
    has_started: bool,
    blocks: Blocks,
    finish: Option<Finish>,
    usage: Option<UsageReport>,
    tier: Option<String>,
    /// Members for the last frames.
    extra: Extra,
    has_lost_choices: bool,
    has_lost_logprobs: bool,
}

// === impl Encoder ===

impl Encoder {
    pub(super) fn new(telling: Telling) -> Self {
        let message = Message {
            telling,
            has_started: false,
            blocks: Blocks::new(HOME),
            finish: None,
            usage: None,
            tier: None,
            extra: Extra::new(),
            has_lost_choices: false,
            has_lost_logprobs: false,
        };
        Self { order: InOrder::default(), message }
    }
}

impl Encode for Encoder {
    fn event(&mut self, event: Event, out: &mut BytesMut, losses: &mut Losses) {
        let Self { order, message } = self;
        order.push(event, |event| message.event(event, out, losses));
    }
}

// === impl Message ===

impl Message {
    fn event(&mut self, event: Event, out: &mut BytesMut, losses: &mut Losses) {
        if !matches!(event, Event::Start { .. } | Event::Fault(_)) && !self.has_started {
            // A provider that says nothing of itself has still begun.
            self.start(Answer::new(HOME), out, losses);
        }
        match event {
            Event::Start { origin, id, model, service_tier, extra, .. } => {
                self.start(Answer { id, model, service_tier, extra, ..Answer::new(origin) }, out, losses);
            }
            Event::Begin { choice: 0, head, .. } => self.blocks.begin(head, out, losses),
            Event::Delta { choice: 0, delta, .. } => self.blocks.delta(delta, out, losses),
            Event::End { choice: 0, .. } => self.blocks.end(out),
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
            Event::Extra { choice: None, extra } if self.blocks.origin == HOME => self.extra.extend(extra),
            Event::Extra { extra, .. } => {
                carry::answer(HOME, self.blocks.origin, &extra, &mut Map::new(), losses);
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Done => self.done(out, losses),
            Event::Fault(fault) => frames::frame("error", fault::write(&fault), out),
        }
    }

    fn start(&mut self, head: Answer, out: &mut BytesMut, losses: &mut Losses) {
        self.has_started = true;
        self.blocks.origin = head.origin;
        let mut message = answer::start(&head, &self.telling);
        self.tier = usage::tier_told(head.service_tier.as_deref(), head.origin, losses);
        let mut usage = usage::zeros();
        usage.extend(self.tier.clone().map(|tier| ("service_tier".to_owned(), tier.into())));
        message.insert("usage".into(), usage.into());
        carry::answer(HOME, head.origin, &head.extra, &mut message, losses);
        frames::frame("message_start", json!({ "message": message }), out);
    }

    fn done(&mut self, out: &mut BytesMut, losses: &mut Losses) {
        let origin = self.blocks.origin;
        let finish = self.finish.take().unwrap_or_else(|| Finish::new(FinishKind::Stop, ""));
        let mut delta = std::mem::take(&mut self.extra);
        let management = delta.shift_remove("context_management");
        let reason = answer::stop_reason(&finish, origin == HOME, self.blocks.told, losses);
        delta.insert("stop_reason".into(), reason.into());
        delta.insert("stop_sequence".into(), finish.stop_sequence.into());
        let usage = usage::write(self.usage.as_ref(), origin, self.tier.as_deref(), losses);
        let mut frame = json!({ "delta": delta, "usage": usage });
        if let Some(management) = management {
            frame["context_management"] = management;
        }
        frames::frame("message_delta", frame, out);
        frames::frame("message_stop", json!({}), out);
    }
}
