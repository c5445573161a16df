//! What a decoder has told of blocks: numbers, ends, and seals that turn up beside them.
//!
//! Enters: blocks in the order a stream has them. Leaves: events in the order that all encoders rely on. Never: the end of a block before it is sure that
//! no seal of it comes after (see `beside`).

use super::{Dialect, beside};
use crate::chat::{Block, Content, Delta, Event, Seal};

pub(crate) struct Told {
    home: Dialect,
    begun: u32,
    /// It has ended, but its end is not yet told.
    ended: Option<u32>,
    /// The seal of the block that comes next.
    next_seal: Option<Seal>,
}

// === impl Told ===

impl Told {
    pub(crate) fn new(home: Dialect) -> Self {
        Self { home, begun: 0, ended: None, next_seal: None }
    }

    /// A block begins; the one before it is over for certain.
    pub(crate) fn begin(&mut self, mut head: Block, out: &mut Vec<Event>) -> u32 {
        self.tell_end(out);
        if head.seal.is_none() {
            head.seal = self.next_seal.take();
        }
        let block = self.begun;
        self.begun += 1;
        out.push(Event::Begin { choice: 0, block, head });
        block
    }

    pub(crate) fn delta(&self, block: u32, delta: Delta, out: &mut Vec<Event>) {
        out.push(Event::Delta { choice: 0, block, delta });
    }

    /// All of the block was told, unless a seal follows.
    pub(crate) fn end(&mut self, block: u32, out: &mut Vec<Event>) {
        self.tell_end(out);
        self.ended = Some(block);
    }

    pub(crate) fn whole(&mut self, block: Block, out: &mut Vec<Event>) {
        let block = self.begin(block, out);
        self.end(block, out);
    }

    fn tell_end(&mut self, out: &mut Vec<Event>) {
        out.extend(self.ended.take().map(|block| Event::End { choice: 0, block }));
    }

    /// The seal of a thought that has said nothing: gives it back if it is the thought's own.
    pub(crate) fn take_beside(&mut self, seal: Seal, out: &mut Vec<Event>) -> Option<Seal> {
        match (beside::side(self.home, &seal), self.ended) {
            (Some(beside::NEXT), _) => self.next_seal = Some(beside::unmarked(seal)),
            (Some(_), Some(block)) => self.delta(block, Delta::Seal(beside::unmarked(seal)), out),
            _ => return Some(seal),
        }
        None
    }

    /// There are no more blocks.
    pub(crate) fn close(&mut self, out: &mut Vec<Event>) {
        if let Some(seal) = self.next_seal.take() {
            let thought = Block::from(Content::Reasoning { text: String::new(), summary: false });
            self.whole(thought.sealed(Some(seal)), out);
        }
        self.tell_end(out);
    }
}
