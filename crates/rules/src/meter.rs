//! The windows of rate elements: how often, or for how much money, each key went this way lately.
//!
//! Enters: a need, `now`; costs once answers are priced. Leaves: whether there is room. Never: grows past its bound.
//!
//! A count is taken when room is found. Money is entered when it is known, so requests under way at the same time may overshoot, as the
//! original's do; what is entered late still counts from when it was spent. A sliding window is cut into 60 slots and forgets a slot
//! once all of it is outside: it may hold on for a sixtieth of the window too long and never lets go too early.

use std::collections::VecDeque;
use std::sync::Arc;

use tollgate_model::Money;
use tollgate_model::gateway::Technique;

use crate::memory::{Mark, Recent};

const SLOTS: u64 = 60;
/// Keys that are counted at a time, when the operator says nothing: at most about 50 MB.
pub const PLACES: usize = 25_000;

/// What a rate element asks: is there room for this key?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Route, element and the key's value; all requests without the key share one.
    pub mark: Mark,
    pub by: By,
    /// Requests, or nano-dollars.
    pub limit: u64,
    pub window_ms: u64,
    pub technique: Technique,
    pub element: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Count,
    Cost,
}

#[derive(Debug)]
pub struct Meters {
    windows: Recent<Window>,
}

#[derive(Debug)]
struct Window {
    slot_ms: u64,
    slots_max: u64,
    /// Number of the slot since 1970, and what fell into it. Oldest first.
    slots: VecDeque<(u64, u64)>,
    sum: u64,
}

// === impl Need ===

impl Need {
    /// Money is entered when the answer is priced; requests have been counted when room was found.
    pub fn is_owed(&self) -> bool {
        self.by == By::Cost
    }

    /// `5 requests`, `$0.25`.
    pub fn shown_limit(&self) -> String {
        match self.by {
            By::Count => format!("{} requests", self.limit),
            By::Cost => format!("${}", Money::from_nanos(i64::try_from(self.limit).unwrap_or(i64::MAX)).as_dollars()),
        }
    }
}

// === impl Meters ===

impl Meters {
    pub fn new(places: usize) -> Self {
        Self { windows: Recent::new(places) }
    }

    /// Whether there is room; takes one when it is requests that are counted.
    pub fn admit(&mut self, need: &Need, now_ms: u64) -> bool {
        let window = self.window(need);
        let has_room = window.sum_at(now_ms) < need.limit;
        if has_room && need.by == By::Count {
            window.add(1, now_ms);
        }
        has_room
    }

    /// Enters what a request has cost, in each window of cost that it passed ([`crate::walk::Walk::owed`]).
    pub fn spend(&mut self, owed: &[Need], cost: Money, now_ms: u64) {
        let nanos = u64::try_from(cost.nanos()).unwrap_or(0);
        for need in owed.iter().filter(|need| need.is_owed()) {
            self.window(need).add(nanos, now_ms);
        }
    }

    /// What stands in the window now, for people.
    pub fn used(&mut self, need: &Need, now_ms: u64) -> u64 {
        self.window(need).sum_at(now_ms)
    }

    fn window(&mut self, need: &Need) -> &mut Window {
        let (slot_ms, slots_max) = Window::shape(need);
        let is_there = self.windows.get_mut(need.mark).is_some_and(|window| window.fits(slot_ms, slots_max));
        if !is_there {
            self.windows.insert(need.mark, Window::new(slot_ms, slots_max));
        }
        self.windows.get_mut(need.mark).expect("it is there or was just put there")
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self::new(PLACES)
    }
}

// === impl Window ===

impl Window {
    fn shape(need: &Need) -> (u64, u64) {
        match need.technique {
            Technique::Fixed => (need.window_ms.max(1), 1),
            Technique::Sliding => (need.window_ms.div_ceil(SLOTS).max(1), SLOTS + 1),
        }
    }

    fn new(slot_ms: u64, slots_max: u64) -> Self {
        Self { slot_ms, slots_max, slots: VecDeque::new(), sum: 0 }
    }

