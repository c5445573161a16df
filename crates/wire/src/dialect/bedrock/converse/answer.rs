//! A whole answer, both ways.
//!
//! Enters: a provider's body, or an answer of the form. Leaves: the other of the two. Never: an id or a model: Converse has none.

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::block::blocks;
use super::{HOME, seal, usage};
use crate::chat::{Answer, BadField, Block, Choice, Citation, Content, Finish, FinishKind, Losses, Place, UsageReport};
use crate::dialect::object::{self, Object, Path};
use crate::dialect::{Dialect, beside, call, carry};
use crate::watch::read_whole;

const STOP_REASONS: [(&str, FinishKind); 9] = [
    ("end_turn", FinishKind::Stop),
    ("max_tokens", FinishKind::Length),
    ("stop_sequence", FinishKind::StopSequence),
    ("tool_use", FinishKind::ToolUse),
    ("content_filtered", FinishKind::Filter),
    ("guardrail_intervened", FinishKind::Filter),
    ("model_context_window_exceeded", FinishKind::ContextFull),
    ("malformed_model_output", FinishKind::Other),
    ("malformed_tool_use", FinishKind::Other),
];

pub(super) fn read(body: &[u8]) -> Result<Answer, BadField> {
    let mut top = object::root(body)?;
    let mut answer = Answer::new(HOME);
    let place = Path::Member(&Path::Root, "output");
    let output = top.object("output")?.ok_or_else(|| place.missing("an object"))?;
    let mut output = Object::of(Value::Object(output), place)?;
    let list = Path::Member(&place, "message");
    let message = output.object("message")?.ok_or_else(|| list.missing("an object"))?;
    let mut message = Object::of(Value::Object(message), list)?;
    let items = message.array("content")?.unwrap_or_default();
    let blocks = blocks(items, &Path::Member(&list, "content"))?;
    let finish = top.string("stopReason")?.map(finish);
    answer.choices.push(Choice { blocks, finish, ..Choice::default() });
    answer.usage = top
        .take("usage")
        .and_then(|raw| read_whole(HOME, body, &HeaderMap::new()).usage.map(|usage| UsageReport { usage, raw }));
    // `serviceTier` too: streams name it when all else is told.
    answer.extra = top.rest();
    Ok(answer)
}

pub(super) fn finish(raw: String) -> Finish {
    let kind = STOP_REASONS.iter().find(|(word, _)| *word == raw).map_or(FinishKind::Other, |(_, kind)| *kind);
    Finish::new(kind, raw)
}

/// `calls`: some providers say that they simply stopped after a call, and here clients go by this word.
pub(super) fn stop_reason(finish: Option<&Finish>, origin: Dialect, calls: bool, losses: &mut Losses) -> String {
    let Some(finish) = finish else { return "end_turn".into() };
    if finish.stop_sequence.is_some() {
        losses.dropped(Place::Answer("stop_sequence"), carry::NO_PLACE);
    }
    if origin == HOME && !finish.raw.is_empty() {
        return finish.raw.clone();
    }
    let kind = match finish.kind {
        FinishKind::Stop if calls && origin != HOME => FinishKind::ToolUse,
        FinishKind::Refusal => {
            losses.approximated(Place::Answer("finish"), "a refusal is told as filtered");
            FinishKind::Filter
        }
        FinishKind::Pause | FinishKind::Other => {
            losses
                .approximated(Place::Answer("finish"), "a reason that has no word here is told as the end of the turn");
            FinishKind::Stop
        }
        kind => kind,
    };
    STOP_REASONS.iter().find(|(_, known)| *known == kind).map_or("end_turn", |(word, _)| word).to_owned()
}

