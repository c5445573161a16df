//! One provider's prices as people write them: a file of catalog/models.
//!
//! Enters: TOML with decimal dollars as text. Leaves: whole nano-dollars per million, checked.
//! Never: lets a figure through a float, or a doubtful one through at all. Read by build.rs and `xtask prices`, the same lines.

#[path = "variants.rs"]
mod variants;

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use tollgate_model::money::scaled;
use tollgate_model::price::{ABILITIES, Hours, ModelPrices, PerMillion, Price, Rates, Tier, When};
use toml::value::{Date, Datetime};

/// No published price comes near; a figure in the wrong unit passes it at once. Pieces (requests, images) have their own bound.
const DOLLARS_PER_MILLION_TOKENS_MAX: u64 = 10_000;
const DOLLARS_PER_MILLION_PIECES_MAX: u64 = 10_000_000;
const NANOS: u64 = 1_000_000_000;
const DAY_MS: u64 = 86_400_000;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// Service tiers that cost what the usual one does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usual_tiers: Vec<String>,
    #[serde(default, rename = "model")]
    pub models: Vec<Row>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_max: Option<u64>,
    /// In the words of [`ABILITIES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abilities: Vec<String>,
    /// Written by a person: `xtask prices` keeps it, and drops what the data sets say of the same names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    /// What the next person should know of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub prices: Vec<PriceRow>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceRow {
    /// First day, UTC. Without it the price has stood as long as the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// First day on which it does not stand any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<HoursRow>,
    pub source: String,
    pub rates: RatesRow,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<TierRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantRow>,
}

/// A price for one way of being served. It names all its rates of tokens, or none where they are the usual ones, or the factor between the two; what is
/// charged by the piece costs the same unless it is named. A factor for a region is one for every tier, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantRow {
    pub tier: Option<String>,
    pub region: Option<String>,
    pub size: Option<String>,
    pub quality: Option<String>,
    pub depth: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rates: RatesRow,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<TierRow>,
}

impl VariantRow {
    pub fn when(&self) -> When {
        let Self { tier, region, size, quality, depth, .. } = self.clone();
        When { tier, region, size, quality, depth }
    }
}

/// Times of the day, UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoursRow {
    pub from: Datetime,
    pub to: Datetime,
    #[serde(default)]
    pub weekdays: bool,
}

/// Names only what differs from the price it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRow {
    pub above: u64,
    pub rates: RatesRow,
}

/// Class to dollars per million, as in [`CLASSES`].
pub type RatesRow = BTreeMap<String, String>;
pub type Day = Datetime;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{model}: {problem}")]
pub struct BadSheet {
    pub model: String,
    pub problem: String,
}

type Slot = fn(&mut Rates) -> &mut Option<PerMillion>;

/// Every class that has a rate, in the order in which files name them.
pub const CLASSES: [(&str, Slot); 17] = [
    ("input", |rates| &mut rates.input),
    ("output", |rates| &mut rates.output),
    ("cache_read", |rates| &mut rates.cache_read),
    ("cache_write_5m", |rates| &mut rates.cache_write_5m),
    ("cache_write_1h", |rates| &mut rates.cache_write_1h),
    ("reasoning", |rates| &mut rates.reasoning),
    ("audio_in", |rates| &mut rates.audio_in),
    ("audio_out", |rates| &mut rates.audio_out),
    ("request", |rates| &mut rates.request),
    ("search", |rates| &mut rates.search),
    ("image", |rates| &mut rates.image),
    ("cache_read_audio", |rates| &mut rates.cache_read_audio),
    ("cache_read_image", |rates| &mut rates.cache_read_image),
    ("image_in", |rates| &mut rates.image_in),
    ("image_out", |rates| &mut rates.image_out),
    ("second", |rates| &mut rates.second),
    ("character", |rates| &mut rates.character),
];
/// What is charged by the piece. Their order is that of [`CLASSES`].
pub const PIECES: [&str; 5] = ["request", "search", "image", "second", "character"];

/// The whole file, or the first thing wrong with it.
pub fn read(text: &str) -> Result<Vec<ModelPrices>, BadSheet> {
    compile(&toml::from_str(text).map_err(|error| bad("file", error))?)
}

/// The same of what was read already.
pub fn compile(sheet: &Sheet) -> Result<Vec<ModelPrices>, BadSheet> {
    let mut names = HashSet::new();
    for row in &sheet.models {
        for name in std::iter::once(&row.id).chain(&row.aliases) {
            check_name(name).map_err(|problem| bad(&row.id, problem))?;
            if !names.insert(name.to_ascii_lowercase()) {
                return Err(bad(&row.id, format!("the name {name:?} is there twice")));
            }
        }
    }
    sheet.models.iter().map(|row| model(row, &sheet.usual_tiers).map_err(|problem| bad(&row.id, problem))).collect()
}

fn bad(model: &str, problem: impl ToString) -> BadSheet {
    BadSheet { model: model.to_owned(), problem: problem.to_string() }
}

