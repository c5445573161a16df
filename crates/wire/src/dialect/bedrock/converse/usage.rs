//! The `usage` object.
//!
//! Enters: disjoint counts. Leaves: Converse's, in which the cache stands beside the input. Never: counts.

use serde_json::{Map, Value, json};
use tollgate_model::Usage;

use super::HOME;
use crate::chat::{Losses, Place, UsageReport};
use crate::dialect::Dialect;

/// SDKs cannot do without one. An answer without a count gets zeros, and an entry that says so.
pub(super) fn write(report: Option<&UsageReport>, origin: Dialect, losses: &mut Losses) -> Value {
    match report {
        Some(UsageReport { raw: own @ Value::Object(_), .. }) if origin == HOME => own.clone(),
        Some(report) => derived(&report.usage, losses),
        None => {
            losses.approximated(Place::Answer("usage"), "the provider did not count: zeros");
            derived(&Usage::default(), losses)
        }
    }
}

fn derived(usage: &Usage, losses: &mut Losses) -> Value {
    if usage.audio_in > 0 || usage.audio_out > 0 || usage.reasoning > 0 {
        losses.approximated(Place::Answer("usage"), "tokens of sound and of thought are counted among the others");
    }
    if usage.images > 0 || usage.searches > 0 {
        losses.dropped(Place::Answer("usage"), "the count of images and searches");
    }
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    let mut told = Map::new();
    let mut say = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    say("inputTokens", usage.fresh().into());
    say("outputTokens", usage.tokens_out().into());
    say("totalTokens", usage.total().into());
    if usage.cached() > 0 || written > 0 {
        say("cacheReadInputTokens", usage.cached().into());
        say("cacheWriteInputTokens", written.into());
    }
    if usage.cache_write_1h > 0 {
        let parts = [("1h", usage.cache_write_1h), ("5m", usage.cache_write_5m)];
        let parts = parts.into_iter().filter(|(_, count)| *count > 0);
        say("cacheDetails", parts.map(|(ttl, count)| json!({ "ttl": ttl, "inputTokens": count })).collect());
    }
    told.into()
}
