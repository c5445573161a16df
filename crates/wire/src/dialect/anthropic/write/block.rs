//! One block of a request.
//!
//! Enters: a block of the form. Leaves: Anthropic's, or a loss. Never: a thought without its own seal: it would be refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::messages::HOME;
use super::super::tell::thinking;
use crate::chat::{Block, CacheMark, CallKind, Citation, Content, Losses, Place, Source};
use crate::dialect::call::{self, handle};
use crate::dialect::{Dialect, carry};

/// Writes one turn after the other.
pub(super) struct Scribe<'l> {
    pub(super) origin: Dialect,
    pub(super) losses: &'l mut Losses,
}

/// What the API takes as an image.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// A string says the same as a single plain block, and every host understands it.
pub(super) fn collapsed(mut blocks: Vec<Value>) -> Value {
    if let [Value::Object(block)] = blocks.as_mut_slice()
        && block.len() == 2
        && block.get("type").and_then(Value::as_str) == Some("text")
        && let Some(text @ Value::String(_)) = block.get_mut("text").map(Value::take)
    {
        return text;
    }
    blocks.into()
}

fn tool_use(id: &str, name: &str, input: Value) -> Map<String, Value> {
    members(json!({ "type": "tool_use", "id": handle(id), "name": name, "input": input }))
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn data_source(media_type: &str, base64: &str) -> Value {
    json!({ "type": "base64", "media_type": media_type, "data": base64 })
}

pub(super) fn cache_control(mark: CacheMark) -> Value {
    match mark {
        CacheMark::Usual => json!({ "type": "ephemeral" }),
        CacheMark::OneHour => json!({ "type": "ephemeral", "ttl": "1h" }),
    }
}

// === impl Scribe ===

impl Scribe<'_> {
    pub(super) fn block(&mut self, block: &Block, at: &Place) -> Option<Value> {
        if let Content::Opaque { origin, value } = &block.content {
            if *origin != HOME {
                self.losses.dropped(at.clone(), carry::NOT_ITS_OWN);
                return None;
            }
            return Some(value.clone());
        }
        if let Content::Reasoning { text, .. } = &block.content {
            return self.thought(text, block, at);
        }
        carry::seal(HOME, block.seal.as_ref(), at, self.losses);
        let mut told = self.content(&block.content, at)?;
        let own_words = self.origin == HOME && block.extra.contains_key("cache_control");
        if let Some(mark) = block.cache.filter(|_| !own_words) {
            told.insert("cache_control".into(), cache_control(mark));
        }
        if self.origin == HOME
            && let Some(source) = block.extra.get("source")
        {
            told.insert("source".into(), source.clone());
        }
        carry::block(HOME, self.origin, block, at, &mut told, self.losses);
        Some(told.into())
    }

    fn thought(&mut self, text: &str, block: &Block, at: &Place) -> Option<Value> {
        let Some(seal) = &block.seal else {
            self.losses.dropped(at.clone(), "a thought without a signature is refused");
            return None;
        };
        let seal = carry::seal(HOME, Some(seal), at, self.losses)?;
        let mut told = members(match seal.redacted {
            true => json!({ "type": "redacted_thinking", "data": seal.data }),
            false => thinking(text, &seal.data),
        });
        if block.cache.is_some() {
            self.losses.dropped(at.clone(), "thoughts take no cache mark");
        }
        carry::block(HOME, self.origin, block, at, &mut told, self.losses);
        Some(told.into())
    }

    fn content(&mut self, content: &Content, at: &Place) -> Option<Map<String, Value>> {
        match content {
            Content::Text { text, citations } => self.text(text, citations, at),
            Content::Refusal { text } => {
                self.losses.approximated(at.clone(), "a refusal is told as text");
                self.text(text, &[], at)
            }
            Content::Image { source, detail } => self.image(source, detail.as_deref(), at),
            Content::File { source, name } => self.file(source, name.as_deref(), at),
            Content::Audio { .. } => {
                self.losses.dropped(at.clone(), "the target does not take audio");
                None
            }
            Content::ToolUse { id, name, arguments, kind } => Some(self.call((id, name), arguments, *kind, at)),
            Content::ToolResult { id, blocks, is_error, .. } => Some(self.result(id, blocks, *is_error, at)),
            Content::Reasoning { .. } | Content::Opaque { .. } => None,
        }
    }

    /// Empty text is refused by the API, and says nothing.
    fn text(&mut self, text: &str, citations: &[Citation], at: &Place) -> Option<Map<String, Value>> {
        if text.is_empty() {
            return None;
        }
        let mut told = members(json!({ "type": "text", "text": text }));
        let own: Vec<_> = citations.iter().filter(|citation| is_own(citation)).collect();
        if own.len() < citations.len() {
            self.losses.dropped(at.clone(), "citations: only the provider that made them understands them");
        }
        if !own.is_empty() {
            told.insert("citations".into(), own.into_iter().map(|citation| citation.raw.clone()).collect());
        }
        Some(told)
    }

    fn image(&mut self, source: &Source, detail: Option<&str>, at: &Place) -> Option<Map<String, Value>> {
        if detail.is_some_and(|detail| detail != "auto") {
            self.losses.dropped(at.clone(), "detail: the target has no such member");
        }
        let source = match source {
            Source::Data { media_type, base64 } if IMAGES.contains(&media_type.as_str()) => {
                data_source(media_type, base64)
            }
            Source::Data { media_type, .. } => {
                self.losses.dropped(at.clone(), format!("the target does not take {media_type}"));
                return None;
            }
            Source::Url { url, .. } => json!({ "type": "url", "url": url }),
            Source::Id { origin, id } => self.uploaded(*origin, id, at)?,
            Source::Text { .. } => {
                self.losses.dropped(at.clone(), "an image cannot be text");
                return None;
            }
        };
        Some(members(json!({ "type": "image", "source": source })))
    }

    fn file(&mut self, source: &Source, name: Option<&str>, at: &Place) -> Option<Map<String, Value>> {
        let source = match source {
            Source::Data { media_type, .. } if IMAGES.contains(&media_type.as_str()) => {
                return self.image(source, None, at);
            }
            Source::Data { media_type, base64 } if media_type == "application/pdf" => data_source(media_type, base64),
            Source::Data { media_type, base64 } => match plain_text(media_type, base64) {
                Some(text) => text_source(&text),
                None => {
                    self.losses.dropped(at.clone(), format!("the target does not take {media_type}"));
                    return None;
                }
            },
            Source::Url { media_type: Some(media_type), .. } if IMAGES.contains(&media_type.as_str()) => {
                return self.image(source, None, at);
            }
            Source::Url { media_type: Some(media_type), .. } if media_type != "application/pdf" => {
                self.losses.dropped(at.clone(), format!("the target does not fetch {media_type}"));
                return None;
            }
            Source::Url { url, .. } => json!({ "type": "url", "url": url }),
            Source::Id { origin, id } => self.uploaded(*origin, id, at)?,
            Source::Text { text } => text_source(text),
        };
        let mut told = members(json!({ "type": "document", "source": source }));
        if let Some(name) = name {
            told.insert("title".into(), name.into());
        }
        Some(told)
    }

    fn uploaded(&mut self, origin: Dialect, id: &str, at: &Place) -> Option<Value> {
        if origin != HOME {
            self.losses.dropped(at.clone(), "the file was uploaded to another provider");
            return None;
        }
        Some(json!({ "type": "file", "file_id": id }))
    }

    fn call(&mut self, (id, name): (&str, &str), arguments: &str, kind: CallKind, at: &Place) -> Map<String, Value> {
        let input = call::input(arguments, kind).unwrap_or_else(|| {
            self.losses.approximated(at.clone(), call::NO_OBJECT);
            call::as_member(arguments)
        });
        if self.origin == HOME || call::is_name(name, call::NAME_BYTES_MAX) {
            return tool_use(id, name, input);
        }
        self.losses.approximated(at.clone(), call::NO_NAME);
        tool_use(id, &handle(name), input)
    }

    fn result(&mut self, id: &str, blocks: &[Block], is_error: bool, at: &Place) -> Map<String, Value> {
        let mut told = members(json!({ "type": "tool_result", "tool_use_id": handle(id) }));
        let content: Vec<_> = blocks.iter().filter_map(|block| self.block(block, at)).collect();
        if !content.is_empty() {
            told.insert("content".into(), collapsed(content));
        }
        if is_error {
            told.insert("is_error".into(), true.into());
        }
        told
    }
}

/// Made by Anthropic, and not by an answer of another provider that was told in its words.
fn is_own(citation: &Citation) -> bool {
    let told = citation.raw.get("encrypted_index").and_then(Value::as_str) == Some("");
    citation.origin == HOME && citation.raw.is_object() && !told
}

fn text_source(text: &str) -> Value {
    json!({ "type": "text", "media_type": "text/plain", "data": text })
}

/// A file of text, whatever its kind.
fn plain_text(media_type: &str, base64: &str) -> Option<String> {
    let is_text = media_type.starts_with("text/") || media_type == "application/json";
    String::from_utf8(STANDARD.decode(base64).ok().filter(|_| is_text)?).ok()
}
