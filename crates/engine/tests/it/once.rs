//! Idempotency keys as callers meet them: one request however often it is brought, and never somebody else's.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tollgate_model::record::Outcome;
use tollgate_model::token::Scope;
use tollgate_model::{Clock, Gateway, Money};
use tollgate_testkit::plan::{Ending, Frame, Plan as Answer};

use crate::town::{Heard, Plan, TOKEN, Town, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";
const KEY: (&str, &str) = ("idempotency-key", "try-1");

fn replayed(heard: &Heard) -> bool {
    heard.header("idempotent-replayed") == Some("true")
}

async fn stream(town: &Town, key: (&str, &str), model: &str) -> Heard {
    town.post(CHAT, &[key], chat_body(model, true)).await
}

/// Answers the chat path with a number that grows, after a while.
fn counting(town: &Town, wait: Duration) {
    let asked = AtomicUsize::new(0);
    town.provider.on("POST", "/v1/chat/completions", move |_| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        Answer::json(200, format!(r#"{{"number":{number}}}"#)).header("x-provider", number.to_string()).after(wait)
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_try_hears_the_first_ones_answer_and_costs_nothing() {
    let town = town(Plan::default()).await;
    let first = town.chat(&[KEY], "gpt-4o-mini").await;
    let second = town.chat(&[KEY, ("x-stainless-retry-count", "1")], "gpt-4o-mini").await;
    assert_eq!((first.status, second.status, town.asked()), (200, 200, 1));
    assert!(!replayed(&first) && replayed(&second));
    assert_eq!(first.body, second.body);
    for name in ["content-type", "content-length", "cf-aig-step"] {
        assert_eq!(first.header(name), second.header(name), "{name}");
    }
    assert_ne!(first.header("cf-aig-log-id"), second.header("cf-aig-log-id"), "each has a record of its own");
    let log = town.log().await;
    let [again, before] = &log[..] else { panic!("{log:?}") };
    assert!(before.cost.as_ref().unwrap().amount > Money::ZERO);
    assert_eq!((again.cost.as_ref().unwrap().amount, again.cached, again.attempts.len()), (Money::ZERO, true, 0));
    assert_eq!((&again.provider, &again.model, again.outcome), (&before.provider, &before.model, Outcome::Complete));
    // Without the key it is another request.
    assert!(!replayed(&town.chat(&[], "gpt-4o-mini").await));
    assert_eq!(town.asked(), 2);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_told_again_as_a_stream() {
    let town = town(Plan::default()).await;
    let first = stream(&town, KEY, "sandbox-1:gap=5,chunks=8").await;
    let second = stream(&town, KEY, "sandbox-1:gap=5,chunks=8").await;
    assert!(first.body.ends_with(b"data: [DONE]\n\n") && replayed(&second));
    assert_eq!((&first.body, first.header("content-type")), (&second.body, second.header("content-type")));
    assert_eq!(town.asked(), 1);
    assert!(town.last_record().await.streamed);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_another_request_is_refused_in_the_callers_dialect() {
    let town = town(Plan::default()).await;
    assert_eq!(town.chat(&[KEY], "gpt-4o-mini").await.status, 200);
    let other = town.chat(&[KEY], "gpt-4o").await;
    assert_eq!((other.status, other.header("x-should-retry")), (422, Some("false")));
    assert!(other.json()["error"]["message"].as_str().unwrap().contains("another request"), "{:?}", other.body);
    let claude = json!({ "model": "claude-haiku-4-5", "max_tokens": 5, "messages": [] }).to_string();
    let other = town.post("anthropic/v1/messages", &[KEY], claude).await;
    assert_eq!((other.status, &other.json()["type"]), (422, &json!("error")), "{:?}", other.body);
    // Another header that decides about the answer.
    let beta = town.chat(&[KEY, ("openai-beta", "x")], "gpt-4o-mini").await;
    assert_eq!((beta.status, town.asked()), (422, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_under_way_the_others_are_told_to_come_back() {
    let town = Arc::new(town(Plan::default()).await);
    counting(&town, Duration::from_millis(300));
    let first = tokio::spawn({
        let town = town.clone();
        async move { town.chat(&[KEY], "gpt-4o").await }
    });
    town.provider.recorder().until(|heard| heard.len() == 1).await;
    let busy = town.chat(&[KEY], "gpt-4o").await;
    assert_eq!(
        (busy.status, busy.header("x-should-retry"), busy.header("retry-after")),
        (409, Some("true"), Some("1"))
    );
    assert_eq!(town.chat(&[KEY], "gpt-4o-mini").await.status, 422, "another one is another one, also meanwhile");
    let first = first.await.unwrap();
    let again = town.chat(&[KEY], "gpt-4o").await;
    assert_eq!((again.status, &again.body, again.header("x-provider")), (200, &first.body, Some("0")));
    assert_eq!(town.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_at_once_one_is_carried_out() {
    let town = Arc::new(town(Plan::default()).await);
    for (round, streamed) in [(0, false), (1, true), (2, false)] {
        town.provider.recorder().clear();
        let mut asking = JoinSet::new();
        for _ in 0..1_000 {
            let town = town.clone();
            asking.spawn(async move {
                let key = format!("round-{round}");
                let body = chat_body("sandbox-1:latency=100", streamed);
                let first = town.post(CHAT, &[("idempotency-key", &key)], body.clone()).await;
                let mut heard = vec![first];
                while heard.last().unwrap().status == 409 {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    heard.push(town.post(CHAT, &[("idempotency-key", &key)], body.clone()).await);
                }
                heard
            });
        }
        let heard = asking.join_all().await;
        let last: Vec<&Heard> = heard.iter().map(|each| each.last().unwrap()).collect();
        assert_eq!(town.asked(), 1, "round {round}");
        assert!(last.iter().all(|heard| heard.status == 200));
        assert_eq!(last.iter().filter(|heard| !replayed(heard)).count(), 1);
        let bodies: HashSet<_> = last.iter().map(|heard| &heard.body).collect();
        assert_eq!(bodies.len(), 1);
        let busy = heard.iter().flatten().filter(|heard| heard.status == 409);
        assert!(busy.clone().all(|heard| heard.header("x-should-retry") == Some("true")) && busy.count() > 0);
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_go_better_is_tried_again() {
    for status in [429, 500, 503, 401] {
        let town = town(Plan::default()).await;
        let tries = AtomicUsize::new(0);
        town.provider.on("POST", "/v1/chat/completions", move |_| {
            let is_first = tries.fetch_add(1, Ordering::SeqCst) == 0;
            if is_first { Answer::json(status, r#"{"error":{}}"#) } else { Answer::json(200, "{}") }
        });
        assert_eq!(town.chat(&[KEY], "gpt-4o").await.status, status);
        let second = town.chat(&[KEY], "gpt-4o").await;
        assert_eq!((second.status, replayed(&second)), (200, false), "{status}");
        assert!(replayed(&town.chat(&[KEY], "gpt-4o").await));
        assert_eq!(town.asked(), 2);
    }
    // An answer that is nobody's fault but the request's is the answer.
    let town = town(Plan::default()).await;
    town.provider.on("POST", "/v1/chat/completions", |_| Answer::json(400, r#"{"error":{"message":"no"}}"#));
    let [first, second] = [town.chat(&[KEY], "gpt-4o").await, town.chat(&[KEY], "gpt-4o").await];
    assert_eq!((first.status, second.status, replayed(&second), town.asked()), (400, 400, true, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_broke_off_is_tried_again() {
    let town = town(Plan::default()).await;
    let tries = AtomicUsize::new(0);
    town.provider.on("POST", "/v1/chat/completions", move |_| {
        let frame = Frame::now("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n");
        let whole = [frame.clone(), Frame::now("data: [DONE]\n\n")];
        match tries.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::stream("text/event-stream", [frame].into_iter()).ending(Ending::Reset),
            _ => Answer::stream("text/event-stream", whole.into_iter()),
        }
    });
    let first = stream(&town, KEY, "gpt-4o").await;
    assert!(!first.body.ends_with(b"[DONE]\n\n"));
    let second = stream(&town, KEY, "gpt-4o").await;
    assert!(second.body.ends_with(b"[DONE]\n\n") && !replayed(&second));
    assert!(replayed(&stream(&town, KEY, "gpt-4o").await));
    assert_eq!(town.asked(), 2);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_finds_the_answer_when_they_come_back() {
    let town = town(Plan::default()).await;
    let url = town.url(CHAT);
    // Before there is a head, and in the middle of a stream.
    for (streamed, model) in [(false, "sandbox-1:latency=300"), (true, "sandbox-1:gap=30,chunks=10")] {
        town.provider.recorder().clear();
        let key = ("idempotency-key", model);
        let body = chat_body(model, streamed);
        if streamed {
            let mut leaving = town.begin("POST", &url, &[key], body.clone().into()).await.unwrap();
            leaving.body_mut().frame().await.unwrap().unwrap();
        } else {
            let wait = Duration::from_millis(100);
            let left = tokio::time::timeout(wait, town.begin("POST", &url, &[key], body.clone().into())).await;
            assert!(left.is_err(), "it left before there was an answer");
        }
        assert_eq!(town.post(CHAT, &[key], body.clone()).await.status, 409, "{model}");
        town.at_rest().await;
        let again = town.post(CHAT, &[key], body).await;
        assert_eq!((again.status, replayed(&again), town.asked()), (200, true, 1), "{model}");
        if streamed {
            assert!(again.body.ends_with(b"data: [DONE]\n\n"), "all of it");
        }
    }
    let log = town.log().await;
    let paid = log.iter().filter(|record| !record.attempts.is_empty());
    assert!(paid.clone().count() == 2 && paid.into_iter().all(|record| record.usage.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_everybodys_own() {
    const OTHER: &str = "tg_fake-other-token";
    let mut plan = Plan { tokens: vec![(OTHER, Scope::default())], ..Plan::default() };
    plan.others = vec![Gateway { id: "h".to_owned(), ..Gateway::default() }];
    let town = town(plan).await;
    counting(&town, Duration::ZERO);
    let elsewhere = format!("http://{}/v1/acc/h/{CHAT}", town.address);
    let (one, two) = (format!("Bearer {TOKEN}"), format!("Bearer {OTHER}"));
    let holders: [&[(&str, &str)]; 6] = [
        &[],
        &[("cf-aig-authorization", &one)],
        &[("cf-aig-authorization", &two)],
        &[("authorization", "Bearer sk-alice")],
        &[("authorization", "Bearer sk-bob")],
        &[("cf-aig-authorization", &one), ("authorization", "Bearer sk-alice")],
    ];
    let mut bodies = HashSet::new();
    for headers in holders {
        let headers = [headers, &[KEY]].concat();
        for url in [&town.url(CHAT), &elsewhere] {
            let body = chat_body("gpt-4o", false);
            let first = town.send("POST", url, &headers, body.clone().into()).await.unwrap();
            assert!(!replayed(&first), "{headers:?}");
            let second = town.send("POST", url, &headers, body.into()).await.unwrap();
            assert!(replayed(&second) && first.body == second.body);
            bodies.insert(first.body);
        }
    }
    assert_eq!((bodies.len(), town.asked()), (12, 12));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_costs_no_unit_and_a_refusal_is_not_an_answer() {
    let mut plan = Plan::default();
    (plan.gateway.rate_limiting_limit, plan.gateway.rate_limiting_interval) = (Some(1), Some(60));
    let (clock, hand) = Clock::manual(1_800_000_000_000);
    let town = town(Plan { clock, ..plan }).await;
    let first = town.chat(&[KEY], "gpt-4o").await;
    for _ in 0..5 {
        let again = town.chat(&[KEY], "gpt-4o").await;
        assert_eq!((again.status, again.header("ratelimit")), (200, None), "limits as they were then say nothing now");
    }
    let late = ("idempotency-key", "late");
    assert_eq!((first.status, town.chat(&[late], "gpt-4o").await.status), (200, 429));
    hand.advance(Duration::from_secs(61));
    let late = town.chat(&[late], "gpt-4o").await;
    assert_eq!((late.status, replayed(&late), town.asked()), (200, false, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_bounds_and_an_end() {
    let (clock, hand) = Clock::manual(1_800_000_000_000);
    let town = town(Plan { clock, ..Plan::default() }).await;
    let longest = "k".repeat(255);
    assert_eq!(town.chat(&[("idempotency-key", &longest)], "gpt-4o").await.status, 200);
    for bad in ["", &"k".repeat(256)] {
        let heard = town.chat(&[("idempotency-key", bad)], "gpt-4o").await;
        assert_eq!((heard.status, &heard.json()["error"]["type"]), (400, &json!("invalid_request_error")));
    }
    assert_eq!(town.asked(), 1);
    hand.advance(Duration::from_secs(86_399));
    assert!(replayed(&town.chat(&[("idempotency-key", &longest)], "gpt-4o").await));
    hand.advance(Duration::from_secs(1));
    assert!(!replayed(&town.chat(&[("idempotency-key", &longest)], "gpt-4o").await));
    // A question that changes nothing needs no key.
    let url = town.url("openai/v1/models");
    for _ in 0..2 {
        assert!(!replayed(&town.send("GET", &url, &[KEY], "".into()).await.unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_keys_are_off_they_are_the_providers_affair() {
    let town = town(Plan { once: Duration::ZERO, ..Plan::default() }).await;
    for _ in 0..2 {
        assert!(!replayed(&town.chat(&[KEY], "gpt-4o").await));
    }
    assert_eq!(town.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_outlives_a_restart() {
    let town = town(Plan::default()).await;
    let first = town.chat(&[KEY], "gpt-4o").await;
    let streamed = stream(&town, ("idempotency-key", "s"), "gpt-4o").await;
    let dir = town.close().await;
    let town = self::town(Plan { dir: Some(dir), ..Plan::default() }).await;
    let [again, again_streamed] =
        [town.chat(&[KEY], "gpt-4o").await, stream(&town, ("idempotency-key", "s"), "gpt-4o").await];
    assert_eq!((&again.body, &again_streamed.body), (&first.body, &streamed.body));
    assert_eq!((replayed(&again), replayed(&again_streamed), town.asked()), (true, true, 0));
    assert_eq!(town.chat(&[KEY], "gpt-4o-mini").await.status, 422, "what the key was for is remembered too");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_every_surface() {
    let town = town(Plan { keys: true, ..Plan::default() }).await;
    let question = json!({ "model": "anthropic/claude-haiku-4.5", "max_tokens": 64, "messages": [{ "role": "user", "content": "Hello" }] });
    let mut streamed = question.clone();
    streamed["stream"] = json!(true);
    let steps = json!([{ "provider": "openai", "endpoint": "v1/chat/completions", "headers": {}, "query": question }]);
    let wrapped =
        json!({ "model": "openai/gpt-4o-mini", "input": { "messages": [{ "role": "user", "content": "Hello" }] } });
    let rest = format!("http://{}/client/v4/accounts/acc/ai", town.address);
    let asks: [(String, &Value); 6] = [
        (town.url("compat/chat/completions"), &question),
        (town.url("compat/chat/completions"), &streamed),
        (town.url(""), &steps),
        (format!("{rest}/v1/chat/completions"), &question),
        (format!("{rest}/v1/messages"), &streamed),
        (format!("{rest}/run"), &wrapped),
    ];
    let bearer = format!("Bearer {TOKEN}");
    for (number, (url, body)) in asks.iter().enumerate() {
        let key = format!("surface-{number}");
        let headers =
            [("idempotency-key", key.as_str()), ("cf-aig-authorization", &bearer), ("cf-aig-gateway-id", "g")];
        let first = town.send("POST", url, &headers, body.to_string().into()).await.unwrap();
        let second = town.send("POST", url, &headers, body.to_string().into()).await.unwrap();
        assert_eq!((first.status, replayed(&first)), (200, false), "{url} {:?}", first.body);
        assert!(replayed(&second) && first.body == second.body, "{url}");
        assert_eq!(first.header("cf-aig-step"), second.header("cf-aig-step"));
        assert_eq!(town.asked(), number + 1, "{url}");
        let sent = town.provider.recorder().last().request;
        assert_eq!(sent.header("idempotency-key"), None, "the operator's key is shared: {url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_hears_the_key_only_with_the_callers_own_credentials() {
    let town = town(Plan { keys: true, ..Plan::default() }).await;
    for (headers, expected) in [(&[KEY][..], None), (&[KEY, ("authorization", "Bearer sk-mine")], Some("try-1"))] {
        assert_eq!(town.chat(headers, "gpt-4o").await.status, 200);
        assert_eq!(town.provider.recorder().last().request.header("idempotency-key"), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_tries_come_and_go_each_key_is_carried_out_once() {
    const KEYS: usize = 20;
    let town = Arc::new(town(Plan::default()).await);
    let mut trying = JoinSet::new();
    for number in 0..400_usize {
        let town = town.clone();
        trying.spawn(async move {
            // Some leave at once, some in the middle, some stay; which is told by their number, and when by what else the machine does.
            let (key, body) =
                (format!("k{}", number % KEYS), chat_body("sandbox-1:latency=20,gap=5,chunks=6", number % KEYS < 10));
            tokio::time::sleep(Duration::from_millis(number as u64 % 97)).await;
            let headers = [("idempotency-key", key.as_str())];
            let asking = town.post(CHAT, &headers, body);
            let heard = tokio::time::timeout(Duration::from_millis(number as u64 * 7 % 120), asking).await;
            assert!(heard.is_err() || [200, 409].contains(&heard.unwrap().status));
        });
    }
    trying.join_all().await;
    town.at_rest().await;
    let mut bodies = HashSet::new();
    for number in 0..KEYS {
        let body = chat_body("sandbox-1:latency=20,gap=5,chunks=6", number < 10);
        let heard = town.post(CHAT, &[("idempotency-key", &format!("k{number}"))], body).await;
        assert!(replayed(&heard), "{number}");
        bodies.insert(heard.body);
    }
    assert_eq!(town.asked(), KEYS);
}
