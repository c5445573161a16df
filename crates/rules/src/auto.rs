//! The auto router, `cloudflare/auto`: which model serves a request well enough for the least money.
//!
//! Enters: the request's headers and body, the pool, and facts of the moment: prices, keys, health, what was chosen before. Leaves: a decision that
//! becomes a [`crate::walk::Walk`]. Never: asks a model to choose one, or a clock, or chance: the same facts make the same decision.
//!
//! The rule is short enough to be told to whoever pays: of the candidates that can take the request, those at or above the quality its level
//! asks for, cheapest first; then the others, best first. Whoever failed lately comes after whoever did not. docs/routes.md has it in full.

mod health;
mod pool;
mod rank;
mod task;
mod wish;

use std::sync::Arc;

use tollgate_model::trace::Candidate;

use crate::catalog::Catalog;
use crate::memory::{Mark, Memory};
use crate::walk::{Target, Walk};

pub use health::Health;
pub use pool::{Entry, ModelSettings, Pool, Settings};
pub use task::{Level, Task};
pub use wish::Wish;

/// The name that callers ask for.
pub const MODEL: &str = "cloudflare/auto";

/// Targets in the order in which they are tried, and how that order came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    pub targets: Vec<Target>,
    /// Names of the pool for the targets: `openai/gpt-5.6-luna`, as `cf-aig-routed-model` says them.
    pub names: Vec<Arc<str>>,
    pub candidates: Vec<Candidate>,
    pub reason: Reason,
    affinity: Affinity,
}

/// What `cf-aig-routing-reason` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reason {
    #[default]
    CostOptimalWithinPool,
    ForcedByCandidatePool,
    PinnedByTurn,
    FallbackCandidateUnavailable,
    FallbackKeyNotInCandidates,
    /// The engine's to say: the decision could not be made at all, and the pool is tried in its order ([`Pool::in_order`]).
    FallbackRouterError,
    FallbackRouterTimeout,
    FallbackUnsupportedInput,
}

/// Facts of the moment.
pub struct World<'a> {
    pub catalog: &'a Catalog,
    pub now_ms: u64,
    /// Whether it can be asked at all: there is such a provider, and a key for it.
    pub usable: &'a dyn Fn(&Entry) -> bool,
    /// Whether it failed most of its recent requests; [`Health::is_poor`].
    pub poor: &'a dyn Fn(&Entry) -> bool,
}

/// Why there is no decision. The text is safe to show, and goes out with status 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDecision {
    #[error("cf-aig-allowed-models: {0:?} matches no model of the auto router")]
    NoSuchModel(String),
    #[error("cf-aig-allowed-providers: {0:?} is the provider of no model of the auto router")]
    NoSuchProvider(String),
    #[error("no model satisfies both cf-aig-allowed-models and cf-aig-allowed-providers")]
    NothingLeft,
    #[error("no model of the pool can take this request: {0}")]
    NoneEligible(String),
}

/// What a session's choices are remembered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Affinity {
    turn: Option<Mark>,
    session: Option<Mark>,
}

/// What was chosen before: for this turn, and for the turn before it.
#[derive(Clone, Debug, Default)]
struct Before {
    turn: Option<Arc<str>>,
    session: Option<Arc<str>>,
}

/// Decides, and looks into the memory for what was decided before. `gateway` keeps the sessions of one apart from another's.
pub fn decide(
    pool: &Pool,
    gateway: &str,
    wish: &Wish,
    task: &Task,
    world: &World<'_>,
    memory: &mut Memory,
) -> Result<Decision, NoDecision> {
    let affinity = Affinity::of(gateway, wish, task);
    let mut recall = |mark: Option<Mark>| mark.and_then(|mark| memory.recall(mark, world.now_ms));
    let before = Before { turn: recall(affinity.turn), session: recall(affinity.session) };
    let candidates = wish.candidates(pool)?;
    Ok(Decision { affinity, ..rank::rank(pool, &candidates, task, world, &before)? })
}

// === impl Decision ===

impl Decision {
    pub fn walk(&self) -> Walk {
        Walk::auto(self)
    }

    /// The reason to tell when the step with this [`crate::walk::Step::index`] answered.
    pub fn reason_for(&self, index: u16) -> Reason {
        if index == 0 { self.reason } else { Reason::FallbackCandidateUnavailable }
    }

    /// What `cf-aig-routed-model` says when that step answered.
    pub fn name_for(&self, index: u16) -> Option<&Arc<str>> {
        self.names.get(usize::from(index))
    }

    /// To be called when a step has answered: the rest of the turn goes there too.
    pub fn learn(&self, index: u16, memory: &mut Memory, now_ms: u64) {
        let Some(name) = self.name_for(index) else { return };
        for mark in [self.affinity.turn, self.affinity.session].into_iter().flatten() {
            memory.learn(mark, name.clone(), now_ms);
        }
    }
}

// === impl Affinity ===

impl Affinity {
    fn of(gateway: &str, wish: &Wish, task: &Task) -> Self {
        let Some(session) = wish.session.as_deref().filter(|_| wish.affinity) else { return Self::default() };
        let turn = wish.turn.as_deref().or(task.turn.as_deref());
        Self {
            turn: turn.map(|turn| Mark::of(&["auto turn", gateway, session, turn])),
            session: Some(Mark::of(&["auto session", gateway, session])),
        }
    }
}

// === impl Reason ===

impl Reason {
    pub const ALL: [Self; 8] = [
        Self::CostOptimalWithinPool,
        Self::ForcedByCandidatePool,
        Self::PinnedByTurn,
        Self::FallbackCandidateUnavailable,
        Self::FallbackKeyNotInCandidates,
        Self::FallbackRouterError,
        Self::FallbackRouterTimeout,
        Self::FallbackUnsupportedInput,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::CostOptimalWithinPool => "cost_optimal_within_pool",
            Self::ForcedByCandidatePool => "forced_by_candidate_pool",
            Self::PinnedByTurn => "pinned_by_turn",
            Self::FallbackCandidateUnavailable => "fallback_candidate_unavailable",
            Self::FallbackKeyNotInCandidates => "fallback_key_not_in_candidates",
            Self::FallbackRouterError => "fallback_router_error",
            Self::FallbackRouterTimeout => "fallback_router_timeout",
            Self::FallbackUnsupportedInput => "fallback_unsupported_input",
        }
    }
}

#[cfg(test)]
mod tests;
