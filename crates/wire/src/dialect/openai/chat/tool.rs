//! Tools, the choice among them, and calls: read and written.
//!
//! Enters: their JSON, or the form. Leaves: the other. Never: tells the older `functions` from tools: they are read as what replaced them.

use serde_json::{Map, Value, json};

use super::{HOME, part};
use crate::chat::{
    BadField, Block, CallKind, Content, Extra, Losses, Place, Request, Seal, Tool, ToolChoice, ToolKind,
};
use crate::dialect::carry::{self, NOT_ITS_OWN};
use crate::dialect::object::{Object, Path};

/// Stands beside `tools` in the request, and is a tool that runs at the provider.
const WEB_SEARCH: &str = "web_search_options";

pub(super) fn read_all(top: &mut Object<'_>) -> Result<Vec<Tool>, BadField> {
    let path = top.path;
    let mut tools = Vec::new();
    for (at, value) in top.array("tools")?.unwrap_or_default().into_iter().enumerate() {
        tools.push(tool(value, Path::Item(&Path::Member(&path, "tools"), at))?);
    }
    for (at, value) in top.array("functions")?.unwrap_or_default().into_iter().enumerate() {
        let list = Path::Member(&path, "functions");
        let mut inner = Object::of(value, Path::Item(&list, at))?;
        let kind = function(&mut inner)?;
        tools.push(Tool { kind, cache: None, extra: inner.rest() });
    }
    if let Some(value) = top.object(WEB_SEARCH)? {
        let kind = ToolKind::Hosted { origin: HOME, name: WEB_SEARCH.into(), value: Value::Object(value) };
        tools.push(Tool { kind, cache: None, extra: Extra::new() });
    }
    Ok(tools)
}

fn tool(value: Value, path: Path<'_>) -> Result<Tool, BadField> {
    let mut tool = Object::of(value, path)?;
    let name = tool.peek_str("type").map(str::to_owned);
    let name = name.ok_or_else(|| Path::Member(&path, "type").missing("a string"))?;
    if name != "function" && name != "custom" {
        let kind = ToolKind::Hosted { origin: HOME, name, value: tool.into_value() };
        return Ok(Tool { kind, cache: None, extra: Extra::new() });
    }
    let at = Path::Member(&path, &name);
    let mut inner = Object::of(tool.take(&name).ok_or_else(|| at.missing("an object"))?, at)?;
    let kind = if name == "function" { function(&mut inner)? } else { custom(&mut inner)? };
    tool.take("type");
    // Some clients mark the function, some the tool around it.
    let cache = part::cache(&mut tool).or_else(|| part::cache(&mut inner));
    let inner = inner.rest();
    let mut extra = tool.rest();
    if !inner.is_empty() {
        extra.insert(name, Value::Object(inner));
    }
    Ok(Tool { kind, cache, extra })
}

fn function(inner: &mut Object<'_>) -> Result<ToolKind, BadField> {
    Ok(ToolKind::Function {
        name: inner.need_string("name")?,
        description: inner.string("description")?,
        schema: inner.object("parameters")?.map(Value::Object),
        strict: inner.bool("strict")?,
    })
}

fn custom(inner: &mut Object<'_>) -> Result<ToolKind, BadField> {
    Ok(ToolKind::Custom {
        name: inner.need_string("name")?,
        description: inner.string("description")?,
        format: inner.object("format")?.map(Value::Object),
    })
}

/// Writes `tools`, and what stands beside them.
pub(super) fn write_all(request: &Request, body: &mut Map<String, Value>, losses: &mut Losses) {
    let mut tools = Vec::with_capacity(request.tools.len());
    for (number, tool) in request.tools.iter().enumerate() {
        let (name, inner) = match &tool.kind {
            ToolKind::Function { name, description, schema, strict } => {
                ("function", json!({"name": name, "description": description, "parameters": schema, "strict": strict}))
            }
            ToolKind::Custom { name, description, format } => {
                ("custom", json!({"name": name, "description": description, "format": format}))
            }
            ToolKind::Hosted { origin, name, value } => {
                match (*origin == HOME, name.as_str()) {
                    (true, WEB_SEARCH) => drop(body.insert(WEB_SEARCH.into(), value.clone())),
                    (true, _) => tools.push(value.clone()),
                    (false, _) => losses.dropped(Place::Tool(number as u32), format!("{name}: {NOT_ITS_OWN}")),
                }
                continue;
            }
        };
        let mut written = Map::from_iter([("type".to_owned(), name.into()), (name.to_owned(), without_nulls(inner))]);
        if let Some(mark) = tool.cache {
            written.insert("cache_control".into(), super::write_part::cache(mark));
        }
        super::write_part::put_inner(name, &tool.extra, request.origin, &mut written);
        carry::tool(HOME, request.origin, number, &tool.extra, &mut written, losses);
        tools.push(Value::Object(written));
    }
    if !tools.is_empty() {
        body.insert("tools".into(), Value::Array(tools));
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    value
}

pub(super) fn read_choice(top: &mut Object<'_>) -> Result<Option<ToolChoice>, BadField> {
    let name = if top.peek("tool_choice").is_some() { "tool_choice" } else { "function_call" };
    let path = top.path;
    let at = Path::Member(&path, name);
    let expected = "auto, none, required or an object that names a tool";
    match top.take(name) {
        None => Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            // `any` is Mistral's word.
            "required" | "any" => Ok(Some(ToolChoice::Required)),
            other => Err(at.bad(expected, format!("{other:?}"))),
        },
        Some(Value::Object(members)) => {
            let mut choice = Object::of(Value::Object(members), at)?;
            let found = match choice.peek_str("type") {
                Some("allowed_tools") => Some(allowed(&mut choice)?),
                Some(kind @ ("function" | "custom")) => {
                    let kind = kind.to_owned();
                    Some(ToolChoice::Named(named(&mut choice, &kind)?))
                }
                None => Some(ToolChoice::Named(choice.need_string("name")?)),
                Some(_) => None,
            };
            if found.is_none() {
                top.put(name, choice.into_value());
            }
            Ok(found)
        }
        Some(other) => Err(at.wrong(expected, &other)),
    }
}

