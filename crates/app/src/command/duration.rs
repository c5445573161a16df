//! Durations as people write them: `90d`, `12h`.
//!
//! Enters: text. Leaves: a duration, or what would have been right. Never: months, which have no length.

use std::time::Duration;

const UNITS: &[(&str, u64)] = &[("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)];
/// A thousand years: beyond it, say nothing and it lasts for ever.
const SECONDS_MAX: u64 = 365_000 * 86_400;

pub(super) fn read(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a number with a unit (s, m, h, d or w), such as 90d or 12h, found {text:?}");
    let (digits, seconds) =
        UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds))).ok_or_else(wrong)?;
    let count: u64 = digits.trim().parse().map_err(|_| wrong())?;
    let seconds = count.checked_mul(seconds).filter(|seconds| (1..=SECONDS_MAX).contains(seconds)).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_a_unit_are_read() {
        for (text, seconds) in [("90d", 7_776_000), ("12h", 43_200), ("30 m", 1_800), ("5s", 5), ("2w", 1_209_600)] {
            assert_eq!(read(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "90", "d", "0d", "-1d", "1.5h", "99999999999999999999d", "999999999d", "3 months"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
