//! One block, read: of a request or of an answer.
//!
//! Enters: a JSON object of one member, whose name says what it is. Leaves: a block of the form. Never: takes apart what it does not know: such blocks
//! are opaque, whole.

use serde_json::{Map, Value};

use super::{HOME, media, seal};
use crate::chat::{BadField, Block, CacheMark, CallKind, Citation, Content, Seal, Source};
use crate::dialect::beside;
use crate::dialect::data_url::is_base64;
use crate::dialect::object::{Object, Path};

/// Also where it is kept of a block that was one: at home it goes back as it came.
pub(super) const GUARDED: &str = "guardContent";

/// Cache points follow what they mark: they are marks of the block before them.
pub(super) fn blocks(items: Vec<Value>, list: &Path<'_>) -> Result<Vec<Block>, BadField> {
    let mut blocks: Vec<Block> = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        match (item.get("cachePoint").and_then(mark), blocks.last_mut()) {
            (Some(mark), Some(last)) if last.cache.is_none() => last.cache = Some(mark),
            _ => blocks.push(block(item, Path::Item(list, at))?),
        }
    }
    Ok(beside::settled(HOME, blocks))
}

pub(super) fn mark(point: &Value) -> Option<CacheMark> {
    if point.get("type")?.as_str() != Some("default") {
        return None;
    }
    match point.get("ttl").and_then(Value::as_str) {
        None | Some("5m") => Some(CacheMark::Usual),
        Some("1h") => Some(CacheMark::OneHour),
        Some(_) => None,
    }
}

fn block(value: Value, path: Path<'_>) -> Result<Block, BadField> {
    let Value::Object(members) = value else { return Err(path.wrong("an object", &value)) };
    let opaque = |value| Ok(Content::Opaque { origin: HOME, value }.into());
    let Some(name) = members.keys().next().cloned().filter(|_| members.len() == 1) else {
        return opaque(Value::Object(members));
    };
    let whole = Value::Object(members.clone());
    let mut object = Object::of(Value::Object(members), path)?;
    let place = Path::Member(&path, &name);
    if name == "text" {
        return Ok(Block::text(object.need_string("text")?));
    }
    let Some(inner) = object.object(&name)? else { return opaque(whole) };
    if name == GUARDED {
        return Ok(guarded(inner).unwrap_or_else(|| Content::Opaque { origin: HOME, value: whole }.into()));
    }
    let mut inner = Object::of(Value::Object(inner), place)?;
    let mut seal = None;
    let content = match name.as_str() {
        "image" => file(&mut inner, media::IMAGES)?.map(|source| Content::Image { source, detail: None }),
        "audio" => file(&mut inner, media::SOUNDS)?.map(|source| Content::Audio { source }),
        "document" => document(&mut inner)?,
        "toolUse" => tool_use(&mut inner)?,
        "toolResult" => tool_result(&mut inner)?,
        "reasoningContent" => thought(&mut inner, &mut seal)?,
        "citationsContent" => cited(&mut inner)?,
        _ => None,
    };
    match content {
        Some(content) => Ok(Block { content, seal, cache: None, extra: inner.rest() }),
        None => opaque(whole),
    }
}

/// Text for a guardrail to look at is still text for the model.
fn guarded(inner: Map<String, Value>) -> Option<Block> {
    let text = inner.get("text")?.get("text")?.as_str()?;
    let mut block = Block::text(text);
    block.extra.insert(GUARDED.into(), inner.into());
    Some(block)
}

/// Files in somebody's bucket, and formats without a media type, are opaque.
fn file(inner: &mut Object<'_>, formats: &'static [(&'static str, &'static str)]) -> Result<Option<Source>, BadField> {
    let format = inner.need_string("format")?;
    let media_type = media::media_type(formats, &format);
    let Some(base64) = bytes(inner)? else { return Ok(None) };
    Ok(media_type.map(|media_type| Source::Data { media_type: media_type.into(), base64 }))
}