fn named(choice: &mut Object<'_>, kind: &str) -> Result<String, BadField> {
    let path = choice.path;
    let at = Path::Member(&path, kind);
    Object::of(choice.take(kind).ok_or_else(|| at.missing("an object"))?, at)?.need_string("name")
}

fn allowed(choice: &mut Object<'_>) -> Result<ToolChoice, BadField> {
    let path = choice.path;
    let at = Path::Member(&path, "allowed_tools");
    let mut inner = Object::of(choice.take("allowed_tools").ok_or_else(|| at.missing("an object"))?, at)?;
    let list = Path::Member(&at, "tools");
    let required = inner.need_string("mode")? == "required";
    let mut names = Vec::new();
    for (number, tool) in inner.need_array("tools")?.into_iter().enumerate() {
        let mut tool = Object::of(tool, Path::Item(&list, number))?;
        let kind = tool.peek_str("type").unwrap_or("function").to_owned();
        names.push(named(&mut tool, &kind)?);
    }
    Ok(ToolChoice::Allowed { names, required })
}

pub(super) fn write_choice(choice: &ToolChoice, tools: &[Tool]) -> Value {
    let of = |name: &str| {
        let custom = |tool: &Tool| matches!(&tool.kind, ToolKind::Custom { name: known, .. } if known == name);
        let kind = if tools.iter().any(custom) { "custom" } else { "function" };
        json!({"type": kind, kind: {"name": name}})
    };
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Named(name) => of(name),
        ToolChoice::Allowed { names, required } => {
            let tools: Vec<_> = names.iter().map(|name| of(name)).collect();
            let mode = if *required { "required" } else { "auto" };
            json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
        }
    }
}

/// Whose calls are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ids<'a> {
    /// A caller's, who must say which result is whose. The older form has no ids: they are made from the message's number.
    Needed(usize),
    /// A provider's. Some give no ids: they are made from the answer's.
    MadeOf(&'a str),
}

/// The calls of a message.
pub(super) fn read_calls(message: &mut Object<'_>, ids: Ids<'_>) -> Result<Vec<Block>, BadField> {
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
pub(super) fn made_id(mark: &str, number: usize) -> String {
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
pub(super) fn read_seal(extra: Value) -> Option<Seal> {
    let google = extra.get("google").and_then(Value::as_object);
    let alone = google.is_some_and(|google| google.len() == 1) && extra.as_object().is_some_and(|all| all.len() == 1);
    match google.and_then(|google| google.get("thought_signature")?.as_str()) {
        Some(signature) if alone => Some(Seal::unpack(HOME, signature.to_owned())),
        _ => Some(Seal::new(HOME, extra.to_string())),
    }
}

pub(super) fn write_seal(seal: &Seal) -> Value {
    if seal.origin == HOME
        && seal.data.starts_with('{')
        && let Ok(extra) = serde_json::from_str(&seal.data)
    {
        return extra;
    }
    json!({"google": {"thought_signature": seal.pack(HOME)}})
}

/// A call without its seal and extras.
pub(super) fn write_call(id: &str, name: &str, arguments: &str, kind: CallKind) -> Map<String, Value> {
    let (kind, inner) = match kind {
        CallKind::Function => ("function", json!({"name": name, "arguments": arguments})),
        CallKind::Custom => ("custom", json!({"name": name, "input": arguments})),
    };
    Map::from_iter([("id".to_owned(), id.into()), ("type".to_owned(), kind.into()), (kind.to_owned(), inner)])
}
