//! A provider's stream.
//!
//! Enters: `response.*` events. Leaves: the form's events. Never: text twice. Providers say everything three times (delta, done, and in the item's
//! end); hosts that imitate OpenAI leave out one or the other, so what was not heard before is taken from where it comes next.

mod follow;
mod progress;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    HOME, answer,
    fault::{self, broken},
    finish, take,
};
use crate::chat::{BadField, Delta, Event, Extra, Fault, UsageReport};
use crate::dialect::{
    chat::Decode,
    object::{Object, Path},
};
use crate::frame::Frame;
use crate::watch::Tally;
use progress::{Progress, Slot};

#[derive(Debug)]
pub(super) struct Decoder {
    tally: Tally,
    /// By `output_index`, while they are not done.
    items: BTreeMap<u64, Progress>,
    /// Begun so far.
    blocks: u32,
    held: finish::Held,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Before,
    Telling,
    Ended,
}

/// The members of an event that carries a piece, or all of them once more.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Piece {
    output_index: u64,
    /// Of a part of the content, or of the summary.
    content_index: u64,
    summary_index: u64,
    delta: String,
    logprobs: Option<Vec<Value>>,
    /// One of these has the whole, in a `done` event.
    text: String,
    refusal: String,
    arguments: String,
    input: String,
}

#[derive(Deserialize)]
struct Kind {
    r#type: String,
}

type Outcome<T = ()> = Result<T, Box<Fault>>;

// === impl Decoder ===

