//! Whole answers of Cohere's `v2/chat`.
//!
//! Enters: a body, or the form's answer. Leaves: the other of the two. Never: more than one choice, which Cohere does not know.

use http::HeaderMap;
use serde_json::{Map, Value, json};
use tollgate_model::Usage;

use super::read::{self, SEAL};
use crate::chat::{
    Answer, BadField, Block, Choice, Citation, Content, Extra, Finish, FinishKind, Losses, Place, Seal, UsageReport,
};
use crate::dialect::Dialect;
use crate::dialect::carry::{self, NOT_ITS_OWN};
use crate::dialect::chat::Telling;
use crate::dialect::object::{Object, Path, root};
use crate::watch::read_whole;

const HOME: Dialect = Dialect::CohereV2;

const FINISHES: [(&str, FinishKind); 6] = [
    ("COMPLETE", FinishKind::Stop),
    ("STOP_SEQUENCE", FinishKind::StopSequence),
    ("MAX_TOKENS", FinishKind::Length),
    ("TOOL_CALL", FinishKind::ToolUse),
    ("ERROR", FinishKind::Other),
    ("TIMEOUT", FinishKind::Other),
];

pub(super) fn read(body: &[u8]) -> Result<Answer, BadField> {
    let mut top = root(body)?;
    let mut answer = Answer::new(HOME);
    answer.id = top.string("id")?.unwrap_or_default();
    let path = Path::Member(&Path::Root, "message");
    let value = top.take("message").ok_or_else(|| path.missing("an object"))?;
    let mut message = Object::of(value, path)?;
    message.take("role");
    let mut choice = Choice { blocks: read::content(&mut message)?, ..Choice::default() };
    let citations = message.array("citations")?.unwrap_or_default();
    cite(&mut choice, citations);
    choice.blocks.extend(read::plan(&mut message)?);
    read::calls(&mut message, &mut choice.blocks)?;
    choice.extra.extend(message.rest());
    choice.finish = top.string("finish_reason")?.map(finish);
    choice.logprobs = top.take("logprobs").as_ref().map(read_logprobs);
    let raw = top.take("usage").unwrap_or_default();
    let counted = read_whole(HOME, body, &HeaderMap::new()).usage;
    answer.usage = counted.map(|usage| UsageReport { usage, raw });
    answer.extra = top.rest();
    answer.choices.push(choice);
    Ok(answer)
}

/// To the text they are of, or kept as they are.
fn cite(choice: &mut Choice, citations: Vec<Value>) {
    let mut homeless = Vec::new();
    for raw in citations {
        let index = raw.get("content_index").and_then(Value::as_u64).map_or(0, |at| at as usize);
        let named = choice.blocks.get(index).is_some_and(is_text).then_some(index);
        let found = named.or_else(|| choice.blocks.iter().position(is_text)).filter(|_| is_of_text(&raw));
        match found.and_then(|at| choice.blocks.get_mut(at)).map(|block| &mut block.content) {
            Some(Content::Text { citations, .. }) => citations.push(citation(raw)),
            _ => homeless.push(raw),
        }
    }
    if !homeless.is_empty() {
        choice.extra.insert("citations".into(), homeless.into());
    }
}

fn is_text(block: &Block) -> bool {
    matches!(block.content, Content::Text { .. })
}

/// Plans and thoughts are cited too: the form has no place for that.
pub(super) fn is_of_text(raw: &Value) -> bool {
    raw.get("type").and_then(Value::as_str).is_none_or(|kind| kind == "TEXT_CONTENT")
}

pub(super) fn citation(raw: Value) -> Citation {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let document = raw.pointer("/sources/0/document").or_else(|| raw.pointer("/sources/0/tool_output")).cloned();
    let document = document.unwrap_or_default();
    Citation {
        url: text(&document, "url"),
        title: text(&document, "title"),
        text: text(&raw, "text"),
        start: raw.get("start").and_then(Value::as_u64),
        end: raw.get("end").and_then(Value::as_u64),
        origin: HOME,
        raw,
    }
}

