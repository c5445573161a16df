//! Google's `usageMetadata` for callers, made from the counts of whoever answered.
//!
//! Enters: a usage report. Leaves: the object. Never: a count that was not told.

use serde_json::{Map, Value, json};
use tollgate_model::Usage;

use crate::chat::{Losses, Place, UsageReport};

pub(super) fn write(report: &UsageReport, tier: Option<&str>, losses: &mut Losses) -> Value {
    let mut object = match &report.raw {
        // Google's own words.
        Value::Object(raw) if raw.contains_key("promptTokenCount") => raw.clone(),
        _ => derived(&report.usage, losses),
    };
    if let Some(tier) = tier {
        object.entry("serviceTier").or_insert_with(|| tier.into());
    }
    Value::Object(object)
}

fn derived(usage: &Usage, losses: &mut Losses) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
    put("promptTokenCount", usage.tokens_in().into());
    put("candidatesTokenCount", usage.output.saturating_add(usage.audio_out).saturating_add(usage.image_out).into());
    put("totalTokenCount", usage.total().into());
    if usage.cached() > 0 {
        put("cachedContentTokenCount", usage.cached().into());
    }
    if usage.reasoning > 0 {
        put("thoughtsTokenCount", usage.reasoning.into());
    }
    if usage.audio_in > 0 {
        put("promptTokensDetails", details(usage.tokens_in() - usage.audio_in, usage.audio_in));
    }
    if usage.audio_out > 0 {
        put("candidatesTokensDetails", details(usage.output.saturating_add(usage.image_out), usage.audio_out));
    }
    if usage.cache_write_5m > 0 || usage.cache_write_1h > 0 {
        losses.approximated(Place::Answer("usage.cache_write"), "counted as input: the target charges no such class");
    }
    if usage.searches > 0 || usage.images > 0 {
        losses.dropped(Place::Answer("usage.pieces"), "the target counts tokens only");
    }
    object
}

fn details(text: u64, audio: u64) -> Value {
    json!([{"modality": "TEXT", "tokenCount": text}, {"modality": "AUDIO", "tokenCount": audio}])
}
