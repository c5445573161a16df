//! Tells a caller a stream.
//!
//! Enters: events. Leaves: server-sent events, the role first and `[DONE]` last. Never: `[DONE]` after a fault.
//!
//! A thought is told twice: as `reasoning_content` for those who show it and as an entry of `reasoning_details` for those who keep it, because whether
//! it will be sealed is not known before its end.

mod frame;

use bytes::BytesMut;
use serde_json::{Map, Value, json};

use super::{HOME, choices::CHOICES_MAX, finish, thought, tool, usage, write_answer};
use crate::chat::{Block, Content, Delta, Event, Extra, Finish, Losses, Place, Seal, Source, UsageReport};
use crate::dialect::chat::{Encode, Telling};
use crate::dialect::{Dialect, carry, openai::fault};
use frame::write;

pub(super) struct Encoder {
    telling: Telling,
    origin: Dialect,
    /// What every frame begins with, up to its choices.
    envelope: Vec<u8>,
    choices: Vec<Choice>,
    usage: Option<UsageReport>,
    /// Top-level members that the next frame takes along.
    extra: Extra,
}

#[derive(Debug, Default)]
struct Choice {
    begun: bool,
    blocks: Vec<Open>,
    /// Entries of `reasoning_details`, and calls, so far.
    thoughts: usize,
    calls: usize,
    texts: usize,
    refused: bool,
    rank: u8,
}

/// What the later parts of a block need to know of it.
#[derive(Debug)]
enum Open {
    Text,
    Refusal,
    Thought {
        entry: usize,
        summary: bool,
    },
    Call {
        index: usize,
        custom: bool,
    },
    Audio,
    /// Told whole at its end.
    Image(Source),
    Untold,
}

// === impl Encoder ===

impl Encode for Encoder {
    fn event(&mut self, event: Event, out: &mut BytesMut, losses: &mut Losses) {
        match event {
            Event::Start { origin, id, model, created, service_tier, extra } => {
                self.origin = origin;
                self.envelope = self.envelope_of(&id, &model, created, service_tier.as_deref());
                self.keep(extra, losses);
                self.choice(0, out);
            }
            Event::Begin { choice, block, head } => self.begin(choice, block, head, out, losses),
            Event::Delta { choice, block, delta } => self.delta(choice, block, delta, out, losses),
            Event::End { choice, block } => self.end(choice, block, out, losses),
            Event::Logprobs { choice, logprobs } => {
                self.choice(choice, out);
                self.frame(choice, Map::new(), Map::from_iter([("logprobs".to_owned(), logprobs)]), out);
            }
            Event::Extra { choice: Some(choice), extra } => self.choice_extra(choice, extra, out, losses),
            Event::Finish { choice, finish } => self.finish(choice, &finish, out, losses),
            Event::Usage(report) => self.usage = Some(report),
            Event::Extra { choice: None, extra } => self.keep(extra, losses),
            Event::Done => self.done(out, losses),
            Event::Fault(fault) => {
                out.extend_from_slice(b"data: ");
                write(&fault::write(&fault), out);
                out.extend_from_slice(b"\n\n");
            }
        }
    }
}

impl Encoder {
    pub(super) fn new(telling: Telling) -> Self {
        let mut encoder =
            Self { telling, origin: HOME, envelope: Vec::new(), choices: Vec::new(), usage: None, extra: Extra::new() };
        encoder.envelope = encoder.envelope_of("", "", None, None);
        encoder
    }

    /// The choice, after its role was told.
    fn choice(&mut self, index: u32, out: &mut BytesMut) -> Option<&mut Choice> {
        let at = index as usize;
        if at >= CHOICES_MAX {
            return None;
        }
        if self.choices.len() <= at {
            self.choices.resize_with(at + 1, Choice::default);
        }
        if !std::mem::replace(&mut self.choices[at].begun, true) {
            let role = json!({"role": "assistant", "content": ""});
            self.frame(index, role.as_object().cloned().unwrap_or_default(), Map::new(), out);
        }
        self.choices.get_mut(at)
    }

    fn open(&mut self, choice: u32, block: u32) -> Option<&mut Open> {
        self.choices.get_mut(choice as usize)?.blocks.get_mut(block as usize)
    }

