//! `/client/v4/accounts/{account}/ai/...`: the same calls where the original's REST API has them.
//!
//! Enters: what follows the account. Leaves: its row, or nothing: the rest of the REST API is the control plane's. Never: forwards a credential of the
//! caller's: on this host it is always meant for the gateway.
//!
//! The Anthropic SDK appends `v1/messages` to a base URL that ends in `v1`, hence the doubled rows (data-plane specification, section 1.1).

use super::{CHAT, COUNT_TOKENS, Call, EMBEDDINGS, MESSAGES, RESPONSES, Surface, find};

pub(crate) const ROOT: &str = "/client/v4/accounts/";
const FOLDER: &str = "ai/";
const RUN: &str = "run/";

static ROWS: [Surface; 11] = [
    Surface::rest("v1/chat/completions", Call::Unified(CHAT)),
    Surface::rest("v1/responses", Call::Unified(RESPONSES)),
    Surface::rest("v1/messages", Call::Unified(MESSAGES)),
    Surface::rest("v1/v1/messages", Call::Unified(MESSAGES)),
    Surface::rest("v1/messages/count_tokens", Call::Unified(COUNT_TOKENS)),
    Surface::rest("v1/v1/messages/count_tokens", Call::Unified(COUNT_TOKENS)),
    Surface::rest("v1/embeddings", Call::Unified(EMBEDDINGS)),
    Surface::rest("v1/models", Call::Models),
    Surface::rest("v1/v1/models", Call::Models),
    Surface::rest("run", Call::Run),
    Surface::rest("run/{model}", Call::Run),
];

/// The row, and what follows it: a model in the path. `below` is everything behind the account and its slash, without query.
pub(crate) fn row(below: &str) -> Option<(&'static Surface, &str)> {
    let path = below.strip_prefix(FOLDER)?;
    match path.strip_prefix(RUN).map(|model| model.trim_matches('/')).filter(|model| !model.is_empty()) {
        Some(model) => Some((&ROWS[ROWS.len() - 1], model)),
        None => find(&ROWS, path).map(|row| (row, "")),
    }
}
