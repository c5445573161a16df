//! Where an image's, a sound's or a file's bytes are, in Responses' words.
//!
//! Enters: URLs and data URLs. Leaves: a [`Source`], or the other way round. Never: base64 that is none.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::chat::{BadField, Source};
use crate::dialect::{data_url, object::Path};

const TEXT: &str = "text/plain";

/// A data URL, or one that somebody can fetch.
pub(super) fn of_url(url: String, path: &Path<'_>) -> Result<Source, BadField> {
    match data_url::parse(&url) {
        None if url.is_empty() => Err(path.bad("a URL", "an empty string")),
        None => Ok(Source::Url { media_type: type_of(&url), url }),
        Some(Ok((media_type, base64))) => Ok(of_data(media_type, base64)),
        Some(Err(wrong)) => Err(path.bad("a data URL with base64", wrong)),
    }
}

pub(super) fn of_base64(media_type: &str, base64: String, path: &Path<'_>) -> Result<Source, BadField> {
    match data_url::is_base64(&base64) {
        true => Ok(of_data(media_type.to_owned(), base64)),
        false => Err(path.bad("base64", "something else")),
    }
}

/// Plain text is kept as text: most dialects have a place of their own for it.
fn of_data(media_type: String, base64: String) -> Source {
    let text = || String::from_utf8(STANDARD.decode(&base64).ok()?).ok();
    match media_type == TEXT {
        true => {
            text().map_or_else(|| Source::Data { media_type, base64: base64.clone() }, |text| Source::Text { text })
        }
        false => Source::Data { media_type, base64 },
    }
}

/// Only what other dialects must be told and the URL shows.
pub(super) fn type_of(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.ends_with(".pdf").then(|| "application/pdf".to_owned())
}

pub(super) fn text_url(text: &str) -> String {
    data_url::write(TEXT, &STANDARD.encode(text))
}
