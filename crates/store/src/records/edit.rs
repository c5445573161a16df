//! What may be done to records that are in the log already.
//!
//! Enters: wishes of `control`. Leaves: values that every record store can act on the same way. Never: decides who may.

use tollgate_model::Metadata;

/// The most records that one call removes.
pub const REMOVED_MAX: u64 = 10_000;

/// Changes to a record. `None`: stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// -1, 0 or 1; the inner `None` takes it back.
    pub feedback: Option<Option<i8>>,
    /// 0 to 100; the inner `None` takes it back.
    pub score: Option<Option<f64>>,
    /// In place of all that the record has.
    pub metadata: Option<Metadata>,
}

/// How many records a gateway may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    pub rows: u64,
    pub then: AtTheCap,
}

/// What happens to a record beyond that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtTheCap {
    /// It is left out, and counted.
    LeaveOut,
    /// It takes the place of the oldest.
    RemoveOldest,
}
