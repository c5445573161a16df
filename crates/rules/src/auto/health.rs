//! Which targets failed most of their recent requests.
//!
//! Enters: outcomes, `now`. Leaves: yes or no. Never: grows past its bound, or holds a grudge for longer than a minute.
//!
//! Two halves of thirty seconds each: the one that runs, and the one before it.

use crate::memory::{Mark, Recent};

const HALF_MS: u64 = 30_000;
/// Fewer outcomes say nothing.
const OUTCOMES_MIN: u32 = 5;
const PLACES: usize = 1_000;

#[derive(Debug)]
pub struct Health {
    targets: Recent<Halves>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Halves {
    began: u64,
    now: Tally,
    before: Tally,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    all: u32,
    failed: u32,
}

// === impl Health ===

impl Health {
    pub fn note(&mut self, provider: &str, model: &str, answered: bool, now_ms: u64) {
        let mark = Mark::of(&[provider, model]);
        if self.targets.get_mut(mark).is_none() {
            self.targets.insert(mark, Halves::default());
        }
        if let Some(halves) = self.targets.get_mut(mark) {
            halves.turn(now_ms);
            halves.now.all = halves.now.all.saturating_add(1);
            halves.now.failed = halves.now.failed.saturating_add(u32::from(!answered));
        }
    }

    /// Half or more of at least five recent requests failed.
    pub fn is_poor(&mut self, provider: &str, model: &str, now_ms: u64) -> bool {
        let Some(halves) = self.targets.get_mut(Mark::of(&[provider, model])) else { return false };
        halves.turn(now_ms);
        let all = halves.now.all.saturating_add(halves.before.all);
        let failed = halves.now.failed.saturating_add(halves.before.failed);
        all >= OUTCOMES_MIN && failed >= all.div_ceil(2)
    }
}

impl Default for Health {
    fn default() -> Self {
        Self { targets: Recent::new(PLACES) }
    }
}

// === impl Halves ===

impl Halves {
    fn turn(&mut self, now_ms: u64) {
        let half = now_ms / HALF_MS;
        if half <= self.began {
            return;
        }
        self.before = if half == self.began + 1 { self.now } else { Tally::default() };
        (self.began, self.now) = (half, Tally::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_often_is_poor_until_a_minute_has_passed() {
        let mut health = Health::default();
        for n in 0..4 {
            health.note("p", "m", false, 60_000 + n);
        }
        assert!(!health.is_poor("p", "m", 60_010), "four say nothing");
        health.note("p", "m", true, 60_020);
        assert!(health.is_poor("p", "m", 60_030) && !health.is_poor("p", "other", 60_030));
        assert!(health.is_poor("p", "m", 95_000), "the half before still counts");
        assert!(!health.is_poor("p", "m", 120_001));
    }
}
