//! What is known of a request when its way is chosen.
//!
//! Enters: headers, metadata and the JSON body of a request, a seed. Leaves: answers to "what stands at this path?".
//! Never: draws a random number: the seed is handed in, and the same facts lead the same way.

use http::HeaderMap;
use serde_json::Value;
use tollgate_model::Metadata;

use crate::memory::Mark;

#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub headers: HeaderMap,
    pub metadata: Metadata,
    /// The caller's body; `Null` when it is not JSON, or when nothing asks for it (see [`crate::route::Route::reads_body`]).
    pub body: Value,
    /// Decides every draw of the walk. Any number that differs from request to request, such as the bits of its id.
    pub seed: u64,
    /// What [`crate::memory::Memory`] remembered of earlier requests with the same sticky keys.
    pub remembered: Vec<(Mark, std::sync::Arc<str>)>,
}

// === impl Facts ===

impl Facts {
    /// The model the caller named.
    pub fn model(&self) -> Option<&str> {
        self.body.get("model")?.as_str()
    }

    pub fn stream(&self) -> bool {
        self.body.get("stream").and_then(Value::as_bool).unwrap_or(false)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
