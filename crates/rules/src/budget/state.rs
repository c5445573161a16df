//! How a budget stands, and when it will be used up if spending goes on like this.
//!
//! Enters: what is spent and held since when; the limit. Leaves: the same with a forecast. Never: foretells beyond the period, or from nothing.

use super::{Claim, Span};

/// A budget as people see it, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub limit: u64,
    pub spent: u64,
    /// By requests under way.
    pub held: u64,
    /// When the first of what counts now was spent, or the period began. Unix milliseconds.
    pub from_ms: u64,
    /// When the period ends; of a sliding window, when the first of what counts leaves it. `None`: nothing counts, or it never ends.
    pub until_ms: Option<u64>,
    /// At the pace since `from_ms`. `None`: not before what is spent leaves the window again.
    pub used_up_ms: Option<u64>,
}

// === impl State ===

impl State {
    pub(super) fn of(claim: &Claim, taken: (u64, u64), counted: Option<(u64, u64)>, now_ms: u64) -> Self {
        let (spent, held) = taken;
        let from_ms = match (claim.span, counted) {
            (Span::Calendar(period), _) => period.around(now_ms).from_ms,
            (_, Some((from_ms, _))) => from_ms,
            (_, None) => now_ms,
        };
        let until_ms = match claim.span {
            Span::Calendar(period) => Some(period.around(now_ms).until_ms),
            Span::Ever => None,
            _ => counted.map(|(_, until_ms)| until_ms),
        };
        // Of a sliding window: when pace and what leaves begin to balance.
        let horizon_ms = match claim.span {
            Span::Sliding(window_ms) => from_ms.saturating_add(window_ms),
            _ => until_ms.unwrap_or(u64::MAX),
        };
        let used_up_ms = used_up(spent, claim.limit, from_ms, now_ms).filter(|at_ms| *at_ms < horizon_ms);
        Self { limit: claim.limit, spent, held, from_ms, until_ms, used_up_ms }
    }

    /// Neither spent nor held.
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.spent).saturating_sub(self.held)
    }

    /// Spent and held, of the limit; may be more than 1.
    pub fn used(&self) -> f64 {
        let used = self.spent.saturating_add(self.held);
        if used == 0 { 0.0 } else { used as f64 / self.limit.max(1) as f64 }
    }
}

/// What is spent already took so long; the rest takes as long in proportion.
fn used_up(spent: u64, limit: u64, from_ms: u64, now_ms: u64) -> Option<u64> {
    if spent == 0 {
        return None;
    }
    let took_ms = u128::from(now_ms.saturating_sub(from_ms).max(1));
    let more_ms = u128::from(limit.saturating_sub(spent)) * took_ms / u128::from(spent);
    u64::try_from(more_ms).ok().and_then(|more_ms| now_ms.checked_add(more_ms))
}
