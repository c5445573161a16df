//! A stream for a caller, event by event, as OpenAI's SDKs and Codex take it.
//!
//! Enters: the form's events. Leaves: `response.*` events, numbered, in OpenAI's order. Never: an item's delta before the item, or
//! `response.completed` after a fault.
//!
//! The last event repeats the whole answer, so the encoder keeps it, up to [`OUTPUT_BYTES_MAX`].

mod emit;
mod item;

use bytes::BytesMut;
use serde_json::{Map, Value, json};
use tollgate_model::Usage;

use super::super::fault;
use super::{
    HOME, SEAL_OF_NEXT, SEAL_OF_PREVIOUS,
    fault::{broken, of_response},
    finish::{self, Held},
    take,
    told::{Head, Part},
    usage,
};
use crate::chat::{Block, CallKind, Content, Delta, Event, Extra, Fault, Finish, Losses, Place, Seal, Source};
use crate::dialect::{
    Dialect, carry,
    chat::{Encode, Telling},
};
use emit::Emit;
use item::{Body, Item};

/// Of text, arguments and thoughts: no model says more.
const OUTPUT_BYTES_MAX: usize = 64 << 20;

/// What an item weighs at least.
const ITEM_BYTES: usize = 256;

#[derive(Debug)]
pub(super) struct Encoder {
    telling: Telling,
    emit: Emit,
    origin: Dialect,
    head: Head,
    /// By place; null while it is open.
    output: Vec<Value>,
    open: Vec<Item>,
    held: Held,
    /// They came before the text they belong to had begun.
    logprobs: Vec<Value>,
    finish: Option<Finish>,
    usage: Option<Usage>,
    bytes: usize,
    stage: Stage,
    /// The whole of it, for who asked for nothing else.
    response: Map<String, Value>,
    /// There were answers beyond the first.
    more_choices: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Before,
    Telling,
    Ended,
}

// === impl Encoder ===

impl Encode for Encoder {
    fn event(&mut self, event: Event, out: &mut BytesMut, losses: &mut Losses) {
        self.take(event, losses);
        out.extend_from_slice(&self.emit.out);
        self.emit.out.clear();
    }
}

impl Encoder {
    pub(super) fn new(telling: Telling) -> Self {
        Self::with(telling, true)
    }

    /// For an answer that is told whole.
    pub(super) fn silent(telling: Telling) -> Self {
        Self::with(telling, false)
    }

    /// After `Done`.
    pub(super) fn into_response(self) -> Map<String, Value> {
        self.response
    }

    fn with(telling: Telling, is_on: bool) -> Self {
        let head =
            Head { id: telling.id.clone(), model: telling.model.clone(), created: telling.created, ..Head::default() };
        Self {
            telling,
            emit: Emit::new(is_on),
            origin: HOME,
            head,
            output: Vec::new(),
            open: Vec::new(),
            held: Held::default(),
            logprobs: Vec::new(),
            finish: None,
            usage: None,
            bytes: 0,
            stage: Stage::Before,
            response: Map::new(),
            more_choices: false,
        }
    }

    pub(super) fn take(&mut self, event: Event, losses: &mut Losses) {
        if self.stage == Stage::Ended {
            return;
        }
        match event {
            Event::Start { origin, id, model, created, service_tier, extra } => {
                self.origin = origin;
                self.start(id, model, created, service_tier, &extra, losses);
            }
            Event::Usage(report) => self.usage = Some(report.usage),
            Event::Extra { extra, .. } => self.note_extra(&extra, losses),
            Event::Done => self.end(losses),
            Event::Fault(fault) => self.fail(&fault),
            Event::Begin { choice: 1.., .. }
            | Event::Delta { choice: 1.., .. }
            | Event::End { choice: 1.., .. }
            | Event::Logprobs { choice: 1.., .. }
            | Event::Finish { choice: 1.., .. } => self.note_choice(losses),
            Event::Begin { block, head, .. } => self.begin(block, head, losses),
            Event::Delta { block, delta, .. } => self.delta(block, delta, losses),
            Event::End { block, .. } => self.end_block(block),
            Event::Logprobs { logprobs, .. } => self.note_logprobs(logprobs, losses),
            Event::Finish { finish, .. } => {
                self.finish = Some(finish);
                self.close_all();
            }
        }
    }

    fn start(
        &mut self,
        id: String,
        model: String,
        created: Option<u64>,
        tier: Option<String>,
        extra: &Extra,
        losses: &mut Losses,
    ) {
        if self.stage != Stage::Before {
            return;
        }
        if !id.is_empty() {
            self.head.id = id;
        }
        if self.telling.model.is_empty() {
            self.head.model = model;
        }
        self.head.created = created.unwrap_or(self.telling.created);
        self.head.tier = tier;
        self.note_extra(extra, losses);
        self.announce();
    }

