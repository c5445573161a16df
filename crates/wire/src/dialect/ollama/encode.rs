//! Writes a stream for callers of Ollama's `/api/chat`.
//!
//! Enters: events. Leaves: lines. Never: half a call: Ollama tells a call's arguments at once.

use std::collections::BTreeMap;

use bytes::BytesMut;
use serde_json::{Map, Value, json};

use super::answer::{self, BETWEEN, Say};
use super::read::THOUGHT_SEAL;
use crate::chat::{Block, Content, Delta, Event, Extra, Finish, Losses, Place, Seal, UsageReport};
use crate::dialect::Dialect;
use crate::dialect::carry::{self, NO_PLACE};
use crate::dialect::chat::{Encode, Telling};

/// As much of one call's arguments is kept.
const ARGUMENTS_BYTES_MAX: usize = 8 << 20;

pub(super) struct Encoder {
    telling: Telling,
    head: Map<String, Value>,
    open: BTreeMap<u32, Block>,
    thoughts: u32,
    texts: u32,
    called: bool,
    sealed: bool,
    finish: Option<Finish>,
    usage: Option<UsageReport>,
    other_choice: bool,
    over: bool,
}

// === impl Encoder ===

impl Encoder {
    pub(super) fn new(telling: Telling) -> Self {
        Self {
            telling,
            head: Map::new(),
            open: BTreeMap::new(),
            thoughts: 0,
            texts: 0,
            called: false,
            sealed: false,
            finish: None,
            usage: None,
            other_choice: false,
            over: false,
        }
    }

    fn line(&self, message: Map<String, Value>, out: &mut BytesMut) {
        let mut line = self.head.clone();
        line.insert("message".into(), Value::Object(message));
        line.insert("done".into(), false.into());
        write(&Value::Object(line), out);
    }

    fn begin(&mut self, number: u32, head: Block, out: &mut BytesMut, losses: &mut Losses) {
        let mut rest = head.clone();
        match &head.content {
            Content::Text { text, citations } => {
                if !citations.is_empty() {
                    losses.dropped(Place::Answer("citations"), NO_PLACE);
                }
                self.begin_text(text, &head, out, losses);
            }
            Content::Refusal { text } => {
                losses.approximated(Place::Answer("refusal"), "a refusal, as text");
                self.begin_text(text, &head, out, losses);
            }
            Content::Reasoning { text, .. } => {
                self.in_order(self.texts == 0 && !self.called && self.thoughts == 0, losses);
                self.thoughts += 1;
                self.thought(text, out);
                self.seal(rest.seal.take().as_ref(), out, losses);
            }
            Content::ToolUse { .. } => self.called = true,
            _ => return losses.dropped(Place::Answer("content"), carry::NOT_ITS_OWN),
        }
        self.open.insert(number, rest);
    }

    fn begin_text(&mut self, text: &str, head: &Block, out: &mut BytesMut, losses: &mut Losses) {
        self.in_order(self.texts == 0 && !self.called, losses);
        if head.seal.is_some() {
            losses.dropped(Place::Answer("content"), "a signature of a text");
        }
        if self.texts > 0 {
            self.text(BETWEEN, out);
        }
        self.texts += 1;
        self.text(text, out);
    }

    fn in_order(&self, fits: bool, losses: &mut Losses) {
        if !fits {
            losses.approximated(Place::Answer("content"), "a message has one thought, one text and then its calls");
        }
    }

    fn text(&self, text: &str, out: &mut BytesMut) {
        if !text.is_empty() {
            self.line(message(&[("content", text)]), out);
        }
    }

    fn thought(&self, text: &str, out: &mut BytesMut) {
        if !text.is_empty() {
            self.line(message(&[("content", ""), ("thinking", text)]), out);
        }
    }

    fn seal(&mut self, seal: Option<&Seal>, out: &mut BytesMut, losses: &mut Losses) {
        let Some(packed) = answer::packed(seal, losses) else { return };
        if std::mem::replace(&mut self.sealed, true) {
            return losses.dropped(Place::Answer("content"), "a signature: a message has one");
        }
        self.line(message(&[("content", ""), ("thinking", ""), (THOUGHT_SEAL, &packed)]), out);
    }

