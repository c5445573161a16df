//! The records that arrived last, for those who watch.
//!
//! Enters: records as they are stored. Leaves: those since a number. Never: grows, and never reads a disk.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tollgate_model::Record;

use crate::records::Tail;

const KEPT: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Newest(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    records: VecDeque<Arc<Record>>,
    /// How many there ever were.
    arrived: u64,
}

// === impl Newest ===

impl Newest {
    pub(super) fn push(&self, records: impl ExactSizeIterator<Item = Arc<Record>>) {
        let mut ring = self.0.lock();
        ring.arrived += records.len() as u64;
        let first = records.len().saturating_sub(KEPT);
        for record in records.skip(first) {
            if ring.records.len() == KEPT {
                ring.records.pop_front();
            }
            ring.records.push_back(record);
        }
    }

    pub(super) fn since(&self, after: u64, limit: usize) -> Tail {
        let ring = self.0.lock();
        let oldest = ring.arrived - ring.records.len() as u64;
        let from = after.clamp(oldest, ring.arrived);
        let records: Vec<_> = ring.records.iter().skip((from - oldest) as usize).take(limit).cloned().collect();
        Tail { next: from + records.len() as u64, missed: oldest.saturating_sub(after), records }
    }
}
