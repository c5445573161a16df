//! Time as a value that is handed in.
//!
//! Enters: the operating system's two clocks, or a test's. Leaves: wall milliseconds for windows and records, `Moment`s for durations.
//! Never: is read by `rules` or `wire`, which take `now` as an argument.
//!
//! Durations come from the monotonic clock, so a leap second or an NTP step can neither make one negative nor reopen a window.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Where time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    /// A clock that only moves when a test moves it.
    Manual(Arc<ManualClock>),
}

#[derive(Debug, Default)]
pub struct ManualClock {
    unix_ms: AtomicU64,
    elapsed_ns: AtomicU64,
}

/// How long the two clocks are trusted to run alike.
const WALL_EVERY: Duration = Duration::from_millis(100);

thread_local!(static WALL: Wall = const { Wall { seen: Cell::new(None) } });

/// When this thread last looked at the wall clock, and what it said, in nanoseconds.
struct Wall {
    seen: Cell<Option<(Moment, u64)>>,
}

/// A point on the monotonic clock, in nanoseconds since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

// === impl Clock ===

impl Clock {
    pub fn manual(unix_ms: u64) -> (Self, Arc<ManualClock>) {
        let hand = Arc::new(ManualClock { unix_ms: unix_ms.into(), elapsed_ns: 0.into() });
        (Self::Manual(hand.clone()), hand)
    }

    /// Milliseconds since 1970, UTC.
    pub fn unix_ms(&self) -> u64 {
        match self {
            Self::System => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
            Self::Manual(hand) => hand.unix_ms.load(Ordering::SeqCst),
        }
    }

    pub fn now(&self) -> Moment {
        match self {
            Self::System => Moment(START.elapsed().as_nanos() as u64),
            Self::Manual(hand) => Moment(hand.elapsed_ns.load(Ordering::SeqCst)),
        }
    }

    /// The wall clock at a moment that was read just now: for who needs both and should not pay for two readings. The wall clock itself is looked
    /// at once in [`WALL_EVERY`], so a step of it is seen that much later.
    pub fn unix_ms_at(&self, now: Moment) -> u64 {
        match self {
            Self::System => WALL.with(|wall| wall.at(now)),
            Self::Manual(_) => self.unix_ms(),
        }
    }
}

// === impl Wall ===

impl Wall {
    fn at(&self, now: Moment) -> u64 {
        let (seen, unix_ns) = match self.seen.get() {
            Some(seen) if now >= seen.0 && now.since(seen.0) < WALL_EVERY => seen,
            _ => {
                let unix_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
                self.seen.set(Some((now, unix_ns)));
                (now, unix_ns)
            }
        };
        (unix_ns + (now.0 - seen.0)) / 1_000_000
    }
}

// === impl ManualClock ===

impl ManualClock {
    pub fn advance(&self, by: Duration) {
        self.unix_ms.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
        self.elapsed_ns.fetch_add(by.as_nanos() as u64, Ordering::SeqCst);
    }
}

// === impl Moment ===

impl Moment {
    /// Saturates: a duration is never negative.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Whole milliseconds since the process began: for windows that no step of the wall clock may move.
    pub fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The same as [`Moment::since`] in whole microseconds, the unit of the records.
    pub fn micros_since(self, earlier: Moment) -> u64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_never_negative() {
        let (clock, hand) = Clock::manual(1_000);
        let before = clock.now();
        hand.advance(Duration::from_millis(5));
        let after = clock.now();
        assert_eq!(after.micros_since(before), 5_000);
        assert_eq!(before.since(after), Duration::ZERO);
        assert_eq!(clock.unix_ms(), 1_005);
    }

    #[test]
    fn between_two_looks_the_wall_clock_runs_with_the_other() {
        let wall = Wall { seen: Cell::new(Some((Moment(5_000_000), 1_000_500_000))) };
        assert_eq!(wall.at(Moment(5_000_000)), 1_000);
        assert_eq!(wall.at(Moment(7_600_000)), 1_003);
        // Long past: it is looked at again, and nobody's clock stands so early.
        assert!(wall.at(Moment(5_000_000 + WALL_EVERY.as_nanos() as u64)) > 2_000);
        let (clock, hand) = Clock::manual(1_000);
        hand.advance(Duration::from_millis(5));
        assert_eq!(clock.unix_ms_at(clock.now()), 1_005);
    }
}
