//! Where an image's, a sound's or a file's bytes are, in Responses' words.
//!
//! Enters: URLs and data URLs. Leaves: a [`Source`], or the other way round. Never: base64 that is none.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::chat::{BadField, Source};
use crate::dialect::object::Path;

const TEXT: &str = "text/plain";

/// A data URL, or one that somebody can fetch.
pub(super) fn of_url(url: String, path: &Path<'_>) -> Result<Source, BadField> {
    match url.strip_prefix("data:") {
        None => Ok(Source::Url { media_type: type_of(&url), url }),
        Some(data) => {
            let (media_type, base64) = data
                .split_once(',')
                .and_then(|(kind, base64)| Some((kind.strip_suffix(";base64")?, base64)))
                .ok_or_else(|| path.bad("a data URL with base64", "another data URL"))?;
            let media_type = media_type.split(';').next().unwrap_or_default();
            of_base64(media_type, base64.to_owned(), path)
        }
    }
}

/// Plain text is kept as text: most dialects have a place of their own for it.
pub(super) fn of_base64(media_type: &str, base64: String, path: &Path<'_>) -> Result<Source, BadField> {
    if !is_base64(&base64) {
        return Err(path.bad("base64", "something else"));
    }
    if media_type == TEXT
        && let Some(text) = STANDARD.decode(&base64).ok().and_then(|bytes| String::from_utf8(bytes).ok())
    {
        return Ok(Source::Text { text });
    }
    Ok(Source::Data { media_type: media_type.to_owned(), base64 })
}

/// Standard alphabet, padded. Looked at, not decoded: it may be megabytes, and nobody here needs the bytes.
fn is_base64(text: &str) -> bool {
    let unpadded = text.trim_end_matches('=');
    let in_alphabet = unpadded.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    in_alphabet && text.len() % 4 == 0 && text.len() - unpadded.len() <= 2 && !unpadded.is_empty()
}

/// Only what other dialects must be told and the URL shows.
pub(super) fn type_of(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.ends_with(".pdf").then(|| "application/pdf".to_owned())
}

pub(super) fn data_url(media_type: &str, base64: &str) -> String {
    format!("data:{media_type};base64,{base64}")
}

pub(super) fn text_url(text: &str) -> String {
    data_url(TEXT, &STANDARD.encode(text))
}
