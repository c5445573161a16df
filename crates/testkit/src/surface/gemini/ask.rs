//! Reads what a Gemini request asks.
//!
//! Enters: the body of `generateContent`. Leaves: an `Ask`. Never: cares whether a member is in camelCase or snake_case.

use serde_json::Value;

use super::input_tokens;
use crate::ask::{Ask, Choice, Form, Last};
use crate::script::Wrong;
use crate::surface::read::{self, list, strings, text_of};

const NOTHING: &Value = &Value::Null;

pub(super) fn read(body: &Value) -> Result<Ask, Wrong> {
    let contents = list(body, "contents")?;
    let config = member(body, "generationConfig");
    let declared = body["tools"].as_array().into_iter().flatten();
    let declared = declared.filter_map(|tool| member(tool, "functionDeclarations").as_array()).flatten();
    let schema_names = ["parametersJsonSchema", "parameters_json_schema", "parameters"];
    Ok(Ask {
        input_tokens: input_tokens(body, contents),
        last: contents.last().map_or_else(Last::default, last),
        tools: read::tools(declared, &schema_names),
        choice: choice(member(member(body, "toolConfig"), "functionCallingConfig")),
        form: form(config),
        stops: strings(member(config, "stopSequences")),
        tokens_max: member(config, "maxOutputTokens").as_u64(),
        answers: member(config, "candidateCount").as_u64().unwrap_or(1),
        stream: false,
    })
}

/// A member by its name in camelCase, or by the same in snake_case.
pub(super) fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    let snake = || name.chars().flat_map(|c| c.is_ascii_uppercase().then_some('_').into_iter().chain(c.to_lowercase()));
    value.get(name).or_else(|| value.get(snake().collect::<String>())).unwrap_or(NOTHING)
}

fn last(content: &Value) -> Last {
    let parts = member(content, "parts");
    let results = parts.as_array().into_iter().flatten().map(|part| member(part, "functionResponse"));
    let gave: Vec<String> =
        results.filter(|result| !result.is_null()).map(|result| gave(&result["response"])).collect();
    if gave.is_empty() { Last::Said(text_of(parts)) } else { Last::ToolGave(gave.join(" ")) }
}

/// SDKs wrap what is not an object in `result` or `output`.
fn gave(response: &Value) -> String {
    let inner = response.get("result").or_else(|| response.get("output")).unwrap_or(response);
    inner.as_str().map_or_else(|| inner.to_string(), str::to_owned)
}

fn choice(config: &Value) -> Choice {
    let names = strings(member(config, "allowedFunctionNames"));
    match (config["mode"].as_str(), names.into_iter().next()) {
        (Some("ANY"), Some(name)) => Choice::Named(name),
        (Some("ANY"), None) => Choice::Always,
        (Some("NONE"), _) => Choice::Never,
        _ => Choice::Auto,
    }
}

fn form(config: &Value) -> Form {
    let schema = [member(config, "responseJsonSchema"), member(config, "responseSchema")];
    match schema.into_iter().find(|schema| !schema.is_null()) {
        Some(schema) => Form::Schema(schema.clone()),
        None if member(config, "responseMimeType") == "application/json" => Form::Json,
        None => Form::Prose,
    }
}