impl Decode for Decoder {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) {
        if self.stage == Stage::Ended {
            return;
        }
        self.tally.frame(frame);
        let outcome = match frame {
            Frame::Whole { data, .. } if data.trim_ascii() == b"[DONE]" => Ok(()),
            Frame::Whole { kind, data } => self.event(kind, data, out),
            Frame::Tail { kind, .. } => self.too_long(kind, out),
            Frame::Fault { .. } | Frame::Broken => Err(Box::new(broken("the provider's stream is broken"))),
        };
        if let Err(fault) = outcome {
            self.fail(*fault, out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.stage != Stage::Ended {
            self.fail(broken("the provider broke its answer off"), out);
        }
    }
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            tally: Tally::new(HOME),
            items: BTreeMap::new(),
            blocks: 0,
            held: finish::Held::default(),
            stage: Stage::Before,
        }
    }

    fn fail(&mut self, fault: Fault, out: &mut Vec<Event>) {
        self.stage = Stage::Ended;
        out.push(Event::Fault(fault));
    }

    /// The event's name is in its data too, and some hosts say it only there.
    fn event(&mut self, named: &[u8], data: &[u8], out: &mut Vec<Event>) -> Outcome {
        let inner;
        let kind = match std::str::from_utf8(named) {
            Ok(name) if name.starts_with("response.") || name == "error" => name,
            _ => {
                inner = parse::<Kind>(data)?.r#type;
                &inner
            }
        };
        match kind {
            "response.output_text.delta" => self.piece(Slot::text, parse(data)?, Delta::Text, out),
            "response.refusal.delta" => self.piece(Slot::refusal, parse(data)?, Delta::Text, out),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.piece(Slot::call, parse(data)?, Delta::Arguments, out)
            }
            "response.reasoning_summary_text.delta" => self.piece(Slot::summary, parse(data)?, Delta::Text, out),
            "response.reasoning_text.delta" => self.piece(Slot::thought, parse(data)?, Delta::Text, out),
            "response.output_text.done" => self.rest(Slot::text, parse(data)?, Delta::Text, out),
            "response.refusal.done" => self.rest(Slot::refusal, parse(data)?, Delta::Text, out),
            "response.function_call_arguments.done" | "response.custom_tool_call_input.done" => {
                self.rest(Slot::call, parse(data)?, Delta::Arguments, out)
            }
            "response.content_part.added" => self.part_added(parse(data)?, out),
            "response.content_part.done" => self.part_done(parse(data)?, out),
            "response.output_text.annotation.added" => self.annotation(parse(data)?, out),
            "response.output_item.added" => self.item_added(parse(data)?, out),
            "response.output_item.done" => self.item_done(parse(data)?, out),
            "response.created" => self.start(parse(data)?, out),
            "response.completed" | "response.incomplete" => self.ended(parse(data)?, out),
            "response.failed" | "response.cancelled" => {
                Err(Box::new(fault::of_stream(&parse::<Value>(data)?["response"]["error"])))
            }
            "error" => Err(Box::new(told_fault(&parse(data)?))),
            // What a hosted tool is doing, `in_progress`, `keepalive`, and kinds that do not exist yet.
            _ => Ok(()),
        }
    }

    /// An event of more than a frame's length is not read. Most repeat what was said before; where nothing was, it is missing.
    fn too_long(&mut self, kind: &[u8], out: &mut Vec<Event>) -> Outcome {
        match kind {
            b"response.created" => self.start(Value::Null, out),
            b"response.completed" if self.blocks > 0 => self.finish("completed", None, Value::Null, Extra::new(), out),
            b"response.incomplete" if self.blocks > 0 => {
                self.finish("incomplete", None, Value::Null, Extra::new(), out)
            }
            b"response.in_progress" | b"response.queued" => Ok(()),
            _ if kind.ends_with(b".partial_image") => Ok(()),
            _ => Err(Box::new(broken("the provider sent more in one piece than can be taken"))),
        }
    }

    fn start(&mut self, mut event: Value, out: &mut Vec<Event>) -> Outcome {
        if self.stage != Stage::Before || self.blocks > 0 {
            return Ok(());
        }
        self.stage = Stage::Telling;
        let response = Some(take(&mut event, "response")).filter(Value::is_object);
        let response = response.unwrap_or_else(|| Value::Object(Extra::new()));
        let head =
            Object::of(response, Path::Root).and_then(|mut response| answer::head(&mut response)).map_err(bad)?;
        out.push(Event::Start {
            origin: HOME,
            id: head.id,
            model: head.model,
            created: head.created,
            // The wish; the tier itself is known at the end.
            service_tier: head.service_tier.filter(|tier| tier != "auto"),
            extra: Extra::new(),
        });
        Ok(())
    }

    fn ended(&mut self, mut event: Value, out: &mut Vec<Event>) -> Outcome {
        let mut response = Object::of(take(&mut event, "response"), Path::Root).map_err(bad)?;
        let status = response.string("status").map_err(bad)?.unwrap_or_else(|| "completed".into());
        let reason = answer::reason(&mut response).map_err(bad)?;
        let usage = response.take("usage").unwrap_or_default();
        let output = response.array("output").map_err(bad)?.unwrap_or_default();
        if self.blocks == 0 {
            let logprobs = answer::logprobs(&Value::Array(output.clone()));
            self.whole(answer::output(output).map_err(bad)?, out);
            out.extend(answer::in_chat(logprobs).map(|logprobs| Event::Logprobs { choice: 0, logprobs }));
        }
        answer::head(&mut response).map_err(bad)?;
        self.finish(&status, reason.as_deref(), usage, answer::extra(response), out)
    }

    fn finish(
        &mut self,
        status: &str,
        reason: Option<&str>,
        usage: Value,
        extra: Extra,
        out: &mut Vec<Event>,
    ) -> Outcome {
        for (_, progress) in std::mem::take(&mut self.items) {
            progress.close(None, out);
        }
        if !extra.is_empty() {
            out.push(Event::Extra { choice: None, extra });
        }
        out.push(Event::Finish { choice: 0, finish: finish::read(status, reason, self.held) });
        let counted = self.tally.usage();
        out.extend(counted.map(|counts| Event::Usage(UsageReport { usage: counts, raw: usage })));
        out.push(Event::Done);
        self.stage = Stage::Ended;
        Ok(())
    }
}

fn parse<'d, T: Deserialize<'d>>(data: &'d [u8]) -> Outcome<T> {
    serde_json::from_slice(data).map_err(|_| Box::new(broken("the provider sent an event that cannot be read")))
}

fn bad(field: BadField) -> Box<Fault> {
    Box::new(broken(&format!("the provider sent an event that cannot be read: {field}")))
}

/// Documented flat, sent wrapped.
fn told_fault(event: &Value) -> Fault {
    fault::of_stream(if event["error"].is_object() { &event["error"] } else { event })
}
