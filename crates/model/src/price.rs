//! What a price is: units of a class, nano-dollars per million, from one day to another, with the source of the figure.
//!
//! Enters: catalog/models/*.toml (compiled at build time) and operators' own prices. Leaves: whole numbers.
//! Never: is 0 when unknown: a class without a price is `None`.

use serde::{Deserialize, Serialize};

/// Nano-dollars per million units. $0.0375 per million tokens is 37,500,000: whole, where nano-dollars per token (37.5) are not.
pub type PerMillion = u64;

/// One model of one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelPrices {
    /// The provider's own name for the model, without version suffix.
    pub id: String,
    /// Other spellings that mean the same model: exact, or ending in `*` for any suffix.
    pub aliases: Vec<String>,
    pub context_window: Option<u64>,
    /// Newest first. The first whose `from_ms <= start of the request < to_ms` counts.
    pub prices: Vec<Price>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Unix milliseconds, inclusive; 0 when the price has stood as long as the model.
    pub from_ms: u64,
    /// Unix milliseconds, exclusive.
    pub to_ms: Option<u64>,
    /// Where the figure was read.
    pub source: String,
    pub rates: Rates,
    /// Rates that apply to the whole request once its input is longer than `above` tokens. Ascending.
    pub tiers: Vec<Tier>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    pub above_input_tokens: u64,
    pub rates: Rates,
}

/// One rate per class of [`crate::Usage`]. A missing special class falls back as `rules::cost` documents; a missing basic class is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    pub input: Option<PerMillion>,
    pub output: Option<PerMillion>,
    pub cache_read: Option<PerMillion>,
    pub cache_write_5m: Option<PerMillion>,
    pub cache_write_1h: Option<PerMillion>,
    pub reasoning: Option<PerMillion>,
    pub audio_in: Option<PerMillion>,
    pub audio_out: Option<PerMillion>,
    /// Per million requests, searches, images.
    pub request: Option<PerMillion>,
    pub search: Option<PerMillion>,
    pub image: Option<PerMillion>,
}