    fn begin(&mut self, at: u32, number: u32, head: Block, out: &mut BytesMut, losses: &mut Losses) {
        let Some(choice) = self.choice(at, out).filter(|choice| choice.blocks.len() == number as usize) else { return };
        let rank = super::write_message::rank(&head.content);
        if rank < choice.rank {
            losses.approximated(Place::Answer("content"), "the order of text, thoughts and calls is not told");
        }
        choice.rank = choice.rank.max(rank);
        let Block { content, seal, extra, .. } = head;
        match content {
            Content::Reasoning { text, summary } => self.begin_thought(at, text, summary, seal, out),
            Content::ToolUse { id, name, arguments, kind } => {
                let mut call = tool::write_call(&id, &name, &arguments, kind);
                call.extend(seal.map(|seal| ("extra_content".into(), tool::write_seal(&seal))));
                carry::answer(HOME, self.origin, &extra, &mut call, losses);
                self.begin_call(at, call, out);
            }
            content => {
                if let Some(seal) = seal {
                    self.seal_next(at, &seal, out);
                }
                self.begin_words(at, content, &extra, out, losses);
            }
        }
    }

    fn begin_thought(&mut self, at: u32, text: String, summary: bool, seal: Option<Seal>, out: &mut BytesMut) {
        let Some(choice) = self.choices.get_mut(at as usize) else { return };
        let entry = choice.thoughts;
        choice.thoughts += 1;
        choice.blocks.push(Open::Thought { entry, summary });
        if !text.is_empty() {
            self.thought(at, text, summary, entry, out);
        }
        if let Some(seal) = seal {
            self.seal_thought(at, &seal, summary, entry, out);
        }
    }

    fn begin_call(&mut self, at: u32, mut call: Map<String, Value>, out: &mut BytesMut) {
        let Some(choice) = self.choices.get_mut(at as usize) else { return };
        let index = choice.calls;
        choice.calls += 1;
        choice.blocks.push(Open::Call { index, custom: call.contains_key("custom") });
        call.insert("index".into(), index.into());
        self.delta_of(at, "tool_calls", json!([call]), out);
    }

    fn begin_words(&mut self, at: u32, content: Content, extra: &Extra, out: &mut BytesMut, losses: &mut Losses) {
        let Some(choice) = self.choices.get_mut(at as usize) else { return };
        match content {
            Content::Text { text, citations } => {
                choice.blocks.push(Open::Text);
                choice.texts += 1;
                if choice.texts > 1 {
                    write_answer::note_joined(losses);
                }
                self.text(at, "content", &text, out);
                for citation in citations {
                    let annotation = write_answer::annotation(&citation, losses);
                    self.delta_of(at, "annotations", json!([annotation]), out);
                }
            }
            Content::Refusal { text } => {
                choice.blocks.push(Open::Refusal);
                if std::mem::replace(&mut choice.refused, true) {
                    write_answer::note_joined(losses);
                }
                self.text(at, "refusal", &text, out);
            }
            Content::Audio { source } => {
                choice.blocks.push(Open::Audio);
                match write_answer::audio(&source, extra) {
                    Some(audio) => self.delta_of(at, "audio", audio, out),
                    None => write_answer::not_told(losses),
                }
            }
            Content::Image { source, .. } => choice.blocks.push(Open::Image(source)),
            _ => {
                choice.blocks.push(Open::Untold);
                write_answer::not_told(losses);
            }
        }
    }

