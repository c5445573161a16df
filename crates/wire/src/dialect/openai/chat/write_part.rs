//! Writes a message's content: a string where that says it all, an array of parts otherwise.
//!
//! Enters: blocks. Leaves: JSON. Never: writes an array where a string would do: not every host takes one.

use serde_json::{Map, Value, json};

use super::HOME;
use crate::chat::{Block, CacheMark, Content, Extra, Losses, Place, Source};
use crate::dialect::carry::{self, NOT_ITS_OWN};
use crate::dialect::{Dialect, data_url};

/// `at` is the place of each block.
pub(super) fn content(origin: Dialect, blocks: &[(Place, &Block)], losses: &mut Losses) -> Value {
    if let [(_, block)] = blocks
        && let Content::Text { text, .. } = &block.content
        && block.cache.is_none()
        && (block.extra.is_empty() || origin != HOME)
    {
        let [(at, _)] = blocks else { return Value::Null };
        carry::block(HOME, origin, block, at, &mut Map::new(), losses);
        carry::seal(Dialect::Raw, block.seal.as_ref(), at, losses);
        return text.as_str().into();
    }
    Value::Array(blocks.iter().filter_map(|(at, block)| part(origin, block, at, losses)).collect())
}

fn part(origin: Dialect, block: &Block, at: &Place, losses: &mut Losses) -> Option<Value> {
    let mut part = match &block.content {
        Content::Text { text, .. } => json!({"type": "text", "text": text}),
        Content::Refusal { text } => json!({"type": "refusal", "refusal": text}),
        Content::Image { source, detail } => image(source, detail.as_deref(), at, losses)?,
        Content::Audio { source } => audio(source, at, losses)?,
        Content::File { source, name } => file(origin, source, name.as_deref(), at, losses)?,
        Content::Opaque { origin, value } if *origin == HOME => return Some(value.clone()),
        Content::Opaque { .. } => return lost(at, NOT_ITS_OWN, losses),
        Content::Reasoning { .. } | Content::ToolUse { .. } | Content::ToolResult { .. } => {
            return lost(at, "it cannot stand in this message", losses);
        }
    };
    let members = part.as_object_mut()?;
    if let Some(mark) = block.cache {
        members.insert("cache_control".into(), cache(mark));
    }
    let kind = members.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    put_inner(&kind, &block.extra, origin, members);
    carry::block(HOME, origin, block, at, members, losses);
    // No part has a place for one.
    carry::seal(Dialect::Raw, block.seal.as_ref(), at, losses);
    Some(part)
}

fn lost(at: &Place, why: &'static str, losses: &mut Losses) -> Option<Value> {
    losses.dropped(at.clone(), why);
    None
}

fn image(source: &Source, detail: Option<&str>, at: &Place, losses: &mut Losses) -> Option<Value> {
    let url = match source {
        Source::Data { media_type, base64 } => data_url::write(media_type, base64),
        Source::Url { url, .. } => url.clone(),
        Source::Id { .. } => return lost(at, "a file's id: the target takes images as data or by URL", losses),
        Source::Text { text } => return Some(json!({"type": "text", "text": text})),
    };
    let mut inner = Map::from_iter([("url".to_owned(), url.into())]);
    inner.extend(detail.map(|detail| ("detail".to_owned(), detail.into())));
    Some(json!({"type": "image_url", "image_url": inner}))
}

fn audio(source: &Source, at: &Place, losses: &mut Losses) -> Option<Value> {
    let Source::Data { media_type, base64 } = source else {
        return lost(at, "the target takes sounds as data", losses);
    };
    let format = match media_type.strip_prefix("audio/").unwrap_or(media_type) {
        "mpeg" | "mp3" => "mp3",
        "wav" | "x-wav" | "wave" => "wav",
        other => other,
    };
    Some(json!({"type": "input_audio", "input_audio": {"data": base64, "format": format}}))
}

fn file(origin: Dialect, source: &Source, name: Option<&str>, at: &Place, losses: &mut Losses) -> Option<Value> {
    let (member, value) = match source {
        Source::Data { media_type, base64 } => ("file_data", data_url::write(media_type, base64)),
        Source::Id { origin, id } if *origin == HOME => ("file_id", id.clone()),
        Source::Id { .. } => return lost(at, NOT_ITS_OWN, losses),
        // Who wrote it so speaks to a host that takes it. OpenAI does not.
        Source::Url { url, media_type: None } if origin == HOME => ("file_data", url.clone()),
        Source::Url { .. } => return lost(at, "a URL: the target takes documents as data", losses),
        Source::Text { text } => {
            losses.approximated(at.clone(), "a document became text of the message");
            return Some(json!({"type": "text", "text": text}));
        }
    };
    // OpenAI asks for a name beside data.
    let name = name.or((member == "file_data" && origin != HOME).then_some("document"));
    let mut inner = Map::from_iter(name.map(|name| ("filename".to_owned(), Value::from(name))));
    inner.insert(member.into(), value.into());
    Some(json!({"type": "file", "file": inner}))
}

pub(super) fn cache(mark: CacheMark) -> Value {
    match mark {
        CacheMark::Usual => json!({"type": "ephemeral"}),
        CacheMark::OneHour => json!({"type": "ephemeral", "ttl": "1h"}),
    }
}

/// Members that were read beside known ones inside of `name`, back to where they stood.
pub(super) fn put_inner(name: &str, extra: &Extra, origin: Dialect, into: &mut Map<String, Value>) {
    let Some(inner) = extra.get(name).and_then(Value::as_object).filter(|_| origin == HOME) else { return };
    let Some(held) = into.get_mut(name).and_then(Value::as_object_mut) else { return };
    for (name, value) in inner {
        held.entry(name.clone()).or_insert_with(|| value.clone());
    }
}
