//! `cargo xtask prices FILE`: renews catalog/models from two public data sets.
//!
//! Enters: the JSON that prices/export.py makes of the wheels, and the sheets as they are. Leaves: one sheet per provider, sorted.
//! Never: changes a row that a person wrote (`by_hand = true`), or keeps a figure that our classes of usage cannot express.
//!
//! genai-prices is the base, because it is dated and reviewed; LiteLLM fills what is missing. Where both name a model and differ, the
//! base stands and the difference is printed, to be settled by hand.

mod genai;
mod litellm;
mod merge;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use tollgate_model::Money;
use tollgate_model::money::scaled;
use tollgate_rules::catalog::sheet::{self, Row, Sheet, VariantRow};

const FOLDER: &str = "catalog/models";
const SEGMENTS: &str = include_str!("prices/segments.toml");

#[derive(Deserialize)]
struct DataSets {
    retrieved: String,
    genai_prices: Genai,
    litellm: LiteLlm,
}

#[derive(Deserialize)]
struct Genai {
    version: String,
    providers: Vec<Value>,
}

#[derive(Deserialize)]
struct LiteLlm {
    version: String,
    models: Map<String, Value>,
}

/// Where one of our providers is found in the data sets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Segment {
    /// Their provider's id, to what follows the model's name when we ask for it.
    #[serde(default)]
    genai: BTreeMap<String, String>,
    /// Their provider's id, to what stands before the model's name there.
    #[serde(default)]
    litellm: BTreeMap<String, String>,
    /// Where LiteLLM copies the provider's own list by program, it is the base.
    #[serde(default)]
    litellm_first: bool,
    /// Names here may hold a `/`. Elsewhere one means a region or a size.
    #[serde(default)]
    slashes: bool,
    /// Only names that begin so; empty means all.
    #[serde(default)]
    only: Vec<String>,
    /// Names that begin so are dearer by this factor everywhere but in the region `global`.
    #[serde(default)]
    regional: BTreeMap<String, String>,
    /// Names that begin so are billed by more than usage says.
    #[serde(default)]
    without: Vec<String>,
}

pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let file = arguments.next().context("expected the file that prices/export.py wrote")?;
    let data: DataSets = serde_json::from_str(&fs::read_to_string(&file)?).with_context(|| file.clone())?;
    let segments: BTreeMap<String, Segment> = toml::from_str(SEGMENTS)?;
    for (name, segment) in &segments {
        renew(name, segment, &data).with_context(|| name.clone())?;
    }
    Ok(())
}

fn renew(name: &str, segment: &Segment, data: &DataSets) -> Result<()> {
    let path = Path::new(FOLDER).join(format!("{name}.toml"));
    let old: Sheet = if path.exists() { toml::from_str(&fs::read_to_string(&path)?)? } else { Sheet::default() };
    let usual_tiers = old.usual_tiers;
    let hand = old.models.into_iter().filter(|row| row.by_hand).collect();
    let mut notes = Vec::new();
    let base = segment.rows_of_genai(data, &mut notes);
    let fill = segment.rows_of_litellm(data, &mut notes);
    let (base, fill) = if segment.litellm_first { (fill, base) } else { (base, fill) };
    let mut rows = merge::merge(hand, base, fill, &data.retrieved, &mut notes);
    rows.iter_mut().for_each(|row| segment.place(row));
    let head = format!(
        "From genai-prices {} and litellm {}, {}, by `cargo xtask prices`.",
        data.genai_prices.version, data.litellm.version, data.retrieved
    );
    let text = text::sheet(&head, &usual_tiers, &rows);
    sheet::read(&text).with_context(|| format!("what would be written to {}", path.display()))?;
    fs::write(&path, text)?;
    println!("{name}: {} models", rows.len());
    notes.iter().for_each(|note| println!("  {note}"));
    Ok(())
}

impl Segment {
    fn rows_of_genai(&self, data: &DataSets, notes: &mut Vec<String>) -> Vec<Row> {
        let mut rows = Vec::new();
        for (id, tag) in &self.genai {
            let provider = data.genai_prices.providers.iter().find(|provider| provider["id"] == **id);
            match provider {
                Some(provider) => rows.extend(genai::rows(provider, tag, notes)),
                None => notes.push(format!("genai-prices has no provider {id}")),
            }
        }
        for row in &mut rows {
            row.aliases.retain(|name| self.wants(name));
        }
        rows.retain(|row| self.wants(&row.id));
        rows
    }

    fn rows_of_litellm(&self, data: &DataSets, notes: &mut Vec<String>) -> Vec<Row> {
        let mut rows = Vec::new();
        for (key, entry) in &data.litellm.models {
            let provider = entry["litellm_provider"].as_str().unwrap_or_default();
            let Some(prefix) = self.litellm.get(provider) else { continue };
            let name = key.strip_prefix(prefix.as_str()).unwrap_or(key);
            if !self.wants(name) {
                continue;
            }
            match litellm::row(name, entry, &data.litellm.version) {
                Ok(row) => rows.push(row),
                Err(reason) => notes.push(format!("left out {name}: {reason}")),
            }
        }
        rows
    }

    fn place(&self, row: &mut Row) {
        let Some((_, factor)) = self.regional.iter().find(|(prefix, _)| row.id.starts_with(prefix.as_str())) else {
            return;
        };
        for price in row.prices.iter_mut().filter(|price| price.variants.iter().all(|variant| variant.region.is_none()))
        {
            let region = Some("!global".to_owned());
            price.variants.push(VariantRow { region, factor: Some(factor.clone()), ..VariantRow::default() });
        }
    }

    fn wants(&self, name: &str) -> bool {
        (self.slashes || !name.contains('/'))
            && (self.only.is_empty() || begins(name, &self.only))
            && !begins(name, &self.without)
            && !name.contains(char::is_whitespace)
    }
}

fn begins(name: &str, prefixes: &[String]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
}

/// A figure of the data sets, as dollars per million. `shift` says how many powers of ten lie between. What JSON encoders add behind
/// the nano-dollar (`7.000000000000001e-07`) is rounded away.
fn dollars(figure: &Value, shift: usize) -> Option<String> {
    let text = figure.as_str().map_or_else(|| figure.to_string(), str::to_owned);
    let fine = scaled(&text, 18 + shift).ok()?;
    let nanos = (fine + 500_000_000) / 1_000_000_000;
    Some(Money::from_nanos(i64::try_from(nanos).ok().filter(|nanos| *nanos >= 0)?).to_string())
}