    fn delta(&mut self, number: u32, delta: Delta, out: &mut BytesMut, losses: &mut Losses) {
        let Some(block) = self.open.get_mut(&number) else { return };
        match (delta, &mut block.content) {
            (Delta::Text(piece), Content::Text { .. } | Content::Refusal { .. }) => self.text(&piece, out),
            (Delta::Text(piece), Content::Reasoning { .. }) => self.thought(&piece, out),
            (Delta::Arguments(piece), Content::ToolUse { arguments, .. })
                if arguments.len() + piece.len() <= ARGUMENTS_BYTES_MAX =>
            {
                arguments.push_str(&piece);
            }
            (Delta::Seal(seal), Content::Reasoning { .. }) => self.seal(Some(&seal), out, losses),
            (Delta::Seal(seal), Content::ToolUse { .. }) => block.seal = Some(seal),
            (Delta::Seal(_), _) => losses.dropped(Place::Answer("content"), "a signature of a text"),
            (Delta::Citation(_), _) => losses.dropped(Place::Answer("citations"), NO_PLACE),
            (Delta::Extra(extra), _) => lost(&extra, losses),
            _ => {}
        }
    }

    fn end(&mut self, number: u32, out: &mut BytesMut, losses: &mut Losses) {
        let Some(block) = self.open.remove(&number) else { return };
        if matches!(block.content, Content::ToolUse { .. }) {
            let mut say = Say::new(losses);
            say.block(&block);
            let message = say.message();
            self.line(message, out);
        }
    }

    fn done(&mut self, out: &mut BytesMut, losses: &mut Losses) {
        self.over = true;
        let mut line = self.head.clone();
        line.insert("message".into(), json!({"role": "assistant", "content": ""}));
        if let Some(finish) = self.finish.take() {
            line.insert("done_reason".into(), answer::finish_word(&finish, self.called, losses).into());
        }
        line.insert("done".into(), true.into());
        line.extend(self.usage.take().map(|report| answer::usage(&report, losses)).unwrap_or_default());
        write(&Value::Object(line), out);
    }

    /// One answer is told; that there were others is said once.
    fn is_other(&mut self, choice: u32, losses: &mut Losses) -> bool {
        if choice > 0 && !std::mem::replace(&mut self.other_choice, true) {
            losses.dropped(Place::Answer("choices"), "the target tells one answer: the first");
        }
        choice > 0
    }
}

impl Encode for Encoder {
    fn event(&mut self, event: Event, out: &mut BytesMut, losses: &mut Losses) {
        if self.over {
            return;
        }
        if let Event::Begin { choice, .. } | Event::Delta { choice, .. } | Event::End { choice, .. } = &event
            && self.is_other(*choice, losses)
        {
            return;
        }
        match event {
            Event::Start { model, created, service_tier, extra, .. } => {
                self.head = answer::head(&model, created, &self.telling);
                if service_tier.is_some() {
                    losses.dropped(Place::Answer("service_tier"), NO_PLACE);
                }
                lost(&extra, losses);
            }
            Event::Begin { block, head, .. } => self.begin(block, head, out, losses),
            Event::Delta { block, delta, .. } => self.delta(block, delta, out, losses),
            Event::End { block, .. } => self.end(block, out, losses),
            Event::Logprobs { choice: 0, logprobs } => {
                let mut line = self.head.clone();
                line.insert("message".into(), json!({"role": "assistant", "content": ""}));
                line.insert("done".into(), false.into());
                line.insert("logprobs".into(), answer::tokens(&logprobs, losses));
                write(&Value::Object(line), out);
            }
            Event::Finish { choice: 0, finish } => self.finish = Some(finish),
            Event::Logprobs { .. } | Event::Finish { .. } => {}
            Event::Extra { extra, .. } => lost(&extra, losses),
            Event::Usage(report) => self.usage = Some(report),
            Event::Done => self.done(out, losses),
            Event::Fault(fault) => {
                self.over = true;
                out.extend_from_slice(&super::fault::write(&fault));
                out.extend_from_slice(b"\n");
            }
        }
    }
}

/// Lines have no room for members that Ollama does not name.
fn lost(extra: &Extra, losses: &mut Losses) {
    carry::answer(Dialect::OllamaChat, Dialect::Raw, extra, &mut Map::new(), losses);
}

fn message(members: &[(&str, &str)]) -> Map<String, Value> {
    let mut message = Map::from_iter([("role".to_owned(), Value::from("assistant"))]);
    message.extend(members.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text))));
    message
}

fn write(line: &Value, out: &mut BytesMut) {
    out.extend_from_slice(line.to_string().as_bytes());
    out.extend_from_slice(b"\n");
}
