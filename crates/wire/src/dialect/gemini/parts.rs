//! Reads a part: one piece of a content, in questions and in answers.
//!
//! Enters: a part's JSON. Leaves: a block. Never: drops a member: what the form does not know stays with the block.
//!
//! Google's calls often have no id. They are given one, by a count that anybody who reads the same bytes arrives at, and lose it on their way
//! back to Google.

use serde_json::{Map, Value};

use super::names;
use crate::chat::{BadField, Block, CallKind, Content, Extra, Seal, Source};
use crate::dialect::Dialect;
use crate::dialect::calls::Calls;
use crate::dialect::carry;
use crate::dialect::data_url::is_base64;
use crate::dialect::object::{Object, Path};

/// Begins the ids that we made.
const MADE_ID: &str = "gemini_";

pub(super) fn calls() -> Calls {
    Calls::new(MADE_ID)
}

/// An id that Google gave, or another provider.
pub(super) fn is_given(id: &str) -> bool {
    !id.starts_with(MADE_ID) && !id.is_empty()
}

pub(super) fn read(value: Value, path: Path<'_>, calls: &mut Calls) -> Result<Block, BadField> {
    let mut part = names::open(value, path)?;
    let seal = part.string("thoughtSignature")?.map(|text| Seal::unpack(Dialect::Gemini, text));
    let mut extra = Extra::new();
    let content = if part.peek("text").is_some() {
        text(&mut part)?
    } else if let Some(value) = part.take("inlineData") {
        inline_data(value, Path::Member(&path, "inlineData"), &mut extra)?
    } else if let Some(value) = part.take("fileData") {
        file_data(value, Path::Member(&path, "fileData"), &mut extra)?
    } else if let Some(value) = part.take("functionCall") {
        call(value, Path::Member(&path, "functionCall"), calls, &mut extra)?
    } else if let Some(value) = part.take("functionResponse") {
        result(value, Path::Member(&path, "functionResponse"), calls, &mut extra)?
    } else {
        let value = part.into_value();
        let empty = value.as_object().is_some_and(|members| members.keys().all(|name| name == "thought"));
        let content = match empty {
            true => Content::Text { text: String::new(), citations: Vec::new() },
            false => Content::Opaque { origin: Dialect::Gemini, value },
        };
        return Ok(Block::from(content).sealed(seal));
    };
    extra.extend(part.rest());
    let redacted = matches!(&content, Content::Reasoning { text, .. } if text.is_empty());
    let seal = seal.map(|seal| match seal.origin {
        Dialect::Gemini => Seal { redacted, ..seal },
        _ => seal,
    });
    Ok(Block { content, seal, cache: None, extra })
}

fn text(part: &mut Object<'_>) -> Result<Content, BadField> {
    let text = part.need_string("text")?;
    Ok(match part.bool("thought")? {
        Some(true) => Content::Reasoning { text, summary: false },
        _ => Content::Text { text, citations: Vec::new() },
    })
}

fn inline_data(value: Value, path: Path<'_>, extra: &mut Extra) -> Result<Content, BadField> {
    let mut data = names::open(value, path)?;
    let media_type = data.need_string("mimeType")?;
    let base64 = standard_base64(data.need_string("data")?, Path::Member(&path, "data"))?;
    let kind = media_type.clone();
    let mut name = data.string("displayName")?;
    let content = media(&kind, Source::Data { media_type, base64 }, &mut name);
    extra.extend(name.map(|name| ("inlineData.displayName".to_owned(), name.into())));
    carry::keep_rest("inlineData", data.rest(), extra);
    Ok(content)
}

fn file_data(value: Value, path: Path<'_>, extra: &mut Extra) -> Result<Content, BadField> {
    let mut data = names::open(value, path)?;
    let uri = data.need_string("fileUri")?;
    let media_type = data.string("mimeType")?;
    let kind = media_type.clone().unwrap_or_default();
    let source = if is_googles_own(&uri) {
        extra.extend(media_type.map(|media_type| ("fileData.mimeType".to_owned(), media_type.into())));
        Source::Id { origin: Dialect::Gemini, id: uri }
    } else {
        Source::Url { url: uri, media_type }
    };
    let mut name = data.string("displayName")?;
    let content = media(&kind, source, &mut name);
    extra.extend(name.map(|name| ("fileData.displayName".to_owned(), name.into())));
    carry::keep_rest("fileData", data.rest(), extra);
    Ok(content)
}

/// Files of its own store, which nobody else can read.
fn is_googles_own(uri: &str) -> bool {
    !uri.starts_with("http") || uri.starts_with("https://generativelanguage.googleapis.com/")
}

/// Takes the name where the content has a place for it.
fn media(media_type: &str, source: Source, name: &mut Option<String>) -> Content {
    match media_type.split('/').next() {
        Some("image") => Content::Image { source, detail: None },
        Some("audio") => Content::Audio { source },
        _ => Content::File { source, name: name.take() },
    }
}

fn call(value: Value, path: Path<'_>, calls: &mut Calls, extra: &mut Extra) -> Result<Content, BadField> {
    let mut call = names::open(value, path)?;
    let name = call.need_string("name")?;
    let arguments = call.object("args")?.unwrap_or_default();
    let id = calls.call(call.string("id")?, &name);
    carry::keep_rest("functionCall", call.rest(), extra);
    Ok(Content::ToolUse { id, name, arguments: Value::Object(arguments).to_string(), kind: CallKind::Function })
}

fn result(value: Value, path: Path<'_>, calls: &mut Calls, extra: &mut Extra) -> Result<Content, BadField> {
    let mut result = names::open(value, path)?;
    let name = result.need_string("name")?;
    let id = calls.result(result.string("id")?, Some(&name));
    let (text, is_error) = outcome(result.object("response")?.unwrap_or_default());
    let mut blocks: Vec<Block> = text.map(Block::text).into_iter().collect();
    let parts = names::list(&mut result, "parts")?.unwrap_or_default();
    let parts_path = Path::Member(&path, "parts");
    for (at, part) in parts.into_iter().enumerate() {
        blocks.push(read(part, Path::Item(&parts_path, at), &mut self::calls())?);
    }
    carry::keep_rest("functionResponse", result.rest(), extra);
    Ok(Content::ToolResult { id, name: Some(name), blocks, is_error })
}

/// "Use `output` to specify function output and `error` to specify error details. If they are not specified, then the whole response is
/// treated as function output" (<https://ai.google.dev/api/caching#FunctionResponse>).
fn outcome(mut response: Map<String, Value>) -> (Option<String>, bool) {
    if response.is_empty() {
        return (None, false);
    }
    if response.len() == 1 {
        if let Some(Value::String(text)) = response.get_mut("output") {
            return (Some(std::mem::take(text)), false);
        }
        if let Some(error) = response.remove("error") {
            return match error {
                Value::String(text) => (Some(text), true),
                other => (Some(other.to_string()), true),
            };
        }
    }
    (Some(Value::Object(response).to_string()), false)
}

/// The form's alphabet. Google takes the one for URLs too, and no padding.
fn standard_base64(text: String, path: Path<'_>) -> Result<String, BadField> {
    if is_base64(&text) {
        return Ok(text);
    }
    let mut respelled = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    respelled.extend(std::iter::repeat_n('=', (4 - respelled.len() % 4) % 4));
    match is_base64(&respelled) {
        true => Ok(respelled),
        false => Err(path.bad("base64", "a string that is none")),
    }
}
