//! Blocks of a stream, as events.
//!
//! Enters: what frames say of blocks. Leaves: events in the order that all encoders rely on. Never: more than one open block: Anthropic tells one after the
//! other.
//!
//! Three things are held back. A thought, until its first words or its signature say whether it is one (see `beside`). A block that only Anthropic
//! understands, until it is whole. And the end of each block (see `told`).

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::messages::HOME;
use super::super::read;
use crate::chat::{BadField, Block, Content, Delta, Event, Extra, Seal};
use crate::dialect::object::{Object, Path};
use crate::dialect::told::Told;

/// The blocks of the answer, one after the other.
pub(super) struct Blocks {
    told: Told,
    open: Option<Open>,
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

pub(super) fn parsed(raw: Option<&RawValue>) -> Result<Value, BadField> {
    let raw = raw.ok_or_else(|| Path::Root.bad("a whole frame", "a part of one"))?;
    serde_json::from_str(raw.get()).map_err(|fault| Path::Root.bad("JSON", fault.to_string()))
}

// === impl Blocks ===

impl Blocks {
    pub(super) fn new() -> Self {
        Self { told: Told::new(HOME), open: None }
    }

    pub(super) fn begin(&mut self, value: Value, out: &mut Vec<Event>) -> Result<(), BadField> {
        self.stop(out);
        let mut head = read::block(value, Path::Member(&Path::Root, "content_block"))?;
        self.open = Some(match &mut head.content {
            Content::Reasoning { text, .. } if text.is_empty() => {
                let seal = head.seal.take();
                let mut thought = Open::Thought(head);
                seal.into_iter().for_each(|seal| self.seal(&mut thought, seal, out));
                thought
            }
            Content::Opaque { value, .. } => Open::Opaque { value: std::mem::take(value), input: String::new() },
            Content::ToolUse { arguments, .. } => {
                let otherwise = Some(std::mem::take(arguments));
                Open::Told { block: self.told.begin(head, out), calls: true, otherwise }
            }
            _ => Open::Told { block: self.told.begin(head, out), calls: false, otherwise: None },
        });
        Ok(())
    }

    pub(super) fn delta(&mut self, raw: Option<&RawValue>, out: &mut Vec<Event>) -> Result<(), BadField> {
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
            (Some(Piece::Input { partial_json }), Open::Told { block, calls: true, otherwise }) => {
                if !partial_json.is_empty() {
                    *otherwise = None;
                    self.told.delta(*block, Delta::Arguments(partial_json), out);
                }
            }
            (Some(Piece::Input { .. }), _) => {}
            (Some(Piece::Text { text } | Piece::Thinking { thinking: text }), open) => {
                if !text.is_empty()
                    && let Some(block) = self.known(open, out)
                {
                    self.told.delta(block, Delta::Text(text), out);
                }
            }
            (None, open) => self.other_delta(open, parsed(raw)?, out)?,
        }
        self.open = Some(open);
        Ok(())
    }

    /// The number of the block; a thought is now certain to be one.
    fn known(&mut self, open: &mut Open, out: &mut Vec<Event>) -> Option<u32> {
        if let Open::Thought(head) = open {
            let head = std::mem::replace(head, Block::text(""));
            *open = Open::Told { block: self.told.begin(head, out), calls: false, otherwise: None };
        }
        match open {
            Open::Told { block, .. } => Some(*block),
            Open::Thought(_) | Open::Opaque { .. } => None,
        }
    }

    fn seal(&mut self, open: &mut Open, mut seal: Seal, out: &mut Vec<Event>) {
        if matches!(open, Open::Thought(_)) {
            match self.told.take_beside(seal, out) {
                Some(own) => seal = own,
                None => {
                    // Nothing of it was a thought; what else is said of it is ignored.
                    *open = Open::Opaque { value: Value::Null, input: String::new() };
                    return;
                }
            }
        }
        if let Some(block) = self.known(open, out) {
            self.told.delta(block, Delta::Seal(seal), out);
        }
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
        self.told.delta(block, delta, out);
        Ok(())
    }

    /// The open block is complete.
    pub(super) fn stop(&mut self, out: &mut Vec<Event>) {
        let Some(mut open) = self.open.take() else { return };
        if let Open::Opaque { value, input } = open {
            if !value.is_null() {
                let value = with_input(value, &input);
                self.told.whole(Content::Opaque { origin: HOME, value }.into(), out);
            }
            return;
        }
        let Some(block) = self.known(&mut open, out) else { return };
        if let Open::Told { otherwise: Some(arguments), .. } = open {
            self.told.delta(block, Delta::Arguments(arguments), out);
        }
        self.told.end(block, out);
    }

    /// There are no more blocks.
    pub(super) fn close(&mut self, out: &mut Vec<Event>) {
        self.stop(out);
        self.told.close(out);
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
