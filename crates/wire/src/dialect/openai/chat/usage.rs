//! Writes the counts of an answer as OpenAI does: inclusive, with details.
//!
//! Enters: disjoint classes. Leaves: the object `usage`. Never: adds what nobody counted.

use serde_json::{Map, Value, json};
use tollgate_model::Usage;

use super::HOME;
use crate::chat::{Losses, Place, UsageReport};
use crate::dialect::Dialect;

/// A provider of this dialect has said it in its own words already.
pub(super) fn write(report: &UsageReport, origin: Dialect, losses: &mut Losses) -> Value {
    if origin == HOME && report.raw.is_object() {
        return report.raw.clone();
    }
    let usage = &report.usage;
    if usage.cache_write_1h > 0 {
        losses.approximated(Place::Answer("usage"), "the time that cached input is kept is not told");
    }
    if usage.images > 0 {
        losses.dropped(Place::Answer("usage"), "images are not counted here");
    }
    object(usage)
}

fn object(usage: &Usage) -> Value {
    let (input, output) = (usage.tokens_in(), usage.tokens_out());
    let mut read = Map::from_iter([("cached_tokens".to_owned(), Value::from(usage.cached()))]);
    read.insert("audio_tokens".into(), usage.audio_in.into());
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    if written > 0 {
        // OpenRouter's name.
        read.insert("cache_write_tokens".into(), written.into());
    }
    let mut object = json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input.saturating_add(output),
        "prompt_tokens_details": read,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": usage.audio_out},
    });
    if usage.searches > 0 {
        // Perplexity's name.
        object["num_search_queries"] = usage.searches.into();
    }
    object
}