    /// The element was changed to another window: what was counted means something else now.
    fn fits(&self, slot_ms: u64, slots_max: u64) -> bool {
        (self.slot_ms, self.slots_max) == (slot_ms, slots_max)
    }

    fn sum_at(&mut self, now_ms: u64) -> u64 {
        let first = (now_ms / self.slot_ms + 1).saturating_sub(self.slots_max);
        while let Some((_, amount)) = self.slots.front().copied().filter(|(slot, _)| *slot < first) {
            self.sum = self.sum.saturating_sub(amount);
            self.slots.pop_front();
        }
        self.sum
    }

    /// A clock that steps back adds to the newest slot.
    fn add(&mut self, amount: u64, now_ms: u64) {
        self.sum_at(now_ms);
        let now = now_ms / self.slot_ms;
        match self.slots.back_mut() {
            Some((slot, sum)) if *slot >= now => *sum = sum.saturating_add(amount),
            _ => self.slots.push_back((now, amount)),
        }
        self.sum = self.sum.saturating_add(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(key: &str, by: By, limit: u64, window_ms: u64, technique: Technique) -> Need {
        Need { mark: Mark::of(&[key]), by, limit, window_ms, technique, element: "r".into() }
    }

    #[test]
    fn the_third_call_in_the_window_has_no_room() {
        let mut meters = Meters::new(10);
        for technique in [Technique::Fixed, Technique::Sliding] {
            let need = need(&format!("{technique:?}"), By::Count, 2, 60_000, technique);
            let admitted: Vec<bool> = (0..3).map(|n| meters.admit(&need, 120_000 + n)).collect();
            assert_eq!(admitted, [true, true, false], "{technique:?}");
            assert!(meters.admit(&need, 120_000 + 61_001), "{technique:?}");
        }
    }

    #[test]
    fn keys_do_not_share_a_window() {
        let mut meters = Meters::new(10);
        let (a, b) =
            (need("a", By::Count, 1, 1_000, Technique::Fixed), need("b", By::Count, 1, 1_000, Technique::Fixed));
        assert!(meters.admit(&a, 0) && meters.admit(&b, 0) && !meters.admit(&a, 0));
    }

    #[test]
    fn in_no_sliding_interval_is_more_admitted_than_the_limit() {
        let (limit, interval) = (50, 6_000);
        let need = need("k", By::Count, limit, interval, Technique::Sliding);
        let (mut meters, mut state, mut now) = (Meters::new(1), 7_u64, 59_000_u64);
        let mut admitted = Vec::new();
        for _ in 0..3_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += (state >> 58) % 40;
            if meters.admit(&need, now) {
                admitted.push(now);
            }
        }
        for (index, at) in admitted.iter().enumerate() {
            let inside = admitted[index..].iter().take_while(|other| **other < at + interval).count();
            assert!(inside as u64 <= limit, "{inside} within {interval} ms of {at}");
        }
        assert!(admitted.len() > 3 * limit as usize, "the window must reopen: {}", admitted.len());
    }

    #[test]
    fn money_is_entered_after_the_answer_and_closes_the_window() {
        let mut meters = Meters::new(10);
        let dollar = need("k", By::Cost, 1_000_000_000, 60_000, Technique::Sliding);
        assert!(meters.admit(&dollar, 0) && meters.admit(&dollar, 0));
        meters.spend(std::slice::from_ref(&dollar), Money::from_nanos(600_000_000), 10);
        assert!(meters.admit(&dollar, 20));
        meters.spend(std::slice::from_ref(&dollar), Money::from_nanos(600_000_000), 30);
        assert!(!meters.admit(&dollar, 40));
        assert_eq!(meters.used(&dollar, 40), 1_200_000_000);
        assert!(meters.admit(&dollar, 62_000));
    }

    #[test]
    fn another_window_begins_at_nothing() {
        let mut meters = Meters::new(10);
        assert!(meters.admit(&need("k", By::Count, 1, 1_000, Technique::Fixed), 0));
        assert!(meters.admit(&need("k", By::Count, 1, 2_000, Technique::Fixed), 0));
    }
}
