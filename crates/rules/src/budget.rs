//! Budgets that cannot be overrun: what is spent and what is held of each, in its window.
//!
//! Enters: claims on budgets, `now`; the truth once it is known. Leaves: holds, or what is used up and when to come back.
//! Never: lets claims pass that do not fit together with all that is held; looks at a clock; asks what a budget is for.
//!
//! A request claims the most it can come to before it is sent, in all its budgets or in none. What it holds is replaced by the truth when its answer
//! has ended, or given back when there was none. So at every admission
//!
//! ```text
//! spent + held + amount <= limit        for what was admitted within the window
//! ```
//!
//! and a limit is passed only by as much as a truth is larger than its claim. What a request costs belongs to the window in which it was admitted,
//! however long its answer takes.
//!
//! Money, tokens, requests and requests at once are the same thing counted in other units.

mod account;
mod book;
pub mod calendar;
mod crossing;
pub(crate) mod dimension;
pub mod rule;
mod state;

use std::time::Duration;

use tollgate_model::Money;

use crate::cost::bound::Tokens;
use crate::memory::Mark;
use calendar::Period;

pub use book::{Budgets, PLACES};
pub use state::State;

/// What a request asks of one budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub mark: Mark,
    /// The budget that takes the claims of values for which there is no place left.
    pub shared: Mark,
    pub span: Span,
    pub unit: Unit,
    pub limit: u64,
    /// The most it can come to.
    pub amount: u64,
    /// Measured, and never refused.
    pub soft: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Nanos,
    /// In and out.
    Tokens,
    InputTokens,
    OutputTokens,
    Requests,
    /// Held while the request lasts, and never spent.
    AtOnce,
}

/// For how long what is spent counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The last so many milliseconds. Kept in sixty parts and let go when all of a part is outside: never too early, a sixtieth too late at most.
    Sliding(u64),
    /// One window after the other, each beginning with the first use after the last one ended.
    Fixed(u64),
    /// Windows aligned to the clock.
    Aligned(u64),
    Calendar(Period),
    /// Always.
    Ever,
}

/// What a request holds of one budget until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub mark: Mark,
    pub unit: Unit,
    pub span: Span,
    pub part: Part,
    pub amount: u64,
    pub limit: u64,
    /// Of the limit, with this hold; 0 where others use more than there is by now.
    pub left: u64,
}

/// The part of a window that an amount belongs to. Unix milliseconds, the end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub from_ms: u64,
    pub until_ms: u64,
}

/// A claim that did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// Which of the claims.
    pub claim: usize,
    /// Spent and held.
    pub taken: u64,
    /// When it would fit, if nothing is added and nothing given back; `None`: never, it is larger than the whole budget.
    pub wait: Option<Duration>,
    /// The first refusal in its period: what must be written down so that it is told once.
    pub told: Option<Spent>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// `None`: it cost nothing, or nobody knows what.
    pub cost: Option<Money>,
    /// In and out.
    pub tokens: Tokens,
    /// It went to a provider.
    pub sent: bool,
}

/// What was spent of one budget: what has to outlive the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    pub mark: Mark,
    pub part: Part,
    /// In the unit of the budget.
    pub amount: u64,
}

/// What came of a request's end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// What must outlive the process, all of it or nothing.
    pub lines: Vec<Spent>,
    pub crossed: Vec<Crossed>,
}

/// A part of a limit that is used up now, and was not before in this period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// Which of what was held.
    pub held: usize,
    pub percent: u8,
    pub spent: u64,
    pub limit: u64,
    /// For which it is not told again.
    pub part: Part,
}

// === impl Truth ===

impl Truth {
    fn of(&self, unit: Unit) -> u64 {
        match unit {
            Unit::Nanos => self.cost.and_then(|cost| u64::try_from(cost.nanos()).ok()).unwrap_or(0),
            Unit::Tokens => self.tokens.input.saturating_add(self.tokens.output),
            Unit::InputTokens => self.tokens.input,
            Unit::OutputTokens => self.tokens.output,
            Unit::Requests => u64::from(self.sent),
            Unit::AtOnce => 0,
        }
    }
}

#[cfg(test)]
mod tests;