    fn delta(&mut self, at: u32, block: u32, delta: Delta, out: &mut BytesMut, losses: &mut Losses) {
        let Some(open) = self.open(at, block) else { return };
        match (open, delta) {
            (Open::Text, Delta::Text(text)) => self.text(at, "content", &text, out),
            (Open::Refusal, Delta::Text(text)) => self.text(at, "refusal", &text, out),
            (Open::Thought { entry, summary }, Delta::Text(text)) => {
                let (entry, summary) = (*entry, *summary);
                self.thought(at, text, summary, entry, out);
            }
            (Open::Thought { entry, summary }, Delta::Seal(seal)) => {
                let (entry, summary) = (*entry, *summary);
                self.seal_thought(at, &seal, summary, entry, out);
            }
            (Open::Call { index, custom }, Delta::Arguments(text)) => {
                let (kind, member) = if *custom { ("custom", "input") } else { ("function", "arguments") };
                let index = *index;
                self.delta_of(at, "tool_calls", json!([{"index": index, kind: {member: text}}]), out);
            }
            (Open::Call { index, .. }, Delta::Seal(seal)) => {
                let call = json!([{"index": *index, "extra_content": tool::write_seal(&seal)}]);
                self.delta_of(at, "tool_calls", call, out);
            }
            (Open::Call { index, .. }, Delta::Extra(extra)) => {
                let mut call = Map::from_iter([("index".to_owned(), Value::from(*index))]);
                carry::answer(HOME, self.origin, &extra, &mut call, losses);
                self.delta_of(at, "tool_calls", json!([call]), out);
            }
            (Open::Text, Delta::Citation(citation)) => {
                let annotation = write_answer::annotation(&citation, losses);
                self.delta_of(at, "annotations", json!([annotation]), out);
            }
            (Open::Audio, Delta::Data(data)) => self.delta_of(at, "audio", json!({"data": data}), out),
            (Open::Audio, Delta::Extra(extra)) => self.delta_of(at, "audio", Value::Object(extra), out),
            (Open::Image(Source::Data { base64, .. }), Delta::Data(data)) => base64.push_str(&data),
            (Open::Untold, _) => {}
            (_, Delta::Seal(seal)) => self.seal_next(at, &seal, out),
            (_, Delta::Extra(extra)) => carry::answer(HOME, self.origin, &extra, &mut Map::new(), losses),
            _ => write_answer::not_told(losses),
        }
    }

    fn end(&mut self, at: u32, block: u32, out: &mut BytesMut, losses: &mut Losses) {
        let Some(open) = self.open(at, block) else { return };
        if let Open::Image(source) = std::mem::replace(open, Open::Untold)
            && let Some(image) = write_answer::image(&source, losses)
        {
            self.delta_of(at, "images", json!([image]), out);
        }
    }

    fn thought(&mut self, at: u32, text: String, summary: bool, entry: usize, out: &mut BytesMut) {
        let (detail, _) = thought::entry(&text, summary, None, entry);
        let mut delta = Map::from_iter([("reasoning_content".to_owned(), Value::from(text))]);
        delta.insert("reasoning_details".into(), json!([detail]));
        self.frame(at, delta, Map::new(), out);
    }

    fn seal_thought(&mut self, at: u32, seal: &Seal, summary: bool, entry: usize, out: &mut BytesMut) {
        let (entry, anthropic) = thought::sealing(summary, seal, entry);
        self.delta_of(at, if anthropic { "thinking_blocks" } else { "reasoning_details" }, json!([entry]), out);
    }

    fn seal_next(&mut self, at: u32, seal: &Seal, out: &mut BytesMut) {
        let Some(choice) = self.choices.get_mut(at as usize) else { return };
        let entry = thought::before_next(seal, choice.thoughts);
        choice.thoughts += 1;
        self.delta_of(at, "reasoning_details", json!([entry]), out);
    }

    fn choice_extra(&mut self, at: u32, extra: Extra, out: &mut BytesMut, losses: &mut Losses) {
        let mut more = Map::new();
        carry::answer(HOME, self.origin, &extra, &mut more, losses);
        let delta = match more.remove("message") {
            Some(Value::Object(delta)) => delta,
            _ => Map::new(),
        };
        if !more.is_empty() || !delta.is_empty() {
            self.choice(at, out);
            self.frame(at, delta, more, out);
        }
    }

    fn finish(&mut self, at: u32, finish: &Finish, out: &mut BytesMut, losses: &mut Losses) {
        let origin = self.origin;
        let Some(choice) = self.choice(at, out) else { return };
        let mut more = Map::new();
        finish::write(finish, origin, choice.refused, &mut more, losses);
        self.frame(at, Map::new(), more, out);
    }

    /// Extras wait for the next frame that is told: they never need one of their own before the end.
    fn keep(&mut self, extra: Extra, losses: &mut Losses) {
        extra.keys().for_each(|name| drop(self.extra.remove(name)));
        carry::answer(HOME, self.origin, &extra, &mut self.extra, losses);
    }

    fn done(&mut self, out: &mut BytesMut, losses: &mut Losses) {
        if let Some(report) = self.usage.take().filter(|_| self.telling.stream_usage) {
            let usage = usage::write(&report, self.origin, losses);
            self.extra.insert("usage".into(), usage);
        }
        if !self.extra.is_empty() {
            out.extend_from_slice(&self.envelope);
            self.close(out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}
