//! The till, as the API asks it.
//!
//! Enters: claims. Leaves: their budgets' states now. Never: spends.

use std::sync::Arc;

use tollgate_control::drawer::{Drawer, Part};
use tollgate_engine::{Named, Till};
use tollgate_model::Clock;
use tollgate_rules::budget::{Claim, State};
use tollgate_rules::memory::Mark;

pub(crate) struct TillDrawer(pub(crate) Arc<Till>);

impl Drawer for TillDrawer {
    fn state(&self, claim: &Claim) -> State {
        self.0.state(claim, Clock::System.unix_ms())
    }

    fn split(&self, wholes: &[Mark]) -> Vec<Part> {
        let named = self.0.named(|named| wholes.contains(&named.whole));
        named.into_iter().map(|Named { whole, bucket, policy, claim }| Part { whole, bucket, policy, claim }).collect()
    }
}
