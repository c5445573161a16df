//! Reads embeddings' questions and answers.
//!
//! Enters: bodies. Leaves: the form. Never: takes an input for tokens that holds a text.

use http::HeaderMap;
use serde_json::Value;

use super::HOME;
use crate::chat::{BadField, UsageReport};
use crate::dialect::data_url;
use crate::dialect::object::{Object, Path, root};
use crate::embed::{EmbedAnswer, EmbedInput, EmbedRequest, Vector};
use crate::watch;

pub(super) fn request(body: &[u8]) -> Result<EmbedRequest, BadField> {
    let mut top = root(body)?;
    let model = top.need_string("model")?;
    let path = Path::Member(&Path::Root, "input");
    let inputs = inputs(top.take("input").ok_or_else(|| path.missing(INPUT))?, path)?;
    let base64 = match top.peek_str("encoding_format") {
        Some("base64") => Some(true),
        Some("float") => Some(false),
        _ => None,
    };
    if base64.is_some() {
        top.take("encoding_format");
    }
    Ok(EmbedRequest {
        origin: HOME,
        model,
        inputs,
        dimensions: top.count("dimensions")?,
        base64,
        // Cohere's and Jina's hosts take them under these names too: they are extras.
        purpose: None,
        truncate: None,
        user: top.string("user")?,
        extra: top.rest(),
    })
}

const INPUT: &str = "a string, an array of strings, or tokens";

fn inputs(value: Value, path: Path<'_>) -> Result<Vec<EmbedInput>, BadField> {
    let items = match value {
        Value::String(text) => return Ok(vec![EmbedInput::Text(text)]),
        Value::Array(items) if items.is_empty() => return Err(path.bad(INPUT, "an empty array")),
        Value::Array(items) => items,
        other => return Err(path.wrong(INPUT, &other)),
    };
    if items.first().is_some_and(Value::is_number) {
        return Ok(vec![EmbedInput::Tokens(tokens(items, path)?)]);
    }
    items.into_iter().enumerate().map(|(at, item)| input(item, Path::Item(&path, at))).collect()
}

fn input(item: Value, path: Path<'_>) -> Result<EmbedInput, BadField> {
    match item {
        Value::String(text) => Ok(EmbedInput::Text(text)),
        Value::Array(items) => Ok(EmbedInput::Tokens(tokens(items, path)?)),
        other => Err(path.wrong("a string or tokens", &other)),
    }
}

fn tokens(items: Vec<Value>, path: Path<'_>) -> Result<Vec<u64>, BadField> {
    let token = |(at, item): (usize, Value)| {
        item.as_u64().ok_or_else(|| Path::Item(&path, at).wrong("a token: a whole number from 0", &item))
    };
    items.into_iter().enumerate().map(token).collect()
}

pub(super) fn answer(body: &[u8]) -> Result<EmbedAnswer, BadField> {
    let mut top = root(body)?;
    let vectors = vectors(top.need_array("data")?)?;
    let raw = top.take("usage").unwrap_or_default();
    let usage = watch::read_whole(HOME, body, &HeaderMap::new()).usage;
    top.take("object");
    Ok(EmbedAnswer {
        origin: HOME,
        id: top.string("id")?.unwrap_or_default(),
        model: top.string("model")?.unwrap_or_default(),
        vectors,
        usage: usage.map(|usage| UsageReport { usage, raw }),
        extra: top.rest(),
    })
}

/// By their numbers, which need not be in order.
fn vectors(data: Vec<Value>) -> Result<Vec<Vector>, BadField> {
    let list = Path::Member(&Path::Root, "data");
    let mut numbered = Vec::with_capacity(data.len());
    for (at, value) in data.into_iter().enumerate() {
        let mut item = Object::of(value, Path::Item(&list, at))?;
        let index = item.count("index")?.unwrap_or(at as u64);
        let path = item.path;
        let path = Path::Member(&path, "embedding");
        let vector = vector(item.take("embedding"), path)?;
        numbered.push((index, vector));
    }
    numbered.sort_by_key(|(index, _)| *index);
    Ok(numbered.into_iter().map(|(_, vector)| vector).collect())
}

fn vector(value: Option<Value>, path: Path<'_>) -> Result<Vector, BadField> {
    match value {
        Some(Value::Array(numbers)) => match numbers.iter().position(|number| !number.is_number()) {
            Some(at) => Err(Path::Item(&path, at).wrong("a number", &numbers[at])),
            None => Ok(Vector::Numbers(numbers)),
        },
        Some(Value::String(base64)) if data_url::is_base64(&base64) => Ok(Vector::Base64(base64)),
        Some(other) => Err(path.wrong("an array of numbers or base64", &other)),
        None => Err(path.missing("an array of numbers or base64")),
    }
}
