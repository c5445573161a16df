//! Makes one sheet of three: a person's rows, the base, the fill.
//!
//! Enters: rows in the order in which they are believed. Leaves: rows whose names are unique, sorted by id.
//! Never: keeps a row for a name that the catalog's own shortening already finds at the same price.

use std::collections::HashMap;

use tollgate_rules::catalog::names;
use tollgate_rules::catalog::sheet::{PriceRow, Row};

#[derive(Default)]
struct Merged {
    rows: Vec<Row>,
    places: HashMap<String, usize>,
}

pub(super) fn merge(hand: Vec<Row>, base: Vec<Row>, fill: Vec<Row>, today: &str, notes: &mut Vec<String>) -> Vec<Row> {
    let mut merged = Merged::default();
    let base = base.into_iter().map(plainest);
    let fill = fill.into_iter().map(plainest);
    hand.into_iter().chain(base).for_each(|row| merged.add(row));
    for row in fill {
        match merged.exactly(&row.id) {
            Some(place) => complete(&mut merged.rows[place], &row, today, notes),
            None if merged.priced_alike(&row, today) => {}
            None => merged.add(row),
        }
    }
    merged.rows.sort_by_cached_key(|row| row.id.to_ascii_lowercase());
    merged.rows
}

impl Merged {
    /// An id that is taken drops the row; an alias that is taken, only the alias.
    fn add(&mut self, mut row: Row) {
        if self.exactly(&row.id).is_some() {
            return;
        }
        let place = self.rows.len();
        self.places.insert(row.id.to_ascii_lowercase(), place);
        row.aliases.retain(|alias| match self.places.entry(alias.to_ascii_lowercase()) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(place);
                true
            }
        });
        self.rows.push(row);
    }

    fn exactly(&self, name: &str) -> Option<usize> {
        self.places.get(&name.to_ascii_lowercase()).copied()
    }

    fn priced_alike(&self, row: &Row, today: &str) -> bool {
        let found = names::shortened(&row.id).into_iter().find_map(|name| self.exactly(name));
        let known = found.and_then(|place| current(&self.rows[place], today));
        known.is_some_and(|known| {
            (row.prices[0].tiers.is_empty() || known.tiers == row.prices[0].tiers)
                && row.prices[0].rates.iter().all(|(class, text)| known.rates.get(class) == Some(text))
        })
    }
}

/// Adds the classes that the base does not name, when both agree on those that it does.
fn complete(known: &mut Row, more: &Row, today: &str, notes: &mut Vec<String>) {
    known.context_window = known.context_window.or(more.context_window);
    known.output_max = known.output_max.or(more.output_max);
    if known.abilities.is_empty() {
        known.abilities.clone_from(&more.abilities);
    }
    if known.by_hand {
        return;
    }
    let more = &more.prices[0];
    let id = known.id.clone();
    let Some(price) = known.prices.iter_mut().find(|price| stands(price, today)) else { return };
    let differs = price.rates.iter().find(|(class, text)| more.rates.get(*class).is_some_and(|other| other != *text));
    if let Some((class, text)) = differs {
        notes.push(format!("{id}: {class} is {text}, the other set says {}", more.rates[class]));
        // A search costs differently by which tool made it, which says nothing of the tokens.
        if class != "search" {
            return;
        }
    }
    // Silence about long prompts is no statement that they cost the same. A class can only be added with its tiers.
    if price.tiers.is_empty() {
        price.tiers.clone_from(&more.tiers);
        for (class, text) in &more.rates {
            price.rates.entry(class.clone()).or_insert_with(|| text.clone());
        }
    }
    if price.variants.is_empty() && price.tiers == more.tiers {
        price.variants.clone_from(&more.variants);
    }
}

/// Special classes, and what they are charged as without a rate.
const PLAIN: [(&str, &str); 7] = [
    ("reasoning", "output"),
    ("audio_out", "output"),
    ("audio_in", "input"),
    ("image_in", "input"),
    ("image_out", "output"),
    ("cache_read_audio", "cache_read"),
    ("cache_read_image", "cache_read"),
];

