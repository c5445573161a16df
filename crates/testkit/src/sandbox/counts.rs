//! What a test counts: connections and requests, now and in all.
//!
//! Enters: beginnings and ends. Leaves: `Counts`. Never: loses an end, because a guard tells it when dropped.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub connections: u64,
    pub connections_open: u64,
    /// Heads that were read, also of requests whose body never came.
    pub requests: u64,
    /// Answers under way.
    pub answers_open: u64,
    /// Answers that their caller left before the end.
    pub callers_gone: u64,
    /// Requests that broke off or were not HTTP.
    pub unheard: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    connections: AtomicU64,
    connections_open: AtomicU64,
    requests: AtomicU64,
    answers_open: AtomicU64,
    callers_gone: AtomicU64,
    unheard: AtomicU64,
}

/// Something that is open until this is dropped.
pub(super) struct Open<'a>(&'a AtomicU64);

// === impl Counters ===

impl Counters {
    /// Counts a connection in, and names it: 1, 2, 3...
    pub(super) fn connection(&self) -> (u64, Open<'_>) {
        (self.connections.fetch_add(1, SeqCst) + 1, Open::new(&self.connections_open))
    }

    pub(super) fn request(&self) {
        self.requests.fetch_add(1, SeqCst);
    }

    pub(super) fn answer(&self) -> Open<'_> {
        Open::new(&self.answers_open)
    }

    pub(super) fn caller_gone(&self) {
        self.callers_gone.fetch_add(1, SeqCst);
    }

    pub(super) fn unheard(&self) {
        self.unheard.fetch_add(1, SeqCst);
    }

    pub(super) fn read(&self) -> Counts {
        Counts {
            connections: self.connections.load(SeqCst),
            connections_open: self.connections_open.load(SeqCst),
            requests: self.requests.load(SeqCst),
            answers_open: self.answers_open.load(SeqCst),
            callers_gone: self.callers_gone.load(SeqCst),
            unheard: self.unheard.load(SeqCst),
        }
    }
}

// === impl Open ===

impl<'a> Open<'a> {
    fn new(gauge: &'a AtomicU64) -> Self {
        gauge.fetch_add(1, SeqCst);
        Self(gauge)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
