//! Writes a stream for callers of Cohere's `v2/chat`.
//!
//! Enters: the form's events. Leaves: Cohere's. Never: a second choice.

use std::collections::BTreeMap;

use bytes::BytesMut;
use serde_json::{Map, Value, json};

use super::answer::{self, Part};
use super::read::SEAL;
use crate::chat::{Block, Content, Delta, Event, Extra, Finish, Losses, Place, UsageReport};
use crate::dialect::Dialect;
use crate::dialect::carry;
use crate::dialect::chat::{Encode, Telling};

pub(super) struct Encoder {
    telling: Telling,
    origin: Dialect,
    id: String,
    /// The index that an open block has in Cohere's count, and what it is.
    open: BTreeMap<u32, (Kind, u64)>,
    contents: u64,
    calls: u64,
    citations: u64,
    finish: Option<Finish>,
    usage: Option<UsageReport>,
    other_choice: bool,
    over: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    Plan,
    Call,
}

// === impl Encoder ===

impl Encoder {
    pub(super) fn new(telling: Telling) -> Self {
        Self {
            telling,
            origin: Dialect::CohereV2,
            id: String::new(),
            open: BTreeMap::new(),
            contents: 0,
            calls: 0,
            citations: 0,
            finish: None,
            usage: None,
            other_choice: false,
            over: false,
        }
    }

    fn begin(&mut self, number: u32, head: Block, out: &mut BytesMut, losses: &mut Losses) {
        let Some(part) = answer::part(self.origin, &head, losses) else { return };
        match part {
            Part::Plan(text) => {
                self.open.insert(number, (Kind::Plan, 0));
                self.text(Kind::Plan, 0, &text, out);
            }
            Part::Call(call) => {
                self.open.insert(number, (Kind::Call, self.calls));
                let delta = json!({"message": {"tool_calls": call}});
                write("tool-call-start", Some(self.calls), delta, out);
                self.calls += 1;
            }
            Part::Item(mut item) => {
                let kind = if item["type"] == "thinking" { Kind::Thinking } else { Kind::Text };
                let index = self.contents;
                self.contents += 1;
                self.open.insert(number, (kind, index));
                // The text itself comes as the first piece.
                let member = if kind == Kind::Thinking { "thinking" } else { "text" };
                let text = item.get_mut(member).map(Value::take);
                item[member] = "".into();
                write("content-start", Some(index), json!({"message": {"content": item}}), out);
                let text = text.as_ref().and_then(Value::as_str).unwrap_or_default();
                self.text(kind, index, text, out);
            }
        }
        if let Content::Text { citations, .. } = &head.content {
            for citation in citations {
                self.delta(number, Delta::Citation(citation.clone()), out, losses);
            }
        }
    }

    fn text(&self, kind: Kind, index: u64, text: &str, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        match kind {
            Kind::Plan => write("tool-plan-delta", None, json!({"message": {"tool_plan": text}}), out),
            Kind::Call => {
                let calls = json!({"function": {"arguments": text}});
                write("tool-call-delta", Some(index), json!({"message": {"tool_calls": calls}}), out);
            }
            Kind::Text | Kind::Thinking => {
                let member = if kind == Kind::Text { "text" } else { "thinking" };
                let content = Map::from_iter([(member.to_owned(), text.into())]);
                write("content-delta", Some(index), json!({"message": {"content": content}}), out);
            }
        }
    }

