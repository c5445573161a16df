//! Writes an answer for a caller.
//!
//! Enters: the form. Leaves: the body. Never: leaves anything out without an entry in the ledger, except what [`super::NOISE`] names.

use serde_json::{Map, Value, json};

use super::write_message::rank;
use super::{HOME, data_url_of, finish, thought, tool, usage};
use crate::chat::{Answer, Block, Choice, Citation, Content, Extra, Losses, Place, Source};
use crate::dialect::chat::Telling;
use crate::dialect::{Dialect, carry};

pub(super) fn answer(answer: &Answer, telling: &Telling, losses: &mut Losses) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("id".into(), or(&answer.id, &telling.id).into());
    body.insert("object".into(), "chat.completion".into());
    body.insert("created".into(), answer.created.unwrap_or(telling.created).into());
    body.insert("model".into(), or(&telling.model, &answer.model).into());
    let choices = answer.choices.iter().enumerate();
    let choices = choices.map(|(index, said)| choice(index, said, answer.origin, losses)).collect();
    body.insert("choices".into(), Value::Array(choices));
    if let Some(report) = &answer.usage {
        body.insert("usage".into(), usage::write(report, answer.origin, losses));
    }
    if let Some(tier) = &answer.service_tier {
        body.insert("service_tier".into(), tier.as_str().into());
    }
    carry::answer(HOME, answer.origin, &answer.extra, &mut body, losses);
    Value::Object(body).to_string().into_bytes()
}

pub(super) fn or<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

fn choice(index: usize, choice: &Choice, origin: Dialect, losses: &mut Losses) -> Value {
    let mut message = message(&choice.blocks, origin, losses);
    let mut more = choice.extra.clone();
    if origin == HOME
        && let Some(Value::Object(inner)) = more.remove("message")
    {
        carry::answer(HOME, origin, &inner, &mut message, losses);
    }
    let mut told = Map::from_iter([("index".to_owned(), Value::from(index)), ("message".to_owned(), message.into())]);
    told.insert("logprobs".into(), choice.logprobs.clone().unwrap_or_default());
    match &choice.finish {
        Some(end) => finish::write(end, origin, finish::is_refused(choice), &mut told, losses),
        None => drop(told.insert("finish_reason".into(), Value::Null)),
    }
    carry::answer(HOME, origin, &more, &mut told, losses);
    Value::Object(told)
}

fn message(blocks: &[Block], origin: Dialect, losses: &mut Losses) -> Map<String, Value> {
    let mut message = Map::from_iter([("role".to_owned(), Value::from("assistant"))]);
    let (mut text, mut refusal) = (None::<String>, None::<String>);
    let (mut annotations, mut images, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    note_order(blocks, losses);
    for block in blocks {
        match &block.content {
            Content::Text { text: more, citations } => {
                join(&mut text, more, losses);
                annotations.extend(citations.iter().map(|found| annotation(found, losses)));
            }
            Content::Refusal { text: more } => join(&mut refusal, more, losses),
            Content::Reasoning { .. } => {}
            Content::Image { source, .. } => images.extend(image(source, losses)),
            Content::Audio { source } => match audio(source, &block.extra) {
                Some(audio) => drop(message.insert("audio".into(), audio)),
                None => not_told(losses),
            },
            Content::ToolUse { .. } => calls.push(call(block, origin, losses)),
            Content::File { .. } | Content::ToolResult { .. } | Content::Opaque { .. } => not_told(losses),
        }
    }
    message.insert("content".into(), text.into());
    message.insert("refusal".into(), refusal.into());
    thoughts(blocks, &mut message);
    for (name, list) in [("annotations", annotations), ("images", images), ("tool_calls", calls)] {
        if !list.is_empty() {
            message.insert(name.into(), Value::Array(list));
        }
    }
    message
}

pub(super) fn not_told(losses: &mut Losses) {
    losses.dropped(Place::Answer("content"), "an answer of this dialect has no such block");
}

fn join(held: &mut Option<String>, more: &str, losses: &mut Losses) {
    match held {
        None => *held = Some(more.to_owned()),
        Some(text) => {
            note_joined(losses);
            text.push_str(more);
        }
    }
}

pub(super) fn note_joined(losses: &mut Losses) {
    losses.approximated(Place::Answer("content"), "several texts became one");
}

fn note_order(blocks: &[Block], losses: &mut Losses) {
    if blocks.windows(2).any(|pair| rank(&pair[0].content) > rank(&pair[1].content)) {
        losses.approximated(Place::Answer("content"), "the order of text, thoughts and calls is not told");
    }
}

/// Every thought of one answer: as plain text alone when that says it all.
fn thoughts(blocks: &[Block], message: &mut Map<String, Value>) {
    let mut entries = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    let mut plain = true;
    for block in blocks {
        let seal = block.seal.as_ref();
        match &block.content {
            Content::Reasoning { text, summary } => {
                plain &= seal.is_none() && !summary;
                entries.push(thought::entry(text, *summary, seal, entries.len()));
                told.extend((!text.is_empty()).then_some(text.as_str()));
            }
            Content::ToolUse { .. } => {}
            _ => {
                if let Some(seal) = seal {
                    plain = false;
                    entries.push((thought::before_next(seal, entries.len()), false));
                }
            }
        }
    }
    plain &= entries.len() <= 1;
    thought::put(&told.join("\n"), (!plain).then_some(entries), message);
}

pub(super) fn annotation(citation: &Citation, losses: &mut Losses) -> Value {
    if citation.origin == HOME && !citation.raw.is_null() {
        return citation.raw.clone();
    }
    let Citation { url, title, text, start, end, .. } = citation;
    if url.is_none() {
        losses.approximated(Place::Answer("annotations"), "a citation of no web page");
    }
    let mut page = json!({
        "url": url.as_deref().unwrap_or_default(),
        "title": title.as_deref().unwrap_or_default(),
        "start_index": start.unwrap_or(0),
        "end_index": end.unwrap_or(0),
    });
    if let Some(text) = text {
        page["content"] = text.as_str().into();
    }
    json!({"type": "url_citation", "url_citation": page})
}

/// OpenRouter's place for them.
pub(super) fn image(source: &Source, losses: &mut Losses) -> Option<Value> {
    let url = data_url_of(source);
    if url.is_none() {
        not_told(losses);
    }
    Some(json!({"type": "image_url", "image_url": {"url": url?}}))
}

pub(super) fn audio(source: &Source, extra: &Extra) -> Option<Value> {
    let mut audio = Map::new();
    match source {
        Source::Data { base64, .. } => {
            audio.insert("data".into(), base64.as_str().into());
            audio.insert("transcript".into(), "".into());
            audio.insert("expires_at".into(), 0.into());
            audio.insert("id".into(), "".into());
        }
        Source::Id { id, .. } => drop(audio.insert("id".into(), id.as_str().into())),
        _ => return None,
    }
    audio.extend(extra.iter().map(|(name, value)| (name.clone(), value.clone())));
    Some(Value::Object(audio))
}

fn call(block: &Block, origin: Dialect, losses: &mut Losses) -> Value {
    let Content::ToolUse { id, name, arguments, kind } = &block.content else { return Value::Null };
    let mut call = tool::write_call(id, name, arguments, *kind);
    if let Some(seal) = &block.seal {
        call.insert("extra_content".into(), tool::write_seal(seal));
    }
    carry::answer(HOME, origin, &block.extra, &mut call, losses);
    Value::Object(call)
}
