//! Ollama's own chat (<https://docs.ollama.com/api/chat>).
//!
//! Enters: `POST /api/chat`. Leaves: one object, or one a line. Never: waits to be asked for a stream: it is what Ollama does unless told not to.

use serde_json::{Value, json};

use super::read::{self, list, needs_model, strings, text_of};
use crate::ask::{Ask, Form, Last};
use crate::script::{Event, Order, Spoken, Wrong};
use crate::speech::{Finish, Speech, Tally, pieces, tokens};

pub(super) fn answer(order: &Order) -> Result<Spoken, Wrong> {
    let ask = read(order)?;
    let (speeches, tally) = read::speeches(order, &ask)?;
    let speech = speeches.into_iter().next().ok_or_else(|| Wrong::new("nothing to say"))?;
    let last = |message: Value| {
        let mut last = line(order, message);
        last["done"] = true.into();
        last["done_reason"] = if speech.finish == Finish::Length { "length" } else { "stop" }.into();
        if order.dials.usage {
            count(&mut last, tally);
        }
        last
    };
    if !ask.stream {
        return Ok(Spoken::json(&last(message(&speech.text, &speech)), tally.output));
    }
    let mut lines: Vec<Event> = pieces(&speech.text, order.dials.chunks)
        .into_iter()
        .map(|cut| {
            let piece = &speech.text[cut];
            Event::line(&line(order, json!({"role": "assistant", "content": piece})), tokens(piece).max(1))
        })
        .collect();
    if !speech.calls.is_empty() {
        lines.push(Event::line(&line(order, message("", &speech)), 1));
    }
    lines.push(Event::line(&last(json!({"role": "assistant", "content": ""})), 0));
    Ok(Spoken::lines(lines.into_iter()))
}

fn read(order: &Order) -> Result<Ask, Wrong> {
    let body = order.body;
    needs_model(order)?;
    let messages = list(body, "messages")?;
    let last = messages.last().unwrap_or(&Value::Null);
    Ok(Ask {
        input_tokens: messages.iter().map(|message| tokens(&text_of(&message["content"]))).sum(),
        last: match last["role"].as_str() {
            Some("tool") => Last::ToolGave(text_of(&last["content"])),
            _ => Last::Said(text_of(&last["content"])),
        },
        tools: read::tools(
            body["tools"].as_array().into_iter().flatten().map(|tool| &tool["function"]),
            &["parameters"],
        ),
        form: match &body["format"] {
            Value::String(format) if format == "json" => Form::Json,
            schema @ Value::Object(_) => Form::Schema(schema.clone()),
            _ => Form::Prose,
        },
        stops: strings(&body["options"]["stop"]),
        tokens_max: body["options"]["num_predict"].as_u64(),
        stream: body["stream"] != false,
        ..Ask::default()
    })
}

fn message(text: &str, speech: &Speech) -> Value {
    let mut message = json!({"role": "assistant", "content": text});
    if !speech.calls.is_empty() {
        let calls =
            speech.calls.iter().map(|call| json!({"function": {"name": call.name, "arguments": call.arguments}}));
        message["tool_calls"] = calls.collect();
    }
    message
}

fn line(order: &Order, message: Value) -> Value {
    json!({"model": order.model, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": false})
}

fn count(last: &mut Value, tally: Tally) {
    last["total_duration"] = 1_000_000.into();
    last["load_duration"] = 0.into();
    last["prompt_eval_count"] = tally.input.into();
    last["eval_count"] = tally.output.into();
}
