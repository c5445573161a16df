//! How far an item of a stream has come.
//!
//! Enters: that something began, or ended. Leaves: which block it is. Never: a block that is open twice.

use std::collections::BTreeMap;

use crate::chat::{Block, Content, Delta, Event};

/// What of an item is a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// Parts of a message, by `content_index`.
    Text(u64),
    Refusal(u64),
    Call,
    Summary,
    Thought,
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) block: u32,
    /// Heard so far.
    pub(super) bytes: usize,
    /// The part of the thought, or of the summary, that was heard last.
    part: Option<u64>,
    joins_parts: bool,
}

#[derive(Debug, Default)]
pub(super) struct Progress {
    open: BTreeMap<Slot, Open>,
    is_begun: bool,
    /// Some came with the pieces.
    pub(super) logprobs: bool,
}

// === impl Slot ===

impl Slot {
    pub(super) fn text(part: u64) -> Self {
        Self::Text(part)
    }

    pub(super) fn refusal(part: u64) -> Self {
        Self::Refusal(part)
    }

    pub(super) fn call(_: u64) -> Self {
        Self::Call
    }

    /// All its parts are one thought.
    pub(super) fn summary(_: u64) -> Self {
        Self::Summary
    }

    pub(super) fn thought(_: u64) -> Self {
        Self::Thought
    }

    pub(super) fn blank(self) -> Option<Content> {
        match self {
            Self::Text(_) => Some(Content::Text { text: String::new(), citations: Vec::new() }),
            Self::Refusal(_) => Some(Content::Refusal { text: String::new() }),
            Self::Summary => Some(Content::Reasoning { text: String::new(), summary: true }),
            Self::Thought => Some(Content::Reasoning { text: String::new(), summary: false }),
            Self::Call => None,
        }
    }
}

// === impl Open ===

impl Open {
    /// Is this the beginning of another part of the same thought?
    pub(super) fn next_part(&mut self, part: u64) -> bool {
        let before = self.part.replace(part);
        self.joins_parts && self.bytes > 0 && before != Some(part)
    }
}

// === impl Progress ===

impl Progress {
    pub(super) fn open(&mut self, slot: Slot) -> Option<&mut Open> {
        self.open.get_mut(&slot)
    }

    pub(super) fn is_begun(&self) -> bool {
        self.is_begun
    }

    pub(super) fn begin(&mut self, slot: Slot, block: u32, content: &Content) {
        let bytes = match content {
            Content::Text { text, .. } => text.len(),
            Content::ToolUse { arguments, .. } => arguments.len(),
            _ => 0,
        };
        let joins_parts = matches!(slot, Slot::Summary | Slot::Thought);
        self.is_begun = true;
        self.open.insert(slot, Open { block, bytes, part: None, joins_parts });
    }

    pub(super) fn end(&mut self, slot: Slot) -> Option<u32> {
        self.open.remove(&slot).map(|open| open.block)
    }

    /// `whole`: the item's last block, as it is in the end. What was not heard of it yet is said now.
    pub(super) fn close(self, whole: Option<Block>, out: &mut Vec<Event>) {
        let mut open: Vec<Open> = self.open.into_values().collect();
        open.sort_by_key(|open| open.block);
        if let (Some(last), Some(whole)) = (open.last(), whole) {
            let late = unheard(whole, last.bytes > 0);
            out.extend(late.into_iter().map(|delta| Event::Delta { choice: 0, block: last.block, delta }));
        }
        out.extend(open.iter().map(|open| Event::End { choice: 0, block: open.block }));
    }
}

fn unheard(whole: Block, heard: bool) -> Vec<Delta> {
    let mut late = Vec::new();
    match whole.content {
        Content::ToolUse { arguments, .. } if !heard && !arguments.is_empty() => late.push(Delta::Arguments(arguments)),
        Content::Text { text, .. } if !heard && !text.is_empty() => late.push(Delta::Text(text)),
        _ => {}
    }
    late.extend(whole.seal.map(Delta::Seal));
    late
}
