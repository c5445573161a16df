//! Counts, in Responses' words.
//!
//! Enters: a [`Usage`]. Leaves: the `usage` object that reads as the same one. Never: a count that was not there.

use serde_json::{Value, json};
use tollgate_model::Usage;

use crate::chat::{Losses, Place};

const PLACE: Place = Place::Answer("usage");

pub(super) fn write(usage: &Usage, losses: &mut Losses) -> Value {
    if usage.cache_write_1h > 0 {
        losses.approximated(PLACE, "there is one count of what was written to the cache");
    }
    if usage.searches > 0 || usage.images > 0 {
        losses.dropped(PLACE, "searches and images are not counted here");
    }
    let (tokens_in, tokens_out) = (usage.tokens_in(), usage.tokens_out());
    let mut details_in = json!({
        "cached_tokens": usage.cached(),
        "cache_write_tokens": usage.cache_write_5m.saturating_add(usage.cache_write_1h),
    });
    let mut details_out = json!({"reasoning_tokens": usage.reasoning});
    if usage.audio_in > 0 {
        details_in["audio_tokens"] = usage.audio_in.into();
    }
    if usage.audio_out > 0 {
        details_out["audio_tokens"] = usage.audio_out.into();
    }
    json!({
        "input_tokens": tokens_in,
        "input_tokens_details": details_in,
        "output_tokens": tokens_out,
        "output_tokens_details": details_out,
        "total_tokens": tokens_in.saturating_add(tokens_out),
    })
}
