//! The caller's own price for one request: the header `cf-aig-custom-cost`.
//!
//! Enters: the header's JSON. Leaves: an amount in whole nano-dollars, rounded once, half up, at the end.
//! Never: fails a request: a header that does not read as intended is no custom cost.
//!
//! Figures are dollars per single token, so they are small and may be long. They are kept in units of 10⁻³⁰ dollars; decimals past
//! the thirtieth are cut: over 10¹² tokens, less than a billionth of a nano-dollar. The largest figure is 10⁸ dollars.

use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_model::charge::{Basis, Class, UnitPrice};
use tollgate_model::money::scaled;
use tollgate_model::{Money, Usage};

const PLACES: i32 = 30;
const UNITS_PER_NANO: i128 = 10_i128.pow(21);
const FIGURE_MAX: i128 = 10_i128.pow(38);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomCost(Terms);

/// How a provider counts tokens that touched its prompt cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheCounts {
    /// `prompt_tokens` holds them: OpenAI, Google, xAI, DeepSeek, Groq.
    InsideInput,
    /// They are reported beside `input_tokens`: Anthropic, also on Bedrock and Vertex.
    BesideInput,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Terms {
    Total(Money),
    PerToken { input: i128, output: i128, cache: Option<CacheRates> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct CacheRates {
    read: i128,
    write: i128,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    per_token_in: Option<&'a RawValue>,
    #[serde(borrow)]
    per_token_out: Option<&'a RawValue>,
    #[serde(borrow)]
    per_cache_read_token: Option<&'a RawValue>,
    #[serde(borrow)]
    per_cache_write_token: Option<&'a RawValue>,
    #[serde(borrow)]
    total_cost: Option<&'a RawValue>,
}

// === impl CustomCost ===

impl CustomCost {
    /// `None` when the header is not a JSON object of numbers, names no price, or a price is negative or out of bounds.
    /// `total_cost` wins over prices per token; of those, a missing one is 0, because the caller's formula has no such term.
    pub fn read(header: &str) -> Option<CustomCost> {
        let header: Header = serde_json::from_str(header).ok()?;
        let total = figure(header.total_cost)?;
        let (input, output) = (figure(header.per_token_in)?, figure(header.per_token_out)?);
        let (read, write) = (figure(header.per_cache_read_token)?, figure(header.per_cache_write_token)?);
        if let Some(total) = total {
            return Some(Self(Terms::Total(rounded(total)?)));
        }
        [input, output, read, write].iter().flatten().next()?;
        let input = input.unwrap_or(0);
        let cached = read.is_some() || write.is_some();
        let cache = cached.then(|| CacheRates { read: read.unwrap_or(input), write: write.unwrap_or(input) });
        Some(Self(Terms::PerToken { input, output: output.unwrap_or(0), cache }))
    }

    /// A total needs no usage. `None` when there is none to price, or the sum is beyond what money can hold.
    pub fn of(&self, usage: Option<&Usage>, counts: CacheCounts) -> Option<Money> {
        match &self.0 {
            Terms::Total(total) => Some(*total),
            Terms::PerToken { input, output, cache } => {
                let (usage, fresh) = (usage?, fresh_input(usage?));
                let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
                let sum = match (cache, counts) {
                    (Some(rates), _) => {
                        sum_of(&[(fresh, *input), (usage.cached(), rates.read), (written, rates.write)])
                    }
                    // Without cache prices the old formula stands: what the provider calls input, times the one price.
                    (None, CacheCounts::InsideInput) => sum_of(&[(usage.tokens_in(), *input)]),
                    (None, CacheCounts::BesideInput) => sum_of(&[(fresh, *input)]),
                };
                rounded(sum?.checked_add(sum_of(&[(usage.tokens_out(), *output)])?)?)
            }
        }
    }
}

// === as lines ===

impl CustomCost {
    /// The same price as one per unit of each class that was used. Their products sum to what [`CustomCost::of`] rounds.
    pub fn basis(&self, usage: Option<&Usage>, counts: CacheCounts) -> Basis {
        let Terms::PerToken { input, output, cache } = &self.0 else { return Basis::Total };
        let (read, write) = match (cache, counts) {
            (Some(rates), _) => (rates.read, rates.write),
            (None, CacheCounts::InsideInput) => (*input, *input),
            (None, CacheCounts::BesideInput) => (0, 0),
        };
        let price = |class: Class| match class {
            Class::Input | Class::AudioIn | Class::ImageIn => Some(*input),
            Class::CacheRead | Class::CacheReadAudio | Class::CacheReadImage => Some(read),
            Class::CacheWrite5m | Class::CacheWrite1h => Some(write),
            Class::Output | Class::Reasoning | Class::AudioOut | Class::ImageOut => Some(*output),
            Class::Request | Class::Search | Class::Image | Class::Second | Class::Character => None,
        };
        let used = |class: &Class| usage.is_some_and(|usage| class.quantity(usage) > 0);
        let priced = |class| Some((class, UnitPrice::from_units(price(class)?.unsigned_abs())));
        Basis::Units(Class::ALL.into_iter().filter(used).filter_map(priced).collect())
    }
}

fn fresh_input(usage: &Usage) -> u64 {
    usage.fresh()
}

fn sum_of(terms: &[(u64, i128)]) -> Option<i128> {
    terms.iter().try_fold(0_i128, |sum, (tokens, each)| sum.checked_add(each.checked_mul(i128::from(*tokens))?))
}

fn rounded(units: i128) -> Option<Money> {
    let nanos = units.checked_add(UNITS_PER_NANO / 2)? / UNITS_PER_NANO;
    i64::try_from(nanos).ok().map(Money::from_nanos)
}

/// Outer `None`: malformed. Inner `None`: not given, or `null`.
fn figure(raw: Option<&RawValue>) -> Option<Option<i128>> {
    let Some(raw) = raw else { return Some(None) };
    let number = raw.get();
    if !number.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let units = scaled(&cut(number)?, PLACES as usize).ok()?;
    (0..=FIGURE_MAX).contains(&units).then_some(Some(units))
}

/// The same JSON number without the decimals that lie past `PLACES`.
fn cut(number: &str) -> Option<String> {
    let (digits, exponent) = match number.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let past = usize::try_from(decimals.checked_sub(PLACES)?).unwrap_or(0);
    let digits = format!("{whole}{fraction}");
    let kept = digits.get(..digits.len().saturating_sub(past)).filter(|kept| !kept.is_empty()).unwrap_or("0");
    let decimals = decimals.min(PLACES);
    // One zero stays in front, in case that nothing else does.
    Some(format!("0{}e{}", kept.trim_start_matches('0'), decimals.checked_neg()?))
}
