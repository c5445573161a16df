//! One budget: the parts of its window, and what each of them holds.
//!
//! Enters: spans, amounts, `now`. Leaves: what counts now, and when enough of it will have left. Never: has more parts than a window is cut into.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Part, Span, calendar};

/// Parts of a sliding window.
const PARTS: u64 = 60;

#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// In order of their ends.
    slots: VecDeque<Slot>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) part: Part,
    pub(super) spent: u64,
    pub(super) held: u64,
}

// === impl Account ===

impl Account {
    /// Spent and held, of what still counts. What does not is forgotten.
    pub(super) fn taken(&mut self, now_ms: u64) -> u64 {
        self.slots.retain(|slot| slot.part.until_ms > now_ms);
        self.slots.iter().fold(0, |sum, slot| sum.saturating_add(slot.taken()))
    }

    pub(super) fn hold(&mut self, span: Span, amount: u64, now_ms: u64) -> Part {
        let part = self.part(span, now_ms);
        let slot = self.slot(part);
        slot.held = slot.held.saturating_add(amount);
        part
    }

    /// Truth for a hold.
    pub(super) fn settle(&mut self, part: Part, held: u64, truth: u64) {
        let slot = self.slot(part);
        slot.held = slot.held.saturating_sub(held);
        slot.spent = slot.spent.saturating_add(truth);
        self.slots.retain(|slot| slot.taken() > 0);
    }

    pub(super) fn add(&mut self, part: Part, spent: u64) {
        let slot = self.slot(part);
        slot.spent = slot.spent.saturating_add(spent);
    }

    /// How long until `amount` of it has left.
    pub(super) fn wait(&self, amount: u64, now_ms: u64) -> Option<Duration> {
        let mut left: u64 = 0;
        let enough = self.slots.iter().find(|slot| {
            left = left.saturating_add(slot.taken());
            left >= amount
        });
        enough.map(|slot| Duration::from_millis(slot.part.until_ms.saturating_sub(now_ms).max(1)))
    }

    /// The same without what is held.
    pub(super) fn spent(&mut self, now_ms: u64) -> u64 {
        self.slots.retain(|slot| slot.part.until_ms > now_ms);
        self.slots.iter().fold(0, |sum, slot| sum.saturating_add(slot.spent))
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(super) fn part(&self, span: Span, now_ms: u64) -> Part {
        match span {
            Span::Sliding(window_ms) => {
                let length = window_ms.div_ceil(PARTS).max(1);
                let from_ms = now_ms - now_ms % length;
                Part { from_ms, until_ms: from_ms.saturating_add(length).saturating_add(window_ms) }
            }
            // A window that has begun goes on; `taken` has forgotten those that ended.
            Span::Fixed(window_ms) => match self.slots.back() {
                Some(slot) => slot.part,
                None => Part { from_ms: now_ms, until_ms: now_ms.saturating_add(window_ms.max(1)) },
            },
            Span::Aligned(window_ms) => calendar::every(window_ms.max(1), 0, now_ms),
            Span::Calendar(period) => period.around(now_ms),
            Span::Ever => Part { from_ms: 0, until_ms: u64::MAX },
        }
    }

    fn slot(&mut self, part: Part) -> &mut Slot {
        let place = self.slots.iter().rposition(|slot| slot.part == part);
        let place = place.unwrap_or_else(|| {
            let after = self.slots.partition_point(|slot| slot.part.until_ms <= part.until_ms);
            self.slots.insert(after, Slot { part, spent: 0, held: 0 });
            after
        });
        &mut self.slots[place]
    }
}

// === impl Slot ===

impl Slot {
    fn taken(&self) -> u64 {
        self.spent.saturating_add(self.held)
    }
}
