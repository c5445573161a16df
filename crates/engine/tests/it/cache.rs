//! The response cache as callers see it: what is told again, to whom, and for how long.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tollgate_model::gateway::Gateway;
use tollgate_model::record::Outcome;
use tollgate_model::{Clock, Money};
use tollgate_store::records::Which;
use tollgate_testkit::plan;

use crate::town::{Heard, Plan, Town, chat_body, town};

const STREAM: (&str, &str) = ("tollgate-cache-stream", "true");

fn said(heard: &Heard) -> Option<&str> {
    heard.header("cf-aig-cache-status")
}

async fn stream(town: &Town, headers: &[(&str, &str)], model: &str) -> Heard {
    town.post("openai/v1/chat/completions", headers, chat_body(model, true)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miss_is_followed_by_a_hit_that_costs_nothing() {
    let town = town(Plan::caching()).await;
    let first = town.chat(&[], "gpt-4o-mini").await;
    assert_eq!((said(&first), first.header("cache-status")), (Some("MISS"), Some("tollgate; fwd=miss")));
    let miss = town.last_record().await;
    let second = town.chat(&[], "gpt-4o-mini").await;
    assert_eq!(said(&second), Some("HIT"));
    let standard = second.header("cache-status").unwrap();
    let ttl: u64 = standard.strip_prefix("tollgate; hit; ttl=").unwrap().parse().unwrap();
    assert!((590..=600).contains(&ttl), "{standard}");
    assert_eq!((second.status, &second.body, town.asked()), (200, &first.body, 1));
    assert_ne!(second.header("cf-aig-log-id"), first.header("cf-aig-log-id"));

    let hit = town.last_record().await;
    assert!(!miss.cached && hit.cached && hit.attempts.is_empty());
    assert_eq!((hit.usage.as_ref().unwrap(), hit.outcome), (miss.usage.as_ref().unwrap(), Outcome::Complete));
    assert!(miss.cost.unwrap().amount > Money::ZERO);
    assert_eq!(hit.cost.as_ref().unwrap().amount, Money::ZERO);
    assert_eq!(town.logged_body(&hit, Which::Response).unwrap().bytes, first.body);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_caching_nothing_is_said_of_it() {
    let town = town(Plan::default()).await;
    for headers in [&[][..], &[("cf-aig-cache-ttl", "600")], &[("cf-aig-cache-key", "k"), ("cf-aig-cache-ttl", "0")]] {
        for _ in 0..2 {
            let heard = town.chat(headers, "gpt-4o-mini").await;
            assert_eq!((said(&heard), heard.header("cache-status")), (None, None), "{headers:?}");
        }
    }
    assert_eq!(town.asked(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_key_is_shared_by_different_requests() {
    let town = town(Plan::default()).await;
    let first = town.chat(&[("cf-aig-cache-key", "k"), ("authorization", "Bearer sk-a")], "gpt-4o-mini").await;
    let second = town.chat(&[("cf-aig-cache-key", "k"), ("authorization", "Bearer sk-b")], "gpt-4o").await;
    let other = town.chat(&[("cf-aig-cache-key", "l"), ("authorization", "Bearer sk-a")], "gpt-4o-mini").await;
    assert_eq!([said(&first), said(&second), said(&other)], [Some("MISS"), Some("HIT"), Some("MISS")]);
    assert_eq!((first.body == second.body, town.asked()), (true, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_key_does_not_give_a_stream_to_who_asked_for_none() {
    let town = town(Plan::default()).await;
    let key = ("cf-aig-cache-key", "k");
    let streamed = stream(&town, &[key, STREAM], "gpt-4o-mini").await;
    let whole = town.chat(&[key, STREAM], "gpt-4o-mini").await;
    assert_eq!([said(&streamed), said(&whole)], [Some("MISS"), Some("MISS")]);
    assert_eq!(whole.json()["object"], "chat.completion");
    assert_eq!(said(&stream(&town, &[key, STREAM], "gpt-4o").await), Some("HIT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn skipping_neither_reads_nor_writes() {
    let town = town(Plan::caching()).await;
    let skip = [("cf-aig-skip-cache", "true")];
    assert_eq!(said(&town.chat(&skip, "gpt-4o-mini").await), Some("MISS"));
    assert_eq!(said(&town.chat(&[], "gpt-4o-mini").await), Some("MISS"));
    assert_eq!(said(&town.chat(&skip, "gpt-4o-mini").await), Some("MISS"));
    assert_eq!(said(&town.chat(&[], "gpt-4o-mini").await), Some("HIT"));
    assert_eq!(town.asked(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_crosses_gateways_or_credentials() {
    let mut plan = Plan::caching();
    plan.others = vec![Gateway { id: "h".to_owned(), cache_ttl: Some(600), ..Gateway::default() }];
    let town = town(plan).await;
    let body = chat_body("gpt-4o-mini", false);
    let elsewhere = format!("http://{}/v1/acc/h/openai/v1/chat/completions", town.address);
    let alice = [("authorization", "Bearer sk-alice")];
    let bob = [("authorization", "Bearer sk-bob")];
    assert_eq!(said(&town.chat(&alice, "gpt-4o-mini").await), Some("MISS"));
    assert_eq!(said(&town.chat(&bob, "gpt-4o-mini").await), Some("MISS"));
    assert_eq!(said(&town.chat(&[], "gpt-4o-mini").await), Some("MISS"));
    assert_eq!(said(&town.send("POST", &elsewhere, &alice, body.into()).await.unwrap()), Some("MISS"));
    assert_eq!(said(&town.chat(&alice, "gpt-4o-mini").await), Some("HIT"));
    assert_eq!(said(&town.chat(&bob, "gpt-4o-mini").await), Some("HIT"));
    assert_eq!(town.asked(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_successful_texts_and_images_are_kept() {
    let town = town(Plan::caching()).await;
    for (number, (status, kind, kept)) in [
        (200, "application/json", true),
        (201, "text/plain; charset=utf-8", true),
        (200, "image/png", true),
        (200, "audio/mpeg", false),
        (200, "application/octet-stream", false),
        (200, "text/event-stream", false),
        (206, "text/plain", false),
        (302, "text/plain", false),
        (400, "application/json", false),
        (429, "application/json", false),
        (503, "application/json", false),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/v1/case-{number}");
        town.provider.on("POST", &path, move |_| plan::Plan::whole(status, kind, "{}"));
        let before = town.asked();
        let first = town.post(&format!("openai{path}"), &[], "{}").await;
        let second = town.post(&format!("openai{path}"), &[], "{}").await;
        assert_eq!((first.status, second.status), (status, status));
        assert_eq!(said(&second), Some(if kept { "HIT" } else { "MISS" }), "{status} {kind}");
        assert_eq!(town.asked() - before, if kept { 1 } else { 2 }, "{status} {kind}");
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hit_costs_no_unit_of_the_rate_limit() {
    let mut plan = Plan::caching();
    (plan.gateway.rate_limiting_limit, plan.gateway.rate_limiting_interval) = (Some(1), Some(3_600));
    let town = town(plan).await;
    for _ in 0..5 {
        assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200);
    }
    assert_eq!((town.chat(&[], "gpt-4o").await.status, town.asked()), (429, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_survives_a_restart() {
    let town = town(Plan::caching()).await;
    let first = town.chat(&[], "gpt-4o-mini").await;
    let streamed = stream(&town, &[STREAM], "gpt-4o-mini").await;
    let dir = town.close().await;
    let town = self::town(Plan { dir: Some(dir), ..Plan::caching() }).await;
    // A start does not wait for the cache's index.
    town.until(|| town.stores.answers.disk_entries.get() == 2).await;
    let again = town.chat(&[], "gpt-4o-mini").await;
    assert_eq!((said(&again), &again.body), (Some("HIT"), &first.body));
    let again = stream(&town, &[STREAM], "gpt-4o-mini").await;
    assert_eq!((said(&again), &again.body), (Some("HIT"), &streamed.body));
    assert_eq!(town.asked(), 0);
    assert!(town.log().await.len() == 4, "what was logged before is logged still");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_a_miss() {
    let (clock, hand) = Clock::manual(1_800_000_000_000);
    let town = town(Plan { clock, ..Plan::caching() }).await;
    assert_eq!(said(&town.chat(&[], "gpt-4o-mini").await), Some("MISS"));
    hand.advance(Duration::from_secs(599));
    let last = town.chat(&[], "gpt-4o-mini").await;
    assert_eq!((said(&last), last.header("cache-status")), (Some("HIT"), Some("tollgate; hit; ttl=1")));
    hand.advance(Duration::from_secs(1));
    assert_eq!(said(&town.chat(&[], "gpt-4o-mini").await), Some("MISS"));
    assert_eq!(town.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_kept_only_when_asked_for_and_told_again_to_the_byte() {
    let town = town(Plan::caching()).await;
    for _ in 0..2 {
        assert_eq!(said(&stream(&town, &[], "gpt-4o-mini").await), None);
    }
    let first = stream(&town, &[STREAM], "gpt-4o-mini").await;
    let second = stream(&town, &[STREAM], "gpt-4o-mini").await;
    assert_eq!([said(&first), said(&second)], [Some("MISS"), Some("HIT")]);
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("content-type"), second.header("content-type"));
    assert_eq!(town.asked(), 3);
    let record = town.last_record().await;
    assert!(record.cached && record.streamed && record.usage.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_several_pieces_is_not_therefore_a_stream() {
    let town = town(Plan::caching()).await;
    let pause = Duration::from_millis(20);
    town.provider.on("POST", "/v1/slow", move |_| {
        let frames = ["{\"a\":", "1}"].map(|part| plan::Frame::after(pause, part));
        plan::Plan::stream("application/json", frames.into_iter())
    });
    for _ in 0..2 {
        let heard = town.post("openai/v1/slow", &[("tollgate-cache-stream", "recorded")], "{}").await;
        assert_eq!(heard.json()["a"], 1);
    }
    let record = town.last_record().await;
    assert!(record.cached && !record.streamed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_stream_keeps_its_gaps() {
    let town = town(Plan::caching()).await;
    let recorded = [("tollgate-cache-stream", "recorded")];
    let model = "sandbox-1:gap=100,chunks=6";
    let first = stream(&town, &recorded, model).await;
    assert_eq!(said(&stream(&town, &[STREAM], model).await), Some("HIT"), "whoever asks for it at once gets it so");
    let begun = Instant::now();
    let body = chat_body(model, true);
    let url = town.url("openai/v1/chat/completions");
    let mut again = town.begin("POST", &url, &recorded, body.into()).await.unwrap();
    assert_eq!(again.headers()["cf-aig-cache-status"], "HIT");
    let (mut bytes, mut pieces) = (Vec::new(), 0);
    while let Some(frame) = again.body_mut().frame().await {
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
        pieces += 1;
    }
    // A timer never fires early, so the lower bound holds on any machine.
    assert!(begun.elapsed() >= Duration::from_millis(450), "{:?}", begun.elapsed());
    assert!(pieces >= 6 && bytes == first.body, "{pieces} pieces");
    assert_eq!(town.asked(), 1);
    let record = town.last_record().await;
    assert!(record.cached && record.outcome == Outcome::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_passes_and_is_not_kept() {
    let town = town(Plan::caching()).await;
    let size = 25_000_001_usize;
    let block = bytes::Bytes::from(vec![b' '; size / 10 + 1]);
    let whole = bytes::Bytes::from(vec![b' '; size]);
    town.provider.on("POST", "/v1/known", move |_| plan::Plan::json(200, whole.clone()));
    town.provider.on("POST", "/v1/chunked", move |_| {
        let block = block.clone();
        plan::Plan::stream("application/json", (0..10).map(move |_| plan::Frame::now(block.clone())))
    });
    for path in ["openai/v1/known", "openai/v1/chunked"] {
        for _ in 0..2 {
            let heard = town.post(path, &[], "{}").await;
            assert_eq!((said(&heard), heard.body.len() >= size), (Some("MISS"), true), "{path}");
        }
    }
    assert_eq!(town.asked(), 4);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_answer_is_not_told_to_who_cannot_read_it() {
    let town = town(Plan::caching()).await;
    town.provider.on("POST", "/v1/chat/completions", |request| {
        match request.header("accept-encoding").unwrap_or_default().contains("zstd") {
            true => plan::Plan::json(200, zstd::encode_all(&b"{}"[..], 3).unwrap()).header("content-encoding", "zstd"),
            false => plan::Plan::json(200, "{}"),
        }
    });
    let zstd = [("accept-encoding", "gzip, zstd;q=0.9")];
    assert_eq!(town.chat(&zstd, "gpt-4o-mini").await.header("content-encoding"), Some("zstd"));
    assert_eq!(said(&town.chat(&zstd, "gpt-4o-mini").await), Some("HIT"));
    for headers in [&[][..], &[("accept-encoding", "gzip, br")], &[("accept-encoding", "zstd;q=0")]] {
        let heard = town.chat(headers, "gpt-4o-mini").await;
        assert_eq!(said(&heard), Some("MISS"), "{headers:?}");
    }
    assert_eq!(&town.chat(&[], "gpt-4o-mini").await.body[..], b"{}");
    assert_eq!(said(&town.chat(&[("accept-encoding", "*")], "gpt-4o-mini").await), Some("HIT"));
}
