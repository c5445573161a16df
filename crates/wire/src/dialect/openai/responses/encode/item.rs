//! One item of the answer while it is being told.
//!
//! Enters: a block's head, pieces and end. Leaves: the item's events, and at last its JSON. Never: `done` before the last piece.

use serde_json::{Value, json};

use super::super::told::{self, Part};
use super::emit::{Emit, Index, Spot};
use crate::chat::{CallKind, Citation, Content, Extra, Losses, Seal};

#[derive(Debug)]
pub(super) struct Item {
    /// Its place in `output`.
    pub(super) at: usize,
    pub(super) id: String,
    /// The form's number of its only block; a message's are with its parts.
    pub(super) block: u32,
    pub(super) body: Body,
    pub(super) extra: Extra,
    /// The provider's seal of it that came when it had begun: it is told after it.
    pub(super) late: Option<Seal>,
}

#[derive(Debug)]
pub(super) enum Body {
    Message(Vec<Piece>),
    /// Always a tool's use.
    Call(Content),
    Thought {
        text: String,
        summary: bool,
        seal: Option<Seal>,
    },
    Image {
        media_type: String,
        base64: String,
    },
    /// As its provider made it.
    Whole(Value),
}

/// A part of a message, and whether its block has ended.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) block: u32,
    pub(super) part: Part,
    pub(super) is_open: bool,
}

// === impl Item ===

