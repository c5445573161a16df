//! Walks as stories: what is asked, what is said, what comes next.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::memory::Memory;
use crate::meter::{By, Meters};
use crate::route::Draft;

mod laws;

pub(super) fn route(elements: &Value) -> Arc<Route> {
    let draft = Draft { gateway: "g", id: "r1", name: "support", version_id: "v1", elements };
    Arc::new(Route::compile(&draft).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }))
}

/// The example of the documentation.
pub(super) fn support() -> Value {
    json!([
        { "id": "s", "type": "start", "outputs": { "next": { "elementId": "c" } } },
        { "id": "c", "type": "conditional", "properties": { "conditions": { "metadata.plan": { "$eq": "free" } } },
          "outputs": { "true": { "elementId": "r" }, "false": { "elementId": "m2" } } },
        { "id": "r", "type": "rate",
          "properties": { "limitType": "cost", "key": "metadata.user_id", "limit": 5, "window": 86400 },
          "outputs": { "success": { "elementId": "m2" }, "fallback": { "elementId": "m1" } } },
        { "id": "m1", "type": "model",
          "properties": { "provider": "openai", "model": "gpt-4o-mini", "timeout": 60000, "retries": 4 },
          "outputs": { "success": { "elementId": "e" }, "fallback": { "elementId": "m2" } } },
        { "id": "m2", "type": "model",
          "properties": { "provider": "anthropic", "model": "claude-haiku-4-5", "timeout": 0, "retries": 0 },
          "outputs": { "success": { "elementId": "e" } } },
        { "id": "e", "type": "end", "outputs": {} }
    ])
}

pub(super) fn facts(metadata: &str, seed: u64) -> Facts {
    Facts { metadata: crate::metadata::read(metadata), seed, ..Facts::default() }
}

fn step(ask: Ask) -> Step {
    match ask {
        Ask::Try(step) => step,
        other => panic!("expected a step, found {other:?}"),
    }
}

fn outputs(trace: &Trace) -> Vec<(String, Option<String>)> {
    let text = |text: &Arc<str>| text.to_string();
    trace.visited.iter().map(|visit| (text(&visit.element), visit.output.as_ref().map(text))).collect()
}

