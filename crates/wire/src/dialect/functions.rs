//! Tools as `{"type": "function", "function": {"name", "description", "parameters"}}`, and schemas that have no place for a name: what Cohere, Ollama and
//! Workers AI took from OpenAI in the same words.
//!
//! Enters: such a list, or the form's tools. Leaves: the other of the two. Never: a tool that is left out without its entry in the ledger.

use serde_json::{Map, Value, json};

use super::Dialect;
use super::carry::{self, NO_PLACE, NOT_ITS_OWN};
use super::object::{Object, Path};
use crate::chat::{BadField, Field, Losses, Place, Request, Tool, ToolKind};

/// `strict`: what the request says of all its tools.
pub(crate) fn read(top: &mut Object<'_>, home: Dialect, strict: Option<bool>) -> Result<Vec<Tool>, BadField> {
    let list = top.array("tools")?.unwrap_or_default();
    let outer = top.path;
    let path = Path::Member(&outer, "tools");
    list.into_iter().enumerate().map(|(at, value)| tool(value, Path::Item(&path, at), home, strict)).collect()
}

fn tool(value: Value, path: Path<'_>, home: Dialect, strict: Option<bool>) -> Result<Tool, BadField> {
    let mut tool = Object::of(value, path)?;
    if let Some(kind) = tool.peek_str("type").filter(|kind| *kind != "function") {
        let kind = ToolKind::Hosted { origin: home, name: kind.to_owned(), value: tool.into_value() };
        return Ok(Tool { kind, cache: None, extra: Map::new() });
    }
    tool.take("type");
    let inner = tool.take("function").unwrap_or_default();
    let mut function = Object::of(inner, Path::Member(&path, "function"))?;
    let kind = ToolKind::Function {
        name: function.need_string("name")?,
        description: function.string("description")?,
        schema: function.object("parameters")?.map(Value::Object),
        strict,
    };
    let mut extra = tool.rest();
    extra.extend(function.rest());
    Ok(Tool { kind, cache: None, extra })
}

/// `strict_told`: the request itself says so for all of them.
pub(crate) fn write(home: Dialect, request: &Request, strict_told: bool, losses: &mut Losses) -> Vec<Value> {
    let mut list = Vec::new();
    for (number, tool) in request.tools.iter().enumerate() {
        let place = Place::Tool(number as u32);
        if tool.cache.is_some() {
            losses.dropped(place.clone(), "mark of the prompt cache: the target has none");
        }
        match &tool.kind {
            ToolKind::Function { name, description, schema, strict } => {
                if *strict == Some(true) && !strict_told {
                    losses.dropped(place, format!("strict: {NO_PLACE}"));
                }
                let mut function = Map::new();
                function.insert("name".into(), name.as_str().into());
                function.extend(description.as_ref().map(|text| ("description".to_owned(), text.as_str().into())));
                function.extend(schema.as_ref().map(|schema| ("parameters".to_owned(), schema.clone())));
                carry::tool(home, request.origin, number, &tool.extra, &mut function, losses);
                list.push(json!({"type": "function", "function": function}));
            }
            ToolKind::Hosted { origin, value, .. } if *origin == home => list.push(value.clone()),
            ToolKind::Hosted { .. } => losses.dropped(place, NOT_ITS_OWN),
            ToolKind::Custom { .. } => losses.dropped(place, "the target's tools take JSON, not free text"),
        }
    }
    list
}

/// A schema that nobody named.
const UNNAMED: &str = "response";

/// The name that [`titled`] gave it.
pub(crate) fn take_title(schema: &mut Value) -> String {
    let fits = |name: &str| {
        (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    match schema.get("title").and_then(Value::as_str).filter(|title| fits(title)).map(str::to_owned) {
        Some(title) => {
            schema.as_object_mut().and_then(|members| members.shift_remove("title"));
            title
        }
        None => UNNAMED.to_owned(),
    }
}

/// The name as the title, and the description, where the schema has neither.
pub(crate) fn titled(schema: &Value, name: &str, description: Option<&str>, losses: &mut Losses) -> Value {
    let mut schema = schema.clone();
    let Value::Object(members) = &mut schema else { return schema };
    let mut place = |member: &'static str, value: &str, lost: &'static str| {
        match members.get(member).and_then(Value::as_str) {
            None => drop(members.insert(member.into(), value.into())),
            Some(held) if held == value => {}
            Some(_) => losses.dropped(Place::Setting(Field::Format), lost),
        };
    };
    place("title", name, "name: the schema has a title of its own");
    if let Some(description) = description {
        place("description", description, "description: the schema has one of its own");
        losses.approximated(Place::Setting(Field::Format), "description: it stands in the schema");
    }
    schema
}
