//! Google's Gemini API.
//!
//! Enters: `models/{m}:generateContent` and its sisters, members in camelCase or snake_case (protobuf's JSON takes both).
//! Leaves: `GenerateContentResponse`s, whole, as server-sent events, or as a JSON array that grows; counts; embeddings.
//! Never: counts thoughts inside `candidatesTokenCount`: Gemini's are beside it.

mod ask;
mod stream;

use serde_json::{Value, json};

use super::embeddings::{check_size, numbers, vector};
use super::read::{self, text_of};
use crate::script::{Order, Spoken, Wrong};
use crate::speech::{Finish, Speech, Tally, tokens};

use ask::member;

pub(super) use stream::stream;

/// Of a vector when the caller does not say.
const DIMENSIONS: u64 = 768;

pub(super) fn whole(order: &Order) -> Result<Spoken, Wrong> {
    let ask = ask::read(order.body)?;
    let (speeches, tally) = read::speeches(order, &ask)?;
    let candidates: Vec<Value> =
        (0..).zip(&speeches).map(|(index, speech)| candidate(index, parts(speech), Some(&speech.finish))).collect();
    Ok(Spoken::json(&response(order, candidates, tally), tally.output))
}

pub(super) fn count(order: &Order) -> Result<Spoken, Wrong> {
    let inner = member(order.body, "generateContentRequest");
    let ask = ask::read(if inner.is_null() { order.body } else { inner })?;
    let total = order.dials.input.map_or(ask.input_tokens, u64::from);
    let details = json!([{"modality": "TEXT", "tokenCount": total}]);
    Ok(Spoken::json(&json!({"totalTokens": total, "promptTokensDetails": details}), 0))
}

pub(super) fn embed(order: &Order) -> Result<Spoken, Wrong> {
    Ok(Spoken::json(&json!({ "embedding": embedding(order.body)? }), 0))
}

pub(super) fn embed_batch(order: &Order) -> Result<Spoken, Wrong> {
    let requests = read::list(order.body, "requests")?;
    check_size(requests.len(), requests.iter().map(dimensions).max().unwrap_or(DIMENSIONS))?;
    let embeddings = requests.iter().map(embedding).collect::<Result<Vec<_>, _>>()?;
    Ok(Spoken::json(&json!({ "embeddings": embeddings }), 0))
}

fn embedding(request: &Value) -> Result<Value, Wrong> {
    let content = request.get("content").ok_or_else(|| Wrong::missing("content"))?;
    let dimensions = dimensions(request);
    Ok(json!({ "values": numbers(&vector(&text_of(member(content, "parts")), dimensions)?) }))
}

fn dimensions(request: &Value) -> u64 {
    member(request, "outputDimensionality").as_u64().unwrap_or(DIMENSIONS)
}

fn parts(speech: &Speech) -> Vec<Value> {
    if speech.calls.is_empty() {
        return vec![json!({"text": speech.text})];
    }
    speech.calls.iter().map(|call| json!({"functionCall": {"name": call.name, "args": call.arguments}})).collect()
}

fn candidate(index: u64, parts: Vec<Value>, finish: Option<&Finish>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}});
    if let Some(finish) = finish {
        candidate["finishReason"] = if *finish == Finish::Length { "MAX_TOKENS" } else { "STOP" }.into();
    }
    candidate["index"] = index.into();
    candidate
}

fn response(order: &Order, candidates: Vec<Value>, tally: Tally) -> Value {
    let mut response = json!({ "candidates": candidates });
    if order.dials.usage {
        response["usageMetadata"] = usage(tally);
    }
    response["modelVersion"] = order.model.into();
    response["responseId"] = order.id("", 0, 22).into();
    response
}

/// Zero counts are left out, as protobuf's JSON does.
fn usage(tally: Tally) -> Value {
    let details = json!([{"modality": "TEXT", "tokenCount": tally.input}]);
    let mut usage = json!({
        "promptTokenCount": tally.input,
        "candidatesTokenCount": tally.output - tally.reasoning,
        "totalTokenCount": tally.input + tally.output,
        "promptTokensDetails": details,
    });
    if tally.cached > 0 {
        usage["cachedContentTokenCount"] = tally.cached.into();
    }
    if tally.reasoning > 0 {
        usage["thoughtsTokenCount"] = tally.reasoning.into();
    }
    usage
}

/// The words of the contents and of the system instruction.
fn input_tokens(body: &Value, contents: &[Value]) -> u64 {
    let all = contents.iter().chain([member(body, "systemInstruction")]);
    all.map(|content| tokens(&text_of(member(content, "parts")))).sum()
}
