//! Blocks of a stream, one after the other.
//!
//! Enters: a block's beginning, its pieces, its end. Leaves: frames. Never: a number for a block that says nothing: thoughts get theirs with their first word.

use bytes::BytesMut;
use serde_json::{Map, Value, json};

use super::super::messages::HOME;
use super::super::tell::{self, thinking};
use super::frames;
use crate::chat::{Block, CallKind, Content, Delta, Losses, Place, Seal};
use crate::dialect::{Dialect, beside, call, carry};

pub(super) struct Blocks {
    /// Whose words `extra`s are in.
    pub(super) origin: Dialect,
    pub(super) told: tell::Told,
    next_index: u32,
    open: Option<Open>,
}

struct Open {
    kind: Kind,
    index: Option<u32>,
    /// Told at the end: `signature_delta` is the last of a block.
    seal: Option<Seal>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thought,
    Call,
    /// A call whose arguments are free text, told as the string of one member.
    FreeCall,
    /// Whole from the beginning, or not told at all.
    Other,
}

// === impl Blocks ===

impl Blocks {
    pub(super) fn new(origin: Dialect) -> Self {
        Self { origin, told: tell::Told::default(), next_index: 0, open: None }
    }

    pub(super) fn begin(&mut self, mut head: Block, out: &mut BytesMut, losses: &mut Losses) {
        let kind = Kind::of(&head.content);
        let mut seal = head.seal.take();
        if kind == Kind::Thought {
            carry::answer(HOME, self.origin, &head.extra, &mut Map::new(), losses);
            self.open = Some(Open { kind, index: None, seal });
        } else {
            seal.take().into_iter().for_each(|seal| self.aside(&seal, beside::NEXT, out));
            let index = self.head(&head, out, losses);
            self.open = Some(Open { kind: if index.is_some() { kind } else { Kind::Other }, index, seal: None });
        }
        self.first_words(head.content, out, losses);
    }

    fn head(&mut self, head: &Block, out: &mut BytesMut, losses: &mut Losses) -> Option<u32> {
        let mut told = tell::head(head, &mut self.told, losses)?;
        if let Value::Object(members) = &mut told {
            carry::answer(HOME, self.origin, &head.extra, members, losses);
        }
        Some(self.start(told, out))
    }

    fn start(&mut self, head: Value, out: &mut BytesMut) -> u32 {
        let index = self.next_index;
        self.next_index += 1;
        frames::frame("content_block_start", json!({ "index": index, "content_block": head }), out);
        index
    }

    /// What the block's beginning says already.
    fn first_words(&mut self, content: Content, out: &mut BytesMut, losses: &mut Losses) {
        match content {
            Content::Text { text, citations } => {
                self.delta(Delta::Text(text), out, losses);
                citations.into_iter().for_each(|citation| self.delta(Delta::Citation(citation), out, losses));
            }
            Content::Refusal { text } | Content::Reasoning { text, .. } => self.delta(Delta::Text(text), out, losses),
            Content::ToolUse { arguments, kind, .. } => {
                if kind == CallKind::Custom {
                    losses.approximated(Place::Answer("tool call"), call::NO_OBJECT);
                    self.piece(frames::ARGUMENTS, "{\"input\":\"", out);
                }
                self.delta(Delta::Arguments(arguments), out, losses);
            }
            _ => {}
        }
    }

    pub(super) fn delta(&mut self, delta: Delta, out: &mut BytesMut, losses: &mut Losses) {
        let Some(open) = &mut self.open else { return };
        match (delta, open.kind) {
            (Delta::Text(text) | Delta::Arguments(text), _) if text.is_empty() => {}
            (Delta::Text(text), Kind::Thought) => self.piece(frames::THINKING, &text, out),
            (Delta::Text(text), Kind::Text) => self.piece(frames::TEXT, &text, out),
            (Delta::Arguments(text), Kind::Call) => self.piece(frames::ARGUMENTS, &text, out),
            (Delta::Arguments(text), Kind::FreeCall) => self.piece(frames::ARGUMENTS, &call::escaped(&text), out),
            (Delta::Citation(citation), Kind::Text) => {
                if let (Some(index), Some(citation)) = (open.index, tell::citation(&citation, losses)) {
                    let delta = json!({ "type": "citations_delta", "citation": citation });
                    frames::frame("content_block_delta", json!({ "index": index, "delta": delta }), out);
                }
            }
            (Delta::Seal(seal), _) => open.seal = Some(seal),
            (Delta::Extra(extra), _) => {
                let names: Vec<_> = extra.keys().map(String::as_str).collect();
                losses.dropped(Place::Answer("extra"), format!("{}: {}", names.join(", "), carry::NO_PLACE));
            }
            _ => {}
        }
    }

    fn piece(&mut self, kind: frames::Kind, text: &str, out: &mut BytesMut) {
        let Some(mut open) = self.open.take() else { return };
        if open.kind == Kind::Thought && open.index.is_none() {
            open.index = Some(self.start(thinking("", ""), out));
        }
        if let Some(index) = open.index {
            frames::text(index, kind, text, out);
        }
        self.open = Some(open);
    }

    pub(super) fn end(&mut self, out: &mut BytesMut) {
        if self.open.as_ref().is_some_and(|open| open.kind == Kind::FreeCall) {
            self.piece(frames::ARGUMENTS, "\"}", out);
        }
        let Some(Open { kind, index, seal }) = self.open.take() else { return };
        match (seal, index) {
            (Some(seal), None) if kind == Kind::Thought && seal.redacted => {
                let index = self.start(tell::thought("", Some(&seal)), out);
                frames::stop(index, out);
            }
            (Some(seal), index) if kind == Kind::Thought => {
                let index = index.unwrap_or_else(|| self.start(thinking("", ""), out));
                frames::text(index, frames::SIGNATURE, &seal.pack(HOME), out);
                frames::stop(index, out);
            }
            (seal, index) => {
                index.into_iter().for_each(|index| frames::stop(index, out));
                seal.into_iter().for_each(|seal| self.aside(&seal, beside::PREVIOUS, out));
            }
        }
    }

    /// The seal of a block that has no place for one.
    fn aside(&mut self, seal: &Seal, side: &str, out: &mut BytesMut) {
        let index = self.start(thinking("", ""), out);
        frames::text(index, frames::SIGNATURE, &beside::marked(seal, side).pack(HOME), out);
        frames::stop(index, out);
    }
}

// === impl Kind ===

impl Kind {
    fn of(content: &Content) -> Self {
        match content {
            Content::Text { .. } | Content::Refusal { .. } => Self::Text,
            Content::Reasoning { .. } => Self::Thought,
            Content::ToolUse { kind: CallKind::Function, .. } => Self::Call,
            Content::ToolUse { kind: CallKind::Custom, .. } => Self::FreeCall,
            _ => Self::Other,
        }
    }
}
