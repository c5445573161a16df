//! The most that a request can come to, before it is sent: what is held of a budget meanwhile.
//!
//! Enters: the body, the model's price, the caller's own price. Leaves: an amount, or nothing where no price is known.
//! Never: reads more of a body than it takes to find a few names in it.
//!
//! Input: one token a byte, which no vocabulary exceeds, up to the context window; at the dearest rate that input can have. Output: the largest
//! maximum that the body names, at the dearest rate of output. Who names none is held [`ASSUMED_OUTPUT_TOKENS`]: what goes beyond counts when it
//! is known.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use tollgate_model::price::{Price, Rates, Variant};
use tollgate_model::{Money, Usage};

use super::custom::{CacheCounts, CustomCost};
use super::of;

/// Held for an answer whose length nobody limits.
pub const ASSUMED_OUTPUT_TOKENS: u64 = 4_096;
/// A larger maximum is no maximum.
const OUTPUT_TOKENS_MAX: u64 = 1_000_000;
/// Answers at once; more than any provider gives.
const CHOICES_MAX: u64 = 128;

/// What is known of a request.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Empty when it flows through unread.
    pub body: &'a [u8],
    pub body_bytes: u64,
    /// The model's, when the catalog knows it.
    pub context_window: Option<u64>,
}

/// Tokens that go in and come out at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
}

/// Names that begin alike: the body is searched once for all of them.
struct Members {
    begin: Finder<'static>,
    /// What follows, the closing quote included.
    rest: &'static [&'static [u8]],
}

/// Members that limit an answer's length, in any dialect. Where several are found, at whatever depth, the largest counts.
static OUTPUT_MEMBERS: LazyLock<[Members; 2]> = LazyLock::new(|| {
    const MAX: &[&[u8]] = &[
        b"_tokens\"",
        b"_completion_tokens\"",
        b"_output_tokens\"",
        b"OutputTokens\"",
        b"Tokens\"",
        b"_tokens_to_sample\"",
        b"TokenCount\"",
        b"_gen_len\"",
        b"_new_tokens\"",
    ];
    [Members::new(b"\"max", MAX), Members::new(b"\"num_predict", &[b"\""])]
});
static CHOICE_MEMBERS: LazyLock<[Members; 4]> = LazyLock::new(|| {
    [b"\"n\"".as_slice(), b"\"best_of\"", b"\"candidateCount\"", b"\"num_generations\""]
        .map(|name| Members::new(name, &[b""]))
});
/// Marks of parts that the provider shall keep, which may cost more than reading them.
static CACHE_MARKS: LazyLock<Members> = LazyLock::new(|| {
    const REST: &[&[u8]] = &[b"_control\"", b"Point\""];
    Members::new(b"\"cache", REST)
});

// === impl Tokens ===

impl Tokens {
    /// What an answer has used, of all classes.
    pub fn of(usage: &Usage) -> Self {
        Self { input: usage.tokens_in(), output: usage.tokens_out() }
    }
}

/// Asking for another service tier than the usual.
static TIER_MARKS: LazyLock<[Members; 2]> = LazyLock::new(|| {
    const TIER: &[&[u8]] = &[b"_tier\"", b"Tier\""];
    [Members::new(b"\"service", TIER), Members::new(b"\"speed\"", &[b""])]
});

// === impl Asked ===

impl Asked<'_> {
    pub fn tokens(&self) -> Tokens {
        let window = self.context_window.unwrap_or(u64::MAX);
        let said = largest(self.body, &*OUTPUT_MEMBERS).map(|most| most.min(OUTPUT_TOKENS_MAX));
        let choices = largest(self.body, &*CHOICE_MEMBERS).unwrap_or(1).clamp(1, CHOICES_MAX);
        let output = said.unwrap_or(ASSUMED_OUTPUT_TOKENS).min(window).saturating_mul(choices);
        Tokens { input: self.body_bytes.min(window), output }
    }

    /// `None`: the price is not known, so nothing can be held.
    pub fn cost(&self, price: Option<&Price>, custom: Option<&CustomCost>) -> Option<Money> {
        let Tokens { input, output } = self.tokens();
        let usage = Usage { input, output, ..Usage::default() };
        match custom {
            Some(custom) => custom.of(Some(&usage), CacheCounts::InsideInput),
            None => of(&usage, &self.dearest(price?)).map(|ledger| ledger.total),
        }
    }

    /// As if every token were of the class that costs most.
    fn dearest(&self, price: &Price) -> Price {
        let writes = CACHE_MARKS.find(self.body).next().is_some();
        let of = |rates: &Rates| {
            let kept = if writes { rates.cache_write_5m.max(rates.cache_write_1h) } else { None };
            // A model without a price for output gives none.
            let output = rates.output.max(rates.reasoning).max(rates.audio_out).max(rates.image_out).or(Some(0));
            Rates { input: rates.input.max(kept), output, request: rates.request, ..Rates::default() }
        };
        let mut dear = Price { rates: of(&price.rates), ..Price::default() };
        let variants = price.variants.iter().filter(|variant| self.may_be(variant));
        let tiers = variants.clone().flat_map(|variant| &variant.tiers).chain(&price.tiers).map(|tier| &tier.rates);
        for rates in variants.clone().map(|variant| &variant.rates).chain(tiers) {
            let rates = of(rates);
            dear.rates.input = dear.rates.input.max(rates.input);
            dear.rates.output = dear.rates.output.max(rates.output);
            dear.rates.request = dear.rates.request.max(rates.request);
        }
        dear
    }

    /// A tier must be asked for, as far as anybody here can know; regions and the like may come by themselves.
    fn may_be(&self, variant: &Variant) -> bool {
        let asks = || TIER_MARKS.iter().any(|marks| marks.find(self.body).next().is_some());
        variant.when.tier.is_none() || asks()
    }
}

