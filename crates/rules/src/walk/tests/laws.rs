//! What holds for every route and whatever is said.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Any text that a small alphabet of the vocabulary can make, so that documents are often nearly right.
fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "start",
        "conditional",
        "percentage",
        "rate",
        "model",
        "end",
        "next",
        "true",
        "false",
        "success",
        "fallback",
        "else",
        "10%",
        "90%",
        "100%",
        "elementId",
        "id",
        "type",
        "properties",
        "outputs",
        "conditions",
        "$eq",
        "$not",
        "$and",
        "$regex",
        "$in",
        "metadata.a",
        "body.0",
        "headers.x",
        "limit",
        "window",
        "limitType",
        "count",
        "key",
        "provider",
        "sticky",
        "fallbackOn",
        "a",
        "b",
        "",
    ])
    .prop_map(str::to_owned)
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Documents whose every part is well-formed, and whose graph is anything: circles, dead ends, what nothing leads to.
fn any_graph() -> impl Strategy<Value = Value> {
    prop::collection::vec((0..5_u8, 0..8_usize, 0..8_usize), 1..8).prop_map(|parts| {
        let len = parts.len();
        let to = |n: usize| format!("n{}", n % len);
        let mut elements = vec![json!({ "id": "s", "type": "start", "outputs": { "next": "n0" } })];
        for (at, (kind, a, b)) in parts.into_iter().enumerate() {
            let (a, b, id) = (to(a), to(b), format!("n{at}"));
            elements.push(match kind {
                0 => json!({ "id": id, "type": "conditional", "properties": { "conditions": { "metadata.a": { "$gt": 3 } } },
                             "outputs": { "true": a, "false": b } }),
                1 => json!({ "id": id, "type": "percentage", "outputs": { "30%": a, "else": b } }),
                2 => json!({ "id": id, "type": "rate", "properties": { "limitType": "count", "limit": 1, "window": 60 },
                             "outputs": { "success": a, "fallback": b } }),
                3 => json!({ "id": id, "type": "model", "properties": { "provider": "p", "model": a, "sticky": true },
                             "outputs": { "fallback": b } }),
                _ => json!({ "id": id, "type": "end" }),
            });
        }
        Value::from(elements)
    })
}

fn said(choice: u8) -> Said {
    match choice % 4 {
        0 => Said::Counted(true),
        1 => Said::Counted(false),
        2 => Said::Start,
        _ => Said::Missed(Miss::ALL[usize::from(choice / 4) % Miss::ALL.len()]),
    }
}

fn compile(elements: &Value) -> Result<Route, Vec<crate::route::Problem>> {
    Route::compile(&Draft { gateway: "g", id: "r", name: "n", version_id: "v", elements })
}

proptest! {
    #[test]
    fn no_document_panics(elements in any_json()) {
        if let Err(problems) = compile(&elements) {
            prop_assert!(problems.iter().any(crate::route::Problem::is_error));
        }
    }

    #[test]
    fn every_walk_ends(elements in any_graph(), seed in any::<u64>(), choices in prop::collection::vec(any::<u8>(), 32)) {
        let Ok(route) = compile(&elements) else { return Ok(()) };
        let mut walk = Walk::route(Arc::new(route), Arc::new(facts(r#"{"a":4,"user_id":"u"}"#, seed)));
        let mut ask = walk.next(Said::Start);
        let mut asked = 1;
        while !matches!(ask, Ask::Stop(_)) {
            let choice = choices[asked % choices.len()];
            // Mostly to the point, sometimes not.
            let answer = match (&ask, choice % 16) {
                (_, 0) => said(choice / 16),
                (Ask::Count(_), _) => Said::Counted(choice & 16 == 0),
                _ => Said::Missed(Miss::ServerError),
            };
            ask = walk.next(answer);
            asked += 1;
            prop_assert!(asked <= VISITS_MAX + 2, "it goes on and on");
        }
        prop_assert!(walk.trace().visited.len() <= VISITS_MAX);
        prop_assert!(walk.trace().stopped.is_some());
    }

    #[test]
    fn the_same_facts_lead_the_same_way(elements in any_graph(), seed in any::<u64>()) {
        let Ok(route) = compile(&elements) else { return Ok(()) };
        let (route, facts) = (Arc::new(route), Arc::new(facts("{}", seed)));
        let end = || {
            let mut walk = Walk::route(route.clone(), facts.clone());
            let mut ask = walk.next(Said::Start);
            while let Ask::Count(_) = ask {
                ask = walk.next(Said::Counted(true));
            }
            (ask, walk.into_trace())
        };
        prop_assert_eq!(end(), end());
    }
}

fn split(sticky: Value) -> Arc<Route> {
    let model = |id: &str| json!({ "id": id, "type": "model", "properties": { "provider": "p", "model": id } });
    route(&json!([
        { "id": "s", "type": "start", "outputs": { "next": "p" } },
        { "id": "p", "type": "percentage", "properties": { "sticky": sticky }, "outputs": { "10%": "a", "30%": "b", "60%": "c" } },
        model("a"), model("b"), model("c")
    ]))
}

fn taken(route: &Arc<Route>, facts: Facts) -> String {
    let mut walk = Walk::route(route.clone(), Arc::new(facts));
    step(walk.next(Said::Start)).target.model.to_string()
}

#[test]
fn shares_converge_by_chance_and_by_key() {
    const DRAWS: u64 = 20_000;
    for (sticky, by_key) in [(Value::Null, false), (json!("metadata.user_id"), true)] {
        let route = split(sticky);
        let mut counts = std::collections::HashMap::new();
        for n in 0..DRAWS {
            let metadata = if by_key { format!(r#"{{"user_id":"user-{n}"}}"#) } else { "{}".to_owned() };
            *counts.entry(taken(&route, facts(&metadata, n))).or_insert(0_u64) += 1;
        }
        for (model, percent) in [("a", 10), ("b", 30), ("c", 60)] {
            let (count, expected) = (counts[model], DRAWS * percent / 100);
            // Five standard deviations of the widest of the three.
            assert!(count.abs_diff(expected) < 350, "{model}: {count} of {expected}, by key: {by_key}");
        }
    }
}

#[test]
fn a_key_keeps_its_share_whatever_the_seed() {
    let route = split(json!(["headers.x-user", "metadata.user_id"]));
    for user in 0..50 {
        let facts_with = |seed| facts(&format!(r#"{{"user_id":{user}}}"#), seed);
        let first = taken(&route, facts_with(0));
        assert!((1..20).all(|seed| taken(&route, facts_with(seed)) == first), "user {user}");
    }
    // Without the key it is drawn by chance again.
    let drawn: std::collections::HashSet<String> = (0..50).map(|seed| taken(&route, facts("{}", seed))).collect();
    assert_eq!(drawn.len(), 3);
}
