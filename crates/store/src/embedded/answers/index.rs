//! What is on disk, known in memory: a miss need not look.
//!
//! Enters: keys as they are written and removed. Leaves: perhaps, or certainly not.
//! Never: holds whole keys: they are digests, and eight bytes of one tell it from a hundred million others.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use parking_lot::RwLock;

use crate::answers::AnswerKey;

/// By the first bytes of the key: when the answer expires.
#[derive(Debug, Default)]
pub(super) struct Index(RwLock<HashMap<u64, u64, BuildHasherDefault<Already>>>);

/// A digest needs no hashing.
#[derive(Debug, Default)]
pub(super) struct Already(u64);

// === impl Index ===

impl Index {
    pub(super) fn has(&self, key: &AnswerKey, now_ms: u64) -> bool {
        self.0.read().get(&short(key)).is_some_and(|expires_ms| *expires_ms > now_ms)
    }

    pub(super) fn add(&self, keys: impl Iterator<Item = (AnswerKey, u64)>) {
        self.0.write().extend(keys.map(|(key, expires_ms)| (short(&key), expires_ms)));
    }

    pub(super) fn remove<'a>(&self, keys: impl Iterator<Item = &'a AnswerKey>) {
        let mut index = self.0.write();
        for key in keys {
            index.remove(&short(key));
        }
    }

    pub(super) fn clear(&self) {
        self.0.write().clear();
    }

    pub(super) fn len(&self) -> usize {
        self.0.read().len()
    }
}

fn short(key: &AnswerKey) -> u64 {
    key.0.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, byte| (sum << 8) | u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
