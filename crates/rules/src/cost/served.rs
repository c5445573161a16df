//! Which of a price's rates count: by the way in which a request was served, and by the length of its prompt.
//!
//! Enters: usage with its terms, a price. Leaves: rates, or nothing where the price has none for that way.
//! Never: takes the usual price for a way that it does not know. A tier that nobody wrote a price for is unknown.
//!
//! The terms are the answer's where it says something, else the request's: who asks for `flex` and is served by `default` pays the latter. A region
//! without a price of its own costs what everywhere costs; a size, a quality or a depth of search must be named where any is.

use tollgate_model::Usage;
use tollgate_model::price::{Price, Rates, Tier, Variant, When};
use tollgate_model::usage::{Term, Terms};

pub(super) fn rates<'p>(usage: &Usage, price: &'p Price) -> Option<&'p Rates> {
    let (rates, tiers) = match variant(&usage.terms, price) {
        Some(variant) => (&variant.rates, &variant.tiers),
        None if is_usual(&usage.terms, price) => (&price.rates, &price.tiers),
        None => return None,
    };
    Some(of_length(usage.tokens_in(), rates, tiers))
}

/// Where an address has the request computed: Vertex writes it into the path.
pub fn region(path: &str) -> Option<&str> {
    let (_, behind) = path.split_once("locations/")?;
    behind.split('/').next().filter(|region| !region.is_empty())
}

/// The last tier whose threshold the whole input, cached or not, is past: that is what providers call a long prompt.
fn of_length<'p>(tokens_in: u64, rates: &'p Rates, tiers: &'p [Tier]) -> &'p Rates {
    let tier = tiers.iter().rev().find(|tier| tokens_in > tier.above_input_tokens);
    tier.map_or(rates, |tier| &tier.rates)
}

fn variant<'p>(terms: &Terms, price: &'p Price) -> Option<&'p Variant> {
    price.variants.iter().find(|variant| {
        let fits = |term| fits(variant.when.word(term), terms.special(term), is_strict(term, price));
        Term::ALL.into_iter().all(fits)
    })
}

fn is_usual(terms: &Terms, price: &Price) -> bool {
    Term::ALL.into_iter().all(|term| fits(None, terms.special(term), is_strict(term, price)))
}

fn fits(wanted: Option<&str>, said: Option<&str>, is_strict: bool) -> bool {
    match (wanted, said) {
        (Some(wanted), Some(said)) => matches(wanted, said),
        (Some(_), None) => false,
        (None, Some(_)) => !is_strict,
        (None, None) => true,
    }
}

fn matches(wanted: &str, said: &str) -> bool {
    if let Some(other) = wanted.strip_prefix('!') {
        return !matches(other, said);
    }
    match wanted.strip_suffix('*') {
        Some(prefix) => said.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
        None => said.eq_ignore_ascii_case(wanted),
    }
}

fn is_strict(term: Term, price: &Price) -> bool {
    let named = || price.variants.iter().any(|Variant { when, .. }| When::word(when, term).is_some());
    match term {
        Term::Tier => true,
        Term::Region => false,
        Term::Size | Term::Quality | Term::Depth => named(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rates_of(input: u64) -> Rates {
        Rates { input: Some(input), ..Rates::default() }
    }

    fn variant(when: When, input: u64) -> Variant {
        Variant { when, rates: rates_of(input), tiers: Vec::new() }
    }

    fn word(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn price() -> Price {
        let long = Tier { above_input_tokens: 100, rates: rates_of(9) };
        let variants = vec![
            variant(When { tier: word("flex"), region: word("us"), ..When::default() }, 1),
            Variant { tiers: vec![long], ..variant(When { tier: word("flex"), ..When::default() }, 2) },
            variant(When { region: word("us"), ..When::default() }, 3),
            variant(When { size: word("1024*"), ..When::default() }, 4),
        ];
        Price { rates: rates_of(5), variants, ..Price::default() }
    }

    #[track_caller]
    fn check(words: &[(Term, &str)], tokens: u64, expected: Option<u64>) {
        let mut usage = Usage { input: tokens, ..Usage::default() };
        words.iter().for_each(|(term, word)| usage.terms.note(*term, word));
        assert_eq!(rates(&usage, &price()).map(|rates| rates.input.unwrap()), expected, "{words:?}");
    }

    #[test]
    fn the_first_way_that_fits_counts_and_a_tier_without_a_price_is_unknown() {
        check(&[], 1, Some(5));
        check(&[(Term::Tier, "default"), (Term::Region, "global")], 1, Some(5));
        check(&[(Term::Tier, "FLEX")], 1, Some(2));
        check(&[(Term::Tier, "flex")], 101, Some(9));
        check(&[(Term::Tier, "flex"), (Term::Region, "us")], 1, Some(1));
        check(&[(Term::Tier, "priority")], 1, None);
        check(&[(Term::Region, "us")], 1, Some(3));
        check(&[(Term::Region, "eu")], 1, Some(5));
        check(&[(Term::Size, "1024x1024")], 1, Some(4));
        check(&[(Term::Size, "256x256")], 1, None);
        check(&[(Term::Quality, "hd")], 1, Some(5));
    }

    #[test]
    fn a_pattern_may_say_any_or_any_other() {
        assert!(matches("europe-*", "europe-west1") && !matches("europe-*", "us-east1"));
        assert!(matches("!global", "us-east1") && !matches("!global", "GLOBAL"));
        assert!(!matches("é*", "e"));
    }
}