pub(super) fn write_citation(citation: &Citation, content_index: usize) -> Value {
    if citation.origin == HOME && citation.raw.is_object() {
        return citation.raw.clone();
    }
    let mut document = Map::new();
    document.extend(citation.title.as_ref().map(|title| ("title".to_owned(), title.as_str().into())));
    document.extend(citation.url.as_ref().map(|url| ("url".to_owned(), url.as_str().into())));
    let id = citation.url.as_deref().unwrap_or_default();
    let mut raw = Map::new();
    raw.extend(citation.start.map(|at| ("start".to_owned(), at.into())));
    raw.extend(citation.end.map(|at| ("end".to_owned(), at.into())));
    raw.extend(citation.text.as_ref().map(|text| ("text".to_owned(), text.as_str().into())));
    raw.insert("sources".into(), json!([{"type": "document", "id": id, "document": document}]));
    raw.insert("content_index".into(), content_index.into());
    raw.insert("type".into(), "TEXT_CONTENT".into());
    Value::Object(raw)
}

pub(super) fn finish(raw: String) -> Finish {
    let kind = FINISHES.iter().find(|(word, _)| *word == raw).map_or(FinishKind::Other, |(_, kind)| *kind);
    Finish::new(kind, raw)
}

pub(super) fn finish_word(finish: &Finish, losses: &mut Losses) -> String {
    let own = FINISHES.iter().find(|(word, kind)| *word == finish.raw && *kind == finish.kind);
    let same = own.or_else(|| FINISHES.iter().find(|(_, kind)| *kind == finish.kind && *kind != FinishKind::Other));
    let word = match same {
        Some((word, _)) => *word,
        None if finish.kind == FinishKind::ContextFull => "MAX_TOKENS",
        None => "COMPLETE",
    };
    if same.is_none() || finish.stop_sequence.is_some() {
        losses.approximated(Place::Answer("finish_reason"), format!("told as {word}"));
    }
    word.to_owned()
}

