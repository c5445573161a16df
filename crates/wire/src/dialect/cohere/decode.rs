//! Reads a stream of Cohere's `v2/chat`.
//!
//! Enters: its events. Leaves: the form's. Never: a success before `message-end`.
//!
//! Content and calls are counted apart. A content that has ended may still be cited, so its block is closed only when another begins.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{answer, fault, read};
use crate::chat::{BadField, Block, CallKind, Content, Delta, Event, Extra, Fault, UsageReport};
use crate::dialect::Dialect;
use crate::dialect::chat::Decode;
use crate::dialect::fault::{broken_off, in_stream};
use crate::dialect::object::{Object, Path};
use crate::frame::Frame;
use crate::watch::Tally;

/// Many more than an answer has.
const OPEN_MAX: usize = 1_024;

pub(super) struct Decoder {
    tally: Tally,
    started: bool,
    over: bool,
    blocks: u32,
    open: BTreeMap<Key, u32>,
    /// Contents that have ended, but for citations.
    ended: Option<Key>,
    /// Citations of what the form cannot cite.
    homeless: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Plan,
    Content(u64),
    Call(u64),
}

// === impl Decoder ===

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            tally: Tally::new(Dialect::CohereV2),
            started: false,
            over: false,
            blocks: 0,
            open: BTreeMap::new(),
            ended: None,
            homeless: Vec::new(),
        }
    }

    fn event(&mut self, data: &[u8], kind: &[u8], out: &mut Vec<Event>) -> Result<(), BadField> {
        let value = serde_json::from_slice(data).map_err(|fault| Path::Root.bad("JSON", fault.to_string()))?;
        let mut event = Object::of(value, Path::Root)?;
        let word = event.string("type")?.unwrap_or_else(|| String::from_utf8_lossy(kind).into_owned());
        let index = event.count("index")?.unwrap_or(0);
        let delta_path = Path::Member(&Path::Root, "delta");
        let mut delta = inner(&mut event, "delta", delta_path)?;
        let message_path = Path::Member(&delta_path, "message");
        let mut message = match delta.peek("message") {
            Some(Value::Object(_)) => inner(&mut delta, "message", message_path)?,
            _ => Object::empty(),
        };
        if word == "message-start" || !self.started {
            self.start(event.string("id")?.unwrap_or_default(), out);
        }
        match word.as_str() {
            "content-start" => self.content(index, &mut message, out),
            "content-delta" => {
                self.content_delta(index, &mut message, out)?;
                let logprobs = delta.take("logprobs").or_else(|| event.take("logprobs"));
                let logprobs = logprobs.as_ref().map(answer::read_logprobs);
                out.extend(logprobs.map(|logprobs| Event::Logprobs { choice: 0, logprobs }));
                Ok(())
            }
            "content-end" => {
                self.ended = Some(Key::Content(index));
                Ok(())
            }
            "tool-plan-delta" => self.plan(&mut message, out),
            "tool-call-start" => self.call(index, message, out),
            "tool-call-delta" => {
                let pieces = message.take("tool_calls").unwrap_or_default();
                let piece = pieces.pointer("/function/arguments").and_then(Value::as_str).unwrap_or_default();
                self.delta(Key::Call(index), Delta::Arguments(piece.to_owned()), out);
                Ok(())
            }
            "tool-call-end" => {
                self.close(Key::Call(index), out);
                Ok(())
            }
            "citation-start" => {
                self.cite(message.take("citations"), out);
                Ok(())
            }
            "message-end" => self.finish(delta, out),
            _ if event.peek("message").is_some() && !self.has_spoken() => {
                let fault = fault::read(500, data);
                self.fail(fault, out);
                Ok(())
            }
            // Ends of citations, what is there for debugging, and events that do not exist yet.
            _ => Ok(()),
        }
    }

    fn has_spoken(&self) -> bool {
        self.blocks > 0
    }

    fn start(&mut self, id: String, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start {
                origin: Dialect::CohereV2,
                id,
                model: String::new(),
                created: None,
                service_tier: None,
                extra: Extra::new(),
            });
        }
    }

    fn begin(&mut self, key: Key, head: Block, out: &mut Vec<Event>) {
        if let Some(ended) = self.ended.take() {
            self.close(ended, out);
        }
        self.close(key, out);
        if self.open.len() >= OPEN_MAX {
            return;
        }
        let block = self.blocks;
        self.blocks += 1;
        self.open.insert(key, block);
        out.push(Event::Begin { choice: 0, block, head });
    }

    fn delta(&mut self, key: Key, delta: Delta, out: &mut Vec<Event>) {
        let empty = matches!(&delta, Delta::Text(piece) | Delta::Arguments(piece) if piece.is_empty());
        if let Some(block) = self.open.get(&key).filter(|_| !empty) {
            out.push(Event::Delta { choice: 0, block: *block, delta });
        }
    }

    fn close(&mut self, key: Key, out: &mut Vec<Event>) {
        out.extend(self.open.remove(&key).map(|block| Event::End { choice: 0, block }));
    }

    fn content(&mut self, index: u64, message: &mut Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        self.close(Key::Plan, out);
        let outer = message.path;
        let path = Path::Member(&outer, "content");
        let Some(Value::Object(mut content)) = message.take("content") else { return Err(path.missing("an object")) };
        // The beginning need not say the text that has not come yet.
        let kind = content.get("type").and_then(Value::as_str).unwrap_or("text").to_owned();
        content.insert("type".into(), kind.as_str().into());
        if kind == "text" || kind == "thinking" {
            content.entry(kind).or_insert_with(|| "".into());
        }
        let head = read::part(Value::Object(content), path)?;
        self.begin(Key::Content(index), head, out);
        Ok(())
    }

    fn content_delta(&mut self, index: u64, message: &mut Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        let outer = message.path;
        let path = Path::Member(&outer, "content");
        let mut content = inner(message, "content", path)?;
        let piece = content.string("text")?.or(content.string("thinking")?);
        let seal = read::seal(&mut content)?;
        let key = Key::Content(index);
        if let Some(piece) = piece {
            self.delta(key, Delta::Text(piece), out);
        }
        if let Some(seal) = seal {
            self.delta(key, Delta::Seal(seal), out);
        }
        Ok(())
    }

    fn plan(&mut self, message: &mut Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        let piece = message.string("tool_plan")?.unwrap_or_default();
        if !self.open.contains_key(&Key::Plan) {
            let head = Content::Reasoning { text: String::new(), summary: true };
            self.begin(Key::Plan, head.into(), out);
        }
        self.delta(Key::Plan, Delta::Text(piece), out);
        Ok(())
    }

    fn call(&mut self, index: u64, mut message: Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        self.close(Key::Plan, out);
        let outer = message.path;
        let path = Path::Member(&outer, "tool_calls");
        let mut call = inner(&mut message, "tool_calls", path)?;
        let function_path = Path::Member(&path, "function");
        let mut function = inner(&mut call, "function", function_path)?;
        let id = call.need_string("id")?;
        let name = function.need_string("name")?;
        let arguments = function.string("arguments")?.unwrap_or_default();
        let seal = read::seal(&mut call)?;
        let content = Content::ToolUse { id, name, arguments, kind: CallKind::Function };
        self.begin(Key::Call(index), Block::from(content).sealed(seal), out);
        Ok(())
    }

    fn cite(&mut self, citation: Option<Value>, out: &mut Vec<Event>) {
        let Some(raw @ Value::Object(_)) = citation else { return };
        let index = raw.get("content_index").and_then(Value::as_u64).unwrap_or(0);
        let open = |key: &Key| self.open.contains_key(key);
        let key = Some(Key::Content(index)).filter(open).or(self.ended.filter(open));
        match key {
            Some(key) if answer::is_of_text(&raw) => self.delta(key, Delta::Citation(answer::citation(raw)), out),
            _ => self.homeless.push(raw),
        }
    }

    fn finish(&mut self, mut delta: Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        if let Some(message) = delta.string("error")?.filter(|message| !message.is_empty()) {
            self.fail(fault::plain(500, message), out);
            return Ok(());
        }
        self.over = true;
        for (_, block) in std::mem::take(&mut self.open) {
            out.push(Event::End { choice: 0, block });
        }
        if !self.homeless.is_empty() {
            let citations = Value::Array(std::mem::take(&mut self.homeless));
            let extra = Extra::from_iter([("citations".to_owned(), citations)]);
            out.push(Event::Extra { choice: Some(0), extra });
        }
        let raw = delta.take("usage").unwrap_or_default();
        out.extend(self.tally.usage().map(|usage| Event::Usage(UsageReport { usage, raw })));
        let finish = delta.string("finish_reason")?.map(answer::finish);
        out.extend(finish.map(|finish| Event::Finish { choice: 0, finish }));
        out.push(Event::Done);
        Ok(())
    }

    fn fail(&mut self, fault: Fault, out: &mut Vec<Event>) {
        self.over = true;
        out.push(Event::Fault(fault));
    }
}

/// The object under this name, empty when there is none.
fn inner<'p>(outer: &mut Object<'_>, name: &str, path: Path<'p>) -> Result<Object<'p>, BadField> {
    Object::of(outer.take(name).unwrap_or_else(|| Value::Object(Extra::new())), path)
}

impl Decode for Decoder {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        self.tally.frame(frame);
        let read = match frame {
            Frame::Whole { data, .. } if data.trim_ascii().is_empty() || data.trim_ascii() == b"[DONE]" => Ok(()),
            Frame::Whole { kind, data } => self.event(data, kind, out),
            Frame::Fault { data, .. } => return self.fail(fault::read(500, data), out),
            Frame::Tail { .. } | Frame::Broken => Err(Path::Root.bad("an event", "a frame that cannot be read")),
        };
        if let Err(bad) = read {
            let message = format!("the provider's stream is not in its dialect: {bad}");
            self.fail(in_stream(&message), out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if !self.over {
            self.fail(broken_off(), out);
        }
    }
}
