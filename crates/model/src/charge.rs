//! How an amount came about: what was charged for, and at which unit prices.
//!
//! Enters: the rates that stood when a request began. Leaves: enough to tell the cost line by line for ever, whatever later becomes of the price list.
//! Never: repeats what the usage says (a line's quantity is there), or allocates for a price of the list.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::money::decimal;
use crate::price::PerMillion;
use crate::usage::{Usage, UsageSource};

/// What a line of the ledger charges for. New ones come last: records store the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Input,
    CacheRead,
    #[serde(rename = "cache_write_5m")]
    CacheWrite5m,
    #[serde(rename = "cache_write_1h")]
    CacheWrite1h,
    AudioIn,
    Output,
    Reasoning,
    AudioOut,
    Request,
    Search,
    Image,
    CacheReadAudio,
    CacheReadImage,
    ImageIn,
    ImageOut,
    Second,
    Character,
}

/// The rates that were applied, after fallback and of the tier that counted. A class of which nothing was used has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    rates: [PerMillion; Class::ALL.len()],
    /// A bit for each class that has one. Half as large as so many options.
    named: u32,
}

/// Dollars per unit, exact to 10⁻³⁰: what both a price list and a caller's own price fit in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitPrice(u128);

/// What an amount is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)] // a box would be an allocation for each request
pub enum Basis {
    /// Nobody can tell: the record is older than this, or nothing was paid.
    #[default]
    Untold,
    /// Rates of a price list.
    Rates(Applied),
    /// The caller's own prices per unit.
    Units(Box<[(Class, UnitPrice)]>),
    /// The caller's own price of the whole request.
    Total,
    /// What the provider says it charged.
    Reported,
}

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    Catalog,
    /// The caller's or the operator's own price.
    Custom,
    ProviderReported,
    /// The quantity is our estimate, because the provider told none.
    Estimated,
}

/// The version of a price list, as records tell it.
pub type ListVersion = Arc<str>;

// === impl Class ===

impl Class {
    /// In the order of their numbers.
    pub const ALL: [Class; 17] = [
        Class::Input,
        Class::CacheRead,
        Class::CacheWrite5m,
        Class::CacheWrite1h,
        Class::AudioIn,
        Class::Output,
        Class::Reasoning,
        Class::AudioOut,
        Class::Request,
        Class::Search,
        Class::Image,
        Class::CacheReadAudio,
        Class::CacheReadImage,
        Class::ImageIn,
        Class::ImageOut,
        Class::Second,
        Class::Character,
    ];

    /// How much of it was used.
    pub fn quantity(self, usage: &Usage) -> u64 {
        match self {
            Class::Input => usage.input,
            Class::CacheRead => usage.cache_read,
            Class::CacheWrite5m => usage.cache_write_5m,
            Class::CacheWrite1h => usage.cache_write_1h,
            Class::AudioIn => usage.audio_in,
            Class::Output => usage.output,
            Class::Reasoning => usage.reasoning,
            Class::AudioOut => usage.audio_out,
            Class::Request => 1,
            Class::Search => usage.searches,
            Class::Image => usage.images,
            Class::CacheReadAudio => usage.cache_read_audio,
            Class::CacheReadImage => usage.cache_read_image,
            Class::ImageIn => usage.image_in,
            Class::ImageOut => usage.image_out,
            Class::Second => usage.seconds,
            Class::Character => usage.characters,
        }
    }

    /// What it is counted in.
    pub fn unit(self) -> &'static str {
        match self {
            Class::Request => "request",
            Class::Search => "search",
            Class::Image => "image",
            Class::Second => "second",
            Class::Character => "character",
            _ => "token",
        }
    }
}

// === impl Applied ===

impl Applied {
    pub fn set(&mut self, class: Class, rate: PerMillion) {
        self.rates[class as usize] = rate;
        self.named |= 1 << class as u32;
    }

    pub fn rates(&self) -> impl Iterator<Item = (Class, PerMillion)> + '_ {
        Class::ALL.into_iter().zip(self.rates).filter(|(class, _)| self.named & 1 << *class as u32 != 0)
    }
}

// === impl UnitPrice ===

impl UnitPrice {
    /// Decimals of a dollar.
    pub const PLACES: u32 = 30;
    /// 10⁻⁹ dollars per million units are 10⁻¹⁵ dollars per unit.
    const OF_A_RATE: u128 = 10_u128.pow(15);

    pub const fn from_units(units: u128) -> Self {
        Self(units)
    }

    pub const fn units(self) -> u128 {
        self.0
    }

    /// `None` where a list could not name it.
    pub fn as_rate(self) -> Option<PerMillion> {
        let rate = self.0 / Self::OF_A_RATE;
        PerMillion::try_from(rate).ok().filter(|_| self.0.is_multiple_of(Self::OF_A_RATE))
    }
}

impl From<PerMillion> for UnitPrice {
    fn from(rate: PerMillion) -> Self {
        Self(u128::from(rate) * Self::OF_A_RATE)
    }
}

/// Dollars per million units, with as many decimals as are needed.
impl fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(self.0, Self::PLACES - 6))
    }
}

// === impl Basis ===

impl Basis {
    /// Whose price it is, when the provider counted.
    pub fn source(&self, custom: bool) -> Source {
        match self {
            Basis::Units(_) | Basis::Total => Source::Custom,
            Basis::Reported => Source::ProviderReported,
            Basis::Untold | Basis::Rates(_) if custom => Source::Custom,
            Basis::Untold | Basis::Rates(_) => Source::Catalog,
        }
    }

    /// Whether its lines depend on how much was used.
    pub fn is_metered(&self) -> bool {
        matches!(self, Basis::Rates(_) | Basis::Units(_))
    }
}

// === impl Source ===

impl Source {
    /// An estimated quantity makes an estimated line, whoever set the price.
    pub fn of_usage(self, usage: Option<&Usage>) -> Self {
        match usage.map(|usage| usage.source) {
            Some(UsageSource::Estimated) if self != Source::ProviderReported => Source::Estimated,
            _ => self,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_class_s_number_is_its_place() {
        for (number, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, number);
        }
    }

    #[test]
    fn unit_prices_print_as_price_pages_do() {
        assert_eq!(UnitPrice::from(2_500_000_000).to_string(), "2.5");
        assert_eq!(UnitPrice::from(37_500_000).to_string(), "0.0375");
        assert_eq!(UnitPrice::from(0).to_string(), "0");
        assert_eq!(UnitPrice::from(u64::MAX).to_string(), "18446744073.709551615");
        assert_eq!(UnitPrice::from_units(1).to_string(), "0.000000000000000000000001");
        assert_eq!(UnitPrice::from(5).as_rate(), Some(5));
        assert_eq!(UnitPrice::from_units(5).as_rate(), None);
    }
}
