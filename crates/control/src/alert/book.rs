//! Where messages are kept: each with what became of it, and a queue of those that are still to be sent.
//!
//! Enters: findings. Leaves: deliveries, by alert. Never: forgets one that is to be sent: both are written in one step, so that a process that was
//! killed goes on with it when it starts again.

use serde::{Deserialize, Serialize};
use tollgate_store::entries::{Draft, Entry, Span};
use tollgate_store::{Entries, Failure, StoreError};

use super::Finding;

pub const DELIVERY: &str = "alert_delivery";
const QUEUE: &str = "alert_queue";
/// Of all alerts together. When so many wait, what comes on top is not told, which the process's log says.
pub(crate) const QUEUED_MAX: usize = 1_000;

pub struct Book<'a>(pub &'a dyn Entries);

/// A message, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The message's `webhook-id`.
    pub id: String,
    pub alert_id: String,
    pub event: String,
    pub subject: String,
    /// The body, to the byte.
    pub payload: String,
    pub state: State,
    pub attempts: u32,
    /// Of the last attempt.
    pub last_status: Option<u16>,
    pub last_error: Option<String>,
    /// Unix milliseconds.
    pub created_at: u64,
    pub attempted_at: Option<u64>,
    /// When it is tried again.
    pub next_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Pending,
    Delivered,
    Failed,
}

/// Where a delivery is kept, and since which version.
#[derive(Clone, Debug)]
pub(crate) struct Versioned {
    pub(crate) delivery: Delivery,
    version: u64,
}

#[derive(Serialize, Deserialize)]
struct Queued {
    alert_id: String,
}

// === impl Delivery ===

impl Delivery {
    pub(crate) fn new(finding: &Finding, now_ms: u64) -> Self {
        Self {
            id: finding.id.clone(),
            alert_id: finding.alert_id.clone(),
            event: finding.event.to_owned(),
            subject: finding.subject.clone(),
            payload: finding.payload(),
            state: State::Pending,
            attempts: 0,
            last_status: None,
            last_error: None,
            created_at: now_ms,
            attempted_at: None,
            next_at: Some(now_ms),
        }
    }
}

// === impl Book ===

impl Book<'_> {
    /// The newest first.
    pub fn all(&self, alert_id: &str, skip: u64, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let entries = self.0.list(DELIVERY, alert_id, Span { skip, ..Span::newest(limit) })?;
        entries.iter().map(read).collect()
    }

    pub fn count(&self, alert_id: &str) -> Result<u64, StoreError> {
        self.0.count(DELIVERY, alert_id, 0, u64::MAX)
    }

    /// False: it is there already, because the same was found before; or the queue is full.
    pub(crate) fn add(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        if self.0.count(QUEUE, "", 0, u64::MAX)? >= QUEUED_MAX as u64 {
            tracing::error!(id = delivery.id, subject = delivery.subject, "an alert is not sent: too many wait");
            return Ok(false);
        }
        let queued = write(&Queued { alert_id: delivery.alert_id.clone() })?;
        let (id, at_ms) = (&*delivery.id, delivery.created_at);
        let queue = Draft { kind: QUEUE, parent: "", id, at_ms, body: &queued };
        let body = write(delivery)?;
        added(self.0.append(&[Draft { kind: DELIVERY, parent: &delivery.alert_id, id, at_ms, body: &body }, queue]))
    }

    /// One that was sent already, or never will be.
    pub(crate) fn add_ended(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        let (id, at_ms, body) = (&*delivery.id, delivery.created_at, write(delivery)?);
        added(self.0.append(&[Draft { kind: DELIVERY, parent: &delivery.alert_id, id, at_ms, body: &body }]))
    }

    /// Those whose time has come, the oldest first.
    pub(crate) fn due(&self, now_ms: u64, limit: usize) -> Result<Vec<Versioned>, StoreError> {
        let mut due = Vec::new();
        for entry in self.0.list(QUEUE, "", Span { oldest_first: true, ..Span::newest(QUEUED_MAX) })? {
            let queued: Queued = serde_json::from_str(&entry.body).map_err(damaged)?;
            match self.0.get(DELIVERY, &queued.alert_id, &entry.id)? {
                Some(found) => {
                    let delivery = read(&found)?;
                    if delivery.next_at.is_none_or(|next| next <= now_ms) {
                        due.push(Versioned { delivery, version: found.version });
                    }
                }
                // Its alert was deleted.
                None => drop(self.0.delete(QUEUE, "", Some(&entry.id))?),
            }
            if due.len() >= limit {
                break;
            }
        }
        Ok(due)
    }

    /// What became of an attempt. What is not pending any more leaves the queue.
    pub(crate) fn save(&self, versioned: &Versioned) -> Result<(), StoreError> {
        let Versioned { delivery, version } = versioned;
        match self.0.replace(DELIVERY, &delivery.alert_id, &delivery.id, *version, &write(delivery)?) {
            Err(cause) if cause.kind() != Failure::Conflict => return Err(cause),
            // A conflict: it was deleted with its alert.
            Ok(_) | Err(_) => {}
        }
        if delivery.state != State::Pending {
            self.0.delete(QUEUE, "", Some(&delivery.id))?;
        }
        Ok(())
    }

    /// With all of an alert's.
    pub fn forget(&self, alert_id: &str) -> Result<(), StoreError> {
        self.0.delete(DELIVERY, alert_id, None).map(drop)
    }
}

fn added(appended: Result<(), StoreError>) -> Result<bool, StoreError> {
    match appended {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == Failure::Conflict => Ok(false),
        Err(cause) => Err(cause),
    }
}

fn read(entry: &Entry) -> Result<Delivery, StoreError> {
    serde_json::from_str(&entry.body).map_err(damaged)
}

fn write(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(damaged)
}

fn damaged(cause: serde_json::Error) -> StoreError {
    StoreError::new(Failure::Damaged, "reading a delivery").because(cause)
}
