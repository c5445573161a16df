//! Every wait ends: for providers that fall silent, and for callers that do.

use std::time::Duration;

use tollgate_model::record::Outcome;
use tollgate_testkit::Outcome as Left;

use crate::raw::{Raw, post};
use crate::town::{Plan, Town, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";

fn short(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The provider noticed that nobody waits for its answer any more.
pub async fn let_go(town: &Town, count: usize) {
    let gone = |heard: &[tollgate_testkit::Heard]| {
        heard.iter().filter(|each| matches!(each.outcome, Left::CallerGone(_))).count() >= count
    };
    let gone = tokio::time::timeout(short(5_000), town.provider.recorder().until(gone)).await;
    assert!(gone.is_ok(), "{:?}", town.provider.counts());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_s_time_out_ends_the_wait_for_the_first_byte() {
    let town = town(Plan::default()).await;
    for stream in [false, true] {
        let body = chat_body("sandbox-1:latency=60s", stream);
        let heard = town.post(CHAT, &[("cf-aig-request-timeout", "150")], body).await;
        assert_eq!((heard.status, &heard.json()["error"][0]["code"]), (504, &serde_json::json!(2005)));
    }
    let_go(&town, 2).await;
    let record = town.last_record().await;
    assert_eq!((record.outcome, record.attempts[0].miss.as_deref()), (Outcome::Refused, Some("timeout")));
    assert!(record.attempts[0].ended_us >= 150_000);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_s_own_time_out_does_so_too() {
    let town = town(Plan::default().limited(|limits| limits.first_byte = short(150))).await;
    assert_eq!(town.chat(&[], "sandbox-1:fault=stall-in-headers").await.status, 504);
    let_go(&town, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_falls_silent_is_ended_with_an_error() {
    let town = town(Plan::default().limited(|limits| limits.answer_idle = short(200))).await;
    let heard = town.post(CHAT, &[], chat_body("sandbox-1:stall=3", true)).await;
    let text = String::from_utf8_lossy(&heard.body).into_owned();
    assert!(text.contains("upstream_truncated") && !text.contains("[DONE]"), "{text}");
    let_go(&town, 1).await;
    assert_eq!(town.last_record().await.outcome, Outcome::Truncated);
    let whole = town.chat(&[], "sandbox-1:stall=9").await;
    assert_eq!((whole.status, &whole.json()["error"][0]["code"]), (502, &serde_json::json!(2005)));
    let_go(&town, 2).await;
    assert_eq!(town.last_record().await.outcome, Outcome::Truncated);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_never_pauses_for_long_ends_in_the_end() {
    let town = town(Plan::default().limited(|limits| limits.total = short(400))).await;
    for model in ["sandbox-1:gap=50,chunks=1000", "sandbox-1:fault=huge-chunked", "sandbox-1:fault=huge-body"] {
        let url = town.url(CHAT);
        let heard = town.send("POST", &url, &[], chat_body(model, true).into()).await;
        assert!(heard.is_err() || heard.is_ok_and(|heard| heard.body.ends_with(b"}}\n\n")), "{model}");
        assert_eq!(town.last_record().await.outcome, Outcome::Truncated, "{model}");
    }
    let_go(&town, 3).await;
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_body_that_does_not_come_is_408() {
    let town = town(Plan::default().limited(|limits| limits.body_idle = short(200))).await;
    let request = post(CHAT, "", &chat_body("gpt-4o-mini", false));
    let mut raw = Raw::to(&town).await;
    raw.say(&request[..request.len() - 5]).await;
    let heard = raw.rest().await;
    assert!(heard.starts_with("HTTP/1.1 408 ") && heard.contains("connection: close\r\n"), "{heard}");
    assert!(town.provider.recorder().is_empty());
    assert_eq!(town.last_record().await.status, 408);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_body_in_drops_is_408() {
    let town = town(Plan::default().limited(|limits| limits.body_idle = short(200))).await;
    let mut raw = Raw::to(&town).await;
    raw.say(&post(CHAT, "", &" ".repeat(100_000))[..300]).await;
    let (mut reading, mut writing) = raw.0.into_split();
    let dripping = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(short(20)).await;
        }
    });
    let mut heard = Vec::new();
    let reading = tokio::io::AsyncReadExt::read_to_end(&mut reading, &mut heard);
    let _ = tokio::time::timeout(short(10_000), reading).await.expect("it is closed");
    assert!(heard.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&heard));
    dripping.abort();
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_finish_a_head_is_closed() {
    let town = town(Plan::default().served(|serving| serving.head_timeout = short(300))).await;
    for said in ["", "P", "PRI * HTTP/2.0\r\n", "POST /v1/acc/g/openai/v1/chat/completions HTTP/1.1\r\nhost: a\r\nx: "]
    {
        let mut raw = Raw::to(&town).await;
        raw.say(said).await;
        let heard = raw.rest().await;
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 408 "), "{said:?}: {heard}");
    }
    let mut raw = Raw::to(&town).await;
    raw.say(post(CHAT, "", &chat_body("gpt-4o-mini", false))).await;
    raw.until("chat.completion").await;
    raw.rest().await; // idle between two requests for as long
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_in_drops_is_closed_and_others_are_served_meanwhile() {
    let town = town(Plan::default().served(|serving| serving.head_timeout = short(500))).await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut raw = Raw::to(&town).await;
        raw.say("POST /v1/acc/g/openai/v1/chat/completions HTTP/1.1\r\nx: ").await;
        slow.push(raw);
    }
    for _ in 0..4 {
        for raw in &mut slow {
            raw.say("y").await;
        }
        assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200);
        tokio::time::sleep(short(100)).await;
    }
    for raw in &mut slow {
        raw.rest().await;
    }
    assert_eq!(town.asked(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_is_let_go_and_the_provider_with_them() {
    let town = town(Plan::default().served(|serving| serving.write_timeout = short(400))).await;
    let mut raw = Raw::to(&town).await;
    raw.say(post(CHAT, "", &chat_body("sandbox-1:fault=huge-chunked", true))).await;
    raw.until("HTTP/1.1 200").await;
    let_go(&town, 1).await;
    town.at_rest().await;
    assert_eq!(town.logged(1).await[0].outcome, Outcome::Cancelled);
}