fn check_name(name: &str) -> Result<(), String> {
    let inner = name.strip_suffix('*').unwrap_or(name);
    match name.is_empty() || inner.contains('*') || inner.contains(char::is_whitespace) {
        true => Err(format!("expected a name, perhaps with `*` at its end, found {name:?}")),
        false => Ok(()),
    }
}

fn model(row: &Row, usual_tiers: &[String]) -> Result<ModelPrices, String> {
    let prices = row.prices.iter().map(|row| price(row, usual_tiers)).collect::<Result<Vec<_>, _>>()?;
    if let Some(unknown) = row.abilities.iter().find(|ability| !ABILITIES.contains(&ability.as_str())) {
        return Err(format!("unknown ability {unknown:?}"));
    }
    if prices.is_empty() {
        return Err("a model without a price has no place here".to_owned());
    }
    let in_order = |newer: &Price, older: &Price| {
        newer.from_ms > older.from_ms || newer.from_ms == older.from_ms && newer.hours.is_some()
    };
    if !prices.is_sorted_by(in_order) {
        return Err("expected prices with the newest first, each from another day or for some hours".to_owned());
    }
    Ok(ModelPrices {
        id: row.id.clone(),
        aliases: row.aliases.clone(),
        context_window: row.context_window,
        output_max: row.output_max,
        abilities: row.abilities.clone(),
        prices,
    })
}

fn price(row: &PriceRow, usual_tiers: &[String]) -> Result<Price, String> {
    if row.source.is_empty() || row.rates.is_empty() {
        return Err("expected a source and at least one rate".to_owned());
    }
    let rates = overlay(Rates::default(), &row.rates)?;
    let tiers = tiers(&rates, &row.tiers)?;
    let from_ms = row.from.as_ref().map_or(Ok(0), day_ms)?;
    let to_ms = row.to.as_ref().map(day_ms).transpose()?;
    if to_ms.is_some_and(|to_ms| to_ms <= from_ms) {
        return Err("a price ends before it begins".to_owned());
    }
    let hours = row.hours.as_ref().map(hours).transpose()?;
    let mut price = Price { from_ms, to_ms, hours, source: row.source.clone(), rates, tiers, variants: Vec::new() };
    price.variants = variants::of(&price, &row.variants, usual_tiers)?;
    Ok(price)
}

fn tiers(rates: &Rates, rows: &[TierRow]) -> Result<Vec<Tier>, String> {
    let tiers = rows.iter().map(|tier| {
        let rates = overlay(rates.clone(), &tier.rates)?;
        Ok(Tier { above_input_tokens: tier.above, rates })
    });
    let tiers = tiers.collect::<Result<Vec<_>, String>>()?;
    match tiers.is_sorted_by(|lower, higher| lower.above_input_tokens < higher.above_input_tokens) {
        true => Ok(tiers),
        false => Err("expected tiers with the lowest first".to_owned()),
    }
}

fn overlay(mut rates: Rates, row: &RatesRow) -> Result<Rates, String> {
    for (class, text) in row {
        let (_, slot) = CLASSES.iter().find(|(name, _)| name == class).ok_or(format!("unknown class {class:?}"))?;
        *slot(&mut rates) = Some(figure(class, text)?);
    }
    Ok(rates)
}

fn figure(class: &str, text: &str) -> Result<PerMillion, String> {
    let nanos = scaled(text, 9).map_err(|problem| format!("{class}: {problem}"))?;
    let dollars = if PIECES.contains(&class) { DOLLARS_PER_MILLION_PIECES_MAX } else { DOLLARS_PER_MILLION_TOKENS_MAX };
    let nanos = u64::try_from(nanos).ok().filter(|nanos| *nanos <= dollars * NANOS);
    nanos.ok_or(format!("{class}: expected dollars per million between 0 and {dollars}, found {text:?}"))
}

fn hours(row: &HoursRow) -> Result<Hours, String> {
    let (from_minute, to_minute) = (minute(&row.from)?, minute(&row.to)?);
    let hours = Hours { from_minute, to_minute, weekdays: row.weekdays };
    if from_minute < to_minute { Ok(hours) } else { Err("expected hours that end later on the same day".to_owned()) }
}

fn minute(time: &Datetime) -> Result<u16, String> {
    let clock = time.time.filter(|_| time.date.is_none());
    let clock = clock.ok_or(format!("expected a time of day, found {time}"))?;
    Ok(u16::from(clock.hour) * 60 + u16::from(clock.minute))
}

fn day_ms(day: &Day) -> Result<u64, String> {
    let date = day.date.filter(|_| day.time.is_none() && day.offset.is_none());
    let date = date.filter(|date| date.year >= 1970).ok_or(format!("expected a day, found {day}"))?;
    Ok(days_since_1970(date) * DAY_MS)
}

/// Howard Hinnant's `days_from_civil`: years begin in March, so that the leap day is the last.
fn days_since_1970(date: Date) -> u64 {
    let (month, day) = (u64::from(date.month), u64::from(date.day));
    let year = u64::from(date.year) - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
