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
    if known.by_hand {
        return;
    }
    let more = &more.prices[0];
    let id = known.id.clone();
    let Some(price) = known.prices.iter_mut().find(|price| stands(price, today)) else { return };
    let differs = price.rates.iter().find(|(class, text)| more.rates.get(*class).is_some_and(|other| other != *text));
    if let Some((class, text)) = differs {
        notes.push(format!("{id}: {class} is {text}, the other set says {}", more.rates[class]));
        return;
    }
    // Silence about long prompts is no statement that they cost the same. A class can only be added with its tiers.
    if price.tiers.is_empty() {
        price.tiers.clone_from(&more.tiers);
        for (class, text) in &more.rates {
            price.rates.entry(class.clone()).or_insert_with(|| text.clone());
        }
    }
}

/// Without the special rates that only repeat what they would fall back to: a tier that moves one need not name the other.
fn plainest(mut row: Row) -> Row {
    for price in &mut row.prices {
        for (special, basic) in [("reasoning", "output"), ("audio_out", "output"), ("audio_in", "input")] {
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