#[test]
fn the_documented_example_is_walked() {
    let mut walk = Walk::route(route(&support()), Arc::new(facts(r#"{"plan":"free","user_id":"u"}"#, 1)));
    let Ask::Count(need) = walk.next(Said::Start) else { panic!("a free user is counted first") };
    assert_eq!((need.by, need.limit, need.window_ms), (By::Cost, 5_000_000_000, 86_400_000));
    let first = step(walk.next(Said::Counted(false)));
    assert_eq!(&*first.target.name(), "openai/gpt-4o-mini");
    assert_eq!(
        (first.target.timeout_ms, first.target.attempts, first.index, first.more),
        (Some(60_000), Some(5), 0, true)
    );
    let second = step(walk.next(Said::Missed(Miss::Timeout)));
    assert_eq!(&*second.target.name(), "anthropic/claude-haiku-4-5");
    assert_eq!(
        (second.target.timeout_ms, second.target.attempts, second.index, second.more),
        (None, Some(1), 1, false)
    );
    walk.answered();
    assert!(walk.owed().is_empty(), "it did not pass the window");
    let taken = [("s", "next"), ("c", "true"), ("r", "fallback"), ("m1", "fallback"), ("m2", "success")];
    let taken: Vec<_> = taken.map(|(element, output)| (element.to_owned(), Some(output.to_owned()))).into();
    assert_eq!(outputs(walk.trace()), taken);
    assert_eq!(walk.trace().visited[1].why, r#"metadata.plan $eq "free": is "free""#);
    assert_eq!(walk.trace().visited[3].why, "missed: timeout");
    assert_eq!(walk.trace().tried().count(), 2);
}

#[test]
fn a_window_of_cost_is_owed_by_who_passed_it() {
    let mut walk = Walk::route(route(&support()), Arc::new(facts(r#"{"plan":"free","user_id":"u"}"#, 1)));
    let (mut meters, mut said) = (Meters::new(10), Said::Start);
    while let Ask::Count(need) = walk.next(said) {
        said = Said::Counted(meters.admit(&need, 0));
    }
    walk.answered();
    assert_eq!(walk.owed().len(), 1);
    meters.spend(walk.owed(), tollgate_model::Money::from_nanos(5_000_000_000), 1);
    let mut again = Walk::route(route(&support()), Arc::new(facts(r#"{"plan":"free","user_id":"u"}"#, 2)));
    let Ask::Count(need) = again.next(Said::Start) else { panic!("counted") };
    assert!(!meters.admit(&need, 2), "the five dollars are spent");
    let mut other = Walk::route(route(&support()), Arc::new(facts(r#"{"plan":"free","user_id":"v"}"#, 2)));
    let Ask::Count(need) = other.next(Said::Start) else { panic!("counted") };
    assert!(meters.admit(&need, 2), "but not those of another user");
}

#[test]
fn a_list_falls_through_on_everything_and_stays_in_range() {
    let target = |model: &str| Target { provider: "openai".into(), model: model.into(), ..Target::default() };
    for miss in Miss::ALL {
        let mut walk = Walk::list(vec![target("a"), target("b")]);
        let first = step(walk.next(Said::Start));
        assert_eq!((first.index, first.more), (0, true));
        let second = step(walk.next(Said::Missed(miss)));
        assert_eq!((second.index, second.more, &*second.target.model), (1, false, "b"));
        assert_eq!(walk.next(Said::Missed(miss)), Ask::Stop(StopReason::Exhausted));
        assert_eq!(walk.next(Said::Missed(miss)), Ask::Stop(StopReason::Exhausted));
        assert_eq!(walk.trace().visited.len(), 2);
    }
    assert_eq!(Walk::list(Vec::new()).next(Said::Start), Ask::Stop(StopReason::Exhausted));
    let mut single = Walk::single(target("a"));
    assert!(!step(single.next(Said::Start)).more);
    single.answered();
    assert!(single.trace().visited.is_empty(), "there was nothing to decide");
}

/// One model that falls on the reasons given, and one behind it.
fn falling_on(reasons: Value) -> Arc<Route> {
    route(&json!([
        { "id": "s", "type": "start", "outputs": { "next": { "elementId": "a" } } },
        { "id": "a", "type": "model", "properties": { "provider": "openai", "model": "a", "fallbackOn": reasons },
          "outputs": { "success": { "elementId": "e" }, "fallback": { "elementId": "b" } } },
        { "id": "b", "type": "model", "properties": { "provider": "openai", "model": "b" }, "outputs": {} },
        { "id": "e", "type": "end", "outputs": {} }
    ]))
}

#[test]
fn fallback_takes_the_reasons_it_is_told() {
    use Miss::*;
    for (reasons, falling) in [
        (Value::Null, Miss::ALL.to_vec()),
        (json!(["any"]), Miss::ALL.to_vec()),
        (json!([]), vec![]),
        (json!(["timeout", "5xx"]), vec![Timeout, ServerError]),
        (json!("context_too_long"), vec![ContextTooLong]),
        (json!(["4xx", "connect"]), vec![RateLimited, ClientError, ContextTooLong, ContentPolicy, Connect]),
    ] {
        let route = falling_on(reasons.clone());
        for miss in Miss::ALL {
            let mut walk = Walk::route(route.clone(), Arc::default());
            let first = step(walk.next(Said::Start));
            assert_eq!(first.more, falling.contains(&Timeout), "{reasons}");
            let falls = matches!(walk.next(Said::Missed(miss)), Ask::Try(_));
            assert_eq!(falls, falling.contains(&miss), "{reasons} on {miss:?}");
        }
    }
}

#[test]
fn a_route_says_why_it_stops() {
    let closed = route(&json!([
        { "id": "s", "type": "start", "outputs": { "next": "r" } },
        { "id": "r", "type": "rate", "properties": { "limitType": "count", "limit": 1, "window": 60 },
          "outputs": { "success": "c" } },
        { "id": "c", "type": "conditional", "properties": { "conditions": { "metadata.go": true } },
          "outputs": { "true": "m", "false": "e" } },
        { "id": "m", "type": "model", "properties": { "provider": "openai", "model": "a" }, "outputs": {} },
        { "id": "e", "type": "end" }
    ]));
    let walk = |metadata| Walk::route(closed.clone(), Arc::new(facts(metadata, 1)));
    let mut full = walk("{}");
    full.next(Said::Start);
    assert_eq!(full.next(Said::Counted(false)), Ask::Stop(StopReason::RateLimited));
    let mut ended = walk("{}");
    ended.next(Said::Start);
    assert_eq!(ended.next(Said::Counted(true)), Ask::Stop(StopReason::NoModel));
    assert_eq!(ended.trace().stopped.as_deref(), Some("the route ended before any model"));
    let mut failed = walk(r#"{"go":true}"#);
    failed.next(Said::Start);
    failed.next(Said::Counted(true));
    assert_eq!(failed.next(Said::Missed(Miss::ServerError)), Ask::Stop(StopReason::Exhausted));
    // Who says something else than was asked is stopped, not led on.
    let mut confused = walk("{}");
    confused.next(Said::Start);
    assert_eq!(confused.next(Said::Missed(Miss::Timeout)), Ask::Stop(StopReason::Exhausted));
}

/// Half the requests go to each of two sticky models, of which each is the other's fallback.
fn sticky() -> Arc<Route> {
    let model = |id: &str, other: &str| {
        json!({ "id": id, "type": "model", "properties": { "provider": "openai", "model": id, "sticky": true },
                "outputs": { "success": "e", "fallback": other } })
    };
    route(&json!([
        { "id": "s", "type": "start", "outputs": { "next": "p" } },
        { "id": "p", "type": "percentage", "outputs": { "50%": "a", "else": "b" } },
        model("a", "b"), model("b", "a"),
        { "id": "e", "type": "end" }
    ]))
}

#[test]
fn a_session_stays_with_the_model_that_answered_it() {
    let route = sticky();
    let mut memory = Memory::new(100, 60_000);
    let facts_of = |session: &str, seed| {
        let mut facts = facts("{}", seed);
        facts.headers.insert("cf-aig-session-id", session.parse().unwrap());
        facts
    };
    let mut chosen = std::collections::HashSet::new();
    for (n, session) in ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"].into_iter().enumerate() {
        let mut first = None;
        for seed in (0..40).map(|seed| seed + 1_000 * n as u64) {
            let mut facts = facts_of(session, seed);
            memory.remind(&route, &mut facts, 1_000);
            let mut walk = Walk::route(route.clone(), Arc::new(facts));
            let element = step(walk.next(Said::Start)).element.unwrap();
            walk.answered();
            memory.learn_from(&walk, 1_000);
            assert_eq!(first.get_or_insert(element.clone()), &element, "{session} with seed {seed}");
        }
        chosen.extend(first);
    }
    assert_eq!(chosen.len(), 2, "different sessions meet different models");
    // When it fails, the other answers, and is the one from then on.
    let mut facts = facts_of("s1", 1);
    memory.remind(&route, &mut facts, 2_000);
    let mut walk = Walk::route(route.clone(), Arc::new(facts));
    let failed = step(walk.next(Said::Start)).element.unwrap();
    let answered = step(walk.next(Said::Missed(Miss::ServerError))).element.unwrap();
    assert_ne!(failed, answered);
    walk.answered();
    memory.learn_from(&walk, 2_000);
    for seed in 0..20 {
        let mut facts = facts_of("s1", seed);
        memory.remind(&route, &mut facts, 3_000);
        let mut walk = Walk::route(route.clone(), Arc::new(facts));
        assert_eq!(step(walk.next(Said::Start)).element.unwrap(), answered);
    }
}

#[test]
fn without_a_session_nothing_is_kept() {
    let mut walk = Walk::route(sticky(), Arc::new(facts("{}", 3)));
    step(walk.next(Said::Start));
    walk.answered();
    assert_eq!(walk.kept(), None);
}
