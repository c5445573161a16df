//! Where requests reserve what they may spend, and pay what they did.
//!
//! Enters: claims, truths. Leaves: leases that end with whoever holds them; lines in the ledger; word of budgets that are used up so far. Never: waits
//! for a disk, a network or whoever listens.
//!
//! One lock for all budgets and the ledger's file. Under it a request is admitted in one step that no other can come between, and what is spent is in
//! memory and in the file together, so that a sum of the ledger holds exactly what was appended before it. It is held for about a microsecond.

use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tollgate_model::BudgetCrossing;
use tollgate_rules::budget::{Budgets, Claim, Crossed, Held, Over, Part, Settled, Spent, State, Truth};
use tollgate_rules::memory::Mark;
use tollgate_store::StoreError;
use tollgate_store::ledger::{Ledger, Line};

#[derive(Debug)]
pub struct Till {
    inner: Mutex<Inner>,
    crossings: Sender<BudgetCrossing>,
    /// Until somebody listens.
    unheard: Mutex<Option<Receiver<BudgetCrossing>>>,
}

#[derive(Debug, Default)]
struct Inner {
    budgets: Budgets,
    /// Of budgets that a value has to itself, for people: since this process began, and as long as something counts there.
    names: HashMap<Mark, Named, ahash::RandomState>,
    /// `None`: what is spent is forgotten with the process.
    ledger: Option<Ledger>,
    unsynced: bool,
    /// When budgets that count nothing any more were forgotten last.
    swept_ms: u64,
}

/// One of the budgets into which something is split.
#[derive(Clone, Debug)]
pub struct Named {
    /// What is split.
    pub whole: Mark,
    /// `team=red`, `user:ann@example.com|*`.
    pub bucket: String,
    /// The policy, where it is one's.
    pub policy: Option<String>,
    /// Of its last request.
    pub claim: Claim,
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
/// Told and not heard yet; what is more than that is written to the process's log alone.
const CROSSINGS_MAX: usize = 1_024;

// === impl Till ===

impl Till {
    /// Goes on where earlier processes left off.
    pub fn new(ledger: Ledger, spent: &[Line]) -> Self {
        let mut budgets = Budgets::default();
        spent.iter().for_each(|line| budgets.restore(&restored(line)));
        let (crossings, heard) = mpsc::channel(CROSSINGS_MAX);
        let inner = Inner { budgets, ledger: Some(ledger), ..Inner::default() };
        let inner = Mutex::new(inner);
        Self { inner, crossings, unheard: Mutex::new(Some(heard)) }
    }

    /// Each threshold of each budget, once in a period. For one listener: whoever asks first.
    pub fn crossings(&self) -> Option<Receiver<BudgetCrossing>> {
        self.unheard.lock().take()
    }

    /// Never waits.
    pub(crate) fn tell(&self, crossing: BudgetCrossing) {
        if let Err(lost) = self.crossings.try_send(crossing) {
            let (mpsc::error::TrySendError::Full(lost) | mpsc::error::TrySendError::Closed(lost)) = lost;
            tracing::warn!(?lost, "nobody heard that a budget is used up so far");
        }
    }

    /// `name` tells what people call the budget of a claim.
    pub(crate) fn admit(
        self: &Arc<Self>,
        claims: &[Claim],
        now_ms: u64,
        name: impl Fn(usize) -> Option<(String, Option<String>)>,
    ) -> Result<Lease, Over> {
        let mut inner = self.inner.lock();
        match inner.budgets.admit(claims, now_ms) {
            Ok(held) => {
                inner.name(claims, name);
                Ok(Lease { till: self.clone(), held })
            }
            Err(over) => {
                inner.append(over.told.as_slice());
                Err(over)
            }
        }
    }

    /// Spent and held now, of one budget.
    pub fn taken(&self, mark: Mark, now_ms: u64) -> (u64, u64) {
        self.inner.lock().budgets.taken(mark, now_ms)
    }

    /// How the budget of a claim stands.
    pub fn state(&self, claim: &Claim, now_ms: u64) -> State {
        self.inner.lock().budgets.state(claim, now_ms)
    }

    /// The budgets that were drawn on lately of all that `is_wanted`.
    pub fn named(&self, is_wanted: impl Fn(&Named) -> bool) -> Vec<Named> {
        self.inner.lock().names.values().filter(|named| is_wanted(named)).cloned().collect()
    }

    /// How much is held by requests under way, over all budgets.
    pub fn outstanding(&self) -> u64 {
        self.inner.lock().budgets.outstanding()
    }

    /// Makes what was appended safe against loss of power, and sums it up when it has become long. Waits for the disk: for a thread of its own.
    pub fn keep(&self, now_ms: u64) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        if now_ms.saturating_sub(inner.swept_ms) >= SWEEP_EVERY_MS {
            inner.sweep(now_ms);
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
        let mut inner = self.inner.lock();
        inner.sweep(now_ms);
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

// === impl Inner ===

impl Inner {
    fn name(&mut self, claims: &[Claim], name: impl Fn(usize) -> Option<(String, Option<String>)>) {
        for (at, claim) in claims.iter().enumerate().filter(|(_, claim)| claim.mark != claim.shared) {
            if let Some(known) = self.names.get_mut(&claim.mark) {
                known.claim.limit = claim.limit;
            } else if let Some((bucket, policy)) = name(at).filter(|_| self.budgets.has(claim.mark)) {
                self.names.insert(claim.mark, Named { whole: claim.shared, bucket, policy, claim: *claim });
            }
        }
    }

    fn append(&mut self, spent: &[Spent]) {
        if let Some(ledger) = self.ledger.as_mut().filter(|_| !spent.is_empty()) {
            ledger.append(&spent.iter().map(line).collect::<Vec<_>>());
            self.unsynced = true;
        }
    }

    fn sweep(&mut self, now_ms: u64) {
        let Self { budgets, names, .. } = self;
        budgets.sweep(now_ms);
        names.retain(|mark, _| budgets.has(*mark));
    }
}

// === impl Lease ===

impl Lease {
    pub(crate) fn held(&self) -> &[Held] {
        &self.held
    }

    pub(crate) fn till(&self) -> &Arc<Till> {
        &self.till
    }

    /// Once this returns, a killed process cannot lose it.
    pub(crate) fn settle(mut self, truth: Truth) -> Vec<Crossed> {
        let held = std::mem::take(&mut self.held);
        let mut inner = self.till.inner.lock();
        let Settled { lines, crossed } = inner.budgets.settle(&held, truth);
        inner.append(&lines);
        crossed
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.held.is_empty() {
            self.till.inner.lock().budgets.release(&self.held);
        }
    }
}
