//! OpenAI's responses.
//!
//! Enters: `POST /v1/responses`. Leaves: one `response`, or its events in their order, each with its `sequence_number`.
//! Never: remembers a response: `previous_response_id` is repeated and otherwise ignored.

mod events;

use serde_json::{Value, json};

use super::chat::tool_choice;
use super::read::{self, needs_model, text_of};
use crate::ask::{Ask, Form, Last};
use crate::script::{Order, Spoken, Wrong};
use crate::speech::{Finish, Speech, Tally, tokens};

pub(super) fn answer(order: &Order) -> Result<Spoken, Wrong> {
    let ask = read(order)?;
    let (speeches, tally) = read::speeches(order, &ask)?;
    let speech = speeches.into_iter().next().ok_or_else(|| Wrong::new("nothing to say"))?;
    let items = output(order, &speech);
    let whole = ended(order, &speech, &items, tally);
    if ask.stream {
        return Ok(events::stream(response(order), whole, items, order.dials.chunks));
    }
    Ok(Spoken::json(&whole, tally.output))
}

fn read(order: &Order) -> Result<Ask, Wrong> {
    let body = order.body;
    needs_model(order)?;
    let nothing = Vec::new();
    let items = match &body["input"] {
        Value::Null => return Err(Wrong::missing("input")),
        Value::Array(items) => items,
        _ => &nothing,
    };
    let texts = items.iter().map(item_text).chain([text_of(&body["instructions"])]);
    let said = text_of(&body["input"]);
    let user = items.iter().rev().find(|item| item["role"] == "user").map_or(said.clone(), item_text);
    Ok(Ask {
        input_tokens: if items.is_empty() { tokens(&said) } else { 0 } + texts.map(|text| tokens(&text)).sum::<u64>(),
        last: match items.last().filter(|item| item["type"] == "function_call_output") {
            Some(item) => Last::ToolGave(item_text(item)),
            None => Last::Said(user),
        },
        tools: read::tools(body["tools"].as_array().into_iter().flatten(), &["parameters"]),
        choice: tool_choice(&body["tool_choice"]),
        form: match body["text"]["format"]["type"].as_str() {
            Some("json_schema") => Form::Schema(body["text"]["format"]["schema"].clone()),
            Some("json_object") => Form::Json,
            _ => Form::Prose,
        },
        tokens_max: body["max_output_tokens"].as_u64(),
        stream: body["stream"] == true,
        ..Ask::default()
    })
}

fn item_text(item: &Value) -> String {
    text_of(item.get("output").unwrap_or(&item["content"]))
}

/// The output items as they are in the end: a message, or the calls.
fn output(order: &Order, speech: &Speech) -> Vec<Value> {
    let status = if speech.finish == Finish::Length { "incomplete" } else { "completed" };
    if speech.calls.is_empty() {
        let content = json!([{"type": "output_text", "annotations": [], "logprobs": [], "text": speech.text}]);
        let id = order.id("msg_", 0, 48);
        return vec![json!({"id": id, "type": "message", "status": status, "content": content, "role": "assistant"})];
    }
    let item = |(at, call): (u64, &crate::speech::Call)| {
        json!({
            "id": order.id("fc_", at, 48),
            "type": "function_call",
            "status": status,
            "arguments": call.arguments.to_string(),
            "call_id": order.id("call_", at, 24),
            "name": call.name,
        })
    };
    (0..).zip(&speech.calls).map(item).collect()
}

/// The response as it is in the beginning: everything that was asked, and no output yet.
fn response(order: &Order) -> Value {
    let body = order.body;
    let or =
        |member: &str, default: Value| body.get(member).filter(|value| !value.is_null()).cloned().unwrap_or(default);
    json!({
        "id": order.id("resp_", 0, 48),
        "object": "response",
        "created_at": order.dials.created,
        "status": "in_progress",
        "background": false,
        "error": null,
        "incomplete_details": null,
        "instructions": body["instructions"],
        "max_output_tokens": body["max_output_tokens"],
        "max_tool_calls": body["max_tool_calls"],
        "model": order.model,
        "output": [],
        "parallel_tool_calls": or("parallel_tool_calls", json!(true)),
        "previous_response_id": body["previous_response_id"],
        "prompt_cache_key": body["prompt_cache_key"],
        "reasoning": or("reasoning", json!({"effort": null, "summary": null})),
        "safety_identifier": body["safety_identifier"],
        "service_tier": "default",
        "store": or("store", json!(true)),
        "temperature": or("temperature", json!(1.0)),
        "text": or("text", json!({"format": {"type": "text"}, "verbosity": "medium"})),
        "tool_choice": or("tool_choice", json!("auto")),
        "tools": or("tools", json!([])),
        "top_logprobs": 0,
        "top_p": or("top_p", json!(1.0)),
        "truncation": or("truncation", json!("disabled")),
        "usage": null,
        "user": body["user"],
        "metadata": or("metadata", json!({})),
    })
}

fn ended(order: &Order, speech: &Speech, items: &[Value], tally: Tally) -> Value {
    let mut response = response(order);
    response["status"] = "completed".into();
    if speech.finish == Finish::Length {
        response["status"] = "incomplete".into();
        response["incomplete_details"] = json!({"reason": "max_output_tokens"});
    }
    response["output"] = items.into();
    if order.dials.usage {
        response["usage"] = json!({
            "input_tokens": tally.input,
            "input_tokens_details": {"cached_tokens": tally.cached},
            "output_tokens": tally.output,
            "output_tokens_details": {"reasoning_tokens": tally.reasoning},
            "total_tokens": tally.input + tally.output,
        });
    }
    response
}
