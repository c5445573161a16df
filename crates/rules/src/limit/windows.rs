//! All windows together: many keys, one bound.
//!
//! Enters: what a request needs a place in, all at once. Leaves: a place in each, or in none and how long to wait. Never: lets more pass than a limit
//! allows because there are many keys, or grows past its bound.
//!
//! Callers choose the values of metadata, and so could make up as many windows as they like. When all places are taken, windows in which nothing
//! counts any more are dropped; keys that then have none share one, with the same limit. So a new key may wait for strangers, but nobody gets more
//! than a limit allows by inventing keys, and nobody's count is forgotten while it counts.

use std::time::Duration;

use hashbrown::HashMap;

use super::{Limit, Window};
use crate::memory::Mark;

/// At most about 100 MB with limits of a hundred requests, of which each would have to be used up.
pub const PLACES: usize = 20_000;
/// Looking for windows that count nothing takes a moment, during which nobody is admitted.
const SWEEP_EVERY_MS: u64 = 1_000;

#[derive(Debug)]
pub struct Windows {
    windows: HashMap<Mark, Window, ahash::RandomState>,
    places: usize,
    swept_ms: u64,
}

/// A place in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take {
    pub mark: Mark,
    /// The window of keys for which there is no place.
    pub shared: Mark,
    pub limit: Limit,
}

// === impl Windows ===

impl Windows {
    pub fn new(places: usize) -> Self {
        Self { windows: HashMap::default(), places, swept_ms: 0 }
    }

    /// A place in each, or in none; then which of them has none, and for how long. `told` hears of each that was looked at: which one, how many
    /// places are left in it, and for how many milliseconds there are no more.
    pub fn take(
        &mut self,
        takes: &[Take],
        now_ms: u64,
        mut told: impl FnMut(usize, (u64, u64)),
    ) -> Result<(), (usize, Duration)> {
        for (at, take) in takes.iter().enumerate() {
            let window = self.window(take, now_ms);
            if let Err(wait) = window.look(now_ms) {
                told(at, window.left(now_ms));
                return Err((at, wait));
            }
        }
        for (at, take) in takes.iter().enumerate() {
            let window = self.window(take, now_ms);
            window.add(now_ms);
            told(at, window.left(now_ms));
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.windows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// The count outlives a change of settings.
    fn window(&mut self, take: &Take, now_ms: u64) -> &mut Window {
        let mark = self.place(take, now_ms);
        let window = self.windows.entry(mark).or_insert_with(|| Window::new(take.limit));
        window.adopt(take.limit);
        window
    }

    fn place(&mut self, take: &Take, now_ms: u64) -> Mark {
        if self.windows.len() < self.places || self.windows.contains_key(&take.mark) {
            return take.mark;
        }
        if now_ms.saturating_sub(self.swept_ms) >= SWEEP_EVERY_MS {
            self.swept_ms = now_ms;
            self.windows.retain(|_, window| !window.is_idle(now_ms));
        }
        if self.windows.len() < self.places { take.mark } else { take.shared }
    }
}

impl Default for Windows {
    fn default() -> Self {
        Self::new(PLACES)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tollgate_model::gateway::Technique;

    use super::*;

    fn take(key: &str, requests: u64) -> Take {
        let limit = Limit { requests, interval_ms: 60_000, technique: Technique::Sliding };
        Take { mark: Mark::of(&[key]), shared: Mark::of(&["shared"]), limit }
    }

    #[test]
    fn a_place_in_all_windows_or_in_none() {
        let mut windows = Windows::new(10);
        let (wide, narrow) = (take("wide", 10), take("narrow", 1));
        windows.take(&[wide, narrow], 0, |_, _| {}).unwrap();
        let (at, wait) = windows.take(&[wide, narrow], 1_000, |_, _| {}).unwrap_err();
        assert_eq!((at, wait), (1, Duration::from_secs(59)));
        let mut left = Vec::new();
        windows.take(&[wide], 1_000, |_, each| left.push(each)).unwrap();
        assert_eq!(left, [(8, 59_000)], "the refused one took nothing");
    }

    #[test]
    fn keys_without_a_place_share_a_window_until_others_are_idle() {
        let mut windows = Windows::new(2);
        let mut ask = |key: &str, now_ms: u64| windows.take(&[take(key, 1)], now_ms, |_, _| {}).is_ok();
        assert!(ask("a", 0) && ask("b", 0));
        assert!(ask("c", 1), "the shared one");
        assert!(!ask("d", 2) && !ask("c", 3), "it is used up");
        assert!(!ask("a", 4), "whose place it is keeps its count");
        assert!(ask("d", 60_001), "places are free again");
        assert!(windows.len() <= 3);
    }

    #[test]
    fn no_number_of_keys_grows_past_the_bound() {
        let mut windows = Windows::new(100);
        let admitted =
            (0..50_000).filter(|n| windows.take(&[take(&n.to_string(), 3)], n / 100, |_, _| {}).is_ok()).count();
        assert_eq!((admitted, windows.len()), (103, 101));
    }
}
