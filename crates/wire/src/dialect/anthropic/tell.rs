//! Blocks of an answer, for a caller.
//!
//! Enters: a block of the form. Leaves: Anthropic's blocks, whole. Never: loses a seal: others' are packed.

use serde_json::{Value, json};

use super::messages::HOME;
use crate::chat::{Block, CallKind, Citation, Content, Losses, Place, Seal};
use crate::dialect::{Dialect, beside, call, carry};

/// What the answer had in it, as far as its end depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) calls: bool,
    pub(super) refused: bool,
}

pub(super) fn block(block: &Block, origin: Dialect, told: &mut Told, out: &mut Vec<Value>, losses: &mut Losses) {
    if let (Some(seal), false) = (&block.seal, beside::is_reasoning(block)) {
        out.push(thinking("", &beside::marked(seal, beside::NEXT).pack(HOME)));
    }
    let Some(mut value) = head(block, told, losses) else { return };
    match (&block.content, &mut value) {
        (Content::Text { text, citations }, Value::Object(members)) => {
            members.insert("text".into(), text.clone().into());
            let citations: Vec<_> = citations.iter().filter_map(|citation| self::citation(citation, losses)).collect();
            if !citations.is_empty() {
                members.insert("citations".into(), citations.into());
            }
        }
        (Content::Refusal { text }, Value::Object(members)) => drop(members.insert("text".into(), text.clone().into())),
        (Content::ToolUse { arguments, kind, .. }, Value::Object(members)) => {
            members.insert("input".into(), input(arguments, *kind, losses));
        }
        (Content::Reasoning { text, .. }, value) => *value = thought(text, block.seal.as_ref()),
        _ => {}
    }
    if let Value::Object(members) = &mut value {
        carry::answer(HOME, origin, &block.extra, members, losses);
    }
    out.push(value);
}

/// As much of the block as a stream begins with. `None`: there is no such block in this dialect's answers, or nothing in this one.
pub(super) fn head(block: &Block, told: &mut Told, losses: &mut Losses) -> Option<Value> {
    let mut dropped = |what: &'static str| losses.dropped(Place::Answer(what), carry::NO_PLACE);
    match &block.content {
        Content::Text { .. } => Some(json!({ "type": "text", "text": "" })),
        Content::Refusal { .. } => {
            told.refused = true;
            losses.approximated(Place::Answer("refusal"), "told as text");
            Some(json!({ "type": "text", "text": "" }))
        }
        Content::ToolUse { id, name, .. } => {
            told.calls = true;
            Some(json!({ "type": "tool_use", "id": id, "name": name, "input": {} }))
        }
        Content::Reasoning { text, .. } if text.is_empty() && block.seal.is_none() => None,
        Content::Reasoning { .. } => Some(thinking("", "")),
        Content::Opaque { origin: HOME, value } => Some(value.clone()),
        Content::Opaque { .. } => {
            losses.dropped(Place::Answer("content"), carry::NOT_ITS_OWN);
            None
        }
        Content::Image { .. } => {
            dropped("image");
            None
        }
        Content::Audio { .. } => {
            dropped("audio");
            None
        }
        Content::File { .. } | Content::ToolResult { .. } => {
            dropped("file");
            None
        }
    }
}

pub(super) fn thinking(text: &str, signature: &str) -> Value {
    json!({ "type": "thinking", "thinking": text, "signature": signature })
}

pub(super) fn thought(text: &str, seal: Option<&Seal>) -> Value {
    match seal {
        Some(seal) if seal.redacted && text.is_empty() => {
            json!({ "type": "redacted_thinking", "data": seal.pack(HOME) })
        }
        seal => thinking(text, &seal.map(|seal| seal.pack(HOME)).unwrap_or_default()),
    }
}

fn input(arguments: &str, kind: CallKind, losses: &mut Losses) -> Value {
    call::input(arguments, kind).unwrap_or_else(|| {
        losses.approximated(Place::Answer("tool call"), call::NO_OBJECT);
        call::as_member(arguments)
    })
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
    let cited_text = citation.text.as_deref().unwrap_or_default();
    Some(json!({
        "type": "web_search_result_location", "url": url, "title": citation.title,
        "cited_text": cited_text, "encrypted_index": "",
    }))
}