impl Item {
    fn spot(&self, part: Index) -> Spot<'_> {
        Spot { item_id: &self.id, output_index: self.at, part }
    }

    pub(super) fn announce(&self, emit: &mut Emit) {
        emit.event("response.output_item.added", || json!({"output_index": self.at, "item": self.blank()}));
    }

    fn blank(&self) -> Value {
        const BEGUN: &str = "in_progress";
        match &self.body {
            Body::Message(_) => told::message(&self.id, BEGUN, Vec::new()),
            Body::Call(Content::ToolUse { id, name, kind, .. }) => {
                let (id, name, arguments) = (id.clone(), name.clone(), String::new());
                told::call(&self.id, BEGUN, &Content::ToolUse { id, name, arguments, kind: *kind }, &Extra::new())
            }
            Body::Thought { summary, .. } => told::reasoning(&self.id, "", *summary, None, &Extra::new()),
            _ => self.value("completed"),
        }
    }

    pub(super) fn value(&self, status: &str) -> Value {
        match &self.body {
            Body::Message(pieces) => {
                told::message(&self.id, status, pieces.iter().map(|piece| piece.part.value()).collect())
            }
            Body::Call(content) => told::call(&self.id, status, content, &self.extra),
            Body::Thought { text, summary, seal } => {
                told::reasoning(&self.id, text, *summary, seal.as_ref(), &self.extra)
            }
            Body::Image { media_type, base64 } => told::image(&self.id, media_type, base64),
            Body::Whole(value) => value.clone(),
        }
    }

    pub(super) fn piece(&mut self, block: u32) -> Option<(usize, &mut Piece)> {
        match &mut self.body {
            Body::Message(pieces) => pieces.iter_mut().enumerate().find(|(_, piece)| piece.block == block),
            _ => None,
        }
    }

    pub(super) fn holds(&self, block: u32) -> bool {
        match &self.body {
            Body::Message(pieces) => pieces.iter().any(|piece| piece.block == block),
            _ => self.block == block,
        }
    }

    pub(super) fn last_text(&mut self) -> Option<&mut Part> {
        match &mut self.body {
            Body::Message(pieces) => pieces.iter_mut().rev().map(|piece| &mut piece.part).find(|part| !part.is_refusal),
            _ => None,
        }
    }

    pub(super) fn is_idle_message(&self) -> bool {
        matches!(&self.body, Body::Message(pieces) if pieces.iter().all(|piece| !piece.is_open))
    }

    pub(super) fn begin_part(&mut self, block: u32, part: Part, emit: &mut Emit) {
        let Body::Message(pieces) = &mut self.body else { return };
        let (at, blank) = (pieces.len(), part.blank());
        pieces.push(Piece { block, part, is_open: true });
        emit.at("response.content_part.added", self.spot(Index::Content(at)), || json!({"part": blank}));
    }

    /// A piece of text, arguments, thought or base64.
    pub(super) fn add(&mut self, block: u32, more: &str, emit: &mut Emit) {
        if more.is_empty() {
            return;
        }
        if let Some((at, piece)) = self.piece(block) {
            piece.part.text.push_str(more);
            let is_refusal = piece.part.is_refusal;
            let kind = if is_refusal { "response.refusal.delta" } else { "response.output_text.delta" };
            return emit.delta(kind, self.spot(Index::Content(at)), more, !is_refusal);
        }
        let kind = match &mut self.body {
            Body::Thought { text, summary, .. } => {
                let (is_first, summary) = (text.is_empty(), *summary);
                text.push_str(more);
                return self.thought(is_first, summary, more, emit);
            }
            Body::Call(Content::ToolUse { arguments, kind, .. }) => {
                arguments.push_str(more);
                input_events(*kind).0
            }
            Body::Image { base64, .. } => return base64.push_str(more),
            _ => return,
        };
        emit.delta(kind, self.spot(Index::Item), more, false);
    }

    fn thought(&self, is_first: bool, summary: bool, more: &str, emit: &mut Emit) {
        let (spot, added, delta, kind) = match summary {
            true => (
                self.spot(Index::Summary(0)),
                "response.reasoning_summary_part.added",
                "response.reasoning_summary_text.delta",
                "summary_text",
            ),
            false => (
                self.spot(Index::Content(0)),
                "response.content_part.added",
                "response.reasoning_text.delta",
                "reasoning_text",
            ),
        };
        if is_first {
            emit.at(added, spot, || json!({"part": {"type": kind, "text": ""}}));
        }
        emit.delta(delta, spot, more, false);
    }

    pub(super) fn cite(&mut self, block: u32, citation: &Citation, emit: &mut Emit, losses: &mut Losses) {
        let Some((at, piece)) = self.piece(block) else { return };
        let number = piece.part.annotations.len();
        let Some(annotation) = piece.part.cite(citation, losses).cloned() else { return };
        let spot = self.spot(Index::Content(at));
        emit.at(
            "response.output_text.annotation.added",
            spot,
            || json!({"annotation_index": number, "annotation": annotation}),
        );
    }

    pub(super) fn end_part(&mut self, block: u32, emit: &mut Emit) {
        let Some((at, piece)) = self.piece(block) else { return };
        if !std::mem::replace(&mut piece.is_open, false) {
            return;
        }
        let (is_refusal, part) = (piece.part.is_refusal, piece.part.value());
        let spot = self.spot(Index::Content(at));
        match is_refusal {
            true => emit.at("response.refusal.done", spot, || json!({"refusal": part["refusal"]})),
            false => emit.at(
                "response.output_text.done",
                spot,
                || json!({"text": part["text"], "logprobs": part["logprobs"]}),
            ),
        }
        emit.at("response.content_part.done", spot, || json!({"part": part}));
    }

    /// `status`: incomplete when the provider stopped in the middle of it.
    pub(super) fn close(mut self, status: &str, emit: &mut Emit) -> Value {
        let open: Vec<u32> = match &self.body {
            Body::Message(pieces) => pieces.iter().filter(|piece| piece.is_open).map(|piece| piece.block).collect(),
            _ => Vec::new(),
        };
        open.into_iter().for_each(|block| self.end_part(block, emit));
        match &self.body {
            Body::Call(Content::ToolUse { arguments, kind, .. }) => {
                let (_, done, member) = input_events(*kind);
                emit.at(done, self.spot(Index::Item), || json!({member: arguments}));
            }
            Body::Thought { text, summary, .. } if !text.is_empty() => self.end_thought(text, *summary, emit),
            _ => {}
        }
        let value = self.value(status);
        emit.event("response.output_item.done", || json!({"output_index": self.at, "item": value}));
        value
    }

    fn end_thought(&self, text: &str, summary: bool, emit: &mut Emit) {
        if summary {
            let spot = self.spot(Index::Summary(0));
            emit.at("response.reasoning_summary_text.done", spot, || json!({"text": text}));
            let part = || json!({"part": {"type": "summary_text", "text": text}});
            emit.at("response.reasoning_summary_part.done", spot, part);
        } else {
            let spot = self.spot(Index::Content(0));
            emit.at("response.reasoning_text.done", spot, || json!({"text": text}));
            let part = || json!({"part": {"type": "reasoning_text", "text": text}});
            emit.at("response.content_part.done", spot, part);
        }
    }
}

/// A call's delta, its end, and the member that has all of it there.
fn input_events(kind: CallKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        CallKind::Function => {
            ("response.function_call_arguments.delta", "response.function_call_arguments.done", "arguments")
        }
        CallKind::Custom => ("response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", "input"),
    }
}
