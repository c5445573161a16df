//! A day of the log and the names of its files.
//!
//! Enters: unix milliseconds. Leaves: days in UTC, and paths. Never: asks what day it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const MS: u64 = 86_400_000;

/// Days since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day(u64);

// === impl Day ===

impl Day {
    pub(super) fn of(unix_ms: u64) -> Self {
        // The last day that can be named: a broken clock must not make files that nobody finds again.
        Self((unix_ms / MS).min(2_932_895))
    }

    pub(super) fn start_ms(self) -> u64 {
        self.0 * MS
    }

    pub(super) fn end_ms(self) -> u64 {
        self.start_ms() + MS
    }

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(super) fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    fn name(self) -> String {
        let start = i64::try_from(self.start_ms()).unwrap_or_default();
        match jiff::Timestamp::from_millisecond(start) {
            Ok(start) => start.strftime("%Y-%m-%d").to_string(),
            Err(_) => format!("day-{}", self.0),
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        let date: jiff::civil::Date = name.parse().ok()?;
        let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
        let day = Self::of(u64::try_from(start).ok()?);
        (day.name() == name).then_some(day)
    }

    /// The rows.
    pub(super) fn rows(self, dir: &Path) -> PathBuf {
        dir.join(format!("{}.db", self.name()))
    }

    /// The bodies.
    pub(super) fn bodies(self, dir: &Path) -> PathBuf {
        dir.join(format!("{}.bodies", self.name()))
    }

    /// All files a day may have: those above and what SQLite keeps beside its own.
    pub(super) fn files(self, dir: &Path) -> [PathBuf; 4] {
        let beside = |suffix| dir.join(format!("{}.db-{suffix}", self.name()));
        [self.rows(dir), beside("wal"), beside("shm"), self.bodies(dir)]
    }
}

/// The days there are files of, oldest first.
pub(super) fn days(dir: &Path) -> io::Result<Vec<Day>> {
    let mut days = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        days.extend(name.to_str().and_then(|name| name.strip_suffix(".db")).and_then(Day::from_name));
    }
    days.sort_unstable();
    Ok(days)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_found_again_by_its_name() {
        for (unix_ms, name) in [(0, "1970-01-01"), (1_709_210_096_123, "2024-02-29"), (u64::MAX, "9999-12-30")] {
            let day = Day::of(unix_ms);
            assert_eq!(day.name(), name);
            assert_eq!(Day::from_name(name), Some(day));
        }
        assert_eq!(Day::from_name("2024-2-29"), None);
        assert_eq!(Day::from_name("2024-02-30"), None);
    }
}
