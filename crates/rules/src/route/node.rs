//! Elements as the walk meets them: every name resolved to a number, every text to what it means.
//!
//! Enters: what `compile` read. Leaves: plain values. Never: is wrong: a node that could not be walked is not made.

use std::sync::Arc;

use tollgate_model::gateway::Technique;
use tollgate_model::trace::Kind;

use crate::meter::By;
use crate::walk::{Miss, Target};

use super::condition::Condition;
use super::path::Path;
use super::{Share, Source};

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) id: Arc<str>,
    pub(crate) kind: NodeKind,
    /// Sticky models that chance or failure could lead to from here, past no condition and no rate: a remembered one may be taken at once.
    pub(crate) kin: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Start(Exit),
    Conditional { condition: Condition, yes: Exit, no: Exit },
    Percentage { shares: Vec<Share>, key: Option<Source> },
    Rate(RateNode),
    Model(Box<ModelNode>),
    End,
}

#[derive(Clone, Debug)]
pub(crate) struct Exit {
    pub(crate) output: Arc<str>,
    pub(crate) to: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct RateNode {
    pub(crate) by: By,
    /// Requests, or nano-dollars.
    pub(crate) limit: u64,
    pub(crate) window_ms: u64,
    pub(crate) technique: Technique,
    /// `None`: all requests share one window.
    pub(crate) key: Option<Source>,
    pub(crate) success: Exit,
    pub(crate) fallback: Option<Exit>,
}

#[derive(Clone, Debug)]
pub(crate) struct ModelNode {
    pub(crate) target: Target,
    pub(crate) success: Option<Exit>,
    pub(crate) fallback: Option<Exit>,
    pub(crate) falls_on: MissSet,
    pub(crate) sticky: Option<Source>,
}

/// Which misses take the `fallback` output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MissSet(u16);

// === impl Node ===

impl Node {
    pub(crate) fn kind(&self) -> Kind {
        match self.kind {
            NodeKind::Start(_) => Kind::Start,
            NodeKind::Conditional { .. } => Kind::Conditional,
            NodeKind::Percentage { .. } => Kind::Percentage,
            NodeKind::Rate(_) => Kind::Rate,
            NodeKind::Model(_) => Kind::Model,
            NodeKind::End => Kind::End,
        }
    }

    /// Everywhere it may lead.
    pub(super) fn exits(&self) -> Vec<usize> {
        let exits: Vec<&Exit> = match &self.kind {
            NodeKind::Start(next) => vec![next],
            NodeKind::Conditional { yes, no, .. } => vec![yes, no],
            NodeKind::Percentage { shares, .. } => shares.iter().map(|share| &share.exit).collect(),
            NodeKind::Rate(rate) => std::iter::once(&rate.success).chain(&rate.fallback).collect(),
            NodeKind::Model(model) => model.success.iter().chain(&model.fallback).collect(),
            NodeKind::End => Vec::new(),
        };
        exits.into_iter().map(|exit| exit.to).collect()
    }

    pub(super) fn reads_body(&self) -> bool {
        self.reads(Path::reads_body, Source::reads_body)
    }

    pub(super) fn reads_budget(&self) -> bool {
        self.reads(Path::reads_budget, Source::reads_budget)
    }

    fn reads(&self, of_path: impl Fn(&Path) -> bool, of_source: impl Fn(&Source) -> bool) -> bool {
        let source = match &self.kind {
            NodeKind::Conditional { condition, .. } => return condition.paths().iter().any(|path| of_path(path)),
            NodeKind::Percentage { key, .. } => key,
            NodeKind::Rate(rate) => &rate.key,
            NodeKind::Model(model) => &model.sticky,
            _ => return false,
        };
        source.as_ref().is_some_and(of_source)
    }
}

// === impl MissSet ===

impl MissSet {
    pub(crate) const NONE: Self = Self(0);

    /// The original says: after retries, on a timeout, at a spend limit. We read it as the universal endpoint is documented: whatever kept
    /// the model from answering, a 4xx included, since a wrong model name or key is the usual cause of one.
    pub(crate) fn all() -> Self {
        Miss::ALL.into_iter().fold(Self::NONE, Self::with)
    }

    #[must_use]
    pub(crate) fn with(self, miss: Miss) -> Self {
        Self(self.0 | 1 << miss as u16)
    }

    pub(crate) fn holds(self, miss: Miss) -> bool {
        self.0 & (1 << miss as u16) != 0
    }
}
