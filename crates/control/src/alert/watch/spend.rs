//! What sessions cost, and which of them cost far more than usual.
//!
//! Enters: records. Leaves: sessions over twice their user's 95th percentile and over everybody's 99th, of thirty days, each once.
//! Never: says so of a user or an organisation of whom too little is known; grows past its bound.
//!
//! A percentile is by nearest rank over the totals of whole sessions, without the session that is judged: the n-th smallest, n = ceil(p * count).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tollgate_model::alert::Anomaly;
use tollgate_model::{Alert, Money, Record};

use super::super::Finding;

/// Of one alert. When there are more, the ones that were silent for longest are forgotten, a tenth at a time.
const SESSIONS_MAX: usize = 20_000;
/// Fewer of the user's other sessions, or of everybody's, say nothing.
pub(super) const USER_SESSIONS_MIN: usize = 5;
pub(super) const ALL_SESSIONS_MIN: usize = 20;
const NAME_BYTES_MAX: usize = 256;

/// By user and session: the same session id of another user is another session.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Spending(HashMap<String, HashMap<String, Session>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    nanos: i64,
    first_ms: u64,
    last_ms: u64,
    /// It has grown since it was judged.
    is_new: bool,
    is_told: bool,
}

/// A session worth telling of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) user: String,
    session: String,
    cost: Money,
    user_p95: Money,
    all_p99: Money,
    first_ms: u64,
}

// === impl Spending ===

impl Spending {
    pub(super) fn count(&mut self, anomaly: &Anomaly, record: &Record) {
        let named = |key: &str| record.metadata.get(key).map(|value| clip(&value.as_text()));
        let Some(session) = named(&anomaly.session_key) else { return };
        let user = named(&anomaly.user_key).or_else(|| record.token_id.clone()).unwrap_or_default();
        let nanos = record.cost.as_ref().map_or(0, |cost| cost.amount.nanos());
        let fresh = Session { first_ms: record.created_ms, ..Session::default() };
        let place = self.0.entry(user).or_default().entry(session).or_insert(fresh);
        place.nanos = place.nanos.saturating_add(nanos);
        place.last_ms = place.last_ms.max(record.created_ms);
        place.is_new |= nanos > 0;
    }

    /// To be called now and then: a page of records is a thousand sessions at most.
    pub(super) fn bound(&mut self) {
        let count: usize = self.0.values().map(HashMap::len).sum();
        if count <= SESSIONS_MAX {
            return;
        }
        let mut silent: Vec<u64> = self.0.values().flat_map(HashMap::values).map(|session| session.last_ms).collect();
        let (_, last, _) = silent.select_nth_unstable(SESSIONS_MAX / 10);
        let last = *last;
        self.forget_before(last + 1);
    }

    fn forget_before(&mut self, ms: u64) {
        self.0.values_mut().for_each(|sessions| sessions.retain(|_, session| session.last_ms >= ms));
        self.0.retain(|_, sessions| !sessions.is_empty());
    }

    /// Those that have grown since the last time and are told now. What is older than `fresh_ms` is history: it is not told.
    pub(super) fn judge(&mut self, anomaly: &Anomaly, since_ms: u64, fresh_ms: u64) -> Vec<Found> {
        self.forget_before(since_ms);
        let mut all: Vec<i64> = self.0.values().flat_map(HashMap::values).map(|session| session.nanos).collect();
        all.sort_unstable();
        let mut found = Vec::new();
        for (user, sessions) in &mut self.0 {
            if !sessions.values().any(|session| session.is_new) {
                continue;
            }
            let mut own: Vec<i64> = sessions.values().map(|session| session.nanos).collect();
            own.sort_unstable();
            for (name, session) in sessions.iter_mut().filter(|(_, session)| session.is_new) {
                session.is_new = false;
                let (Some(user_p95), Some(all_p99)) = (
                    percentile(&own, session.nanos, 95, USER_SESSIONS_MIN),
                    percentile(&all, session.nanos, 99, ALL_SESSIONS_MIN),
                ) else {
                    continue;
                };
                let is_dear = session.nanos as f64 >= anomaly.minimum_cost * 1e9;
                let is_odd = session.nanos > user_p95.saturating_mul(2) && session.nanos > all_p99;
                if session.is_told || session.last_ms < fresh_ms || !is_dear || !is_odd {
                    continue;
                }
                session.is_told = true;
                found.push(Found {
                    user: user.clone(),
                    session: name.clone(),
                    cost: Money::from_nanos(session.nanos),
                    user_p95: Money::from_nanos(user_p95),
                    all_p99: Money::from_nanos(all_p99),
                    first_ms: session.first_ms,
                });
            }
        }
        found.sort_by(|a, b| b.cost.nanos().cmp(&a.cost.nanos()).then_with(|| a.session.cmp(&b.session)));
        found
    }
}

/// Of all but one of these that is `own`; `None`: there are too few.
fn percentile(sorted: &[i64], own: i64, percent: usize, least: usize) -> Option<i64> {
    let count = sorted.len().checked_sub(1).filter(|count| *count >= least)?;
    let rank = (count * percent).div_ceil(100).max(1) - 1;
    let left_out = sorted.partition_point(|each| *each < own);
    sorted.get(if rank >= left_out { rank + 1 } else { rank }).copied()
}

fn clip(text: &str) -> String {
    let end = (0..=NAME_BYTES_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].to_owned()
}

// === impl Found ===

impl Found {
    pub(super) fn finding(&self, alert: &Alert, now_ms: u64) -> Finding {
        let Self { user, session, .. } = self;
        let (cost, user_p95, all_p99) = (self.cost.as_dollars(), self.user_p95.as_dollars(), self.all_p99.as_dollars());
        let text = format!(
            "session {session} of {user} has cost {cost} dollars: over twice what 95 % of this user's sessions cost ({user_p95}), and more than 99 % of all ({all_p99})"
        );
        let data = json!({ "session": session, "user": user, "cost": cost, "user_p95": user_p95, "all_p99": all_p99,
            "since": crate::time::text(self.first_ms) });
        Finding::new(alert, "alert.spend_anomaly", &format!("{user}/{session}"), &self.first_ms.to_string(), now_ms)
            .saying(text, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank_of_the_others() {
        let others: Vec<i64> = (1..=20).collect();
        for own in [0, 1, 7, 20, 1_000] {
            let mut all = others.clone();
            all.push(own);
            all.sort_unstable();
            assert_eq!(percentile(&all, own, 95, 5), Some(19), "{own}");
            assert_eq!(percentile(&all, own, 99, 20), Some(20), "{own}");
            assert_eq!(percentile(&all, own, 99, 21), None);
        }
        assert_eq!(percentile(&[5], 5, 95, 1), None);
        assert_eq!(percentile(&[3, 5], 5, 95, 1), Some(3));
    }
}
