//! What evaluators there are, and how each comes to its result (control-plane specification, 5.2).
//!
//! Enters: records, one after the other. Leaves: a number as text, or why there is none. Never: makes a number of nothing: of records that have no cost
//! there is no average.

use tollgate_model::{Money, Record};

/// One evaluator.
#[derive(Debug)]
pub struct Kind {
    pub id: &'static str,
    pub name: &'static str,
    pub kind: &'static str,
    pub description: &'static str,
    measure: fn(&Record) -> Option<i64>,
    /// What becomes of sum and count.
    conclude: fn(i128, u64) -> String,
    /// Said when no record counted.
    nothing: &'static str,
}

/// The ids are ours: nobody published the original's.
pub static KINDS: &[Kind] = &[
    Kind {
        id: "5e0b6a64-3f0e-4a7c-9a3b-0d5d3c1c0001",
        name: "Cost",
        kind: "cost",
        description: "Average cost of the requests, in US dollars.",
        measure: |record| record.cost.as_ref().map(|cost| cost.amount.nanos()),
        conclude: |sum, count| Money::from_nanos(rounded(sum, count)).to_string(),
        nothing: "No log has a known cost",
    },
    Kind {
        id: "5e0b6a64-3f0e-4a7c-9a3b-0d5d3c1c0002",
        name: "Speed",
        kind: "speed",
        description: "Average duration of the requests, in milliseconds.",
        measure: |record| i64::try_from(record.duration_us()).ok(),
        conclude: |sum, count| decimal(rounded(sum, count), 3),
        nothing: "No log has a duration",
    },
    Kind {
        id: "5e0b6a64-3f0e-4a7c-9a3b-0d5d3c1c0003",
        name: "Performance (human feedback)",
        kind: "human_feedback",
        description: "Share of thumbs up among the requests that were given a thumb, in per cent.",
        // Neither up nor down is no thumb.
        measure: |record| match record.rating.feedback {
            Some(1) => Some(1),
            Some(-1) => Some(0),
            _ => None,
        },
        conclude: |sum, count| decimal(rounded(sum * 10_000, count), 2),
        nothing: "No log has feedback",
    },
];

/// One evaluator at work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    kind: &'static Kind,
    sum: i128,
    count: u64,
}

pub(super) fn find(id: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.id == id)
}

// === impl Measured ===

impl Measured {
    pub(super) fn new(kind: &'static Kind) -> Self {
        Self { kind, sum: 0, count: 0 }
    }

    pub(super) fn see(&mut self, record: &Record) {
        if let Some(value) = (self.kind.measure)(record) {
            self.sum += i128::from(value);
            self.count += 1;
        }
    }

    /// How many records counted.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn result(&self) -> Result<String, &'static str> {
        if self.count == 0 { Err(self.kind.nothing) } else { Ok((self.kind.conclude)(self.sum, self.count)) }
    }
}

fn rounded(sum: i128, count: u64) -> i64 {
    let count = i128::from(count.max(1));
    i64::try_from((sum + count / 2) / count).unwrap_or(i64::MAX)
}

/// `1200345` with three places is `1200.345`; without zeros at the end.
fn decimal(scaled: i64, places: usize) -> String {
    let one = 10_i64.pow(places as u32);
    let text = format!("{}.{:0places$}", scaled / one, scaled % one);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tollgate_model::record::{Cost, Rating, Timings};

    use super::*;
    use crate::sample;

    fn record(nanos: Option<i64>, us: u64, feedback: Option<i8>) -> Record {
        Record {
            cost: nanos.map(|nanos| Cost::plain(Money::from_nanos(nanos))),
            timings: Timings { last_byte_us: us, ..Timings::default() },
            rating: Rating { feedback, score: None },
            ..sample::plain()
        }
    }

    fn results(records: &[Record]) -> Vec<Result<String, &'static str>> {
        let mut all: Vec<Measured> = KINDS.iter().map(Measured::new).collect();
        records.iter().for_each(|record| all.iter_mut().for_each(|measured| measured.see(record)));
        all.iter().map(Measured::result).collect()
    }

    #[test]
    fn averages_are_of_what_is_known() {
        let records = [
            record(Some(1_000_000), 1_000_000, Some(1)),
            record(Some(2_000_001), 1_000_001, Some(1)),
            record(None, 2_000_000, Some(-1)),
            record(None, 0, Some(0)),
        ];
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(results(&records), [ok("0.001500001"), ok("1000"), ok("66.67")]);
        assert_eq!(results(&records[2..]), [Err("No log has a known cost"), ok("1000"), ok("0")]);
        assert!(results(&[]).iter().all(Result::is_err));
    }

    #[test]
    fn ids_and_kinds_are_told_apart() {
        assert!(KINDS.iter().all(|kind| std::ptr::eq(find(kind.id).unwrap(), kind)));
        assert!(find("").is_none());
    }
}
