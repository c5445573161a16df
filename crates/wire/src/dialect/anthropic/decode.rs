//! A provider's stream of server-sent events.
//!
//! Enters: frames. Leaves: events. Never: success without `message_stop`.
//!
//! Three things are held back. A thought, until its first words or its signature say whether it is one (see `seals`). A block that only Anthropic
//! understands, until it is whole. And the end of each block until the next frame that matters, because such a seal may belong to it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::messages::HOME;
use super::{answer, fault, read, seals, usage};
use crate::chat::{BadField, Block, Content, Delta, Event, Extra, Fault, Seal};
use crate::dialect::chat::Decode;
use crate::dialect::fault::{broken_off, in_stream};
use crate::dialect::object::{Object, Path};
use crate::frame::Frame;
use crate::watch::Tally;

pub(super) struct Decoder {
    tally: Tally,
    /// Anthropic's own object: what `message_start` says of it and what later frames correct.
    usage: Map<String, Value>,
    blocks: Blocks,
    has_started: bool,
    is_over: bool,
}

/// The blocks of the answer, one after the other.
#[derive(Default)]
struct Blocks {
    begun: u32,
    open: Option<Open>,
    /// Said to have ended, but its end not yet told.
    ended: Option<u32>,
    /// The seal of the block that comes next.
    next_seal: Option<Seal>,
}

enum Open {
    /// `otherwise`: the arguments, if no piece of them comes.
    Told {
        block: u32,
        calls: bool,
        otherwise: Option<String>,
    },
    Thought(Block),
    Opaque {
        value: Value,
        input: String,
    },
}

/// A longer input of a hosted tool is not collected.
const INPUT_BYTES_MAX: usize = 4 << 20;

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

/// The pieces that come by the hundred.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Piece {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
}

// === impl Decoder ===

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            tally: Tally::new(HOME),
            usage: Map::new(),
            blocks: Blocks::default(),
            has_started: false,
            is_over: false,
        }
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

