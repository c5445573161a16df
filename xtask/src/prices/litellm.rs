//! Reads LiteLLM's model_prices_and_context_window_backup.json (MIT, BerriAI): dollars per token.
//!
//! Enters: one entry of it. Leaves: a row of ours, or why there is none. Never: believes a price of 0, which there often means "not known".

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate_model::Money;
use tollgate_model::money::scaled;
use tollgate_rules::catalog::sheet::{PriceRow, RatesRow, Row, TierRow, VariantRow};

use super::dollars;

const PER_TOKEN: usize = 6;
const CLASSES: [(&str, &str); 14] = [
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
    ("cache_read_input_audio_token_cost", "cache_read_audio"),
    ("cache_read_input_image_token_cost", "cache_read_image"),
    ("input_cost_per_image_token", "image_in"),
    ("output_cost_per_image_token", "image_out"),
];
/// Their endings, our tiers.
const TIERS: [(&str, &str); 3] = [("_batches", "batch"), ("_flex", "flex"), ("_priority", "priority")];
/// A tier that does not name these, where the usual price does, is not told whole.
const NEEDED: [&str; 8] =
    ["input", "output", "audio_in", "audio_out", "image_in", "image_out", "cache_write_5m", "cache_write_1h"];
/// Tokens of films, which usage does not keep apart from text. Harmless where they cost the same.
const OTHER_TOKENS: [(&str, &str); 2] =
    [("input_cost_per_video_token", "input"), ("output_cost_per_video_token", "output")];
/// One entry has its price in the wrong unit, a thousand times too high.
const EMBEDDING_MAX: Money = Money::from_nanos(20_000_000_000);
const TOKEN_MODES: [&str; 8] =
    ["chat", "completion", "responses", "embedding", "rerank", "audio_transcription", "audio_speech", "realtime"];

pub(super) fn row(name: &str, entry: &Value, version: &str) -> Result<Row, String> {
    let mode = entry["mode"].as_str().unwrap_or_default();
    let rates = match mode {
        "image_generation" if entry["input_cost_per_token"].is_null() => image(entry)?,
        "image_generation" => tokens(mode, entry)?,
        "audio_transcription" if entry["input_cost_per_token"].is_null() => by_second(&entry["input_cost_per_second"])?,
        "audio_speech" if entry["input_cost_per_token"].is_null() => by_character(&entry["input_cost_per_character"])?,
        mode if TOKEN_MODES.contains(&mode) => tokens(mode, entry)?,
        other => return Err(format!("is for {other:?}")),
    };
    let source = entry["source"].as_str().filter(|source| source.starts_with("http"));
    let source = source.map_or_else(|| format!("litellm {version}, model_prices_and_context_window"), str::to_owned);
    let tiers = tiers(entry, &rates, "");
    let mut variants = served(entry, &rates);
    variants.extend(factors(entry));
    variants.extend(by_depth(&entry["search_context_cost_per_query"]));
    let mut price = PriceRow { source, rates, tiers, variants, ..PriceRow::default() };
    if let Some(low) = depth(&entry["search_context_cost_per_query"], "low")
        .filter(|_| price.variants.iter().any(|v| v.depth.is_some()))
    {
        price.rates.insert("request".to_owned(), low);
    }
    Ok(Row {
        id: name.to_owned(),
        context_window: entry["max_input_tokens"].as_u64().or(entry["max_tokens"].as_u64()),
        output_max: entry["max_output_tokens"].as_u64(),
        abilities: abilities(entry),
        prices: vec![price],
        ..Row::default()
    })
}

/// What they say that it supports, in our words.
fn abilities(entry: &Value) -> Vec<String> {
    const WORDS: [(&str, &str); 9] = [
        ("supports_function_calling", "tools"),
        ("supports_vision", "vision"),
        ("supports_audio_input", "audio_in"),
        ("supports_audio_output", "audio_out"),
        ("supports_pdf_input", "pdf"),
        ("supports_reasoning", "reasoning"),
        ("supports_prompt_caching", "cache"),
        ("supports_response_schema", "schema"),
        ("supports_web_search", "search"),
    ];
    WORDS.iter().filter(|(theirs, _)| entry[*theirs] == true).map(|(_, ours)| (*ours).to_owned()).collect()
}

