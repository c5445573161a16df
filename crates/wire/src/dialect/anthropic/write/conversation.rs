//! Turns as messages, and system text beside them.
//!
//! Enters: a request. Leaves: `system` and `messages`. Never: leaves two turns of one role apart that another dialect took apart: results of one round
//! of tools must come in one message.

use serde_json::{Map, Value};

use super::super::messages::HOME;
use super::{block::Scribe, place};
use crate::chat::{Content, Losses, Place, Request, Role, Turn};
use crate::dialect::{beside, carry};

pub(super) struct Conversation {
    pub(super) system: Vec<Value>,
    pub(super) messages: Vec<Value>,
    /// The round of tools at the end begins with a thought, or there is none.
    pub(super) thinks: bool,
}

struct Message {
    role: Role,
    content: Vec<Value>,
    more: Map<String, Value>,
    /// A thought of another provider was left out.
    thoughtless: bool,
}

pub(super) fn of(request: &Request, losses: &mut Losses) -> Conversation {
    let mut system = Vec::new();
    let mut messages: Vec<Message> = Vec::new();
    for turn in &request.turns {
        if is_outside(request, turn) {
            if !messages.is_empty() {
                losses.approximated(Place::Turn(turn.at), "moved to the front");
            }
            system.extend(system_text(request, turn, losses));
            carry::turn(HOME, request.origin, turn, &mut Map::new(), losses);
            continue;
        }
        let message = message(request, turn, losses);
        match messages.last_mut() {
            Some(last) if request.origin != HOME && last.role == message.role => {
                last.content.extend(message.content);
                last.thoughtless |= message.thoughtless;
            }
            _ => messages.push(message),
        }
    }
    messages.retain(|message| !message.content.is_empty() || !message.more.is_empty());
    if messages.is_empty() && !system.is_empty() && request.origin != HOME {
        losses.approximated(Place::Turn(0), "instructions alone are told as the user's words");
        let content = std::mem::take(&mut system);
        messages.push(Message { role: Role::User, content, more: Map::new(), thoughtless: false });
    }
    let thinks = thinks(&messages, request.origin != HOME);
    Conversation { system, thinks, messages: messages.into_iter().map(Message::into_value).collect() }
}

/// At home there may be system messages between the others.
fn is_outside(request: &Request, turn: &Turn) -> bool {
    let instructs = matches!(turn.role, Role::System | Role::Developer);
    instructs && (request.origin != HOME || turn.at == Turn::OUTSIDE)
}

fn system_text(request: &Request, turn: &Turn, losses: &mut Losses) -> Vec<Value> {
    let mut told = Vec::new();
    for (number, block) in turn.blocks.iter().enumerate() {
        let at = place(turn.at, number);
        match block.content {
            Content::Text { .. } | Content::Opaque { .. } => {
                told.extend(Scribe { origin: request.origin, losses }.block(block, &at));
            }
            _ => losses.dropped(at, "instructions are text alone"),
        }
    }
    told
}

fn message(request: &Request, turn: &Turn, losses: &mut Losses) -> Message {
    let mut content = Vec::new();
    let mut thoughtless = false;
    for (number, block) in turn.blocks.iter().enumerate() {
        let told = Scribe { origin: request.origin, losses }.block(block, &place(turn.at, number));
        thoughtless |= told.is_none() && beside::is_reasoning(block);
        content.extend(told);
    }
    if request.origin != HOME && turn.role == Role::User {
        // Anything before a result hides it from the call it belongs to.
        content.sort_by_key(|block| !is(block, "tool_result"));
    }
    let mut more = Map::new();
    carry::turn(HOME, request.origin, turn, &mut more, losses);
    Message { role: turn.role, content, more, thoughtless }
}

fn is(block: &Value, kind: &str) -> bool {
    block.get("type").and_then(Value::as_str) == Some(kind)
}

/// With manual thinking, the assistant's turn before the last results must begin with its thought. When another provider made that turn there is none
/// that could be shown.
fn thinks(messages: &[Message], foreign: bool) -> bool {
    let [.., calls, results] = messages else { return true };
    let in_round = calls.role == Role::Assistant && results.content.iter().any(|block| is(block, "tool_result"));
    if !in_round || !(foreign || calls.thoughtless) {
        return true;
    }
    calls.content.first().is_none_or(|first| is(first, "thinking") || is(first, "redacted_thinking"))
}

// === impl Message ===

impl Message {
    fn into_value(self) -> Value {
        let role = match self.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System | Role::Developer => "system",
        };
        let mut message = Map::new();
        message.insert("role".into(), role.into());
        if !self.content.is_empty() {
            message.insert("content".into(), super::block::collapsed(self.content));
        }
        message.extend(self.more);
        message.into()
    }
}