    fn delta(&mut self, number: u32, delta: Delta, out: &mut BytesMut, losses: &mut Losses) {
        let Some((kind, index)) = self.open.get(&number).copied() else { return };
        match delta {
            Delta::Text(piece) | Delta::Arguments(piece) => self.text(kind, index, &piece, out),
            Delta::Citation(citation) => {
                let citations = answer::write_citation(&citation, index as usize);
                write("citation-start", Some(self.citations), json!({"message": {"citations": citations}}), out);
                write("citation-end", Some(self.citations), Value::Null, out);
                self.citations += 1;
            }
            Delta::Seal(seal) if matches!(kind, Kind::Text | Kind::Thinking) => {
                if let Some(signature) = answer::signature(Some(&seal), losses) {
                    let content = Map::from_iter([(SEAL.to_owned(), signature.into())]);
                    write("content-delta", Some(index), json!({"message": {"content": content}}), out);
                }
            }
            Delta::Seal(_) => losses.dropped(Place::Answer("content"), "a signature that came after the call it is of"),
            Delta::Data(_) => {}
            Delta::Extra(extra) => lost(&extra, losses),
        }
    }

    fn end(&mut self, number: u32, out: &mut BytesMut) {
        match self.open.remove(&number) {
            Some((Kind::Text | Kind::Thinking, index)) => write("content-end", Some(index), Value::Null, out),
            Some((Kind::Call, index)) => write("tool-call-end", Some(index), Value::Null, out),
            Some((Kind::Plan, _)) | None => {}
        }
    }

    fn done(&mut self, out: &mut BytesMut, losses: &mut Losses) {
        let mut delta = Map::new();
        let finish = self.finish.take().map(|finish| answer::finish_word(&finish, losses));
        delta.extend(finish.map(|word| ("finish_reason".to_owned(), word.into())));
        let usage = self.usage.take().map(|report| answer::usage(&report, losses));
        delta.extend(usage.map(|usage| ("usage".to_owned(), usage)));
        self.last(delta, out);
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn last(&mut self, delta: Map<String, Value>, out: &mut BytesMut) {
        self.over = true;
        let event = json!({"type": "message-end", "id": self.id, "delta": delta});
        frame("message-end", &event, out);
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
            Event::Start { origin, id, service_tier, extra, .. } => {
                self.origin = origin;
                self.id = if id.is_empty() { self.telling.id.clone() } else { id };
                if service_tier.is_some() {
                    losses.dropped(Place::Answer("service_tier"), carry::NO_PLACE);
                }
                lost(&extra, losses);
                let message =
                    json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
                let start = json!({"type": "message-start", "id": self.id, "delta": {"message": message}});
                frame("message-start", &start, out);
            }
            Event::Begin { block, head, .. } => self.begin(block, head, out, losses),
            Event::Delta { block, delta, .. } => self.delta(block, delta, out, losses),
            Event::End { block, .. } => self.end(block, out),
            Event::Logprobs { choice: 0, logprobs } => {
                for item in answer::write_logprobs(&logprobs, losses) {
                    let event = json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": ""}}}, "logprobs": item});
                    frame("content-delta", &event, out);
                }
            }
            Event::Finish { choice: 0, finish } => self.finish = Some(finish),
            Event::Logprobs { .. } | Event::Finish { .. } => {}
            Event::Extra { extra, .. } => {
                lost(&extra, losses);
            }
            Event::Usage(report) => self.usage = Some(report),
            Event::Done => self.done(out, losses),
            Event::Fault(fault) => {
                let delta = json!({"error": fault.message, "finish_reason": "ERROR"});
                if let Value::Object(delta) = delta {
                    self.last(delta, out);
                }
            }
        }
    }
}

/// Events of Cohere's have no room for members it does not name.
fn lost(extra: &Extra, losses: &mut Losses) {
    carry::answer(Dialect::CohereV2, Dialect::Raw, extra, &mut Map::new(), losses);
}

/// `delta`: null when the event has none.
fn write(kind: &str, index: Option<u64>, delta: Value, out: &mut BytesMut) {
    let mut event = Map::from_iter([("type".to_owned(), kind.into())]);
    event.extend(index.map(|index| ("index".to_owned(), index.into())));
    if !delta.is_null() {
        event.insert("delta".into(), delta);
    }
    frame(kind, &Value::Object(event), out);
}

fn frame(kind: &str, event: &Value, out: &mut BytesMut) {
    out.extend_from_slice(format!("event: {kind}\ndata: {event}\n\n").as_bytes());
}
