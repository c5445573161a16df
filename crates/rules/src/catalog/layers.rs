//! The operator's own prices, which lie over those that ship with the program.
//!
//! Enters: the text of a price file, `prices.toml` in the data directory. Leaves: layers, the most special first. Never: takes half a file.
//!
//! ```toml
//! [[provider.openai.model]]                 # for everybody
//! id = "gpt-5"
//! prices = [{ from = 2026-12-01, source = "our contract", rates = { input = "1", output = "8" } }]
//!
//! [[custom]]                                # for one gateway, or for one token: `token = "ID"`
//! gateway = "support"
//! [[custom.provider.openai.model]]
//! id = "gpt-5"
//! prices = [{ source = "internal", rates = { input = "2", output = "16" } }]
//! ```
//!
//! A request is priced by its token's layer, then by its gateway's, then by the one for everybody, then by the list that ships. A layer that does not
//! know the model, or has no price for the day, is passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sheet::{self, Sheet};
use super::{Found, Models};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceFile {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provider: BTreeMap<String, Sheet>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom: Vec<Custom>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    pub provider: BTreeMap<String, Sheet>,
}

/// For whom a price is looked up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker<'a> {
    pub gateway: &'a str,
    /// The id of the gateway token, where one was shown.
    pub token: Option<&'a str>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct BadPrices {
    pub place: String,
    pub problem: String,
}

pub(super) struct Layer {
    whose: Whose,
    shelves: Vec<(String, Models)>,
}

/// In the order in which they are asked.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Token(String),
    Gateway(String),
    Everybody,
}

pub(super) fn read(text: &str) -> Result<Vec<Layer>, BadPrices> {
    let file: PriceFile =
        toml::from_str(text).map_err(|bad| BadPrices { place: "file".to_owned(), problem: bad.to_string() })?;
    let mut layers = vec![Layer { whose: Whose::Everybody, shelves: shelves("", &file.provider)? }];
    for (at, custom) in file.custom.iter().enumerate() {
        let place = format!("custom[{at}]");
        let whose = match (&custom.gateway, &custom.token) {
            (Some(gateway), None) => Whose::Gateway(gateway.clone()),
            (None, Some(token)) => Whose::Token(token.clone()),
            _ => return Err(BadPrices { place, problem: "expected either a gateway or a token".to_owned() }),
        };
        layers.push(Layer { whose, shelves: shelves(&format!("{place}."), &custom.provider)? });
    }
    layers.sort_by(|one, other| one.whose.cmp(&other.whose));
    match layers.windows(2).find(|pair| pair[0].whose == pair[1].whose) {
        Some(pair) => {
            Err(BadPrices { place: "custom".to_owned(), problem: format!("{:?} is there twice", pair[0].whose) })
        }
        None => Ok(layers),
    }
}

fn shelves(place: &str, sheets: &BTreeMap<String, Sheet>) -> Result<Vec<(String, Models)>, BadPrices> {
    let shelf = |(provider, sheet): (&String, &Sheet)| {
        let models = sheet::compile(sheet).map_err(|bad| BadPrices {
            place: format!("{place}provider.{provider}: {}", bad.model),
            problem: bad.problem,
        })?;
        Ok((provider.clone(), Models::new(models)))
    };
    sheets.iter().map(shelf).collect()
}

// === impl Layer ===

impl Layer {
    pub(super) fn find(&self, asker: Asker<'_>, provider: &str, model: &str, at_ms: u64) -> Option<Found<'_>> {
        let custom = match &self.whose {
            Whose::Everybody => false,
            Whose::Gateway(gateway) if gateway == asker.gateway => true,
            Whose::Token(token) if Some(token.as_str()) == asker.token => true,
            Whose::Gateway(_) | Whose::Token(_) => return None,
        };
        let (_, models) = self.shelves.iter().find(|(name, _)| name == provider)?;
        Some(Found { custom, ..models.priced(model, at_ms)? })
    }
}
