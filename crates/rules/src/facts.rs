//! What is known of a request when its way is chosen.
//!
//! Enters: headers, metadata and the JSON body of a request, a seed. Leaves: answers to "what stands at this path?".
//! Never: draws a random number: the seed is handed in, and the same facts lead the same way.

use std::sync::Arc;

use http::HeaderMap;
use serde_json::Value;
use tollgate_model::{Id, Metadata};

use crate::memory::Mark;

#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub headers: HeaderMap,
    pub metadata: Metadata,
    /// The caller's body; `Null` when it is not JSON, or when nothing asks for it (see [`crate::route::Route::reads_body`]).
    pub body: Value,
    /// The largest part that is used of the caller's budgets that ask for no model: 0.8. `Null` when nobody asks (see [`crate::route::Route::reads_budget`]).
    pub budget_used: Value,
    /// Decides every draw of the walk: [`Facts::seed_of`] the request's id.
    pub seed: u64,
    /// What [`crate::memory::Memory`] remembered of earlier requests with the same sticky keys.
    pub remembered: Vec<(Mark, Arc<str>)>,
}

// === impl Facts ===

impl Facts {
    /// The seed of a request: fed with it, the simulator draws what was drawn.
    pub fn seed_of(id: Id) -> u64 {
        id.noise().unsigned_abs()
    }

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
