//! Lowest and highest values of all rows that match.
//!
//! Enters: sums of a day. Leaves: those of all days. Never: makes 0 of "no row has a value".

use rusqlite::Row;

use crate::records::Ranges;

/// What [`Ranges::read`] reads, after the count.
pub(super) const SUMS: &str = ", min(cost), max(cost), min(duration_ms), max(duration_ms), min(tokens_in), max(tokens_in), \
    min(tokens_out), max(tokens_out), min(tokens_in + tokens_out), max(tokens_in + tokens_out)";

impl Ranges {
    pub(super) fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        let pair = |at: usize| {
            let low: Option<i64> = row.get(at)?;
            Ok::<_, rusqlite::Error>(low.zip(row.get(at + 1)?))
        };
        let counts = |at: usize| {
            let pair: Option<(i64, i64)> = pair(at)?;
            Ok::<_, rusqlite::Error>(pair.map(|(low, high)| (low.unsigned_abs(), high.unsigned_abs())))
        };
        Ok(Self {
            cost_nanos: pair(1)?,
            duration_ms: counts(3)?,
            tokens_in: counts(5)?,
            tokens_out: counts(7)?,
            total_tokens: counts(9)?,
        })
    }

    pub(super) fn with(self, other: &Self) -> Self {
        Self {
            cost_nanos: wider(self.cost_nanos, other.cost_nanos),
            duration_ms: wider(self.duration_ms, other.duration_ms),
            tokens_in: wider(self.tokens_in, other.tokens_in),
            tokens_out: wider(self.tokens_out, other.tokens_out),
            total_tokens: wider(self.total_tokens, other.total_tokens),
        }
    }
}

fn wider<T: Ord>(one: Option<(T, T)>, other: Option<(T, T)>) -> Option<(T, T)> {
    match (one, other) {
        (Some((low, high)), Some((lower, higher))) => Some((low.min(lower), high.max(higher))),
        (one, other) => one.or(other),
    }
}
