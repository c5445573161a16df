//! The header `cf-aig-custom-cost`: what it means, what is ignored, and that it is exact.

#![allow(clippy::unwrap_used)]

use tollgate_model::Usage;
use tollgate_model::usage::UsageSource;
use tollgate_rules::cost::{CacheCounts, CustomCost, Heard, estimate};

const INSIDE: CacheCounts = CacheCounts::InsideInput;
const BESIDE: CacheCounts = CacheCounts::BesideInput;

#[track_caller]
fn nanos(header: &str, usage: &Usage, counts: CacheCounts) -> i64 {
    CustomCost::read(header).unwrap().of(Some(usage), counts).unwrap().nanos()
}

/// The example of the documentation: 1000 in (600 read from and 200 written to the cache among them), 100 out.
fn cached() -> Usage {
    Usage { input: 200, cache_read: 600, cache_write_5m: 200, output: 100, ..Usage::default() }
}

#[test]
fn prices_per_token() {
    let usage = Usage { input: 10, output: 5, reasoning: 3, audio_out: 2, ..Usage::default() };
    assert_eq!(nanos(r#"{"per_token_in":0.000001,"per_token_out":0.000002}"#, &usage, INSIDE), 10_000 + 20_000);
    assert_eq!(nanos(r#"{"per_token_in":1e-6,"per_token_out":2E-6}"#, &usage, INSIDE), 30_000);
    assert_eq!(nanos(r#"{"per_token_out":2e-6}"#, &usage, BESIDE), 20_000);
}

#[test]
fn cache_prices_split_the_input() {
    let both = r#"{"per_token_in":1e-6,"per_token_out":0,"per_cache_read_token":1e-7,"per_cache_write_token":2e-6}"#;
    for counts in [INSIDE, BESIDE] {
        assert_eq!(nanos(both, &cached(), counts), 200_000 + 60_000 + 400_000);
    }
}

#[test]
fn a_missing_cache_price_is_that_of_input() {
    let read = r#"{"per_token_in":1e-6,"per_cache_read_token":1e-7}"#;
    assert_eq!(nanos(read, &cached(), INSIDE), 200_000 + 60_000 + 200_000);
    let write = r#"{"per_token_in":1e-6,"per_cache_write_token":0}"#;
    assert_eq!(nanos(write, &cached(), BESIDE), 200_000 + 600_000);
}

#[test]
fn without_cache_prices_input_is_what_the_provider_calls_so() {
    let plain = r#"{"per_token_in":1e-6,"per_token_out":1e-6}"#;
    assert_eq!(nanos(plain, &cached(), INSIDE), 1_000_000 + 100_000);
    assert_eq!(nanos(plain, &cached(), BESIDE), 200_000 + 100_000);
}

#[test]
fn a_total_needs_no_usage_and_wins() {
    let total = CustomCost::read(r#"{"total_cost":0.0123456785,"per_token_in":1}"#).unwrap();
    assert_eq!(total.of(None, INSIDE).unwrap().nanos(), 12_345_679);
    let per_token = CustomCost::read(r#"{"per_token_in":1}"#).unwrap();
    assert_eq!(per_token.of(None, INSIDE), None);
}

#[test]
fn fractions_of_a_nano_dollar_add_up_before_they_are_rounded() {
    // A tenth of a nano-dollar and a bit: six tokens reach the half, five do not.
    for (tokens, expected) in [(4, 0), (5, 1), (10, 1), (1_000_000_000, 100_000_000)] {
        let usage = Usage { input: tokens, ..Usage::default() };
        assert_eq!(nanos(r#"{"per_token_in":1.0000000000000001e-10}"#, &usage, INSIDE), expected, "{tokens}");
    }
    // Three thirds, as a 64-bit float prints them, over ten million tokens.
    let usage = Usage { input: 10_000_000, ..Usage::default() };
    assert_eq!(nanos(r#"{"per_token_in":3.3333333333333335e-07}"#, &usage, INSIDE), 3_333_333_333);
    // Past the thirtieth decimal digits are cut.
    assert_eq!(
        nanos(r#"{"per_token_in":1e-40,"per_token_out":1.00000000000000000000000000000000009e-9}"#, &cached(), INSIDE),
        100
    );
}

#[test]
fn what_does_not_read_as_intended_is_ignored() {
    for header in [
        "",
        "1",
        "null",
        "[]",
        "{}",
        "{",
        r#"{"total_cost":null}"#,
        r#"{"per_token_in":"0.1"}"#,
        r#"{"per_token_in":-1}"#,
        r#"{"total_cost":-0.1}"#,
        r#"{"per_token_in":true}"#,
        r#"{"per_token_in":1e400}"#,
        r#"{"per_token_in":100000001}"#,
        r#"{"per_token_in":NaN}"#,
        r#"{"total_cost":1e99999999999}"#,
        r#"{"per_token_in":0.1,"per_token_out":{}}"#,
    ] {
        assert_eq!(CustomCost::read(header), None, "{header}");
    }
    let words = format!(r#"{{"per_token_in":"0.{}"}}"#, "é".repeat(40));
    assert_eq!(CustomCost::read(&words), None);
    assert!(CustomCost::read(r#"{"per_token_in":0,"note":"free"}"#).is_some());
}

#[test]
fn enormous_counts_are_unknown_and_never_a_panic() {
    let most = Usage { input: u64::MAX, cache_read: u64::MAX, output: u64::MAX, ..Usage::default() };
    let dear = CustomCost::read(r#"{"per_token_in":1000,"per_token_out":1000}"#).unwrap();
    assert_eq!(dear.of(Some(&most), INSIDE), None);
    let cheap = CustomCost::read(r#"{"per_token_in":1e-21}"#).unwrap();
    assert_eq!(cheap.of(Some(&most), INSIDE).unwrap().nanos(), 18_446_744);
}

#[test]
fn an_estimate_says_that_it_is_one() {
    let heard = Heard { request_bytes: 401, deltas: 7, text_bytes: 20, context_window: None };
    let usage = estimate(&heard);
    assert_eq!((usage.input, usage.output, usage.source), (101, 7, UsageSource::Estimated));
    // Frames that gather many tokens, and frames without a letter in them.
    assert_eq!(estimate(&Heard { deltas: 2, text_bytes: 400, ..heard }).output, 100);
    assert_eq!(estimate(&Heard { deltas: 50, text_bytes: 3, ..heard }).output, 3);
    // A picture inside the JSON is not a hundred thousand words.
    let picture = Heard { request_bytes: 4_000_000, context_window: Some(128_000), ..heard };
    assert_eq!(estimate(&picture).input, 128_000);
}
