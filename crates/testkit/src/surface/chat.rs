//! OpenAI's chat completions.
//!
//! Enters: `POST /v1/chat/completions`. Leaves: one `chat.completion`, or `chat.completion.chunk`s and `[DONE]`.
//! Never: reports usage in a stream unless `stream_options.include_usage` asks for it.

use serde_json::{Value, json};

use super::read::{self, list, needs_model, strings, text_of};
use crate::ask::{Ask, Choice, Form, Last};
use crate::dials::Dials;
use crate::script::{Event, Order, Spoken, Wrong};
use crate::speech::{Call, Finish, Speech, Tally, pieces, tokens};

/// What all chunks of a stream share.
#[derive(Clone)]
struct Chunks {
    id: String,
    created: u64,
    model: String,
    /// `usage` is null in every chunk but the last when it was asked for, and absent when it was not.
    usage: bool,
}

pub(super) fn answer(order: &Order) -> Result<Spoken, Wrong> {
    let ask = read(order)?;
    let (speeches, tally) = read::speeches(order, &ask)?;
    if ask.stream {
        return Ok(stream(order, speeches, tally));
    }
    let choices: Vec<Value> =
        speeches.iter().enumerate().map(|(index, speech)| choice(order, index as u64, speech)).collect();
    let mut body = json!({
        "id": order.id("chatcmpl-", 0, 29),
        "object": "chat.completion",
        "created": order.dials.created,
        "model": order.model,
        "choices": choices,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    });
    if order.dials.usage {
        body["usage"] = usage(tally);
    }
    Ok(Spoken::json(&body, tally.output))
}

const FINGERPRINT: &str = "fp_sandbox";

fn read(order: &Order) -> Result<Ask, Wrong> {
    let body = order.body;
    needs_model(order)?;
    let messages = list(body, "messages")?;
    let last = messages.last().unwrap_or(&Value::Null);
    let user = messages.iter().rev().find(|message| message["role"] == "user").unwrap_or(last);
    Ok(Ask {
        input_tokens: messages.iter().map(|message| tokens(&text_of(&message["content"]))).sum(),
        last: match last["role"].as_str() {
            Some("tool" | "function") => Last::ToolGave(text_of(&last["content"])),
            Some(_) => Last::Said(text_of(&user["content"])),
            None => return Err(Wrong { member: Some("messages"), ..Wrong::new("a message has no role") }),
        },
        tools: read::tools(
            body["tools"].as_array().into_iter().flatten().map(|tool| &tool["function"]),
            &["parameters"],
        ),
        choice: tool_choice(&body["tool_choice"]),
        form: match body["response_format"]["type"].as_str() {
            Some("json_schema") => Form::Schema(body["response_format"]["json_schema"]["schema"].clone()),
            Some("json_object") => Form::Json,
            _ => Form::Prose,
        },
        stops: strings(&body["stop"]),
        tokens_max: body["max_completion_tokens"].as_u64().or_else(|| body["max_tokens"].as_u64()),
        answers: body["n"].as_u64().unwrap_or(1),
        stream: body["stream"] == true,
    })
}

/// Also of the responses API, whose named form has no inner `function`.
pub(super) fn tool_choice(choice: &Value) -> Choice {
    let name = choice["function"]["name"].as_str().or_else(|| choice["name"].as_str());
    match choice.as_str().or_else(|| choice["mode"].as_str()) {
        Some("required") => Choice::Always,
        Some("none") => Choice::Never,
        _ => name.map_or(Choice::Auto, |name| Choice::Named(name.to_owned())),
    }
}

fn choice(order: &Order, index: u64, speech: &Speech) -> Value {
    let mut message = json!({"role": "assistant", "content": speech.text, "refusal": null, "annotations": []});
    if !speech.calls.is_empty() {
        message["content"] = Value::Null;
        message["tool_calls"] = (0..).zip(&speech.calls).map(|(at, call)| tool_call(order, index, at, call)).collect();
    }
    json!({"index": index, "message": message, "logprobs": null, "finish_reason": finish(&speech.finish)})
}

fn tool_call(order: &Order, index: u64, at: u64, call: &Call) -> Value {
    let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
    json!({"id": order.id("call_", index * 100 + at, 24), "type": "function", "function": function})
}

fn finish(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Sequence(_) => "stop",
        Finish::Length => "length",
        Finish::Calls => "tool_calls",
    }
}

pub(super) fn usage(tally: Tally) -> Value {
    json!({
        "prompt_tokens": tally.input,
        "completion_tokens": tally.output,
        "total_tokens": tally.input + tally.output,
        "prompt_tokens_details": {"cached_tokens": tally.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tally.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

fn stream(order: &Order, speeches: Vec<Speech>, tally: Tally) -> Spoken {
    let usage_asked = order.dials.usage && order.body["stream_options"]["include_usage"] == true;
    let chunks = Chunks {
        id: order.id("chatcmpl-", 0, 29),
        created: order.dials.created,
        model: order.model.to_owned(),
        usage: usage_asked,
    };
    let last = usage_asked.then(|| Event::data(&chunks.chunk(json!([]), usage(tally)), 0));
    let parts: Vec<Vec<Value>> = (0..)
        .zip(&speeches)
        .map(|(index, speech)| (0..).zip(&speech.calls).map(|(at, call)| tool_call(order, index, at, call)).collect())
        .collect();
    let dials = order.dials.clone();
    let events = (0_u64..).zip(speeches.into_iter().zip(parts)).flat_map(move |(index, (speech, calls))| {
        let (chunks, finish) = (chunks.clone(), finish(&speech.finish));
        let ended = std::iter::once((json!({}), 0, Some(finish)));
        deltas(speech, calls, &dials).map(|(delta, tokens)| (delta, tokens, None)).chain(ended).map(
            move |(delta, tokens, finish): (Value, u64, Option<&str>)| {
                let choice = json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": finish});
                Event::data(&chunks.chunk(json!([choice]), Value::Null), tokens)
            },
        )
    });
    Spoken::events(events.chain(last).chain([Event::bare("data: [DONE]\n\n")]))
}

/// The message in parts: who speaks, then the words, or each call's name and then its arguments.
fn deltas(speech: Speech, calls: Vec<Value>, dials: &Dials) -> Box<dyn Iterator<Item = (Value, u64)> + Send> {
    if calls.is_empty() {
        let role = json!({"role": "assistant", "content": "", "refusal": null});
        let cuts = pieces(&speech.text, dials.chunks);
        let words = cuts.into_iter().map(move |cut| {
            let piece = &speech.text[cut];
            (json!({ "content": piece }), tokens(piece).max(1))
        });
        return Box::new(std::iter::once((role, 0)).chain(words));
    }
    let role = json!({"role": "assistant", "content": null, "refusal": null});
    let calls = (0_u64..).zip(calls).flat_map(|(at, mut call)| {
        call["index"] = at.into();
        let arguments = call["function"]["arguments"].take().as_str().unwrap_or_default().to_owned();
        call["function"]["arguments"] = "".into();
        let cuts = pieces(&arguments, None);
        let rest = cuts
            .into_iter()
            .map(move |cut| (json!({"tool_calls": [{"index": at, "function": {"arguments": &arguments[cut]}}]}), 1));
        std::iter::once((json!({ "tool_calls": [call] }), 1)).chain(rest)
    });
    Box::new(std::iter::once((role, 0)).chain(calls))
}

// === impl Chunks ===

impl Chunks {
    fn chunk(&self, choices: Value, usage: Value) -> Value {
        let mut chunk = json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        });
        if self.usage {
            chunk["usage"] = usage;
        }
        chunk
    }
}
