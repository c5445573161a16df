//! Calls of tools within a message.
//!
//! Enters: their JSON, or the form. Leaves: the other. Never: loses the seal of a call.

use serde_json::{Map, Value, json};

use super::super::HOME;
use crate::chat::{BadField, Block, CallKind, Content, Seal};
use crate::dialect::object::{Object, Path};

/// Whose calls are read.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Ids<'a> {
    /// A caller's, who must say which result is whose. The older form has no ids: they are made from the message's number.
    Needed(usize),
    /// A provider's. Some give no ids: they are made from the answer's.
    MadeOf(&'a str),
}

/// The calls of a message.
pub(in super::super) fn read_calls(message: &mut Object<'_>, ids: Ids<'_>) -> Result<Vec<Block>, BadField> {
    let path = message.path;
    let list = Path::Member(&path, "tool_calls");
    let mut blocks = Vec::new();
    for (at, value) in message.array("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
        let mut call = Object::of(value, Path::Item(&list, at))?;
        let id = match (call.string("id")?.filter(|id| !id.is_empty()), ids) {
            (Some(id), _) => id,
            (None, Ids::MadeOf(answer)) => made_id(answer, at),
            (None, Ids::Needed(_)) => return Err(Path::Member(&call.path, "id").missing("a string")),
        };
        blocks.push(read_call(call, id)?);
    }
    if let Some(call) = message.object("function_call")? {
        let mut call = Object::of(Value::Object(call), Path::Member(&path, "function_call"))?;
        let (name, arguments) = (call.need_string("name")?, call.string("arguments")?.unwrap_or_default());
        let id = match ids {
            Ids::Needed(message) => made_id(&message.to_string(), blocks.len()),
            Ids::MadeOf(answer) => made_id(answer, blocks.len()),
        };
        blocks.push(Content::ToolUse { id, name, arguments, kind: CallKind::Function }.into());
    }
    Ok(blocks)
}

/// `mark` may be any text; ids are kept to what every dialect takes.
pub(in super::super) fn made_id(mark: &str, number: usize) -> String {
    const MARK_CHARS_MAX: usize = 24;
    let known = mark.chars().filter(char::is_ascii_alphanumeric);
    let mark: String = known.collect::<Vec<_>>().into_iter().rev().take(MARK_CHARS_MAX).rev().collect();
    format!("call_{mark}_{number}")
}

fn read_call(mut call: Object<'_>, id: String) -> Result<Block, BadField> {
    let path = call.path;
    let (kind, member, text) = match call.peek_str("type") {
        Some("custom") => (CallKind::Custom, "custom", "input"),
        _ => (CallKind::Function, "function", "arguments"),
    };
    let at = Path::Member(&path, member);
    let mut inner = Object::of(call.take(member).ok_or_else(|| at.missing("an object"))?, at)?;
    let name = inner.need_string("name")?;
    let arguments = match inner.take(text) {
        None => String::new(),
        Some(Value::String(text)) => text,
        // Some hosts forget that it is text.
        Some(value @ Value::Object(_)) => value.to_string(),
        Some(other) => return Err(Path::Member(&at, text).wrong("a string", &other)),
    };
    call.take("type");
    call.take("index");
    let seal = call.take("extra_content").and_then(read_seal);
    let mut block = Block::from(Content::ToolUse { id, name, arguments, kind }).sealed(seal);
    block.extra = call.rest();
    Ok(block)
}

/// Google's place for a signature in its own form of this dialect: `{"google":{"thought_signature":".."}}`. See
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>.
pub(in super::super) fn read_seal(extra: Value) -> Option<Seal> {
    let google = extra.get("google").and_then(Value::as_object);
    let alone = google.is_some_and(|google| google.len() == 1) && extra.as_object().is_some_and(|all| all.len() == 1);
    match google.and_then(|google| google.get("thought_signature")?.as_str()) {
        Some(signature) if alone => Some(Seal::unpack(HOME, signature.to_owned())),
        _ => Some(Seal::new(HOME, extra.to_string())),
    }
}

pub(in super::super) fn write_seal(seal: &Seal) -> Value {
    if seal.origin == HOME
        && seal.data.starts_with('{')
        && let Ok(extra) = serde_json::from_str(&seal.data)
    {
        return extra;
    }
    json!({"google": {"thought_signature": seal.pack(HOME)}})
}

/// A call without its seal and extras.
pub(in super::super) fn write_call(id: &str, name: &str, arguments: &str, kind: CallKind) -> Map<String, Value> {
    let (kind, inner) = match kind {
        CallKind::Function => ("function", json!({"name": name, "arguments": arguments})),
        CallKind::Custom => ("custom", json!({"name": name, "input": arguments})),
    };
    Map::from_iter([("id".to_owned(), id.into()), ("type".to_owned(), kind.into()), (kind.to_owned(), inner)])
}
