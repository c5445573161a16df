//! Request and log ids: lowercase UUIDv7 whose bits double as the key of the log store.
//!
//! Enters: the wall clock. Leaves: ids that sort by time and never repeat within a process.
//! Never: asks the kernel for randomness per request (a getrandom a request is what one peer spends a microsecond on).
//!
//! 48 bits are milliseconds, 21 bits a counter that starts at zero each millisecond, 53 bits random. Time and counter
//! together (63 bits since 2024) are unique in the process and make the row key, so the log store needs no second index to find
//! a record by its id. ULIDs, which the original used before October 2026, are still understood when read.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// 2024-01-01T00:00:00Z. Keys count milliseconds from here so that 42 bits last until 2163.
const EPOCH_MS: u64 = 1_704_067_200_000;
const COUNTER_BITS: u32 = 21;
const COUNTER_MASK: u64 = (1 << COUNTER_BITS) - 1;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(Uuid);

/// Makes ids for one process.
#[derive(Debug, Default)]
pub struct Ids {
    last: AtomicU64,
}

// === impl Ids ===

impl Ids {
    pub const fn new() -> Self {
        Self { last: AtomicU64::new(0) }
    }

    /// The next id. Runs ahead of the clock rather than repeat when it stands still or steps back.
    pub fn next(&self, unix_ms: u64) -> Id {
        let floor = unix_ms.saturating_sub(EPOCH_MS) << COUNTER_BITS;
        let step = |last: u64| Some(floor.max(last + 1));
        let before = self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, step).unwrap_or_default();
        Id::compose(floor.max(before + 1), random())
    }
}

// === impl Id ===

impl Id {
    fn compose(key: u64, noise: u64) -> Self {
        let ms = (key >> COUNTER_BITS) + EPOCH_MS;
        let counter = key & COUNTER_MASK;
        let high = (ms << 16) | 0x7000 | (counter >> 9);
        let low = (0b10 << 62) | ((counter & 0x1ff) << 53) | (noise >> 11);
        Self(Uuid::from_u64_pair(high, low))
    }

    /// Time and counter, 63 bits: positive, increasing, unique within one store.
    pub fn key(self) -> i64 {
        let (high, low) = self.0.as_u64_pair();
        let ms = (high >> 16).saturating_sub(EPOCH_MS);
        let counter = ((high & 0xfff) << 9) | ((low >> 53) & 0x1ff);
        ((((ms << COUNTER_BITS) | counter) << 1) >> 1) as i64
    }

    /// The random rest of the id, 53 bits: with [`Id::key`] it is the whole id again, see [`Id::from_parts`].
    pub fn noise(self) -> i64 {
        (self.0.as_u64_pair().1 & ((1 << 53) - 1)) as i64
    }

    pub fn from_parts(key: i64, noise: i64) -> Self {
        Self::compose(key as u64, (noise as u64) << 11)
    }

    pub fn from_u128(bits: u128) -> Self {
        Self(Uuid::from_u128(bits))
    }

    pub fn as_u128(self) -> u128 {
        self.0.as_u128()
    }

    /// The moment the id was made.
    pub fn unix_ms(self) -> u64 {
        self.0.as_u64_pair().0 >> 16
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Uuid::encode_buffer();
        f.write_str(self.0.hyphenated().encode_lower(&mut text))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("expected a UUID or a ULID, found {0:?}")]
pub struct NotAnId(String);

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if let Ok(uuid) = Uuid::parse_str(text) {
            return Ok(Self(uuid));
        }
        match ulid::Ulid::from_string(text) {
            Ok(ulid) => Ok(Self::from_u128(ulid.0)),
            Err(_) => Err(NotAnId(text.chars().take(64).collect())),
        }
    }
}

/// A fast per-thread generator (splitmix64), seeded once from the kernel. The ids are not secrets: nothing is granted for knowing one.
fn random() -> u64 {
    thread_local!(static STATE: Cell<u64> = Cell::new(seed()));
    STATE.with(|state| {
        let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        state.set(next);
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

fn seed() -> u64 {
    let mut bytes = [0_u8; 8];
    // Without kernel randomness ids are still unique in this process: time and counter see to that.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_000_000_000;

    #[test]
    fn ids_are_version_7_and_sort_by_time() {
        let ids = Ids::new();
        let made: Vec<Id> = (0..5_000).map(|n| ids.next(NOW + n / 1_000)).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1] && pair[0].key() < pair[1].key()));
        assert_eq!(made[0].0.get_version_num(), 7);
        assert_eq!(made[0].0.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(made[0].unix_ms(), NOW);
    }

    #[test]
    fn a_clock_that_steps_back_does_not_repeat_ids() {
        let ids = Ids::new();
        let first = ids.next(NOW);
        assert!(ids.next(NOW - 60_000).key() > first.key());
    }

    #[test]
    fn key_and_noise_are_the_whole_id() {
        let ids = Ids::new();
        for n in 0..3_000 {
            let id = ids.next(NOW + n);
            assert_eq!(Id::from_parts(id.key(), id.noise()), id);
            assert_eq!(id.to_string().parse::<Id>().unwrap(), id);
        }
    }

    #[test]
    fn ulids_are_read() {
        assert!("01JADMCNFT7RNC2TE0T66B5K6P".parse::<Id>().is_ok());
        assert!("nonsense".parse::<Id>().is_err());
    }
}
