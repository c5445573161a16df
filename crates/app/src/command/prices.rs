//! `tollgate prices ...`
//!
//! Enters: arguments, other people's price lists. Leaves: prices, differences, a new price file. Never: changes a price that has not been shown, or the
//! history of what was paid.
//!
//! The list that ships is in the program. What lies over it is one file in the data directory, `prices.toml` (`rules::catalog::layers`); each time that
//! it is changed from here, what it said before is kept. A server reads the file when it starts.

mod change;
mod file;
mod reprice;
mod source;

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};
use tollgate_model::charge::UnitPrice;
use tollgate_model::price::{Price, Rates};
use tollgate_model::{Clock, Usage};
use tollgate_rules::catalog::sheet::CLASSES;
use tollgate_rules::catalog::{Catalog, Found};
use tollgate_rules::cost;

use super::show;
pub(crate) use file::catalog;

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate prices list openai
  tollgate prices show openai gpt-5
  tollgate prices diff model_prices_and_context_window.json
  tollgate prices update https://models.dev/api.json --yes
  tollgate prices history
  tollgate prices revert 3
  tollgate prices reprice --from 2026-11-01 --to 2026-12-01")]
pub(crate) enum Prices {
    /// The price that stands now of each model, in dollars per million tokens
    List {
        /// Only this provider's, by its path segment
        provider: Option<String>,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Everything known of one model: all prices, past and to come, with their sources
    Show {
        /// Path segment
        provider: String,
        model: String,
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// What another list says differently: genai-prices, LiteLLM's model_prices JSON or models.dev
    Diff(Another),
    /// Take what another list says differently into the operator's own price file
    Update {
        #[command(flatten)]
        another: Another,
        /// The first day of the new prices, UTC; today without it
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// Models that have no price yet, too
        #[arg(long)]
        new: bool,
        /// Also what is more than ten times dearer or cheaper than before
        #[arg(long)]
        suspicious: bool,
        /// Do it; without it the difference is only shown
        #[arg(long)]
        yes: bool,
    },
    /// What the price file said before each change
    History {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Put the price file back to what it said before a change
    Revert {
        /// The change, as `history` numbers it
        change: u32,
    },
    /// What the requests in the log would cost by today's prices; changes nothing
    Reprice(reprice::Reprice),
    /// What a usage costs: a JSON object a line in, one out, for programs
    #[command(
        after_help = "Example:\n  echo '{\"provider\":\"openai\",\"model\":\"gpt-5\",\"usage\":{\"input\":100,\"output\":9}}' | tollgate prices cost"
    )]
    Cost,
}

#[derive(Args, Debug)]
pub(crate) struct Another {
    /// File, or https:// address
    source: String,
    /// Only this provider's, by its path segment
    #[arg(long)]
    provider: Option<String>,
    /// One JSON array
    #[arg(long)]
    json: bool,
}

impl Prices {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        match self {
            Self::List { provider, json } => list(&*catalog(data_dir)?, provider.as_deref(), json),
            Self::Show { provider, model, json } => one(&*catalog(data_dir)?, &provider, &model, json),
            Self::Diff(another) => change::diff(&*catalog(data_dir)?, &another),
            Self::Update { another, from, new, suspicious, yes } => {
                change::update(data_dir, &another, &change::Wish { from, new, suspicious, yes })
            }
            Self::History { json } => file::history(data_dir, json),
            Self::Revert { change } => file::revert(data_dir, change),
            Self::Reprice(reprice) => reprice.run(data_dir),
            Self::Cost => costs(&catalog(data_dir)?),
        }
    }
}

fn now_ms() -> u64 {
    Clock::System.unix_ms()
}

fn list(catalog: &Catalog, provider: Option<&str>, json: bool) -> anyhow::Result<()> {
    let known: Vec<&str> = catalog.providers().filter(|name| provider.is_none_or(|wanted| wanted == *name)).collect();
    anyhow::ensure!(!known.is_empty(), "no prices of {:?}: expected one of {}", provider.unwrap_or_default(), {
        catalog.providers().collect::<Vec<_>>().join(", ")
    });
    let mut rows = Vec::new();
    for provider in known {
        let models = catalog.all(provider).iter();
        rows.extend(models.filter_map(|model| Some((provider, catalog.find(provider, &model.id, now_ms())?))));
    }
    if json {
        return show::json(&rows.iter().map(|(provider, found)| row(provider, found)).collect());
    }
    let cells = rows.iter().map(|(provider, found)| {
        let Rates { input, output, cache_read, .. } = found.price.rates;
        let window = found.model.context_window.map(|tokens| tokens.to_string()).unwrap_or_default();
        [(*provider).to_owned(), found.model.id.clone(), dollars(input), dollars(output), dollars(cache_read), window]
    });
    show::table(["PROVIDER", "MODEL", "INPUT", "OUTPUT", "CACHED", "WINDOW"], &cells.collect::<Vec<_>>())
}

