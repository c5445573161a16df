//! Laws that every cost keeps, whatever the usage and the price.

#![allow(clippy::unwrap_used)]

use tollgate_model::price::{Price, Rates, Tier};
use tollgate_model::{Money, Usage};
use tollgate_rules::cost::{self, Class, Ledger};

/// A small generator with a fixed seed: the same thousands of cases on every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Small, middling and enormous numbers, and often none.
    fn count(&mut self) -> u64 {
        match self.next() % 8 {
            0 | 1 => 0,
            2 => u64::MAX - self.next() % 3,
            3 => self.next(),
            _ => self.next() % 3_000_000,
        }
    }

    /// Of classes that few answers have.
    fn rarely(&mut self) -> u64 {
        if self.next().is_multiple_of(4) { self.count() } else { 0 }
    }

    fn rate(&mut self) -> Option<u64> {
        match self.next() % 6 {
            0 => None,
            1 => Some(u64::MAX),
            2 => Some(0),
            _ => Some(self.next() % 200_000_000_000),
        }
    }

    fn usage(&mut self) -> Usage {
        Usage {
            input: self.count(),
            cache_read: self.count(),
            cache_write_5m: self.count(),
            cache_write_1h: self.count(),
            audio_in: self.count(),
            output: self.count(),
            reasoning: self.count(),
            audio_out: self.count(),
            searches: self.count(),
            images: self.count(),
            cache_read_audio: self.rarely(),
            cache_read_image: self.rarely(),
            image_in: self.rarely(),
            image_out: self.rarely(),
            seconds: self.rarely(),
            characters: self.rarely(),
            ..Usage::default()
        }
    }

    fn rates(&mut self) -> Rates {
        Rates {
            input: self.rate(),
            output: self.rate(),
            cache_read: self.rate(),
            cache_write_5m: self.rate(),
            cache_write_1h: self.rate(),
            reasoning: self.rate(),
            audio_in: self.rate(),
            audio_out: self.rate(),
            request: self.rate(),
            search: self.rate(),
            image: self.rate(),
            cache_read_audio: self.rate(),
            cache_read_image: self.rate(),
            image_in: self.rate(),
            image_out: self.rate(),
            second: self.rate(),
            character: self.rate(),
        }
    }

    fn price(&mut self) -> Price {
        let tier = Tier { above_input_tokens: self.next() % 1_000_000, rates: self.rates() };
        let tiers = if self.next().is_multiple_of(2) { vec![tier] } else { Vec::new() };
        Price { rates: self.rates(), tiers, ..Price::default() }
    }
}

fn flat(rates: Rates) -> Price {
    Price { rates, ..Price::default() }
}

fn amount(ledger: &Ledger, class: Class) -> Option<Money> {
    ledger.lines.iter().find(|line| line.class == class).map(|line| line.amount)
}

/// The same sum in another way: whole division with its remainder looked at.
fn by_hand(quantity: u64, rate: u64) -> u128 {
    let product = u128::from(quantity) * u128::from(rate);
    product / 1_000_000 + u128::from(product % 1_000_000 >= 500_000)
}

#[test]
fn lines_sum_to_the_total_and_each_is_its_own_product() {
    let (mut dice, mut known) = (Dice(1), 0);
    for _ in 0..200_000 {
        let (usage, price) = (dice.usage(), dice.price());
        let Some(ledger) = cost::of(&usage, &price) else { continue };
        known += 1;
        let sum: i128 = ledger.lines.iter().map(|line| i128::from(line.amount.nanos())).sum();
        assert_eq!(sum, i128::from(ledger.total.nanos()), "{usage:?} {price:?}");
        for line in &ledger.lines {
            assert!(line.quantity > 0);
            assert_eq!(
                by_hand(line.quantity, line.price.unwrap().as_rate().unwrap()),
                u128::try_from(line.amount.nanos()).unwrap()
            );
        }
    }
    assert!(known > 1_000, "only {known} of the cases had a cost");
}

#[test]
fn more_of_anything_never_costs_less() {
    let mut dice = Dice(2);
    for _ in 0..50_000 {
        let (less, price) = (dice.usage(), flat(dice.rates()));
        let mut more = less.clone();
        let classes: [fn(&mut Usage) -> &mut u64; 10] = [
            |usage| &mut usage.input,
            |usage| &mut usage.cache_read,
            |usage| &mut usage.cache_write_5m,
            |usage| &mut usage.cache_write_1h,
            |usage| &mut usage.audio_in,
            |usage| &mut usage.output,
            |usage| &mut usage.reasoning,
            |usage| &mut usage.audio_out,
            |usage| &mut usage.searches,
            |usage| &mut usage.images,
        ];
        let count = classes[(dice.next() % 10) as usize](&mut more);
        *count = count.saturating_add(dice.next() % 1_000_000);
        // Images that tokens paid for cost nothing by themselves; giving the first tokens makes them so.
        if less.images > 0 && less.tokens_out() == 0 && price.rates.image.is_none() {
            continue;
        }
        if let Some(more) = cost::of(&more, &price) {
            let less = cost::of(&less, &price).expect("what has a cost has one with less of it");
            assert!(less.total <= more.total);
        }
    }
}

