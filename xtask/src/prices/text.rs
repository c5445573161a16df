//! Writes a price sheet as a person would: one model a paragraph, one price a few lines.
//!
//! Enters: rows. Leaves: TOML that `sheet::read` takes. Never: writes a figure as anything but text.

use std::fmt::Write as _;

use tollgate_rules::catalog::sheet::{CLASSES, PriceRow, RatesRow, Row, TierRow, VariantRow};

pub(super) fn sheet(head: &str, usual_tiers: &[String], rows: &[Row]) -> String {
    let mut text = format!(
        "# {head}\n# Dollars per million tokens; requests, searches, images, seconds and characters per million of them.\n"
    );
    if !usual_tiers.is_empty() {
        let tiers: Vec<String> = usual_tiers.iter().map(|tier| quoted(tier)).collect();
        let _ = writeln!(text, "usual_tiers = [{}]", tiers.join(", "));
    }
    for row in rows {
        model(row, &mut text);
    }
    text
}

fn model(row: &Row, text: &mut String) {
    let _ = writeln!(text, "\n[[model]]\nid = {}", quoted(&row.id));
    if !row.aliases.is_empty() {
        let aliases: Vec<String> = row.aliases.iter().map(|alias| quoted(alias)).collect();
        let _ = writeln!(text, "aliases = [{}]", aliases.join(", "));
    }
    if let Some(tokens) = row.context_window {
        let _ = writeln!(text, "context_window = {tokens}");
    }
    if let Some(tokens) = row.output_max {
        let _ = writeln!(text, "output_max = {tokens}");
    }
    if !row.abilities.is_empty() {
        let abilities: Vec<String> = row.abilities.iter().map(|ability| quoted(ability)).collect();
        let _ = writeln!(text, "abilities = [{}]", abilities.join(", "));
    }
    if row.by_hand {
        text.push_str("by_hand = true\n");
    }
    if let Some(note) = &row.note {
        let _ = writeln!(text, "note = {}", quoted(note));
    }
    row.prices.iter().for_each(|row| price(row, text));
}

fn price(row: &PriceRow, text: &mut String) {
    text.push_str("[[model.prices]]\n");
    for (key, day) in [("from", &row.from), ("to", &row.to)] {
        if let Some(day) = day {
            let _ = writeln!(text, "{key} = {day}");
        }
    }
    if let Some(hours) = &row.hours {
        let days = if hours.weekdays { ", weekdays = true" } else { "" };
        let _ = writeln!(text, "hours = {{ from = {}, to = {}{days} }}", hours.from, hours.to);
    }
    let _ = writeln!(text, "source = {}\nrates = {}", quoted(&row.source), rates(&row.rates));
    if !row.tiers.is_empty() {
        let _ = writeln!(text, "tiers = {}", tiers(&row.tiers));
    }
    if !row.variants.is_empty() {
        let lines = row.variants.iter().map(|row| format!("    {},\n", variant(row)));
        let _ = writeln!(text, "variants = [\n{}]", lines.collect::<String>());
    }
}

fn tiers(rows: &[TierRow]) -> String {
    let tiers = rows.iter().map(|tier| format!("{{ above = {}, rates = {} }}", tier.above, rates(&tier.rates)));
    format!("[{}]", tiers.collect::<Vec<_>>().join(", "))
}

fn variant(row: &VariantRow) -> String {
    let words = [
        ("tier", &row.tier),
        ("region", &row.region),
        ("size", &row.size),
        ("quality", &row.quality),
        ("depth", &row.depth),
        ("factor", &row.factor),
    ];
    let words = words.into_iter().filter_map(|(name, word)| Some(format!("{name} = {}", quoted(word.as_ref()?))));
    let mut parts: Vec<String> = words.collect();
    if !row.rates.is_empty() {
        parts.push(format!("rates = {}", rates(&row.rates)));
    }
    if !row.tiers.is_empty() {
        parts.push(format!("tiers = {}", tiers(&row.tiers)));
    }
    format!("{{ {} }}", parts.join(", "))
}

fn rates(rates: &RatesRow) -> String {
    let known = CLASSES.iter().filter_map(|(class, _)| rates.get_key_value(*class));
    let parts: Vec<String> = known.map(|(class, text)| format!("{class} = \"{text}\"")).collect();
    format!("{{ {} }}", parts.join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