/// Cohere gives a text and the probabilities of the tokens it is made of: together they are that of the text.
pub(super) fn read_logprobs(items: &Value) -> Value {
    let items = match items {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let tokens = items.iter().map(|item| {
        let text = item.get("text").and_then(Value::as_str).unwrap_or_default();
        let each = item.get("logprobs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let logprob = match each {
            [one] => one.clone(),
            several => several.iter().filter_map(Value::as_f64).sum::<f64>().into(),
        };
        json!({"token": text, "logprob": logprob, "bytes": text.as_bytes(), "top_logprobs": []})
    });
    json!({"content": tokens.collect::<Vec<_>>()})
}

pub(super) fn write_logprobs(logprobs: &Value, losses: &mut Losses) -> Vec<Value> {
    let tokens = logprobs.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut complete = logprobs.get("refusal").is_none_or(Value::is_null);
    let items = tokens.iter().map(|token| {
        let text = token.get("token").and_then(Value::as_str).unwrap_or_default();
        let others = token.get("top_logprobs").and_then(Value::as_array).is_some_and(|others| !others.is_empty());
        complete &= !others && token.get("bytes").is_none_or(|bytes| *bytes == Value::from(text.as_bytes()));
        json!({"text": text, "token_ids": [], "logprobs": [token.get("logprob")]})
    });
    let items = items.collect();
    if !complete {
        losses.dropped(Place::Answer("logprobs"), "bytes of tokens, and the tokens that were not chosen");
    }
    items
}

pub(super) fn write(answer: &Answer, telling: &Telling, losses: &mut Losses) -> Vec<u8> {
    let blank = Choice::default();
    let choice = answer.choices.first().unwrap_or(&blank);
    if answer.choices.len() > 1 {
        losses.dropped(Place::Answer("choices"), "the target tells one answer: the first");
    }
    let mut body = Map::new();
    body.insert("id".into(), if answer.id.is_empty() { &telling.id } else { &answer.id }.as_str().into());
    body.insert("message".into(), Value::Object(message(answer.origin, choice, losses)));
    body.extend(choice.finish.as_ref().map(|finish| ("finish_reason".to_owned(), finish_word(finish, losses).into())));
    body.extend(answer.usage.as_ref().map(|report| ("usage".to_owned(), usage(report, losses))));
    let logprobs = choice.logprobs.as_ref().map(|logprobs| write_logprobs(logprobs, losses));
    body.extend(logprobs.map(|items| ("logprobs".to_owned(), items.into())));
    if answer.service_tier.is_some() {
        losses.dropped(Place::Answer("service_tier"), carry::NO_PLACE);
    }
    carry::answer(HOME, answer.origin, &answer.extra, &mut body, losses);
    Value::Object(body).to_string().into_bytes()
}

fn message(origin: Dialect, choice: &Choice, losses: &mut Losses) -> Map<String, Value> {
    let (mut items, mut calls, mut citations, mut plan) = (Vec::new(), Vec::new(), Vec::new(), String::new());
    for block in &choice.blocks {
        match part(origin, block, losses) {
            Some(Part::Call(call)) => calls.push(call),
            Some(Part::Plan(text)) => plan.push_str(&text),
            Some(Part::Item(item)) => {
                if !calls.is_empty() {
                    losses.approximated(Place::Answer("content"), "told before the calls it followed");
                }
                if let Content::Text { citations: cited, .. } = &block.content {
                    citations.extend(cited.iter().map(|citation| write_citation(citation, items.len())));
                }
                items.push(item);
            }
            None => {}
        }
    }
    let mut message = Map::from_iter([("role".to_owned(), "assistant".into())]);
    let mut put = |name: &str, value: Value, said: bool| {
        if said {
            message.insert(name.to_owned(), value);
        }
    };
    let (has_items, has_calls, has_citations) = (!items.is_empty(), !calls.is_empty(), !citations.is_empty());
    put("content", items.into(), has_items);
    put("tool_plan", plan.as_str().into(), !plan.is_empty());
    put("tool_calls", calls.into(), has_calls);
    put("citations", citations.into(), has_citations);
    carry::answer(HOME, origin, &choice.extra, &mut message, losses);
    message
}

/// Where a block belongs in a message.
pub(super) enum Part {
    Item(Value),
    Call(Value),
    Plan(String),
}

pub(super) fn part(origin: Dialect, block: &Block, losses: &mut Losses) -> Option<Part> {
    let place = Place::Answer("content");
    let item = match &block.content {
        Content::Text { text, .. } => json!({"type": "text", "text": text}),
        Content::Refusal { text } => {
            losses.approximated(place.clone(), "a refusal, as text");
            json!({"type": "text", "text": text})
        }
        Content::Reasoning { text, summary: true } if origin == HOME => return Some(Part::Plan(text.clone())),
        Content::Reasoning { text, .. } => json!({"type": "thinking", "thinking": text}),
        Content::ToolUse { id, name, arguments, .. } => {
            json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
        }
        Content::Opaque { origin, value } if *origin == HOME => value.clone(),
        _ => {
            losses.dropped(place, NOT_ITS_OWN);
            return None;
        }
    };
    let Value::Object(mut item) = item else { return None };
    item.extend(signature(block.seal.as_ref(), losses).map(|seal| (SEAL.to_owned(), seal.into())));
    block_extra(origin, &block.extra, &mut item, losses);
    Some(match block.content {
        Content::ToolUse { .. } => Part::Call(Value::Object(item)),
        _ => Part::Item(Value::Object(item)),
    })
}

fn block_extra(origin: Dialect, extra: &Extra, item: &mut Map<String, Value>, losses: &mut Losses) {
    carry::answer(HOME, origin, extra, item, losses);
}

/// For a caller who brings it back. Cohere's own there are none.
pub(super) fn signature(seal: Option<&Seal>, losses: &mut Losses) -> Option<String> {
    let seal = seal?;
    if seal.origin == HOME {
        losses.dropped(Place::Answer("content"), "signature: the dialect has none of its own");
        return None;
    }
    Some(seal.pack(HOME))
}

/// Cohere's own object, or one that counts the same.
pub(super) fn usage(report: &UsageReport, losses: &mut Losses) -> Value {
    if report.raw.get("billed_units").or(report.raw.get("tokens")).is_some() {
        return report.raw.clone();
    }
    let usage = &report.usage;
    let plain =
        Usage { input: usage.tokens_in(), output: usage.tokens_out(), source: usage.source, ..Usage::default() };
    if plain != *usage {
        losses.approximated(Place::Answer("usage"), "counted as input and output: the target has no other classes");
    }
    let counts = json!({"input_tokens": plain.input, "output_tokens": plain.output});
    json!({"billed_units": counts, "tokens": counts})
}
