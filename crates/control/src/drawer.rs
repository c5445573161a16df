//! Who keeps the money, as the API asks it.
//!
//! Enters: claims of which somebody wants to know the state. Leaves: states, and the budgets into which something is split. Never: spends.

use tollgate_rules::budget::{Claim, State};
use tollgate_rules::memory::Mark;

/// Who keeps the money.
pub trait Drawer: Send + Sync {
    fn state(&self, claim: &Claim) -> State;
    /// Bucket, policy and last claim of the budgets into which one of these is split.
    fn split(&self, wholes: &[Mark]) -> Vec<Part>;
}

/// One of the budgets into which something is split.
#[derive(Clone, Debug)]
pub struct Part {
    pub whole: Mark,
    pub bucket: String,
    pub policy: Option<String>,
    pub claim: Claim,
}

/// Nobody does.
#[derive(Debug)]
pub struct NoDrawer;

// === impl NoDrawer ===

impl Drawer for NoDrawer {
    fn state(&self, claim: &Claim) -> State {
        State { limit: claim.limit, spent: 0, held: 0, from_ms: 0, until_ms: None, used_up_ms: None }
    }

    fn split(&self, _wholes: &[Mark]) -> Vec<Part> {
        Vec::new()
    }
}