fn bytes(inner: &mut Object<'_>) -> Result<Option<String>, BadField> {
    let path = inner.path;
    let place = Path::Member(&path, "source");
    let members = inner.object("source")?.ok_or_else(|| place.missing("an object"))?;
    let mut source = Object::of(Value::Object(members), place)?;
    let found = source.string("bytes")?;
    if found.as_deref().is_some_and(|found| !is_base64(found)) {
        return Err(Path::Member(&place, "bytes").bad("base64", "something else"));
    }
    Ok(found)
}

fn document(inner: &mut Object<'_>) -> Result<Option<Content>, BadField> {
    let name = Some(inner.need_string("name")?);
    let text = inner.peek("source").and_then(|source| source.get("text")?.as_str()).map(str::to_owned);
    if let Some(text) = text {
        inner.take("source");
        let plain = inner.take("format");
        if plain.as_ref().is_some_and(|format| format != "txt") {
            inner.put("format", plain.unwrap_or_default());
        }
        return Ok(Some(Content::File { source: Source::Text { text }, name }));
    }
    Ok(file(inner, media::DOCUMENTS)?.map(|source| Content::File { source, name }))
}

fn tool_use(inner: &mut Object<'_>) -> Result<Option<Content>, BadField> {
    if inner.peek("type").is_some() {
        return Ok(None);
    }
    let id = inner.need_string("toolUseId")?;
    let name = inner.need_string("name")?;
    let arguments = inner.take("input").unwrap_or_else(|| Value::Object(Map::new())).to_string();
    Ok(Some(Content::ToolUse { id, name, arguments, kind: CallKind::Function }))
}

fn tool_result(inner: &mut Object<'_>) -> Result<Option<Content>, BadField> {
    if inner.peek("type").is_some() {
        return Ok(None);
    }
    let id = inner.need_string("toolUseId")?;
    let is_error = inner.string("status")?.as_deref() == Some("error");
    let path = inner.path;
    let list = Path::Member(&path, "content");
    let items = inner.need_array("content")?.into_iter().map(|mut item| match item.get_mut("json").map(Value::take) {
        // The same in words.
        Some(json) => Value::Object(Map::from_iter([("text".to_owned(), json.to_string().into())])),
        None => item,
    });
    let blocks = blocks(items.collect(), &list)?;
    Ok(Some(Content::ToolResult { id, name: None, blocks, is_error }))
}

fn thought(inner: &mut Object<'_>, seal: &mut Option<Seal>) -> Result<Option<Content>, BadField> {
    let path = inner.path;
    let mut text = String::new();
    if let Some(members) = inner.object("reasoningText")? {
        let mut shown = Object::of(Value::Object(members), Path::Member(&path, "reasoningText"))?;
        text = shown.need_string("text")?;
        let signature = shown.string("signature")?.filter(|signature| !signature.is_empty());
        *seal = signature.map(|signature| Seal::unpack(HOME, signature));
    } else if let Some(hidden) = inner.string("redactedContent")? {
        *seal = Some(seal::unredacted(hidden));
    } else {
        return Ok(None);
    }
    Ok(Some(Content::Reasoning { text, summary: false }))
}

fn cited(inner: &mut Object<'_>) -> Result<Option<Content>, BadField> {
    let texts = inner.array("content")?.unwrap_or_default();
    let text = texts.iter().filter_map(|piece| piece.get("text")?.as_str()).collect();
    let citations = inner.array("citations")?.unwrap_or_default().into_iter().map(citation).collect();
    Ok(Some(Content::Text { text, citations }))
}

pub(super) fn citation(raw: Value) -> Citation {
    let at = |path: &str| raw.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let source = at("/source").filter(|source| source.starts_with("http"));
    Citation {
        url: at("/location/web/url").or(source),
        title: at("/title"),
        text: at("/sourceContent/0/text").filter(|text| !text.is_empty()),
        start: None,
        end: None,
        origin: HOME,
        raw,
    }
}
