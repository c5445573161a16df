//! The bodies written a moment ago, to recognise one that comes again: answers from the cache, retries, one question asked by many.
//!
//! Enters: bodies with their places. Leaves: the place of the same bytes. Never: takes a body for another: a hash only says where to look, and then all
//! bytes are compared; and never grows: it holds the last blocks, uncompressed, about 2 MB.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use super::{BLOCK, Place};

/// Blocks that are kept, the one being filled included.
const BLOCKS: usize = 32;
/// Places that are remembered. Two bodies can be remembered under each pair.
const SLOTS: usize = 4_096;

pub(super) struct Recent {
    hasher: DefaultHashBuilder,
    /// Never empty: the last one is being filled.
    blocks: VecDeque<Vec<u8>>,
    /// The number of the first of them.
    first: u64,
    slots: Box<[Slot]>,
}

/// What a hash promises of a body. The low bits say in which slot it is.
#[derive(Clone, Copy)]
pub(super) struct Key(u64);

#[derive(Clone, Copy)]
struct Slot {
    key: u64,
    block: u64,
    place: Place,
}

const EMPTY: Slot = Slot { key: 0, block: 0, place: Place { at: 0, len: 0 } };

// === impl Recent ===

impl Recent {
    pub(super) fn new() -> Self {
        let blocks = VecDeque::from([Vec::new()]);
        Self { hasher: DefaultHashBuilder::default(), blocks, first: 1, slots: vec![EMPTY; SLOTS].into() }
    }

    pub(super) fn key(&self, body: &[u8]) -> Key {
        Key(self.hasher.hash_one(body))
    }

    pub(super) fn find(&self, key: Key, body: &[u8]) -> Option<Place> {
        let same = |slot: &&Slot| slot.key == key.0 && self.bytes(slot) == Some(body);
        self.slots[pair(key)].iter().find(same).map(|slot| slot.place)
    }

    fn bytes(&self, slot: &Slot) -> Option<&[u8]> {
        let block = self.blocks.get(usize::try_from(slot.block.checked_sub(self.first)?).ok()?)?;
        block.get(slot.place.offset()..slot.place.offset() + slot.place.len as usize)
    }

    /// What the block that is being filled holds.
    pub(super) fn current(&self) -> &[u8] {
        self.blocks.back().map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds a body to the block that is being filled.
    pub(super) fn push(&mut self, key: Key, body: &[u8], place: Place) {
        let block = self.first + self.blocks.len() as u64 - 1;
        if let Some(current) = self.blocks.back_mut() {
            current.extend_from_slice(body);
        }
        let pair = &mut self.slots[pair(key)];
        pair[1] = pair[0];
        pair[0] = Slot { key: key.0, block, place };
    }

    /// The oldest block is forgotten, and its memory used for the next. A block of one large body is forgotten at once.
    pub(super) fn next_block(&mut self) {
        if let Some(large) = self.blocks.back_mut().filter(|block| block.capacity() > 2 * BLOCK) {
            *large = Vec::new();
        }
        let mut next = Vec::new();
        if self.blocks.len() >= BLOCKS {
            next = self.blocks.pop_front().unwrap_or_default();
            self.first += 1;
        }
        next.clear();
        self.blocks.push_back(next);
    }
}

fn pair(key: Key) -> std::ops::Range<usize> {
    let first = key.0 as usize % SLOTS & !1;
    first..first + 2
}
