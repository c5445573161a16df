//! Which parts of a limit are used up, and for how long that is old news.
//!
//! Enters: what is spent, the limit; spans. Leaves: thresholds, and the marks under which it is kept that they were told. Never: remembers anything
//! itself: what was told is written down among what was spent, as an amount that nobody can spend, and so outlives the process as that does.

use tollgate_model::crossing::THRESHOLDS;

use super::{Crossed, Part, Span};
use crate::memory::Mark;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Threshold {
    percent: u8,
    /// Tells its mark from the budget's.
    salt: u128,
}

/// In the place of an amount: this is a threshold that was told.
pub(super) const TOLD: u64 = u64::MAX;

const fn threshold(at: usize) -> Threshold {
    // Digits of pi's fraction, moved: any three different numbers would do.
    Threshold {
        percent: THRESHOLDS[at],
        salt: 0x243f_6a88_85a3_08d3_1319_8a2e_0370_7344_u128.rotate_left(at as u32 * 41),
    }
}

const ALL: [Threshold; THRESHOLDS.len()] = [threshold(0), threshold(1), threshold(2)];
pub(super) const WHOLE: Threshold = ALL[THRESHOLDS.len() - 1];

/// Those that so much has reached.
pub(super) fn reached(spent: u64, limit: u64) -> impl Iterator<Item = Threshold> {
    let is_reached = move |each: &Threshold| u128::from(spent) * 100 >= u128::from(limit) * u128::from(each.percent);
    ALL.into_iter().take_while(is_reached)
}

/// A sliding window has no periods: there the next one begins one window's length after it was told.
pub(super) fn period(span: Span, part: Part, now_ms: u64) -> Part {
    match span {
        Span::Sliding(window_ms) => Part { from_ms: now_ms, until_ms: now_ms.saturating_add(window_ms) },
        _ => part,
    }
}

// === impl Threshold ===

impl Threshold {
    pub(super) fn mark(self, budget: Mark) -> Mark {
        Mark::from_bits(budget.bits() ^ self.salt)
    }

    pub(super) fn crossed(self, held: usize, spent: u64, limit: u64, part: Part) -> Crossed {
        Crossed { held, percent: self.percent, spent, limit, part }
    }
}
