//! One block of a message, of a request or of an answer: they are the same.
//!
//! Enters: a JSON value and where it stands. Leaves: a block of the form. Never: takes apart what it does not know: such blocks are opaque, whole.

use serde_json::{Map, Value};

use super::super::messages::HOME;
use super::source;
use crate::chat::{BadField, Block, CacheMark, CallKind, Citation, Content, Seal};
use crate::dialect::beside;
use crate::dialect::object::{Object, Path};

/// A message's content: a string is one block of text.
pub(in super::super) fn content(value: Value, path: &Path<'_>) -> Result<Vec<Block>, BadField> {
    match value {
        Value::String(text) => Ok(vec![Block::text(text)]),
        Value::Array(items) => {
            let blocks = items.into_iter().enumerate().map(|(at, item)| block(item, Path::Item(path, at)));
            Ok(beside::settled(HOME, blocks.collect::<Result<_, _>>()?))
        }
        other => Err(path.wrong("a string or an array of blocks", &other)),
    }
}

pub(in super::super) fn block(value: Value, path: Path<'_>) -> Result<Block, BadField> {
    let mut object = Object::of(value, path)?;
    let kind = object.need_string("type")?;
    let (content, seal) = match kind.as_str() {
        "text" => (text(&mut object)?, None),
        "thinking" => thinking(&mut object)?,
        "redacted_thinking" => redacted(&mut object)?,
        "tool_use" => (tool_use(&mut object)?, None),
        "tool_result" => (tool_result(&mut object)?, None),
        "image" => (Content::Image { source: source::image(&mut object)?, detail: None }, None),
        "document" if source::is_document(&object) => (source::document(&mut object)?, None),
        _ => return Ok(opaque(object, kind)),
    };
    let cache = cache(&mut object);
    Ok(Block { content, seal, cache, extra: object.rest() })
}

fn opaque(mut object: Object<'_>, kind: String) -> Block {
    object.put("type", Value::String(kind));
    Content::Opaque { origin: HOME, value: object.into_value() }.into()
}

fn text(object: &mut Object<'_>) -> Result<Content, BadField> {
    let text = object.need_string("text")?;
    let path = object.path;
    let list = Path::Member(&path, "citations");
    let items = object.array("citations")?.unwrap_or_default().into_iter().enumerate();
    let citations = items.map(|(at, item)| citation(item, Path::Item(&list, at)));
    Ok(Content::Text { text, citations: citations.collect::<Result<_, _>>()? })
}

/// Where a citation points to in its document stays in `raw`: no other dialect has such places.
pub(in super::super) fn citation(value: Value, path: Path<'_>) -> Result<Citation, BadField> {
    let mut object = Object::of(value.clone(), path)?;
    let title = match object.string("title")? {
        Some(title) => Some(title),
        None => object.string("document_title")?,
    };
    let url = match object.string("url")? {
        Some(url) => Some(url),
        None => object.string("source")?.filter(|source| source.starts_with("http")),
    };
    let text = object.string("cited_text")?.filter(|text| !text.is_empty());
    Ok(Citation { url, title, text, start: None, end: None, origin: HOME, raw: value })
}

/// An empty signature is none: that is how thoughts are told whose provider seals nothing.
fn thinking(object: &mut Object<'_>) -> Result<(Content, Option<Seal>), BadField> {
    let text = object.need_string("thinking")?;
    let signature = object.string("signature")?.filter(|signature| !signature.is_empty());
    let seal = signature.map(|signature| Seal::unpack(HOME, signature));
    Ok((Content::Reasoning { text, summary: false }, seal))
}

fn redacted(object: &mut Object<'_>) -> Result<(Content, Option<Seal>), BadField> {
    let seal = Seal { redacted: true, ..Seal::unpack(HOME, object.need_string("data")?) };
    Ok((Content::Reasoning { text: String::new(), summary: false }, Some(seal)))
}

fn tool_use(object: &mut Object<'_>) -> Result<Content, BadField> {
    let id = object.need_string("id")?;
    let name = object.need_string("name")?;
    let input = object.object("input")?.unwrap_or_default();
    Ok(Content::ToolUse { id, name, arguments: Value::Object(input).to_string(), kind: CallKind::Function })
}

fn tool_result(object: &mut Object<'_>) -> Result<Content, BadField> {
    let id = object.need_string("tool_use_id")?;
    let is_error = object.bool("is_error")?.unwrap_or(false);
    let path = object.path;
    let blocks = match object.take("content") {
        Some(held) => content(held, &Path::Member(&path, "content"))?,
        None => Vec::new(),
    };
    Ok(Content::ToolResult { id, name: None, blocks, is_error })
}

/// The mark is understood, and what is said beside it (`scope`) stays as it is.
pub(in super::super) fn cache(object: &mut Object<'_>) -> Option<CacheMark> {
    let Some(Value::Object(control)) = object.peek("cache_control") else { return None };
    let mark = mark(control)?;
    if control.keys().all(|name| matches!(name.as_str(), "type" | "ttl")) {
        object.take("cache_control");
    }
    Some(mark)
}

fn mark(control: &Map<String, Value>) -> Option<CacheMark> {
    if control.get("type")?.as_str() != Some("ephemeral") {
        return None;
    }
    match control.get("ttl") {
        None | Some(Value::Null) => Some(CacheMark::Usual),
        Some(ttl) if ttl.as_str() == Some("5m") => Some(CacheMark::Usual),
        Some(ttl) if ttl.as_str() == Some("1h") => Some(CacheMark::OneHour),
        Some(_) => None,
    }
}
