//! Single flight as callers see it: identical requests that may be cached ask the provider once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use tokio::task::JoinSet;
use tollgate_model::Money;
use tollgate_model::gateway::Gateway;
use tollgate_model::record::Outcome;
use tollgate_testkit::plan::{Ending, Frame};
use tollgate_testkit::{Outcome as Left, plan};

use crate::town::{Heard, Plan, Town, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";
const STREAM: (&str, &str) = ("tollgate-cache-stream", "true");

/// So many at once, all the same.
async fn crowd(town: &Arc<Town>, count: usize, body: &str) -> Vec<Heard> {
    let mut asking = JoinSet::new();
    for _ in 0..count {
        let (town, body) = (town.clone(), body.to_owned());
        asking.spawn(async move { town.post(CHAT, &[STREAM], body).await });
    }
    asking.join_all().await
}

async fn asked(town: &Town, count: usize) {
    town.provider.recorder().until(|heard| heard.len() >= count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_identical_requests_ask_the_provider_once() {
    let town = Arc::new(town(Plan::caching()).await);
    for (stream, model) in [(false, "sandbox-1:latency=500"), (true, "sandbox-1:latency=500,gap=20,chunks=10")] {
        town.provider.recorder().clear();
        let heard = crowd(&town, 1_000, &chat_body(model, stream)).await;
        assert_eq!((heard.len(), town.asked()), (1_000, 1), "stream {stream}");
        let bodies: HashSet<_> = heard.iter().map(|heard| (heard.status, heard.body.clone())).collect();
        assert_eq!(bodies.len(), 1, "stream {stream}");
        let misses = heard.iter().filter(|heard| heard.header("cf-aig-cache-status") == Some("MISS")).count();
        assert_eq!(misses, 1);
        town.at_rest().await;
        let log = town.log().await;
        let free = log.iter().filter(|record| record.cached && record.cost.as_ref().unwrap().amount == Money::ZERO);
        assert_eq!((log.len(), free.count()), (1_000, 999));
        assert!(log.iter().all(|record| record.usage == log[0].usage && record.usage.is_some()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_late_gets_what_was_said_and_then_the_rest_as_it_comes() {
    let town = town(Plan::caching()).await;
    let body = chat_body("sandbox-1:gap=100,chunks=10", true);
    let url = town.url(CHAT);
    let mut leader = town.begin("POST", &url, &[STREAM], body.clone().into()).await.unwrap();
    let mut told = leader.body_mut().frame().await.unwrap().unwrap().into_data().unwrap().to_vec();
    told.extend_from_slice(&leader.body_mut().frame().await.unwrap().unwrap().into_data().unwrap());
    let mut late = town.begin("POST", &url, &[STREAM], body.into()).await.unwrap();
    assert_eq!(late.headers()["cf-aig-cache-status"], "HIT");
    assert_eq!(late.headers()["cache-status"], "tollgate; fwd=miss; collapsed");
    let prefix = late.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(!prefix.windows(6).any(|six| six == b"[DONE]"), "the prefix comes before the end is known");
    let rest = late.into_body().collect().await.unwrap().to_bytes();
    told.extend_from_slice(&leader.into_body().collect().await.unwrap().to_bytes());
    assert_eq!([&prefix[..], &rest[..]].concat(), told);
    assert!(told.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(town.asked(), 1);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_follow_get_the_whole_though_the_first_has_left() {
    let town = Arc::new(town(Plan::caching()).await);
    let body = chat_body("sandbox-1:gap=50,chunks=10", true);
    let url = town.url(CHAT);
    let mut leader = town.begin("POST", &url, &[STREAM], body.clone().into()).await.unwrap();
    leader.body_mut().frame().await.unwrap().unwrap();
    let late = town.begin("POST", &url, &[STREAM], body.clone().into()).await.unwrap();
    drop(leader);
    let whole = late.into_body().collect().await.unwrap().to_bytes();
    assert!(whole.ends_with(b"data: [DONE]\n\n"));
    let hit = town.post(CHAT, &[STREAM], body).await;
    assert_eq!((hit.header("cf-aig-cache-status"), &hit.body, town.asked()), (Some("HIT"), &whole, 1));
    town.at_rest().await;
    let outcomes: Vec<_> = town.log().await.iter().map(|record| (record.outcome, record.cached)).collect();
    assert_eq!(outcomes.iter().filter(|each| **each == (Outcome::Cancelled, false)).count(), 1);
    assert_eq!(outcomes.iter().filter(|each| **each == (Outcome::Complete, true)).count(), 2);
    assert!(town.last_record().await.usage.is_some(), "the answer that was read on for others is counted too");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_have_left_the_provider_is_let_go() {
    let town = town(Plan::caching()).await;
    let body = chat_body("sandbox-1:stall=3", true);
    let url = town.url(CHAT);
    let mut leader = town.begin("POST", &url, &[STREAM], body.clone().into()).await.unwrap();
    leader.body_mut().frame().await.unwrap().unwrap();
    let late = town.begin("POST", &url, &[STREAM], body.into()).await.unwrap();
    drop(leader);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(matches!(town.provider.recorder().last().outcome, Left::Answering), "somebody still listens");
    drop(late);
    let gone = |heard: &[tollgate_testkit::Heard]| matches!(heard[0].outcome, Left::CallerGone(_));
    tokio::time::timeout(Duration::from_secs(5), town.provider.recorder().until(gone)).await.unwrap();
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_first_fails_before_its_answer_the_next_one_asks() {
    let town = Arc::new(town(Plan::caching()).await);
    let tries = std::sync::atomic::AtomicUsize::new(0);
    town.provider.on("POST", "/v1/chat/completions", move |_| {
        let wait = Duration::from_millis(300);
        match tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => plan::Plan::raw("").ending(Ending::Reset).after(wait),
            _ => plan::Plan::json(200, "{}").after(wait),
        }
    });
    let heard = crowd(&town, 50, &chat_body("gpt-4o-mini", false)).await;
    let count = |status| heard.iter().filter(|heard| heard.status == status).count();
    assert_eq!((count(502), count(200), town.asked()), (1, 49, 2));
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_first_leaves_before_its_answer_the_next_one_asks() {
    let town = Arc::new(town(Plan::caching()).await);
    let body = chat_body("sandbox-1:latency=400", false);
    let leader = {
        let (town, body) = (town.clone(), body.clone());
        tokio::spawn(async move { town.post(CHAT, &[], body).await })
    };
    asked(&town, 1).await;
    let waiting = {
        let (town, body) = (town.clone(), body.clone());
        tokio::spawn(async move { crowd(&town, 20, &body).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    leader.abort();
    let heard = waiting.await.unwrap();
    assert!(heard.iter().all(|heard| heard.status == 200));
    assert_eq!(town.asked(), 2);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_may_not_be_kept_sends_everybody_alone() {
    let town = Arc::new(town(Plan::caching()).await);
    for status in [429, 500] {
        town.provider.recorder().clear();
        let heard = crowd(&town, 20, &chat_body(&format!("sandbox-1:latency=200,status={status}"), false)).await;
        assert!(heard.iter().all(|heard| heard.status == status));
        assert_eq!(town.asked(), 20);
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_answer_is_broken_for_all_who_follow_and_kept_for_none() {
    let town = Arc::new(town(Plan::caching()).await);
    let heard = crowd(&town, 20, &chat_body("sandbox-1:latency=200,gap=50,chunks=5,cut=3", true)).await;
    assert_eq!(town.asked(), 1);
    for heard in &heard {
        let text = String::from_utf8_lossy(&heard.body);
        assert!(!text.contains("[DONE]") && text.contains("upstream_truncated"), "{text}");
    }
    town.at_rest().await;
    assert!(town.log().await.iter().all(|record| record.outcome == Outcome::Truncated));
    let again = town.post(CHAT, &[STREAM], chat_body("sandbox-1:latency=200,gap=50,chunks=5,cut=3", true)).await;
    assert_eq!(again.header("cf-aig-cache-status"), Some("MISS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_answer_that_is_no_stream_gets_no_event_behind_it() {
    let town = Arc::new(town(Plan::caching()).await);
    town.provider.on("POST", "/v1/chat/completions", |_| {
        let frames =
            [Frame::after(Duration::from_millis(300), "{\"id\":"), Frame::after(Duration::from_millis(50), "1")];
        plan::Plan::stream("application/json", frames.into_iter()).ending(Ending::Cut)
    });
    let mut asking = JoinSet::new();
    for _ in 0..5 {
        let town = town.clone();
        let body = chat_body("gpt-4o-mini", false);
        asking.spawn(async move { town.send("POST", &town.url(CHAT), &[], body.into()).await });
    }
    let heard = asking.join_all().await;
    assert!(heard.iter().all(Result::is_err), "the end of the connection is the only way to tell it");
    assert_eq!(town.asked(), 1);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_to_different_gateways_do_not_meet() {
    let mut plan = Plan::caching();
    plan.others = vec![Gateway { id: "h".to_owned(), cache_ttl: Some(600), ..Gateway::default() }];
    let town = Arc::new(town(plan).await);
    let body = chat_body("sandbox-1:latency=300", false);
    let elsewhere = format!("http://{}/v1/acc/h/{CHAT}", town.address);
    let (here, there) =
        tokio::join!(town.post(CHAT, &[], body.clone()), town.send("POST", &elsewhere, &[], body.clone().into()));
    assert_eq!((here.status, there.unwrap().status, town.asked()), (200, 200, 2));
}
