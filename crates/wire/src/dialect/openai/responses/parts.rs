//! The parts of a message's content, and of a tool's output.
//!
//! Enters: a part's JSON, or a block. Leaves: the other of the two. Never: a part that was not understood without its JSON.

use serde_json::{Map, Value, json};

use super::{HOME, annotations, source};
use crate::chat::{BadField, Block, Content, Losses, Place, Role, Source};
use crate::dialect::{
    carry, data_url,
    object::{Object, Path},
};

/// A file given as data must have a name there.
const FILE_NAME: &str = "document.pdf";
const TEXT_NAME: &str = "document.txt";

const AUDIO_TYPES: [(&str, &str); 2] = [("wav", "audio/wav"), ("mp3", "audio/mpeg")];

/// A string is one text.
pub(super) fn read_all(content: Value, path: Path<'_>) -> Result<Vec<Block>, BadField> {
    match content {
        Value::String(text) => Ok(vec![Block::text(text)]),
        Value::Array(parts) => {
            parts.into_iter().enumerate().map(|(at, part)| read(part, Path::Item(&path, at))).collect()
        }
        other => Err(path.wrong("a string or an array", &other)),
    }
}

fn read(part: Value, path: Path<'_>) -> Result<Block, BadField> {
    let mut part = Object::of(part, path)?;
    let kind = part.peek_str("type").map(str::to_owned);
    let content = match kind.as_deref() {
        Some("input_text" | "output_text" | "text") => text(&mut part)?,
        Some("refusal") => Content::Refusal { text: part.need_string("refusal")? },
        Some("input_image") => image(&mut part)?,
        Some("input_file") => file(&mut part)?,
        Some("input_audio") => audio(&mut part)?,
        Some(_) => return Ok(Content::Opaque { origin: HOME, value: part.into_value() }.into()),
        None => return Err(Path::Member(&part.path, "type").missing("a part's type")),
    };
    part.take("type");
    Ok(Block { extra: part.rest(), ..content.into() })
}

fn text(part: &mut Object<'_>) -> Result<Content, BadField> {
    let text = part.need_string("text")?;
    // How sure the model was is told of the whole answer: see `answer`.
    part.take("logprobs");
    let annotations = part.array("annotations")?.unwrap_or_default();
    let path = Path::Member(&part.path, "annotations");
    let read = |(at, value)| annotations::read(value, Path::Item(&path, at));
    let citations = annotations.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
    Ok(Content::Text { text, citations })
}

fn image(part: &mut Object<'_>) -> Result<Content, BadField> {
    let detail = part.string("detail")?.filter(|detail| detail != "auto");
    let url = part.string("image_url")?;
    let path = Path::Member(&part.path, "image_url");
    let source = match (url, part.peek_str("file_id").map(str::to_owned)) {
        (Some(url), _) => source::of_url(url, &path)?,
        (None, Some(id)) => {
            part.take("file_id");
            Source::Id { origin: HOME, id }
        }
        (None, None) => return Err(path.missing("a URL")),
    };
    Ok(Content::Image { source, detail })
}

fn file(part: &mut Object<'_>) -> Result<Content, BadField> {
    let name = part.string("filename")?;
    let source = if let Some(data) = part.string("file_data")? {
        let path = Path::Member(&part.path, "file_data");
        if data.starts_with("data:") {
            source::of_url(data, &path)?
        } else {
            source::of_base64("application/pdf", data, &path)?
        }
    } else if let Some(url) = part.string("file_url")? {
        Source::Url { media_type: source::type_of(&url), url }
    } else if let Some(id) = part.string("file_id")? {
        Source::Id { origin: HOME, id }
    } else {
        return Err(Path::Member(&part.path, "file_data").missing("file_data, file_url or file_id"));
    };
    Ok(Content::File { source, name })
}

fn audio(part: &mut Object<'_>) -> Result<Content, BadField> {
    let members = part.take("input_audio");
    let path = Path::Member(&part.path, "input_audio");
    let members = members.ok_or_else(|| path.missing("an object"))?;
    let mut members = Object::of(members, path)?;
    let format = members.need_string("format")?;
    let known = AUDIO_TYPES.iter().find(|(name, _)| *name == format);
    let media_type = known.map_or_else(|| format!("audio/{format}"), |(_, media_type)| (*media_type).to_owned());
    let data = members.need_string("data")?;
    let source = source::of_base64(&media_type, data, &Path::Member(&members.path, "data"))?;
    Ok(Content::Audio { source })
}

