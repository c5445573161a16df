//! Results of the usage and cost APIs.
//!
//! Enters: a bucket and one of its results. Leaves: what it says. Never: takes a missing count for a wrong one: what an API leaves out is nothing.

use serde_json::Value;
use tollgate_control::time;

use super::super::sums::{DAY_MS, Sum};
use super::{Format, Said};

pub(super) fn format(bucket: &Value, result: &Value) -> Option<Format> {
    let has = |name: &str| result.get(name).is_some();
    match (bucket["start_time"].is_u64(), bucket["starting_at"].is_string()) {
        (true, _) if result["amount"].is_object() => Some(Format::OpenaiCosts),
        (true, _) if has("num_model_requests") || has("input_tokens") => Some(Format::OpenaiUsage),
        (_, true) if has("uncached_input_tokens") => Some(Format::AnthropicUsage),
        (_, true) if has("amount") => Some(Format::AnthropicCosts),
        _ => None,
    }
}

pub(super) fn said(format: Format, bucket: &Value, result: &Value) -> Result<Said, String> {
    let count = |name: &str| result[name].as_u64().unwrap_or(0);
    let text = |name: &str| result[name].as_str().unwrap_or_default();
    let model = match format {
        Format::OpenaiCosts => line_item(text("line_item")),
        _ => text("model"),
    };
    let sum = match format {
        // OpenAI's input holds what was cached; Anthropic's parts are beside each other.
        Format::OpenaiUsage => {
            Sum::used(Some(count("num_model_requests")), count("input_tokens"), count("output_tokens"))
        }
        Format::AnthropicUsage => {
            let written = &result["cache_creation"];
            let written = |name: &str| written[name].as_u64().unwrap_or(0);
            let input = [
                count("uncached_input_tokens"),
                count("cache_read_input_tokens"),
                written("ephemeral_5m_input_tokens"),
                written("ephemeral_1h_input_tokens"),
            ];
            Sum::used(None, input.iter().fold(0, |sum, part| sum.saturating_add(*part)), count("output_tokens"))
        }
        Format::OpenaiCosts => {
            dollars(&result["amount"]["currency"])?;
            Sum::spent(&figure(&result["amount"]["value"])?, false)?
        }
        Format::AnthropicCosts => {
            dollars(&result["currency"])?;
            Sum::spent(&figure(&result["amount"])?, true)?
        }
    };
    Ok(Said { day: day(bucket)?, model: model.to_owned(), sum })
}

/// `gpt-4o-mini-2024-07-18, input` is that model's.
pub(super) fn line_item(item: &str) -> &str {
    item.split_once(", ").map_or(item, |(model, _)| model)
}

fn day(bucket: &Value) -> Result<u64, String> {
    if let Some(seconds) = bucket["start_time"].as_u64() {
        return Ok(seconds / 86_400);
    }
    let text = bucket["starting_at"].as_str().unwrap_or_default();
    time::read(text).map(|ms| ms / DAY_MS).ok_or_else(|| format!("expected a time, found {text:?}"))
}

fn figure(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(format!("expected an amount, found {other}")),
    }
}

fn dollars(currency: &Value) -> Result<(), String> {
    match currency.as_str() {
        Some(code) if code.eq_ignore_ascii_case("usd") => Ok(()),
        other => Err(format!("expected US dollars, found {}", other.unwrap_or("no currency"))),
    }
}
