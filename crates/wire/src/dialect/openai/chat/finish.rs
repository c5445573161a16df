//! Why a model stopped: OpenAI's words and its hosts'.
//!
//! Enters: a choice's `finish_reason`, or the form. Leaves: the other. Never: loses a word: what is not known is `Other`, with the word.

use serde_json::{Map, Value};

use super::HOME;
use crate::chat::{Choice, Content, Finish, FinishKind, Losses, Place};
use crate::dialect::Dialect;

fn kind(raw: &str) -> FinishKind {
    match raw {
        // `eos` is Together's.
        "stop" | "eos" => FinishKind::Stop,
        "length" => FinishKind::Length,
        // Mistral's.
        "model_length" => FinishKind::ContextFull,
        "tool_calls" | "function_call" => FinishKind::ToolUse,
        "content_filter" => FinishKind::Filter,
        _ => FinishKind::Other,
    }
}

/// `stop_reason`: vLLM's, which of the stop sequences it was. `refused`: the choice holds a refusal, which ends with `stop` like anything else.
pub(super) fn read(raw: String, stop_reason: Option<String>, refused: bool) -> Finish {
    let kind = match kind(&raw) {
        FinishKind::Stop if stop_reason.is_some() => FinishKind::StopSequence,
        FinishKind::Stop if refused => FinishKind::Refusal,
        kind => kind,
    };
    Finish { kind, raw, stop_sequence: stop_reason }
}

pub(super) fn is_refused(choice: &Choice) -> bool {
    choice.blocks.iter().any(|block| matches!(block.content, Content::Refusal { .. }))
}

/// The members of a choice that say why it ended.
pub(super) fn write(
    finish: &Finish,
    origin: Dialect,
    refused: bool,
    into: &mut Map<String, Value>,
    losses: &mut Losses,
) {
    let own = origin == HOME && !finish.raw.is_empty();
    let word = match finish.kind {
        _ if own => finish.raw.as_str(),
        FinishKind::Length => "length",
        FinishKind::ContextFull => "model_length",
        FinishKind::ToolUse => "tool_calls",
        FinishKind::Filter => "content_filter",
        FinishKind::Refusal if !refused => "content_filter",
        _ => "stop",
    };
    // OpenAI's SDKs know a closed list of words.
    let word = if word == "model_length" && !own { "length" } else { word };
    into.insert("finish_reason".into(), word.into());
    if let Some(sequence) = &finish.stop_sequence {
        into.insert("stop_reason".into(), sequence.as_str().into());
    }
    if !own && !finish.raw.is_empty() && finish.raw != word {
        into.insert("native_finish_reason".into(), finish.raw.as_str().into());
    }
    if read(word.to_owned(), finish.stop_sequence.clone(), refused).kind != finish.kind {
        losses.approximated(Place::Answer("finish_reason"), format!("{:?} is told as {word}", finish.kind));
    }
}
