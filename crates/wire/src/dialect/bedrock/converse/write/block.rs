//! One block of a request.
//!
//! Enters: a block of the form. Leaves: Converse's, its cache point after it; or a loss. Never: fetches: files come as bytes or not at all.

use serde_json::{Map, Value, json};

use super::super::block::GUARDED;
use super::super::{HOME, media, seal};
use super::setting;
use crate::chat::{Block, CacheMark, CallKind, Content, LossKind, Losses, Place, Request, Source};
use crate::dialect::{call, carry};

pub(super) struct Scribe<'r> {
    pub(super) request: &'r Request,
    pub(super) losses: &'r mut Losses,
}

const AS_DATA: &str = "the target takes files as data alone";

pub(super) fn cache_point(mark: CacheMark) -> Value {
    match mark {
        CacheMark::Usual => json!({ "cachePoint": { "type": "default" } }),
        CacheMark::OneHour => json!({ "cachePoint": { "type": "default", "ttl": "1h" } }),
    }
}

// === impl Scribe ===

impl Scribe<'_> {
    pub(super) fn block(&mut self, block: &Block, at: &Place, out: &mut Vec<Value>) {
        let Some(told) = self.told(block, at) else { return };
        out.push(told);
        match block.cache {
            Some(mark) if setting::takes_cache(self.request) => out.push(cache_point(mark)),
            Some(_) => self.losses.dropped(at.clone(), "cache mark: not every model takes one"),
            None => {}
        }
    }

    fn told(&mut self, block: &Block, at: &Place) -> Option<Value> {
        let home = self.request.origin == HOME;
        if let Content::Opaque { origin, value } = &block.content {
            if *origin != HOME {
                self.losses.dropped(at.clone(), carry::NOT_ITS_OWN);
            }
            return (*origin == HOME).then(|| value.clone());
        }
        if let Content::Reasoning { text, .. } = &block.content {
            // A model that signs nothing takes its thoughts back as they are.
            if block.seal.is_none() && home {
                return Some(seal::thought(text, None));
            }
            let Some(sealed) = &block.seal else {
                self.losses.dropped(at.clone(), "a thought without a signature is refused");
                return None;
            };
            return carry::seal(HOME, Some(sealed), at, self.losses).map(|sealed| seal::thought(text, Some(sealed)));
        }
        if let Some(guarded) = block.extra.get(GUARDED).filter(|_| home) {
            return Some(json!({ GUARDED: guarded }));
        }
        carry::seal(HOME, block.seal.as_ref(), at, self.losses);
        let (name, mut members) = self.content(&block.content, at)?;
        if let Value::Object(members) = &mut members {
            carry::block(HOME, self.request.origin, block, at, members, self.losses);
        }
        Some(Value::Object(Map::from_iter([(name.to_owned(), members)])))
    }

    fn content(&mut self, content: &Content, at: &Place) -> Option<(&'static str, Value)> {
        match content {
            Content::Text { text, citations } => {
                if !citations.is_empty() {
                    return self.cited(text, citations, at);
                }
                self.text(text)
            }
            Content::Refusal { text } => {
                self.losses.approximated(at.clone(), "a refusal is told as text");
                self.text(text)
            }
            Content::Image { source, detail } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.losses.dropped(at.clone(), "detail: the target has no such member");
                }
                self.data(source, media::IMAGES, at).map(|told| ("image", told))
            }
            Content::Audio { source } => self.data(source, media::SOUNDS, at).map(|told| ("audio", told)),
            Content::File { source, name } => self.document(source, name.as_deref(), at),
            Content::ToolUse { id, name, arguments, kind } => Some(self.call((id, name), arguments, *kind, at)),
            Content::ToolResult { id, blocks, is_error, .. } => Some(self.result(id, blocks, *is_error, at)),
            Content::Reasoning { .. } | Content::Opaque { .. } => None,
        }
    }

    /// Blank text is refused by the API, and says nothing.
    fn text(&self, text: &str) -> Option<(&'static str, Value)> {
        (!text.trim().is_empty()).then(|| ("text", text.into()))
    }

    fn cited(&mut self, text: &str, citations: &[crate::chat::Citation], at: &Place) -> Option<(&'static str, Value)> {
        let own: Vec<_> =
            citations.iter().filter(|citation| citation.origin == HOME && citation.raw.is_object()).collect();
        if own.len() < citations.len() {
            self.losses.dropped(at.clone(), "citations: only the provider that made them understands them");
        }
        if own.is_empty() {
            return self.text(text);
        }
        let own: Vec<_> = own.into_iter().map(|citation| citation.raw.clone()).collect();
        Some(("citationsContent", json!({ "content": [{ "text": text }], "citations": own })))
    }

    fn data(&mut self, source: &Source, formats: &'static [(&'static str, &'static str)], at: &Place) -> Option<Value> {
        let Source::Data { media_type, base64 } = source else {
            self.losses.dropped(at.clone(), AS_DATA);
            return None;
        };
        let Some(format) = media::format(formats, media_type) else {
            self.losses.dropped(at.clone(), format!("the target does not take {media_type}"));
            return None;
        };
        Some(json!({ "format": format, "source": { "bytes": base64 } }))
    }

    fn document(&mut self, source: &Source, name: Option<&str>, at: &Place) -> Option<(&'static str, Value)> {
        let mut told = match source {
            Source::Text { text } => json!({ "format": "txt", "source": { "text": text } }),
            Source::Data { media_type, .. } if media::format(media::IMAGES, media_type).is_some() => {
                return self.data(source, media::IMAGES, at).map(|told| ("image", told));
            }
            source => self.data(source, media::DOCUMENTS, at)?,
        };
        told["name"] = self.name(name, at).into();
        Some(("document", told))
    }

    /// Names are letters, digits, blanks one at a time, hyphens and brackets; and there must be one.
    fn name(&mut self, name: Option<&str>, at: &Place) -> String {
        const OTHER: char = '-';
        let Some(name) = name else {
            return match at {
                Place::Block(turn, block) => format!("document {turn}-{block}"),
                _ => "document".into(),
            };
        };
        if self.request.origin == HOME {
            return name.into();
        }
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || " -()[]".contains(letter);
        let told: String = name.chars().map(|letter| if allowed(letter) { letter } else { OTHER }).collect();
        let told = told.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if told != name {
            self.losses.add(at.clone(), LossKind::Renamed, "a document's name takes letters, digits and hyphens");
        }
        if told.is_empty() { "document".into() } else { told }
    }

    fn call(&mut self, (id, name): (&str, &str), arguments: &str, kind: CallKind, at: &Place) -> (&'static str, Value) {
        let input = call::input(arguments, kind).unwrap_or_else(|| {
            self.losses.approximated(at.clone(), call::NO_OBJECT);
            call::as_member(arguments)
        });
        let mut name = name.to_owned();
        if self.request.origin != HOME && !call::is_name(&name, super::tool::NAME_BYTES_MAX) {
            self.losses.approximated(at.clone(), call::NO_NAME);
            name = call::handle(&name);
        }
        ("toolUse", json!({ "toolUseId": self.handle(id), "name": name, "input": input }))
    }

    fn handle(&self, id: &str) -> String {
        if self.request.origin == HOME { id.to_owned() } else { call::handle(id) }
    }

    fn result(&mut self, id: &str, blocks: &[Block], is_error: bool, at: &Place) -> (&'static str, Value) {
        let mut content = Vec::new();
        blocks.iter().for_each(|block| self.block(block, at, &mut content));
        let mut told = json!({ "toolUseId": self.handle(id), "content": content });
        if is_error {
            told["status"] = "error".into();
        }
        ("toolResult", told)
    }
}
