//! What a text refers to: Responses' annotations and the form's citations.
//!
//! Enters: one of the two. Leaves: the other. Never: a place in the text that nobody named, without a loss.

use serde_json::{Value, json};

use super::HOME;
use crate::chat::{BadField, Citation, Losses, Place};
use crate::dialect::object::{Object, Path};

const PLACE: Place = Place::Answer("citations");

pub(super) fn read(value: Value, path: Path<'_>) -> Result<Citation, BadField> {
    let raw = value.clone();
    let mut annotation = Object::of(value, path)?;
    let title = annotation.string("title")?.or(annotation.string("filename")?);
    Ok(Citation {
        url: annotation.string("url")?,
        title: title.filter(|title| !title.is_empty()),
        text: None,
        start: annotation.count("start_index")?,
        end: annotation.count("end_index")?,
        origin: HOME,
        raw,
    })
}

/// `text_chars`: of the text so far, for a citation that does not say where it stands. `None`: it cannot be said.
pub(super) fn write(citation: &Citation, text_chars: usize, losses: &mut Losses) -> Option<Value> {
    if citation.origin == HOME && citation.raw.is_object() {
        return Some(citation.raw.clone());
    }
    let Some(url) = &citation.url else {
        losses.dropped(PLACE, "only web pages and the provider's own files can be cited");
        return None;
    };
    if citation.text.is_some() {
        losses.dropped(PLACE, "there is no place for the words that were quoted");
    }
    if citation.start.is_none() || citation.end.is_none() {
        losses.approximated(PLACE, "said of all the text, because its place in it is not known");
    }
    let (start, end) = (citation.start.unwrap_or(0), citation.end.unwrap_or(text_chars as u64));
    let title = citation.title.as_deref().unwrap_or_default();
    Some(json!({"type": "url_citation", "url": url, "title": title, "start_index": start, "end_index": end}))
}
