//! Writes a block as parts, in questions and in answers.
//!
//! Enters: a block, and where it stands. Leaves: parts. Never: a part that Google refuses: empty texts are nothing.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::parts::is_given;
use crate::chat::{Block, CallKind, Content, Losses, Place, Source};
use crate::dialect::Dialect;
use crate::dialect::carry::{self, NO_PLACE, NOT_ITS_OWN};

/// What becomes of another provider's seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seals {
    /// Google reads this: they mean nothing to it.
    Own,
    /// A caller reads this and brings them back.
    Packed,
}

pub(super) struct Say<'l> {
    origin: Dialect,
    seals: Seals,
    /// Images in a function's response; otherwise they stand beside it.
    pub(super) results_hold_media: bool,
    pub(super) losses: &'l mut Losses,
    /// Names of the tools that were called, by the call's id.
    called: HashMap<String, String>,
    parts: Vec<Value>,
}

// === impl Say ===

impl<'l> Say<'l> {
    /// `origin`: whose words the blocks' extras are in.
    pub(super) fn new(origin: Dialect, seals: Seals, losses: &'l mut Losses) -> Self {
        Self { origin, seals, results_hold_media: true, losses, called: HashMap::new(), parts: Vec::new() }
    }

    /// The parts that were made so far.
    pub(super) fn take(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.parts)
    }

    pub(super) fn block(&mut self, block: &Block, at: &Place) {
        if block.cache.is_some() {
            self.losses.dropped(at.clone(), "mark of the prompt cache: the target's cache needs none");
        }
        let signature = self.signature(block, at);
        let mut beside = Vec::new();
        let Some(mut part) = self.content(&block.content, at, signature.is_some(), &mut beside) else { return };
        part.extend(signature.map(|signature| ("thoughtSignature".to_owned(), signature.into())));
        match self.origin {
            Dialect::Gemini => carry::bring_home(&block.extra, &mut part),
            origin => carry::block(Dialect::Gemini, origin, block, at, &mut part, self.losses),
        }
        self.parts.push(Value::Object(part));
        self.parts.append(&mut beside);
    }

    fn signature(&mut self, block: &Block, at: &Place) -> Option<String> {
        match self.seals {
            Seals::Own => {
                carry::seal(Dialect::Gemini, block.seal.as_ref(), at, self.losses).map(|seal| seal.data.clone())
            }
            Seals::Packed => block.seal.as_ref().map(|seal| seal.pack(Dialect::Gemini)),
        }
    }

    fn content(
        &mut self,
        content: &Content,
        at: &Place,
        signed: bool,
        beside: &mut Vec<Value>,
    ) -> Option<Map<String, Value>> {
        match content {
            Content::Text { text, citations } => {
                if !citations.is_empty() && self.seals == Seals::Own {
                    self.losses.dropped(at.clone(), "citations: the target takes none back");
                }
                text_part(text, signed)
            }
            Content::Refusal { text } => {
                self.losses.approximated(at.clone(), "a refusal, as text");
                text_part(text, signed)
            }
            Content::Reasoning { text, .. } => {
                let mut part = text_part(text, signed)?;
                part.insert("thought".into(), true.into());
                Some(part)
            }
            Content::Image { source, detail } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.losses.dropped(at.clone(), format!("detail: {NO_PLACE}"));
                }
                self.media(source, "image/jpeg", at)
            }
            Content::Audio { source } => self.media(source, "audio/mpeg", at),
            Content::File { source, name } => {
                if name.is_some() {
                    self.losses
                        .approximated(at.clone(), "sent without its name: not every host of the target takes one");
                }
                self.media(source, "application/pdf", at)
            }
            Content::ToolUse { id, name, arguments, kind } => Some(self.call(id, name, arguments, *kind, at)),
            Content::ToolResult { id, name, blocks, is_error } => {
                Some(self.result(id, name.as_deref(), blocks, *is_error, at, beside))
            }
            Content::Opaque { origin: Dialect::Gemini, value: Value::Object(part) } => Some(part.clone()),
            Content::Opaque { .. } => {
                self.losses.dropped(at.clone(), NOT_ITS_OWN);
                None
            }
        }
    }

    fn media(&mut self, source: &Source, usual: &str, at: &Place) -> Option<Map<String, Value>> {
        let part = match source {
            Source::Data { media_type, base64 } => json!({"inlineData": {"mimeType": media_type, "data": base64}}),
            Source::Text { text } => {
                use base64::{Engine, engine::general_purpose::STANDARD};
                self.losses.approximated(at.clone(), "text, as the bytes of a text file");
                json!({"inlineData": {"mimeType": "text/plain", "data": STANDARD.encode(text)}})
            }
            Source::Url { url, media_type } => {
                self.losses.approximated(at.clone(), "the target fetches public addresses only, and not all of them");
                let media_type = media_type.as_deref().or_else(|| by_ending(url)).unwrap_or(usual);
                json!({"fileData": {"mimeType": media_type, "fileUri": url}})
            }
            Source::Id { origin: Dialect::Gemini, id } => json!({"fileData": {"fileUri": id}}),
            Source::Id { .. } => {
                self.losses.dropped(at.clone(), NOT_ITS_OWN);
                return None;
            }
        };
        into_map(part)
    }

    fn call(&mut self, id: &str, name: &str, arguments: &str, kind: CallKind, at: &Place) -> Map<String, Value> {
        self.called.insert(id.to_owned(), name.to_owned());
        let mut call = Map::new();
        if is_given(id) {
            call.insert("id".into(), id.into());
        }
        call.insert("name".into(), name.into());
        call.insert("args".into(), self.arguments(arguments, kind, at));
        Map::from_iter([("functionCall".to_owned(), Value::Object(call))])
    }

    fn arguments(&mut self, arguments: &str, kind: CallKind, at: &Place) -> Value {
        if kind == CallKind::Custom {
            self.losses.approximated(at.clone(), "free text, as an argument named `input`");
            return json!({"input": arguments});
        }
        match serde_json::from_str(arguments) {
            Ok(Value::Object(members)) => Value::Object(members),
            _ if arguments.trim().is_empty() => json!({}),
            _ => {
                self.losses.approximated(at.clone(), "arguments are not a JSON object: as one named `arguments`");
                json!({"arguments": arguments})
            }
        }
    }

    fn result(
        &mut self,
        id: &str,
        name: Option<&str>,
        blocks: &[Block],
        is_error: bool,
        at: &Place,
        beside: &mut Vec<Value>,
    ) -> Map<String, Value> {
        let name = name.or_else(|| self.called.get(id).map(String::as_str)).map(str::to_owned);
        let name = name.unwrap_or_else(|| {
            self.losses.approximated(at.clone(), "the result of a call that is not there: under its id");
            id.to_owned()
        });
        let (text, mut media) = self.outcome(blocks, at);
        let mut result = Map::new();
        if is_given(id) {
            result.insert("id".into(), id.into());
        }
        result.insert("name".into(), name.into());
        result.insert("response".into(), response(text, is_error));
        if self.results_hold_media && !media.is_empty() {
            result.insert("parts".into(), media.into());
        } else if !media.is_empty() {
            self.losses.approximated(at.clone(), "the result's images stand beside it");
            beside.append(&mut media);
        }
        Map::from_iter([("functionResponse".to_owned(), Value::Object(result))])
    }

    /// The texts, and all else that it has.
    fn outcome(&mut self, blocks: &[Block], at: &Place) -> (Option<String>, Vec<Value>) {
        let (mut texts, mut media) = (Vec::new(), Vec::new());
        for block in blocks {
            match &block.content {
                Content::Text { text, .. } | Content::Refusal { text } => texts.push(text.as_str()),
                Content::File { source: Source::Text { text }, .. } => {
                    self.losses.approximated(at.clone(), "a document of the result, as text");
                    texts.push(text);
                }
                Content::Image { .. } | Content::Audio { .. } | Content::File { .. } => {
                    media.extend(self.content(&block.content, at, false, &mut Vec::new()).map(Value::Object));
                }
                _ => self.losses.dropped(at.clone(), "a block that results of the target cannot hold"),
            }
        }
        if texts.len() > 1 {
            self.losses.approximated(at.clone(), "several texts of a result, as lines of one");
        }
        ((!texts.is_empty()).then(|| texts.join("\n")), media)
    }
}