/// Prices of other service tiers, as far as they are told whole.
fn served(entry: &Value, base: &RatesRow) -> Vec<VariantRow> {
    let variant = |(ending, tier): (&str, &str)| {
        let rate = |(theirs, class): &(&str, &str)| {
            let text = entry.get(format!("{theirs}{ending}")).and_then(|figure| dollars(figure, PER_TOKEN))?;
            Some(((*class).to_owned(), text))
        };
        let rates: RatesRow = CLASSES.iter().filter_map(rate).collect();
        let whole =
            !rates.is_empty() && NEEDED.iter().all(|class| rates.contains_key(*class) == base.contains_key(*class));
        let tiers = tiers(entry, &rates, ending);
        whole.then(|| VariantRow { tier: Some(tier.to_owned()), rates, tiers, ..VariantRow::default() })
    };
    TIERS.into_iter().filter_map(variant).collect()
}

/// A fee a request that depends on how much is searched. Who says nothing gets the least.
fn by_depth(sizes: &Value) -> Vec<VariantRow> {
    if one_search(sizes).is_some() {
        return Vec::new();
    }
    let variant = |name: &str| {
        let rates = RatesRow::from([("request".to_owned(), depth(sizes, name)?)]);
        Some(VariantRow { depth: Some(name.to_owned()), rates, ..VariantRow::default() })
    };
    ["medium", "high"].into_iter().filter_map(variant).collect()
}

fn depth(sizes: &Value, name: &str) -> Option<String> {
    dollars(&sizes[format!("search_context_size_{name}")], PER_TOKEN)
}

fn by_character(figure: &Value) -> Result<RatesRow, String> {
    let text = dollars(figure, PER_TOKEN).filter(|text| text != "0").ok_or("has no price")?;
    Ok(RatesRow::from([("character".to_owned(), text)]))
}

/// Audio is priced by the hour, in hundredths of a cent at the finest. Their figures by the second are what was left of that; some were rounded too
/// early to tell.
fn by_second(figure: &Value) -> Result<RatesRow, String> {
    const FINEST: i128 = 10_i128.pow(14);
    let text = figure.as_str().map_or_else(|| figure.to_string(), str::to_owned);
    let hour = scaled(&text, 18).map_err(|_| "has no price")? * 3600;
    let nearest = (hour + FINEST / 2) / FINEST * FINEST;
    if nearest == 0 || (hour - nearest).abs() > FINEST / 100 {
        return Err(format!("costs {text} a second, which is no price by the hour"));
    }
    let nanos = (nearest + 1_800_000) / 3_600_000;
    let text = Money::from_nanos(i64::try_from(nanos).map_err(|_| "is too dear")?).to_string();
    Ok(RatesRow::from([("second".to_owned(), text)]))
}

/// What they multiply the price with, by way of being served.
fn factors(entry: &Value) -> Vec<VariantRow> {
    let factor = |name: &str| {
        let figure = &entry["provider_specific_entry"][name];
        let text = figure.as_str().map_or_else(|| figure.to_string(), str::to_owned);
        scaled(&text, 3).is_ok().then_some(text)
    };
    let fast = factor("fast").map(|text| VariantRow {
        tier: Some("fast".to_owned()),
        factor: Some(text),
        ..VariantRow::default()
    });
    let us = factor("us").map(|text| VariantRow {
        region: Some("us".to_owned()),
        factor: Some(text),
        ..VariantRow::default()
    });
    fast.into_iter().chain(us).collect()
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

fn tiers(entry: &Value, base: &RatesRow, ending: &str) -> Vec<TierRow> {
    let mut tiers: BTreeMap<u64, RatesRow> = BTreeMap::new();
    for (key, figure) in entry.as_object().into_iter().flatten() {
        for (theirs, class) in CLASSES {
            let thousands = key.strip_prefix(theirs).and_then(|rest| rest.strip_prefix("_above_"));
            let thousands =
                thousands.and_then(|rest| rest.strip_suffix(ending)?.strip_suffix("k_tokens")?.parse::<u64>().ok());
            let Some((thousands, text)) = thousands.zip(dollars(figure, PER_TOKEN)) else { continue };
            if base.get(class) != Some(&text) {
                tiers.entry(thousands * 1000).or_default().insert(class.to_owned(), text);
            }
        }
    }
    tiers.into_iter().map(|(above, rates)| TierRow { above, rates }).collect()
}
