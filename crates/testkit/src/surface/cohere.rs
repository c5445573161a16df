//! Cohere's chat, version 2 (<https://docs.cohere.com/reference/chat>).
//!
//! Enters: `POST /v2/chat`. Leaves: one message, or its events. Never: wraps tool results in anything but strings.

use serde_json::{Value, json};

use super::read::{self, list, needs_model, strings, text_of};
use crate::ask::{Ask, Choice, Form, Last};
use crate::script::{Event, Order, Spoken, Wrong};
use crate::speech::{Call, Finish, Speech, Tally, pieces, tokens};

pub(super) fn answer(order: &Order) -> Result<Spoken, Wrong> {
    let ask = read(order)?;
    let (speeches, tally) = read::speeches(order, &ask)?;
    let speech = speeches.into_iter().next().ok_or_else(|| Wrong::new("nothing to say"))?;
    if ask.stream {
        return Ok(stream(order, speech, tally));
    }
    let mut message = json!({"role": "assistant"});
    match speech.calls.is_empty() {
        true => message["content"] = json!([{"type": "text", "text": speech.text}]),
        false => message["tool_calls"] = calls(order, &speech.calls).into(),
    }
    let mut body = json!({"id": order.id("", 0, 32), "message": message, "finish_reason": finish(&speech.finish)});
    if order.dials.usage {
        body["usage"] = usage(tally);
    }
    Ok(Spoken::json(&body, tally.output))
}

fn read(order: &Order) -> Result<Ask, Wrong> {
    let body = order.body;
    needs_model(order)?;
    let messages = list(body, "messages")?;
    let last = messages.last().unwrap_or(&Value::Null);
    let format = &body["response_format"];
    Ok(Ask {
        input_tokens: messages.iter().map(|message| tokens(&text_of(&message["content"]))).sum(),
        last: match last["role"].as_str() {
            Some("tool") => Last::ToolGave(text_of(&last["content"])),
            Some(_) => Last::Said(text_of(&last["content"])),
            None => return Err(Wrong { member: Some("messages"), ..Wrong::new("a message has no role") }),
        },
        tools: read::tools(
            body["tools"].as_array().into_iter().flatten().map(|tool| &tool["function"]),
            &["parameters"],
        ),
        choice: match body["tool_choice"].as_str() {
            Some("REQUIRED") => Choice::Always,
            Some("NONE") => Choice::Never,
            _ => Choice::Auto,
        },
        form: match (format["type"].as_str(), &format["json_schema"]) {
            (Some("json_object"), schema @ Value::Object(_)) => Form::Schema(schema.clone()),
            (Some("json_object"), _) => Form::Json,
            _ => Form::Prose,
        },
        stops: strings(&body["stop_sequences"]),
        tokens_max: body["max_tokens"].as_u64(),
        stream: body["stream"] == true,
        ..Ask::default()
    })
}

fn calls(order: &Order, calls: &[Call]) -> Vec<Value> {
    (0..).zip(calls).map(|(at, call)| call_of(order, at, call, call.arguments.to_string())).collect()
}

fn call_of(order: &Order, at: u64, call: &Call, arguments: String) -> Value {
    let id = order.id(&format!("{}_", call.name), at, 12);
    json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

fn finish(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop => "COMPLETE",
        Finish::Sequence(_) => "STOP_SEQUENCE",
        Finish::Length => "MAX_TOKENS",
        Finish::Calls => "TOOL_CALL",
    }
}

fn usage(tally: Tally) -> Value {
    let counts = json!({"input_tokens": tally.input, "output_tokens": tally.output});
    json!({"billed_units": counts, "tokens": counts})
}

fn stream(order: &Order, speech: Speech, tally: Tally) -> Spoken {
    let start =
        json!({"id": order.id("", 0, 32), "type": "message-start", "delta": {"message": {"role": "assistant"}}});
    let mut delta = json!({"finish_reason": finish(&speech.finish)});
    if order.dials.usage {
        delta["usage"] = usage(tally);
    }
    let end = event(json!({"type": "message-end", "delta": delta}), 0);
    let said = match speech.calls.is_empty() {
        true => text(&speech.text, order.dials.chunks),
        false => (0..).zip(&speech.calls).flat_map(|(at, call)| call_events(order, at, call)).collect(),
    };
    Spoken::events([event(start, 0)].into_iter().chain(said).chain([end]))
}

fn text(text: &str, chunks: Option<u32>) -> Vec<Event> {
    let of_content =
        |kind: &str, content: Value| json!({"type": kind, "index": 0, "delta": {"message": {"content": content}}});
    let start = event(of_content("content-start", json!({"type": "text", "text": ""})), 0);
    let deltas = pieces(text, chunks).into_iter().map(|cut| {
        let piece = &text[cut];
        event(of_content("content-delta", json!({"text": piece})), tokens(piece).max(1))
    });
    let end = event(json!({"type": "content-end", "index": 0}), 0);
    [start].into_iter().chain(deltas).chain([end]).collect()
}

fn call_events(order: &Order, at: u64, call: &Call) -> Vec<Event> {
    let of_call =
        |kind: &str, calls: Value| json!({"type": kind, "index": at, "delta": {"message": {"tool_calls": calls}}});
    let arguments = call.arguments.to_string();
    let start = event(of_call("tool-call-start", call_of(order, at, call, String::new())), 1);
    let deltas = pieces(&arguments, None)
        .into_iter()
        .map(|cut| event(of_call("tool-call-delta", json!({"function": {"arguments": &arguments[cut]}})), 1));
    let end = event(json!({"type": "tool-call-end", "index": at}), 0);
    [start].into_iter().chain(deltas).chain([end]).collect()
}

fn event(value: Value, tokens: u64) -> Event {
    Event::named(value["type"].as_str().unwrap_or_default(), &value, tokens)
}
