//! Tools and how they are to be used.
//!
//! Enters: a request's members. Leaves: tools and choices of the form. Never: knows what a hosted tool does.

use serde_json::Value;

use super::super::messages::HOME;
use super::block;
use crate::chat::{BadField, Extra, Tool, ToolChoice, ToolKind};
use crate::dialect::call;
use crate::dialect::object::{Object, Path};

pub(super) fn tools(top: &mut Object<'_>) -> Result<Vec<Tool>, BadField> {
    let list = Path::Member(&Path::Root, "tools");
    let items = top.array("tools")?.unwrap_or_default().into_iter().enumerate();
    items.map(|(at, item)| tool(item, Path::Item(&list, at))).collect()
}

fn tool(value: Value, path: Path<'_>) -> Result<Tool, BadField> {
    let mut object = Object::of(value, path)?;
    let kind = object.string("type")?;
    if let Some(kind) = kind.filter(|kind| kind != "custom") {
        let name = object.peek_str("name").unwrap_or(&kind).to_owned();
        object.put("type", Value::String(kind));
        let kind = ToolKind::Hosted { origin: HOME, name, value: object.into_value() };
        return Ok(Tool { kind, cache: None, extra: Extra::new() });
    }
    let name = object.need_string("name")?;
    let description = object.string("description")?;
    let schema = object.object("input_schema")?;
    let schema = schema.ok_or_else(|| Path::Member(&path, "input_schema").missing("an object"))?;
    let strict = object.bool("strict")?;
    let cache = block::cache(&mut object);
    let kind = ToolKind::Function { name, description, schema: call::stated(Value::Object(schema)), strict };
    Ok(Tool { kind, cache, extra: object.rest() })
}

/// The choice, and whether several at once are allowed.
pub(super) fn choice(top: &mut Object<'_>) -> Result<(Option<ToolChoice>, Option<bool>), BadField> {
    let Some(members) = top.object("tool_choice")? else { return Ok((None, None)) };
    let path = Path::Member(&Path::Root, "tool_choice");
    let mut object = Object::of(Value::Object(members), path)?;
    let kind = object.need_string("type")?;
    let choice = match kind.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(object.need_string("name")?),
        _ => return Err(Path::Member(&path, "type").bad("auto, any, tool or none", format!("{kind:?}"))),
    };
    let parallel = object.bool("disable_parallel_tool_use")?.map(|disabled| !disabled);
    Ok((Some(choice), parallel))
}
