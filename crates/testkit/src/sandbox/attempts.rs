//! Counts how often the same request came, for the dial `fail=`.
//!
//! Enters: a key. Leaves: its count, this time included.
//! Never: grows without end: the oldest key is forgotten beyond ten thousand.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

const KEYS_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    times: HashMap<u64, u32>,
    order: VecDeque<u64>,
}

impl Attempts {
    pub(super) fn count(&self, key: u64) -> u32 {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !counted.times.contains_key(&key) {
            counted.order.push_back(key);
            if counted.order.len() > KEYS_MAX
                && let Some(oldest) = counted.order.pop_front()
            {
                counted.times.remove(&oldest);
            }
        }
        let times = counted.times.entry(key).or_default();
        *times = times.saturating_add(1);
        *times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted_apart_and_forgotten_in_order() {
        let attempts = Attempts::default();
        assert_eq!((attempts.count(1), attempts.count(2), attempts.count(1)), (1, 1, 2));
        (3..=KEYS_MAX as u64 + 1).for_each(|key| assert_eq!(attempts.count(key), 1));
        assert_eq!((attempts.count(2), attempts.count(1)), (2, 1), "1 was the oldest of 10,001, and 2 stayed");
    }
}