/// Without the special rates that only repeat what they would fall back to: a tier that moves one need not name the other.
fn plainest(mut row: Row) -> Row {
    for price in &mut row.prices {
        for (special, basic) in PLAIN {
            if price.rates.get(special) == price.rates.get(basic) {
                price.rates.remove(special);
                price.tiers.iter_mut().for_each(|tier| drop(tier.rates.remove(special)));
            }
        }
    }
    row
}

fn current<'a>(row: &'a Row, today: &str) -> Option<&'a PriceRow> {
    row.prices.iter().find(|price| stands(price, today))
}

fn stands(price: &PriceRow, today: &str) -> bool {
    price.from.as_ref().is_none_or(|from| from.to_string().as_str() <= today)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tollgate_rules::catalog::sheet::{RatesRow, TierRow};

    fn rates(figures: &[(&str, &str)]) -> RatesRow {
        figures.iter().map(|(class, text)| ((*class).to_owned(), (*text).to_owned())).collect()
    }

    fn row(id: &str, aliases: &[&str], figures: &[(&str, &str)]) -> Row {
        let price = PriceRow { source: "x".to_owned(), rates: rates(figures), ..PriceRow::default() };
        let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
        Row { id: id.to_owned(), aliases, prices: vec![price], ..Row::default() }
    }

    fn merged(hand: Vec<Row>, base: Vec<Row>, fill: Vec<Row>) -> (Vec<Row>, Vec<String>) {
        let mut notes = Vec::new();
        (merge(hand, base, fill, "2026-11-21", &mut notes), notes)
    }

    #[test]
    fn what_a_person_wrote_stays_and_keeps_its_names() {
        let hand = Row { by_hand: true, ..row("m", &["m-old"], &[("input", "1")]) };
        let base = vec![row("M", &[], &[("input", "2")]), row("n", &["m-old", "n-1"], &[("input", "3")])];
        let (rows, notes) = merged(vec![hand.clone()], base, vec![row("m", &[], &[("input", "9"), ("output", "9")])]);
        assert_eq!(rows, [hand, row("n", &["n-1"], &[("input", "3")])]);
        assert!(notes.is_empty());
    }

    #[test]
    fn a_difference_is_told_and_the_base_stands() {
        let base = row("m", &[], &[("input", "1")]);
        let (rows, notes) = merged(vec![], vec![base.clone()], vec![row("m", &[], &[("input", "2"), ("output", "3")])]);
        assert_eq!(rows, [base]);
        assert_eq!(notes, ["m: input is 1, the other set says 2"]);
    }

    #[test]
    fn agreement_fills_what_is_missing_but_never_beside_tiers() {
        let fill = row("m", &[], &[("input", "1"), ("cache_read", "0.1")]);
        let (rows, _) = merged(vec![], vec![row("m", &[], &[("input", "1")])], vec![fill.clone()]);
        assert_eq!(rows[0].prices[0].rates, fill.prices[0].rates);
        let mut tiered = row("m", &[], &[("input", "1")]);
        tiered.prices[0].tiers.push(TierRow { above: 5, rates: rates(&[("input", "2")]) });
        let (rows, _) = merged(vec![], vec![tiered.clone()], vec![fill]);
        assert_eq!(rows, [tiered]);
    }

    #[test]
    fn a_dated_name_at_the_same_price_needs_no_row() {
        let base = row("m", &[], &[("input", "1")]);
        let same = row("m-2026-01-02", &[], &[("input", "1")]);
        let dearer = row("m-2025-01-02", &[], &[("input", "2")]);
        let (rows, _) = merged(vec![], vec![base.clone()], vec![same, dearer.clone()]);
        assert_eq!(rows, [base, dearer]);
    }

    #[test]
    fn figures_of_floats_are_read_as_they_were_meant() {
        for (figure, expected) in
            [("7.000000000000001e-07", "0.7"), ("1.4999999999999999e-07", "0.15"), ("2.5e-06", "2.5"), ("0.0", "0")]
        {
            assert_eq!(super::super::dollars(&figure.into(), 6).unwrap(), expected);
        }
        assert_eq!(super::super::dollars(&"-1".into(), 6), None);
    }
}
