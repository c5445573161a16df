//! Exports in every documented shape against a log of our own. The fixtures are written by hand, in the shapes that the providers document.

use std::sync::Arc;

use tollgate_model::record::{Attempt, Cost, Timings};
use tollgate_model::{Ids, Money, Record, Usage};
use tollgate_rules::catalog::Catalog;
use tollgate_store::embedded::{DayRecords, DayRecordsOptions};
use tollgate_store::records::{Encoded, Entry};
use tollgate_store::{Metrics, Records};

use super::table::{gaps, json};
use super::theirs::{Theirs, read};
use super::{Unread, ours};

/// 1 November 2026.
const DAY: u64 = 1_793_491_200_000;
const GPT: &str = "gpt-4o-mini";
const SONNET: &str = "claude-sonnet-4-5";

fn theirs(text: &str) -> Theirs {
    read(text.as_bytes(), None, &Catalog::builtin()).unwrap()
}

fn attempt(model: &str) -> Attempt {
    Attempt {
        provider: "openai".into(),
        model: model.to_owned(),
        origin: "https://api.example".into(),
        started_us: 1,
        queue_us: 0,
        connect_us: 0,
        first_byte_us: Some(1),
        ended_us: 2,
        status: Some(200),
        miss: None,
        reused: false,
    }
}

/// Ended at that moment, after a second.
fn record(ids: &Ids, ended_ms: u64, model: &str, tokens: (u64, u64), nanos: i64) -> Record {
    let usage = Usage { input: tokens.0, output: tokens.1, ..Usage::default() };
    Record {
        account: "a".into(),
        gateway: "g".into(),
        provider: "openai".into(),
        created_ms: ended_ms,
        model: model.to_owned(),
        status: 200,
        usage: Some(usage),
        cost: Some(Cost::plain(Money::from_nanos(nanos))),
        timings: Timings { last_byte_us: 1_000_000, ..Timings::default() },
        attempts: vec![attempt(model)],
        ..Record::blank(ids.next(ended_ms), &"".into())
    }
}

fn log(records: &[Record]) -> (tempfile::TempDir, DayRecords) {
    let dir = tempfile::tempdir().unwrap();
    let store = DayRecords::open(dir.path(), DayRecordsOptions::default(), Arc::new(Metrics::default())).unwrap();
    for record in records {
        let line = Encoded::of(record);
        store.append(&[Entry { line: line.line(), request: b"", response: b"" }]).unwrap();
    }
    (dir, store)
}