#[test]
fn a_basic_class_without_a_rate_makes_the_cost_unknown() {
    let rates = Rates { input: Some(1), output: Some(1), search: Some(1), image: Some(1), ..Rates::default() };
    let used = Usage { input: 1, output: 1, searches: 1, images: 1, ..Usage::default() };
    assert!(cost::of(&used, &flat(rates.clone())).is_some());
    for without in [
        Rates { input: None, ..rates.clone() },
        Rates { output: None, ..rates.clone() },
        Rates { search: None, ..rates.clone() },
        Rates { image: None, output: None, ..rates },
    ] {
        assert_eq!(cost::of(&used, &flat(without.clone())), None, "{without:?}");
        assert!(cost::of(&Usage::default(), &flat(without)).is_some(), "nothing used needs no rate");
    }
}

#[test]
fn special_classes_fall_back_as_documented() {
    let rates = Rates { input: Some(1_000_000), output: Some(2_000_000), ..Rates::default() };
    let used = Usage {
        cache_read: 1,
        cache_write_5m: 2,
        cache_write_1h: 3,
        audio_in: 4,
        reasoning: 5,
        audio_out: 6,
        ..Usage::default()
    };
    assert_eq!(cost::of(&used, &flat(rates.clone())).unwrap().total.nanos(), 1 + 2 + 3 + 4 + 10 + 12);
    // A provider's only write rate counts for the hour as well, but never the hour's for five minutes.
    let one_write_rate = Rates { cache_write_5m: Some(10_000_000), ..rates.clone() };
    let ledger = cost::of(&used, &flat(one_write_rate)).unwrap();
    assert_eq!(amount(&ledger, Class::CacheWrite1h), Some(Money::from_nanos(30)));
    let hour_only = Rates { cache_write_1h: Some(10_000_000), ..rates };
    let ledger = cost::of(&used, &flat(hour_only)).unwrap();
    assert_eq!(amount(&ledger, Class::CacheWrite5m), Some(Money::from_nanos(2)));
}

#[test]
fn images_are_paid_by_the_piece_or_by_tokens_but_not_by_nothing() {
    let by_piece = Rates { image: Some(20_000_000_000_000), ..Rates::default() };
    let by_tokens = Rates { input: Some(1), output: Some(1), ..Rates::default() };
    let (two, counted) = (Usage { images: 2, ..Usage::default() }, Usage { images: 2, output: 1, ..Usage::default() });
    assert_eq!(cost::of(&two, &flat(by_piece)).unwrap().total.nanos(), 40_000_000);
    assert!(cost::of(&counted, &flat(by_tokens.clone())).is_some());
    assert_eq!(cost::of(&two, &flat(by_tokens)), None);
}

#[test]
fn each_request_pays_its_fee_once() {
    let price = flat(Rates { input: Some(0), request: Some(5_000_000_000_000), ..Rates::default() });
    let ledger = cost::of(&Usage { input: 1000, ..Usage::default() }, &price).unwrap();
    assert_eq!(amount(&ledger, Class::Request), Some(Money::from_nanos(5_000_000)));
}

#[test]
fn half_a_nano_dollar_is_rounded_up() {
    for (quantity, rate, expected) in [(1, 499_999, 0), (1, 500_000, 1), (3, 500_000, 2), (1, 1_499_999, 1)] {
        let price = flat(Rates { input: Some(rate), ..Rates::default() });
        let ledger = cost::of(&Usage { input: quantity, ..Usage::default() }, &price).unwrap();
        assert_eq!(ledger.total.nanos(), expected, "{quantity} at {rate}");
    }
}

#[test]
fn more_than_money_can_hold_is_unknown_and_never_a_panic() {
    let most = Usage { input: u64::MAX, output: u64::MAX, reasoning: u64::MAX, ..Usage::default() };
    let price = flat(Rates { input: Some(u64::MAX), output: Some(u64::MAX), ..Rates::default() });
    assert_eq!(cost::of(&most, &price), None);
    let cheap = flat(Rates { input: Some(1), output: Some(1), ..Rates::default() });
    assert!(cost::of(&most, &cheap).is_some());
}

#[test]
fn the_tier_is_chosen_by_all_that_went_in() {
    let rates = |rate| Rates { input: Some(rate), output: Some(rate), ..Rates::default() };
    let tiers = vec![
        Tier { above_input_tokens: 100, rates: rates(2_000_000) },
        Tier { above_input_tokens: 200, rates: rates(3_000_000) },
    ];
    let price = Price { rates: rates(1_000_000), tiers, ..Price::default() };
    for (fresh, cached, expected) in [(100, 0, 100), (101, 0, 202), (1, 100, 202), (0, 200, 400), (101, 100, 603)] {
        let usage = Usage { input: fresh, cache_read: cached, ..Usage::default() };
        assert_eq!(cost::of(&usage, &price).unwrap().total.nanos(), expected, "{fresh} and {cached}");
    }
}
