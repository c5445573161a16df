//! Times of many changes.
//!
//! Enters: what each took. Leaves: a line for people, and a fault when one was too slow. Never: rounds in its own favour.

use anyhow::ensure;

use super::Took;

#[derive(Default)]
pub(super) struct Times {
    applied: Vec<f64>,
    /// Compiling and swapping, in one.
    swapped: Vec<f64>,
    seen: Vec<f64>,
}

// === impl Times ===

impl Times {
    pub(super) fn add(&mut self, took: &Took) {
        self.applied.push(took.applied_ms);
        self.swapped.push(took.compiled_ms + took.swapped_ms);
        self.seen.push(took.seen_ms);
    }

    /// Both what the server needs for compiling and swapping, and what a caller waits for, are bounded.
    pub(super) fn judge(mut self, which: &str, swap_ms_max: f64) -> anyhow::Result<()> {
        let applied = told(&mut self.applied);
        let (swapped, seen) = (told(&mut self.swapped), told(&mut self.seen));
        println!(
            "{which}: compiled and swapped in {:.1} ms p50, {:.1} ms max; met by the first request after {:.1} ms p50, {:.1} ms max; a whole apply {:.0} ms p50, {:.0} ms max",
            swapped.0, swapped.1, seen.0, seen.1, applied.0, applied.1
        );
        ensure!(swapped.1 <= swap_ms_max && seen.1 <= swap_ms_max, "a swap took longer than {swap_ms_max} ms");
        Ok(())
    }
}

/// The middle one and the longest.
fn told(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |place: usize| times.get(place).copied().unwrap_or(f64::INFINITY);
    (at(times.len() / 2), at(times.len().saturating_sub(1)))
}
