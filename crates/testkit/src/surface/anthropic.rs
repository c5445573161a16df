//! Anthropic's messages.
//!
//! Enters: `POST /v1/messages` and `/count_tokens`. Leaves: one `message`, or its events; a count.
//! Never: counts cached input inside `input_tokens`: Anthropic's classes are disjoint.

mod events;

use serde_json::{Value, json};

use super::read::{self, list, needs_model, strings, text_of};
use crate::ask::{Ask, Choice, Form, Last};
use crate::script::{Order, Spoken, Wrong};
use crate::speech::{Finish, Speech, Tally, tokens};

pub(super) fn answer(order: &Order) -> Result<Spoken, Wrong> {
    let ask = read(order)?;
    if ask.tokens_max.is_none() {
        return Err(Wrong { said: "max_tokens: Field required".to_owned(), ..Wrong::missing("max_tokens") });
    }
    let (speeches, tally) = read::speeches(order, &ask)?;
    let speech = speeches.into_iter().next().ok_or_else(|| Wrong::new("nothing to say"))?;
    let whole = message(order, &speech, tally);
    if ask.stream {
        return Ok(events::stream(whole, order.dials.chunks));
    }
    Ok(Spoken::json(&whole, tally.output))
}

pub(super) fn count(order: &Order) -> Result<Spoken, Wrong> {
    let ask = read(order)?;
    let input = order.dials.input.map_or(ask.input_tokens, u64::from);
    Ok(Spoken::json(&json!({ "input_tokens": input }), 0))
}

fn read(order: &Order) -> Result<Ask, Wrong> {
    let body = order.body;
    needs_model(order)?;
    let messages = list(body, "messages")?;
    let system = tokens(&text_of(&body["system"]));
    let format = body["output_config"].get("format").unwrap_or(&body["output_format"]);
    let last = messages.iter().rev().find(|message| message["role"] == "user").unwrap_or(&messages[0]);
    Ok(Ask {
        input_tokens: system + messages.iter().map(|message| tokens(&text_of(&message["content"]))).sum::<u64>(),
        last: last_of(&last["content"]),
        tools: read::tools(body["tools"].as_array().into_iter().flatten(), &["input_schema"]),
        choice: match (body["tool_choice"]["type"].as_str(), body["tool_choice"]["name"].as_str()) {
            (Some("any"), _) => Choice::Always,
            (Some("none"), _) => Choice::Never,
            (Some("tool"), Some(name)) => Choice::Named(name.to_owned()),
            _ => Choice::Auto,
        },
        form: if format["type"] == "json_schema" { Form::Schema(format["schema"].clone()) } else { Form::Prose },
        stops: strings(&body["stop_sequences"]),
        tokens_max: body["max_tokens"].as_u64(),
        stream: body["stream"] == true,
        ..Ask::default()
    })
}

/// Tool results come as parts of the user's turn.
fn last_of(content: &Value) -> Last {
    let parts = content.as_array().into_iter().flatten();
    let results: Vec<String> = parts.filter(|part| part["type"] == "tool_result").map(text_of).collect();
    if results.is_empty() { Last::Said(text_of(content)) } else { Last::ToolGave(results.join(" ")) }
}

fn message(order: &Order, speech: &Speech, tally: Tally) -> Value {
    let call = |(at, call): (u64, &crate::speech::Call)| json!({"type": "tool_use", "id": order.id("toolu_", at, 24), "name": call.name, "input": call.arguments});
    let content: Vec<Value> = match speech.calls.is_empty() {
        true => vec![json!({"type": "text", "text": speech.text})],
        false => (0..).zip(&speech.calls).map(call).collect(),
    };
    let (reason, sequence) = match &speech.finish {
        Finish::Stop => ("end_turn", None),
        Finish::Sequence(sequence) => ("stop_sequence", Some(sequence)),
        Finish::Length => ("max_tokens", None),
        Finish::Calls => ("tool_use", None),
    };
    let mut message = json!({
        "model": order.model,
        "id": order.id("msg_", 0, 24),
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": sequence,
    });
    if order.dials.usage {
        message["usage"] = json!({
            "input_tokens": tally.input - tally.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": tally.cached,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": tally.output,
            "service_tier": "standard",
        });
    }
    message
}
