//! Turns, as the items of a question.
//!
//! Enters: turns. Leaves: items, in their order. Never: somebody else's thoughts as if they were OpenAI's: without its seal OpenAI refuses them.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{HOME, parts};
use crate::chat::{Block, CallKind, Content, Losses, Place, Request, Role, Seal, Source, Turn};
use crate::dialect::carry;

struct Writer<'r> {
    request: &'r Request,
    /// Calls whose results are told in other words.
    custom: HashSet<&'r str>,
    items: Vec<Value>,
}

pub(super) fn items(request: &Request, turns: &[Turn], losses: &mut Losses) -> Vec<Value> {
    let calls = request.turns.iter().flat_map(|turn| &turn.blocks).filter_map(|block| match &block.content {
        Content::ToolUse { id, kind: CallKind::Custom, .. } => Some(id.as_str()),
        _ => None,
    });
    let mut writer = Writer { request, custom: calls.collect(), items: Vec::new() };
    turns.iter().for_each(|turn| writer.turn(turn, losses));
    writer.items
}

/// Is this a part of a message, or an item of its own? Parts that are not known are told by the names that parts have.
fn is_part(content: &Content) -> bool {
    match content {
        Content::Text { .. } | Content::Refusal { .. } | Content::File { .. } | Content::Audio { .. } => true,
        Content::Image { .. } => true,
        Content::Opaque { origin: HOME, value } => {
            let kind = value["type"].as_str().unwrap_or_default();
            kind.starts_with("input_") || kind.starts_with("output_")
        }
        _ => false,
    }
}

// === impl Writer ===

impl Writer<'_> {
    fn turn(&mut self, turn: &Turn, losses: &mut Losses) {
        let mut parts = Vec::new();
        for (at, block) in turn.blocks.iter().enumerate() {
            let place = Place::Block(turn.at, at as u32);
            if !matches!(block.content, Content::Reasoning { .. }) {
                carry::seal(HOME, block.seal.as_ref(), &place, losses);
            }
            if is_part(&block.content) && !is_made_image(turn.role, &block.content) {
                parts.extend(parts::write(block, turn.role, self.request.origin, &place, losses));
                continue;
            }
            self.message(turn, &mut parts, losses);
            if let Some(item) = self.item(block, &place, losses) {
                self.items.push(item);
            }
        }
        self.message(turn, &mut parts, losses);
    }

    fn message(&mut self, turn: &Turn, parts: &mut Vec<Value>, losses: &mut Losses) {
        if parts.is_empty() {
            return;
        }
        let role = match turn.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let mut message = Map::new();
        message.insert("type".into(), "message".into());
        message.insert("role".into(), role.into());
        message.insert("content".into(), std::mem::take(parts).into());
        carry::turn(HOME, self.request.origin, turn, &mut message, losses);
        self.items.push(Value::Object(message));
    }

    fn item(&self, block: &Block, at: &Place, losses: &mut Losses) -> Option<Value> {
        let item = match &block.content {
            Content::ToolUse { id, name, arguments, kind: CallKind::Function } => {
                json!({"type": "function_call", "call_id": id, "name": name, "arguments": arguments})
            }
            Content::ToolUse { id, name, arguments, kind: CallKind::Custom } => {
                json!({"type": "custom_tool_call", "call_id": id, "name": name, "input": arguments})
            }
            Content::ToolResult { id, blocks, is_error, .. } => self.outcome(id, blocks, *is_error, at, losses),
            Content::Reasoning { text, summary } => self.thought(text, *summary, block.seal.as_ref(), at, losses)?,
            Content::Image { source: Source::Data { media_type, base64 }, .. } => {
                let format = media_type.strip_prefix("image/").unwrap_or("png");
                json!({"type": "image_generation_call", "status": "completed", "result": base64, "output_format": format})
            }
            Content::Opaque { origin: HOME, value } => return Some(value.clone()),
            _ => {
                losses.dropped(at.clone(), carry::NOT_ITS_OWN);
                return None;
            }
        };
        let mut item = parts::object(item)?;
        if block.cache.is_some() {
            losses.dropped(at.clone(), "the provider decides itself what its prompt cache keeps");
        }
        carry::block(HOME, self.request.origin, block, at, &mut item, losses);
        Some(Value::Object(item))
    }

    fn outcome(&self, id: &str, blocks: &[Block], is_error: bool, at: &Place, losses: &mut Losses) -> Value {
        if is_error {
            losses.dropped(at.clone(), "there is no mark for a tool's failure; its words are kept");
        }
        let kind = if self.custom.contains(id) { "custom_tool_call_output" } else { "function_call_output" };
        let output = match blocks {
            [] => Value::String(String::new()),
            [Block { content: Content::Text { text, .. }, cache: None, extra, .. }] if extra.is_empty() => {
                text.as_str().into()
            }
            blocks => {
                let origin = self.request.origin;
                blocks.iter().filter_map(|block| parts::write(block, Role::User, origin, at, losses)).collect()
            }
        };
        json!({"type": kind, "call_id": id, "output": output})
    }

    /// OpenAI takes a thought back as a summary, with its seal; other hosts that speak this dialect take it as it is.
    fn thought(
        &self,
        text: &str,
        summary: bool,
        seal: Option<&Seal>,
        at: &Place,
        losses: &mut Losses,
    ) -> Option<Value> {
        let own = carry::seal(HOME, seal, at, losses);
        let foreign = self.request.origin != HOME;
        if own.is_none() && (foreign || seal.is_some()) {
            if seal.is_none() {
                losses.dropped(at.clone(), "a thought without its provider's seal");
            }
            return None;
        }
        let texts: Vec<&str> = if text.is_empty() { Vec::new() } else { vec![text] };
        let part = |kind: &str| texts.iter().map(|text| json!({"type": kind, "text": text})).collect::<Vec<_>>();
        let mut item = match summary || foreign {
            true => json!({"type": "reasoning", "summary": part("summary_text")}),
            false => json!({"type": "reasoning", "summary": [], "content": part("reasoning_text")}),
        };
        if let Some(seal) = own {
            item["encrypted_content"] = seal.data.as_str().into();
            item["id"] = seal.id.as_deref().map_or(Value::Null, Value::from);
        }
        Some(item)
    }
}

/// An image that the assistant made is an item; one that was shown to it is a part.
fn is_made_image(role: Role, content: &Content) -> bool {
    role == Role::Assistant && matches!(content, Content::Image { source: Source::Data { .. }, .. })
}
