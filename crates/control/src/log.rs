//! A log record as the API shows it (control-plane specification, 4.2).
//!
//! Enters: a record, and for the detail its bodies. Leaves: JSON with the original's members, and ours beside them.
//! Never: shows what is unknown as 0: it is absent, or null where clients expect the member.

use serde_json::{Map, Value, json};
use tollgate_model::{Record, Usage};
use tollgate_store::records::{Body, Filter};

use crate::time;

pub use self::members::{DELETED, DETAIL, PATCH, ROW};

pub use self::patch::read as read_patch;

pub(crate) mod patch;

mod cost_lines;
mod members;

/// How much of a body the detail shows.
pub const HEAD_BYTES_MAX: usize = 10 * 1024;

/// Adds a question in one line to a filter, as `q` does. `now_ms` is what `since:24h` counts from. Else what is wrong, for people.
pub fn ask(text: &str, now_ms: u64, filter: &mut Filter) -> Result<(), String> {
    crate::filters::text::read(text, now_ms, filter)
}

/// A row of the list.
pub fn row(record: &Record) -> Value {
    let usage = record.usage.as_ref();
    let mut row = json!({
        "id": record.id.to_string(),
        "event_id": record.event_id.clone().unwrap_or_else(|| record.id.to_string()),
        "created_at": time::text(record.created_ms),
        "provider": record.provider,
        "model": record.model,
        "path": record.path,
        "status_code": record.status,
        "success": record.success(),
        "cached": record.cached,
        "duration": ms(record.duration_us()),
        "timings": timings(record),
        "tokens_in": usage.map(Usage::tokens_in),
        "tokens_out": usage.map(Usage::tokens_out),
        "custom_cost": record.cost.as_ref().is_some_and(|cost| cost.custom),
        "metadata": (!record.metadata.is_empty()).then(|| record.metadata.to_json()),
        "step": record.step,
        "feedback": record.rating.feedback,
        "score": record.rating.score.map(whole_if_whole),
        "authentication": record.token_id.is_some(),
        "wholesale": record.wholesale,
        "byok": false,
        "user_agent": record.user_agent,
        "location": { "region": "local", "colo": "LOC" },
        "dlp_action": null,
        "dlp_profiles": null,
        "guardrails": null,
        "prompts": null,
        "request": "",
        "response": "",
        "streamed": record.streamed,
        "outcome": record.outcome
    });
    for (name, value) in optional(record) {
        row[name] = value;
    }
    row
}

/// Members that a record may not have: absent rather than null, as their types in the official clients say.
fn optional(record: &Record) -> impl Iterator<Item = (&'static str, Value)> {
    let text = |text: Option<&str>| text.map(Value::from);
    let cost = record.cost.as_ref();
    let members = [
        ("model_type", text(record.model_type.as_deref())),
        ("request_type", text(record.request_type.as_deref())),
        ("request_content_type", text(record.request_content_type.as_deref())),
        ("response_content_type", text(record.response_content_type.as_deref())),
        ("usage_metadata", record.usage.as_ref().map(usage)),
        ("cost", cost.map(|cost| cost.amount.as_dollars().into())),
        ("cost_estimated", cost.map(|cost| cost.estimated.into())),
        ("reported_cost", record.reported.map(|reported| reported.as_dollars().into())),
        ("cost_differs", record.cost_gap().map(|_| record.cost_differs().into())),
        ("answered_model", text(record.answered_model.as_deref())),
        ("finish", text(record.finish.as_deref())),
        ("refusal", record.refusal.as_ref().map(|refused| json!(refused))),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name, value?)))
}

/// JSON has one kind of number, but readers like 50 better than 50.0.
fn whole_if_whole(number: f64) -> Value {
    if number.fract() == 0.0 { (number as i64).into() } else { number.into() }
}

fn timings(record: &Record) -> Value {
    let timings = &record.timings;
    json!({
        "total": ms(timings.last_byte_us),
        "latency": timings.first_byte_us.map_or_else(|| ms(timings.last_byte_us), ms),
        "gateway_us": timings.gateway_us,
        "first_byte_us": timings.first_byte_us,
        "first_token_us": timings.first_token_us,
        "last_byte_us": timings.last_byte_us
    })
}

/// The original's members are inclusive counts; ours beside them are disjoint, as prices are.
fn usage(usage: &Usage) -> Value {
    let mut shown = json!({
        "input_tokens": usage.tokens_in(),
        "output_tokens": usage.tokens_out(),
        "total_tokens": usage.total(),
        "estimated": usage.source == tollgate_model::usage::UsageSource::Estimated
    });
    let parts = [
        ("input_cached_tokens", usage.cached()),
        ("output_reasoning_tokens", usage.reasoning),
        ("input_fresh_tokens", usage.input),
        ("cache_write_5m_tokens", usage.cache_write_5m),
        ("cache_write_1h_tokens", usage.cache_write_1h),
        ("input_audio_tokens", usage.audio_in),
        ("output_audio_tokens", usage.audio_out),
        ("input_image_tokens", usage.image_in),
        ("output_image_tokens", usage.image_out),
        ("searches", usage.searches),
        ("images", usage.images),
        ("audio_seconds", usage.seconds),
        ("characters", usage.characters),
    ];
    for (name, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
        shown[name] = count.into();
    }
    if let Some(tier) = &usage.terms.tier {
        shown["service_tier"] = (**tier).into();
    }
    shown
}

/// The detail is the row, the attempts, and for those who may see them the heads of both bodies.
pub fn detail(record: &Record, bodies: Option<[Option<Body>; 2]>) -> Value {
    let mut detail = row(record);
    detail["method"] = record.method.as_str().into();
    detail["request_size"] = record.request_size.into();
    detail["response_size"] = record.response_size.into();
    detail["request_body"] = json!(record.request_body);
    detail["response_body"] = json!(record.response_body);
    detail["attempts"] = json!(record.attempts);
    if let Some(lines) = cost_lines::of(record) {
        detail["cost_lines"] = lines;
    }
    if let Some(unified) = &record.unified {
        detail["losses"] = json!(unified.losses);
        detail["losses_more"] = unified.losses_more.into();
        detail["trace"] = json!(unified.trace);
    }
    let Some([request, response]) = bodies else { return detail };
    for (side, body) in [("request", request), ("response", response)] {
        for (name, value) in head(body) {
            detail[format!("{side}_{name}")] = value;
        }
    }
    detail
}

fn head(body: Option<Body>) -> Map<String, Value> {
    let mut members = Map::new();
    let bytes = body.map(|body| body.bytes).unwrap_or_default();
    let cut = cut_at_character(&bytes, HEAD_BYTES_MAX);
    members.insert("head".to_owned(), String::from_utf8_lossy(&bytes[..cut]).into());
    members.insert("head_complete".to_owned(), (cut == bytes.len()).into());
    members
}

/// At most `max`, and not inside a UTF-8 sequence: those are at most four bytes, so three steps back are enough.
fn cut_at_character(bytes: &[u8], max: usize) -> usize {
    if bytes.len() <= max {
        return bytes.len();
    }
    let continues = |at: &usize| bytes[*at] & 0b1100_0000 == 0b1000_0000;
    (max.saturating_sub(3)..=max).rev().find(|at| !continues(at)).unwrap_or(max)
}

fn ms(us: u64) -> u64 {
    us / 1_000
}

#[cfg(test)]
mod tests;
