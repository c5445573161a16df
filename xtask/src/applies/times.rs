//! Times of many changes.
//!
//! Enters: what each took. Leaves: a line for people, and the slowest. Never: rounds in its own favour.

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

    /// The longest of what the server needs for compiling and swapping, and of what a caller waits for.
    pub(super) fn tell(mut self, which: &str) -> f64 {
        let applied = told(&mut self.applied);
        let (swapped, seen) = (told(&mut self.swapped), told(&mut self.seen));
        println!(
            "{which}: compiled and swapped in {:.1} ms p50, {:.1} ms max; met by the first request after {:.1} ms p50, {:.1} ms max; a whole apply {:.0} ms p50, {:.0} ms max",
            swapped.0, swapped.1, seen.0, seen.1, applied.0, applied.1
        );
        swapped.1.max(seen.1)
    }
}

/// The middle one and the longest.
fn told(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |place: usize| times.get(place).copied().unwrap_or(f64::INFINITY);
    (at(times.len() / 2), at(times.len().saturating_sub(1)))
}
