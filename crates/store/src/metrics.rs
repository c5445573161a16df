//! What the store counts about itself.
//!
//! Enters: increments from any thread. Leaves: plain numbers, read by `/metrics` when it is asked.
//! Never: allocates, locks or knows a metrics format.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that any thread may move.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

#[derive(Debug, Default)]
pub struct Metrics {
    pub journal: JournalMetrics,
    pub ingest: IngestMetrics,
    pub answers: AnswerMetrics,
}

#[derive(Debug, Default)]
pub struct JournalMetrics {
    /// Records handed to a writer.
    pub appended: Counter,
    /// Records the operating system has.
    pub written: Counter,
    /// Records that could not be written: the disk was full or failing, or the buffer was.
    pub lost: Counter,
    /// write(2) calls: `written / writes` is the size of the group commit.
    pub writes: Counter,
    pub written_bytes: Counter,
    /// Times the files were made safe against power loss, and times that failed.
    pub syncs: Counter,
    pub sync_failures: Counter,
}

#[derive(Debug, Default)]
pub struct IngestMetrics {
    pub ingested: Counter,
    pub batches: Counter,
    /// Journaled but not yet a row. A gauge.
    pub backlog_bytes: Counter,
    /// Bytes of the journal that were unreadable and skipped.
    pub damaged_bytes: Counter,
    /// Batches the record store refused (they are tried again).
    pub failures: Counter,
    /// Records that were not inserted because their gateway had as many as it may.
    pub left_out: Counter,
    /// Day files that were moved aside because they were damaged.
    pub files_moved_aside: Counter,
}

#[derive(Debug, Default)]
pub struct AnswerMetrics {
    /// Gauges.
    pub memory_entries: Counter,
    pub memory_bytes: Counter,
    pub disk_entries: Counter,
    pub disk_bytes: Counter,
    /// Answers removed from disk to stay within its bound.
    pub disk_evictions: Counter,
    /// Answers that were not written to disk because its queue was full, or the answer larger than all of it.
    pub disk_skipped: Counter,
    pub disk_failures: Counter,
}

// === impl Counter ===

impl Counter {
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}
