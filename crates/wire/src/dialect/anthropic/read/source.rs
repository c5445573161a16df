//! Where the bytes of images and documents are.
//!
//! Enters: an image or a document block. Leaves: sources of the form. Never: fetches, or decodes more than it takes to know that it could.

use serde_json::Value;

use super::super::messages::HOME;
use crate::chat::{BadField, Content, Source};
use crate::dialect::data_url::is_base64;
use crate::dialect::object::{Object, Path};

pub(super) fn image(object: &mut Object<'_>) -> Result<Source, BadField> {
    let path = object.path;
    let mut source = source(object, &path)?;
    let kind = source.need_string("type")?;
    let found = plain(&mut source, &kind)?;
    found.ok_or_else(|| Path::Member(&source.path, "type").bad("base64, url or file", format!("{kind:?}")))
}

/// Documents made of blocks other than text are beyond the form.
pub(super) fn is_document(object: &Object<'_>) -> bool {
    let Some(Value::Object(source)) = object.peek("source") else { return true };
    match source.get("content") {
        Some(Value::Array(items)) => items.iter().all(|item| text_of(item).is_some()),
        _ => true,
    }
}

pub(super) fn document(object: &mut Object<'_>) -> Result<Content, BadField> {
    let name = object.string("title")?;
    let path = object.path;
    let whole = object.peek("source").cloned();
    let mut source = source(object, &path)?;
    let kind = source.need_string("type")?;
    let found = match kind.as_str() {
        // Only PDFs are fetched.
        "url" => {
            let media_type = Some("application/pdf".into());
            Some(Source::Url { url: source.need_string("url")?, media_type })
        }
        "text" => Some(Source::Text { text: source.need_string("data")? }),
        "content" => Some(Source::Text { text: joined(&mut source)? }),
        _ => plain(&mut source, &kind)?,
    };
    let expected = "base64, text, url, content or file";
    let found = found.ok_or_else(|| Path::Member(&source.path, "type").bad(expected, format!("{kind:?}")))?;
    // Citations name blocks of such a document, so at home it goes back as it came.
    if let ("content", Some(whole)) = (kind.as_str(), whole) {
        object.put("source", whole);
    }
    Ok(Content::File { source: found, name })
}

fn source<'p>(object: &mut Object<'_>, path: &'p Path<'p>) -> Result<Object<'p>, BadField> {
    let place = Path::Member(path, "source");
    let members = object.object("source")?.ok_or_else(|| place.missing("an object"))?;
    Object::of(Value::Object(members), place)
}

/// What images and documents have in common.
fn plain(source: &mut Object<'_>, kind: &str) -> Result<Option<Source>, BadField> {
    Ok(Some(match kind {
        "base64" => {
            let media_type = source.need_string("media_type")?;
            let base64 = source.need_string("data")?;
            if !is_base64(&base64) {
                return Err(Path::Member(&source.path, "data").bad("base64", "something else"));
            }
            Source::Data { media_type, base64 }
        }
        "url" => Source::Url { url: source.need_string("url")?, media_type: None },
        "file" => Source::Id { origin: HOME, id: source.need_string("file_id")? },
        _ => return Ok(None),
    }))
}

fn joined(source: &mut Object<'_>) -> Result<String, BadField> {
    match source.take("content") {
        Some(Value::String(text)) => Ok(text),
        Some(Value::Array(items)) => Ok(items.iter().filter_map(text_of).collect::<Vec<_>>().join("\n")),
        Some(other) => Err(Path::Member(&source.path, "content").wrong("a string or an array of blocks", &other)),
        None => Err(Path::Member(&source.path, "content").missing("a string or an array of blocks")),
    }
}

fn text_of(block: &Value) -> Option<&str> {
    (block.get("type")?.as_str()? == "text").then(|| block.get("text")?.as_str()).flatten()
}
