//! The log store: what it promises, and the words it is asked in.
//!
//! Enters: batches of records with their bodies; filters, orders and pages of the REST API (control-plane specification, 4.3, 4.4).
//! Leaves: records and bodies. Never: judges what to keep, or knows a wire encoding of a filter.

use std::collections::HashMap;

use bytes::Bytes;
use tollgate_model::{Id, Record};

use crate::failure::StoreError;

pub mod edit;
pub mod filter;
pub mod line;
pub mod sums;

pub use edit::{AtTheCap, Cap, Patch};
pub use filter::{Condition, Field, Filter, Operator, Order, OrderBy, Page, Place, Value};
pub use line::{Encoded, Line};
pub use sums::{Facet, Facets, Histogram, Stretches, Sums};

/// One record with its bodies, as it goes in. A body that is not kept is empty, and the record says why.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub line: Line<'a>,
    pub request: &'a [u8],
    pub response: &'a [u8],
}

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    pub records: Vec<Record>,
    /// How many records match in all.
    pub total: u64,
    /// False when counting would have cost more than a list may: then `total` is a lower bound.
    pub total_exact: bool,
    /// Present when the page asked for it.
    pub ranges: Option<Ranges>,
}

/// Lowest and highest values among all that match. `None`: no record has a value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ranges {
    pub cost_nanos: Option<(i64, i64)>,
    pub duration_ms: Option<(u64, u64)>,
    pub tokens_in: Option<(u64, u64)>,
    pub tokens_out: Option<(u64, u64)>,
    pub total_tokens: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Request,
    Response,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// As the record has it; `None` when none was said.
    pub content_type: Option<String>,
    pub bytes: Bytes,
}

/// How a walk goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// `None`: from its beginning.
    pub behind: Option<Place>,
    /// The newest first.
    pub descending: bool,
}

/// A part of a walk.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    pub records: Vec<Record>,
    /// The last of them; `None`: that was all.
    pub next: Option<Place>,
    /// False when looking further would have cost more than a list may, or a day could not be read: then something is left out.
    pub complete: bool,
}

/// The newest records in the order in which they arrived.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    pub records: Vec<Record>,
    /// To be handed in next time.
    pub next: u64,
    /// Records that came and went between two looks.
    pub missed: u64,
}

/// Keeps records. All methods may wait for a disk: not to be called on a thread that serves traffic.
pub trait Records: Send + Sync {
    /// Adds a batch. Idempotent by [`Id::key`]: a record that is already there is left as it is. All or nothing per day of creation; when it
    /// fails, the same batch may be handed in again. Readers see the batch once this returns.
    fn append(&self, batch: &[Entry<'_>]) -> Result<(), StoreError>;

    /// Returns once everything appended before would survive a loss of power.
    fn sync(&self) -> Result<(), StoreError>;

    /// The page of matching records. Bounded: it stops looking, and says so, rather than read for ever.
    fn list(&self, filter: &Filter, page: &Page) -> Result<Listed, StoreError>;

    /// The next records that match, at most `size`, in the order of creation: whoever comes again with the place sees each once, however many there are
    /// and whatever is added or deleted meanwhile.
    fn walk(&self, filter: &Filter, from: Walk, size: u32) -> Result<Walked, StoreError>;

    /// How often each value occurs among the records that match; of each facet the most frequent.
    fn facets(&self, filter: &Filter, wanted: &[Facet], limit: usize) -> Result<Facets, StoreError>;

    /// What the records that match come to, stretch by stretch.
    fn histogram(&self, filter: &Filter, stretches: Stretches) -> Result<Histogram, StoreError>;

    fn get(&self, id: Id) -> Result<Option<Record>, StoreError>;

    /// The stored bytes of a body; `None` when the record is unknown or the body was not kept.
    fn body(&self, id: Id, which: Which) -> Result<Option<Body>, StoreError>;

    /// What arrived since `after` (0: nothing yet seen, `u64::MAX`: only what comes from now on), oldest first, at most `limit`. Only the
    /// newest few hundred are remembered, and only by the process that appended them.
    fn tail(&self, after: u64, limit: usize) -> Result<Tail, StoreError>;

    /// How many records a gateway has. Cheap: kept count of, not counted.
    fn rows(&self, gateway: &str) -> Result<u64, StoreError>;

    /// How many records of a gateway were left out because it had as many as it may have.
    fn left_out(&self, gateway: &str) -> Result<u64, StoreError>;

    /// Changes what was said of a record. False: there is no such record.
    fn patch(&self, id: Id, patch: &Patch) -> Result<bool, StoreError>;

    /// Deletes the first `limit` records that match, in this order; at most [`edit::REMOVED_MAX`]. They are in no list, detail or body once this
    /// returns, and do not come back when a batch is handed in again. Returns how many there were.
    fn remove(&self, filter: &Filter, order: Order, limit: u64) -> Result<u64, StoreError>;

    /// How many records each gateway may have, from now on and in place of what was said before. A gateway that is not named has no bound.
    fn cap(&self, caps: HashMap<String, Cap>);

    /// Deletes the oldest records of gateways that have more than they may, a bounded number of them. Returns how many; 0: there is nothing to do.
    fn trim(&self) -> Result<u64, StoreError>;

    /// Forgets every day that had ended before `unix_ms`, bodies included. Returns how many days that were.
    fn forget_before(&self, unix_ms: u64) -> Result<usize, StoreError>;
}
