//! A provider's binary stream.
//!
//! Enters: messages. Leaves: events. Never: success without the `metadata` that comes last.
//!
//! Only calls say that they begin. Everything else begins with its first piece, which also says what it is.

use serde_json::{Map, Value, json};

use super::block::{blocks, citation};
use super::{HOME, answer, fault, seal};
use crate::chat::{BadField, Block, CallKind, Content, Delta, Event, Extra, Fault, Seal, UsageReport};
use crate::dialect::chat::Decode;
use crate::dialect::fault::{broken_off, in_stream};
use crate::dialect::object::{self, Object, Path};
use crate::dialect::told::Told;
use crate::frame::Frame;
use crate::watch::Tally;

pub(super) struct Decoder {
    tally: Tally,
    told: Told,
    /// The open block, by its own index.
    open: Option<(u64, Open)>,
    has_started: bool,
    has_stopped: bool,
    is_over: bool,
}

enum Open {
    Told {
        block: u32,
        calls: bool,
        has_arguments: bool,
    },
    /// A thought that has said nothing, and may be none.
    Thought,
    /// One that is understood when it is whole: its name, its members, and an input in pieces.
    Held {
        name: String,
        members: Map<String, Value>,
        input: String,
    },
}

const INPUT_BYTES_MAX: usize = 4 << 20;

// === impl Decoder ===

impl Decoder {
    pub(super) fn new() -> Self {
        let (tally, told) = (Tally::new(HOME), Told::new(HOME));
        Self { tally, told, open: None, has_started: false, has_stopped: false, is_over: false }
    }

    fn fail(&mut self, fault: Fault, out: &mut Vec<Event>) {
        self.is_over = true;
        out.push(Event::Fault(fault));
    }

