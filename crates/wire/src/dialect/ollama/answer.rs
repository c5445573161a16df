//! Whole answers of Ollama's `/api/chat`, and the lines of a stream, which have the same form.
//!
//! Enters: a body, or the form's answer. Leaves: the other of the two. Never: more than one choice, which Ollama does not know.

use http::HeaderMap;
use serde_json::{Map, Value, json};
use tollgate_model::Usage;

use super::read::{self, CALL_SEAL, MADE_ID, THOUGHT_SEAL};
use super::write::arguments;
use crate::chat::{Answer, BadField, Block, Choice, Content, Finish, FinishKind, Losses, Place, Seal, UsageReport};
use crate::dialect::calls::Calls;
use crate::dialect::carry::{self, NO_PLACE, NOT_ITS_OWN};
use crate::dialect::chat::Telling;
use crate::dialect::object::{Object, Path, root};
use crate::dialect::{Dialect, moment};
use crate::watch::read_whole;

const HOME: Dialect = Dialect::OllamaChat;

/// Counts and times, which are kept together as the usage.
const METRICS: [&str; 6] =
    ["total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration"];

pub(super) fn read(body: &[u8]) -> Result<Answer, BadField> {
    let mut top = root(body)?;
    if let Some(fault) = top.string("error")? {
        return Err(Path::Member(&Path::Root, "error").bad("an answer", fault));
    }
    let mut answer = Answer::new(HOME);
    answer.model = top.string("model")?.unwrap_or_default();
    let created = top.string("created_at")?.unwrap_or_default();
    answer.created = moment::read(&created);
    let mut calls = calls(&created);
    let path = Path::Member(&Path::Root, "message");
    let value = top.take("message").ok_or_else(|| path.missing("an object"))?;
    let mut message = Object::of(value, path)?;
    message.take("role");
    let mut choice = Choice { blocks: read::blocks(&mut message, &mut calls)?, ..Choice::default() };
    choice.extra = message.rest();
    choice.logprobs = top.take("logprobs").map(|tokens| json!({"content": tokens}));
    top.take("done");
    choice.finish = top.string("done_reason")?.map(|raw| finish(raw, called(&choice.blocks)));
    let raw = metrics(&mut top);
    let counted = read_whole(HOME, body, &HeaderMap::new()).usage;
    answer.usage = counted.map(|usage| UsageReport { usage, raw });
    answer.extra = top.rest();
    answer.choices.push(choice);
    Ok(answer)
}

/// An answer has no id. When it began tells it from others.
pub(super) fn calls(created: &str) -> Calls {
    let mut calls = Calls::new(MADE_ID);
    calls.answer_id = created.chars().filter(char::is_ascii_digit).skip(2).take(21).collect();
    calls
}

pub(super) fn metrics(top: &mut Object<'_>) -> Value {
    METRICS.iter().filter_map(|name| top.take(name).map(|value| ((*name).to_owned(), value))).collect()
}

pub(super) fn called(blocks: &[Block]) -> bool {
    blocks.iter().any(|block| matches!(block.content, Content::ToolUse { .. }))
}

/// Calls have no word of their own.
pub(super) fn finish(raw: String, called: bool) -> Finish {
    let kind = match raw.as_str() {
        "stop" if called => FinishKind::ToolUse,
        "tool_calls" => FinishKind::ToolUse,
        "stop" => FinishKind::Stop,
        "length" => FinishKind::Length,
        _ => FinishKind::Other,
    };
    Finish::new(kind, raw)
}

pub(super) fn finish_word(finish: &Finish, called: bool, losses: &mut Losses) -> &'static str {
    let (word, exact) = match finish.kind {
        FinishKind::Stop => ("stop", !called),
        FinishKind::ToolUse => ("stop", called),
        FinishKind::Length => ("length", true),
        FinishKind::ContextFull => ("length", false),
        _ => ("stop", false),
    };
    if !exact || finish.stop_sequence.is_some() {
        losses.approximated(Place::Answer("finish_reason"), format!("told as {word}"));
    }
    word
}

pub(super) fn write(answer: &Answer, telling: &Telling, losses: &mut Losses) -> Vec<u8> {
    let blank = Choice::default();
    let choice = answer.choices.first().unwrap_or(&blank);
    if answer.choices.len() > 1 {
        losses.dropped(Place::Answer("choices"), "the target tells one answer: the first");
    }
    let mut say = Say::new(losses);
    choice.blocks.iter().for_each(|block| say.block(block));
    let mut message = say.message();
    carry::answer(HOME, answer.origin, &choice.extra, &mut message, losses);
    let mut body = head(&answer.model, answer.created, telling);
    body.insert("message".into(), Value::Object(message));
    if let Some(finish) = &choice.finish {
        body.insert("done_reason".into(), finish_word(finish, called(&choice.blocks), losses).into());
    }
    body.insert("done".into(), true.into());
    if let Some(logprobs) = &choice.logprobs {
        body.insert("logprobs".into(), tokens(logprobs, losses));
    }
    if let Some(report) = &answer.usage {
        body.extend(usage(report, losses));
    }
    if answer.service_tier.is_some() {
        losses.dropped(Place::Answer("service_tier"), NO_PLACE);
    }
    carry::answer(HOME, answer.origin, &answer.extra, &mut body, losses);
    Value::Object(body).to_string().into_bytes()
}