fn dollars(rate: Option<u64>) -> String {
    rate.map_or_else(String::new, |rate| UnitPrice::from(rate).to_string())
}

fn row(provider: &str, found: &Found<'_>) -> Value {
    json!({
        "provider": provider,
        "model": found.model.id,
        "context_window": found.model.context_window,
        "output_max": found.model.output_max,
        "rates": rates(&found.price.rates),
        "source": found.price.source,
    })
}

/// Dollars per million, as text: no figure goes through a float.
fn rates(rates: &Rates) -> Value {
    let mut rates = rates.clone();
    CLASSES
        .iter()
        .filter_map(|(class, slot)| Some((*class, Value::from(dollars(Some((*slot(&mut rates))?))))))
        .collect()
}

fn one(catalog: &Catalog, provider: &str, model: &str, json: bool) -> anyhow::Result<()> {
    let found = catalog.find(provider, model, now_ms());
    let found = found.with_context(|| format!("no price of {model:?} at {provider}; see tollgate prices list"))?;
    let standing = found.price;
    let shown = json!({
        "provider": provider,
        "model": found.model.id,
        "aliases": found.model.aliases,
        "context_window": found.model.context_window,
        "output_max": found.model.output_max,
        "abilities": found.model.abilities,
        "list": **catalog.version(),
        "currency": "USD",
        "unit": "dollars per million",
        "prices": found.model.prices.iter().map(|price| whole(price, std::ptr::eq(price, standing))).collect::<Vec<_>>(),
    });
    if json { show::json(&shown) } else { show::pretty(&shown) }
}

fn whole(price: &Price, stands: bool) -> Value {
    let day = |unix_ms: u64| tollgate_control::time::text(unix_ms)[..10].to_owned();
    let tiers = |tiers: &[tollgate_model::price::Tier]| {
        let tier = |tier: &tollgate_model::price::Tier| json!({ "above_input_tokens": tier.above_input_tokens, "rates": rates(&tier.rates) });
        tiers.iter().map(tier).collect::<Vec<_>>()
    };
    let variants = price
        .variants
        .iter()
        .map(|variant| json!({ "when": variant.when, "rates": rates(&variant.rates), "tiers": tiers(&variant.tiers) }));
    json!({
        "stands_now": stands,
        "from": (price.from_ms > 0).then(|| day(price.from_ms)),
        "to": price.to_ms.map(day),
        "hours": price.hours,
        "source": price.source,
        "rates": rates(&price.rates),
        "tiers": tiers(&price.tiers),
        "variants": variants.collect::<Vec<_>>(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    provider: String,
    model: String,
    /// Unix milliseconds; now without it.
    at: Option<u64>,
    usage: serde_json::Map<String, Value>,
}

fn costs(catalog: &Arc<Catalog>) -> anyhow::Result<()> {
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let asked: Asked = serde_json::from_str(&line?).with_context(|| format!("line {}", number + 1))?;
        let usage = usage(&asked.usage).with_context(|| format!("line {}", number + 1))?;
        let found = catalog.find(&asked.provider, &asked.model, asked.at.unwrap_or_else(now_ms));
        let ledger = found.and_then(|found| cost::of(&usage, found.price));
        show::json(&json!({
            "model": found.map(|found| &found.model.id),
            "nanos": ledger.as_ref().map(|ledger| ledger.total.nanos()),
            "lines": ledger.map(|ledger| ledger.lines.iter().map(told).collect::<Vec<_>>()),
        }))?;
    }
    Ok(())
}

fn told(line: &cost::Line) -> Value {
    let price = line.price.map(|price| price.to_string());
    json!({ "class": line.class, "quantity": line.quantity, "price": price, "nanos": line.amount.nanos() })
}

/// Classes by the names that sheets have for them, and the plural of pieces.
fn usage(counts: &serde_json::Map<String, Value>) -> anyhow::Result<Usage> {
    let mut usage = Usage::default();
    for (class, count) in counts {
        let slot = match class.as_str() {
            "input" => &mut usage.input,
            "cache_read" => &mut usage.cache_read,
            "cache_read_audio" => &mut usage.cache_read_audio,
            "cache_read_image" => &mut usage.cache_read_image,
            "cache_write_5m" => &mut usage.cache_write_5m,
            "cache_write_1h" => &mut usage.cache_write_1h,
            "audio_in" => &mut usage.audio_in,
            "image_in" => &mut usage.image_in,
            "output" => &mut usage.output,
            "reasoning" => &mut usage.reasoning,
            "audio_out" => &mut usage.audio_out,
            "image_out" => &mut usage.image_out,
            "searches" => &mut usage.searches,
            "images" => &mut usage.images,
            "seconds" => &mut usage.seconds,
            "characters" => &mut usage.characters,
            other => anyhow::bail!("usage has no class {other:?}"),
        };
        *slot = count.as_u64().with_context(|| format!("{class}: expected a whole number, found {count}"))?;
    }
    Ok(usage)
}