#[test]
fn both_forms_of_an_export_say_the_same() {
    for (name, texts, expected) in [
        (
            "OpenAI usage",
            [
                include_str!("../../../tests/reconcile/openai-usage.json"),
                include_str!("../../../tests/reconcile/openai-usage.csv"),
            ],
            (Some(6), Some(1_010), Some(502), None),
        ),
        (
            "OpenAI costs",
            [
                include_str!("../../../tests/reconcile/openai-costs.json"),
                include_str!("../../../tests/reconcile/openai-costs.csv"),
            ],
            (None, None, None, Some(450_000)),
        ),
        (
            "Anthropic usage",
            [
                include_str!("../../../tests/reconcile/anthropic-usage.json"),
                include_str!("../../../tests/reconcile/anthropic-usage.csv"),
            ],
            (None, Some(3_200), Some(500), None),
        ),
        (
            "Anthropic costs",
            [
                include_str!("../../../tests/reconcile/anthropic-costs.json"),
                include_str!("../../../tests/reconcile/anthropic-costs.csv"),
            ],
            (None, None, None, Some(1_237_891_200)),
        ),
    ] {
        for text in texts {
            let theirs = theirs(text);
            assert_eq!(theirs.format, name);
            let total = theirs.sums.total();
            let cost = total.cost().map(Money::nanos);
            assert_eq!((total.requests, total.tokens_in, total.tokens_out, cost), expected, "{name}");
            let ((day, model), _) = theirs.sums.0.iter().next().unwrap();
            assert_eq!(day * super::sums::DAY_MS, DAY);
            assert!([GPT, SONNET, ""].contains(&model.as_str()), "{model}");
        }
    }
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_left_out() {
    let costs = theirs(include_str!("../../../tests/reconcile/openai-costs.csv"));
    assert_eq!(costs.unread, [Unread { line: 4, why: "expected an amount, found \"a lot\"".to_owned() }]);
    let usage = theirs(include_str!("../../../tests/reconcile/anthropic-usage.csv"));
    assert_eq!(usage.unread, [Unread { line: 3, why: "expected a count, found \"many\"".to_owned() }]);
    let euros = theirs(include_str!("../../../tests/reconcile/openai-costs.json"));
    assert_eq!(euros.unread[0].why, "bucket 1: expected US dollars, found eur");
}

#[test]
fn what_is_no_export_is_refused() {
    let catalog = Catalog::builtin();
    for (text, why) in [
        ("", "empty"),
        ("a,b,c\n1,2,3\n", "names no columns"),
        ("{\"data\":[{\"results\":[{}]}]}", "expected results"),
        ("{\"object\":\"page\"}", "expected the member data"),
        ("[1,2", "not JSON"),
    ] {
        let fault = format!("{:#}", read(text.as_bytes(), None, &catalog).unwrap_err());
        assert!(fault.contains(why), "{text:?}: {fault}");
    }
}

#[test]
fn the_gap_is_told_by_day_and_model() {
    let ids = Ids::new();
    let mut cached = record(&ids, DAY + 5_000, GPT, (1, 1), 1);
    cached.cached = true;
    let mut refused = record(&ids, DAY + 6_000, GPT, (1, 1), 1);
    refused.attempts.clear();
    let records = [
        record(&ids, DAY + 2_000, GPT, (1_000, 400), 390_000),
        // It began on the day before.
        record(&ids, DAY + 500, GPT, (7, 7), 7_000),
        // It ended on the day after, and began on this one.
        record(&ids, DAY + super::sums::DAY_MS + 500, "gpt-4o-mini-2024-07-18", (10, 100), 61_500),
        record(&ids, DAY + 9_000, "gpt-4o", (3, 3), 5_000),
        cached,
        refused,
    ];
    let (_dir, store) = log(&records);
    let theirs = theirs(include_str!("../../../tests/reconcile/openai-costs.json"));
    let ours = ours::read(&store, &theirs, None, &Catalog::builtin()).unwrap();
    assert!(ours.complete);
    let told = json(&theirs, &gaps(&theirs, &ours.sums));
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{told:#}");
    // The log has what the provider does not name: theirs is unknown, and so is the gap.
    assert_eq!((&rows[0]["model"], &rows[0]["theirs"]["cost"]), (&"gpt-4o".into(), &serde_json::Value::Null));
    assert!(rows[0]["difference"].is_null());
    assert_eq!(
        (&rows[1]["day"], &rows[1]["ours"]["requests"], &rows[1]["ours"]["tokens_out"]),
        (&"2026-11-01".into(), &2.into(), &500.into())
    );
    assert_eq!((&rows[1]["theirs"]["cost"], &rows[1]["ours"]["cost"]), (&"0.00045".into(), &"0.0004515".into()));
    assert_eq!((&rows[1]["difference"], rows[1]["percent"].as_f64()), (&"-0.0000015".into(), Some(-0.33)));
    let none = json(&theirs, &gaps(&theirs, &super::sums::Sums::default()));
    assert_eq!((&none["rows"][0]["ours"]["requests"], &none["rows"][0]["difference"]), (&0.into(), &"0.00045".into()));
    let elsewhere = ours::read(&store, &theirs, Some("another"), &Catalog::builtin()).unwrap();
    assert!(elsewhere.sums.0.is_empty());
}

#[test]
fn costs_without_models_are_compared_by_day() {
    let ids = Ids::new();
    let records =
        [record(&ids, DAY + 2_000, GPT, (1, 1), 200_000), record(&ids, DAY + 3_000, "gpt-4o", (1, 1), 250_000)];
    let (_dir, store) = log(&records);
    let theirs = theirs(include_str!("../../../tests/reconcile/openai-costs.csv"));
    let ours = ours::read(&store, &theirs, None, &Catalog::builtin()).unwrap();
    let told = json(&theirs, &gaps(&theirs, &ours.sums));
    assert_eq!(told["rows"].as_array().unwrap().len(), 1);
    assert_eq!((&told["total"]["difference"], &told["unread"][0]["line"]), (&"0".into(), &4.into()));
}
