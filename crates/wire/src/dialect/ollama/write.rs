//! Writes a request to Ollama's `/api/chat`.
//!
//! Enters: the form. Leaves: a body. Never: an address: Ollama fetches nothing.
//!
//! A message has one text, its images apart, and its calls after it. Adjacent messages of one role are one to Ollama
//! (<https://github.com/ollama/ollama/blob/main/template/template.go>, `collate`), so a turn that does not fit into one becomes several and stays in order.

use serde_json::{Map, Value, json};

use super::read::MADE_ID;
use super::settings;
use crate::chat::{Block, CallKind, Content, Field, Losses, Place, Request, Role, Source, ToolChoice, Turn};
use crate::dialect::carry::{self, NOT_ITS_OWN};
use crate::dialect::{Dialect, functions};

const HOME: Dialect = Dialect::OllamaChat;

pub(super) fn request(request: &Request, losses: &mut Losses) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("model".into(), request.model.as_str().into());
    let mut messages = Vec::new();
    for turn in &request.turns {
        self::turn(request.origin, turn, &mut messages, losses);
    }
    body.insert("messages".into(), messages.into());
    body.insert("stream".into(), request.stream.into());
    let tools = match request.settings.tool_choice {
        Some(ToolChoice::None) => {
            let place = Place::Setting(Field::ToolChoice);
            losses.approximated(place, "tools that may not be used are not told");
            Vec::new()
        }
        _ => functions::write(HOME, request, false, losses),
    };
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
    }
    settings::write(request, &mut body, losses);
    match request.origin {
        HOME => carry::bring_home(&request.extra, &mut body),
        _ => carry::request(HOME, request, &mut body, losses),
    }
    Value::Object(body).to_string().into_bytes()
}

fn turn(origin: Dialect, turn: &Turn, messages: &mut Vec<Value>, losses: &mut Losses) {
    let role = match turn.role {
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let first = messages.len();
    let mut say = Say { origin, role, losses, message: Message::default(), messages };
    for (number, block) in turn.blocks.iter().enumerate() {
        say.block(block, &Place::Block(turn.at, number as u32));
    }
    say.flush();
    match messages.get_mut(first) {
        Some(Value::Object(message)) => carry::turn(HOME, origin, turn, message, losses),
        _ => carry::turn(HOME, origin, turn, &mut Map::new(), losses),
    }
}

#[derive(Default)]
struct Message {
    thinking: Option<String>,
    content: Option<String>,
    images: Vec<Value>,
    calls: Vec<Value>,
}

struct Say<'l> {
    origin: Dialect,
    role: &'static str,
    losses: &'l mut Losses,
    message: Message,
    messages: &'l mut Vec<Value>,
}

// === impl Say ===

