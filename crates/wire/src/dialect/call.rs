//! Tool calls where arguments are a JSON object and names are restricted: Anthropic's and Bedrock's.
//!
//! Enters: ids, names, arguments and schemas of any dialect. Leaves: what these two take. Never: the same id for two calls.

use serde_json::{Value, json};

use crate::chat::{CallKind, Content, Request};

pub(crate) const NO_OBJECT: &str = "arguments that are no JSON object are told as a member of one";
pub(crate) const NO_NAME: &str = "the target does not allow the tool's name";
pub(crate) const FREE_TEXT: &str = "a tool that takes free text takes it as a member of an object";

/// As long as Anthropic's names of tools may be.
pub(crate) const NAME_BYTES_MAX: usize = 128;

/// What is allowed as the name of a tool or a format: not everybody allows as long a one.
pub(crate) fn is_name(name: &str, bytes_max: usize) -> bool {
    let fits = (1..=bytes_max).contains(&name.len());
    fits && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Ids of calls are letters, digits, `_` and `-`. Other letters are spelled out, always in the same way, so that call and result still meet.
pub(crate) fn handle(id: &str) -> String {
    let mut handle = String::with_capacity(id.len());
    for letter in id.chars() {
        match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => handle.push(letter),
            other => handle.push_str(&format!("-{:x}-", u32::from(other))),
        }
    }
    handle
}

/// The arguments of a call, as the object they must be.
pub(crate) fn input(arguments: &str, kind: CallKind) -> Option<Value> {
    if kind == CallKind::Custom {
        return None;
    }
    if arguments.trim().is_empty() {
        return Some(json!({}));
    }
    serde_json::from_str(arguments).ok().filter(Value::is_object)
}

/// Where free text goes: the member that [`free_text_schema`] has.
pub(crate) fn as_member(text: &str) -> Value {
    json!({ "input": text })
}

/// A piece of free text, as it stands inside that member's quotes.
pub(crate) fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

pub(crate) fn free_text_schema() -> Value {
    json!({ "type": "object", "properties": { "input": { "type": "string" } }, "required": ["input"] })
}

/// Input is always an object, and the schema must say so.
pub(crate) fn schema(schema: Option<&Value>) -> Value {
    match schema {
        Some(Value::Object(members)) => {
            let mut members = members.clone();
            members.entry("type").or_insert_with(|| "object".into());
            members.into()
        }
        _ => json!({ "type": "object", "properties": {} }),
    }
}

pub(crate) const NAMED: &str = "the tools that the conversation has used are named";

/// Who tells of calls must have tools. Other dialects let them go once they were used: here are their names again.
pub(crate) fn used(request: &Request) -> Vec<&str> {
    let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
    let mut names: Vec<&str> = Vec::new();
    for block in blocks {
        if let Content::ToolUse { name, .. } = &block.content
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    names
}

/// An object of nothing is how a tool is told whose input has no schema.
pub(crate) fn stated(schema: Value) -> Option<Value> {
    (schema != self::schema(None)).then_some(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_apart() {
        assert_eq!(handle("call_1-A"), "call_1-A");
        assert_eq!(handle("functions.f:0"), "functions-2e-f-3a-0");
        assert_ne!(handle("a.b"), handle("a:b"));
    }

    #[test]
    fn arguments_are_objects_or_members_of_one() {
        assert_eq!(input("", CallKind::Function), Some(json!({})));
        assert_eq!(input(r#"{"a":1}"#, CallKind::Function), Some(json!({ "a": 1 })));
        for (text, kind) in [("[1]", CallKind::Function), (r#"{"a":"#, CallKind::Function), ("{}", CallKind::Custom)] {
            assert_eq!(input(text, kind), None, "{text}");
        }
    }
}
