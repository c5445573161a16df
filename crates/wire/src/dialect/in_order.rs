//! One block after the other, for dialects that cannot tell two at once.
//!
//! Enters: events, whose blocks may be interleaved as parallel tool calls are. Leaves: the same events, each block whole before the next begins. Never:
//! holds back the block that began first, or keeps more than [`HELD_BYTES_MAX`] of the others.

use std::collections::VecDeque;

use super::fault::in_stream;
use crate::chat::{Block, Delta, Event};

/// Nothing that means well writes as much while another block is open.
const HELD_BYTES_MAX: usize = 4 << 20;

/// Of the first choice: others are passed on as they come.
#[derive(Debug, Default)]
pub(crate) struct InOrder {
    queue: VecDeque<Waiting>,
    held_bytes: usize,
    has_failed: bool,
}

#[derive(Debug)]
struct Waiting {
    block: u32,
    /// Until it is told.
    head: Option<Block>,
    held: Vec<Delta>,
    has_ended: bool,
}

// === impl InOrder ===

impl InOrder {
    pub(crate) fn push(&mut self, event: Event, mut each: impl FnMut(Event)) {
        if self.has_failed {
            return;
        }
        match event {
            Event::Begin { choice: 0, block, head } => {
                self.queue.push_back(Waiting { block, head: Some(head), held: Vec::new(), has_ended: false });
                self.advance(&mut each);
            }
            Event::Delta { choice: 0, block, delta } => self.delta(block, delta, &mut each),
            Event::End { choice: 0, block } => {
                self.queue
                    .iter_mut()
                    .filter(|waiting| waiting.block == block)
                    .for_each(|waiting| waiting.has_ended = true);
                self.advance(&mut each);
            }
            Event::Done => {
                self.queue.iter_mut().for_each(|waiting| waiting.has_ended = true);
                self.advance(&mut each);
                each(Event::Done);
            }
            other => each(other),
        }
    }

    fn delta(&mut self, block: u32, delta: Delta, each: &mut impl FnMut(Event)) {
        let Some(waiting) = self.queue.iter_mut().find(|waiting| waiting.block == block) else { return };
        if waiting.head.is_none() {
            return each(Event::Delta { choice: 0, block, delta });
        }
        self.held_bytes += weight(&delta);
        waiting.held.push(delta);
        if self.held_bytes > HELD_BYTES_MAX {
            self.has_failed = true;
            each(Event::Fault(in_stream("the provider told more at once than can be kept")));
        }
    }

    /// Tells the first block, and those that were over before it was.
    fn advance(&mut self, each: &mut impl FnMut(Event)) {
        while let Some(first) = self.queue.front_mut() {
            let block = first.block;
            if let Some(head) = first.head.take() {
                each(Event::Begin { choice: 0, block, head });
            }
            for delta in first.held.drain(..) {
                self.held_bytes -= weight(&delta);
                each(Event::Delta { choice: 0, block, delta });
            }
            if !first.has_ended {
                return;
            }
            each(Event::End { choice: 0, block });
            self.queue.pop_front();
        }
    }
}

fn weight(delta: &Delta) -> usize {
    /// Of what has no text to measure.
    const OTHER_BYTES: usize = 512;
    match delta {
        Delta::Text(text) | Delta::Arguments(text) | Delta::Data(text) => text.len(),
        Delta::Seal(seal) => seal.data.len(),
        Delta::Citation(_) | Delta::Extra(_) => OTHER_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(events: Vec<Event>) -> Vec<Event> {
        let (mut order, mut told) = (InOrder::default(), Vec::new());
        events.into_iter().for_each(|event| order.push(event, |event| told.push(event)));
        told
    }

    fn begin(block: u32) -> Event {
        Event::Begin { choice: 0, block, head: Block::text("") }
    }

    fn text(block: u32, text: &str) -> Event {
        Event::Delta { choice: 0, block, delta: Delta::Text(text.into()) }
    }

    fn end(block: u32) -> Event {
        Event::End { choice: 0, block }
    }

    #[test]
    fn interleaved_blocks_are_told_one_after_the_other() {
        let came = vec![begin(0), begin(1), text(1, "c"), text(0, "a"), text(1, "d"), end(1), text(0, "b"), end(0)];
        let expected = vec![begin(0), text(0, "a"), text(0, "b"), end(0), begin(1), text(1, "c"), text(1, "d"), end(1)];
        assert_eq!(told(came), expected);
    }

    #[test]
    fn what_was_not_ended_ends_with_the_answer() {
        let came = vec![begin(0), begin(1), text(1, "a"), Event::Done];
        assert_eq!(told(came), vec![begin(0), end(0), begin(1), text(1, "a"), end(1), Event::Done]);
    }

    #[test]
    fn more_than_can_be_kept_is_a_fault() {
        let much = "a".repeat(HELD_BYTES_MAX + 1);
        let last = told(vec![begin(0), begin(1), text(1, &much), Event::Done]).pop();
        assert!(matches!(last, Some(Event::Fault(_))), "{last:?}");
    }
}
