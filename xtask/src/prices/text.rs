//! Writes a price sheet as a person would: one model a paragraph, one price a few lines.
//!
//! Enters: rows. Leaves: TOML that `sheet::read` takes. Never: writes a figure as anything but text.

use std::fmt::Write as _;

use tollgate_rules::catalog::sheet::{CLASSES, PriceRow, RatesRow, Row};

pub(super) fn sheet(head: &str, rows: &[Row]) -> String {
    let mut text =
        format!("# {head}\n# Dollars per million tokens; `request`, `search` and `image` per million of them.\n");
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
        let tiers =
            row.tiers.iter().map(|tier| format!("{{ above = {}, rates = {} }}", tier.above, rates(&tier.rates)));
        let _ = writeln!(text, "tiers = [{}]", tiers.collect::<Vec<_>>().join(", "));
    }
}

fn rates(rates: &RatesRow) -> String {
    let known = CLASSES.iter().filter_map(|(class, _)| rates.get_key_value(*class));
    let parts: Vec<String> = known.map(|(class, text)| format!("{class} = \"{text}\"")).collect();
    format!("{{ {} }}", parts.join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
