//! Decisions, by table.
#![allow(clippy::unwrap_used)]

use http::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::walk::{Ask, Miss, Said};

const NOW: u64 = 1_795_000_000_000;

fn settings(toml: &str) -> Settings {
    toml::from_str(toml).unwrap()
}

/// Three models of one's own with prices of one's own: nothing here changes when the catalog does.
fn shop() -> Pool {
    Pool::new(&settings(
        r#"
        pool = ["a/small", "b/middle", "c/large"]
        [models."a/small"]
        quality = 55
        input_price = "0.1"
        output_price = "0.5"
        context_window = 10000
        [models."b/middle"]
        quality = 75
        input_price = "1"
        output_price = "5"
        images = true
        [models."c/large"]
        quality = 95
        input_price = "5"
        output_price = "25"
        images = true
        [models."d/extra"]
        quality = 90
        input_price = "1.2"
        output_price = "6"
        "#,
    ))
    .unwrap()
}

struct Asking<'a> {
    headers: &'a [(&'static str, &'a str)],
    body: Value,
    unusable: &'a [&'a str],
    poor: &'a [&'a str],
}

fn easy<'a>() -> Asking<'a> {
    Asking {
        headers: &[],
        body: json!({ "messages": [{ "role": "user", "content": "Hi" }] }),
        unusable: &[],
        poor: &[],
    }
}

fn ask(asking: &Asking<'_>, memory: &mut Memory) -> Result<Decision, NoDecision> {
    let mut headers = HeaderMap::new();
    for (name, value) in asking.headers {
        headers.insert(*name, value.parse().unwrap());
    }
    let catalog = Catalog::builtin();
    let world = World {
        catalog: &catalog,
        now_ms: NOW,
        usable: &|entry| !asking.unusable.contains(&&*entry.name),
        poor: &|entry| asking.poor.contains(&&*entry.name),
    };
    decide(&shop(), "g", &Wish::read(&headers), &Task::read(&asking.body), &world, memory)
}

fn order(asking: &Asking<'_>) -> (Vec<String>, Reason) {
    let decision = ask(asking, &mut Memory::default()).unwrap();
    (decision.names.iter().map(ToString::to_string).collect(), decision.reason)
}

fn hard() -> Value {
    json!({ "messages": [{ "role": "user", "content": "Prove it" }], "reasoning_effort": "high" })
}

fn seeing() -> Value {
    json!({ "messages": [{ "role": "user", "content": [{ "type": "text", "text": "What?" }, { "type": "image_url" }] }] })
}