pub(super) fn write(answer: &Answer, losses: &mut Losses) -> Vec<u8> {
    if answer.choices.len() > 1 {
        losses.dropped(Place::Answer("choices"), "the target has one answer");
    }
    let choice = answer.choices.first();
    let mut content = Vec::new();
    let mut calls = false;
    for block in choice.into_iter().flat_map(|choice| &choice.blocks) {
        calls |= matches!(block.content, Content::ToolUse { .. });
        told(block, answer.origin, &mut content, losses);
    }
    let finish = choice.and_then(|choice| choice.finish.as_ref());
    let mut top = Map::new();
    top.insert("output".into(), json!({ "message": { "role": "assistant", "content": content } }));
    top.insert("stopReason".into(), stop_reason(finish, answer.origin, calls, losses).into());
    top.insert("usage".into(), usage::write(answer.usage.as_ref(), answer.origin, losses));
    if let Some(tier) = &answer.service_tier {
        top.insert("serviceTier".into(), json!({ "type": tier }));
    }
    if let Some(choice) = choice {
        if choice.logprobs.is_some() {
            losses.dropped(Place::Answer("logprobs"), carry::NO_PLACE);
        }
        carry::answer(HOME, answer.origin, &choice.extra, &mut Map::new(), losses);
    }
    carry::answer(HOME, answer.origin, &answer.extra, &mut top, losses);
    Value::Object(top).to_string().into()
}

fn told(block: &Block, origin: Dialect, out: &mut Vec<Value>, losses: &mut Losses) {
    if let (Some(seal), false) = (&block.seal, beside::is_reasoning(block)) {
        out.push(seal::thought("", Some(&beside::marked(seal, beside::NEXT))));
    }
    let (name, mut value) = match &block.content {
        Content::Text { text, citations } => {
            let citations: Vec<_> = citations.iter().filter_map(|citation| self::citation(citation, losses)).collect();
            match citations.is_empty() {
                true => ("text", text.as_str().into()),
                false => ("citationsContent", json!({ "content": [{ "text": text }], "citations": citations })),
            }
        }
        Content::Refusal { text } => {
            losses.approximated(Place::Answer("refusal"), "told as text");
            ("text", text.as_str().into())
        }
        Content::ToolUse { id, name, arguments, kind } => {
            let input = call::input(arguments, *kind).unwrap_or_else(|| {
                losses.approximated(Place::Answer("tool call"), call::NO_OBJECT);
                call::as_member(arguments)
            });
            ("toolUse", json!({ "toolUseId": id, "name": name, "input": input }))
        }
        Content::Reasoning { text, .. } if text.is_empty() && block.seal.is_none() => return,
        Content::Reasoning { text, .. } => {
            out.push(seal::thought(text, block.seal.as_ref()));
            return carry::answer(HOME, origin, &block.extra, &mut Map::new(), losses);
        }
        Content::Opaque { origin: HOME, value } => return out.push(value.clone()),
        other => return unsayable(other, losses),
    };
    if let Value::Object(members) = &mut value {
        carry::answer(HOME, origin, &block.extra, members, losses);
    }
    out.push(Value::Object(Map::from_iter([(name.to_owned(), value)])));
}

/// Blocks that have no place in an answer.
pub(super) fn unsayable(content: &Content, losses: &mut Losses) {
    let (name, why) = match content {
        Content::Opaque { .. } => ("content", carry::NOT_ITS_OWN),
        Content::Image { .. } => ("image", carry::NO_PLACE),
        Content::Audio { .. } => ("audio", carry::NO_PLACE),
        _ => ("file", carry::NO_PLACE),
    };
    losses.dropped(Place::Answer(name), why);
}

/// Web pages have a place; where in the answer's text they belong is told by the block they are on.
pub(super) fn citation(citation: &Citation, losses: &mut Losses) -> Option<Value> {
    let place = Place::Answer("citations");
    if citation.origin == HOME && citation.raw.is_object() {
        return Some(citation.raw.clone());
    }
    let Some(url) = &citation.url else {
        losses.dropped(place, "only citations of web pages have a place");
        return None;
    };
    losses.approximated(place, "told of the whole block");
    let domain = url.split('/').nth(2).unwrap_or_default();
    let mut told = json!({ "source": url, "location": { "web": { "url": url, "domain": domain } } });
    if let Some(title) = &citation.title {
        told["title"] = title.as_str().into();
    }
    if let Some(text) = &citation.text {
        told["sourceContent"] = json!([{ "text": text }]);
    }
    Some(told)
}
