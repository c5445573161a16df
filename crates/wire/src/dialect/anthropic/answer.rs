//! A whole answer, both ways.
//!
//! Enters: a provider's message, or an answer of the form. Leaves: the other of the two. Never: a second choice: this dialect has one.

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::messages::HOME;
use super::{read, tell, usage};
use crate::chat::{Answer, BadField, Choice, Finish, FinishKind, Losses, Place};
use crate::dialect::chat::Telling;
use crate::dialect::object::{self, Object, Path};
use crate::dialect::{beside, carry};
use crate::watch::read_whole;

/// Members that say what every message is.
const ROLE: [&str; 2] = ["type", "role"];

const STOP_REASONS: [(&str, FinishKind); 7] = [
    ("end_turn", FinishKind::Stop),
    ("max_tokens", FinishKind::Length),
    ("stop_sequence", FinishKind::StopSequence),
    ("tool_use", FinishKind::ToolUse),
    ("pause_turn", FinishKind::Pause),
    ("refusal", FinishKind::Refusal),
    ("model_context_window_exceeded", FinishKind::ContextFull),
];

pub(super) fn read(body: &[u8]) -> Result<Answer, BadField> {
    let mut message = object::root(body)?;
    let mut answer = head(&mut message)?;
    let content = message.need_array("content")?;
    let list = Path::Member(&Path::Root, "content");
    let blocks = content.into_iter().enumerate().map(|(at, item)| read::block(item, Path::Item(&list, at)));
    let blocks = beside::settled(HOME, blocks.collect::<Result<_, _>>()?);
    answer.choices.push(Choice { blocks, finish: finish(&mut message)?, ..Choice::default() });
    answer.usage = message.take("usage").and_then(|raw| {
        answer.service_tier = usage::tier(&raw);
        usage::report(read_whole(HOME, body, &HeaderMap::new()).usage, raw)
    });
    answer.extra = message.rest();
    Ok(answer)
}

/// What `message_start` says too.
pub(super) fn head(message: &mut Object<'_>) -> Result<Answer, BadField> {
    let mut answer = Answer::new(HOME);
    answer.id = message.string("id")?.unwrap_or_default();
    answer.model = message.string("model")?.unwrap_or_default();
    ROLE.into_iter().for_each(|name| drop(message.take(name)));
    Ok(answer)
}

/// Of a message or of a `message_delta`.
pub(super) fn finish(message: &mut Object<'_>) -> Result<Option<Finish>, BadField> {
    let stop_sequence = message.string("stop_sequence")?;
    let Some(raw) = message.string("stop_reason")? else { return Ok(None) };
    let kind = STOP_REASONS.iter().find(|(word, _)| *word == raw).map_or(FinishKind::Other, |(_, kind)| *kind);
    Ok(Some(Finish { kind, raw, stop_sequence }))
}

/// `calls`, `refused`: what the answer was made of. Some providers say that they simply stopped, and here clients go by this word.
pub(super) fn stop_reason(finish: &Finish, home: bool, told: tell::Told, losses: &mut Losses) -> String {
    if home && !finish.raw.is_empty() {
        return finish.raw.clone();
    }
    let mut approximated = |note: &'static str| losses.approximated(Place::Answer("finish"), note);
    let kind = match finish.kind {
        FinishKind::Stop if told.calls && !home => FinishKind::ToolUse,
        FinishKind::Stop if told.refused && !home => FinishKind::Refusal,
        FinishKind::Filter => {
            approximated("the provider's filter is told as a refusal");
            FinishKind::Refusal
        }
        FinishKind::Other => {
            approximated("a reason that has no word here is told as the end of the turn");
            FinishKind::Stop
        }
        kind => kind,
    };
    STOP_REASONS.iter().find(|(_, known)| *known == kind).map_or("end_turn", |(word, _)| word).to_owned()
}

pub(super) fn write(answer: &Answer, telling: &Telling, losses: &mut Losses) -> Vec<u8> {
    let home = answer.origin == HOME;
    if answer.choices.len() > 1 {
        losses.dropped(Place::Answer("choices"), "the target has one answer");
    }
    let mut told = tell::Told::default();
    let mut content = Vec::new();
    let choice = answer.choices.first();
    for block in choice.into_iter().flat_map(|choice| &choice.blocks) {
        tell::block(block, answer.origin, &mut told, &mut content, losses);
    }
    let mut message = start(answer, telling);
    message.insert("content".into(), content.into());
    if let Some(choice) = choice {
        let finish = choice.finish.clone().unwrap_or_else(|| Finish::new(FinishKind::Stop, ""));
        message.insert("stop_reason".into(), stop_reason(&finish, home, told, losses).into());
        message.insert("stop_sequence".into(), finish.stop_sequence.into());
        if choice.logprobs.is_some() {
            losses.dropped(Place::Answer("logprobs"), carry::NO_PLACE);
        }
        carry::answer(HOME, answer.origin, &choice.extra, &mut Map::new(), losses);
    }
    let tier = usage::tier_told(answer.service_tier.as_deref(), answer.origin, losses);
    message.insert("usage".into(), usage::write(answer.usage.as_ref(), answer.origin, tier.as_deref(), losses));
    carry::answer(HOME, answer.origin, &answer.extra, &mut message, losses);
    Value::Object(message).to_string().into()
}

/// The message before there is anything in it.
pub(super) fn start(answer: &Answer, telling: &Telling) -> Map<String, Value> {
    let id = if answer.id.is_empty() { &telling.id } else { &answer.id };
    let model = if telling.model.is_empty() { &answer.model } else { &telling.model };
    let message = json!({
        "id": id, "type": "message", "role": "assistant", "model": model,
        "content": [], "stop_reason": null, "stop_sequence": null,
    });
    match message {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
