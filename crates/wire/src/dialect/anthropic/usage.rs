//! The `usage` object.
//!
//! Enters: a provider's own, or disjoint counts. Leaves: the other. Never: counts: what is read was counted by `watch`.

use serde_json::{Map, Value, json};
use tollgate_model::Usage;

use super::messages::HOME;
use crate::chat::{Losses, Place, UsageReport};
use crate::dialect::Dialect;

/// The words that an answer may have for its tier.
const TIERS: [(&str, &str); 4] =
    [("standard", "standard"), ("default", "standard"), ("priority", "priority"), ("batch", "batch")];

pub(super) fn report(usage: Option<Usage>, raw: Value) -> Option<UsageReport> {
    usage.map(|usage| UsageReport { usage, raw })
}

pub(super) fn tier(raw: &Value) -> Option<String> {
    raw.get("service_tier")?.as_str().map(str::to_owned)
}

/// SDKs cannot do without one. An answer without a count gets zeros, and an entry that says so. `tier`: as [`tier_told`] gave it.
pub(super) fn write(report: Option<&UsageReport>, origin: Dialect, tier: Option<&str>, losses: &mut Losses) -> Value {
    let mut told = match report {
        Some(UsageReport { raw: Value::Object(own), .. }) if origin == HOME => own.clone(),
        Some(report) => derived(&report.usage, losses),
        None => {
            losses.approximated(Place::Answer("usage"), "the provider did not count: zeros");
            zeros()
        }
    };
    told.extend(tier.map(|tier| ("service_tier".to_owned(), tier.into())));
    told.into()
}

/// The tier in Anthropic's words.
pub(super) fn tier_told(tier: Option<&str>, origin: Dialect, losses: &mut Losses) -> Option<String> {
    let tier = tier?;
    if origin == HOME {
        return Some(tier.to_owned());
    }
    let known = TIERS.iter().find(|(word, _)| *word == tier);
    if known.is_none() {
        losses.dropped(Place::Answer("service_tier"), "the target has no such tier");
    }
    known.map(|(_, own)| (*own).to_owned())
}

/// What a stream says before it knows.
pub(super) fn zeros() -> Map<String, Value> {
    Map::from_iter([("input_tokens".to_owned(), json!(0)), ("output_tokens".to_owned(), json!(0))])
}

fn derived(usage: &Usage, losses: &mut Losses) -> Map<String, Value> {
    if usage.audio_in > 0 || usage.audio_out > 0 {
        losses.approximated(Place::Answer("usage"), "tokens of sound are counted among the others");
    }
    if usage.images > 0 {
        losses.dropped(Place::Answer("usage"), "the count of images");
    }
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    let mut told = Map::new();
    let mut say = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    say("input_tokens", usage.fresh().into());
    say("cache_creation_input_tokens", written.into());
    say("cache_read_input_tokens", usage.cached().into());
    if written > 0 {
        let (short, long) = (usage.cache_write_5m, usage.cache_write_1h);
        say("cache_creation", json!({ "ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long }));
    }
    say("output_tokens", usage.tokens_out().into());
    if usage.reasoning > 0 {
        say("output_tokens_details", json!({ "thinking_tokens": usage.reasoning }));
    }
    if usage.searches > 0 {
        say("server_tool_use", json!({ "web_search_requests": usage.searches, "web_fetch_requests": 0 }));
    }
    told
}
