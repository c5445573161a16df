//! Reads the members that several APIs share.
//!
//! Enters: parts of a request. Leaves: texts, numbers, speeches. Never: refuses what a provider would let pass.

use serde_json::Value;

use crate::ask::{Ask, Tool};
use crate::script::{Order, Wrong};
use crate::speech::{ANSWERS_MAX, Speech, Tally, speak, tally};

/// All answers to one request together stay below this many tokens.
const TOKENS_MAX: u64 = 1_000_000;

/// All text of a content: a string, or parts with `text`, or parts that hold content again (tool results).
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(text_of).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" "),
        Value::Object(part) => part.get("text").or_else(|| part.get("content")).map_or_else(String::new, text_of),
        _ => String::new(),
    }
}

/// A string, or a list of strings.
pub(super) fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A list with at least one element.
pub(super) fn list<'a>(body: &'a Value, member: &'static str) -> Result<&'a [Value], Wrong> {
    match &body[member] {
        Value::Null => Err(Wrong::missing(member)),
        Value::Array(items) if !items.is_empty() => Ok(items),
        _ => Err(Wrong { said: format!("'{member}' must be a list that is not empty"), ..Wrong::missing(member) }),
    }
}

/// The members of tools that stand behind `name` and one of the schema's names.
pub(super) fn tools<'a>(tools: impl Iterator<Item = &'a Value>, schema_names: &[&str]) -> Vec<Tool> {
    tools
        .filter_map(|tool| {
            let name = tool["name"].as_str()?.to_owned();
            let schema = schema_names.iter().find_map(|name| tool.get(*name));
            Some(Tool { name, schema: schema.cloned().unwrap_or_else(|| serde_json::json!({"type": "object"})) })
        })
        .collect()
}

pub(super) fn needs_model(order: &Order) -> Result<(), Wrong> {
    if order.model.is_empty() { Err(Wrong::missing("model")) } else { Ok(()) }
}

/// What is said, and what it costs.
pub(super) fn speeches(order: &Order, ask: &Ask) -> Result<(Vec<Speech>, Tally), Wrong> {
    if ask.answers > ANSWERS_MAX {
        return Err(Wrong { member: Some("n"), ..Wrong::new("the sandbox gives at most 128 answers") });
    }
    let each = order.dials.tokens.max(order.dials.chunks).map_or(0, u64::from);
    if each * ask.answers.max(1) > TOKENS_MAX {
        return Err(Wrong::new("the sandbox says at most 1,000,000 tokens in all answers to one request"));
    }
    let speeches = speak(ask, order.dials);
    let tally = tally(ask, order.dials, &speeches);
    Ok((speeches, tally))
}
