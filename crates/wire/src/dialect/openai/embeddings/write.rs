//! Writes embeddings' questions and answers.
//!
//! Enters: the form. Leaves: bodies. Never: leaves a value out without an entry in the ledger.

use serde_json::{Map, Value, json};

use super::HOME;
use crate::chat::{Extra, LossKind, Losses, Place};
use crate::dialect::carry::NO_PLACE;
use crate::dialect::{Dialect, vector};
use crate::embed::{EmbedAnswer, EmbedInput, EmbedRequest, lost};

pub(super) fn request(request: &EmbedRequest, losses: &mut Losses) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("model".into(), request.model.as_str().into());
    body.insert("input".into(), input(&request.inputs, losses));
    let mut put = |name: &str, value: Option<Value>| drop(value.map(|value| body.insert(name.into(), value)));
    put("dimensions", request.dimensions.map(Value::from));
    put("encoding_format", request.base64.map(|base64| if base64 { "base64" } else { "float" }.into()));
    put("user", request.user.as_deref().map(Value::from));
    if request.purpose.is_some() {
        lost(losses, "purpose", LossKind::Dropped, NO_PLACE);
    }
    if request.truncate.is_some() {
        lost(losses, "truncate", LossKind::Dropped, NO_PLACE);
    }
    extra(&request.extra, request.origin, &mut body, |name| {
        lost(losses, name, LossKind::Dropped, NO_PLACE);
    });
    Value::Object(body).to_string().into_bytes()
}

/// One text stands alone, as most write it.
fn input(inputs: &[EmbedInput], losses: &mut Losses) -> Value {
    let mut written: Vec<Value> = Vec::with_capacity(inputs.len());
    for input in inputs {
        match input {
            EmbedInput::Text(text) => written.push(text.as_str().into()),
            EmbedInput::Tokens(tokens) => written.push(tokens.as_slice().into()),
            EmbedInput::Image(_) => lost(losses, "input", LossKind::Refused, "the target embeds no images"),
        }
    }
    match written.as_mut_slice() {
        [one] => one.take(),
        _ => Value::Array(written),
    }
}

fn extra(extra: &Extra, origin: Dialect, body: &mut Map<String, Value>, mut lost: impl FnMut(&str)) {
    for (name, value) in extra {
        if origin == HOME {
            body.entry(name.clone()).or_insert_with(|| value.clone());
        } else {
            lost(name);
        }
    }
}

pub(super) fn answer(answer: &EmbedAnswer, base64: bool, losses: &mut Losses) -> Vec<u8> {
    let mut data = Vec::with_capacity(answer.vectors.len());
    for (index, vector) in answer.vectors.iter().enumerate() {
        let embedding = vector::written(vector, base64).unwrap_or_else(|| {
            losses.dropped(Place::Answer("data"), "bytes that are no 32-bit floats");
            Value::Null
        });
        data.push(json!({"object": "embedding", "index": index, "embedding": embedding}));
    }
    let mut body = Map::from_iter([("object".to_owned(), Value::from("list")), ("data".to_owned(), data.into())]);
    body.insert("model".into(), answer.model.as_str().into());
    if !answer.id.is_empty() {
        body.insert("id".into(), answer.id.as_str().into());
    }
    body.insert("usage".into(), usage(answer));
    extra(&answer.extra, answer.origin, &mut body, |name| {
        losses.dropped(Place::Answer("extra"), format!("{name}: {NO_PLACE}"));
    });
    Value::Object(body).to_string().into_bytes()
}

/// The SDKs' types demand it.
fn usage(answer: &EmbedAnswer) -> Value {
    match &answer.usage {
        Some(report) if answer.origin == HOME && report.raw.is_object() => report.raw.clone(),
        Some(report) => json!({"prompt_tokens": report.usage.tokens_in(), "total_tokens": report.usage.total()}),
        None => json!({"prompt_tokens": 0, "total_tokens": 0}),
    }
}
