//! Tools, the choice among them, and calls: read and written.
//!
//! Enters: their JSON, or the form. Leaves: the other. Never: tells the older `functions` from tools: they are read as what replaced them.

mod call;
mod choice;

use serde_json::{Map, Value, json};

use super::{HOME, part};
use crate::chat::{BadField, Extra, Losses, Place, Request, Tool, ToolKind};
use crate::dialect::carry::{self, NOT_ITS_OWN};
use crate::dialect::object::{Object, Path};

pub(super) use call::{Ids, made_id, read_calls, read_seal, write_call, write_seal};
pub(super) use choice::{read_choice, write_choice};

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
