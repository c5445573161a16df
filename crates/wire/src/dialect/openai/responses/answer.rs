//! A provider's whole answer.
//!
//! Enters: a response object. Leaves: an [`Answer`]. Never: a response that has failed, or is not made yet, as an answer.

use http::HeaderMap;
use serde_json::{Map, Value};

use super::{HOME, finish, items};
use crate::chat::{Answer, BadField, Block, Choice, Extra, UsageReport};
use crate::dialect::object::{Object, Path, root};
use crate::watch;

/// What repeats the question, or is between the provider and whoever pays it.
const BOOKKEEPING: [&str; 35] = [
    "access_programs",
    "background",
    "billing",
    "completed_at",
    "conversation",
    "error",
    "frequency_penalty",
    "image",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "object",
    "output_text",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "prompt",
    "prompt_cache_diagnostics",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "status",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tool_usage",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

pub(super) fn read(body: &[u8]) -> Result<Answer, BadField> {
    let mut top = root(body)?;
    let status = top.string("status")?.unwrap_or_else(|| "completed".into());
    refuse_unanswered(&top, &status)?;
    let mut answer = head(&mut top)?;
    let logprobs = top.peek("output").map(logprobs).unwrap_or_default();
    let blocks = output(top.need_array("output")?)?;
    let held = finish::Held::of(blocks.iter().map(|block| &block.content));
    let finish = finish::read(&status, reason(&mut top)?.as_deref(), held);
    answer.usage = top.take("usage").and_then(|raw| {
        let usage = watch::read_whole(HOME, body, &HeaderMap::new()).usage?;
        Some(UsageReport { usage, raw })
    });
    answer.choices.push(Choice { blocks, finish: Some(finish), logprobs: in_chat(logprobs), extra: Extra::new() });
    answer.extra = extra(top);
    Ok(answer)
}

/// A success of the transport that is none of the model.
fn refuse_unanswered(top: &Object<'_>, status: &str) -> Result<(), BadField> {
    if let Some(error) = top.peek("error") {
        let message = error["message"].as_str().unwrap_or_default();
        return Err(Path::Member(&top.path, "error").bad("an answer", format!("an error: {message}")));
    }
    match status {
        "completed" | "incomplete" | "cancelled" => Ok(()),
        other => Err(Path::Member(&top.path, "status").bad("a finished answer", format!("{other:?}"))),
    }
}

pub(super) fn head(top: &mut Object<'_>) -> Result<Answer, BadField> {
    let mut answer = Answer::new(HOME);
    answer.id = top.string("id")?.unwrap_or_default();
    answer.model = top.string("model")?.unwrap_or_default();
    answer.created = top.number("created_at")?.map(|seconds| seconds as u64);
    answer.service_tier = top.string("service_tier")?;
    Ok(answer)
}

pub(super) fn output(list: Vec<Value>) -> Result<Vec<Block>, BadField> {
    let path = Path::Member(&Path::Root, "output");
    let mut blocks = Vec::new();
    for (at, item) in list.into_iter().enumerate() {
        let item = Object::of(item, Path::Item(&path, at))?;
        let kind = item.peek_str("type").map(str::to_owned);
        let kind = kind.ok_or_else(|| Path::Member(&item.path, "type").missing("an item's type"))?;
        blocks.append(&mut items::read(item, &kind)?);
    }
    Ok(blocks)
}

pub(super) fn reason(top: &mut Object<'_>) -> Result<Option<String>, BadField> {
    let details = top.object("incomplete_details")?;
    Ok(details.and_then(|details| details.get("reason")?.as_str().map(str::to_owned)))
}

/// Of all texts, in order.
pub(super) fn logprobs(output: &Value) -> Vec<Value> {
    let items = output.as_array().into_iter().flatten();
    let parts = items.filter_map(|item| item["content"].as_array()).flatten();
    parts.filter_map(|part| part["logprobs"].as_array()).flatten().cloned().collect()
}

pub(super) fn in_chat(logprobs: Vec<Value>) -> Option<Value> {
    (!logprobs.is_empty()).then(|| Value::Object(Map::from_iter([("content".to_owned(), logprobs.into())])))
}

pub(super) fn extra(top: Object<'_>) -> Extra {
    let mut extra = top.rest();
    extra.retain(|name, _| !BOOKKEEPING.contains(&name.as_str()));
    extra
}