    fn start(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.has_started, true) {
            let (id, model) = (String::new(), String::new());
            out.push(Event::Start { origin: HOME, id, model, created: None, service_tier: None, extra: Extra::new() });
        }
    }

    fn message(&mut self, kind: &[u8], data: &[u8], out: &mut Vec<Event>) -> Result<(), BadField> {
        self.start(out);
        let mut top = object::root(data)?;
        // Padding against guessing text from its length.
        top.take("p");
        match kind {
            b"contentBlockStart" => self.begin(&mut top, out)?,
            b"contentBlockDelta" => self.delta(&mut top, out)?,
            b"contentBlockStop" => self.stop(out)?,
            b"messageStop" => {
                self.close(out)?;
                self.has_stopped = true;
                let finish = top.string("stopReason")?.map(answer::finish);
                self.extra(top.rest(), out);
                out.extend(finish.map(|finish| Event::Finish { choice: 0, finish }));
            }
            b"metadata" => self.metadata(top, out)?,
            // `messageStart`, and kinds that do not exist yet.
            _ => {}
        }
        Ok(())
    }

    fn extra(&self, extra: Extra, out: &mut Vec<Event>) {
        if !extra.is_empty() {
            out.push(Event::Extra { choice: None, extra });
        }
    }

    fn metadata(&mut self, mut top: Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        self.close(out)?;
        let raw = top.take("usage").unwrap_or_default();
        out.extend(self.tally.usage().map(|usage| Event::Usage(UsageReport { usage, raw })));
        self.extra(top.rest(), out);
        if self.has_stopped {
            self.is_over = true;
            out.push(Event::Done);
        }
        Ok(())
    }

    fn begin(&mut self, top: &mut Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        self.stop(out)?;
        let index = top.count("contentBlockIndex")?.unwrap_or(0);
        let start = top.object("start")?.unwrap_or_default();
        let Some((name, Value::Object(members))) = start.into_iter().next() else { return Ok(()) };
        let word = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let open = match (name.as_str(), word("toolUseId"), word("name"), members.contains_key("type")) {
            ("toolUse", Some(id), Some(name), false) => {
                let call = Content::ToolUse { id, name, arguments: String::new(), kind: CallKind::Function };
                Open::Told { block: self.told.begin(call.into(), out), calls: true, has_arguments: false }
            }
            _ => Open::Held { name, members, input: String::new() },
        };
        self.open = Some((index, open));
        Ok(())
    }

    fn delta(&mut self, top: &mut Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        let index = top.count("contentBlockIndex")?.unwrap_or(0);
        if self.open.as_ref().is_some_and(|(open, _)| *open != index) {
            self.stop(out)?;
        }
        let delta = top.object("delta")?.unwrap_or_default();
        let mut open = self.open.take().map(|(_, open)| open);
        for (name, piece) in delta {
            open = self.piece(open, &name, piece, out)?;
        }
        self.open = open.map(|open| (index, open));
        Ok(())
    }

    fn piece(
        &mut self,
        open: Option<Open>,
        name: &str,
        piece: Value,
        out: &mut Vec<Event>,
    ) -> Result<Option<Open>, BadField> {
        let place = Path::Member(&Path::Root, "delta");
        Ok(Some(match (name, open, piece) {
            ("text" | "citation", None, piece) => {
                let block = self.told.begin(Block::text(""), out);
                return self.piece(Some(Open::Told { block, calls: false, has_arguments: false }), name, piece, out);
            }
            ("text", Some(Open::Told { block, calls, has_arguments }), Value::String(text)) => {
                if !text.is_empty() {
                    self.told.delta(block, Delta::Text(text), out);
                }
                Open::Told { block, calls, has_arguments }
            }
            ("citation", Some(Open::Told { block, calls, has_arguments }), raw) => {
                self.told.delta(block, Delta::Citation(citation(raw)), out);
                Open::Told { block, calls, has_arguments }
            }
            ("toolUse", Some(Open::Told { block, calls: true, has_arguments }), piece) => {
                let text = piece.get("input").and_then(Value::as_str).unwrap_or_default().to_owned();
                let has_arguments = has_arguments || !text.is_empty();
                if !text.is_empty() {
                    self.told.delta(block, Delta::Arguments(text), out);
                }
                Open::Told { block, calls: true, has_arguments }
            }
            ("reasoningContent", open, piece) => {
                let piece = Object::of(piece, Path::Member(&place, "reasoningContent"))?;
                self.thought(open.unwrap_or(Open::Thought), piece, out)?
            }
            (name, Some(Open::Held { name: held, mut members, mut input }), piece) => {
                hold(name, piece, &mut members, &mut input)?;
                Open::Held { name: held, members, input }
            }
            (_, open, _) => return Ok(open),
        }))
    }

    fn thought(&mut self, mut open: Open, mut piece: Object<'_>, out: &mut Vec<Event>) -> Result<Open, BadField> {
        if let Some(text) = piece.string("text")?.filter(|text| !text.is_empty()) {
            let block = self.known(&mut open, out);
            self.told.delta(block, Delta::Text(text), out);
        }
        let signature = piece.string("signature")?.filter(|signature| !signature.is_empty());
        if let Some(signature) = signature {
            self.seal(&mut open, Seal::unpack(HOME, signature), out);
        }
        if let Some(hidden) = piece.string("redactedContent")? {
            self.seal(&mut open, seal::unredacted(hidden), out);
        }
        Ok(open)
    }

    fn seal(&mut self, open: &mut Open, seal: Seal, out: &mut Vec<Event>) {
        let own = match open {
            Open::Thought => self.told.take_beside(seal, out),
            _ => Some(seal),
        };
        if let Some(own) = own {
            let block = self.known(open, out);
            self.told.delta(block, Delta::Seal(own), out);
        }
    }

    /// The number of the block: a thought is now certain to be one.
    fn known(&mut self, open: &mut Open, out: &mut Vec<Event>) -> u32 {
        if let Open::Told { block, .. } = open {
            return *block;
        }
        let head = Content::Reasoning { text: String::new(), summary: false };
        let block = self.told.begin(head.into(), out);
        *open = Open::Told { block, calls: false, has_arguments: false };
        block
    }

    fn stop(&mut self, out: &mut Vec<Event>) -> Result<(), BadField> {
        let Some((_, open)) = self.open.take() else { return Ok(()) };
        match open {
            Open::Told { block, calls, has_arguments } => {
                if calls && !has_arguments {
                    // So the whole answer says it.
                    self.told.delta(block, Delta::Arguments("{}".into()), out);
                }
                self.told.end(block, out);
            }
            Open::Thought => {}
            Open::Held { name, mut members, input } => {
                if let Ok(input) = serde_json::from_str(&input) {
                    members.insert("input".into(), input);
                }
                let whole = json!({ name: members });
                for block in blocks(vec![whole], &Path::Root)? {
                    self.told.whole(block, out);
                }
            }
        }
        Ok(())
    }

    fn close(&mut self, out: &mut Vec<Event>) -> Result<(), BadField> {
        self.stop(out)?;
        self.told.close(out);
        Ok(())
    }
}

/// Pieces of a block that is understood when it is whole.
fn hold(name: &str, piece: Value, members: &mut Map<String, Value>, input: &mut String) -> Result<(), BadField> {
    match (name, piece) {
        ("toolUse", piece) => {
            let text = piece.get("input").and_then(Value::as_str).unwrap_or_default();
            if input.len() + text.len() > INPUT_BYTES_MAX {
                return Err(Path::Root.bad("a tool's input of some megabytes at most", "more"));
            }
            input.push_str(text);
        }
        ("toolResult", Value::Array(pieces)) => {
            let content = members.entry("content").or_insert_with(|| json!([]));
            if let Value::Array(content) = content {
                content.extend(pieces);
            }
        }
        (_, Value::Object(piece)) => members.extend(piece),
        _ => {}
    }
    Ok(())
}

impl Decode for Decoder {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) {
        if self.is_over {
            return;
        }
        self.tally.frame(frame);
        let read = match frame {
            Frame::Whole { kind, data } => self.message(kind, data, out),
            Frame::Fault { kind, data } => return self.fail(fault::exception(kind, data), out),
            Frame::Tail { .. } | Frame::Broken => {
                return self.fail(in_stream("a message of the provider's stream could not be read"), out);
            }
        };
        if let Err(fault) = read {
            self.fail(in_stream(&format!("the provider's stream is not in its dialect: {fault}")), out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if !self.is_over {
            self.fail(broken_off(), out);
        }
    }
}
