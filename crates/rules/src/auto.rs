//! The auto router: which model a request is best served by.
//!
//! Enters: what is known of a request and of the models. Leaves: a decision. Never: asks a model to choose one.

use tollgate_model::trace::Candidate;

use crate::walk::Target;

/// Targets in the order in which they are tried, and how that order came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    pub targets: Vec<Target>,
    pub candidates: Vec<Candidate>,
    pub reason: Reason,
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
    FallbackRouterError,
    FallbackRouterTimeout,
    FallbackUnsupportedInput,
}

// === impl Decision ===

impl Decision {
    /// The reason to tell when the target with this [`crate::walk::Step::index`] answered.
    pub fn reason_for(&self, index: u16) -> Reason {
        if index == 0 { self.reason } else { Reason::FallbackCandidateUnavailable }
    }
}

// === impl Reason ===

impl Reason {
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
