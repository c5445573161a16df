//! A question in Anthropic's words, for a provider.
//!
//! Enters: the form. Leaves: a body, and losses. Never: second-guesses a request that was in these words to begin with: only others' are fitted to what
//! the model takes.

mod block;
mod conversation;
pub(in crate::dialect) mod sampling;
pub(in crate::dialect) mod schema;
pub(in crate::dialect) mod setting;
pub(in crate::dialect) mod thinking;
mod tool;

use serde_json::Map;

use super::messages::HOME;
use super::model::Claude;
use crate::chat::{Losses, Place, Request};
use crate::dialect::carry;

pub(super) fn request(request: &Request, losses: &mut Losses) -> Vec<u8> {
    let model = Claude::of(&request.model);
    let mut body = Map::new();
    if !request.model.is_empty() {
        body.insert("model".into(), request.model.clone().into());
    }
    let conversation = conversation::of(request, losses);
    let thinking = thinking::of(request, HOME, model, conversation.thinks, losses);
    body.insert("max_tokens".into(), thinking.max_tokens.into());
    if !conversation.system.is_empty() {
        body.insert("system".into(), block::collapsed(conversation.system));
    }
    body.insert("messages".into(), conversation.messages.into());
    if request.stream {
        body.insert("stream".into(), true.into());
    }
    tool::write(request, model, &mut body, losses);
    setting::write(request, model, &thinking, &mut body, losses);
    if request.origin == HOME {
        carry::rejoin(&mut body, &request.extra);
    }
    carry::request(HOME, request, &mut body, losses);
    serde_json::to_vec(&body).expect("JSON values can always be written")
}

/// Where a block of this turn stands.
fn place(at: u32, block: usize) -> Place {
    Place::Block(at, block as u32)
}