fn parsed(raw: Option<&RawValue>) -> Result<Value, BadField> {
    let raw = raw.ok_or_else(|| Path::Root.bad("a whole frame", "a part of one"))?;
    serde_json::from_str(raw.get()).map_err(|fault| Path::Root.bad("JSON", fault.to_string()))
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

// === impl Blocks ===

impl Blocks {
    fn begin(&mut self, value: Value, out: &mut Vec<Event>) -> Result<(), BadField> {
        self.stop(out);
        let mut head = read::block(value, Path::Member(&Path::Root, "content_block"))?;
        self.open = Some(match &mut head.content {
            Content::Reasoning { .. } if head.seal.is_none() => Open::Thought(head),
            Content::Reasoning { text, .. } if text.is_empty() => {
                let seal = head.seal.take();
                let mut thought = Open::Thought(head);
                seal.into_iter().for_each(|seal| self.seal(&mut thought, seal, out));
                thought
            }
            Content::Opaque { value, .. } => Open::Opaque { value: std::mem::take(value), input: String::new() },
            Content::ToolUse { arguments, .. } => {
                let otherwise = Some(std::mem::take(arguments));
                Open::Told { block: self.tell(head, out), calls: true, otherwise }
            }
            _ => Open::Told { block: self.tell(head, out), calls: false, otherwise: None },
        });
        Ok(())
    }

    /// The block itself; what ended before it is said to have ended.
    fn tell(&mut self, mut head: Block, out: &mut Vec<Event>) -> u32 {
        self.end(out);
        if head.seal.is_none() {
            head.seal = self.next_seal.take();
        }
        let block = self.begun;
        self.begun += 1;
        out.push(Event::Begin { choice: 0, block, head });
        block
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        out.extend(self.ended.take().map(|block| Event::End { choice: 0, block }));
    }

    fn delta(&mut self, raw: Option<&RawValue>, out: &mut Vec<Event>) -> Result<(), BadField> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let piece = raw.and_then(|raw| serde_json::from_str::<Piece>(raw.get()).ok());
        match (piece, &mut open) {
            (Some(Piece::Signature { signature }), open) => {
                if !signature.is_empty() {
                    self.seal(open, Seal::unpack(HOME, signature), out);
                }
            }
            (Some(Piece::Input { partial_json }), Open::Opaque { input, .. }) => {
                if input.len() + partial_json.len() > INPUT_BYTES_MAX {
                    return Err(Path::Root.bad("a tool's input of some megabytes at most", "more"));
                }
                input.push_str(&partial_json);
            }
            (Some(Piece::Input { partial_json }), Open::Told { block, calls: true, otherwise })
                if !partial_json.is_empty() =>
            {
                *otherwise = None;
                out.push(Event::Delta { choice: 0, block: *block, delta: Delta::Arguments(partial_json) });
            }
            (Some(Piece::Input { .. }), _) => {}
            (Some(Piece::Text { text } | Piece::Thinking { thinking: text }), open) => {
                if !text.is_empty()
                    && let Some(block) = self.known(open, out)
                {
                    out.push(Event::Delta { choice: 0, block, delta: Delta::Text(text) });
                }
            }
            (_, open) => self.other_delta(open, parsed(raw)?, out)?,
        }
        self.open = Some(open);
        Ok(())
    }

    /// The number of the block; a thought is now certain to be one.
    fn known(&mut self, open: &mut Open, out: &mut Vec<Event>) -> Option<u32> {
        if let Open::Thought(head) = open {
            let head = std::mem::replace(head, Block::text(""));
            *open = Open::Told { block: self.tell(head, out), calls: false, otherwise: None };
        }
        match open {
            Open::Told { block, .. } => Some(*block),
            Open::Thought(_) | Open::Opaque { .. } => None,
        }
    }

    fn seal(&mut self, open: &mut Open, seal: Seal, out: &mut Vec<Event>) {
        let side = if matches!(open, Open::Thought(_)) { seals::side(&seal) } else { None };
        match (side, self.ended) {
            (Some(seals::NEXT), _) => self.next_seal = Some(seals::unmarked(seal)),
            (Some(_), Some(block)) => {
                let delta = Delta::Seal(seals::unmarked(seal));
                out.push(Event::Delta { choice: 0, block, delta });
            }
            _ => {
                if let Some(block) = self.known(open, out) {
                    out.push(Event::Delta { choice: 0, block, delta: Delta::Seal(seal) });
                }
                return;
            }
        }
        // Nothing of it was a thought; what else is said of it is ignored.
        *open = Open::Opaque { value: Value::Null, input: String::new() };
    }

    /// Citations, and kinds of pieces that are for blocks only Anthropic knows.
    fn other_delta(&mut self, open: &mut Open, delta: Value, out: &mut Vec<Event>) -> Result<(), BadField> {
        let path = Path::Member(&Path::Root, "delta");
        let mut delta = Object::of(delta, path)?;
        let kind = delta.string("type")?.unwrap_or_default();
        if let Open::Opaque { value: Value::Object(value), .. } = open {
            join(value, delta.rest());
            return Ok(());
        }
        let Some(block) = self.known(open, out) else { return Ok(()) };
        let delta = match (kind.as_str(), delta.take("citation")) {
            ("citations_delta", Some(citation)) => {
                Delta::Citation(read::citation(citation, Path::Member(&path, "citation"))?)
            }
            _ => Delta::Extra(delta.rest()),
        };
        out.push(Event::Delta { choice: 0, block, delta });
        Ok(())
    }

    /// The open block is complete.
    fn stop(&mut self, out: &mut Vec<Event>) {
        let Some(mut open) = self.open.take() else { return };
        if let Open::Opaque { value, input } = open {
            if !value.is_null() {
                let head = Content::Opaque { origin: HOME, value: with_input(value, &input) };
                let block = self.tell(head.into(), out);
                self.ended = Some(block);
            }
            return;
        }
        let Some(block) = self.known(&mut open, out) else { return };
        if let Open::Told { otherwise: Some(arguments), .. } = open {
            out.push(Event::Delta { choice: 0, block, delta: Delta::Arguments(arguments) });
        }
        self.ended = Some(block);
    }

    /// There are no more blocks.
    fn close(&mut self, out: &mut Vec<Event>) {
        self.stop(out);
        if let Some(seal) = self.next_seal.take() {
            let head = Block::from(Content::Reasoning { text: String::new(), summary: false }).sealed(Some(seal));
            let block = self.tell(head, out);
            self.ended = Some(block);
        }
        self.end(out);
    }
}

/// Texts grow, anything else is replaced.
fn join(held: &mut Map<String, Value>, more: Extra) {
    for (name, value) in more {
        match (held.get_mut(&name), value) {
            (Some(Value::String(held)), Value::String(more)) => held.push_str(&more),
            (_, value) => drop(held.insert(name, value)),
        }
    }
}

fn with_input(mut value: Value, input: &str) -> Value {
    if let (Value::Object(members), Ok(input)) = (&mut value, serde_json::from_str::<Value>(input)) {
        members.insert("input".into(), input);
    }
    value
}
