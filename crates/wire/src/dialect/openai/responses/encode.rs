//! A stream for a caller, event by event, as OpenAI's SDKs and Codex take it.
//!
//! Enters: the form's events. Leaves: `response.*` events, numbered, in OpenAI's order. Never: an item's delta before the item, or
//! `response.completed` after a fault.
//!
//! The last event repeats the whole answer, so the encoder keeps it, up to [`OUTPUT_BYTES_MAX`].

mod emit;
mod follow;
mod item;

use bytes::BytesMut;
use serde_json::{Map, Value, json};
use tollgate_model::Usage;

use super::super::fault;
use super::{
    HOME,
    fault::of_response,
    finish::{self, Held},
    take,
    told::Head,
    usage,
};
use crate::chat::{Event, Extra, Fault, Finish, Losses, Place};
use crate::dialect::{
    Dialect, carry,
    chat::{Encode, Telling},
};
use emit::Emit;
use item::Item;

/// Of text, arguments and thoughts in a stream: no model says more. Of a whole answer its reader has set the limit.
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
