//! What another list says differently, and taking it over.
//!
//! Enters: the catalog, another list. Leaves: rows of differences; a price file with them. Never: takes a class away that the other list is silent
//! about, or a price that depends on the prompt's length for one that does not.

use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use tollgate_model::charge::UnitPrice;
use tollgate_model::money::scaled;
use tollgate_model::price::Price;
use tollgate_rules::catalog::sheet::{CLASSES, Day, PriceRow, RatesRow, Row};
use tollgate_rules::catalog::{Catalog, Found};

use super::{Another, file, now_ms, show, source};

/// Dearer or cheaper by more than this is more often a slip than a price.
const SUSPICIOUS: u64 = 10;

#[derive(Debug)]
pub(super) struct Wish {
    pub(super) from: Option<String>,
    pub(super) new: bool,
    pub(super) suspicious: bool,
    pub(super) yes: bool,
}

/// One figure that differs.
#[derive(Debug)]
struct Difference {
    provider: String,
    model: String,
    class: &'static str,
    old: Option<u64>,
    new: u64,
    /// Why it is not taken over.
    kept: Option<&'static str>,
}

pub(super) fn diff(catalog: &Catalog, another: &Another) -> anyhow::Result<()> {
    let differences = differences(catalog, &listed(another)?);
    shown(&differences, another.json)
}

fn listed(another: &Another) -> anyhow::Result<source::Listed> {
    let mut listed = source::read(&another.source)?;
    if let Some(wanted) = &another.provider {
        listed.retain(|(provider, _), _| provider == wanted);
        anyhow::ensure!(!listed.is_empty(), "{} has no price of {wanted}", another.source);
    }
    Ok(listed)
}

fn differences(catalog: &Catalog, listed: &source::Listed) -> Vec<Difference> {
    let mut all = Vec::new();
    for ((provider, model), rates) in listed {
        let price = exactly(catalog, provider, model).map(|found| found.price);
        let depends = price.is_some_and(|price| !price.tiers.is_empty() || price.hours.is_some());
        for (class, slot) in CLASSES {
            let Some(new) = rates.get(class).and_then(|text| u64::try_from(scaled(text, 9).ok()?).ok()) else {
                continue;
            };
            let old = price.and_then(|price| *slot(&mut price.rates.clone()));
            if old == Some(new) || old.is_none() && same_as_basic(class, new, price) {
                continue;
            }
            let kept = depends.then_some("depends on the prompt's length or the hour: write it by hand");
            all.push(Difference { provider: provider.clone(), model: model.clone(), class, old, new, kept });
        }
    }
    all
}

/// Their row of a model is not ours of its family: a region or a version may have a price of its own.
fn exactly<'c>(catalog: &'c Catalog, provider: &str, name: &str) -> Option<Found<'c>> {
    let found = catalog.find(provider, name, now_ms())?;
    let mut names = std::iter::once(&found.model.id).chain(&found.model.aliases);
    names.any(|known| known.eq_ignore_ascii_case(name)).then_some(found)
}

/// A special class that costs what its basic one does need not be named.
fn same_as_basic(class: &str, new: u64, price: Option<&Price>) -> bool {
    let Some(rates) = price.map(|price| &price.rates) else { return false };
    match class {
        "reasoning" | "audio_out" | "image_out" => rates.output == Some(new),
        "audio_in" | "image_in" | "cache_read" | "cache_write_5m" => rates.input == Some(new),
        "cache_read_audio" | "cache_read_image" => rates.cache_read == Some(new),
        _ => false,
    }
}

impl Difference {
    /// How many times dearer, or cheaper.
    fn is_suspicious(&self) -> bool {
        let Some(old) = self.old else { return false };
        let (low, high) = (old.min(self.new), old.max(self.new));
        low == 0 || high / low >= SUSPICIOUS
    }

    fn factor(&self) -> String {
        match self.old {
            Some(old) if old > 0 => {
                let thousandths = u128::from(self.new) * 1_000 / u128::from(old);
                format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
            }
            _ => String::new(),
        }
    }

