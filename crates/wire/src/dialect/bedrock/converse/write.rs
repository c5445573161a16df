//! A question in Converse's words, for a provider.
//!
//! Enters: the form. Leaves: a body, and losses. Never: second-guesses a request that was in these words to begin with.

mod block;
mod setting;
mod tool;

use serde_json::{Map, Value, json};

use super::HOME;
use crate::chat::{Content, Losses, Place, Request, Role, Turn};
use crate::dialect::anthropic::{Claude, thinking};
use crate::dialect::{beside, carry};

use block::Scribe;

pub(super) fn request(request: &Request, losses: &mut Losses) -> Vec<u8> {
    let mut body = Map::new();
    let conversation = conversation(request, losses);
    let model = Claude::of(&request.model);
    let thinking = match setting::is_claude(request) {
        true => thinking::of(request, HOME, model, conversation.thinks, losses),
        false => setting::unthinking(request, losses),
    };
    if !conversation.system.is_empty() {
        body.insert("system".into(), conversation.system.into());
    }
    body.insert("messages".into(), conversation.messages.into_iter().map(Message::into_value).collect());
    tool::write(request, model, &mut body, losses);
    setting::write(request, model, &thinking, &mut body, losses);
    if request.origin == HOME {
        carry::rejoin(&mut body, &request.extra);
    }
    carry::request(HOME, request, &mut body, losses);
    serde_json::to_vec(&body).expect("JSON values can always be written")
}

struct Conversation {
    system: Vec<Value>,
    messages: Vec<Message>,
    /// The round of tools at the end begins with a thought, or there is none.
    thinks: bool,
}

struct Message {
    role: Role,
    content: Vec<Value>,
    more: Map<String, Value>,
    /// A thought of another provider was left out.
    thoughtless: bool,
}

/// Roles must take turns: other dialects' adjacent turns of one role are one message.
fn conversation(request: &Request, losses: &mut Losses) -> Conversation {
    let mut system = Vec::new();
    let mut messages: Vec<Message> = Vec::new();
    for turn in &request.turns {
        let instructs = matches!(turn.role, Role::System | Role::Developer);
        if instructs && (request.origin != HOME || turn.at == Turn::OUTSIDE) {
            if !messages.is_empty() {
                losses.approximated(Place::Turn(turn.at), "moved to the front");
            }
            system.extend(told(request, turn, true, losses).0);
            carry::turn(HOME, request.origin, turn, &mut Map::new(), losses);
            continue;
        }
        let (content, thoughtless) = told(request, turn, false, losses);
        let mut more = Map::new();
        carry::turn(HOME, request.origin, turn, &mut more, losses);
        match messages.last_mut() {
            Some(last) if request.origin != HOME && last.role == turn.role => {
                last.content.extend(content);
                last.thoughtless |= thoughtless;
            }
            _ => messages.push(Message { role: turn.role, content, more, thoughtless }),
        }
    }
    messages.retain(|message| !message.content.is_empty());
    if messages.is_empty() && !system.is_empty() && request.origin != HOME {
        losses.approximated(Place::Turn(0), "instructions alone are told as the user's words");
        let content = std::mem::take(&mut system);
        messages.push(Message { role: Role::User, content, more: Map::new(), thoughtless: false });
    }
    let thinks = thinks(&messages, request.origin != HOME);
    Conversation { system, messages, thinks }
}

/// The turn's blocks, and whether a thought had to be left out.
fn told(request: &Request, turn: &Turn, is_system: bool, losses: &mut Losses) -> (Vec<Value>, bool) {
    let (mut content, mut thoughtless) = (Vec::new(), false);
    for (number, block) in turn.blocks.iter().enumerate() {
        let at = Place::Block(turn.at, number as u32);
        if is_system && !matches!(block.content, Content::Text { .. } | Content::Opaque { .. }) {
            losses.dropped(at, "instructions are text alone");
            continue;
        }
        let before = content.len();
        Scribe { request, losses }.block(block, &at, &mut content);
        thoughtless |= content.len() == before && beside::is_reasoning(block);
    }
    (content, thoughtless)
}

/// Claude's rule for manual thinking; see Anthropic's `thinks`.
fn thinks(messages: &[Message], foreign: bool) -> bool {
    let [.., calls, results] = messages else { return true };
    let in_round =
        calls.role == Role::Assistant && results.content.iter().any(|block| block.get("toolResult").is_some());
    if !in_round || !(foreign || calls.thoughtless) {
        return true;
    }
    calls.content.first().is_none_or(|first| first.get("reasoningContent").is_some())
}

// === impl Message ===

impl Message {
    fn into_value(self) -> Value {
        let role = match self.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System | Role::Developer => "system",
        };
        let mut message = json!({ "role": role, "content": self.content });
        if let Value::Object(members) = &mut message {
            members.extend(self.more);
        }
        message
    }
}
