//! Reads genai-prices (MIT, Pydantic Services): dated dollars per million.
//!
//! Enters: one provider of it. Leaves: rows of ours. Never: takes part of a model: a price with a unit that we cannot count is left out whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tollgate_rules::catalog::sheet::{Day, PriceRow, RatesRow, Row, TierRow};

use super::dollars;

/// Their price, our class, and the powers of ten from their unit to a million.
const CLASSES: [(&str, &str, usize); 16] = [
    ("input_mtok", "input", 0),
    ("output_mtok", "output", 0),
    ("cache_read_mtok", "cache_read", 0),
    ("cache_write_mtok", "cache_write_5m", 0),
    ("cache_write_5m_mtok", "cache_write_5m", 0),
    ("cache_write_1h_mtok", "cache_write_1h", 0),
    ("output_reasoning_mtok", "reasoning", 0),
    ("input_audio_mtok", "audio_in", 0),
    ("output_audio_mtok", "audio_out", 0),
    ("web_searches_kcount", "search", 3),
    ("rerank_searches_kcount", "search", 3),
    ("requests_kcount", "request", 3),
    ("cache_audio_read_mtok", "cache_read_audio", 0),
    ("cache_image_read_mtok", "cache_read_image", 0),
    ("input_image_mtok", "image_in", 0),
    ("output_image_mtok", "image_out", 0),
];
/// Charged beside the tokens for what the caller asks extra.
const IGNORED: [&str; 2] = ["storage_searches_kcount", "kind"];

pub(super) fn rows(provider: &Value, tag: &str, notes: &mut Vec<String>) -> Vec<Row> {
    let source = provider["pricing_urls"][0].as_str().unwrap_or("genai-prices");
    let mut rows = Vec::new();
    for model in provider["models"].as_array().into_iter().flatten() {
        let id = model["id"].as_str().unwrap_or_default();
        match prices(id, &model["prices"], source) {
            Ok(prices) => rows.push(row(id, model, tag, prices)),
            Err(reason) => notes.push(format!("left out {id}: {reason}")),
        }
    }
    rows
}

fn row(id: &str, model: &Value, tag: &str, prices: Vec<PriceRow>) -> Row {
    let name = |text: &str| format!("{}{tag}", text.strip_prefix("regional.").unwrap_or(text));
    let mut aliases = BTreeSet::new();
    if tag.is_empty() {
        spellings(&model["match"], &mut aliases);
        aliases.remove(id);
    }
    Row {
        id: name(id),
        aliases: aliases.into_iter().collect(),
        context_window: model["context_window"].as_u64(),
        prices,
        ..Row::default()
    }
}

/// Names that match exactly. A prefix counts as the name that it is: taken for any longer one, it would price models not made yet.
fn spellings(clause: &Value, names: &mut BTreeSet<String>) {
    for exact in ["equals", "starts_with"] {
        names.extend(clause[exact].as_str().filter(|text| !text.ends_with(['-', ':', '@', '.'])).map(str::to_owned));
    }
    clause["or_"].as_array().into_iter().flatten().for_each(|inner| spellings(inner, names));
}

/// Theirs are in the order in which they override each other, ours newest first.
fn prices(id: &str, prices: &Value, source: &str) -> Result<Vec<PriceRow>, String> {
    let Value::Array(conditional) = prices else {
        return Ok(vec![price(id, prices, None, source)?]);
    };
    let mut dated = BTreeMap::new();
    for entry in conditional {
        let constraint = &entry["constraint"];
        if constraint["start_time"].is_string() {
            return Err("priced by the hour".to_owned());
        }
        let from = constraint["start_date"].as_str().map(str::to_owned);
        let day = from.as_deref().map(|text| text.parse::<Day>().map_err(|problem| problem.to_string())).transpose()?;
        dated.insert(from, price(id, &entry["prices"], day, source)?);
    }
    Ok(dated.into_values().rev().collect())
}

fn price(id: &str, prices: &Value, from: Option<Day>, source: &str) -> Result<PriceRow, String> {
    let figures = prices.as_object().ok_or("no prices")?;
    let mut row = PriceRow { from, source: source.to_owned(), ..PriceRow::default() };
    let starts = figures.values().flat_map(|figure| figure["tiers"].as_array().into_iter().flatten());
    let starts: BTreeSet<u64> = starts.filter_map(|tier| tier["start"].as_u64()).collect();
    row.rates = rates(figures, |figure| figure.get("base").unwrap_or(figure).clone())?;
    for above in starts {
        let mut rates = rates(figures, |figure| at(figure, above))?;
        rates.retain(|class, text| row.rates.get(class) != Some(text));
        row.tiers.push(TierRow { above, rates });
    }
    if row.rates.is_empty() && id.ends_with(":free") {
        row.rates = RatesRow::from([("input".to_owned(), "0".to_owned()), ("output".to_owned(), "0".to_owned())]);
    }
    if row.rates.is_empty() { Err("no figure".to_owned()) } else { Ok(row) }
}

/// The last tier that begins at or before `above`.
fn at(figure: &Value, above: u64) -> Value {
    let tiers = figure["tiers"].as_array();
    let tier = tiers.into_iter().flatten().rfind(|tier| tier["start"].as_u64().is_some_and(|start| start <= above));
    tier.map_or(figure.get("base").unwrap_or(figure), |tier| &tier["price"]).clone()
}

fn rates(figures: &serde_json::Map<String, Value>, pick: impl Fn(&Value) -> Value) -> Result<RatesRow, String> {
    let mut rates = RatesRow::new();
    for (unit, figure) in figures.iter().filter(|(unit, _)| !IGNORED.contains(&unit.as_str())) {
        let (_, class, shift) = CLASSES.iter().find(|(theirs, ..)| theirs == unit).ok_or(format!("has {unit}"))?;
        let text = dollars(&pick(figure), *shift).ok_or(format!("{unit} is {figure}"))?;
        rates.insert((*class).to_owned(), text);
    }
    Ok(rates)
}
