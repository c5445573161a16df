//! A question for a provider: the top of it.
//!
//! Enters: a [`Request`]. Leaves: the body. Never: leaves a caller's conversation on OpenAI's servers when the caller has not asked for it:
//! `store` is on there unless one says otherwise.

use serde_json::{Map, Value};

use super::{HOME, settings, tools, write_input};
use crate::chat::{Block, Content, Losses, Request, Role, Turn};
use crate::dialect::carry;

pub(super) fn request(request: &Request, losses: &mut Losses) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("model".into(), request.model.as_str().into());
    let mut turns = request.turns.as_slice();
    if let Some((instructions, rest)) = instructions(turns) {
        body.insert("instructions".into(), instructions.into());
        turns = rest;
    }
    body.insert("input".into(), write_input::items(request, turns, losses).into());
    let tools = tools::write(request, losses);
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
    }
    settings::write(request, &mut body, losses);
    if request.stream {
        body.insert("stream".into(), true.into());
    }
    carry::request(HOME, request, &mut body, losses);
    if request.origin != HOME {
        body.entry("store").or_insert(Value::Bool(false));
    }
    body
}

/// The first turn, when it is what `instructions` can say: one plain text that stood outside the list.
fn instructions(turns: &[Turn]) -> Option<(&str, &[Turn])> {
    let (first, rest) = turns.split_first()?;
    let outside = first.role == Role::System && first.at == Turn::OUTSIDE && first.extra.is_empty();
    match first.blocks.as_slice() {
        [Block { content: Content::Text { text, .. }, seal: None, cache: None, extra }]
            if outside && extra.is_empty() =>
        {
            Some((text, rest))
        }
        _ => None,
    }
}
