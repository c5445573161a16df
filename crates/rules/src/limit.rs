//! Counting requests in a window, exactly.
//!
//! Enters: a limit and `now`. Leaves: yes, or how long to wait. Never: forgets a request that is still inside the window.
//!
//! Fixed windows are aligned to the clock. A sliding window keeps every admission of the last interval, merged by the millisecond, so
//! "at most N in any interval" holds to the millisecond; its memory is bounded by the limit and by the interval's milliseconds.

use std::collections::VecDeque;
use std::time::Duration;

use tollgate_model::gateway::{Gateway, Technique};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub requests: u64,
    pub interval_ms: u64,
    pub technique: Technique,
}

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

impl Window {
    pub fn new(limit: Limit) -> Self {
        Self { limit, began_ms: 0, taken: 0, admissions: VecDeque::new() }
    }

    pub fn limit(&self) -> Limit {
        self.limit
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
        match self.limit.technique {
            Technique::Fixed => self.take_fixed(now_ms),
            Technique::Sliding => self.take_sliding(now_ms),
        }
    }

    fn take_fixed(&mut self, now_ms: u64) -> Result<(), Duration> {
        let began_ms = now_ms - now_ms % self.limit.interval_ms;
        if began_ms > self.began_ms {
            (self.began_ms, self.taken) = (began_ms, 0);
        }
        if self.taken < self.limit.requests {
            self.taken += 1;
            return Ok(());
        }
        Err(Duration::from_millis((self.began_ms + self.limit.interval_ms).saturating_sub(now_ms).max(1)))
    }

    fn take_sliding(&mut self, now_ms: u64) -> Result<(), Duration> {
        while let Some((at_ms, count)) = self.admissions.front().copied() {
            if at_ms + self.limit.interval_ms > now_ms {
                break;
            }
            self.taken -= count;
            self.admissions.pop_front();
        }
        if self.taken < self.limit.requests {
            self.admit(now_ms);
            return Ok(());
        }
        let oldest_ms = self.admissions.front().map_or(now_ms, |(at_ms, _)| *at_ms);
        Err(Duration::from_millis((oldest_ms + self.limit.interval_ms).saturating_sub(now_ms).max(1)))
    }

    fn admit(&mut self, now_ms: u64) {
        self.taken += 1;
        match self.admissions.back_mut() {
            Some((at_ms, count)) if *at_ms >= now_ms => *count += 1,
            _ => self.admissions.push_back((now_ms, 1)),
        }
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
