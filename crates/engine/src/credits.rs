//! The prepaid credits of this installation, from which requests draw that go out with the operator's key.
//!
//! Enters: what was paid in, the most a request can come to, the truth. Leaves: drafts that end with whoever holds them; lines in a ledger of its own.
//! Never: waits for a disk or a network; draws twice, or forgets, however the process ends.
//!
//! As with budgets (`till`): one lock for the balance and its file, so that what is drawn is in memory and in the file in one step. What is held is in memory
//! alone and dies with its holder. What was paid in is not here: the desk books that and says what it came to.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tollgate_model::Money;
use tollgate_model::gateway::Technique;
use tollgate_rules::credit::Balance;
use tollgate_rules::memory::Mark;
use tollgate_rules::meter::{By, Meters, Need};
use tollgate_store::StoreError;
use tollgate_store::ledger::{Ledger, Line};

/// Requests of a gateway with the operator's key in a minute, as with the original.
pub const RATE: u64 = 200;
const RATE_WINDOW_MS: u64 = 60_000;

/// Gateways whose rate is counted at a time.
const RATES_MAX: usize = 10_000;
const HOUR_MS: u64 = 3_600_000;
/// A file of this size is worth a sum.
const SUM_AT_BYTES: u64 = 1 << 20;
/// What lines of this ledger are of; there is one account.
const CREDITS: u128 = 0;

#[derive(Debug)]
pub struct Credits(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    balance: Balance,
    /// Drawn in each hour, by its beginning.
    hours: BTreeMap<u64, u64>,
    rates: Meters,
    /// Of requests, for each gateway.
    rate: u64,
    ledger: Ledger,
    unsynced: bool,
}

/// Why nothing is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dry {
    /// Too many requests of this gateway in the last minute.
    Rate,
    /// So much is not left.
    Empty,
}

/// What one request holds. Dropped, it gives everything back.
#[derive(Debug)]
pub(crate) struct Draft {
    credits: Arc<Credits>,
    held: Option<Money>,
}

// === impl Credits ===

impl Credits {
    /// Goes on where earlier processes left off. `rate`: requests of a gateway in a minute, as a rule [`RATE`].
    pub fn new(ledger: Ledger, drawn: &[Line], rate: u64) -> Self {
        let (mut balance, mut hours) = (Balance::default(), BTreeMap::new());
        for line in drawn.iter().filter(|line| line.budget == CREDITS) {
            balance.restore(line.amount);
            *hours.entry(line.from_ms).or_default() += line.amount;
        }
        let rates = Meters::new(RATES_MAX);
        Self(Mutex::new(Inner { balance, hours, rates, rate, ledger, unsynced: false }))
    }

    /// All that was ever paid in.
    pub fn paid(&self, total: Money) {
        self.0.lock().balance.pay(total);
    }

    /// Nano-dollars drawn in each hour, by its beginning in unix milliseconds, the oldest first.
    pub fn drawn(&self) -> Vec<(u64, u64)> {
        self.0.lock().hours.iter().map(|(hour, drawn)| (*hour, *drawn)).collect()
    }

    /// How much is held by requests under way.
    pub fn outstanding(&self) -> u64 {
        self.0.lock().balance.held()
    }

    pub(crate) fn hold(self: &Arc<Self>, gateway: &str, most: Money, now_ms: u64) -> Result<Draft, Dry> {
        let mut inner = self.0.lock();
        let rate = inner.rate;
        if !inner.rates.admit(&need(gateway, rate), now_ms) {
            return Err(Dry::Rate);
        }
        if !inner.balance.hold(most) {
            return Err(Dry::Empty);
        }
        Ok(Draft { credits: self.clone(), held: Some(most) })
    }

    /// Makes what was drawn safe against loss of power, and sums it up when it has become long. Waits for the disk: for a thread of its own.
    pub fn keep(&self) -> Result<(), StoreError> {
        let mut inner = self.0.lock();
        if inner.ledger.bytes() >= SUM_AT_BYTES || inner.ledger.is_broken() {
            drop(inner);
            return self.sum_up();
        }
        let pages = inner.ledger.pages();
        if !std::mem::take(&mut inner.unsynced) {
            return Ok(());
        }
        drop(inner);
        pages.sync()
    }

    /// Puts a sum in the place of all lines: one for each hour.
    pub fn sum_up(&self) -> Result<(), StoreError> {
        let mut inner = self.0.lock();
        let cut = inner.ledger.cut()?;
        let sum: Vec<Line> = inner.hours.iter().map(|(hour, drawn)| line(*hour, *drawn)).collect();
        drop(inner);
        cut.finish(&sum)
    }

    fn settle(&self, held: Money, truth: Option<(Money, u64)>) {
        let mut inner = self.0.lock();
        let drawn = inner.balance.settle(held, truth.map(|(amount, _)| amount));
        let Some((_, at_ms)) = truth.filter(|_| drawn > 0) else { return };
        let hour = at_ms - at_ms % HOUR_MS;
        *inner.hours.entry(hour).or_default() += drawn;
        inner.ledger.append(&[line(hour, drawn)]);
        inner.unsynced = true;
    }
}

fn line(hour: u64, amount: u64) -> Line {
    Line { budget: CREDITS, from_ms: hour, until_ms: hour + HOUR_MS, amount }
}

fn need(gateway: &str, limit: u64) -> Need {
    Need {
        mark: Mark::of(&["operator's key", gateway]),
        by: By::Count,
        limit,
        window_ms: RATE_WINDOW_MS,
        technique: Technique::Sliding,
        element: "".into(),
    }
}

// === impl Draft ===

impl Draft {
    /// Draws what it came to, in the hour of this moment; `None`: nothing. Once this returns, a killed process cannot lose it.
    pub(crate) fn settle(mut self, amount: Option<Money>, at_ms: u64) {
        if let Some(held) = self.held.take() {
            self.credits.settle(held, amount.map(|amount| (amount, at_ms)));
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            self.credits.settle(held, None);
        }
    }
}
