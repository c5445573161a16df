//! Golden rows, and heads cut between characters.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use tollgate_model::Money;
use tollgate_model::charge::Basis;
use tollgate_model::record::Cost;
use tollgate_model::usage::UsageSource;

use super::*;
use crate::sample;

fn body(bytes: impl Into<Bytes>) -> Option<Body> {
    Some(Body { content_type: None, bytes: bytes.into() })
}

#[test]
fn a_full_row_has_every_member_of_the_original() {
    let expected: Value = serde_json::from_str(include_str!("row.json")).unwrap();
    assert_eq!(row(&sample::full()), expected);
}

#[test]
fn what_is_unknown_is_absent_or_null_and_never_zero() {
    let row = row(&sample::plain());
    for name in ["cost", "usage_metadata", "model_type", "request_type", "finish", "refusal", "answered_model"] {
        assert!(row.get(name).is_none(), "{name}");
    }
    assert!(row["tokens_in"].is_null() && row["metadata"].is_null() && row["user_agent"].is_null());
    assert_eq!(row["event_id"], row["id"]);
}

#[test]
fn the_detail_adds_attempts_and_heads() {
    let detail = detail(&sample::full(), Some([body("{\"a\":1}"), None]));
    assert_eq!(detail["attempts"][0]["origin"], "https://api.openai.com");
    assert_eq!(detail["attempts"][0]["miss"], "status");
    assert_eq!(
        (detail["request_head"].as_str(), detail["request_head_complete"].as_bool()),
        (Some("{\"a\":1}"), Some(true))
    );
    assert_eq!((detail["request_size"].as_u64(), detail["response_size"].as_u64()), (Some(7), Some(99)));
    assert_eq!((detail["request_body"].as_str(), detail["response_body"].as_str()), (Some("kept"), Some("opted_out")));
}

#[test]
fn a_token_for_metadata_sees_no_heads() {
    let detail = detail(&sample::full(), None);
    assert!(detail.as_object().unwrap().keys().all(|name| !name.contains("head")));
}

#[test]
fn a_head_ends_between_characters() {
    for shift in 0..4 {
        let text = format!("{}{}", "x".repeat(shift), "\u{1f600}".repeat(4_000));
        let head = &head(body(text.clone()))["head"];
        let head = head.as_str().unwrap();
        assert!(text.starts_with(head) && HEAD_BYTES_MAX - head.len() < 4, "shift {shift}: {}", head.len());
    }
    let whole = head(body("x".repeat(HEAD_BYTES_MAX)));
    assert_eq!(whole["head_complete"], true);
    assert_eq!(head(body(vec![0x80; 20_000]))["head_complete"], false);
}

#[test]
fn a_detail_says_what_a_translation_lost_and_how_the_target_was_found() {
    use tollgate_model::record::{Lost, Unified};
    let lost = Lost { field: "top_k".to_owned(), kind: "dropped".to_owned(), why: "no such member".to_owned() };
    let unified = Unified { losses: vec![lost], losses_more: 1, trace: Some(tollgate_model::Trace::default()) };
    let shown = detail(&Record { unified: Some(Box::new(unified)), ..sample::plain() }, None);
    assert_eq!((&shown["losses"][0]["field"], &shown["losses_more"]), (&json!("top_k"), &json!(1)));
    assert!(shown["trace"]["visited"].is_array());
    assert!(detail(&sample::plain(), None).get("losses").is_none());
}

#[test]
fn a_detail_shows_what_the_cost_is_made_of() {
    let shown = detail(&sample::full(), None);
    let lines = shown["cost_lines"].as_array().unwrap();
    let first = json!({
        "class": "input", "quantity": 10, "unit": "token", "unit_price": "10", "amount": 0.0001, "amount_nanos": 100_000,
        "source": "catalog", "catalog": "0123456789abcdef"
    });
    assert_eq!(lines[0], first);
    let nanos: u64 = lines.iter().map(|line| line["amount_nanos"].as_u64().unwrap()).sum();
    assert_eq!((lines.len(), nanos), (4, 420_000));
    // A record from before lines were kept has a cost, and no lines rather than wrong ones.
    let cost = sample::full().cost.map(|cost| Cost { basis: Basis::Untold, ..cost });
    assert!(detail(&Record { cost, ..sample::full() }, None).get("cost_lines").is_none());
    assert!(detail(&sample::plain(), None).get("cost_lines").is_none());
}

#[test]
fn a_line_of_an_estimate_says_so() {
    let usage = sample::full().usage.map(|usage| Usage { source: UsageSource::Estimated, ..usage });
    let shown = detail(&Record { usage, ..sample::full() }, None);
    assert!(shown["cost_lines"].as_array().unwrap().iter().all(|line| line["source"] == "estimated"));
    let cost = Some(Cost { basis: Basis::Total, custom: true, ..Cost::plain(Money::from_nanos(7)) });
    let shown = detail(&Record { cost, ..sample::full() }, None);
    assert_eq!(shown["cost_lines"][0]["source"], "custom");
    assert_eq!(shown["cost_lines"][0]["unit_price"], Value::Null);
}

#[test]
fn every_class_of_a_line_is_declared() {
    for class in tollgate_model::charge::Class::ALL {
        let word = json!(class);
        assert!(cost_lines::CLASSES.contains(&word.as_str().unwrap()), "{word}");
    }
}
