//! All budgets together.
//!
//! Enters: the claims of one request, all at once; truths; what an earlier process had spent. Leaves: holds, refusals, and what must be written down.
//! Never: takes some claims of a request and not the others, runs backwards, or grows past its bound.
//!
//! Its time only moves forward: while the wall clock is behind what it was, time stands still here, and no window that has closed opens again.

use std::time::Duration;

use hashbrown::HashMap;

use super::account::Account;
use super::{Claim, Held, Over, Spent, Truth};
use crate::memory::Mark;

/// Budgets at a time, when the operator says nothing: about 50 MB when each has a few parts.
pub const PLACES: usize = 200_000;

#[derive(Debug)]
pub struct Budgets {
    accounts: HashMap<Mark, Account, ahash::RandomState>,
    places: usize,
    now_ms: u64,
}

// === impl Budgets ===

impl Budgets {
    pub fn new(places: usize) -> Self {
        Self { accounts: HashMap::default(), places, now_ms: 0 }
    }

    /// Holds what is claimed, all of it or nothing.
    pub fn admit(&mut self, claims: &[Claim], wall_ms: u64) -> Result<Vec<Held>, Over> {
        let now_ms = self.tick(wall_ms);
        let mut marks = Vec::with_capacity(claims.len());
        for (index, claim) in claims.iter().enumerate() {
            let mark = self.place(claim);
            self.look(mark, claim, now_ms).map_err(|(taken, wait)| Over { claim: index, taken, wait })?;
            marks.push(mark);
        }
        Ok(claims.iter().zip(marks).map(|(claim, mark)| self.hold(mark, claim, now_ms)).collect())
    }

    /// Puts the truth in place of what was held, and returns what must outlive the process.
    pub fn settle(&mut self, held: &[Held], truth: Truth) -> Vec<Spent> {
        let mut spent = Vec::new();
        for each in held {
            let amount = truth.of(each.unit);
            if self.replace(each, amount) && amount > 0 {
                spent.push(Spent { mark: each.mark, part: each.part, amount });
            }
        }
        spent
    }

    /// As if it had never been held.
    pub fn release(&mut self, held: &[Held]) {
        for each in held {
            self.replace(each, 0);
        }
    }

    /// What an earlier process had written down.
    pub fn restore(&mut self, spent: &Spent) {
        self.accounts.entry(spent.mark).or_default().add(spent.part, spent.amount);
    }

    /// All that must outlive the process. Holds are not among it: they end with who holds them.
    pub fn spent(&self) -> Vec<Spent> {
        let mut all = Vec::new();
        for (mark, account) in &self.accounts {
            let slots = account.slots().filter(|slot| slot.spent > 0 && slot.part.until_ms > self.now_ms);
            all.extend(slots.map(|slot| Spent { mark: *mark, part: slot.part, amount: slot.spent }));
        }
        all
    }

    /// Spent and held now, of one budget.
    pub fn taken(&mut self, mark: Mark, wall_ms: u64) -> (u64, u64) {
        let now_ms = self.tick(wall_ms);
        let Some(account) = self.accounts.get_mut(&mark) else { return (0, 0) };
        account.taken(now_ms);
        account.slots().fold((0, 0), |(spent, held), slot| (spent + slot.spent, held + slot.held))
    }

    /// Forgets what counts no more.
    pub fn sweep(&mut self, wall_ms: u64) {
        let now_ms = self.tick(wall_ms);
        self.accounts.retain(|_, account| {
            account.taken(now_ms);
            !account.is_empty()
        });
    }

    /// How much is held by requests under way, over all budgets.
    pub fn outstanding(&self) -> u64 {
        self.accounts.values().flat_map(Account::slots).fold(0, |sum, slot| sum.saturating_add(slot.held))
    }

    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    fn tick(&mut self, wall_ms: u64) -> u64 {
        self.now_ms = self.now_ms.max(wall_ms);
        self.now_ms
    }

    /// Too many values of what splits a budget share one: nobody gets a new budget by inventing more of them.
    fn place(&self, claim: &Claim) -> Mark {
        let has_place = self.accounts.len() < self.places || self.accounts.contains_key(&claim.mark);
        if has_place { claim.mark } else { claim.shared }
    }

    fn look(&mut self, mark: Mark, claim: &Claim, now_ms: u64) -> Result<(), (u64, Option<Duration>)> {
        let Some(account) = self.accounts.get_mut(&mark) else {
            return if claim.amount > claim.limit { Err((0, None)) } else { Ok(()) };
        };
        let taken = account.taken(now_ms);
        let sum = taken.saturating_add(claim.amount);
        if taken < claim.limit && sum <= claim.limit {
            return Ok(());
        }
        // One that asks for nothing still needs something to be left.
        let surplus =
            sum.saturating_sub(claim.limit).max(taken.saturating_sub(claim.limit) + u64::from(claim.amount == 0));
        let wait = if claim.amount > claim.limit { None } else { account.wait(surplus.max(1), now_ms) };
        Err((taken, wait))
    }

    fn hold(&mut self, mark: Mark, claim: &Claim, now_ms: u64) -> Held {
        let account = self.accounts.entry(mark).or_default();
        account.taken(now_ms);
        let part = account.hold(claim.span, claim.amount, now_ms);
        Held { mark, unit: claim.unit, part, amount: claim.amount }
    }

    /// False when the part has left its window: then the hold counts no more, and the truth does neither.
    fn replace(&mut self, held: &Held, truth: u64) -> bool {
        if held.part.until_ms <= self.now_ms {
            return false;
        }
        let account = self.accounts.entry(held.mark).or_default();
        account.settle(held.part, held.amount, truth);
        if account.is_empty() {
            self.accounts.remove(&held.mark);
        }
        true
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Self::new(PLACES)
    }
}