#[test]
fn the_cheapest_that_is_good_enough_comes_first() {
    let cost = Reason::CostOptimalWithinPool;
    let cases: &[(&str, Asking<'_>, &[&str], Reason)] = &[
        ("easy", easy(), &["a/small", "b/middle", "c/large"], cost),
        ("hard", Asking { body: hard(), ..easy() }, &["c/large", "b/middle", "a/small"], cost),
        (
            "usual",
            Asking { body: json!({ "input": "Hi", "tools": [{}] }), ..easy() },
            &["b/middle", "c/large", "a/small"],
            cost,
        ),
        ("images", Asking { body: seeing(), ..easy() }, &["b/middle", "c/large"], cost),
        ("poor", Asking { poor: &["a/small"], ..easy() }, &["b/middle", "c/large", "a/small"], cost),
        ("no key", Asking { unusable: &["a/small"], ..easy() }, &["b/middle", "c/large"], cost),
        ("too long", Asking { body: json!({ "input": "w".repeat(60_000) }), ..easy() }, &["b/middle", "c/large"], cost),
        (
            "one left",
            Asking { unusable: &["a/small", "b/middle"], ..easy() },
            &["c/large"],
            Reason::ForcedByCandidatePool,
        ),
        (
            "nothing to read",
            Asking { body: json!({ "messages": [] }), ..easy() },
            &["b/middle", "c/large", "a/small"],
            Reason::FallbackUnsupportedInput,
        ),
        (
            "allowed",
            Asking { headers: &[("cf-aig-allowed-models", "d/*,c/large")], ..easy() },
            &["d/extra", "c/large"],
            cost,
        ),
        (
            "provider",
            Asking { headers: &[("cf-aig-allowed-providers", "B")], ..easy() },
            &["b/middle"],
            Reason::ForcedByCandidatePool,
        ),
        (
            "both",
            Asking { headers: &[("cf-aig-allowed-models", "*/*"), ("cf-aig-allowed-providers", "d")], ..easy() },
            &["d/extra"],
            Reason::ForcedByCandidatePool,
        ),
    ];
    for (what, asking, expected, reason) in cases {
        let (found, why) = order(asking);
        assert_eq!(
            (found.as_slice(), why),
            (expected.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice(), *reason),
            "{what}"
        );
    }
}

#[test]
fn a_list_that_matches_nothing_is_refused() {
    for (headers, said) in [
        (&[("cf-aig-allowed-models", "openai/nope")][..], "cf-aig-allowed-models: \"openai/nope\" matches no model"),
        (&[("cf-aig-allowed-models", "*")][..], "\"*\" matches no model"),
        (&[("cf-aig-allowed-models", "a/small,x/y")][..], "\"x/y\""),
        (&[("cf-aig-allowed-providers", "nobody")][..], "\"nobody\" is the provider of no model"),
        (&[("cf-aig-allowed-models", "a/small"), ("cf-aig-allowed-providers", "b")][..], "no model satisfies both"),
    ] {
        let refused = ask(&Asking { headers, ..easy() }, &mut Memory::default()).unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
    let all = Asking { unusable: &["a/small", "b/middle", "c/large"], ..easy() };
    assert!(ask(&all, &mut Memory::default()).unwrap_err().to_string().contains("no key for it"));
}

#[test]
fn a_turn_is_pinned_and_a_session_is_kept_while_it_is_worth_it() {
    let session: &[(&'static str, &str)] = &[("cf-aig-session-id", "s")];
    let mut memory = Memory::default();
    let user = |text: &str| json!({ "role": "user", "content": text });
    let first = json!({ "messages": [user("Hi")], "reasoning_effort": "high" });
    let decision = ask(&Asking { headers: session, body: first, ..easy() }, &mut memory).unwrap();
    assert_eq!(&*decision.names[0], "c/large");
    decision.learn(1, &mut memory, NOW); // The first failed, the second answered.
    // The tool's result comes back: easy now, but the turn is pinned to who answered.
    let follow = json!({ "messages": [user("Hi"), { "role": "assistant" }, { "role": "tool", "content": "42" }] });
    let decision = ask(&Asking { headers: session, body: follow.clone(), ..easy() }, &mut memory).unwrap();
    assert_eq!((&*decision.names[0], decision.reason), ("b/middle", Reason::PinnedByTurn));
    // Unless the caller does not want it, or it cannot be had any more.
    let free = &[("cf-aig-session-id", "s"), ("cf-aig-no-session-affinity", "true")];
    let decision = ask(&Asking { headers: free, body: follow.clone(), ..easy() }, &mut memory).unwrap();
    assert_eq!((&*decision.names[0], decision.reason), ("a/small", Reason::CostOptimalWithinPool));
    let gone = Asking { headers: session, body: follow, unusable: &["b/middle"], poor: &[] };
    let decision = ask(&gone, &mut memory).unwrap();
    assert_eq!((&*decision.names[0], decision.reason), ("a/small", Reason::FallbackKeyNotInCandidates));
    // The next turn is easy, and the model of the last one costs ten times as much: it goes.
    let next = json!({ "messages": [user("Hi"), { "role": "assistant", "content": "42" }, user("Thanks")] });
    let decision = ask(&Asking { headers: session, body: next, ..easy() }, &mut memory).unwrap();
    assert_eq!(&*decision.names[0], "a/small");
}

#[test]
fn the_model_of_the_last_turn_stays_when_it_costs_little_more() {
    let mut memory = Memory::default();
    let headers: &[(&'static str, &str)] = &[("cf-aig-session-id", "s"), ("cf-aig-allowed-models", "b/middle,d/extra")];
    let turn = |text: &str| json!({ "input": text, "reasoning": { "effort": if text == "first" { "high" } else { "medium" } } });
    let decision = ask(&Asking { headers, body: turn("first"), ..easy() }, &mut memory).unwrap();
    assert_eq!(&*decision.names[0], "d/extra");
    decision.learn(0, &mut memory, NOW);
    let decision = ask(&Asking { headers, body: turn("second"), ..easy() }, &mut memory).unwrap();
    assert_eq!(&*decision.names[0], "d/extra", "a fifth dearer than b/middle");
    assert!(decision.candidates[0].why.ends_with("kept for the session"));
}

#[test]
fn the_walk_tries_in_order_and_tells_who_answered() {
    let decision = ask(&easy(), &mut Memory::default()).unwrap();
    let mut walk = decision.walk();
    let Ask::Try(first) = walk.next(Said::Start) else { panic!("a step") };
    assert_eq!(
        (&*first.target.provider, &*first.target.model, decision.reason_for(first.index)),
        ("a", "small", Reason::CostOptimalWithinPool)
    );
    let Ask::Try(second) = walk.next(Said::Missed(Miss::Timeout)) else { panic!("a step") };
    assert_eq!(decision.reason_for(second.index), Reason::FallbackCandidateUnavailable);
    assert_eq!(decision.name_for(second.index).map(|name| &**name), Some("b/middle"));
    walk.answered();
    assert_eq!(walk.trace().candidates.len(), 3);
}

#[test]
fn the_default_pool_is_the_documented_one_and_priced() {
    let pool = Pool::default();
    let names: Vec<&str> = pool.all().filter(|entry| entry.in_pool).map(|entry| &*entry.name).collect();
    assert_eq!(
        names,
        [
            "anthropic/claude-fable-5",
            "anthropic/claude-opus-5",
            "anthropic/claude-sonnet-5",
            "openai/gpt-5.6-luna",
            "openai/gpt-5.6-sol",
            "openai/gpt-5.6-terra",
            "xai/grok-4.5"
        ]
    );
    let catalog = Catalog::builtin();
    let providers = tollgate_wire::provider::Providers::builtin();
    for entry in pool.all() {
        assert!(providers.get(&entry.provider).is_some(), "{}: no provider", entry.name);
        assert!(catalog.find(&entry.provider, &entry.model, NOW).is_some(), "{}: no price", entry.name);
    }
}

#[test]
fn settings_that_are_wrong_say_where() {
    for (toml, key) in [
        ("pool = []", "auto.pool"),
        ("pool = [\"x/y\"]", "auto.pool"),
        ("levels = [90, 50, 10]", "auto.levels"),
        ("session_tolerance = -1.0", "auto.session_tolerance"),
        ("[models.\"x/y\"]\nimages = true", "auto.models.\"x/y\".quality"),
        ("[models.\"xy\"]\nquality = 1", "auto.models.\"xy\".name"),
        ("[models.\"x/y\"]\nquality = 101", "auto.models.\"x/y\".quality"),
        ("[models.\"x/y\"]\nquality = 1\ninput_price = \"1\"", "auto.models.\"x/y\".input_price"),
        (
            "[models.\"x/y\"]\nquality = 1\ninput_price = \"1\"\noutput_price = \"cheap\"",
            "auto.models.\"x/y\".output_price",
        ),
    ] {
        assert_eq!(Pool::new(&settings(toml)).unwrap_err().0, key, "{toml}");
    }
}
