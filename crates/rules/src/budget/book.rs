//! All budgets together.
//!
//! Enters: the claims of one request, all at once; truths; what an earlier process had spent. Leaves: holds, refusals, and what must be written down.
//! Never: takes some claims of a request and not the others, runs backwards, or grows past its bound.
//!
//! Its time only moves forward: while the wall clock is behind what it was, time stands still here, and no window that has closed opens again.

use std::time::Duration;

use hashbrown::HashMap;

use super::account::Account;
use super::{Claim, Held, Over, Part, Settled, Spent, State, Truth, Unit, crossing};
use crate::memory::Mark;

/// Budgets at a time, when the operator says nothing: about 50 MB when each has a few parts.
pub const PLACES: usize = 200_000;

#[derive(Debug)]
pub struct Budgets {
    accounts: HashMap<Mark, Account, ahash::RandomState>,
    /// Thresholds that were told, and for how long that is old news.
    told: HashMap<Mark, Part, ahash::RandomState>,
    places: usize,
    now_ms: u64,
}

// === impl Budgets ===

impl Budgets {
    pub fn new(places: usize) -> Self {
        Self { accounts: HashMap::default(), told: HashMap::default(), places, now_ms: 0 }
    }

    /// Holds what is claimed, all of it or nothing.
    pub fn admit(&mut self, claims: &[Claim], wall_ms: u64) -> Result<Vec<Held>, Over> {
        let now_ms = self.tick(wall_ms);
        let mut marks = Vec::with_capacity(claims.len());
        for (index, claim) in claims.iter().enumerate() {
            let mark = self.place(claim);
            if let Err((taken, wait)) = self.look(mark, claim, now_ms) {
                let told = wait.and_then(|_| self.tell_refusal(mark, claim, now_ms));
                return Err(Over { claim: index, taken, wait, told });
            }
            marks.push(mark);
        }
        Ok(claims.iter().zip(marks).map(|(claim, mark)| self.hold(mark, claim, now_ms)).collect())
    }

    /// Puts the truth in place of what was held.
    pub fn settle(&mut self, held: &[Held], truth: Truth) -> Settled {
        let mut settled = Settled::default();
        for (index, each) in held.iter().enumerate() {
            let amount = truth.of(each.unit).min(crossing::TOLD - 1);
            if self.replace(each, amount) && amount > 0 {
                settled.lines.push(Spent { mark: each.mark, part: each.part, amount });
                if each.unit == Unit::Nanos {
                    self.cross(index, each, &mut settled);
                }
            }
        }
        settled
    }

    /// As if it had never been held.
    pub fn release(&mut self, held: &[Held]) {
        for each in held {
            self.replace(each, 0);
        }
    }

    /// What an earlier process had written down.
    pub fn restore(&mut self, spent: &Spent) {
        if spent.amount == crossing::TOLD {
            self.told.insert(spent.mark, spent.part);
        } else {
            self.accounts.entry(spent.mark).or_default().add(spent.part, spent.amount);
        }
    }

    /// All that must outlive the process. Holds are not among it: they end with who holds them.
    pub fn spent(&self) -> Vec<Spent> {
        let mut all = Vec::new();
        for (mark, account) in &self.accounts {
            let slots = account.slots().filter(|slot| slot.spent > 0 && slot.part.until_ms > self.now_ms);
            all.extend(slots.map(|slot| Spent { mark: *mark, part: slot.part, amount: slot.spent }));
        }
        let told = self.told.iter().filter(|(_, part)| part.until_ms > self.now_ms);
        all.extend(told.map(|(mark, part)| Spent { mark: *mark, part: *part, amount: crossing::TOLD }));
        all
    }

    /// Spent and held now, of one budget.
    pub fn taken(&mut self, mark: Mark, wall_ms: u64) -> (u64, u64) {
        let now_ms = self.tick(wall_ms);
        let Some(account) = self.accounts.get_mut(&mark) else { return (0, 0) };
        account.taken(now_ms);
        account.slots().fold((0, 0), |(spent, held), slot| (spent + slot.spent, held + slot.held))
    }

    /// How the budget of a claim stands.
    pub fn state(&mut self, claim: &Claim, wall_ms: u64) -> State {
        let taken = self.taken(claim.mark, wall_ms);
        let first = self.accounts.get(&claim.mark).and_then(|account| account.slots().next());
        let counted = first.map(|slot| (slot.part.from_ms, slot.part.until_ms));
        State::of(claim, taken, counted, self.now_ms)
    }

    /// Whether anything counts there.
    pub fn has(&self, mark: Mark) -> bool {
        self.accounts.contains_key(&mark)
    }

    /// Forgets what counts no more.
    pub fn sweep(&mut self, wall_ms: u64) {
        let now_ms = self.tick(wall_ms);
        self.accounts.retain(|_, account| {
            account.taken(now_ms);
            !account.is_empty()
        });
        self.told.retain(|_, part| part.until_ms > now_ms);
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
        if claim.soft {
            return Ok(());
        }
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
        let taken = account.taken(now_ms).saturating_add(claim.amount);
        let part = account.hold(claim.span, claim.amount, now_ms);
        let Claim { span, unit, limit, amount, .. } = *claim;
        Held { mark, unit, span, part, amount, limit, left: limit.saturating_sub(taken) }
    }

    /// Notes which parts of its limit are spent now.
    fn cross(&mut self, index: usize, held: &Held, settled: &mut Settled) {
        let now_ms = self.now_ms;
        let spent = self.accounts.get_mut(&held.mark).map_or(0, |account| account.spent(now_ms));
        for threshold in crossing::reached(spent, held.limit) {
            let part = crossing::period(held.span, held.part, self.now_ms);
            if let Some(told) = self.tell(threshold.mark(held.mark), part) {
                settled.lines.push(told);
                settled.crossed.push(threshold.crossed(index, spent, held.limit, part));
            }
        }
    }

    /// A budget that refuses is used up, whatever is left of it.
    fn tell_refusal(&mut self, mark: Mark, claim: &Claim, now_ms: u64) -> Option<Spent> {
        if claim.unit != Unit::Nanos {
            return None;
        }
        let part = self.accounts.get(&mark)?.part(claim.span, now_ms);
        let part = crossing::period(claim.span, part, now_ms);
        self.tell(crossing::WHOLE.mark(mark), part)
    }

    /// `None`: it was told in this period.
    fn tell(&mut self, mark: Mark, part: Part) -> Option<Spent> {
        if self.told.get(&mark).is_some_and(|told| told.until_ms > self.now_ms) {
            return None;
        }
        self.told.insert(mark, part);
        Some(Spent { mark, part, amount: crossing::TOLD })
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
