//! Reads a message's content: a string, or an array of typed parts.
//!
//! Enters: its JSON. Leaves: blocks. Never: refuses a type it does not know: such a part is opaque.

use serde_json::Value;

use super::HOME;
use crate::chat::{BadField, Block, CacheMark, Content, Extra, Source};
use crate::dialect::data_url;
use crate::dialect::object::{Object, Path};

pub(super) fn blocks(content: Value, path: Path<'_>) -> Result<Vec<Block>, BadField> {
    match content {
        Value::String(text) => Ok(vec![Block::text(text)]),
        Value::Array(parts) => {
            parts.into_iter().enumerate().map(|(at, part)| block(part, Path::Item(&path, at))).collect()
        }
        other => Err(path.wrong("a string or an array of parts", &other)),
    }
}

pub(super) fn block(value: Value, path: Path<'_>) -> Result<Block, BadField> {
    let mut part = Object::of(value, path)?;
    let kind = part.peek_str("type").map(str::to_owned);
    let kind = kind.ok_or_else(|| Path::Member(&path, "type").missing("a string"))?;
    let mut inner = Extra::new();
    let content = match kind.as_str() {
        "text" => Content::Text { text: part.need_string("text")?, citations: Vec::new() },
        "refusal" => Content::Refusal { text: part.need_string("refusal")? },
        "image_url" => image(&mut part, &mut inner)?,
        "input_audio" => audio(&mut part, &mut inner)?,
        "file" => file(&mut part, &mut inner)?,
        // Mistral's, in answers.
        "thinking" if part.peek("thinking").is_some_and(Value::is_array) => thinking(&mut part)?,
        _ => return Ok(Content::Opaque { origin: HOME, value: part.into_value() }.into()),
    };
    let cache = cache(&mut part);
    part.take("type");
    let mut extra = part.rest();
    if !inner.is_empty() {
        extra.insert(kind, Value::Object(inner));
    }
    Ok(Block { content, seal: None, cache, extra })
}

/// What stands inside the member that is named like the part. `inner` keeps what is not known of it.
fn image(part: &mut Object<'_>, inner: &mut Extra) -> Result<Content, BadField> {
    let path = part.path;
    let at = Path::Member(&path, "image_url");
    let (url, detail) = match part.take("image_url") {
        // Mistral takes the URL itself.
        Some(Value::String(url)) => (url, None),
        Some(value) => {
            let mut image = Object::of(value, at)?;
            let found = (image.need_string("url")?, image.string("detail")?);
            *inner = image.rest();
            found
        }
        None => return Err(at.missing("an object")),
    };
    Ok(Content::Image { source: source(url, Path::Member(&at, "url"))?, detail })
}

fn source(url: String, path: Path<'_>) -> Result<Source, BadField> {
    match data_url::parse(&url) {
        Some(Ok((media_type, base64))) => Ok(Source::Data { media_type, base64 }),
        Some(Err(wrong)) => Err(path.bad("a data URL with base64", wrong)),
        None if url.is_empty() => Err(path.bad("a URL", "an empty string")),
        None => Ok(Source::Url { url, media_type: None }),
    }
}

fn audio(part: &mut Object<'_>, inner: &mut Extra) -> Result<Content, BadField> {
    let path = part.path;
    let at = Path::Member(&path, "input_audio");
    let mut audio = Object::of(part.take("input_audio").ok_or_else(|| at.missing("an object"))?, at)?;
    let base64 = audio.need_string("data")?;
    if !data_url::is_base64(&base64) {
        return Err(Path::Member(&at, "data").bad("base64", "something else"));
    }
    let media_type = media_type_of(&audio.need_string("format")?);
    *inner = audio.rest();
    Ok(Content::Audio { source: Source::Data { media_type, base64 } })
}

fn media_type_of(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".into(),
        other => format!("audio/{other}"),
    }
}

/// OpenAI takes data URLs and ids; OpenRouter and others also URLs.
fn file(part: &mut Object<'_>, inner: &mut Extra) -> Result<Content, BadField> {
    let path = part.path;
    let at = Path::Member(&path, "file");
    let mut file = Object::of(part.take("file").ok_or_else(|| at.missing("an object"))?, at)?;
    let name = file.string("filename")?;
    let data_path = Path::Member(&at, "file_data");
    let source = match (file.string("file_data")?, file.string("file_id")?) {
        (Some(data), _) if data_url::parse(&data).is_none() && data_url::is_base64(&data) => {
            Source::Data { media_type: media_type_by_name(name.as_deref()), base64: data }
        }
        (Some(data), _) => source(data, data_path)?,
        (None, Some(id)) => Source::Id { origin: HOME, id },
        (None, None) => return Err(at.bad("file_data or file_id", "neither")),
    };
    *inner = file.rest();
    Ok(Content::File { source, name })
}

/// For base64 without its data URL, as some write it.
fn media_type_by_name(name: Option<&str>) -> String {
    match name.and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("txt" | "md") => "text/plain",
        Some("csv") => "text/csv",
        Some("html") => "text/html",
        Some("json") => "application/json",
        _ => "application/pdf",
    }
    .into()
}

/// `{"type":"thinking","thinking":[{"type":"text","text":".."}]}`. See <https://docs.mistral.ai/capabilities/reasoning/>.
fn thinking(part: &mut Object<'_>) -> Result<Content, BadField> {
    let path = part.path;
    let list = Path::Member(&path, "thinking");
    let mut text = String::new();
    for (at, piece) in part.need_array("thinking")?.into_iter().enumerate() {
        let mut piece = Object::of(piece, Path::Item(&list, at))?;
        text.push_str(&piece.string("text")?.unwrap_or_default());
    }
    part.take("closed");
    Ok(Content::Reasoning { text, summary: false })
}

/// `{"type":"ephemeral","ttl":"1h"}`. A mark of another shape stays where it is.
pub(super) fn cache(part: &mut Object<'_>) -> Option<CacheMark> {
    let mark = part.peek("cache_control")?;
    if mark.get("type").and_then(Value::as_str) != Some("ephemeral") {
        return None;
    }
    let mark = match mark.get("ttl").and_then(Value::as_str) {
        None | Some("5m") => CacheMark::Usual,
        Some("1h") => CacheMark::OneHour,
        Some(_) => return None,
    };
    part.take("cache_control");
    Some(mark)
}
