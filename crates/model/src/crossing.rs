//! A budget of which so much is used that somebody wants to know.
//!
//! Enters: what `rules::budget` found when money was spent. Leaves: the same, with the names that people know. Never: more than once for a threshold
//! and a period.

use crate::Money;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetCrossing {
    pub at_ms: u64,
    pub kind: BudgetKind,
    /// Empty for a token: its budget counts in all gateways.
    pub gateway: String,
    /// Of the rule or the token; the name of the policy.
    pub id: String,
    /// Which of the rule's or policy's budgets: `team=red`, `user:ann@example.com|*`. Empty when there is only one.
    pub bucket: String,
    /// Of [`THRESHOLDS`].
    pub percent: u8,
    /// It is at 100 % because a request did not fit any more: `spent` may be below `limit`.
    pub refused: bool,
    pub spent: Money,
    pub limit: Money,
    /// The period, or the part of a sliding window, for which this is not told again.
    pub from_ms: u64,
    pub until_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BudgetKind {
    Token,
    Rule,
    Policy,
}

/// Percent of a limit.
pub const THRESHOLDS: [u8; 3] = [50, 80, 100];

// === impl BudgetKind ===

impl BudgetKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Rule => "rule",
            Self::Policy => "policy",
        }
    }
}
