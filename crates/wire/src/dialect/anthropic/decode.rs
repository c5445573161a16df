//! A provider's stream of server-sent events.
//!
//! Enters: frames. Leaves: events. Never: success without `message_stop`.

mod blocks;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::messages::HOME;
use super::{answer, fault, usage};
use crate::chat::{BadField, Event, Fault};
use crate::dialect::chat::Decode;
use crate::dialect::fault::{broken_off, in_stream};
use crate::dialect::object::{Object, Path};
use crate::frame::Frame;
use crate::watch::Tally;

use blocks::{Blocks, parsed};

pub(super) struct Decoder {
    tally: Tally,
    /// Anthropic's own object: what `message_start` says of it and what later frames correct.
    usage: Map<String, Value>,
    blocks: Blocks,
    has_started: bool,
    is_over: bool,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    usage: Option<Map<String, Value>>,
    context_management: Option<Value>,
}

// === impl Decoder ===

impl Decoder {
    pub(super) fn new() -> Self {
        Self { tally: Tally::new(HOME), usage: Map::new(), blocks: Blocks::new(), has_started: false, is_over: false }
    }

    fn fail(&mut self, fault: Fault, out: &mut Vec<Event>) {
        self.is_over = true;
        out.push(Event::Fault(fault));
    }

    fn told(&mut self, told: Told<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        let message = match told.kind.as_ref() {
            "message_start" => parsed(told.message)?,
            _ => Value::Object(Map::new()),
        };
        if !self.has_started && !matches!(told.kind.as_ref(), "ping" | "error") {
            self.start(message, out)?;
        }
        match told.kind.as_ref() {
            "content_block_start" => self.blocks.begin(parsed(told.content_block)?, out),
            "content_block_delta" => self.blocks.delta(told.delta, out),
            "content_block_stop" => {
                self.blocks.stop(out);
                Ok(())
            }
            "message_delta" => self.message_delta(told, out),
            "message_stop" => {
                self.blocks.close(out);
                self.is_over = true;
                out.push(Event::Done);
                Ok(())
            }
            "error" => {
                let error = parsed(told.error)?;
                let error = if let Value::Object(error) = error { error } else { Map::new() };
                self.fail(fault::of(error, None), out);
                Ok(())
            }
            // Pings, and kinds that do not exist yet.
            _ => Ok(()),
        }
    }

    fn start(&mut self, message: Value, out: &mut Vec<Event>) -> Result<(), BadField> {
        let mut message = Object::of(message, Path::Member(&Path::Root, "message"))?;
        let head = answer::head(&mut message)?;
        for name in ["content", "stop_reason", "stop_sequence"] {
            message.take(name);
        }
        let mut service_tier = None;
        if let Some(Value::Object(usage)) = message.take("usage") {
            service_tier = usage.get("service_tier").and_then(Value::as_str).map(str::to_owned);
            self.usage = usage;
        }
        self.has_started = true;
        let (id, model, extra) = (head.id, head.model, message.rest());
        out.push(Event::Start { origin: HOME, id, model, created: None, service_tier, extra });
        Ok(())
    }

    fn message_delta(&mut self, told: Told<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        self.blocks.close(out);
        if let Some(usage) = told.usage {
            self.usage.extend(usage.into_iter().filter(|(_, count)| !count.is_null()));
        }
        out.extend(usage::report(self.tally.usage(), Value::Object(self.usage.clone())).map(Event::Usage));
        let mut delta = Object::of(parsed(told.delta)?, Path::Member(&Path::Root, "delta"))?;
        let finish = answer::finish(&mut delta)?;
        let mut extra = delta.rest();
        if let Some(management) = told.context_management.filter(|value| !value.is_null()) {
            extra.insert("context_management".into(), management);
        }
        if !extra.is_empty() {
            out.push(Event::Extra { choice: None, extra });
        }
        out.extend(finish.map(|finish| Event::Finish { choice: 0, finish }));
        Ok(())
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) {
        if self.is_over {
            return;
        }
        self.tally.frame(frame);
        let data = match frame {
            // Some hosts that speak this dialect end like OpenAI.
            Frame::Whole { data, .. } if data.trim_ascii() == b"[DONE]" => return,
            Frame::Whole { data, .. } => data,
            Frame::Fault { .. } | Frame::Tail { .. } | Frame::Broken => {
                return self.fail(in_stream("a frame of the provider's stream could not be read"), out);
            }
        };
        let read =
            serde_json::from_slice::<Told<'_>>(data).map_err(|fault| Path::Root.bad("a frame", fault.to_string()));
        if let Err(fault) = read.and_then(|told| self.told(told, out)) {
            self.fail(in_stream(&format!("the provider's stream is not in its dialect: {fault}")), out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if !self.is_over {
            self.fail(broken_off(), out);
        }
    }
}
