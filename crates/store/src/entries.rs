//! Entries: what grows with use and is looked up by time, such as the audit log, results of evaluations, credit lines.
//!
//! Enters: JSON texts by kind, parent, id and time. Leaves: the same, by id or page by page. Never: becomes part of a snapshot (settings do: they are
//! [`crate::Documents`]), or looks inside a body.

use crate::failure::StoreError;

/// A list is cut into pages of at most this many.
pub const PAGE_MAX: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The order of arrival, over all kinds. Never used twice.
    pub seq: u64,
    pub kind: String,
    /// What it belongs to, or empty.
    pub parent: String,
    /// Unique below its kind and parent.
    pub id: String,
    pub at_ms: u64,
    /// Grows by one with each replacement, from 1.
    pub version: u64,
    /// JSON text.
    pub body: String,
}

/// An entry as it goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft<'a> {
    pub kind: &'a str,
    pub parent: &'a str,
    pub id: &'a str,
    pub at_ms: u64,
    pub body: &'a str,
}

/// Which part of a list, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Inclusive.
    pub from_ms: u64,
    /// Exclusive.
    pub to_ms: u64,
    pub oldest_first: bool,
    /// The last one of the page before: what comes behind it, also when others were added or removed meanwhile.
    pub behind: Option<Place>,
    /// Rows to leave out, for those who count pages.
    pub skip: u64,
    /// At most [`PAGE_MAX`].
    pub limit: usize,
}

/// Where an entry stands in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub at_ms: u64,
    pub seq: u64,
}

/// Keeps entries. All methods may wait for a disk: not to be called on a thread that serves traffic.
pub trait Entries: Send + Sync {
    /// All of them or none; [`crate::Failure::Conflict`] when one is there already. Durable once it returns.
    fn append(&self, drafts: &[Draft<'_>]) -> Result<(), StoreError>;

    fn get(&self, kind: &str, parent: &str, id: &str) -> Result<Option<Entry>, StoreError>;

    /// By time and then by arrival; the newest first unless the span says otherwise.
    fn list(&self, kind: &str, parent: &str, span: Span) -> Result<Vec<Entry>, StoreError>;

    /// From inclusive, to exclusive.
    fn count(&self, kind: &str, parent: &str, from_ms: u64, to_ms: u64) -> Result<u64, StoreError>;

    /// A new body under the same id and time, if `expected` is the version now, else [`crate::Failure::Conflict`]. Returns the new version. Durable once
    /// it returns.
    fn replace(&self, kind: &str, parent: &str, id: &str, expected: u64, body: &str) -> Result<u64, StoreError>;

    /// One by its id, or all below a parent. Returns how many there were.
    fn delete(&self, kind: &str, parent: &str, id: Option<&str>) -> Result<u64, StoreError>;

    /// Of every parent, the oldest first and at most `limit`, so that nobody waits long for a large clean-up. Returns how many went.
    fn delete_older_than(&self, kind: &str, before_ms: u64, limit: usize) -> Result<u64, StoreError>;
}

// === impl Span ===

impl Span {
    /// The newest, of any time.
    pub fn newest(limit: usize) -> Self {
        Self { from_ms: 0, to_ms: u64::MAX, oldest_first: false, behind: None, skip: 0, limit }
    }
}

// === impl Entry ===

impl Entry {
    pub fn place(&self) -> Place {
        Place { at_ms: self.at_ms, seq: self.seq }
    }
}
