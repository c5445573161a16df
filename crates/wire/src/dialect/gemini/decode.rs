//! Reads an answer: each chunk of a stream is a partial answer, and a whole one is a chunk that says it all.
//!
//! Enters: chunks. Leaves: events. Never: a success when no reason to stop was given.
//!
//! Texts of one kind go on from chunk to chunk; two of them within one chunk are two. A part that is signed is a block of its own: Google forbids
//! to join it with others (<https://ai.google.dev/gemini-api/docs/thought-signatures>). The reason to stop counts at the end of the bytes, since models
//! before 2.0 gave it in every chunk.

use serde_json::Value;

use super::grounding::{self, Cited};
use super::parts;
use super::{fault, logprobs, names, read};
use crate::chat::{BadField, Block, Content, Delta, Event, Extra, Fault, Finish, FinishKind, UsageReport};
use crate::dialect::Dialect;
use crate::dialect::calls::Calls;
use crate::dialect::chat::Decode;
use crate::dialect::fault::{broken_off, in_stream};
use crate::dialect::object::{Object, Path};
use crate::frame::Frame;
use crate::watch::Tally;

const CHOICES_MAX: u64 = 128;

/// As much of an answer's text is kept as its citations may point into.
const CITED_BYTES_MAX: usize = 1 << 20;

/// Ids of calls are made from it: no longer than others allow.
const ANSWER_ID_BYTES_MAX: usize = 28;

pub(super) struct Decoder {
    chunks: Chunks,
    tally: Tally,
}

/// What the chunks so far have said.
pub(super) struct Chunks {
    started: bool,
    pub(super) over: bool,
    calls: Calls,
    choices: Vec<Choice>,
    blocked: Option<String>,
    /// The last `usageMetadata`.
    pub(super) usage: Value,
    /// Citations are kept for [`Chunks::cited`], since the answer is whole.
    whole: bool,
    /// By choice.
    pub(super) cited: Vec<(usize, Cited)>,
}

#[derive(Default)]
pub(super) struct Choice {
    blocks: u32,
    open: Option<Open>,
    called: bool,
    finish: Option<String>,
    extra: Extra,
    /// The block that each part became.
    pub(super) parts: Vec<u32>,
}

/// A text that later chunks may go on with.
struct Open {
    block: u32,
    thought: bool,
    text: String,
}

// === impl Decoder ===

