//! Whole answers of `generateContent`, read and written.
//!
//! Enters: a body, or the form's answer. Leaves: the other of the two. Never: a second way of reading: a whole answer is a stream of one chunk,
//! and without `alt=sse` a stream is an array of them.

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::decode::Chunks;
use super::grounding::{self, Cited};
use super::names::finish_word;
use super::say::{Say, Seals};
use super::{logprobs, usage};
use crate::chat::{Answer, BadField, Choice, Content, Event, Finish, FinishKind, Fold, Losses, Place, UsageReport};
use crate::dialect::Dialect;
use crate::dialect::carry;
use crate::dialect::chat::Telling;
use crate::dialect::object::Path;
use crate::watch::read_whole;

pub(super) fn read(body: &[u8]) -> Result<Answer, BadField> {
    let value = serde_json::from_slice(body).map_err(|fault| Path::Root.bad("JSON", fault.to_string()))?;
    let list = match value {
        Value::Array(items) if !items.is_empty() => items,
        one => vec![one],
    };
    let mut chunks = Chunks::new(true);
    let mut events = Vec::new();
    for chunk in list {
        chunks.push(chunk, &mut events)?;
    }
    if let Some(Event::Fault(fault)) = events.last() {
        return Err(Path::Member(&Path::Root, "error").bad("an answer", fault.message.clone()));
    }
    if !chunks.answers() {
        return Err(Path::Member(&Path::Root, "candidates").missing("an answer, or promptFeedback with a blockReason"));
    }
    chunks.finish(&mut events);
    let mut fold = Fold::new(Dialect::Gemini);
    events.into_iter().for_each(|event| fold.push(event));
    let mut answer = fold.so_far().clone();
    for (choice, cited) in std::mem::take(&mut chunks.cited) {
        cite(&mut answer, &chunks, choice, cited);
    }
    let counted = read_whole(Dialect::Gemini, body, &HeaderMap::new()).usage;
    answer.usage = counted.map(|usage| UsageReport { usage, raw: chunks.usage });
    Ok(answer)
}

/// To the text of the part it names, unless what it quotes stands elsewhere: the number is not always told.
fn cite(answer: &mut Answer, chunks: &Chunks, choice: usize, cited: Cited) {
    let Some(blocks) = answer.choices.get_mut(choice).map(|choice| &mut choice.blocks) else { return };
    let named = chunks.choice(choice).and_then(|choice| choice.parts.get(cited.part)).map(|block| *block as usize);
    let text = |block: usize| match blocks.get(block).map(|block| &block.content) {
        Some(Content::Text { text, .. }) => Some(text),
        _ => None,
    };
    let named = named.filter(|block| text(*block).is_some());
    let fitting = (0..blocks.len()).find(|block| text(*block).is_some_and(|text| cited.fits(text)));
    let last = (0..blocks.len()).rev().find(|block| text(*block).is_some_and(|text| !text.is_empty()));
    let chosen = named.filter(|block| text(*block).is_some_and(|text| cited.fits(text))).or(fitting).or(named).or(last);
    if let Some(Content::Text { text, citations }) = chosen.map(|block| &mut blocks[block].content) {
        citations.push(cited.within(text));
    }
}

pub(super) fn write(answer: &Answer, telling: &Telling, losses: &mut Losses) -> Vec<u8> {
    let mut body = Map::new();
    let blocked = answer.extra.get("promptFeedback").is_some_and(|said| said.get("blockReason").is_some());
    if !blocked || answer.choices.iter().any(|choice| !choice.blocks.is_empty()) {
        // An answer without any is told as one that is empty: without a candidate it would be none.
        let none = [Choice::default()];
        let choices = if answer.choices.is_empty() { &none[..] } else { &answer.choices };
        let choices = choices.iter().enumerate();
        let candidates: Vec<Value> = choices.map(|(index, choice)| candidate(answer, index, choice, losses)).collect();
        body.insert("candidates".into(), candidates.into());
    }
    let tier = answer.service_tier.as_deref();
    match &answer.usage {
        Some(report) => drop(body.insert("usageMetadata".into(), usage::write(report, tier, losses))),
        None => body.extend(tier.map(|tier| ("usageMetadata".to_owned(), json!({"serviceTier": tier})))),
    }
    carry::answer(Dialect::Gemini, answer.origin, &answer.extra, &mut body, losses);
    body.extend(identity(&answer.model, &answer.id, telling));
    Value::Object(body).to_string().into_bytes()
}

/// What every chunk repeats.
pub(super) fn identity(model: &str, id: &str, telling: &Telling) -> Map<String, Value> {
    let model = if telling.model.is_empty() { model } else { &telling.model };
    let id = if id.is_empty() { &telling.id } else { id };
    Map::from_iter([("modelVersion".to_owned(), model.into()), ("responseId".to_owned(), id.into())])
}

fn candidate(answer: &Answer, index: usize, choice: &Choice, losses: &mut Losses) -> Value {
    let mut candidate = Map::new();
    let mut say = Say::new(answer.origin, Seals::Packed, losses);
    let mut parts = Vec::new();
    let mut texts = Vec::new();
    for block in &choice.blocks {
        say.block(block, &Place::Answer("content"));
        if let Content::Text { text, citations } = &block.content {
            texts.push((parts.len(), text.as_str(), citations.as_slice()));
        }
        parts.append(&mut say.take());
    }
    let grounding = grounding::write(texts.into_iter());
    candidate.insert("content".into(), json!({"parts": parts, "role": "model"}));
    candidate.insert("index".into(), index.into());
    let called = choice.blocks.iter().any(|block| matches!(block.content, Content::ToolUse { .. }));
    finish(choice.finish.as_ref(), called, &mut candidate, losses);
    if let Some(said) = &choice.logprobs {
        candidate.insert("logprobsResult".into(), logprobs_result(said, losses));
    }
    candidate.extend(grounding.map(|grounding| ("groundingMetadata".to_owned(), grounding)));
    carry::answer(Dialect::Gemini, answer.origin, &choice.extra, &mut candidate, losses);
    Value::Object(candidate)
}

/// `called`: there is a call, so that STOP means that.
pub(super) fn finish(finish: Option<&Finish>, called: bool, candidate: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(finish) = finish else { return };
    let (word, exact) = finish_word(finish.kind, &finish.raw);
    let mistaken = word == "STOP" && called != (finish.kind == FinishKind::ToolUse);
    if !exact || mistaken || finish.stop_sequence.is_some() {
        losses.approximated(Place::Answer("finish_reason"), format!("told as {word}"));
    }
    candidate.insert("finishReason".into(), word.into());
}

pub(super) fn logprobs_result(said: &Value, losses: &mut Losses) -> Value {
    let (result, complete) = logprobs::write(said);
    if !complete {
        losses.approximated(Place::Answer("logprobs"), "bytes of tokens, and those of a refusal, have no place");
    }
    result
}