impl Say<'_> {
    fn block(&mut self, block: &Block, at: &Place) {
        if block.cache.is_some() {
            self.losses.dropped(at.clone(), "mark of the prompt cache: the target has none");
        }
        if carry::seal(HOME, block.seal.as_ref(), at, self.losses).is_some() {
            self.losses.dropped(at.clone(), "signature: the target signs nothing");
        }
        let mut call = Map::new();
        carry::block(HOME, self.origin, block, at, &mut call, self.losses);
        match &block.content {
            Content::Text { text, citations } => {
                if !citations.is_empty() {
                    self.losses.dropped(at.clone(), "citations: the target has none");
                }
                self.text(text);
            }
            Content::Refusal { text } => {
                self.losses.approximated(at.clone(), "a refusal, as text");
                self.text(text);
            }
            Content::File { source: Source::Text { text }, .. } => {
                self.losses.approximated(at.clone(), "a document, as text");
                self.text(text);
            }
            Content::Reasoning { text, .. } => self.thought(text),
            Content::Image { source, detail } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.losses.dropped(at.clone(), format!("detail: {}", carry::NO_PLACE));
                }
                let image = self.image(source, at);
                self.message.images.extend(image);
            }
            Content::ToolUse { id, name, arguments, kind } => {
                call.insert("function".into(), self.function(name, arguments, *kind, at));
                if !id.starts_with(MADE_ID) {
                    call.insert("id".into(), id.as_str().into());
                }
                self.message.calls.push(Value::Object(call));
            }
            Content::ToolResult { id, name, blocks, is_error } => {
                if *is_error {
                    self.losses.dropped(at.clone(), "that the result is an error: the target has no such mark");
                }
                self.result(id, name.as_deref(), blocks, at);
            }
            Content::Audio { .. } | Content::File { .. } | Content::Opaque { .. } => {
                self.losses.dropped(at.clone(), "the target reads text and images");
            }
        }
    }

    fn text(&mut self, text: &str) {
        let message = &self.message;
        if message.content.is_some() || !message.images.is_empty() || !message.calls.is_empty() {
            self.flush();
        }
        self.message.content = Some(text.to_owned());
    }

    fn thought(&mut self, text: &str) {
        let Message { thinking, content, images, calls } = &self.message;
        if thinking.is_some() || content.is_some() || !images.is_empty() || !calls.is_empty() {
            self.flush();
        }
        if !text.is_empty() {
            self.message.thinking = Some(text.to_owned());
        }
    }

    fn image(&mut self, source: &Source, at: &Place) -> Option<Value> {
        match source {
            Source::Data { base64, .. } => Some(base64.as_str().into()),
            Source::Url { .. } => {
                self.losses.dropped(at.clone(), "the target fetches no images");
                None
            }
            _ => {
                self.losses.dropped(at.clone(), NOT_ITS_OWN);
                None
            }
        }
    }

    fn function(&mut self, name: &str, arguments: &str, kind: CallKind, at: &Place) -> Value {
        json!({"name": name, "arguments": self::arguments(arguments, kind, at, self.losses)})
    }

    fn result(&mut self, id: &str, name: Option<&str>, blocks: &[Block], at: &Place) {
        self.flush();
        let (mut texts, mut images) = (Vec::new(), Vec::new());
        for block in blocks {
            match &block.content {
                Content::Text { text, .. } | Content::Refusal { text } => texts.push(text.as_str()),
                Content::File { source: Source::Text { text }, .. } => texts.push(text),
                Content::Image { source, .. } => images.extend(self.image(source, at)),
                _ => self.losses.dropped(at.clone(), "a block that results of the target cannot hold"),
            }
        }
        if texts.len() > 1 {
            self.losses.approximated(at.clone(), "several texts of a result, as lines of one");
        }
        let mut message =
            Map::from_iter([("role".to_owned(), Value::from("tool")), ("content".to_owned(), texts.join("\n").into())]);
        message.extend(name.map(|name| ("tool_name".to_owned(), name.into())));
        if !id.starts_with(MADE_ID) {
            message.insert("tool_call_id".into(), id.into());
        }
        self.messages.push(Value::Object(message));
        if !images.is_empty() {
            self.losses.approximated(at.clone(), "the result's images stand in a message after it");
            self.message.images = images;
            self.flush();
        }
    }

    fn flush(&mut self) {
        let Message { thinking, content, images, calls } = std::mem::take(&mut self.message);
        if thinking.is_none() && content.is_none() && images.is_empty() && calls.is_empty() {
            return;
        }
        let mut message = Map::from_iter([("role".to_owned(), Value::from(self.role))]);
        message.insert("content".into(), content.unwrap_or_default().into());
        message.extend(thinking.map(|text| ("thinking".to_owned(), text.into())));
        if !images.is_empty() {
            message.insert("images".into(), images.into());
        }
        if !calls.is_empty() {
            message.insert("tool_calls".into(), calls.into());
        }
        self.messages.push(Value::Object(message));
    }
}

/// An object, as Ollama wants it.
pub(super) fn arguments(arguments: &str, kind: CallKind, at: &Place, losses: &mut Losses) -> Value {
    if kind == CallKind::Custom {
        losses.approximated(at.clone(), "free text, as an argument named `input`");
        return json!({"input": arguments});
    }
    match serde_json::from_str(arguments) {
        Ok(Value::Object(members)) => Value::Object(members),
        _ if arguments.trim().is_empty() => json!({}),
        _ => {
            losses.approximated(at.clone(), "arguments are not a JSON object: as one named `arguments`");
            json!({"arguments": arguments})
        }
    }
}
