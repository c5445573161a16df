//! How many requests there were, and how many failed, in steps of ten seconds.
//!
//! Enters: records. Leaves: counts of a window, by gateway or by provider. Never: counts what a caller got wrong, or one that nobody waited for.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use tollgate_model::alert::Rate;
use tollgate_model::record::Outcome;
use tollgate_model::{Alert, Attempt, Record};

const STEP_MS: u64 = 10_000;
/// As long as the longest window.
const STEPS_MAX: usize = 360;
/// Gateways and providers, in pairs.
const PAIRS_MAX: usize = 2_000;

/// By gateway and provider.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Traffic {
    pairs: HashMap<String, HashMap<String, Pair>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Pair {
    /// As callers saw them.
    requests: Steps,
    /// As the provider was asked.
    attempts: Steps,
}

/// Of each step that there was something in: its number, how many, how many failed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Steps(VecDeque<(u64, u64, u64)>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) all: u64,
    pub(super) failed: u64,
}

// === impl Traffic ===

impl Traffic {
    pub(super) fn count(&mut self, record: &Record, now_ms: u64) {
        let step = record.created_ms / STEP_MS;
        if step + (STEPS_MAX as u64) < now_ms / STEP_MS {
            return;
        }
        for attempt in &record.attempts {
            let failed = is_failed(attempt);
            if let Some(pair) = self.find(&record.gateway, &attempt.provider) {
                pair.attempts.add(step, failed);
            }
        }
        if record.outcome != Outcome::Cancelled && !record.provider.is_empty() {
            let failed = record.status >= 500 || record.outcome == Outcome::Truncated;
            if let Some(pair) = self.find(&record.gateway, &record.provider) {
                pair.requests.add(step, failed);
            }
        }
    }

    /// `None`: there are too many.
    fn find(&mut self, gateway: &str, provider: &str) -> Option<&mut Pair> {
        let count: usize = self.pairs.values().map(HashMap::len).sum();
        let is_there = self.pairs.get(gateway).is_some_and(|pairs| pairs.contains_key(provider));
        if !is_there && count >= PAIRS_MAX {
            return None;
        }
        Some(self.pairs.entry(gateway.to_owned()).or_default().entry(provider.to_owned()).or_default())
    }

    pub(super) fn by_gateway(&self, alert: &Alert, rate: &Rate, now_ms: u64) -> BTreeMap<String, Counts> {
        let mut sums = BTreeMap::new();
        for (gateway, _, pair) in self.of(alert, rate) {
            let sum: &mut Counts = sums.entry(gateway.to_owned()).or_default();
            sum.add(pair.requests.within(rate.window_seconds, now_ms));
        }
        sums
    }

    pub(super) fn by_provider(&self, alert: &Alert, rate: &Rate, now_ms: u64) -> BTreeMap<String, Counts> {
        let mut sums = BTreeMap::new();
        for (_, provider, pair) in self.of(alert, rate) {
            let sum: &mut Counts = sums.entry(provider.to_owned()).or_default();
            sum.add(pair.attempts.within(rate.window_seconds, now_ms));
        }
        sums
    }

    fn of<'a>(&'a self, alert: &'a Alert, rate: &'a Rate) -> impl Iterator<Item = (&'a str, &'a str, &'a Pair)> {
        let gateways = self.pairs.iter().filter(|(gateway, _)| alert.is_of(gateway));
        let pairs =
            gateways.flat_map(|(gateway, pairs)| pairs.iter().map(move |(name, pair)| (&**gateway, &**name, pair)));
        pairs.filter(|(_, provider, _)| rate.provider.as_deref().is_none_or(|only| only == *provider))
    }

    /// Forgets what is outside of every window.
    pub(super) fn sweep(&mut self, now_ms: u64) {
        for pairs in self.pairs.values_mut() {
            pairs.retain(|_, pair| {
                pair.requests.sweep(now_ms);
                pair.attempts.sweep(now_ms);
                !(pair.requests.0.is_empty() && pair.attempts.0.is_empty())
            });
        }
        self.pairs.retain(|_, pairs| !pairs.is_empty());
    }
}

/// The provider's fault, or nobody's: not one that the caller's request deserved.
fn is_failed(attempt: &Attempt) -> bool {
    match attempt.status {
        Some(status) => status >= 500,
        None => attempt.miss.is_some(),
    }
}

// === impl Steps ===

impl Steps {
    /// Records come nearly in order.
    fn add(&mut self, step: u64, failed: bool) {
        let at = self.0.iter().rposition(|(there, ..)| *there <= step);
        match at {
            Some(at) if self.0[at].0 == step => {
                self.0[at].1 += 1;
                self.0[at].2 += u64::from(failed);
            }
            at => self.0.insert(at.map_or(0, |at| at + 1), (step, 1, u64::from(failed))),
        }
        while self.0.len() > STEPS_MAX + 1 {
            self.0.pop_front();
        }
    }

    fn within(&self, window_seconds: u64, now_ms: u64) -> Counts {
        let first = now_ms.saturating_sub(window_seconds * 1_000) / STEP_MS;
        let within = self.0.iter().rev().take_while(|(step, ..)| *step >= first);
        within
            .fold(Counts::default(), |sum, (_, all, failed)| Counts { all: sum.all + all, failed: sum.failed + failed })
    }

    fn sweep(&mut self, now_ms: u64) {
        let first = (now_ms / STEP_MS).saturating_sub(STEPS_MAX as u64);
        while self.0.front().is_some_and(|(step, ..)| *step < first) {
            self.0.pop_front();
        }
    }
}

// === impl Counts ===

impl Counts {
    pub(super) fn percent(self) -> f64 {
        if self.all == 0 { 0.0 } else { self.failed as f64 * 100.0 / self.all as f64 }
    }

    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.failed += other.failed;
    }
}
