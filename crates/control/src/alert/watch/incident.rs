//! What is wrong at the moment, and what was told a moment ago.
//!
//! Enters: whether something is bad, and `now`. Leaves: that it began, or that it is over, each once. Never: tells the same again within an alert's
//! pause, or grows past its bound.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use tollgate_model::Alert;

/// Things that alerts speak of. More are not told until others are forgotten.
const SUBJECTS_MAX: usize = 10_000;
/// Longer than any pause.
const FORGET_MS: u64 = 8 * 86_400_000;

/// By alert and subject.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Incidents(HashMap<String, HashMap<String, Incident>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Incident {
    /// `None`: it is over.
    since_ms: Option<u64>,
    told_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Begun,
    /// It had begun then.
    Over(u64),
}

// === impl Incidents ===

impl Incidents {
    /// `None`: nothing has changed, or it was told too recently.
    pub(super) fn turn(
        &mut self,
        alert: &Alert,
        subject: &str,
        is_bad: bool,
        is_good: bool,
        now_ms: u64,
    ) -> Option<Turn> {
        let since_ms = self.find(alert, subject).and_then(|incident| incident.since_ms);
        match since_ms {
            None if is_bad && self.may_tell(alert, subject, now_ms) => {
                self.find(alert, subject)?.since_ms = Some(now_ms);
                Some(Turn::Begun)
            }
            Some(since_ms) if is_good => {
                self.find(alert, subject)?.since_ms = None;
                Some(Turn::Over(since_ms))
            }
            _ => None,
        }
    }

    /// Whether the pause since it was told last is over. If so, it is told now.
    pub(super) fn may_tell(&mut self, alert: &Alert, subject: &str, now_ms: u64) -> bool {
        let pause_ms = alert.cooldown_seconds.saturating_mul(1_000);
        if let Some(incident) = self.find(alert, subject) {
            let is_over = now_ms.saturating_sub(incident.told_ms) >= pause_ms;
            if is_over {
                incident.told_ms = now_ms;
            }
            return is_over;
        }
        let count: usize = self.0.values().map(HashMap::len).sum();
        if count >= SUBJECTS_MAX {
            return false;
        }
        let fresh = Incident { since_ms: None, told_ms: now_ms };
        self.0.entry(alert.id.clone()).or_default().insert(subject.to_owned(), fresh);
        true
    }

    /// Forgets alerts that are gone, and what is long over.
    pub(super) fn keep(&mut self, is_there: impl Fn(&str) -> bool, now_ms: u64) {
        self.0.retain(|id, _| is_there(id));
        let is_fresh = |each: &Incident| each.since_ms.is_some() || now_ms.saturating_sub(each.told_ms) < FORGET_MS;
        self.0.values_mut().for_each(|of_alert| of_alert.retain(|_, each| is_fresh(each)));
    }

    fn find(&mut self, alert: &Alert, subject: &str) -> Option<&mut Incident> {
        self.0.get_mut(&alert.id)?.get_mut(subject)
    }
}
