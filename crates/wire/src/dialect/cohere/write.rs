//! Writes a request to Cohere's `v2/chat`.
//!
//! Enters: the form. Leaves: a body. Never: a message without content: what the target cannot see is in the ledger instead.

use serde_json::{Map, Value, json};

use super::settings;
use crate::chat::{Block, CallKind, Content, Losses, Place, Request, Role, Source, ToolKind, Turn};
use crate::dialect::carry::{self, NOT_ITS_OWN};
use crate::dialect::{Dialect, data_url, functions};

const HOME: Dialect = Dialect::CohereV2;

pub(super) fn request(request: &Request, losses: &mut Losses) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("model".into(), request.model.as_str().into());
    if request.stream {
        body.insert("stream".into(), true.into());
    }
    let mut messages = Vec::new();
    for turn in &request.turns {
        message(request.origin, turn, &mut messages, losses);
    }
    body.insert("messages".into(), messages.into());
    let strict = all_strict(request);
    let tools = functions::write(HOME, request, strict, losses);
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
        if strict {
            body.insert("strict_tools".into(), true.into());
        }
    }
    settings::write(request, &mut body, losses);
    carry::request(HOME, request, &mut body, losses);
    Value::Object(body).to_string().into_bytes()
}

/// Cohere says it of all tools or of none.
fn all_strict(request: &Request) -> bool {
    let strict = |kind: &ToolKind| match kind {
        ToolKind::Function { strict, .. } => *strict == Some(true),
        _ => true,
    };
    !request.tools.is_empty() && request.tools.iter().all(|tool| strict(&tool.kind))
}

/// A turn may become several: each result of a tool is a message.
fn message(origin: Dialect, turn: &Turn, messages: &mut Vec<Value>, losses: &mut Losses) {
    let mut say = Say { origin, losses, items: Vec::new(), plan: String::new(), calls: Vec::new() };
    let role = match turn.role {
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let first = messages.len();
    // Results first and in one piece, as the target wants them; their images after them.
    let mut media = Vec::new();
    for (number, block) in turn.blocks.iter().enumerate() {
        let at = Place::Block(turn.at, number as u32);
        if block.cache.is_some() {
            say.losses.dropped(at.clone(), "mark of the prompt cache: the target has none");
        }
        if let Content::ToolResult { id, blocks, is_error, .. } = &block.content {
            say.flush(role, messages);
            if *is_error {
                say.losses.dropped(at.clone(), "that the result is an error: the target has no such mark");
            }
            let content = say.outcome(blocks, &at, &mut media);
            messages.push(json!({"role": "tool", "tool_call_id": id, "content": content}));
        } else {
            say.block(block, &at);
        }
    }
    say.items.splice(0..0, media);
    say.flush(role, messages);
    match messages.get_mut(first) {
        Some(Value::Object(message)) => carry::turn(HOME, origin, turn, message, losses),
        _ => carry::turn(HOME, origin, turn, &mut Map::new(), losses),
    }
}

/// What a message is being made of.
struct Say<'l> {
    origin: Dialect,
    losses: &'l mut Losses,
    items: Vec<Value>,
    plan: String,
    calls: Vec<Value>,
}

// === impl Say ===

