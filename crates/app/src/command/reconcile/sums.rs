//! What is added up on both sides: by day and model.
//!
//! Enters: amounts and counts. Leaves: their sums, exact. Never: takes what one side does not tell for zero, or grows past its bound.

use std::collections::BTreeMap;

use anyhow::ensure;
use tollgate_control::time;
use tollgate_model::Money;
use tollgate_model::money::scaled;
use tollgate_rules::catalog::Catalog;

/// More days and models than anyone is billed for.
const SUMS_MAX: usize = 100_000;
pub(super) const DAY_MS: u64 = 86_400_000;
/// Exports write floats; this many decimals of a dollar hold them.
const PLACES: usize = 30;
const UNITS_PER_NANO: i128 = 10_i128.pow(21);

/// Days since 1970, and a model in our words; empty where the export does not say.
pub(super) type Key = (u64, String);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) requests: Option<u64>,
    pub(super) tokens_in: Option<u64>,
    pub(super) tokens_out: Option<u64>,
    /// In 10⁻³⁰ dollars.
    cost: Option<i128>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sums(pub(super) BTreeMap<Key, Sum>);

// === impl Sum ===

impl Sum {
    pub(super) fn cost(&self) -> Option<Money> {
        let units = self.cost?;
        let nanos = (units + UNITS_PER_NANO / 2).div_euclid(UNITS_PER_NANO);
        i64::try_from(nanos).ok().map(Money::from_nanos)
    }

    /// `cents`: the text is in hundredths of a dollar.
    pub(super) fn spent(text: &str, cents: bool) -> Result<Self, String> {
        let places = if cents { PLACES - 2 } else { PLACES };
        let cost = scaled(text, places).map_err(|_| format!("expected an amount, found {text:?}"))?;
        Ok(Self { cost: Some(cost), ..Self::default() })
    }

    pub(super) fn used(requests: Option<u64>, tokens_in: u64, tokens_out: u64) -> Self {
        Self { requests, tokens_in: Some(tokens_in), tokens_out: Some(tokens_out), cost: None }
    }

    pub(super) fn of_ours(tokens: Option<(u64, u64)>, cost: Option<Money>) -> Self {
        let (tokens_in, tokens_out) = tokens.unwrap_or_default();
        let cost = cost.map_or(0, |cost| i128::from(cost.nanos()) * UNITS_PER_NANO);
        Self { cost: Some(cost), ..Self::used(Some(1), tokens_in, tokens_out) }
    }

    pub(super) fn nothing() -> Self {
        Self { cost: Some(0), ..Self::used(Some(0), 0, 0) }
    }

    pub(super) fn add(&mut self, other: &Self) {
        fn sum<T: Copy>(held: &mut Option<T>, new: Option<T>, add: fn(T, T) -> T) {
            *held = match (*held, new) {
                (Some(held), Some(new)) => Some(add(held, new)),
                (held, new) => held.or(new),
            };
        }
        sum(&mut self.requests, other.requests, u64::saturating_add);
        sum(&mut self.tokens_in, other.tokens_in, u64::saturating_add);
        sum(&mut self.tokens_out, other.tokens_out, u64::saturating_add);
        sum(&mut self.cost, other.cost, i128::saturating_add);
    }
}

// === impl Sums ===

impl Sums {
    pub(super) fn add(&mut self, key: Key, sum: &Sum) -> anyhow::Result<()> {
        ensure!(self.0.len() < SUMS_MAX || self.0.contains_key(&key), "more than {SUMS_MAX} days and models");
        self.0.entry(key).or_default().add(sum);
        Ok(())
    }

    pub(super) fn total(&self) -> Sum {
        self.0.values().fold(Sum::default(), |mut total, sum| {
            total.add(sum);
            total
        })
    }
}

/// `2026-11-21`.
pub(super) fn day_text(day: u64) -> String {
    time::text(day * DAY_MS).chars().take(10).collect()
}

/// One name for all spellings of a model: the catalog's where it knows it.
pub(super) fn model(catalog: &Catalog, provider: &str, name: &str) -> String {
    let name = name.trim();
    // Consoles write `Claude Sonnet 4.5` for what the API calls `claude-sonnet-4-5`.
    let plain = name.to_ascii_lowercase().replace([' ', '.'], "-");
    let found = [name, &plain].into_iter().find_map(|name| catalog.model(provider, name));
    found.map_or_else(|| name.to_ascii_lowercase(), |model| model.id.clone())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_added_up_before_they_are_rounded() {
        let mut sum = Sum::default();
        for text in ["0.0000000004", "0.0000000004", "0.00000000040000000000000001"] {
            sum.add(&Sum::spent(text, false).unwrap());
        }
        assert_eq!(sum.cost(), Some(Money::from_nanos(1)));
        assert_eq!(Sum::spent("123.78912", true).unwrap().cost(), Some(Money::from_nanos(1_237_891_200)));
        assert_eq!(Sum::spent("-0.5", false).unwrap().cost(), Some(Money::from_nanos(-500_000_000)), "a refund");
        assert!(Sum::spent("$1", false).is_err());
        assert_eq!(Sum::default().cost(), None, "unknown is not nothing");
    }

    #[test]
    fn a_model_has_one_name() {
        let catalog = Catalog::builtin();
        let names = ["claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"];
        let names = names.map(|name| model(&catalog, "anthropic", name));
        assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
        assert_eq!(model(&catalog, "openai", "Image models"), "image models");
    }
}
