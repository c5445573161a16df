//! Where evaluations are kept.
//!
//! Enters: evaluations. Leaves: the same, by gateway. Never: holds one that is not in the queue before it is processed: both are written in one step, so that
//! a process that was killed goes on with it when it starts again.

use serde::{Deserialize, Serialize};
use tollgate_model::{Evaluation, Gateway};
use tollgate_store::entries::{Draft, Entry, PAGE_MAX, Span};
use tollgate_store::{Entries, Failure, StoreError};

use super::EVALUATION;

const QUEUE: &str = "evaluation_queue";
/// Of all gateways together, waiting or at work.
const QUEUED_MAX: u64 = 100;

pub struct Book<'a>(pub &'a dyn Entries);

/// Where a queued evaluation is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Queued {
    pub(super) parent: String,
    pub(super) id: String,
}

/// An evaluation with the version it was read at.
pub(super) struct Versioned {
    pub(super) evaluation: Evaluation,
    pub(super) version: u64,
}

// === impl Book ===

impl Book<'_> {
    /// The newest first.
    pub fn all(&self, gateway: &Gateway) -> Result<Vec<Evaluation>, StoreError> {
        let entries = self.0.list(EVALUATION, &gateway.internal_id, Span::newest(PAGE_MAX))?;
        entries.iter().map(read).collect()
    }

    pub fn get(&self, gateway: &Gateway, id: &str) -> Result<Option<Evaluation>, StoreError> {
        self.0.get(EVALUATION, &gateway.internal_id, id)?.as_ref().map(read).transpose()
    }

    /// Keeps a new one and puts it at the end of the queue.
    pub fn add(&self, evaluation: &Evaluation) -> Result<(), StoreError> {
        let queued = Queued { parent: evaluation.gateway_internal_id.clone(), id: evaluation.id.clone() };
        let (body, place) = (write(evaluation)?, write(&queued)?);
        let (id, at_ms) = (&*evaluation.id, evaluation.created_at);
        let kept = Draft { kind: EVALUATION, parent: &queued.parent, id, at_ms, body: &body };
        self.0.append(&[kept, Draft { kind: QUEUE, parent: "", id, at_ms, body: &place }])
    }

    /// As many wait as may.
    pub fn is_full(&self) -> Result<bool, StoreError> {
        Ok(self.0.count(QUEUE, "", 0, u64::MAX)? >= QUEUED_MAX)
    }

    pub fn delete(&self, gateway: &Gateway, id: &str) -> Result<bool, StoreError> {
        let there = self.0.delete(EVALUATION, &gateway.internal_id, Some(id))? > 0;
        self.0.delete(QUEUE, "", Some(id))?;
        Ok(there)
    }

    /// The one that has waited longest.
    pub(super) fn next(&self) -> Result<Option<Queued>, StoreError> {
        let first = self.0.list(QUEUE, "", Span { oldest_first: true, ..Span::newest(1) })?;
        first.first().map(|entry| serde_json::from_str(&entry.body).map_err(damaged)).transpose()
    }

    pub(super) fn leave_queue(&self, queued: &Queued) -> Result<(), StoreError> {
        self.0.delete(QUEUE, "", Some(&queued.id)).map(drop)
    }

    pub(super) fn find(&self, queued: &Queued) -> Result<Option<Versioned>, StoreError> {
        let found = self.0.get(EVALUATION, &queued.parent, &queued.id)?;
        let versioned =
            |entry: Entry| Ok::<_, StoreError>(Versioned { evaluation: read(&entry)?, version: entry.version });
        found.map(versioned).transpose()
    }

    /// False: it was deleted meanwhile.
    pub(super) fn save(&self, versioned: &mut Versioned) -> Result<bool, StoreError> {
        let Versioned { evaluation, version } = versioned;
        let body = write(evaluation)?;
        match self.0.replace(EVALUATION, &evaluation.gateway_internal_id, &evaluation.id, *version, &body) {
            Ok(now) => *version = now,
            Err(cause) if cause.kind() == Failure::Conflict => return Ok(false),
            Err(cause) => return Err(cause),
        }
        Ok(true)
    }
}

fn read(entry: &Entry) -> Result<Evaluation, StoreError> {
    serde_json::from_str(&entry.body).map_err(damaged)
}

fn write(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(damaged)
}

fn damaged(cause: serde_json::Error) -> StoreError {
    StoreError::new(Failure::Damaged, "reading an evaluation").because(cause)
}
