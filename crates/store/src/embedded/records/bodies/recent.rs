//! What was written a moment ago, to recognise what comes again: answers from the cache, retries, and the long strings of which conversations consist,
//! as every turn repeats all turns before.
//!
//! Enters: bytes with the places where they were put. Leaves: the place of the same bytes. Never: takes bytes for others: a hash only says where to
//! look, and then all of them are compared; and never grows: it holds the last blocks, uncompressed, about 2 MB.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::DefaultHashBuilder;

use super::{BLOCK, Place};

/// How many bytes of blocks are kept besides the one being filled.
const KEPT: usize = 2 << 20;
/// A larger block is not worth forgetting all the others for.
const KEPT_BLOCK_MAX: usize = KEPT / 4;
/// Places that are remembered. Two can be remembered under each pair.
const SLOTS: usize = 8_192;

pub(super) struct Recent {
    hasher: DefaultHashBuilder,
    /// Never empty: the last one is being filled.
    blocks: VecDeque<Block>,
    /// The number of the first of them.
    first: u64,
    /// The bytes of all blocks but the last.
    kept: usize,
    slots: Box<[Slot]>,
}

#[derive(Default)]
struct Block {
    /// Where it is in the file.
    at: u64,
    bytes: Vec<u8>,
}

/// What a hash promises. The low bits say in which slot it is.
#[derive(Clone, Copy)]
pub(super) struct Key(u64);

#[derive(Clone, Copy)]
struct Slot {
    key: u64,
    block: u64,
    offset: u32,
    len: u32,
}

/// Blocks are counted from 1.
const EMPTY: Slot = Slot { key: 0, block: 0, offset: 0, len: 0 };

// === impl Recent ===

impl Recent {
    /// The first block will be there in the file.
    pub(super) fn new(at: u64) -> Self {
        let blocks = VecDeque::from([Block { at, bytes: Vec::new() }]);
        Self { hasher: DefaultHashBuilder::default(), blocks, first: 1, kept: 0, slots: vec![EMPTY; SLOTS].into() }
    }

    pub(super) fn key(&self, bytes: &[u8]) -> Key {
        Key(self.hasher.hash_one(bytes))
    }

    pub(super) fn find(&self, key: Key, bytes: &[u8]) -> Option<Place> {
        let same = |slot: &&Slot| slot.key == key.0 && slot.len as usize == bytes.len();
        let slot = self.slots[pair(key)].iter().find(same)?;
        let block = self.blocks.get(usize::try_from(slot.block.checked_sub(self.first)?).ok()?)?;
        let offset = slot.offset as usize;
        (block.bytes.get(offset..offset + bytes.len()) == Some(bytes))
            .then(|| Place::plain(block.at, offset, bytes.len()))
            .flatten()
    }

    /// What the block that is being filled holds.
    pub(super) fn current(&self) -> &[u8] {
        self.blocks.back().map(|block| &block.bytes[..]).unwrap_or_default()
    }

    /// Adds to the block that is being filled, and says where that is.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<Place> {
        let block = self.blocks.back_mut()?;
        let offset = block.bytes.len();
        block.bytes.extend_from_slice(bytes);
        Place::plain(block.at, offset, bytes.len())
    }

    /// Remembers a part of the block that is being filled.
    pub(super) fn remember(&mut self, key: Key, part: Range<usize>) {
        let block = self.first + self.blocks.len() as u64 - 1;
        let (Ok(offset), Ok(len)) = (u32::try_from(part.start), u32::try_from(part.len())) else { return };
        let pair = &mut self.slots[pair(key)];
        pair[1] = pair[0];
        pair[0] = Slot { key: key.0, block, offset, len };
    }

    /// Begins the next block, which will be there in the file. The oldest are forgotten, and the memory of one of them is used again.
    pub(super) fn next_block(&mut self, at: u64) {
        if let Some(filled) = self.blocks.back_mut() {
            if filled.bytes.len() > KEPT_BLOCK_MAX {
                filled.bytes = Vec::new();
            }
            self.kept += filled.bytes.len();
        }
        let mut bytes = Vec::new();
        while self.kept > KEPT {
            let Some(oldest) = self.blocks.pop_front() else { break };
            (self.first, self.kept) = (self.first + 1, self.kept - oldest.bytes.len());
            bytes = oldest.bytes;
        }
        bytes.clear();
        bytes.shrink_to(2 * BLOCK);
        self.blocks.push_back(Block { at, bytes });
    }
}

fn pair(key: Key) -> Range<usize> {
    let first = (key.0 as usize % SLOTS) & !1;
    first..first + 2
}
