//! Spend limits: what fits is admitted and nothing else, whatever happens at the same time; and who leaves owes nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http_body_util::BodyExt;
use serde_json::json;
use tollgate_model::gateway::Technique;
use tollgate_model::token::{Scope, SpendLimit};
use tollgate_model::{Clock, Gateway};
use tollgate_testkit::plan::{Frame, Plan as Answer};

use crate::town::{Heard, Plan, TOKEN, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";

fn limited(rules: serde_json::Value) -> Plan {
    Plan::gateway(|gateway| gateway.spend_limits = Some(json!({ "enabled": true, "rules": rules })))
}

fn costs(dollars: &'static str) -> (&'static str, &'static str) {
    ("cf-aig-custom-cost", dollars)
}

fn said(heard: &Heard) -> (u16, i64, String) {
    let error = &heard.json()["error"][0];
    (heard.status, error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
}

const CENT: &str = r#"{"total_cost":0.01}"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_the_limit_is_refused_in_the_original_s_words() {
    let town = town(limited(json!([{ "id": "5e7f1b6b", "limit": 0.02, "window": 3600, "technique": "fixed" }]))).await;
    for _ in 0..2 {
        assert_eq!(town.chat(&[costs(CENT)], "gpt-4o-mini").await.status, 200);
    }
    let refused = town.chat(&[costs(CENT)], "gpt-4o-mini").await;
    let message =
        "Spend limit exceeded: rule '5e7f1b6b' (cost limit 0.02 per 3600s, fixed) for openai openai/gpt-4o-mini";
    assert_eq!(said(&refused), (429, 2041, message.to_owned()));
    let whole = refused.json();
    assert_eq!(whole["name"], "AiGatewayError");
    assert_eq!((&whole["httpCode"], &whole["internalCode"]), (&json!(429), &json!(2041)));
    assert_eq!(refused.header("x-should-retry"), Some("false"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    assert_eq!(town.asked(), 2, "the provider was not asked");
    assert_eq!(town.last_record().await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_truth_takes_the_place_of_the_bound() {
    // gpt-4o-mini: 0.15 and 0.60 dollars per million tokens. The sandbox answers with far fewer than 4,096.
    let town = town(limited(json!([{ "id": "a", "limit": 0.004, "window": 3600 }]))).await;
    let mut sum = 0;
    for _ in 0..20 {
        assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200);
    }
    for record in town.logged(20).await {
        sum += record.cost.unwrap().amount.nanos();
    }
    assert!(sum > 0);
    let gateway = town.shared.snapshot.load().gateway("g").unwrap().clone();
    let spender = tollgate_rules::budget::rule::Spender {
        provider: "openai",
        model: "gpt-4o-mini",
        token: "",
        metadata: &Default::default(),
    };
    let mark = gateway.spend.claims(spender, tollgate_model::Money::ZERO).next().unwrap().1.mark;
    assert_eq!(town.shared.till.taken(mark, town.shared.clock.unix_ms()), (sum as u64, 0));
    // What it can come to at most does not fit any more, though the truth would.
    let large = json!({ "model": "gpt-4o-mini", "max_tokens": 16_000, "messages": [] }).to_string();
    assert_eq!(said(&town.post(CHAT, &[], large).await).1, 2041);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_a_price_is_not_held_back() {
    let town = town(limited(json!([{ "id": "a", "limit": 0.000_001, "window": 60 }]))).await;
    assert_eq!(town.chat(&[], "a-model-nobody-knows").await.status, 200);
    assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 429);
    assert_eq!(town.shared.till.outstanding(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_from_memory_draw_on_no_budget() {
    let mut plan = limited(json!([{ "id": "a", "limit": 0.01, "window": 3600 }]));
    plan.gateway.cache_ttl = Some(600);
    let town = town(plan).await;
    for _ in 0..3 {
        assert_eq!(town.chat(&[costs(CENT)], "gpt-4o-mini").await.status, 200);
    }
    assert_eq!(town.asked(), 1);
    let skipping = [costs(CENT), ("cf-aig-skip-cache", "true")];
    assert_eq!(town.chat(&skipping, "gpt-4o-mini").await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_owes_nothing() {
    let mut plan = limited(json!([{ "id": "a", "limit": 0.01, "window": 3600 }]));
    plan.upstream = Some("http://127.0.0.1:1".to_owned());
    let town = town(plan).await;
    for _ in 0..5 {
        assert_eq!(town.chat(&[costs(CENT)], "gpt-4o-mini").await.status, 502);
    }
    assert_eq!(town.shared.till.outstanding(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_provider_owes_nothing() {
    let town = town(limited(json!([{ "id": "a", "limit": 0.01, "window": 3600 }]))).await;
    town.provider.on("POST", "/v1/chat/completions", |_| Answer::json(500, r#"{"error":{"message":"down"}}"#));
    for _ in 0..5 {
        assert_eq!(town.chat(&[costs(CENT)], "gpt-4o-mini").await.status, 500);
    }
    assert_eq!(town.shared.till.outstanding(), 0);
    assert_eq!(town.last_record().await.cost, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spend_limited_model_of_a_route_takes_its_fallback() {
    let elements = json!([
        { "id": "start", "type": "start", "outputs": { "next": "dear" } },
        { "id": "dear", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o" },
          "outputs": { "success": "end", "fallback": "cheap" } },
        { "id": "cheap", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o-mini" }, "outputs": { "success": "end" } },
        { "id": "end", "type": "end", "outputs": {} }
    ]);
    let mut plan = Plan::routed("r", elements);
    let rule =
        json!({ "id": "a", "limit": 0.000_001, "window": 60, "model": { "mode": "filter", "values": ["gpt-4o"] } });
    plan.gateway.spend_limits = Some(json!({ "enabled": true, "rules": [rule] }));
    let town = town(plan).await;
    let heard = town.post("compat/chat/completions", &[], chat_body("dynamic/r", false)).await;
    assert_eq!((heard.status, heard.header("cf-aig-model")), (200, Some("gpt-4o-mini")));
    assert_eq!(town.shared.till.outstanding(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_is_spent_after_a_restart() {
    let rules = json!([{ "id": "a", "limit": 0.02, "window": 3600 }]);
    let first = town(limited(rules.clone())).await;
    assert_eq!(first.chat(&[costs(CENT)], "gpt-4o-mini").await.status, 200);
    let dir = first.close().await;
    let second = town(Plan { dir: Some(dir), ..limited(rules) }).await;
    assert_eq!(second.chat(&[costs(CENT)], "gpt-4o-mini").await.status, 200);
    assert_eq!(second.chat(&[costs(CENT)], "gpt-4o-mini").await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_a_budget_of_its_own() {
    let spend_limit = Some(SpendLimit { limit_usd: 0.02, window: 3_600 });
    let tokens = vec![("tg_fake-poor", Scope { spend_limit, ..Scope::default() })];
    let town = town(Plan { tokens, ..Plan::default() }).await;
    let poor = [costs(CENT), ("cf-aig-authorization", "tg_fake-poor")];
    let statuses = [town.chat(&poor, "m").await, town.chat(&poor, "m").await].map(|heard| heard.status);
    assert_eq!(statuses, [200, 200]);
    let message = "Spend limit exceeded: token 'tg_fake-poor' (cost limit 0.02 per 3600s, sliding) for openai openai/m";
    assert_eq!(said(&town.chat(&poor, "m").await), (429, 2041, message.to_owned()));
    assert_eq!(town.chat(&[costs(CENT), ("cf-aig-authorization", TOKEN)], "m").await.status, 200);
}

/// Cut at the edge of a fixed window, where counting by the clock would let twice as many pass.
#[tokio::test(flavor = "multi_thread")]
async fn of_three_thousand_at_an_edge_a_thousand_pass_in_any_sliding_minute() {
    let (clock, hand) = Clock::manual(1_795_000_019_500);
    let mut plan = Plan::gateway(|gateway| {
        gateway.rate_limiting_limit = Some(1_000);
        gateway.rate_limiting_interval = Some(60);
        gateway.rate_limiting_technique = Some(Technique::Sliding);
        gateway.collect_logs = false;
    });
    plan.clock = clock;
    let town = town(plan).await;
    town.provider.on("POST", "/v1/chat/completions", |_| Answer::json(200, r#"{"usage":{}}"#));
    let batch = async |size: usize| {
        let asked = join_all((0..size).map(|_| town.chat(&[], "m"))).await;
        asked.into_iter().filter(|heard| heard.status == 200).count()
    };
    let mut admitted = vec![batch(700).await];
    for wait_ms in [400, 200, 59_399, 1, 600] {
        hand.advance(Duration::from_millis(wait_ms));
        admitted.push(batch(460).await);
    }
    // 0 s: 700; 0.4 s, 0.6 s: the rest of 1,000; 59.999 s: nothing; 60 s: as many as have left; 60.6 s: those of 0.4 s.
    assert_eq!(admitted, [700, 300, 0, 0, 460, 460]);
    let refused = town.chat(&[], "m").await;
    assert_eq!(refused.header("ratelimit-policy"), Some(r#""gateway";q=1000;w=60"#));
    let left = refused.header("ratelimit").unwrap();
    assert!(left.starts_with(r#""gateway";r="#), "{left}");
}

const ROUNDS: usize = 10;
const AT_ONCE: usize = 1_000;

/// Each round draws on a budget of its own, which fits another number of requests.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_at_once_exactly_as_many_are_admitted_as_the_budget_fits() {
    let rule = |round: usize| {
        let limit = 0.01 * fits(round) as f64 + 0.003;
        json!({ "id": format!("r{round}"), "limit": limit, "window": 3600,
                "metadata": { "round": { "mode": "filter", "values": [round.to_string()] } } })
    };
    let gateways = (0..ROUNDS.div_ceil(20)).map(|number| {
        let rules: Vec<_> = (number * 20..ROUNDS.min(number * 20 + 20)).map(rule).collect();
        let spend_limits = Some(json!({ "enabled": true, "rules": rules }));
        Gateway { id: format!("g{number}"), spend_limits, collect_logs: false, ..Gateway::default() }
    });
    let town = Arc::new(town(Plan { others: gateways.collect(), ..Plan::default() }).await);
    town.provider.on("POST", "/v1/chat/completions", |_| Answer::json(200, r#"{"usage":{}}"#));
    for round in 0..ROUNDS {
        let metadata = json!({ "round": round }).to_string();
        let url = format!("http://{}/v1/acc/g{}/{CHAT}", town.address, round / 20);
        let headers = [costs(CENT), ("cf-aig-metadata", metadata.as_str())];
        let ask = || town.send("POST", &url, &headers, chat_body("gpt-4o-mini", false).into());
        let statuses: Vec<u16> =
            join_all((0..AT_ONCE).map(|_| ask())).await.into_iter().map(|heard| heard.unwrap().status).collect();
        let count = |status| statuses.iter().filter(|each| **each == status).count();
        assert_eq!((count(200), count(429)), (fits(round), AT_ONCE - fits(round)), "round {round}");
    }
    assert_eq!(town.shared.till.outstanding(), 0);
}

fn fits(round: usize) -> usize {
    (round * 37) % 400 + 1
}

const STREAMS: usize = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_cancelled_streams_leave_nothing_outstanding() {
    let mut plan = limited(json!([{ "id": "a", "limit": 1_000_000, "window": 3600 }]));
    plan.gateway.collect_logs = false;
    let town = Arc::new(town(plan).await);
    town.provider.on("POST", "/v1/chat/completions", |_| {
        let delta = "data: {\"choices\":[{\"delta\":{\"content\":\"word \"}}]}\n\n";
        let pieces = (0..1_000).map(move |_| Frame::after(Duration::from_millis(20), delta));
        Answer::stream("text/event-stream", pieces)
    });
    let callers = (0..50).map(|number| {
        let town = town.clone();
        tokio::spawn(async move {
            for asked in 0..STREAMS / 50 {
                let url = town.url(CHAT);
                let begin = town.begin("POST", &url, &[], chat_body("gpt-4o-mini", true).into());
                // Some leave before there is an answer, some in the middle of it.
                if (number + asked) % 3 == 0 {
                    drop(tokio::time::timeout(Duration::from_millis((asked % 5) as u64), begin).await);
                } else {
                    let mut response = begin.await.unwrap();
                    drop(response.body_mut().frame().await);
                }
            }
        })
    });
    join_all(callers).await.into_iter().for_each(|joined| joined.unwrap());
    town.until(|| town.shared.till.outstanding() == 0).await;
    town.at_rest().await;
    assert_eq!(town.shared.till.outstanding(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_of_a_budget_that_is_used_up_is_told_once_also_over_a_restart() {
    let rules = json!([{ "id": "a", "limit": 0.04, "window": 3600, "technique": "fixed", "metadata": { "team": { "mode": "partition" } } }]);
    let first = town(limited(rules.clone())).await;
    let mut crossings = first.shared.till.crossings().unwrap();
    let red = [costs(CENT), ("cf-aig-metadata", r#"{"team":"red"}"#)];
    for _ in 0..3 {
        assert_eq!(first.chat(&red, "m").await.status, 200);
    }
    first.until(|| first.shared.till.outstanding() == 0).await;
    let half = crossings.try_recv().unwrap();
    assert_eq!((half.gateway.as_str(), half.id.as_str(), half.bucket.as_str()), ("g", "a", "team=red"));
    assert_eq!(
        (half.percent, half.refused, half.spent.nanos(), half.limit.nanos()),
        (50, false, 20_000_000, 40_000_000)
    );
    assert_eq!(half.until_ms - half.from_ms, 3_600_000);
    assert!(crossings.try_recv().is_err());
    let dir = first.close().await;
    let second = town(Plan { dir: Some(dir), ..limited(rules) }).await;
    let mut crossings = second.shared.till.crossings().unwrap();
    assert_eq!(second.chat(&red, "m").await.status, 200);
    second.until(|| second.shared.till.outstanding() == 0).await;
    assert_eq!(crossings.try_recv().unwrap().percent, 80);
    assert_eq!(crossings.try_recv().unwrap().percent, 100);
    for _ in 0..3 {
        assert_eq!(second.chat(&red, "m").await.status, 429);
    }
    assert!(crossings.try_recv().is_err(), "a refusal of what is used up is no news");
    // Another value is another budget; a request that no longer fits says that it is used up.
    let dear = [costs(r#"{"total_cost":0.03}"#), ("cf-aig-metadata", r#"{"team":"blue"}"#)];
    assert_eq!(second.chat(&dear, "m").await.status, 200);
    assert_eq!(second.chat(&dear, "m").await.status, 429);
    let told: Vec<_> = std::iter::from_fn(|| crossings.try_recv().ok()).map(|it| (it.percent, it.refused)).collect();
    assert_eq!(told, [(50, false), (100, true)]);
}

fn rules(limits: serde_json::Value) -> Plan {
    Plan::gateway(|gateway| gateway.tollgate_limits = Some(limits))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_value_of_a_key_has_its_own_limit_of_requests() {
    let town = town(rules(json!([
        { "id": "per-user", "count": "requests", "limit": 2, "window": 60, "metadata": { "user": { "mode": "partition" } } }
    ])))
    .await;
    let of = |user: &'static str| [("cf-aig-metadata", user)];
    let (ann, bob) = (of(r#"{"user":"ann"}"#), of(r#"{"user":"bob"}"#));
    let first = town.chat(&ann, "m").await;
    assert_eq!(first.header("ratelimit-policy"), Some(r#""per-user";q=2;w=60"#));
    assert_eq!(first.header("ratelimit"), Some(r#""per-user";r=1;t=60"#));
    assert_eq!(town.chat(&ann, "m").await.status, 200);
    let refused = town.chat(&ann, "m").await;
    assert_eq!(said(&refused), (429, 2003, "Rate limited".to_owned()));
    assert!(refused.header("retry-after").is_some() && refused.header("retry-after-ms").is_some());
    assert!(refused.header("ratelimit").unwrap().starts_with(r#""per-user";r=0;t="#));
    assert_eq!(town.chat(&bob, "m").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_one_model_lets_a_route_go_on_to_the_next() {
    let elements = json!([
        { "id": "start", "type": "start", "outputs": { "next": "dear" } },
        { "id": "dear", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o" },
          "outputs": { "success": "end", "fallback": "cheap" } },
        { "id": "cheap", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o-mini" }, "outputs": { "success": "end" } },
        { "id": "end", "type": "end", "outputs": {} }
    ]);
    let mut plan = Plan::routed("r", elements);
    plan.gateway.tollgate_limits =
        Some(json!([{ "count": "requests", "limit": 1, "model": { "mode": "filter", "values": ["gpt-4o"] } }]));
    let town = town(plan).await;
    let ask = || town.post("compat/chat/completions", &[], chat_body("dynamic/r", false));
    let models = [ask().await, ask().await].map(|heard| heard.header("cf-aig-model").map(str::to_owned));
    assert_eq!(models, [Some("gpt-4o".to_owned()), Some("gpt-4o-mini".to_owned())]);
    assert_eq!(town.chat(&[], "gpt-4o").await.status, 429, "asked for by name there is nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_held_at_most_and_settled_by_the_truth() {
    let town = town(rules(json!([
        { "id": "tpm", "count": "tokens", "limit": 1_000, "window": 60 },
        { "id": "out", "count": "output_tokens", "limit": 700, "window": 60 }
    ])))
    .await;
    town.provider.on("POST", "/v1/chat/completions", |_| {
        Answer::json(200, r#"{"usage":{"prompt_tokens":30,"completion_tokens":70,"total_tokens":100}}"#)
    });
    let body = |most: u64| json!({ "model": "m", "max_tokens": most, "messages": [] }).to_string();
    let first = town.post(CHAT, &[], body(500)).await;
    assert_eq!(first.status, 200);
    assert!(first.header("ratelimit-policy").unwrap().contains(r#""tpm";q=1000;qu="tokens";w=60, "out";q=700;"#));
    town.until(|| town.shared.till.outstanding() == 0).await;
    // 100 are spent, 70 of them out: 600 more out fit, 650 do not.
    let second = town.post(CHAT, &[], body(600)).await;
    assert_eq!(second.status, 200);
    assert!(second.header("ratelimit").unwrap().contains(r#""out";r=30;"#), "{:?}", second.header("ratelimit"));
    town.until(|| town.shared.till.outstanding() == 0).await;
    let refused = town.post(CHAT, &[], body(650)).await;
    assert_eq!(said(&refused).1, 2003);
    assert!(refused.header("retry-after").is_some());
    let never = town.post(CHAT, &[], body(701)).await;
    assert_eq!((never.status, never.header("x-should-retry"), never.header("retry-after")), (429, Some("false"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_among_requests_at_once_is_free_when_the_request_is_over_however_it_ends() {
    let town = Arc::new(town(rules(json!([{ "id": "busy", "count": "concurrent", "limit": 2 }]))).await);
    town.provider.on("POST", "/v1/chat/completions", |_| {
        let delta = "data: {\"choices\":[{\"delta\":{\"content\":\"word \"}}]}\n\n";
        Answer::stream("text/event-stream", (0..100).map(move |_| Frame::after(Duration::from_millis(20), delta)))
    });
    let url = town.url(CHAT);
    for _ in 0..3 {
        let begin = || town.begin("POST", &url, &[], chat_body("m", true).into());
        let (one, two) = (begin().await.unwrap(), begin().await.unwrap());
        assert_eq!((one.status().as_u16(), two.status().as_u16()), (200, 200));
        let policy = one.headers()["ratelimit-policy"].to_str().unwrap();
        assert_eq!(policy, r#""busy";q=2;qu="concurrent-requests""#);
        let refused = town.post(CHAT, &[], chat_body("m", false)).await;
        assert_eq!((said(&refused).1, refused.header("retry-after")), (2003, Some("1")));
        // They leave in the middle.
        drop((one, two));
        town.until(|| town.shared.till.outstanding() == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_cache_asks_budgets_and_spends_nothing() {
    let mut plan = limited(json!([{ "id": "a", "limit": 0.01, "window": 3600 }]));
    plan.gateway.cache_ttl = Some(600);
    plan.gateway.tollgate_strict_cache = true;
    let town = town(plan).await;
    assert_eq!(town.chat(&[costs(CENT)], "gpt-4o-mini").await.status, 200);
    assert_eq!(said(&town.chat(&[costs(CENT)], "gpt-4o-mini").await).1, 2041);
    assert_eq!((town.asked(), town.shared.till.outstanding()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_goes_to_a_cheaper_model_when_most_of_a_budget_is_used() {
    let elements = json!([
        { "id": "start", "type": "start", "outputs": { "next": "left" } },
        { "id": "left", "type": "conditional", "properties": { "conditions": { "budget.used": { "$gte": 0.5 } } },
          "outputs": { "true": "cheap", "false": "dear" } },
        { "id": "dear", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o" }, "outputs": { "success": "end" } },
        { "id": "cheap", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o-mini" }, "outputs": { "success": "end" } },
        { "id": "end", "type": "end", "outputs": {} }
    ]);
    let mut plan = Plan::routed("r", elements);
    let rule = json!({ "id": "a", "limit": 0.02, "window": 3600 });
    plan.gateway.spend_limits = Some(json!({ "enabled": true, "rules": [rule] }));
    let town = town(plan).await;
    let paid = [costs(CENT)];
    let ask = || town.post("compat/chat/completions", &paid, chat_body("dynamic/r", false));
    let mut models = Vec::new();
    for _ in 0..2 {
        models.push(ask().await.header("cf-aig-model").map(str::to_owned));
        town.until(|| town.shared.till.outstanding() == 0).await;
    }
    assert_eq!(models, [Some("gpt-4o".to_owned()), Some("gpt-4o-mini".to_owned())]);
}

const MIXED: usize = 600;
const FITS: u64 = 400;

/// Cancelled at any moment, asked again, sent on to a fallback, from the cache, without counts: what the log says was paid is what the budget says was spent.
#[tokio::test(flavor = "multi_thread")]
async fn money_in_the_log_is_money_in_the_budget_however_requests_end() {
    let elements = json!([
        { "id": "start", "type": "start", "outputs": { "next": "first" } },
        { "id": "first", "type": "model", "properties": { "provider": "openai", "model": "sandbox-1:status=500" },
          "outputs": { "success": "end", "fallback": "second" } },
        { "id": "second", "type": "model", "properties": { "provider": "openai", "model": "sandbox-1:tokens=3" }, "outputs": { "success": "end" } },
        { "id": "end", "type": "end", "outputs": {} }
    ]);
    let mut plan = Plan::routed("r", elements);
    plan.gateway.cache_ttl = Some(600);
    plan.gateway.retry_max_attempts = Some(2);
    plan.gateway.retry_delay = Some(1);
    let rule = json!({ "id": "a", "limit": 0.01 * FITS as f64, "window": 864_000 });
    plan.gateway.spend_limits = Some(json!({ "enabled": true, "rules": [rule] }));
    plan.gateway.tollgate_limits = Some(json!([{ "count": "concurrent", "limit": 100_000 }]));
    let town = Arc::new(town(plan).await);
    let ask = |number: usize| {
        let town = town.clone();
        async move {
            let headers = [costs(CENT), ("cf-aig-skip-cache", if number.is_multiple_of(5) { "false" } else { "true" })];
            let (path, model) = match number % 4 {
                0 => ("compat/chat/completions", "dynamic/r".to_owned()),
                1 => (CHAT, format!("sandbox-1:fail=1,key={number},status=503")),
                2 => (CHAT, "sandbox-1:tokens=40".to_owned()),
                _ => (CHAT, "sandbox-1:tokens=2".to_owned()),
            };
            let url = town.url(path);
            let begin = town.begin("POST", &url, &headers, chat_body(&model, !number.is_multiple_of(3)).into());
            let patience = Duration::from_millis((number % 7 * 5) as u64);
            match number % 2 {
                0 => drop(
                    tokio::time::timeout(patience, async { begin.await.map(|heard| heard.into_body().collect()) })
                        .await,
                ),
                _ => drop(begin.await.unwrap().into_body().collect().await),
            }
        }
    };
    join_all((0..MIXED).map(ask)).await;
    town.until(|| town.shared.till.outstanding() == 0).await;
    town.at_rest().await;
    let gateway = town.shared.snapshot.load().gateway("g").unwrap().clone();
    let whole = gateway.spend.all()[0].standing();
    let (spent, held) = town.shared.till.taken(whole.mark, town.shared.clock.unix_ms());
    let logged: i64 =
        town.log().await.iter().filter_map(|record| record.cost.as_ref()).map(|cost| cost.amount.nanos()).sum();
    assert_eq!((spent as i64, held), (logged, 0), "what was paid and what was spent");
    assert!(spent <= whole.limit && spent > whole.limit / 4, "{spent} of {}", whole.limit);
    // Exactly what is left passes now, one after the other.
    let skip = [costs(CENT), ("cf-aig-skip-cache", "true")];
    let mut more = 0;
    while town.chat(&skip, "sandbox-1:tokens=1").await.status == 200 {
        more += 1;
    }
    assert_eq!(spent / 10_000_000 + more, FITS);
}