/// The largest whole number that one of these members has. Within a JSON string a quote is escaped, so a name between bare quotes is a member.
fn largest(body: &[u8], members: &[Members]) -> Option<u64> {
    members.iter().flat_map(|members| members.find(body).filter_map(number)).max()
}

impl Members {
    fn new(begin: &'static [u8], rest: &'static [&'static [u8]]) -> Self {
        Self { begin: Finder::new(begin), rest }
    }

    /// What stands behind each of them.
    fn find<'a>(&'a self, body: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.begin.find_iter(body).filter_map(|at| {
            let after = &body[at + self.begin.needle().len()..];
            self.rest.iter().find_map(|rest| after.strip_prefix(*rest))
        })
    }
}

fn number(after: &[u8]) -> Option<u64> {
    let after = after.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&after[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn asked(body: &str) -> Asked<'_> {
        Asked { body: body.as_bytes(), body_bytes: body.len() as u64, context_window: Some(100_000) }
    }

    fn price(rates: Rates) -> Price {
        Price { rates, ..Price::default() }
    }

    #[test]
    fn the_largest_maximum_counts_wherever_it_stands() {
        for (body, output) in [
            (r#"{"model":"m","max_tokens": 100}"#, 100),
            (r#"{"max_completion_tokens":7,"tools":[{"max_tokens":9}]}"#, 9),
            (r#"{"generationConfig":{"maxOutputTokens":50,"candidateCount":2}}"#, 100),
            (r#"{"max_tokens":10,"n":3}"#, 30),
            (r#"{"messages":[{"content":"\"max_tokens\": 5"}]}"#, ASSUMED_OUTPUT_TOKENS),
            (r#"{"max_tokens":null}"#, ASSUMED_OUTPUT_TOKENS),
            (r#"{"max_tokens":99999999999999999999999}"#, ASSUMED_OUTPUT_TOKENS),
            (r#"{"max_tokens":900000}"#, 100_000),
        ] {
            assert_eq!(asked(body).tokens().output, output, "{body}");
        }
    }

    #[test]
    fn no_usage_within_the_bound_costs_more_than_it() {
        let body = r#"{"max_tokens":1000,"system":[{"cache_control":{}}]}"#;
        let rates = Rates {
            input: Some(3_000_000_000),
            output: Some(15_000_000_000),
            reasoning: Some(16_000_000_000),
            cache_write_1h: Some(6_000_000_000),
            cache_read: Some(300_000_000),
            ..Rates::default()
        };
        let bound = asked(body).cost(Some(&price(rates.clone())), None).unwrap();
        let length = body.len() as u64;
        let usages = [
            Usage { input: length, output: 1_000, ..Usage::default() },
            Usage { cache_write_1h: length, reasoning: 1_000, ..Usage::default() },
            Usage { cache_read: length, reasoning: 500, output: 500, ..Usage::default() },
        ];
        for usage in usages {
            assert!(of(&usage, &price(rates.clone())).unwrap().total <= bound, "{usage:?}");
        }
        assert_eq!(bound.nanos(), (length * 6_000 + 1_000 * 16_000) as i64);
    }

    #[test]
    fn the_caller_s_own_price_is_the_one_that_counts() {
        let custom = CustomCost::read(r#"{"total_cost": 0.5}"#);
        assert_eq!(asked("{}").cost(None, custom.as_ref()).unwrap().nanos(), 500_000_000);
        let custom = CustomCost::read(r#"{"per_token_in": 1e-6, "per_token_out": 2e-6}"#);
        let bound = asked(r#"{"max_tokens":10}"#).cost(None, custom.as_ref()).unwrap();
        assert_eq!(bound.nanos(), 17 * 1_000 + 10 * 2_000);
    }

    #[test]
    fn what_has_no_price_holds_nothing() {
        assert_eq!(asked("{}").cost(None, None), None);
        assert_eq!(asked("{}").cost(Some(&price(Rates::default())), None), None);
        let embedding = price(Rates { input: Some(20_000_000), ..Rates::default() });
        assert_eq!(asked("{}").cost(Some(&embedding), None).unwrap().nanos(), 2 * 20);
    }
}
