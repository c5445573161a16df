//! Targets one after the other: a single one, the steps of the universal endpoint, the ranking of the auto router.
//!
//! Enters: what became of the last target. Leaves: the next. Never: skips one, whatever the last one met.

use std::sync::Arc;

use tollgate_model::Trace;
use tollgate_model::trace::{Kind, Visit};

use super::{Ask, Said, Step, StopReason, Target};

#[derive(Clone, Debug)]
pub(super) struct List {
    targets: Vec<Target>,
    /// The one that is being tried.
    at: Option<usize>,
    /// A single target is no decision, and nearly every request has a single one.
    is_traced: bool,
}

// === impl List ===

impl List {
    pub(super) fn new(mut targets: Vec<Target>) -> Self {
        targets.truncate(usize::from(u16::MAX));
        Self { targets, at: None, is_traced: true }
    }

    pub(super) fn single(target: Target) -> Self {
        Self { targets: vec![target], at: None, is_traced: false }
    }

    pub(super) fn next(&mut self, said: Said, trace: &mut Trace) -> Ask {
        if let (Said::Missed(miss), Some(at)) = (said, self.at) {
            let output = (at + 1 < self.targets.len()).then(|| "fallback".into());
            self.note(at, output, format!("missed: {}", miss.word()), trace);
        }
        let at = self.at.map_or(0, |at| at + 1).min(self.targets.len());
        self.at = Some(at);
        let Some(target) = self.targets.get(at) else { return Ask::Stop(StopReason::Exhausted) };
        let more = at + 1 < self.targets.len();
        Ask::Try(Step { target: target.clone(), index: at as u16, more, element: None })
    }

    pub(super) fn answered(&self, trace: &mut Trace) {
        if let Some(at) = self.at {
            self.note(at, Some("success".into()), "answered".to_owned(), trace);
        }
    }

    fn note(&self, at: usize, output: Option<Arc<str>>, why: String, trace: &mut Trace) {
        let Some(target) = self.targets.get(at).filter(|_| self.is_traced) else { return };
        let element = at.to_string().into();
        trace.visited.push(Visit { element, kind: Kind::Model, target: Some(target.name()), output, why });
    }
}
