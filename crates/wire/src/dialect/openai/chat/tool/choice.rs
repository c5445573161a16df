//! Which tools the model may or must use.
//!
//! Enters: `tool_choice`, or the form. Leaves: the other. Never: refuses an object it does not know: it stays an extra.

use serde_json::{Value, json};

use crate::chat::{BadField, Tool, ToolChoice, ToolKind};
use crate::dialect::object::{Object, Path};

pub(in super::super) fn read_choice(top: &mut Object<'_>) -> Result<Option<ToolChoice>, BadField> {
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

pub(in super::super) fn write_choice(choice: &ToolChoice, tools: &[Tool]) -> Value {
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
