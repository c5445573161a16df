//! What a price is: units of a class, nano-dollars per million, from one day to another, with the source of the figure.
//!
//! Enters: catalog/models/*.toml (compiled at build time) and operators' own prices. Leaves: whole numbers.
//! Never: is 0 when unknown: a class without a price is `None`.

use serde::{Deserialize, Serialize};

use crate::usage::Term;

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
    /// The longest answer, in tokens.
    pub output_max: Option<u64>,
    /// What it can do, in the words of [`crate::price::ABILITIES`].
    pub abilities: Vec<String>,
    /// Newest first, and those for some hours before those for all. The first that stands when the request starts counts.
    pub prices: Vec<Price>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Unix milliseconds, inclusive; 0 when the price has stood as long as the model.
    pub from_ms: u64,
    /// Unix milliseconds, exclusive.
    pub to_ms: Option<u64>,
    /// Only at these hours; `None` is at all.
    pub hours: Option<Hours>,
    /// Where the figure was read.
    pub source: String,
    pub rates: Rates,
    /// Rates that apply to the whole request once its input is longer than `above` tokens. Ascending.
    pub tiers: Vec<Tier>,
    /// Other prices for other ways of being served. The first that fits the [`crate::usage::Terms`] counts, with tiers of its own.
    pub variants: Vec<Variant>,
}

/// A price for one way of being served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub when: When,
    pub rates: Rates,
    pub tiers: Vec<Tier>,
}

/// The words that a request and its answer must have said. A word may end in `*` for any that begins so, or begin with `!` for any other than it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    pub tier: Option<String>,
    pub region: Option<String>,
    pub size: Option<String>,
    pub quality: Option<String>,
    pub depth: Option<String>,
}

/// What models can do, as sheets say it.
pub const ABILITIES: [&str; 9] =
    ["tools", "vision", "audio_in", "audio_out", "pdf", "reasoning", "cache", "schema", "search"];

/// A part of the day in which another price stands (DeepSeek's peak hours).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Minutes after midnight, UTC: inclusive.
    pub from_minute: u16,
    /// Exclusive, and later than `from_minute`.
    pub to_minute: u16,
    /// Not on Saturday and Sunday.
    pub weekdays: bool,
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
    pub cache_read_audio: Option<PerMillion>,
    pub cache_read_image: Option<PerMillion>,
    /// Tokens of pictures.
    pub image_in: Option<PerMillion>,
    pub image_out: Option<PerMillion>,
    /// Per million requests, searches, images, seconds of audio, characters.
    pub request: Option<PerMillion>,
    pub search: Option<PerMillion>,
    pub image: Option<PerMillion>,
    pub second: Option<PerMillion>,
    pub character: Option<PerMillion>,
}

// === impl Hours ===

impl Hours {
    pub fn contain(&self, unix_ms: u64) -> bool {
        let minutes = unix_ms / 60_000;
        let (day, minute) = (minutes / 1440, minutes % 1440);
        // 1 January 1970 was a Thursday; counted from Monday it is day 3.
        let weekend = (day + 3) % 7 >= 5;
        (u64::from(self.from_minute)..u64::from(self.to_minute)).contains(&minute) && !(self.weekdays && weekend)
    }
}

// === impl When ===

impl When {
    pub fn word(&self, term: Term) -> Option<&str> {
        match term {
            Term::Tier => self.tier.as_deref(),
            Term::Region => self.region.as_deref(),
            Term::Size => self.size.as_deref(),
            Term::Quality => self.quality.as_deref(),
            Term::Depth => self.depth.as_deref(),
        }
    }
}
