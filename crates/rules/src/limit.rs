//! Counting requests in a window, exactly.
//!
//! Enters: a limit and `now`. Leaves: yes, or how long to wait. Never: forgets a request that is still inside the window.
//!
//! Fixed windows are aligned to the clock. A sliding window keeps every admission of the last interval, merged by the millisecond, so
//! "at most N in any interval" holds to the millisecond. Of a limit of more than [`ADMISSIONS_MAX`] requests they are merged by that part of the
//! interval, each to the end of its part: still at most N in any interval, and let go that much later.

pub mod rule;
mod windows;

use std::collections::VecDeque;
use std::time::Duration;

use tollgate_model::gateway::{Gateway, Technique};

pub use self::windows::{PLACES, Take, Windows};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub requests: u64,
    pub interval_ms: u64,
    pub technique: Technique,
}

/// Kept of a sliding window at most: 64 KiB.
pub const ADMISSIONS_MAX: u64 = 4_096;

#[derive(Debug)]
pub struct Window {
    limit: Limit,
    /// Fixed: the start of the current window. Sliding: unused.
    began_ms: u64,
    taken: u64,
    /// Sliding: admissions by millisecond, oldest first.
    admissions: VecDeque<(u64, u64)>,
}

impl Limit {
    /// `None` when the gateway has no limit.
    pub fn of_gateway(gateway: &Gateway) -> Option<Self> {
        let requests = gateway.rate_limiting_limit.filter(|limit| *limit > 0)?;
        let interval_s = gateway.rate_limiting_interval.filter(|interval| *interval > 0)?;
        let technique = gateway.rate_limiting_technique.unwrap_or(Technique::Fixed);
        Some(Self { requests, interval_ms: interval_s.saturating_mul(1_000), technique })
    }
}

impl Limit {
    /// Milliseconds whose admissions are merged.
    fn part_ms(self) -> u64 {
        if self.requests <= ADMISSIONS_MAX { 1 } else { self.interval_ms.div_ceil(ADMISSIONS_MAX) }
    }
}

impl Window {
    pub fn new(limit: Limit) -> Self {
        Self { limit, began_ms: 0, taken: 0, admissions: VecDeque::new() }
    }

    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// Another number of requests in the same window: those that were let through count. Another window begins anew.
    pub fn adopt(&mut self, limit: Limit) {
        if (self.limit.interval_ms, self.limit.technique) != (limit.interval_ms, limit.technique) {
            *self = Self::new(limit);
        }
        self.limit = limit;
    }

    /// Whether it counts nothing any more: a new one would say the same.
    pub fn is_idle(&self, now_ms: u64) -> bool {
        let last_ms = self.admissions.back().map_or(self.began_ms, |(at_ms, _)| *at_ms);
        last_ms.saturating_add(self.limit.interval_ms) <= now_ms
    }

    /// What is left at the moment of the last [`Window::take`], and for how many milliseconds nothing is added to it.
    pub fn left(&self, now_ms: u64) -> (u64, u64) {
        let begun_ms = self.admissions.front().map_or(self.began_ms, |(at_ms, _)| *at_ms);
        let more_ms = begun_ms.saturating_add(self.limit.interval_ms).saturating_sub(now_ms);
        (self.limit.requests.saturating_sub(self.taken), more_ms.min(self.limit.interval_ms))
    }

    /// Takes one unit, or says when the next one is free. A clock that steps back reopens nothing.
    pub fn take(&mut self, now_ms: u64) -> Result<(), Duration> {
        self.look(now_ms)?;
        self.add(now_ms);
        Ok(())
    }

    /// Whether there is room.
    pub fn look(&mut self, now_ms: u64) -> Result<(), Duration> {
        let free_ms = match self.limit.technique {
            Technique::Fixed => self.turn(now_ms),
            Technique::Sliding => self.slide(now_ms),
        };
        if self.taken < self.limit.requests {
            return Ok(());
        }
        Err(Duration::from_millis(free_ms.saturating_sub(now_ms).max(1)))
    }

    /// Takes the place that [`Window::look`] has found.
    pub fn add(&mut self, now_ms: u64) {
        self.taken += 1;
        if self.limit.technique == Technique::Fixed {
            return;
        }
        let part_ms = self.limit.part_ms();
        let at_ms = now_ms - now_ms % part_ms + (part_ms - 1);
        match self.admissions.back_mut() {
            Some((last_ms, count)) if *last_ms >= at_ms => *count += 1,
            _ => self.admissions.push_back((at_ms, 1)),
        }
    }

