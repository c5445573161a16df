//! The table of what holds.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::super::problem::Problems;
use super::Condition;
use crate::facts::Facts;

fn facts() -> Facts {
    let mut facts = Facts {
        metadata: crate::metadata::read(r#"{"plan":"free","seats":5,"beta":true,"zip":"01234","gone":null}"#),
        body: json!({ "model": "dynamic/x", "stream": true, "temperature": 0.5, "tags": ["a", "b", 7], "nothing": null,
            "messages": [{ "role": "system", "content": "Be brief" }, { "role": "user", "content": "Hi there" }] }),
        ..Facts::default()
    };
    facts.headers.insert("x-tier", "3".parse().unwrap());
    facts
}

fn read(condition: &Value) -> Condition {
    let mut problems = Problems::default();
    let read = Condition::read(condition, &mut problems);
    assert!(!problems.has_errors(), "{condition}: {:?}", problems.into_all());
    read
}

#[test]
fn operators_mean_what_the_documentation_says() {
    let table: &[(Value, bool)] = &[
        (json!({ "metadata.plan": { "$eq": "free" } }), true),
        (json!({ "metadata.plan": "free" }), true),
        (json!({ "metadata.plan": "paid" }), false),
        (json!({ "metadata.plan": { "$ne": "paid" } }), true),
        (json!({ "metadata.plan": { "$in": ["paid", "free"] } }), true),
        (json!({ "metadata.plan": { "$nin": ["paid", "free"] } }), false),
        // Labels are compared as what they are compared to.
        (json!({ "metadata.seats": 5 }), true),
        (json!({ "metadata.seats": "5" }), true),
        (json!({ "metadata.seats": 5.0 }), true),
        (json!({ "metadata.seats": { "$gte": 5, "$lt": 6 } }), true),
        (json!({ "metadata.seats": { "$gt": 5 } }), false),
        (json!({ "metadata.zip": "01234" }), true),
        (json!({ "metadata.zip": "1234" }), false),
        (json!({ "metadata.beta": true }), true),
        (json!({ "metadata.beta": "true" }), true),
        (json!({ "metadata.plan": { "$gt": 3 } }), false),
        (json!({ "headers.x-tier": { "$lte": 3 } }), true),
        (json!({ "headers.X-Tier": "3" }), true),
        // What is missing equals nothing, and differs from everything.
        (json!({ "metadata.none": { "$eq": null } }), false),
        (json!({ "metadata.none": { "$eq": "" } }), false),
        (json!({ "metadata.none": { "$ne": "x" } }), true),
        (json!({ "metadata.none": { "$nin": ["x"] } }), true),
        (json!({ "metadata.none": { "$lt": 5 } }), false),
        (json!({ "metadata.none": { "$regex": ".*" } }), false),
        (json!({ "metadata.none": { "$exists": false } }), true),
        (json!({ "metadata.none": { "$not": { "$exists": true } } }), true),
        (json!({ "metadata.gone": { "$exists": true } }), true),
        (json!({ "metadata.gone": null }), true),
        (json!({ "body.nothing": null }), true),
        // The body keeps its types.
        (json!({ "body.temperature": { "$lt": 1 } }), true),
        (json!({ "body.temperature": "0.5" }), false),
        (json!({ "body.messages.1.content": { "$regex": "^hi", "$options": "i" } }), true),
        (json!({ "body.messages.-1.role": "user" }), true),
        (json!({ "body.messages.5.role": "user" }), false),
        (json!({ "body.tags": "b" }), true),
        (json!({ "body.tags": { "$in": [7] } }), true),
        (json!({ "body.tags": ["a", "b", 7] }), true),
        (json!({ "body.tags": { "$ne": "b" } }), false),
        (json!({ "body.messages.0": { "role": "system", "content": "Be brief" } }), true),
        (json!({ "model": { "$regex": "^dynamic/" } }), true),
        (json!({ "stream": true }), true),
        // Joined.
        (json!({ "metadata.plan": "free", "metadata.seats": 6 }), false),
        (json!({ "$or": [{ "metadata.plan": "paid" }, { "metadata.seats": 5 }] }), true),
        (
            json!({ "$and": [{ "metadata.plan": "free" }, { "$or": [{ "stream": false }, { "metadata.beta": true }] }] }),
            true,
        ),
        (json!({ "$not": { "metadata.plan": "free" } }), false),
        (json!({ "$nor": [{ "metadata.plan": "paid" }] }), true),
        (json!({ "metadata.seats": { "$not": { "$gt": 1, "$lt": 3 } } }), true),
        (json!({ "metadata.plan": { "$not": "paid" } }), true),
        (json!({}), true),
    ];
    let facts = facts();
    for (condition, holds) in table {
        assert_eq!(read(condition).holds(&facts), *holds, "{condition}");
        assert!(!read(condition).why(&facts).is_empty(), "{condition}");
    }
}

#[test]
fn a_reason_names_the_part_that_decided_and_shows_no_body() {
    let facts = facts();
    for (condition, why) in [
        (json!({ "metadata.plan": "free", "metadata.seats": { "$gt": 9 } }), r#"metadata.seats $gt 9: is "5""#),
        (
            json!({ "$or": [{ "metadata.plan": "paid" }, { "metadata.none": 1 }] }),
            r#"metadata.plan $eq "paid": is "free" nor metadata.none $eq 1: missing"#,
        ),
        (
            json!({ "body.messages.1.content": { "$regex": "secret" } }),
            r#"body.messages.1.content $regex "secret": present"#,
        ),
        (json!({ "headers.x-tier": { "$ne": "4" } }), r#"headers.x-tier $ne "4": present"#),
    ] {
        assert_eq!(read(&condition).why(&facts), why);
    }
}

#[test]
fn a_regex_takes_linear_time_and_looks_at_the_beginning() {
    let long = "a".repeat(4_000_000) + "!";
    let facts = Facts { body: json!({ "text": long }), ..Facts::default() };
    assert!(
        !read(&json!({ "body.text": { "$regex": "^(a+)+!$" } })).holds(&facts),
        "its end is past what is looked at"
    );
    assert!(read(&json!({ "body.text": { "$regex": "^a{100}" } })).holds(&facts));
}
