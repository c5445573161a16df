//! Where requests reserve what they may spend, and pay what they did.
//!
//! Enters: claims, truths. Leaves: leases that end with whoever holds them; lines in the ledger. Never: waits for a disk or a network.
//!
//! One lock for all budgets and the ledger's file. Under it a request is admitted in one step that no other can come between, and what is spent is in
//! memory and in the file together, so that a sum of the ledger holds exactly what was appended before it. It is held for about a microsecond.

use std::sync::Arc;

use parking_lot::Mutex;
use tollgate_rules::budget::{Budgets, Claim, Held, Over, Part, Spent, Truth};
use tollgate_rules::memory::Mark;
use tollgate_store::StoreError;
use tollgate_store::ledger::{Ledger, Line};

#[derive(Debug, Default)]
pub struct Till(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    budgets: Budgets,
    /// `None`: what is spent is forgotten with the process.
    ledger: Option<Ledger>,
    unsynced: bool,
    /// When budgets that count nothing any more were forgotten last.
    swept_ms: u64,
}

/// What one request holds. Dropped, it gives everything back: a request that is cut off anywhere owes nothing.
#[derive(Debug)]
pub(crate) struct Lease {
    till: Arc<Till>,
    held: Vec<Held>,
}

/// A file of this size is worth a sum.
const SUM_AT_BYTES: u64 = 1 << 20;
const SWEEP_EVERY_MS: u64 = 60_000;

// === impl Till ===

impl Till {
    /// Goes on where earlier processes left off.
    pub fn new(ledger: Ledger, spent: &[Line]) -> Self {
        let mut budgets = Budgets::default();
        spent.iter().for_each(|line| budgets.restore(&restored(line)));
        Self(Mutex::new(Inner { budgets, ledger: Some(ledger), unsynced: false, swept_ms: 0 }))
    }

    pub(crate) fn admit(self: &Arc<Self>, claims: &[Claim], now_ms: u64) -> Result<Lease, Over> {
        let held = self.0.lock().budgets.admit(claims, now_ms)?;
        Ok(Lease { till: self.clone(), held })
    }

    /// Spent and held now, of one budget.
    pub fn taken(&self, mark: Mark, now_ms: u64) -> (u64, u64) {
        self.0.lock().budgets.taken(mark, now_ms)
    }

    /// How much is held by requests under way, over all budgets.
    pub fn outstanding(&self) -> u64 {
        self.0.lock().budgets.outstanding()
    }

    /// Makes what was appended safe against loss of power, and sums it up when it has become long. Waits for the disk: for a thread of its own.
    pub fn keep(&self, now_ms: u64) -> Result<(), StoreError> {
        let mut inner = self.0.lock();
        if now_ms.saturating_sub(inner.swept_ms) >= SWEEP_EVERY_MS {
            inner.budgets.sweep(now_ms);
            inner.swept_ms = now_ms;
        }
        let Some(ledger) = &inner.ledger else { return Ok(()) };
        if ledger.bytes() >= SUM_AT_BYTES || ledger.is_broken() {
            drop(inner);
            return self.sum_up(now_ms);
        }
        let pages = ledger.pages();
        if !std::mem::take(&mut inner.unsynced) {
            return Ok(());
        }
        drop(inner);
        pages.sync()
    }

    /// Puts a sum in the place of all lines.
    pub fn sum_up(&self, now_ms: u64) -> Result<(), StoreError> {
        let mut inner = self.0.lock();
        inner.budgets.sweep(now_ms);
        let Some(cut) = inner.ledger.as_mut().map(Ledger::cut) else { return Ok(()) };
        let sum: Vec<Line> = inner.budgets.spent().iter().map(line).collect();
        drop(inner);
        cut?.finish(&sum)
    }
}

fn line(spent: &Spent) -> Line {
    let Part { from_ms, until_ms } = spent.part;
    Line { budget: spent.mark.bits(), from_ms, until_ms, amount: spent.amount }
}

fn restored(line: &Line) -> Spent {
    let part = Part { from_ms: line.from_ms, until_ms: line.until_ms };
    Spent { mark: Mark::from_bits(line.budget), part, amount: line.amount }
}

// === impl Lease ===

impl Lease {
    /// Once this returns, a killed process cannot lose it.
    pub(crate) fn settle(mut self, truth: Truth) {
        let held = std::mem::take(&mut self.held);
        let mut inner = self.till.0.lock();
        let spent = inner.budgets.settle(&held, truth);
        if let Some(ledger) = inner.ledger.as_mut().filter(|_| !spent.is_empty()) {
            ledger.append(&spent.iter().map(line).collect::<Vec<_>>());
            inner.unsynced = true;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.held.is_empty() {
            self.till.0.lock().budgets.release(&self.held);
        }
    }
}
