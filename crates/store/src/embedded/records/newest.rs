//! The records that arrived last, for those who watch.
//!
//! Enters: where records were stored. Leaves: where those since a number are. Never: grows, and never reads a disk.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::day::Day;

const KEPT: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Newest(Mutex<Ring>);

/// A day, and the key of a record in it.
pub(super) type Spot = (Day, i64);

#[derive(Debug, Default)]
struct Ring {
    spots: VecDeque<Spot>,
    /// How many there ever were.
    arrived: u64,
}

/// What came since a number.
#[derive(Debug)]
pub(super) struct Since {
    pub(super) spots: Vec<Spot>,
    pub(super) next: u64,
    pub(super) missed: u64,
}

// === impl Newest ===

impl Newest {
    pub(super) fn push(&self, spots: &[Spot]) {
        let mut ring = self.0.lock();
        ring.arrived += spots.len() as u64;
        for spot in &spots[spots.len().saturating_sub(KEPT)..] {
            if ring.spots.len() == KEPT {
                ring.spots.pop_front();
            }
            ring.spots.push_back(*spot);
        }
    }

    pub(super) fn since(&self, after: u64, limit: usize) -> Since {
        let ring = self.0.lock();
        let oldest = ring.arrived - ring.spots.len() as u64;
        let from = after.clamp(oldest, ring.arrived);
        let spots: Vec<_> = ring.spots.iter().skip((from - oldest) as usize).take(limit).copied().collect();
        Since { next: from + spots.len() as u64, missed: oldest.saturating_sub(after), spots }
    }
}