fn text_part(text: &str, signed: bool) -> Option<Map<String, Value>> {
    (signed || !text.is_empty()).then(|| Map::from_iter([("text".to_owned(), text.into())]))
}

/// A JSON object is the response itself when reading it again gives the same text; anything else is its `output`.
fn response(text: Option<String>, is_error: bool) -> Value {
    if is_error {
        return json!({"error": text.unwrap_or_default()});
    }
    let Some(text) = text else { return json!({}) };
    match serde_json::from_str::<Map<String, Value>>(&text) {
        Ok(object)
            if !object.is_empty()
                && !object.contains_key("output")
                && !object.contains_key("error")
                && serde_json::to_string(&object).is_ok_and(|again| again == text) =>
        {
            Value::Object(object)
        }
        _ => json!({"output": text}),
    }
}

fn into_map(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Vertex wants the type of a file told.
fn by_ending(url: &str) -> Option<&'static str> {
    const ENDINGS: [(&str, &str); 14] = [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("webp", "image/webp"),
        ("gif", "image/gif"),
        ("heic", "image/heic"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("csv", "text/csv"),
        ("html", "text/html"),
        ("mp3", "audio/mpeg"),
        ("wav", "audio/wav"),
        ("ogg", "audio/ogg"),
        ("mp4", "video/mp4"),
    ];
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let (_, ending) = path.rsplit_once('.')?;
    ENDINGS.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, media_type)| *media_type)
}
