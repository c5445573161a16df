//! The lines of a ledger: they sum to the amount, whatever the usage and the price, and are the record's own for ever.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tollgate_model::charge::{Basis, Class};
use tollgate_model::price::{Price, Rates, Tier};
use tollgate_model::record::Cost;
use tollgate_model::{Money, Usage};
use tollgate_rules::cost::{self, CacheCounts, CustomCost, Heard, Ledger, estimate};

fn by_list(usage: &Usage, price: &Price) -> Option<Cost> {
    let (amount, applied) = cost::charge(usage, price)?;
    Some(Cost { basis: Basis::Rates(applied), ..Cost::plain(amount) })
}

fn by_header(header: &str, usage: &Usage, counts: CacheCounts) -> Option<Cost> {
    let custom = CustomCost::read(header)?;
    let amount = custom.of(Some(usage), counts)?;
    Some(Cost { basis: custom.basis(Some(usage), counts), custom: true, ..Cost::plain(amount) })
}

fn sum(ledger: &Ledger) -> i64 {
    ledger.lines.iter().map(|line| line.amount.nanos()).sum()
}

fn counts() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..50_u64, 0..3_000_000_u64]
}

prop_compose! {
    fn usages()(of in prop::array::uniform10(counts()), more in prop::array::uniform6(counts())) -> Usage {
        let [input, cache_read, cache_write_5m, cache_write_1h, audio_in, output, reasoning, audio_out, searches, images] = of;
        let [cache_read_audio, cache_read_image, image_in, image_out, seconds, characters] = more;
        Usage {
            input, cache_read, cache_write_5m, cache_write_1h, audio_in, output, reasoning, audio_out, searches, images,
            cache_read_audio, cache_read_image, image_in, image_out, seconds, characters, ..Usage::default()
        }
    }
}

fn rate() -> impl Strategy<Value = Option<u64>> {
    prop::option::weighted(0.8, 0..200_000_000_000_u64)
}

prop_compose! {
    fn rates()(of in prop::array::uniform11(rate()), more in prop::array::uniform6(rate())) -> Rates {
        let [input, output, cache_read, cache_write_5m, cache_write_1h, reasoning, audio_in, audio_out, request, search, image] = of;
        let [cache_read_audio, cache_read_image, image_in, image_out, second, character] = more;
        Rates {
            input, output, cache_read, cache_write_5m, cache_write_1h, reasoning, audio_in, audio_out, request, search, image,
            cache_read_audio, cache_read_image, image_in, image_out, second, character,
        }
    }
}

prop_compose! {
    fn prices()(rates in rates(), tier in prop::option::of((0..5_000_000_u64, rates()))) -> Price {
        let tiers = tier.map(|(above_input_tokens, rates)| Tier { above_input_tokens, rates });
        Price { rates, tiers: tiers.into_iter().collect(), ..Price::default() }
    }
}

proptest! {
    #[test]
    fn lines_told_later_are_those_that_were_charged(usage in usages(), price in prices()) {
        let Some(cost) = by_list(&usage, &price) else { return Ok(()) };
        let told = cost::lines(Some(&usage), &cost).unwrap();
        prop_assert_eq!(sum(&told), cost.amount.nanos());
        prop_assert_eq!(&told, &cost::of(&usage, &price).unwrap());
    }

    #[test]
    fn lines_of_a_caller_s_price_sum_to_what_it_rounds(
        usage in usages(),
        figures in prop::array::uniform4(prop::option::of(0..10_u64.pow(15))),
        places in 9..21_u32,
        beside in any::<bool>(),
    ) {
        let names = ["per_token_in", "per_token_out", "per_cache_read_token", "per_cache_write_token"];
        let members: Vec<String> = names.iter().zip(figures).filter_map(|(name, figure)| Some(format!("\"{name}\":{}e-{places}", figure?))).collect();
        let counts = if beside { CacheCounts::BesideInput } else { CacheCounts::InsideInput };
        let Some(cost) = by_header(&format!("{{{}}}", members.join(",")), &usage, counts) else { return Ok(()) };
        let told = cost::lines(Some(&usage), &cost).unwrap();
        prop_assert_eq!(sum(&told), cost.amount.nanos());
        for line in &told.lines {
            let exact = line.price.unwrap().units() * u128::from(line.quantity);
            let off = exact.abs_diff(line.amount.nanos() as u128 * 10_u128.pow(21));
            prop_assert!(off < 10_u128.pow(21), "a line is less than a nano-dollar off: {:?}", line);
        }
    }
}