    /// When the window at hand ends.
    fn turn(&mut self, now_ms: u64) -> u64 {
        let began_ms = now_ms - now_ms % self.limit.interval_ms;
        if began_ms > self.began_ms {
            (self.began_ms, self.taken) = (began_ms, 0);
        }
        self.began_ms.saturating_add(self.limit.interval_ms)
    }

    /// When the oldest admission leaves.
    fn slide(&mut self, now_ms: u64) -> u64 {
        while let Some((at_ms, count)) = self.admissions.front().copied() {
            if at_ms.saturating_add(self.limit.interval_ms) > now_ms {
                break;
            }
            self.taken -= count;
            self.admissions.pop_front();
        }
        let oldest_ms = self.admissions.front().map_or(now_ms, |(at_ms, _)| *at_ms);
        oldest_ms.saturating_add(self.limit.interval_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(requests: u64, interval_ms: u64, technique: Technique) -> Window {
        Window::new(Limit { requests, interval_ms, technique })
    }

    #[test]
    fn a_fixed_window_reopens_at_its_edge() {
        let mut window = window(2, 1_000, Technique::Fixed);
        assert!(window.take(1_900).is_ok() && window.take(1_950).is_ok());
        assert_eq!(window.take(1_990), Err(Duration::from_millis(10)));
        assert!(window.take(2_000).is_ok());
        assert!(window.take(2_000).is_ok());
        // The clock steps back: the window of then is not reopened.
        assert!(window.take(1_000).is_err());
    }

    #[test]
    fn in_any_sliding_interval_at_most_the_limit_is_admitted() {
        // 3,000 attempts around an edge, many in the same millisecond.
        let (limit, interval) = (100_usize, 1_000_u64);
        let mut window = window(limit as u64, interval, Technique::Sliding);
        let mut state = 7_u64;
        let mut admitted = Vec::new();
        let mut now = 59_000;
        for _ in 0..3_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += (state >> 60) % 3;
            if window.take(now).is_ok() {
                admitted.push(now);
            }
        }
        for (index, at) in admitted.iter().enumerate() {
            let inside = admitted[index..].iter().take_while(|other| **other < at + interval).count();
            assert!(inside <= limit, "{inside} admitted within {interval} ms of {at}");
        }
        assert!(admitted.len() >= 2 * limit, "the window must reopen: {}", admitted.len());
    }

    #[test]
    fn a_large_limit_is_kept_in_few_parts_and_not_passed() {
        let (limit, interval) = (10_000_u64, 60_000_u64);
        let mut window = window(limit, interval, Technique::Sliding);
        let (mut state, mut now, mut admitted) = (7_u64, 1_795_000_000_000_u64, Vec::new());
        for _ in 0..60_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += (state >> 60) % 8;
            if window.take(now).is_ok() {
                admitted.push(now);
            }
            assert!(window.admissions.len() as u64 <= ADMISSIONS_MAX + 1);
        }
        let mut from = 0;
        for (index, at) in admitted.iter().enumerate() {
            while admitted[from] + interval <= *at {
                from += 1;
            }
            assert!((index - from) as u64 <= limit, "{} within {interval} ms before {at}", index - from);
        }
        assert!(admitted.len() as u64 > 2 * limit, "the window must reopen: {}", admitted.len());
    }

    #[test]
    fn what_is_left_and_until_when_is_known() {
        let mut fixed = window(3, 1_000, Technique::Fixed);
        assert!(fixed.take(5_200).is_ok());
        assert_eq!(fixed.left(5_200), (2, 800));
        let mut sliding = window(2, 1_000, Technique::Sliding);
        assert!(sliding.take(5_200).is_ok() && sliding.take(5_500).is_ok() && sliding.take(5_600).is_err());
        assert_eq!(sliding.left(5_600), (0, 600));
    }

    #[test]
    fn the_wait_that_is_told_is_enough_and_not_too_much() {
        let mut window = window(1, 1_000, Technique::Sliding);
        assert!(window.take(5_000).is_ok());
        let wait = window.take(5_300).err();
        assert_eq!(wait, Some(Duration::from_millis(700)));
        assert!(window.take(5_999).is_err());
        assert!(window.take(6_000).is_ok());
    }
}