    fn note(&self) -> &'static str {
        match (self.kept, self.is_suspicious()) {
            (Some(kept), _) => kept,
            (None, true) => "SUSPICIOUS",
            (None, false) if self.old.is_none() => "new",
            _ => "",
        }
    }

    fn json(&self) -> Value {
        let old = self.old.map(|old| UnitPrice::from(old).to_string());
        json!({
            "provider": self.provider,
            "model": self.model,
            "class": self.class,
            "old": old,
            "new": UnitPrice::from(self.new).to_string(),
            "factor": self.factor(),
            "suspicious": self.is_suspicious(),
            "kept": self.kept,
        })
    }
}

fn shown(differences: &[Difference], json: bool) -> anyhow::Result<()> {
    if json {
        return show::json(&differences.iter().map(Difference::json).collect());
    }
    if differences.is_empty() {
        return show::text("no difference\n");
    }
    let text = |rate: Option<u64>| rate.map_or_else(|| "-".to_owned(), |rate| UnitPrice::from(rate).to_string());
    let rows = differences.iter().map(|one| {
        let name = format!("{}/{}", one.provider, one.model);
        [name, one.class.to_owned(), text(one.old), text(Some(one.new)), one.factor(), one.note().to_owned()]
    });
    show::table(["MODEL", "CLASS", "OLD", "NEW", "FACTOR", "NOTE"], &rows.collect::<Vec<_>>())
}

pub(super) fn update(data_dir: &Path, another: &Another, wish: &Wish) -> anyhow::Result<()> {
    let today = tollgate_control::time::text(now_ms())[..10].to_owned();
    let day = wish.from.clone().unwrap_or(today);
    let from: Day =
        day.parse().ok().with_context(|| format!("--from: expected a day such as 2026-12-01, found {day:?}"))?;
    let catalog = file::catalog(data_dir)?;
    let differences = differences(&catalog, &listed(another)?);
    let priced = |one: &&Difference| exactly(&catalog, &one.provider, &one.model).is_some();
    let wanted = |one: &&Difference| {
        one.kept.is_none() && (wish.suspicious || !one.is_suspicious()) && (wish.new || priced(one))
    };
    let taken: Vec<&Difference> = differences.iter().filter(wanted).collect();
    shown(&differences, another.json)?;
    if taken.is_empty() || !wish.yes {
        let said = if wish.yes { "nothing to take over" } else { "nothing changed; --yes takes over" };
        eprintln!("{said} ({} of {} figures would be)", taken.len(), differences.len());
        return Ok(());
    }
    let mut prices = file::read(data_dir)?;
    for one in &taken {
        let rows = &mut prices.provider.entry(one.provider.clone()).or_default().models;
        take(rows, one, &catalog, from, &another.source)?;
    }
    file::write(data_dir, &prices, &format!("{} figures from {}, for {day} and later", taken.len(), another.source))?;
    eprintln!(
        "{} figures written to prices.toml, from {day} on; a running server reads it when it starts again",
        taken.len()
    );
    Ok(())
}

/// Into the price that begins on that day, which begins as a copy of the one that stands.
fn take(rows: &mut Vec<Row>, one: &Difference, catalog: &Catalog, from: Day, source: &str) -> anyhow::Result<()> {
    let standing = exactly(catalog, &one.provider, &one.model);
    let at = rows.iter().position(|row| row.id.eq_ignore_ascii_case(&one.model)).unwrap_or_else(|| {
        let model = standing.map(|found| found.model);
        let context_window = model.and_then(|model| model.context_window);
        let output_max = model.and_then(|model| model.output_max);
        rows.push(Row { id: one.model.clone(), context_window, output_max, ..Row::default() });
        rows.len() - 1
    });
    let prices = &mut rows[at].prices;
    let newer = prices.iter().find(|price| price.from.as_ref().is_some_and(|day| day.to_string() > from.to_string()));
    anyhow::ensure!(newer.is_none(), "{}: prices.toml has a price that begins later than {from}", one.model);
    if prices.first().is_none_or(|price| price.from != Some(from)) {
        let rates = standing.map(|found| named(found.price)).unwrap_or_default();
        prices.insert(0, PriceRow { from: Some(from), source: source.to_owned(), rates, ..PriceRow::default() });
    }
    prices[0].rates.insert(one.class.to_owned(), UnitPrice::from(one.new).to_string());
    Ok(())
}

fn named(price: &Price) -> RatesRow {
    let mut rates = price.rates.clone();
    let named = CLASSES
        .iter()
        .filter_map(|(class, slot)| Some(((*class).to_owned(), UnitPrice::from((*slot(&mut rates))?).to_string())));
    named.collect()
}
