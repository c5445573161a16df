//! What is refused, where, and what is suggested.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::super::{Draft, Problem, Route, Severity};

fn compile(elements: &Value) -> Result<Route, Vec<Problem>> {
    Route::compile(&Draft { gateway: "g", id: "r", name: "n", version_id: "v", elements })
}

/// The smallest route that serves, with one more element that everything may be wrong with.
fn with(element: Value) -> Value {
    json!([
        { "id": "s", "type": "start", "outputs": { "next": { "elementId": "x" } } },
        element,
        { "id": "m", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o" }, "outputs": { "success": { "elementId": "e" } } },
        { "id": "e", "type": "end", "outputs": {} }
    ])
}

fn errors(elements: &Value) -> Vec<String> {
    let problems = compile(elements).err().unwrap_or_default();
    problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect()
}

fn model(properties: Value) -> Value {
    with(json!({ "id": "x", "type": "model", "properties": properties, "outputs": { "success": "e" } }))
}

fn conditional(conditions: Value) -> Value {
    with(
        json!({ "id": "x", "type": "conditional", "properties": { "conditions": conditions }, "outputs": { "true": "m", "false": "m" } }),
    )
}

fn percentage(outputs: Value) -> Value {
    with(json!({ "id": "x", "type": "percentage", "outputs": outputs }))
}

fn rate(properties: Value) -> Value {
    with(json!({ "id": "x", "type": "rate", "properties": properties, "outputs": { "success": "m" } }))
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let good = json!({ "limitType": "count", "limit": 1, "window": 60 });
    let but = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        rate(changed)
    };
    let cases: Vec<(Value, &str)> = vec![
        (json!({}), "elements: Expected array, received object"),
        (json!([7]), "elements.0: Expected object, received number"),
        (json!([]), "elements: there is no start"),
        (with(json!({ "id": "x" })), "elements.1.type: Required"),
        (with(json!({ "type": "end" })), "elements.1.id: Required"),
        (with(json!({ "id": "", "type": "end" })), "elements.1.id: String must contain at least 1 character(s)"),
        (with(json!({ "id": "x", "type": "modal" })), "did you mean \"model\"?"),
        (with(json!({ "id": "m", "type": "end" })), "the id \"m\" is there twice"),
        (
            with(json!({ "id": "x", "type": "start", "outputs": { "next": "m" } })),
            "elements.1: a route has exactly one start",
        ),
        (model(json!({ "model": "gpt-4o" })), "elements.1.properties.provider: Required"),
        (
            model(json!({ "provider": "openai", "model": 4 })),
            "elements.1.properties.model: Expected string, received number",
        ),
        (model(json!({ "provider": "openai", "model": "a", "timeout": -1 })), "timeout: Number must be greater"),
        (
            model(json!({ "provider": "openai", "model": "a", "timeout": "1s" })),
            "timeout: Expected number, received string",
        ),
        (
            model(json!({ "provider": "openai", "model": "a", "fallbackOn": ["time-out"] })),
            "fallbackOn.0: unknown reason \"time-out\" (did you mean \"timeout\"?)",
        ),
        (
            model(json!({ "provider": "openai", "model": "a", "sticky": "user_id" })),
            "did you mean \"metadata.user_id\"?",
        ),
        (
            with(
                json!({ "id": "x", "type": "model", "properties": { "provider": "p", "model": "a" }, "outputs": { "falback": "m" } }),
            ),
            "elements.1.outputs.falback: model has no output \"falback\" (did you mean \"fallback\"?)",
        ),
        (
            with(
                json!({ "id": "x", "type": "model", "properties": { "provider": "p", "model": "a" }, "outputs": { "fallback": "n" } }),
            ),
            "outputs.fallback.elementId: there is no element \"n\" (did you mean",
        ),
        (
            with(json!({ "id": "x", "type": "conditional", "outputs": { "true": "m", "false": "m" } })),
            "conditions: Required",
        ),
        (
            with(
                json!({ "id": "x", "type": "conditional", "properties": { "conditions": { "metadata.a": 1 } }, "outputs": { "true": "m" } }),
            ),
            "elements.1.outputs.false: Required",
        ),
        (conditional(json!({ "metadata.a": { "$equals": 1 } })), "unknown operator \"$equals\""),
        (conditional(json!({ "metadata.a": { "$inn": [1] } })), "did you mean \"$in\"?"),
        (conditional(json!({ "$or": [] })), "conditions.$or: Expected a list"),
        (conditional(json!({ "metadata.a": { "$in": 1 } })), "conditions.metadata.a.$in: Expected array"),
        (conditional(json!({ "metadata.a": { "$gt": true } })), "Expected a number or a string"),
        (conditional(json!({ "metadata.a": { "$regex": "(" } })), "the pattern cannot be used: unclosed group"),
        (conditional(json!({ "metadata.a": { "$regex": "(?=x)" } })), "look-around"),
        (conditional(json!({ "metadata.a": { "$regex": "(a{1000}){1000}" } })), "the pattern cannot be used"),
        (conditional(json!({ "headers.authorization": { "$eq": "x" } })), "holds a credential"),
        (conditional(json!("text")), "Expected object, received string"),
        (percentage(json!({ "50%": "m" })), "the percentages must total 100%, received 50%"),
        (percentage(json!({ "60%": "m", "50%": "m", "else": "m" })), "received 110%"),
        (percentage(json!({ "half": "m", "else": "m" })), "\"half\" is not a percentage"),
        (
            percentage(json!({ "1%": "m", "2%": "m", "3%": "m", "4%": "m", "5%": "m", "85%": "m" })),
            "at most 5 percentages",
        ),
        (percentage(json!({})), "must total 100%, received 0%"),
        (rate(json!({ "limit": 1, "window": 60 })), "properties.limitType: Required"),
        (but("limitType", json!("tokens")), "Expected 'count' | 'cost', received \"tokens\""),
        (but("limit", json!(1.5)), "Expected a whole number of requests"),
        (but("limit", json!(-1)), "Expected a whole number"),
        (but("window", json!(0)), "Expected seconds above 0"),
        (but("window", json!(1e12)), "Expected seconds above 0"),
        (but("key", json!(7)), "key: Expected a path"),
        (but("technique", json!("rolling")), "Expected 'sliding' | 'fixed'"),
    ];
    for (elements, expected) in cases {
        let found = errors(&elements);
        assert!(found.iter().any(|found| found.contains(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let elements = json!([
        { "id": "s", "type": "start" },
        { "id": "c", "type": "conditional", "properties": { "conditions": { "plan": 1, "metadata.a": { "$x": 1 } } }, "outputs": { "true": "q" } },
        { "id": "m", "type": "model" }
    ]);
    assert_eq!(errors(&elements).len(), 7, "{:#?}", errors(&elements));
}

#[test]
fn circles_that_nothing_breaks_are_refused() {
    let circle = json!([
        { "id": "s", "type": "start", "outputs": { "next": "a" } },
        { "id": "a", "type": "conditional", "properties": { "conditions": { "metadata.a": 1 } }, "outputs": { "true": "m", "false": "b" } },
        { "id": "b", "type": "percentage", "outputs": { "50%": "a", "else": "m" } },
        { "id": "m", "type": "model", "properties": { "provider": "p", "model": "m" }, "outputs": { "success": "e" } },
        { "id": "e", "type": "end" }
    ]);
    let found = errors(&circle);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("past no model and no rate"));
}

#[test]
fn what_serves_all_the_same_is_a_warning() {
    let elements = json!([
        { "id": "s", "type": "start", "outputs": { "next": "a" } },
        { "id": "a", "type": "model", "properties": { "provider": "p", "model": "m", "retries": 9 }, "outputs": { "success": "b", "fallback": "b" } },
        { "id": "b", "type": "model", "properties": { "provider": "p", "model": "n" }, "outputs": { "fallback": "a" } },
        { "id": "lost", "type": "end" }
    ]);
    let route = compile(&elements).unwrap();
    let warnings: Vec<String> = route.warnings.iter().map(ToString::to_string).collect();
    assert!(route.warnings.iter().all(|warning| warning.severity == Severity::Warning));
    for expected in [
        "4 retries are the most",
        "\"lost\" cannot be reached",
        "no end can be reached",
        "elements.1: it leads back",
        "elements.1.outputs.success: an answer ends",
    ] {
        assert!(warnings.iter().any(|warning| warning.contains(expected)), "{expected}: {warnings:#?}");
    }
    assert_eq!(route.targets().collect::<Vec<_>>(), [("p", "m"), ("p", "n")]);
}

#[test]
fn terraform_may_say_where_a_percentage_leads() {
    assert!(compile(&percentage(json!({ "elementId": "m" }))).is_ok());
    let stray = json!({ "id": "x", "type": "end", "outputs": { "elementId": "m" } });
    assert!(errors(&with(stray)).iter().all(|error| error.contains("no model can be reached")));
}

#[test]
fn a_document_is_bounded() {
    let many: Vec<Value> = (0..10_000).map(|n| json!({ "id": format!("e{n}"), "type": "end" })).collect();
    assert!(errors(&json!(many)).iter().any(|error| error.contains("at most 128")));
    let deep = (0..40).fold(json!({ "metadata.a": 1 }), |inner, _| json!({ "$and": [inner] }));
    assert!(errors(&conditional(deep)).iter().any(|error| error.contains("nested 16 deep")));
    let wide: Vec<Value> = (0..5_000).map(Value::from).collect();
    assert!(
        errors(&conditional(json!({ "metadata.a": { "$in": wide } }))).iter().any(|error| error.contains("2000 parts"))
    );
    let broken: Vec<Value> = (0..120).map(|_| json!({ "id": "x", "type": "nope", "outputs": [] })).collect();
    assert!(errors(&json!(broken)).len() <= 200);
}