/// What every line repeats.
pub(super) fn head(model: &str, created: Option<u64>, telling: &Telling) -> Map<String, Value> {
    let model = if telling.model.is_empty() { model } else { &telling.model };
    let created = moment::write(created.unwrap_or(telling.created));
    Map::from_iter([("model".to_owned(), model.into()), ("created_at".to_owned(), created.into())])
}

/// The list is OpenAI's.
pub(super) fn tokens(logprobs: &Value, losses: &mut Losses) -> Value {
    if logprobs.get("refusal").is_some_and(|refusal| !refusal.is_null()) {
        losses.dropped(Place::Answer("logprobs"), "those of a refusal");
    }
    logprobs.get("content").cloned().unwrap_or_else(|| json!([]))
}

/// Ollama's own metrics, or counts that say the same.
pub(super) fn usage(report: &UsageReport, losses: &mut Losses) -> Map<String, Value> {
    if let Value::Object(raw) = &report.raw
        && raw.keys().all(|name| METRICS.contains(&name.as_str()))
    {
        return raw.clone();
    }
    let usage = &report.usage;
    let plain =
        Usage { input: usage.tokens_in(), output: usage.tokens_out(), source: usage.source, ..Usage::default() };
    if plain != *usage {
        losses.approximated(Place::Answer("usage"), "counted as input and output: the target has no other classes");
    }
    Map::from_iter([
        ("prompt_eval_count".to_owned(), plain.input.into()),
        ("eval_count".to_owned(), plain.output.into()),
    ])
}

/// The one message of an answer.
pub(super) struct Say<'l> {
    losses: &'l mut Losses,
    thinking: String,
    seal: Option<String>,
    thoughts: u32,
    content: String,
    texts: u32,
    calls: Vec<Value>,
}

// === impl Say ===

impl<'l> Say<'l> {
    pub(super) fn new(losses: &'l mut Losses) -> Self {
        Self {
            losses,
            thinking: String::new(),
            seal: None,
            thoughts: 0,
            content: String::new(),
            texts: 0,
            calls: Vec::new(),
        }
    }

    pub(super) fn block(&mut self, block: &Block) {
        let place = Place::Answer("content");
        match &block.content {
            Content::Text { text, citations } => {
                if !citations.is_empty() {
                    self.losses.dropped(Place::Answer("citations"), NO_PLACE);
                }
                self.text(text);
            }
            Content::Refusal { text } => {
                self.losses.approximated(Place::Answer("refusal"), "a refusal, as text");
                self.text(text);
            }
            Content::Reasoning { text, .. } => {
                self.in_order(self.texts == 0 && self.calls.is_empty() && self.thoughts == 0);
                self.thoughts += 1;
                self.thinking.push_str(text);
            }
            Content::ToolUse { id, name, arguments: text, kind } => {
                let function = json!({"name": name, "arguments": arguments(text, *kind, &place, self.losses)});
                let mut call = Map::from_iter([("function".to_owned(), function)]);
                if !id.starts_with(MADE_ID) {
                    call.insert("id".into(), id.as_str().into());
                }
                let seal = packed(block.seal.as_ref(), self.losses);
                call.extend(seal.map(|seal| (CALL_SEAL.to_owned(), seal.into())));
                self.calls.push(Value::Object(call));
            }
            _ => self.losses.dropped(place, NOT_ITS_OWN),
        }
        let seal = match block.content {
            Content::Reasoning { .. } => packed(block.seal.as_ref(), self.losses),
            Content::ToolUse { .. } => None,
            _ if block.seal.is_some() => {
                self.losses.dropped(Place::Answer("content"), "a signature of a text");
                None
            }
            _ => None,
        };
        if seal.is_some() && self.seal.is_some() {
            self.losses.dropped(Place::Answer("content"), "a signature: a message has one");
        } else if seal.is_some() {
            self.seal = seal;
        }
    }

    fn text(&mut self, text: &str) {
        self.in_order(self.calls.is_empty() && self.texts == 0);
        if self.texts > 0 {
            self.content.push_str(BETWEEN);
        }
        self.texts += 1;
        self.content.push_str(text);
    }

    fn in_order(&mut self, fits: bool) {
        if !fits {
            self.losses
                .approximated(Place::Answer("content"), "a message has one thought, one text and then its calls");
        }
    }

    pub(super) fn message(self) -> Map<String, Value> {
        let mut message = Map::from_iter([("role".to_owned(), Value::from("assistant"))]);
        message.insert("content".into(), self.content.into());
        if !self.thinking.is_empty() {
            message.insert("thinking".into(), self.thinking.into());
        }
        message.extend(self.seal.map(|seal| (THOUGHT_SEAL.to_owned(), seal.into())));
        if !self.calls.is_empty() {
            message.insert("tool_calls".into(), self.calls.into());
        }
        message
    }
}

/// As Ollama joins texts.
pub(super) const BETWEEN: &str = "\n\n";

/// For a caller who brings it back. Ollama's own there are none.
pub(super) fn packed(seal: Option<&Seal>, losses: &mut Losses) -> Option<String> {
    let seal = seal?;
    if seal.origin == HOME {
        losses.dropped(Place::Answer("content"), "signature: the dialect has none of its own");
        return None;
    }
    Some(seal.pack(HOME))
}