    fn announce(&mut self) {
        self.stage = Stage::Telling;
        for kind in ["response.created", "response.in_progress"] {
            let head = &self.head;
            self.emit.event(kind, || json!({"response": head.response("in_progress", Vec::new())}));
        }
    }

    fn note_extra(&mut self, extra: &Extra, losses: &mut Losses) {
        carry::answer(HOME, self.origin, extra, &mut self.head.extra, losses);
    }

    fn note_choice(&mut self, losses: &mut Losses) {
        if !std::mem::replace(&mut self.more_choices, true) {
            losses.dropped(Place::Answer("choices"), "there is one answer to a question");
        }
    }

    fn begin(&mut self, block: u32, head: Block, losses: &mut Losses) {
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
                self.seal_of_another(seal, SEAL_OF_NEXT);
                self.begin_part(block, Part::new(false, kept), &text);
                for citation in citations {
                    self.delta(block, Delta::Citation(citation), losses);
                }
            }
            Content::Refusal { text } => {
                self.seal_of_another(seal, SEAL_OF_NEXT);
                self.begin_part(block, Part::new(true, kept), &text);
            }
            Content::Reasoning { text, summary } => {
                let own = seal.as_ref().filter(|seal| seal.origin == HOME).and_then(|seal| seal.id.clone());
                let body = Body::Thought { text: String::new(), summary: summary || summary_always, seal };
                self.begin_item(block, own, "rs", body, kept);
                self.add(block, &text);
            }
            Content::ToolUse { id, name, arguments, kind } => {
                self.seal_of_another(seal, SEAL_OF_NEXT);
                let prefix = if kind == CallKind::Custom { "ctc" } else { "fc" };
                let call = Content::ToolUse { id, name, arguments: String::new(), kind };
                self.begin_item(block, None, prefix, Body::Call(call), kept);
                self.add(block, &arguments);
            }
            Content::Image { source: Source::Data { media_type, base64 }, .. } => {
                self.seal_of_another(seal, SEAL_OF_NEXT);
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
    fn seal_of_another(&mut self, seal: Option<Seal>, whose: &str) {
        let Some(seal) = seal else { return };
        let seal = Seal { id: Some(whose.to_owned()), ..seal };
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
        if self.bytes > OUTPUT_BYTES_MAX {
            self.fail(&broken("the answer is longer than any model's"));
        }
    }

    fn delta(&mut self, block: u32, delta: Delta, losses: &mut Losses) {
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

    fn end_block(&mut self, block: u32) {
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
        self.seal_of_another(seal, SEAL_OF_PREVIOUS);
    }

    /// In the shape of chat completions. They belong to the text that was begun last.
    fn note_logprobs(&mut self, mut logprobs: Value, losses: &mut Losses) {
        if logprobs["refusal"].as_array().is_some_and(|refusal| !refusal.is_empty()) {
            losses.dropped(Place::Answer("logprobs"), "of a refusal");
        }
        let Value::Array(mut content) = take(&mut logprobs, "content") else { return };
        match self.open.iter_mut().rev().find_map(Item::last_text) {
            Some(part) => part.logprobs.append(&mut content),
            None => self.logprobs.append(&mut content),
        }
    }

    fn close_all(&mut self) {
        for item in std::mem::take(&mut self.open) {
            self.close(item);
        }
    }

    fn end(&mut self, losses: &mut Losses) {
        if self.stage == Stage::Before {
            self.announce();
        }
        self.close_all();
        if !self.logprobs.is_empty() {
            losses.dropped(Place::Answer("logprobs"), "there is no text left they could stand at");
        }
        let status = finish::write(self.finish.as_ref(), self.held, losses);
        let usage = self.usage.as_ref().map(|counts| usage::write(counts, losses));
        let response = self.head.ended(status, std::mem::take(&mut self.output), usage);
        let kind = if status.reason.is_some() { "response.incomplete" } else { "response.completed" };
        self.emit.event(kind, || json!({"response": response}));
        self.response = response;
        self.stage = Stage::Ended;
    }

    /// Both of the words OpenAI has for it: some clients wait for the one, some for the other.
    fn fail(&mut self, told: &Fault) {
        let error = take(&mut fault::write(told), "error");
        self.emit.event(
            "error",
            || json!({"code": error["code"], "message": error["message"], "param": error["param"], "error": error}),
        );
        if self.stage == Stage::Telling {
            let done = self.output.iter().filter(|item| !item.is_null()).cloned().collect();
            let mut response = self.head.response("failed", done);
            response.insert("error".into(), of_response(told));
            self.emit.event("response.failed", || json!({"response": response}));
        }
        self.stage = Stage::Ended;
    }
}
