//! What policies, spend rules and budgets cost a request.
//!
//! Enters: nothing. Leaves: figures for conditions, for a gateway with everything on, and for one with nothing. Never: fails on a slow machine.
//!
//! ```text
//! cargo run --release -p tollgate-rules --example money_speed
//! ```
//!
//! With two arguments it only does the work, so often: `money_speed 1000 3` runs the third condition. What `valgrind` counts more for 2000 than for 1000,
//! in instructions (`--tool=callgrind`) or allocations, is what a thousand cost.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tollgate_model::{Money, PolicyBody};
use tollgate_rules::budget::rule::{Rules, Spender};
use tollgate_rules::budget::{Budgets, Claim, Truth};
use tollgate_rules::catalog::Catalog;
use tollgate_rules::cost::bound::{Asked, Tokens};
use tollgate_rules::metadata;
use tollgate_rules::policy::{Identity, Policies, Policy, Verdict, Who};

const TIMES: u32 = 200_000;
const CONDITIONS: &[&str] = &[
    "metadata.team == 'red'",
    "'eng' in cf.user.groups && metadata.env == 'prod'",
    "cf.user.email.endsWith('@example.com') && has(metadata.n) && metadata.n > 3",
    "cf.user.email.matches('^[a-z]+@example\\\\.com$')",
    "cf.user.groups.exists(g, g.startsWith('en'))",
];

fn policy(actor: &str, condition: &str, action: serde_json::Value) -> Arc<Policy> {
    let (actor, condition) = (actor.to_owned(), condition.to_owned());
    let body = PolicyBody { name: "p".into(), actor, resource: json!("*"), condition, action };
    Arc::new(Policy::compile("p", &body).unwrap())
}

fn each(what: &str, mut work: impl FnMut()) {
    let begun = Instant::now();
    (0..TIMES).for_each(|_| work());
    println!("{what:<60} {:>7} ns", (begun.elapsed() / TIMES).as_nanos());
}

fn main() {
    let identity = Identity {
        id: Some("u1".into()),
        email: Some("ann@example.com".into()),
        groups: Some(vec!["ops".into(), "eng".into()]),
        ..Identity::default()
    };
    let labels = metadata::read(r#"{"team":"red","env":"prod","n":7}"#);
    let who = Who { identity: &identity, metadata: &labels };
    let limit = json!({ "type": "limit", "amount": 1_000_000, "period": "monthly", "technique": "named-interval" });
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<usize>().ok());
    if let (Some(times), Some(which)) = (arguments.next(), arguments.next()) {
        let one = Policies::new(vec![policy("a", CONDITIONS[which % CONDITIONS.len()], json!({ "type": "no-limit" }))]);
        (0..times).for_each(|_| drop(black_box(one.judge("g", &who, "openai", "gpt-4o"))));
        return;
    }
    for condition in CONDITIONS.iter().copied() {
        let one = Policies::new(vec![policy("a", condition, json!({ "type": "no-limit" }))]);
        assert_eq!(one.judge("g", &who, "openai", "gpt-4o"), Verdict::NoLimit);
        each(condition, || drop(black_box(one.judge("g", &who, "openai", "gpt-4o"))));
    }
    let setting = json!({ "enabled": true, "rules": [
        { "id": "a", "limit": 1_000_000, "window": 86_400 },
        { "id": "b", "limit": 1_000_000, "window": 3_600, "metadata": { "team": { "mode": "partition" } } } ] });
    let rules = Rules::compile(&["g"], Some(&setting)).unwrap();
    let policies = Policies::new(vec![
        policy("user:{cf.user.email}", "'eng' in cf.user.groups", limit.clone()),
        policy("team:{metadata.team}", "true", limit),
        policy("all", "metadata.env == 'test'", json!({ "type": "block" })),
    ]);
    let catalog = Catalog::builtin();
    let body = json!({ "model": "gpt-4o", "max_tokens": 500, "messages": [{ "role": "user", "content": "word ".repeat(400) }] }).to_string();
    let mut budgets = Budgets::default();
    let mut now_ms = 1_795_000_000_000;
    each("two rules and three policies: judged, held, paid", || {
        now_ms += 1;
        let Verdict::Check(buckets) = policies.judge("g", &who, "openai", "gpt-4o") else { panic!("it is permitted") };
        let found = catalog.find("openai", "gpt-4o", now_ms).unwrap();
        let asked =
            Asked { body: body.as_bytes(), body_bytes: body.len() as u64, context_window: found.model.context_window };
        let most = asked.cost(Some(found.price), None).unwrap();
        let spender = Spender { provider: "openai", model: "gpt-4o", token: "", metadata: &labels };
        let claims: Vec<Claim> = rules
            .claims(spender, most)
            .map(|(_, claim)| claim)
            .chain(buckets.iter().map(|bucket| bucket.claim(most)))
            .collect();
        let held = budgets.admit(&claims, now_ms).unwrap();
        black_box(budgets.settle(
            &held,
            Truth { cost: Some(Money::from_nanos(1_000)), tokens: Tokens { input: 5, output: 5 }, sent: true },
        ));
    });
    let (no_rules, no_policies) = (Rules::default(), Policies::default());
    each("nothing configured", || {
        black_box(no_rules.is_empty() && no_policies.is_empty());
    });
}
