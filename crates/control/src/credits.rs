//! The local credit ledger: what an operator booked as paid in advance, line by line.
//!
//! Enters: whole cents with a note. Leaves: lines in their order, each with the balance after it. Never: takes money: an installation has no payments,
//! so lines are booked by who runs it. What requests draw is not booked here: the data plane keeps it, to the nano-dollar, and [`Draws`] tells it.

use serde::{Deserialize, Serialize};
use tollgate_store::entries::{Draft, Span};
use tollgate_store::{Entries, Failure, StoreError};

const KIND: &str = "credit";
/// How often a line is tried anew because another came between.
const TRIES_MAX: usize = 8;
const NANOS_PER_CENT: u128 = 10_000_000;
/// JSON numbers of every client carry this exactly, and so does their sum.
pub(crate) const CENTS_MAX: u64 = 1 << 40;

/// What requests drew, where credits are switched on.
pub trait Draws: Send + Sync {
    /// Nano-dollars drawn in each hour, by its beginning in unix milliseconds, the oldest first.
    fn by_hour(&self) -> Vec<(u64, u64)>;

    /// Says what all lines come to, so that as much can be drawn.
    fn paid(&self, cents: i64);
}

/// What all lines come to, in cents.
pub fn paid(entries: &dyn Entries, account: &str) -> Result<i64, StoreError> {
    Credits { entries, account }.balance()
}

/// Cents that were drawn from one moment to another, hours as wholes. Each cent is told in the hour that completed it, so that parts sum to the whole.
pub(crate) fn drawn_cents(by_hour: &[(u64, u64)], from_ms: u64, to_ms: u64) -> i64 {
    let until =
        |end: u64| by_hour.iter().filter(|(hour, _)| *hour < end).map(|(_, nanos)| u128::from(*nanos)).sum::<u128>();
    let cents = |end: u64| until(end) / NANOS_PER_CENT;
    i64::try_from(cents(to_ms) - cents(from_ms.min(to_ms))).unwrap_or(i64::MAX)
}

/// One line. Below zero it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Booked {
    pub(crate) cents: i64,
    pub(crate) description: String,
    pub(crate) by: String,
    /// With this line.
    pub(crate) balance: i64,
}

/// A line with its place in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) at_ms: u64,
    pub(crate) booked: Booked,
}

pub(crate) struct Credits<'a> {
    pub(crate) entries: &'a dyn Entries,
    pub(crate) account: &'a str,
}

// === impl Credits ===

impl Credits<'_> {
    pub(crate) fn balance(&self) -> Result<i64, StoreError> {
        Ok(self.lines(Span::newest(1))?.first().map_or(0, |line| line.booked.balance))
    }

    /// Lines are numbered, and a number is given once: two that come at the same time do not build on the same balance.
    pub(crate) fn book(&self, cents: i64, description: &str, by: &str, now_ms: u64) -> Result<Line, StoreError> {
        let mut tries = 0;
        loop {
            let last = self.lines(Span::newest(1))?.pop();
            let number = last.as_ref().map_or(0, |line| number(&line.id)) + 1;
            let balance = last.as_ref().map_or(0, |line| line.booked.balance).saturating_add(cents);
            let booked = Booked { cents, description: description.to_owned(), by: by.to_owned(), balance };
            let line =
                Line { id: format!("credit-{number}"), at_ms: now_ms.max(last.map_or(0, |line| line.at_ms)), booked };
            let body = serde_json::to_string(&line.booked).unwrap_or_default();
            let draft = Draft { kind: KIND, parent: self.account, id: &line.id, at_ms: line.at_ms, body: &body };
            match self.entries.append(&[draft]) {
                Ok(()) => return Ok(line),
                Err(cause) if cause.kind() == Failure::Conflict && tries < TRIES_MAX => tries += 1,
                Err(cause) => return Err(cause),
            }
        }
    }

    pub(crate) fn find(&self, id: &str) -> Result<Option<Line>, StoreError> {
        let found = self.entries.get(KIND, self.account, id)?;
        Ok(found.and_then(|entry| read(entry.id, entry.at_ms, &entry.body)))
    }

    pub(crate) fn lines(&self, span: Span) -> Result<Vec<Line>, StoreError> {
        let found = self.entries.list(KIND, self.account, span)?;
        Ok(found.into_iter().filter_map(|entry| read(entry.id, entry.at_ms, &entry.body)).collect())
    }

    pub(crate) fn count(&self) -> Result<u64, StoreError> {
        self.entries.count(KIND, self.account, 0, u64::MAX)
    }
}

fn read(id: String, at_ms: u64, body: &str) -> Option<Line> {
    let booked = serde_json::from_str(body)
        .inspect_err(|cause| tracing::error!(%id, %cause, "a credit line cannot be read"))
        .ok()?;
    Some(Line { id, at_ms, booked })
}

fn number(id: &str) -> u64 {
    id.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
