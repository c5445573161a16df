//! Remembers what the upstream heard, for tests that ask what the gateway sent and when it let go.
//!
//! Enters: every request, and how its answer ended. Leaves: copies, in the order heard; a wait for the n-th.
//! Never: records in the built-in sandbox, where nobody would ask and the memory would be the visitor's to fill.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::http::request::Request;

/// Older requests are forgotten beyond this many, or beyond this many bytes of bodies.
const KEPT_MAX: usize = 100_000;
const KEPT_BYTES_MAX: usize = 512 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct Heard {
    pub request: Request,
    /// When the request was complete.
    pub at: Instant,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Answering,
    /// The plan was carried out, faults and all.
    Answered(Instant),
    /// The caller closed, or stopped taking bytes, before the plan was carried out.
    CallerGone(Instant),
}

#[derive(Debug, Default)]
pub struct Recorder {
    on: bool,
    kept: Mutex<Kept>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    forgotten: usize,
    bytes: usize,
    heard: VecDeque<Heard>,
}

// === impl Recorder ===

impl Recorder {
    pub(crate) fn new(on: bool) -> Self {
        Self { on, ..Self::default() }
    }

    pub fn all(&self) -> Vec<Heard> {
        self.lock().heard.iter().cloned().collect()
    }

    /// The request heard last. Panics when there was none, because that is the test's failure.
    pub fn last(&self) -> Heard {
        self.lock().heard.back().cloned().expect("the sandbox heard a request")
    }

    pub fn len(&self) -> usize {
        self.lock().heard.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn clear(&self) {
        let mut kept = self.lock();
        kept.forgotten += kept.heard.len();
        kept.bytes = 0;
        kept.heard.clear();
    }

    /// Waits until what was heard is as wanted. Endless by itself: the test's runner sets the deadline.
    pub async fn until(&self, wanted: impl Fn(&[Heard]) -> bool) -> Vec<Heard> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that a change in between is not missed.
            changed.as_mut().enable();
            let all = self.all();
            if wanted(&all) {
                return all;
            }
            changed.await;
        }
    }

    /// Keeps a request; the number returned is for [`Recorder::close`].
    pub(crate) fn note(&self, request: &Request) -> usize {
        if !self.on {
            return 0;
        }
        let mut kept = self.lock();
        kept.bytes += request.body.len();
        while (kept.heard.len() >= KEPT_MAX || kept.bytes > KEPT_BYTES_MAX)
            && let Some(oldest) = kept.heard.pop_front()
        {
            kept.bytes -= oldest.request.body.len();
            kept.forgotten += 1;
        }
        kept.heard.push_back(Heard { request: request.clone(), at: Instant::now(), outcome: Outcome::Answering });
        let number = kept.forgotten + kept.heard.len();
        drop(kept);
        self.changed.notify_waiters();
        number
    }

    pub(crate) fn close(&self, number: usize, outcome: Outcome) {
        let mut kept = self.lock();
        let at = number.checked_sub(kept.forgotten + 1);
        if let Some(heard) = at.and_then(|at| kept.heard.get_mut(at)) {
            heard.outcome = outcome;
        }
        drop(kept);
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
