//! Reads LiteLLM's model_prices_and_context_window_backup.json (MIT, BerriAI): dollars per token.
//!
//! Enters: one entry of it. Leaves: a row of ours, or why there is none. Never: believes a price of 0, which there often means "not known".

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate_model::Money;
use tollgate_rules::catalog::sheet::{PriceRow, RatesRow, Row, TierRow};

use super::dollars;

const PER_TOKEN: usize = 6;
const CLASSES: [(&str, &str); 10] = [
    ("input_cost_per_token", "input"),
    ("output_cost_per_token", "output"),
    ("cache_read_input_token_cost", "cache_read"),
    ("cache_creation_input_token_cost", "cache_write_5m"),
    ("cache_creation_input_token_cost_above_1hr", "cache_write_1h"),
    ("output_cost_per_reasoning_token", "reasoning"),
    ("input_cost_per_audio_token", "audio_in"),
    ("output_cost_per_audio_token", "audio_out"),
    ("input_cost_per_request", "request"),
    ("input_cost_per_query", "search"),
];
/// Tokens of pictures and films, which usage does not keep apart from text. Harmless where they cost the same.
const OTHER_TOKENS: [(&str, &str); 4] = [
    ("input_cost_per_image_token", "input"),
    ("input_cost_per_video_token", "input"),
    ("output_cost_per_image_token", "output"),
    ("output_cost_per_video_token", "output"),
];
/// One entry has its price in the wrong unit, a thousand times too high.
const EMBEDDING_MAX: Money = Money::from_nanos(20_000_000_000);
const TOKEN_MODES: [&str; 7] =
    ["chat", "completion", "responses", "embedding", "rerank", "audio_transcription", "audio_speech"];

pub(super) fn row(name: &str, entry: &Value, version: &str) -> Result<Row, String> {
    let mode = entry["mode"].as_str().unwrap_or_default();
    let rates = match mode {
        "image_generation" => image(entry)?,
        mode if TOKEN_MODES.contains(&mode) => tokens(mode, entry)?,
        other => return Err(format!("is for {other:?}")),
    };
    let source = entry["source"].as_str().filter(|source| source.starts_with("http"));
    let source = source.map_or_else(|| format!("litellm {version}, model_prices_and_context_window"), str::to_owned);
    let tiers = tiers(entry, &rates);
    let price = PriceRow { source, rates, tiers, ..PriceRow::default() };
    let context_window = entry["max_input_tokens"].as_u64().or(entry["max_tokens"].as_u64());
    Ok(Row { id: name.to_owned(), context_window, prices: vec![price], ..Row::default() })
}

fn tokens(mode: &str, entry: &Value) -> Result<RatesRow, String> {
    let mut rates = RatesRow::new();
    for (theirs, class) in CLASSES {
        let Some(text) = entry.get(theirs).and_then(|figure| dollars(figure, PER_TOKEN)) else { continue };
        if text != "0" || matches!(class, "input" | "output") {
            rates.insert(class.to_owned(), text);
        }
    }
    if matches!(mode, "rerank" | "embedding") {
        rates.retain(|class, text| text != "0" && class != "output");
    }
    if mode == "embedding"
        && rates.get("input").is_some_and(|text| text.parse::<Money>().is_ok_and(|each| each > EMBEDDING_MAX))
    {
        return Err("is dearer than any embedding".to_owned());
    }
    if !entry["off_peak_pricing"].is_null() {
        return Err("priced by the hour".to_owned());
    }
    if let Some(text) = one_search(&entry["search_context_cost_per_query"]) {
        rates.entry("search".to_owned()).or_insert(text);
    }
    for (theirs, class) in OTHER_TOKENS {
        let text = entry.get(theirs).and_then(|figure| dollars(figure, PER_TOKEN));
        if text.is_some_and(|text| rates.get(class) != Some(&text)) {
            return Err(format!("has {theirs}"));
        }
    }
    if mode.starts_with("audio") && !entry["input_cost_per_second"].is_null() {
        return Err("is billed by the second".to_owned());
    }
    if ["input", "output", "search"].iter().all(|class| rates.get(*class).is_none_or(|text| text == "0")) {
        return Err("has no price".to_owned());
    }
    Ok(rates)
}

/// One price for an image, whatever its size.
fn image(entry: &Value) -> Result<RatesRow, String> {
    let other = ["token", "pixel", "image_1", "image_0", "image_5", "image_2", "image_4", "second"];
    let figures = entry.as_object().ok_or("no object")?;
    if figures.keys().any(|key| key.contains("cost") && other.iter().any(|unit| key.contains(unit))) {
        return Err("is billed by more than the image".to_owned());
    }
    let text = dollars(&entry["output_cost_per_image"], PER_TOKEN).filter(|text| text != "0");
    Ok(RatesRow::from([("image".to_owned(), text.ok_or("has no price")?)]))
}

/// Where a search costs the same for every context size.
fn one_search(sizes: &Value) -> Option<String> {
    let mut prices = sizes.as_object()?.values().map(|figure| dollars(figure, PER_TOKEN));
    let first = prices.next()??;
    prices.all(|price| price.as_ref() == Some(&first)).then_some(first).filter(|text| text != "0")
}

fn tiers(entry: &Value, base: &RatesRow) -> Vec<TierRow> {
    let mut tiers: BTreeMap<u64, RatesRow> = BTreeMap::new();
    for (key, figure) in entry.as_object().into_iter().flatten() {
        for (theirs, class) in CLASSES {
            let thousands = key.strip_prefix(theirs).and_then(|rest| rest.strip_prefix("_above_"));
            let thousands = thousands.and_then(|rest| rest.strip_suffix("k_tokens")?.parse::<u64>().ok());
            let Some((thousands, text)) = thousands.zip(dollars(figure, PER_TOKEN)) else { continue };
            if base.get(class) != Some(&text) {
                tiers.entry(thousands * 1000).or_default().insert(class.to_owned(), text);
            }
        }
    }
    tiers.into_iter().map(|(above, rates)| TierRow { above, rates }).collect()
}
