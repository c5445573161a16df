//! Tools, and which of them must be used.
//!
//! Enters: `tools` and `tool_choice`, or the form's. Leaves: the other of the two. Never: a hosted tool under a name that another provider might
//! take for its own.

use serde_json::{Map, Value, json};

use super::{HOME, parts::object};
use crate::chat::{BadField, Losses, Place, Request, Tool, ToolChoice, ToolKind};
use crate::dialect::{
    carry,
    object::{Object, Path},
};

pub(super) fn read(top: &mut Object<'_>) -> Result<Vec<Tool>, BadField> {
    let list = Path::Member(&Path::Root, "tools");
    let tools = top.array("tools")?.unwrap_or_default();
    tools.into_iter().enumerate().map(|(at, tool)| read_tool(Object::of(tool, Path::Item(&list, at))?)).collect()
}

fn read_tool(mut tool: Object<'_>) -> Result<Tool, BadField> {
    let kind = match tool.peek_str("type") {
        Some("function") => function(&mut tool)?,
        Some("custom") => ToolKind::Custom {
            name: name(&mut tool)?,
            description: tool.string("description")?,
            format: tool.object("format")?.map(Value::Object),
        },
        Some(hosted) => {
            let name = hosted.to_owned();
            let kind = ToolKind::Hosted { origin: HOME, name, value: tool.into_value() };
            return Ok(Tool { kind, cache: None, extra: Map::new() });
        }
        None => return Err(Path::Member(&tool.path, "type").missing("a tool's type")),
    };
    tool.take("type");
    Ok(Tool { kind, cache: None, extra: tool.rest() })
}

fn function(tool: &mut Object<'_>) -> Result<ToolKind, BadField> {
    Ok(ToolKind::Function {
        name: name(tool)?,
        description: tool.string("description")?,
        schema: tool.object("parameters")?.map(Value::Object),
        strict: tool.bool("strict")?,
    })
}

fn name(tool: &mut Object<'_>) -> Result<String, BadField> {
    let name = tool.need_string("name")?;
    if name.is_empty() {
        return Err(Path::Member(&tool.path, "name").bad("a name", "an empty one"));
    }
    Ok(name)
}

pub(super) fn write(request: &Request, losses: &mut Losses) -> Vec<Value> {
    let written = request.tools.iter().enumerate().filter_map(|(at, tool)| write_tool(request, at, tool, losses));
    written.collect()
}

fn write_tool(request: &Request, at: usize, tool: &Tool, losses: &mut Losses) -> Option<Value> {
    let place = Place::Tool(at as u32);
    let mut members = match &tool.kind {
        ToolKind::Function { name, description, schema, strict } => {
            let mut members = json!({"type": "function", "name": name, "parameters": schema});
            describe(&mut members, description.as_deref());
            // Here tools are strict unless one says otherwise, elsewhere it is the other way round.
            if let Some(strict) = strict.or((request.origin != HOME).then_some(false)) {
                members["strict"] = strict.into();
            }
            object(members)?
        }
        ToolKind::Custom { name, description, format } => {
            let mut members = json!({"type": "custom", "name": name});
            describe(&mut members, description.as_deref());
            if let Some(format) = format {
                members["format"] = flat(format);
            }
            object(members)?
        }
        ToolKind::Hosted { origin: HOME, value, .. } => return Some(value.clone()),
        ToolKind::Hosted { .. } => {
            losses.dropped(place, carry::NOT_ITS_OWN);
            return None;
        }
    };
    if tool.cache.is_some() {
        losses.dropped(place, "the provider decides itself what its prompt cache keeps");
    }
    carry::tool(HOME, request.origin, at, &tool.extra, &mut members, losses);
    Some(Value::Object(members))
}

fn describe(tool: &mut Value, description: Option<&str>) {
    if let Some(description) = description {
        tool["description"] = description.into();
    }
}

/// The same grammar that chat completions wrap once more: `{"type":"grammar","grammar":{"syntax":..,"definition":..}}`.
fn flat(format: &Value) -> Value {
    match (format.as_object(), format.get("grammar").and_then(Value::as_object)) {
        (Some(outer), Some(inner)) => {
            let mut flat = outer.clone();
            flat.remove("grammar");
            flat.extend(inner.clone());
            Value::Object(flat)
        }
        _ => format.clone(),
    }
}

/// Hosted tools cannot be chosen in the form: such a choice stays where it is.
pub(super) fn read_choice(top: &mut Object<'_>) -> Result<Option<ToolChoice>, BadField> {
    let path = Path::Member(&Path::Root, "tool_choice");
    let choice = match top.peek("tool_choice") {
        None => return Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => Some(ToolChoice::Auto),
            "none" => Some(ToolChoice::None),
            "required" => Some(ToolChoice::Required),
            other => return Err(path.bad("auto, none, required or an object", format!("{other:?}"))),
        },
        Some(Value::Object(members)) => match members.get("type").and_then(Value::as_str) {
            Some("function" | "custom") => {
                let name = members.get("name").and_then(Value::as_str);
                Some(ToolChoice::Named(name.ok_or_else(|| Path::Member(&path, "name").missing("a string"))?.into()))
            }
            Some("allowed_tools") => allowed(members, &path)?,
            Some(_) => None,
            None => return Err(Path::Member(&path, "type").missing("a string")),
        },
        Some(other) => return Err(path.wrong("a string or an object", other)),
    };
    if choice.is_some() {
        top.take("tool_choice");
    }
    Ok(choice)
}

fn allowed(members: &Map<String, Value>, path: &Path<'_>) -> Result<Option<ToolChoice>, BadField> {
    let tools = members.get("tools").and_then(Value::as_array);
    let tools = tools.ok_or_else(|| Path::Member(path, "tools").missing("an array"))?;
    let required = members.get("mode").and_then(Value::as_str) == Some("required");
    let named = |tool: &Value| {
        let is_callers = matches!(tool["type"].as_str(), Some("function" | "custom"));
        is_callers.then(|| tool["name"].as_str().map(str::to_owned)).flatten()
    };
    let names: Option<Vec<_>> = tools.iter().map(named).collect();
    Ok(names.map(|names| ToolChoice::Allowed { names, required }))
}

pub(super) fn write_choice(choice: &ToolChoice, tools: &[Tool]) -> Value {
    let named = |wanted: &str| {
        let is_custom = |tool: &Tool| matches!(&tool.kind, ToolKind::Custom { name, .. } if name == wanted);
        let kind = if tools.iter().any(is_custom) { "custom" } else { "function" };
        json!({"type": kind, "name": wanted})
    };
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Named(name) => named(name),
        ToolChoice::Allowed { names, required } => {
            let tools: Vec<_> = names.iter().map(|name| named(name)).collect();
            json!({"type": "allowed_tools", "mode": if *required { "required" } else { "auto" }, "tools": tools})
        }
    }
}