proptest! {
    #[test]
    fn an_estimate_never_falls_when_more_was_delivered(
        request_bytes in any::<u64>(),
        window in prop::option::of(any::<u64>()),
        pieces in prop::collection::vec(0..5_000_u64, 0..100),
    ) {
        let rates = Rates { input: Some(150_000_000), output: Some(600_000_000), ..Rates::default() };
        let price = Price { rates, ..Price::default() };
        let mut heard = Heard { request_bytes: request_bytes % (1 << 40), context_window: window, ..Heard::default() };
        let mut before = (0, Money::ZERO);
        for piece in pieces {
            heard.text_bytes += piece;
            heard.deltas += u64::from(piece > 0);
            let usage = estimate(&heard);
            let cost = cost::of(&usage, &price).unwrap().total;
            prop_assert!(usage.output >= before.0 && cost >= before.1 && cost >= Money::ZERO);
            prop_assert!(usage.output <= heard.text_bytes, "no token is shorter than a byte");
            before = (usage.output, cost);
        }
    }
}

#[test]
fn a_later_price_changes_nothing_that_was_charged() {
    let usage = Usage { input: 1_001, output: 77, ..Usage::default() };
    let price =
        |input| Price { rates: Rates { input: Some(input), output: Some(3), ..Rates::default() }, ..Price::default() };
    let cost = by_list(&usage, &price(37_500_000)).unwrap();
    let before = cost::lines(Some(&usage), &cost);
    // 37.5 nano-dollars a token: the half is rounded up. 77 tokens at a three-millionth are nothing.
    assert_eq!(cost.amount, Money::from_nanos(37_538));
    assert_ne!(by_list(&usage, &price(99_000_000)).unwrap().amount, cost.amount);
    assert_eq!(cost::lines(Some(&usage), &cost), before);
}

#[test]
fn the_nano_dollars_of_a_rounded_total_go_to_the_largest_remainders() {
    let usage = Usage { input: 7, output: 9, cache_read: 2, ..Usage::default() };
    let cost = by_header(r#"{"per_token_in":1e-10,"per_token_out":1e-10}"#, &usage, CacheCounts::InsideInput).unwrap();
    let lines = cost::lines(Some(&usage), &cost).unwrap().lines;
    let amounts: Vec<_> = lines.iter().map(|line| (line.class, line.amount.nanos())).collect();
    // 0.7 + 0.2 + 0.9 = 1.8, which is 2.
    assert_eq!(amounts, [(Class::Input, 1), (Class::CacheRead, 0), (Class::Output, 1)]);
}

#[test]
fn what_cannot_be_told_is_not() {
    let usage = Usage { input: 5, ..Usage::default() };
    let plain = Cost::plain(Money::from_nanos(5));
    assert_eq!(cost::lines(Some(&usage), &plain), None, "a record from before lines were kept");
    assert_eq!(cost::lines(None, &Cost::FREE), Some(Ledger::default()));
    let total = Cost { basis: Basis::Total, ..plain.clone() };
    assert_eq!(sum(&cost::lines(None, &total).unwrap()), 5);
    let mut listed =
        by_list(&usage, &Price { rates: Rates { input: Some(1_000_000), ..Rates::default() }, ..Price::default() })
            .unwrap();
    assert_eq!(cost::lines(None, &listed), None, "its usage is gone");
    listed.amount = Money::from_nanos(6);
    assert_eq!(cost::lines(Some(&usage), &listed), None, "lines that are not the amount are not shown");
}
