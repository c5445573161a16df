//! What many records come to: by value of a field, or by time.
//!
//! Enters: a filter and what to sum by. Leaves: values that every record store can answer the same way. Never: holds SQL.

use std::collections::BTreeMap;

/// By what records are told apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facet {
    Provider,
    Model,
    Path,
    RequestType,
    ModelType,
    UserAgent,
    Status,
    Success,
    Cached,
    /// The value under a metadata key.
    Metadata(String),
}

/// The values of each facet that was asked for, the most frequent first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facets {
    pub facets: BTreeMap<Facet, Vec<(Option<String>, u64)>>,
    /// False when looking further would have cost more than a list may: then the counts are lower bounds.
    pub complete: bool,
}

/// Equal stretches of time, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretches {
    pub from_ms: u64,
    pub step_ms: u64,
    /// At most [`Stretches::COUNT_MAX`].
    pub count: u32,
}

/// What came to pass in a stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub requests: u64,
    /// Those that did not succeed.
    pub errors: u64,
    pub cached: u64,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub cost_nanos: i64,
    /// Of all of them together.
    pub duration_ms: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// One for each stretch, the empty ones too.
    pub sums: Vec<Sums>,
    pub complete: bool,
}

// === impl Stretches ===

impl Stretches {
    pub const COUNT_MAX: u32 = 1_000;

    /// Exclusive.
    pub fn end_ms(self) -> u64 {
        self.from_ms.saturating_add(self.step_ms.saturating_mul(u64::from(self.count)))
    }
}

// === impl Sums ===

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.cached += other.cached;
        self.tokens_in = self.tokens_in.saturating_add(other.tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(other.tokens_out);
        self.cost_nanos = self.cost_nanos.saturating_add(other.cost_nanos);
        self.duration_ms = self.duration_ms.saturating_add(other.duration_ms);
    }
}
