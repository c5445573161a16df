//! Follows blocks from their first word to their last.
//!
//! Enters: the events that are about one block. Leaves: its item, or its part of one. Never: a message left open when something else begins.

use serde_json::Value;

use super::super::{HOME, fault::broken, take, told::Part};
use super::item::{Body, Item};
use super::{Encoder, ITEM_BYTES, OUTPUT_BYTES_MAX, Stage};
use crate::chat::{Block, CallKind, Content, Delta, Extra, Losses, Place, Seal, Source};
use crate::dialect::{beside, carry};

impl Encoder {
    pub(super) fn begin(&mut self, block: u32, head: Block, losses: &mut Losses) {
        if self.stage == Stage::Before {
            self.announce();
        }
        let Block { content, seal, extra, .. } = head;
        self.held.note(&content);
        let mut kept = Extra::new();
        carry::answer(HOME, self.origin, &extra, &mut kept, losses);
        let summary_always = self.origin != HOME;
        match content {
            Content::Text { text, citations } => {
                self.seal_of_another(seal, beside::NEXT);
                self.begin_part(block, Part::new(false, kept), &text);
                for citation in citations {
                    self.delta(block, Delta::Citation(citation), losses);
                }
            }
            Content::Refusal { text } => {
                self.seal_of_another(seal, beside::NEXT);
                self.begin_part(block, Part::new(true, kept), &text);
            }
            Content::Reasoning { text, summary } => {
                let own = seal.as_ref().filter(|seal| seal.origin == HOME).and_then(|seal| seal.id.clone());
                let body = Body::Thought { text: String::new(), summary: summary || summary_always, seal };
                self.begin_item(block, own, "rs", body, kept);
                self.add(block, &text);
            }
            Content::ToolUse { id, name, arguments, kind } => {
                self.seal_of_another(seal, beside::NEXT);
                let prefix = if kind == CallKind::Custom { "ctc" } else { "fc" };
                let call = Content::ToolUse { id, name, arguments: String::new(), kind };
                self.begin_item(block, None, prefix, Body::Call(call), kept);
                self.add(block, &arguments);
            }
            Content::Image { source: Source::Data { media_type, base64 }, .. } => {
                self.seal_of_another(seal, beside::NEXT);
                self.begin_item(block, None, "ig", Body::Image { media_type, base64: String::new() }, kept);
                self.add(block, &base64);
            }
            Content::Opaque { origin: HOME, value } if value.is_object() => {
                self.begin_item(block, None, "item", Body::Whole(value), kept);
            }
            _ => losses.dropped(Place::Answer("content"), "the Responses API has no such item"),
        }
    }

    /// Texts that follow each other are parts of one message.
    fn begin_part(&mut self, block: u32, mut part: Part, text: &str) {
        if !part.is_refusal {
            part.logprobs.append(&mut self.logprobs);
        }
        let last = self.output.len().wrapping_sub(1);
        let joins = |item: &&mut Item| item.at == last && matches!(item.body, Body::Message(_));
        if self.open.iter_mut().find(joins).is_none() {
            self.begin_item(block, None, "msg", Body::Message(Vec::new()), Extra::new());
        }
        let last = self.output.len() - 1;
        let Self { open, emit, .. } = self;
        if let Some(item) = open.iter_mut().find(|item| item.at == last) {
            item.begin_part(block, part, emit);
        }
        self.add(block, text);
    }

    fn begin_item(&mut self, block: u32, id: Option<String>, prefix: &str, body: Body, extra: Extra) {
        self.close_idle_messages();
        let at = self.output.len();
        let id = id.unwrap_or_else(|| format!("{prefix}_{}_{at}", self.head.id));
        let item = Item { at, id, block, body, extra, late: None };
        self.bytes += ITEM_BYTES;
        item.announce(&mut self.emit);
        self.output.push(Value::Null);
        self.open.push(item);
    }

    fn close_idle_messages(&mut self) {
        while let Some(at) = self.open.iter().position(Item::is_idle_message) {
            let item = self.open.remove(at);
            self.close(item);
        }
    }

    fn close(&mut self, item: Item) {
        let at = item.at;
        self.output[at] = item.close("completed", &mut self.emit);
    }

    /// An item of its own for what other providers seal and this dialect does not.
    fn seal_of_another(&mut self, seal: Option<Seal>, side: &str) {
        let Some(seal) = seal else { return };
        let seal = beside::marked(&seal, side);
        let body = Body::Thought { text: String::new(), summary: true, seal: Some(seal) };
        self.begin_item(u32::MAX, None, "rs", body, Extra::new());
        if let Some(item) = self.open.pop() {
            self.close(item);
        }
    }

    fn find(&mut self, block: u32) -> Option<&mut Item> {
        self.open.iter_mut().find(|item| item.holds(block))
    }

    fn add(&mut self, block: u32, more: &str) {
        self.bytes += more.len();
        let Self { open, emit, .. } = self;
        if let Some(item) = open.iter_mut().find(|item| item.holds(block)) {
            item.add(block, more, emit);
        }
        if self.bytes > OUTPUT_BYTES_MAX && self.emit.is_on {
            self.fail(&broken("the answer is longer than any model's"));
        }
    }

    pub(super) fn delta(&mut self, block: u32, delta: Delta, losses: &mut Losses) {
        match delta {
            Delta::Text(more) | Delta::Arguments(more) | Delta::Data(more) => self.add(block, &more),
            Delta::Citation(citation) => {
                let Self { open, emit, .. } = self;
                if let Some(item) = open.iter_mut().find(|item| item.holds(block)) {
                    item.cite(block, &citation, emit, losses);
                }
            }
            Delta::Extra(extra) => {
                let mut kept = Extra::new();
                carry::answer(HOME, self.origin, &extra, &mut kept, losses);
                if let Some(item) = self.find(block) {
                    item.extra.append(&mut kept);
                }
            }
            Delta::Seal(seal) => self.seal(block, seal),
        }
    }

    fn seal(&mut self, block: u32, late: Seal) {
        let Some(item) = self.find(block) else { return };
        match &mut item.body {
            Body::Thought { seal, .. } => *seal = Some(late),
            _ => item.late = Some(late),
        }
    }

    pub(super) fn end_block(&mut self, block: u32) {
        let last = self.output.len().wrapping_sub(1);
        let Some(at) = self.open.iter().position(|item| item.holds(block)) else { return };
        let Self { open, emit, .. } = self;
        let item = &mut open[at];
        item.end_part(block, emit);
        let seal = item.late.take();
        // A message waits for more text while nothing else has begun.
        if item.is_idle_message() && item.at == last && seal.is_none() {
            return;
        }
        if !matches!(item.body, Body::Message(_)) || item.is_idle_message() {
            let item = self.open.remove(at);
            self.close(item);
        }
        self.seal_of_another(seal, beside::PREVIOUS);
    }

    /// In the shape of chat completions. They belong to the text that was begun last.
    pub(super) fn note_logprobs(&mut self, mut logprobs: Value, losses: &mut Losses) {
        if logprobs["refusal"].as_array().is_some_and(|refusal| !refusal.is_empty()) {
            losses.dropped(Place::Answer("logprobs"), "of a refusal");
        }
        let Value::Array(mut content) = take(&mut logprobs, "content") else { return };
        match self.open.iter_mut().rev().find_map(Item::last_text) {
            Some(part) => part.logprobs.append(&mut content),
            None => self.logprobs.append(&mut content),
        }
    }

    pub(super) fn close_all(&mut self) {
        for item in std::mem::take(&mut self.open) {
            self.close(item);
        }
    }
}
