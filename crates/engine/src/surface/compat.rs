//! `/v1/{account}/{gateway}/compat/...`: every provider in OpenAI's words.
//!
//! Enters: what follows `compat/`. Leaves: its row. Never: reaches another path of a provider: what is not listed is nowhere.

use super::{CHAT, Call, EMBEDDINGS, RESPONSES, Surface, find};

/// In the place of a provider's segment, and as a provider of the universal endpoint.
pub(crate) const SEGMENT: &str = "compat";

static ROWS: [Surface; 8] = [
    Surface::gateway("chat/completions", Call::Unified(CHAT)),
    Surface::gateway("v1/chat/completions", Call::Unified(CHAT)),
    Surface::gateway("responses", Call::Unified(RESPONSES)),
    Surface::gateway("v1/responses", Call::Unified(RESPONSES)),
    Surface::gateway("embeddings", Call::Unified(EMBEDDINGS)),
    Surface::gateway("v1/embeddings", Call::Unified(EMBEDDINGS)),
    Surface::gateway("models", Call::Models),
    Surface::gateway("v1/models", Call::Models),
];

/// Also of a custom domain: what has no provider.
pub(crate) static NOWHERE: Surface = Surface::gateway("{rest}", Call::Nowhere);

pub(crate) fn row(path: &str) -> &'static Surface {
    find(&ROWS, path).unwrap_or(&NOWHERE)
}