impl Decoder {
    pub(super) fn new() -> Self {
        Self { chunks: Chunks::new(false), tally: Tally::new(Dialect::Gemini) }
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) {
        if self.chunks.over {
            return;
        }
        self.tally.frame(frame);
        let read = match frame {
            Frame::Whole { data, .. } if data.trim_ascii().is_empty() => Ok(()),
            Frame::Whole { data, .. } => chunk_of(data).and_then(|value| self.chunks.push(value, out)),
            Frame::Fault { data, .. } => return self.chunks.fail(fault::read(500, data), out),
            Frame::Tail { .. } | Frame::Broken => Err(Path::Root.bad("a chunk", "a frame that cannot be read")),
        };
        if let Err(bad) = read {
            let message = format!("the provider's stream is not in its dialect: {bad}");
            self.chunks.fail(in_stream(&message), out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.chunks.over {
            return;
        }
        if !self.chunks.is_complete() {
            return self.chunks.fail(broken_off(), out);
        }
        let usage = self.tally.usage();
        let raw = std::mem::take(&mut self.chunks.usage);
        out.extend(usage.map(|usage| Event::Usage(UsageReport { usage, raw })));
        self.chunks.finish(out);
    }
}

fn chunk_of(data: &[u8]) -> Result<Value, BadField> {
    serde_json::from_slice(data).map_err(|fault| Path::Root.bad("JSON", fault.to_string()))
}

// === impl Chunks ===

impl Chunks {
    /// `whole`: this is one answer and not a stream.
    pub(super) fn new(whole: bool) -> Self {
        Self {
            started: false,
            over: false,
            calls: parts::calls(),
            choices: Vec::new(),
            blocked: None,
            usage: Value::Null,
            whole,
            cited: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, value: Value, out: &mut Vec<Event>) -> Result<(), BadField> {
        let mut chunk = names::open(value, Path::Root)?;
        if let Some(Value::Object(error)) = chunk.take("error") {
            self.fail(fault::of(&error, None), out);
            return Ok(());
        }
        if let Some(usage @ Value::Object(_)) = chunk.take("usageMetadata") {
            self.usage = usage;
        }
        let candidates = chunk.array("candidates")?;
        self.start(chunk, candidates.is_some(), out)?;
        let path = Path::Member(&Path::Root, "candidates");
        for (at, value) in candidates.unwrap_or_default().into_iter().enumerate() {
            self.candidate(value, Path::Item(&path, at), at, out)?;
        }
        Ok(())
    }

    /// The first chunk says what all of them say.
    fn start(&mut self, mut chunk: Object<'_>, answers: bool, out: &mut Vec<Event>) -> Result<(), BadField> {
        let id = chunk.string("responseId")?.unwrap_or_default();
        let model = chunk.string("modelVersion")?.unwrap_or_default();
        let mut extra = chunk.rest();
        extra.retain(|name, _| !names::BOOKKEEPING.contains(&name.as_str()));
        if let Some(reason) = extra.get("promptFeedback").and_then(|said| said.get("blockReason")?.as_str()) {
            self.blocked = Some(reason.to_owned());
        }
        if self.started {
            return Ok(());
        }
        if !answers && self.blocked.is_none() && self.usage.is_null() {
            return Err(Path::Member(&Path::Root, "candidates").missing("an array"));
        }
        self.started = true;
        let fits = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        self.calls.answer_id = id.chars().filter(fits).take(ANSWER_ID_BYTES_MAX).collect();
        let service_tier = self.usage.get("serviceTier").and_then(Value::as_str).map(str::to_owned);
        out.push(Event::Start { origin: Dialect::Gemini, id, model, created: None, service_tier, extra });
        Ok(())
    }

    fn candidate(&mut self, value: Value, path: Path<'_>, at: usize, out: &mut Vec<Event>) -> Result<(), BadField> {
        let mut candidate = names::open(value, path)?;
        let index = candidate.count("index")?.unwrap_or(at as u64);
        if index >= CHOICES_MAX {
            return Err(Path::Member(&path, "index").bad("a number below 128", index.to_string()));
        }
        let (index, choice) = (index as usize, index as u32);
        if self.choices.len() <= index {
            self.choices.resize_with(index + 1, Choice::default);
        }
        let content = candidate.take("content");
        let finish = candidate.string("finishReason")?.filter(|word| word != "FINISH_REASON_UNSPECIFIED");
        let logprobs = candidate.take("logprobsResult").as_ref().and_then(logprobs::read);
        let mut rest = candidate.rest();
        rest.retain(|name, value| !names::BOOKKEEPING.contains(&name.as_str()) && *value != serde_json::json!({}));
        let mut cited = grounding::read(&rest);
        self.content(content, Path::Member(&path, "content"), index, &mut cited, out)?;
        self.cite(index, &mut cited, out);
        out.extend(logprobs.map(|logprobs| Event::Logprobs { choice, logprobs }));
        let held = &mut self.choices[index];
        held.extra.extend(rest);
        held.finish = finish.or(held.finish.take());
        Ok(())
    }

    fn content(
        &mut self,
        content: Option<Value>,
        path: Path<'_>,
        index: usize,
        cited: &mut Vec<Cited>,
        out: &mut Vec<Event>,
    ) -> Result<(), BadField> {
        let Some(content) = content else { return Ok(()) };
        let mut content = names::open(content, path)?;
        let parts_path = Path::Member(&path, "parts");
        // Which kind of text this chunk has had already.
        let mut had = None;
        for (at, part) in names::list(&mut content, "parts")?.unwrap_or_default().into_iter().enumerate() {
            let block = parts::read(part, Path::Item(&parts_path, at), &mut self.calls)?;
            // The last part of a text may be nothing but its signature: what is cited is the text before.
            if matches!(&block.content, Content::Text { text, .. } if text.is_empty()) {
                self.cite(index, cited, out);
            }
            let choice = &mut self.choices[index];
            choice.part(index as u32, block, &mut had, out);
            choice.parts.push(choice.blocks.saturating_sub(1));
        }
        Ok(())
    }

    /// Citations belong to the text that is being written; of a whole answer they say themselves to which.
    fn cite(&mut self, index: usize, cited: &mut Vec<Cited>, out: &mut Vec<Event>) {
        if self.whole {
            self.cited.extend(cited.drain(..).map(|cited| (index, cited)));
        } else if let Some(Open { block, thought: false, text }) = &self.choices[index].open {
            let (choice, block) = (index as u32, *block);
            out.extend(cited.drain(..).map(|cited| Event::Delta {
                choice,
                block,
                delta: Delta::Citation(cited.within(text)),
            }));
        }
    }

    pub(super) fn choice(&self, index: usize) -> Option<&Choice> {
        self.choices.get(index)
    }

    /// There is an answer in it, or the reason why there is none.
    pub(super) fn answers(&self) -> bool {
        self.blocked.is_some() || !self.choices.is_empty()
    }

    fn is_complete(&self) -> bool {
        self.started
            && self.answers()
            && self.choices.iter().all(|choice| choice.finish.is_some() || self.blocked.is_some())
    }

    fn fail(&mut self, fault: Fault, out: &mut Vec<Event>) {
        self.over = true;
        out.push(Event::Fault(fault));
    }

    pub(super) fn finish(&mut self, out: &mut Vec<Event>) {
        self.over = true;
        if self.choices.is_empty() && self.blocked.is_some() {
            self.choices.push(Choice::default());
        }
        for (index, choice) in self.choices.iter_mut().enumerate() {
            choice.finish(index as u32, self.blocked.as_deref(), out);
        }
        out.push(Event::Done);
    }
}

// === impl Choice ===

impl Choice {
    fn part(&mut self, choice: u32, block: Block, had: &mut Option<bool>, out: &mut Vec<Event>) {
        let (thought, text) = match &block.content {
            Content::Text { text, .. } => (false, text),
            Content::Reasoning { text, .. } => (true, text),
            _ => {
                self.called |= matches!(block.content, Content::ToolUse { .. });
                return self.entire(choice, block, out);
            }
        };
        let goes_on = self.open.as_ref().is_some_and(|open| open.thought == thought) && *had != Some(thought);
        let empty = text.is_empty() && block.extra.is_empty();
        match (&block.seal, goes_on) {
            (None, _) if empty => *had = Some(thought),
            (None, true) => {
                *had = Some(thought);
                self.more(choice, block, out);
            }
            (None, false) => {
                *had = Some(thought);
                self.begin(choice, thought, out);
                self.more(choice, block, out);
            }
            (Some(seal), true) if thought && read::continues(text, &block) => {
                let delta = Delta::Seal(seal.clone());
                let open = self.open.as_ref().map_or(0, |open| open.block);
                out.push(Event::Delta { choice, block: open, delta });
                self.close(choice, out);
            }
            (Some(_), _) => self.entire(choice, block, out),
        }
    }

    fn begin(&mut self, choice: u32, thought: bool, out: &mut Vec<Event>) {
        self.close(choice, out);
        let head = match thought {
            true => Content::Reasoning { text: String::new(), summary: false },
            false => Content::Text { text: String::new(), citations: Vec::new() },
        };
        let block = self.blocks;
        self.blocks += 1;
        self.open = Some(Open { block, thought, text: String::new() });
        out.push(Event::Begin { choice, block, head: head.into() });
    }

    fn more(&mut self, choice: u32, block: Block, out: &mut Vec<Event>) {
        let Some(open) = &mut self.open else { return };
        let number = open.block;
        if let Content::Text { text, .. } | Content::Reasoning { text, .. } = block.content
            && !text.is_empty()
        {
            if !open.thought && open.text.len() + text.len() <= CITED_BYTES_MAX {
                open.text.push_str(&text);
            }
            out.push(Event::Delta { choice, block: number, delta: Delta::Text(text) });
        }
        if !block.extra.is_empty() {
            out.push(Event::Delta { choice, block: number, delta: Delta::Extra(block.extra) });
        }
    }

    fn entire(&mut self, choice: u32, head: Block, out: &mut Vec<Event>) {
        self.close(choice, out);
        let block = self.blocks;
        self.blocks += 1;
        out.push(Event::Begin { choice, block, head });
        out.push(Event::End { choice, block });
    }

    fn close(&mut self, choice: u32, out: &mut Vec<Event>) {
        out.extend(self.open.take().map(|Open { block, .. }| Event::End { choice, block }));
    }

    fn finish(&mut self, choice: u32, blocked: Option<&str>, out: &mut Vec<Event>) {
        self.close(choice, out);
        let extra = std::mem::take(&mut self.extra);
        if !extra.is_empty() {
            out.push(Event::Extra { choice: Some(choice), extra });
        }
        let finish = match (self.finish.take(), blocked) {
            (Some(raw), _) => match names::finish_kind(&raw) {
                FinishKind::Stop if self.called => Finish::new(FinishKind::ToolUse, raw),
                kind => Finish::new(kind, raw),
            },
            (None, Some(reason)) => Finish::new(FinishKind::Filter, reason),
            (None, None) => return,
        };
        out.push(Event::Finish { choice, finish });
    }
}
