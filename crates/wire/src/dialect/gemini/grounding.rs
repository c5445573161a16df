//! Citations: what of the text rests on which page.
//!
//! Enters: `groundingMetadata` and `citationMetadata`, or the form's citations. Leaves: the other of the two. Never: an offset of the wrong unit:
//! Google counts bytes, the form characters.

use serde_json::{Map, Value, json};

use crate::chat::Citation;
use crate::dialect::Dialect;

/// A citation, and what Google says about where it belongs.
pub(super) struct Cited {
    /// Bytes of the text.
    start: Option<usize>,
    end: Option<usize>,
    pub(super) part: usize,
    pub(super) citation: Citation,
}

/// Everything that a candidate says about its sources.
pub(super) fn read(candidate: &Map<String, Value>) -> Vec<Cited> {
    let mut cited = Vec::new();
    if let Some(metadata) = candidate.get("groundingMetadata") {
        let chunks = list(metadata, "groundingChunks");
        for support in list(metadata, "groundingSupports") {
            let indices = list(support, "groundingChunkIndices").iter().filter_map(Value::as_u64);
            for chunk in indices.filter_map(|at| chunks.get(usize::try_from(at).ok()?)) {
                cited.push(support_of(support, chunk));
            }
        }
    }
    if let Some(metadata) = candidate.get("citationMetadata") {
        // AI Studio's name, and Vertex's.
        for source in list(metadata, "citationSources").iter().chain(list(metadata, "citations")) {
            cited.push(source_of(source));
        }
    }
    cited
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn support_of(support: &Value, chunk: &Value) -> Cited {
    let segment = support.get("segment").unwrap_or(&Value::Null);
    // `web`, `retrievedContext`, `maps`: each has an address and a title.
    let page = chunk.as_object().and_then(|kinds| kinds.values().next()).unwrap_or(&Value::Null);
    let raw = json!({"groundingSupport": support, "groundingChunk": chunk});
    Cited { part: number(segment, "partIndex").unwrap_or(0), ..cited(segment, page, text(segment, "text"), raw) }
}

fn source_of(source: &Value) -> Cited {
    cited(source, source, None, json!({"citationSource": source}))
}

fn cited(segment: &Value, page: &Value, quoted: Option<String>, raw: Value) -> Cited {
    let citation = Citation {
        url: text(page, "uri"),
        title: text(page, "title"),
        text: quoted,
        start: None,
        end: None,
        origin: Dialect::Gemini,
        raw,
    };
    let end = number(segment, "endIndex");
    // Nought is not written.
    let start = number(segment, "startIndex").or(end.map(|_| 0));
    Cited { start, end, part: 0, citation }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn number(value: &Value, name: &str) -> Option<usize> {
    value.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok())
}

// === impl Cited ===

impl Cited {
    /// Does what it quotes stand there?
    pub(super) fn fits(&self, text: &str) -> bool {
        match (&self.citation.text, self.start, self.end) {
            (Some(quoted), Some(start), Some(end)) => text.get(start..end).is_some_and(|there| there == quoted),
            _ => false,
        }
    }

    /// Of this text.
    pub(super) fn within(self, text: &str) -> Citation {
        let characters = |byte: usize| text.get(..byte).map(|before| before.chars().count() as u64);
        Citation { start: self.start.and_then(characters), end: self.end.and_then(characters), ..self.citation }
    }
}

/// Those that another provider made, or nobody's metadata holds. Google's own stand in the metadata they came from.
pub(super) fn write<'c>(texts: impl Iterator<Item = (usize, &'c str, &'c [Citation])>) -> Option<Value> {
    let (mut chunks, mut supports) = (Vec::new(), Vec::new());
    for (part, text, citations) in texts {
        for citation in citations.iter().filter(|citation| is_foreign(citation)) {
            supports.push(support(part, text, citation, chunks.len()));
            chunks.push(json!({"web": {"uri": citation.url, "title": citation.title}}));
        }
    }
    (!chunks.is_empty()).then(|| json!({"groundingChunks": chunks, "groundingSupports": supports}))
}

pub(super) fn is_foreign(citation: &Citation) -> bool {
    citation.origin != Dialect::Gemini || citation.raw.is_null()
}

fn support(part: usize, text: &str, citation: &Citation, chunk: usize) -> Value {
    let bytes = |character: u64| {
        let character = usize::try_from(character).unwrap_or(usize::MAX);
        text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(character)
    };
    let mut segment = Map::new();
    if part > 0 {
        segment.insert("partIndex".into(), part.into());
    }
    segment.extend(citation.start.and_then(bytes).map(|at| ("startIndex".to_owned(), at.into())));
    segment.extend(citation.end.and_then(bytes).map(|at| ("endIndex".to_owned(), at.into())));
    segment.extend(citation.text.as_ref().map(|text| ("text".to_owned(), text.as_str().into())));
    json!({"segment": segment, "groundingChunkIndices": [chunk]})
}
