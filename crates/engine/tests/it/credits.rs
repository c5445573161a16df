//! Prepaid credits: who uses the operator's key draws on them, exactly, and nobody without them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use http_body_util::BodyExt;
use tollgate_engine::credits::RATE;
use tollgate_model::record::Outcome;
use tollgate_testkit::plan;

use crate::town::{Heard, Plan, Town, town};

const CHAT: &str = "openai/v1/chat/completions";
/// 100 in and 20 out with gpt-4o-mini, in nano-dollars.
const ONE: u64 = 27_000;

fn paid(dollars: f64) -> Plan {
    Plan { keys: true, credits: Some((dollars, RATE)), ..Plan::default() }
}

fn counting(town: &Town) {
    town.provider.on("POST", "/v1/chat/completions", |_| {
        let usage = r#"{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120}"#;
        plan::Plan::json(
            200,
            format!(r#"{{"model":"m","choices":[{{"message":{{"content":"hi"}}}}],"usage":{usage}}}"#),
        )
    });
}

fn drawn(town: &Town) -> u64 {
    town.shared.credits.as_ref().unwrap().drawn().iter().map(|(_, nanos)| nanos).sum()
}

fn held(town: &Town) -> u64 {
    town.shared.credits.as_ref().unwrap().outstanding()
}

fn said(heard: &Heard) -> (u16, u64, String) {
    let json = heard.json();
    let message = json["error"][0]["message"].as_str().or(json["errors"][0]["message"].as_str());
    let code = json["error"][0]["code"].as_u64().or(json["errors"][0]["code"].as_u64());
    (heard.status, code.unwrap_or_default(), message.unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_s_key_draws_what_the_list_says_until_credits_are_used_up() {
    let town = town(paid(0.0026)).await;
    counting(&town);
    assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200);
    town.at_rest().await;
    assert_eq!((drawn(&town), held(&town)), (ONE, 0));
    let record = town.last_record().await;
    assert!(record.wholesale && record.cost.is_some_and(|cost| cost.amount.nanos() as u64 == ONE));
    // Without a maximum of its own a request is held 4,096 tokens of output, of which there is not enough left for another.
    let refused = town.chat(&[], "gpt-4o-mini").await;
    let left = 2_600_000 - ONE;
    assert!(left > 4_096 * 600, "one would still fit: {left}");
    assert_eq!(refused.status, 200);
    let dear = r#"{"model":"gpt-4o-mini","max_tokens":16000,"messages":[{"role":"user","content":"hi"}]}"#;
    let refused = town.post(CHAT, &[], dear).await;
    assert_eq!(said(&refused), (402, 2021, "Insufficient AI Gateway credits".to_owned()));
    assert_eq!(refused.header("x-should-retry"), Some("false"));
    assert_eq!((drawn(&town), held(&town)), (2 * ONE, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_s_own_key_and_own_price_are_the_caller_s_affair() {
    let town = town(paid(1.0)).await;
    counting(&town);
    assert_eq!(town.chat(&[("authorization", "Bearer sk-fake-own")], "gpt-4o-mini").await.status, 200);
    assert_eq!(town.chat(&[("authorization", "Bearer sk-fake-own")], "nobody-knows-this").await.status, 200);
    assert!(!town.last_record().await.wholesale);
    assert_eq!(drawn(&town), 0);
    // What the operator pays is not what a caller says it costs.
    assert_eq!(town.chat(&[("cf-aig-custom-cost", r#"{"total_cost":0}"#)], "gpt-4o-mini").await.status, 200);
    town.at_rest().await;
    assert_eq!(drawn(&town), ONE);
    let unknown = town.chat(&[], "nobody-knows-this").await;
    assert_eq!((said(&unknown).0, said(&unknown).1), (402, 2021));
    assert!(said(&unknown).2.contains("use BYOK"), "{}", said(&unknown).2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credits_a_plain_installation_refuses_nobody() {
    let town = town(Plan { keys: true, ..Plan::default() }).await;
    counting(&town);
    for _ in 0..3 {
        assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200);
    }
    assert!(town.last_record().await.wholesale);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_draws_nothing_and_neither_does_an_answer_from_the_cache() {
    let mut plan = paid(1.0);
    plan.gateway.cache_ttl = Some(60);
    let town = town(plan).await;
    town.provider.on("POST", "/v1/chat/completions", |_| plan::Plan::json(500, "{}"));
    assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 500);
    town.at_rest().await;
    assert_eq!((drawn(&town), held(&town)), (0, 0));
    counting(&town);
    for _ in 0..3 {
        assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200);
    }
    town.at_rest().await;
    assert_eq!((drawn(&town), held(&town)), (ONE, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_may_use_the_operator_s_key_so_often_a_minute() {
    let town = town(paid(100.0)).await;
    counting(&town);
    let statuses = join_all((0..230).map(|_| town.chat(&[], "gpt-4o-mini"))).await;
    let refused: Vec<_> = statuses.iter().filter(|heard| heard.status != 200).map(said).collect();
    assert_eq!(refused.len(), 30);
    assert!(refused.iter().all(|refused| *refused == (429, 2018, "Wholesale Rate limited".to_owned())), "{refused:?}");
    assert_eq!(town.chat(&[("authorization", "Bearer sk-fake-own")], "gpt-4o-mini").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_never_draw_more_than_was_paid() {
    // Each is held 100 tokens of output and its own bytes, and costs less.
    let body = r#"{"model":"gpt-4o-mini","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}"#;
    let most = (body.len() as u64) * 150 + 100 * 600;
    let town = town(paid(most as f64 * 10.0 / 1e9)).await;
    counting(&town);
    let asked = join_all((0..150).map(|_| town.post(CHAT, &[], body))).await;
    let passed = asked.iter().filter(|heard| heard.status == 200).count() as u64;
    assert!(passed >= 10, "{passed}");
    town.at_rest().await;
    assert_eq!((drawn(&town), held(&town)), (passed * ONE, 0));
    assert!(drawn(&town) <= most * 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_drawn_outlives_the_process() {
    let first = town(paid(1.0)).await;
    counting(&first);
    assert_eq!(first.chat(&[], "gpt-4o-mini").await.status, 200);
    first.at_rest().await;
    // Not summed up, not even synced: a killed process does not get to.
    let dir = first.close().await;
    let second = town(Plan { dir: Some(dir), ..paid(1.0) }).await;
    counting(&second);
    assert_eq!(drawn(&second), ONE);
    assert_eq!(second.chat(&[], "gpt-4o-mini").await.status, 200);
    second.at_rest().await;
    second.shared.credits.as_ref().unwrap().sum_up().unwrap();
    let dir = second.close().await;
    let third = town(Plan { dir: Some(dir), ..paid(1.0) }).await;
    assert_eq!((drawn(&third), held(&third)), (2 * ONE, 0));
}

const STREAMS: usize = 10_000;
const AT_ONCE: usize = 50;

/// The callers of ten thousand streams leave: before anything came, behind the first words, or with the answer nearly whole.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_cancelled_streams_leave_nothing_held() {
    let mut plan = Plan { keys: true, credits: Some((1_000_000.0, u64::MAX)), ..Plan::default() };
    let rules = r#"{"enabled":true,"rules":[{"id":"r","enabled":true,"limitType":"cost","limit":1000000,"window":864000,"technique":"fixed"}]}"#;
    plan.gateway.spend_limits = Some(serde_json::from_str(rules).unwrap());
    let town = town(plan).await;
    town.provider.on("POST", "/v1/chat/completions", |request| {
        let asked = String::from_utf8_lossy(&request.body).into_owned();
        let wait = if asked.contains("silence") { 600 } else { 0 };
        let word = "data: {\"model\":\"gpt-4o-mini\",\"choices\":[{\"delta\":{\"content\":\"one two three\"}}]}\n\n";
        let said = (0..3).map(move |_| plan::Frame::now(word));
        let silence = std::iter::once(plan::Frame::after(Duration::from_secs(600), "data: [DONE]\n\n"));
        plan::Plan::stream("text/event-stream", said.chain(silence)).after(Duration::from_secs(wait))
    });
    let next = AtomicUsize::new(0);
    let caller = async || {
        // Who leaves before the provider has heard of it does not count.
        while town.asked() < STREAMS {
            leave(&town, next.fetch_add(1, Ordering::Relaxed)).await;
        }
    };
    join_all((0..AT_ONCE).map(|_| caller())).await;
    town.at_rest().await;
    town.until(|| town.shared.till.outstanding() == 0 && held(&town) == 0).await;
    let log = town.whole_log().await;
    assert!(log.len() >= STREAMS && log.iter().all(|record| record.outcome == Outcome::Cancelled), "{}", log.len());
    let charged: i64 = log.iter().filter_map(|record| record.cost.as_ref()).map(|cost| cost.amount.nanos()).sum();
    assert!(charged > 0, "what was delivered is charged");
    assert_eq!(drawn(&town), charged.unsigned_abs());
}

/// Before the head of the answer, at its head, or behind its first words.
async fn leave(town: &Town, number: usize) {
    let word = if number.is_multiple_of(5) { "silence" } else { "speech" };
    let body = format!(
        r#"{{"model":"gpt-4o-mini","stream":true,"max_tokens":50,"messages":[{{"role":"user","content":"{word}"}}]}}"#
    );
    let url = town.url(CHAT);
    let begun = town.begin("POST", &url, &[], body.into());
    if word == "silence" {
        assert!(tokio::time::timeout(Duration::from_millis(50), begun).await.is_err());
        return;
    }
    let mut response = begun.await.unwrap();
    assert_eq!(response.status(), 200);
    if number.is_multiple_of(2) {
        response.body_mut().frame().await.unwrap().unwrap();
    }
}