/// `None`: it cannot be said, and the ledger knows.
pub(super) fn write(
    block: &Block,
    role: Role,
    origin: crate::dialect::Dialect,
    at: &Place,
    losses: &mut Losses,
) -> Option<Value> {
    let mut part = members(block, role, at, losses)?;
    if block.cache.is_some() {
        losses.dropped(at.clone(), "the provider decides itself what its prompt cache keeps");
    }
    carry::block(HOME, origin, block, at, &mut part, losses);
    Some(Value::Object(part))
}

fn members(block: &Block, role: Role, at: &Place, losses: &mut Losses) -> Option<Map<String, Value>> {
    let mine = role == Role::Assistant;
    let value = match &block.content {
        Content::Text { text, citations } if mine => {
            let chars = text.chars().count();
            let annotations: Vec<_> =
                citations.iter().filter_map(|one| annotations::write(one, chars, losses)).collect();
            json!({"type": "output_text", "text": text, "annotations": annotations})
        }
        Content::Text { text, .. } => json!({"type": "input_text", "text": text}),
        Content::Refusal { text } if mine => json!({"type": "refusal", "refusal": text}),
        Content::Refusal { text } => json!({"type": "input_text", "text": text}),
        Content::Opaque { origin: HOME, value } => value.clone(),
        Content::Image { source, detail } if !mine => return image_part(source, detail.as_deref(), at, losses),
        Content::File { source, name } if !mine => return file_part(source, name.as_deref(), at, losses),
        Content::Audio { source } if !mine => return audio_part(source, at, losses),
        Content::Opaque { .. } => return lost(at, carry::NOT_ITS_OWN, losses),
        _ => return lost(at, "it cannot stand in such a message", losses),
    };
    object(value)
}

pub(super) fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn lost<T>(at: &Place, why: &'static str, losses: &mut Losses) -> Option<T> {
    losses.dropped(at.clone(), why);
    None
}

fn image_part(source: &Source, detail: Option<&str>, at: &Place, losses: &mut Losses) -> Option<Map<String, Value>> {
    let mut part = match source {
        Source::Data { media_type, base64 } => {
            json!({"type": "input_image", "image_url": data_url::write(media_type, base64)})
        }
        Source::Url { url, .. } => json!({"type": "input_image", "image_url": url}),
        Source::Id { origin: HOME, id } => json!({"type": "input_image", "file_id": id}),
        Source::Id { .. } => return lost(at, carry::NOT_ITS_OWN, losses),
        Source::Text { .. } => return lost(at, "text is no image", losses),
    };
    if let Some(detail) = detail {
        part["detail"] = detail.into();
    }
    object(part)
}

fn file_part(source: &Source, name: Option<&str>, at: &Place, losses: &mut Losses) -> Option<Map<String, Value>> {
    let mut part = match source {
        Source::Data { media_type, base64 } => json!({
            "type": "input_file", "filename": name.unwrap_or(FILE_NAME), "file_data": data_url::write(media_type, base64),
        }),
        Source::Text { text } => json!({
            "type": "input_file", "filename": name.unwrap_or(TEXT_NAME), "file_data": source::text_url(text),
        }),
        Source::Url { url, media_type } => {
            if *media_type != source::type_of(url) {
                losses.approximated(at.clone(), "the file's type is left to whoever fetches it");
            }
            json!({"type": "input_file", "file_url": url})
        }
        Source::Id { origin: HOME, id } => json!({"type": "input_file", "file_id": id}),
        Source::Id { .. } => return lost(at, carry::NOT_ITS_OWN, losses),
    };
    if let Some(name) = name {
        part["filename"] = name.into();
    }
    object(part)
}

fn audio_part(source: &Source, at: &Place, losses: &mut Losses) -> Option<Map<String, Value>> {
    let Source::Data { media_type, base64 } = source else {
        return lost(at, "sound is taken as data only", losses);
    };
    let Some((format, _)) = AUDIO_TYPES.iter().find(|(_, known)| known == media_type) else {
        return lost(at, "sound is taken as wav and mp3 only", losses);
    };
    object(json!({"type": "input_audio", "input_audio": {"data": base64, "format": format}}))
}