impl Say<'_> {
    fn block(&mut self, block: &Block, at: &Place) {
        carry::seal(HOME, block.seal.as_ref(), at, self.losses);
        if block.seal.as_ref().is_some_and(|seal| seal.origin == HOME) {
            self.losses.dropped(at.clone(), "signature: the target signs nothing");
        }
        let Some(mut item) = self.item(&block.content, at) else { return };
        carry::block(HOME, self.origin, block, at, &mut item, self.losses);
        if matches!(block.content, Content::ToolUse { .. }) {
            self.calls.push(Value::Object(item));
        } else {
            if !self.calls.is_empty() {
                self.losses.approximated(at.clone(), "told before the calls it followed");
            }
            self.items.push(Value::Object(item));
        }
    }

    fn item(&mut self, content: &Content, at: &Place) -> Option<Map<String, Value>> {
        let item = match content {
            Content::Text { text, citations } => {
                if !citations.is_empty() {
                    self.losses.dropped(at.clone(), "citations: of another provider's documents");
                }
                json!({"type": "text", "text": text})
            }
            Content::Refusal { text } => {
                self.losses.approximated(at.clone(), "a refusal, as text");
                json!({"type": "text", "text": text})
            }
            Content::Reasoning { text, summary: true } if self.origin == HOME => {
                self.plan.push_str(text);
                return None;
            }
            // Nothing but a seal is left of it.
            Content::Reasoning { text, .. } if text.is_empty() => return None,
            Content::Reasoning { text, .. } => json!({"type": "thinking", "thinking": text}),
            Content::Image { source, detail } => self.image(source, detail.as_deref(), at)?,
            Content::File { source: Source::Text { text }, .. } => {
                self.losses.approximated(at.clone(), "a document, as text");
                json!({"type": "text", "text": text})
            }
            Content::ToolUse { id, name, arguments, kind } => {
                if *kind == CallKind::Custom {
                    self.losses.approximated(at.clone(), "free text, as arguments");
                }
                json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
            }
            Content::Opaque { origin, value } if *origin == HOME => value.clone(),
            Content::Opaque { .. } => return self.lost(at, NOT_ITS_OWN),
            Content::Audio { .. } => return self.lost(at, "the target hears nothing"),
            Content::File { .. } => return self.lost(at, "the target reads no files"),
            Content::ToolResult { .. } => return self.lost(at, "a result within a result"),
        };
        match item {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    fn lost(&mut self, at: &Place, why: &'static str) -> Option<Map<String, Value>> {
        self.losses.dropped(at.clone(), why);
        None
    }

    fn image(&mut self, source: &Source, detail: Option<&str>, at: &Place) -> Option<Value> {
        let url = match source {
            Source::Data { media_type, base64 } => data_url::write(media_type, base64),
            Source::Url { url, .. } => url.clone(),
            Source::Id { .. } | Source::Text { .. } => {
                self.losses.dropped(at.clone(), NOT_ITS_OWN);
                return None;
            }
        };
        let mut image = Map::from_iter([("url".to_owned(), Value::String(url))]);
        image.extend(detail.map(|detail| ("detail".to_owned(), detail.into())));
        Some(json!({"type": "image_url", "image_url": image}))
    }

    /// Text and documents stay with the result, images come in a message after it.
    fn outcome(&mut self, blocks: &[Block], at: &Place, media: &mut Vec<Value>) -> Value {
        let mut items = Vec::new();
        for block in blocks {
            let Some(item) = self.item(&block.content, at) else { continue };
            if matches!(block.content, Content::Image { .. }) {
                self.losses.approximated(at.clone(), "the result's images stand in a message after it");
                media.push(Value::Object(item));
            } else {
                items.push(Value::Object(item));
            }
        }
        match items.is_empty() {
            true => "".into(),
            false => content(items),
        }
    }

    fn flush(&mut self, role: &str, messages: &mut Vec<Value>) {
        let (items, calls) = (std::mem::take(&mut self.items), std::mem::take(&mut self.calls));
        let plan = std::mem::take(&mut self.plan);
        if items.is_empty() && calls.is_empty() && plan.is_empty() {
            return;
        }
        let mut message = Map::from_iter([("role".to_owned(), role.into())]);
        if !items.is_empty() {
            message.insert("content".into(), content(items));
        }
        if !plan.is_empty() {
            message.insert("tool_plan".into(), plan.into());
        }
        if !calls.is_empty() {
            message.insert("tool_calls".into(), calls.into());
        }
        messages.push(Value::Object(message));
    }
}

/// One plain text is a string.
fn content(items: Vec<Value>) -> Value {
    match items.as_slice() {
        [Value::Object(only)] if only.len() == 2 && only.get("type").is_some_and(|kind| kind == "text") => {
            only.get("text").cloned().unwrap_or_default()
        }
        _ => items.into(),
    }
}
