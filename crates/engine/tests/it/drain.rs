//! Told to stop, the gateway finishes what it has begun and begins nothing new.

use std::time::Duration;

use http_body_util::BodyExt;
use tokio::net::TcpStream;
use tollgate_model::record::Outcome;

use crate::raw::{Raw, post};
use crate::town::{Plan, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_under_way_is_finished_and_nothing_new_is_begun() {
    let town = town(Plan::default()).await;
    let url = town.url(CHAT);
    let body = chat_body("sandbox-1:gap=50,chunks=20", true);
    let mut response = town.begin("POST", &url, &[], body.into()).await.unwrap();
    response.body_mut().frame().await.unwrap().unwrap();
    let mut idle = Raw::to(&town).await;
    idle.say(post(CHAT, "", &chat_body("gpt-4o-mini", false))).await;
    idle.until("}}}").await;
    town.stop();
    assert_eq!(idle.rest().await, "", "an idle connection is closed at once");
    let refused = async {
        while TcpStream::connect(town.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), refused).await.expect("no new connection is taken");
    let whole = response.into_body().collect().await.unwrap().to_bytes();
    assert!(whole.ends_with(b"data: [DONE]\n\n"));
    let log = town.logged(2).await;
    assert!(log.iter().all(|record| record.outcome == Outcome::Complete));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_longer_than_patience_is_cut_off_and_written_down() {
    let town = town(Plan { patience: Duration::from_millis(100), ..Plan::default() }).await;
    let mut raw = Raw::to(&town).await;
    raw.say(post(CHAT, "", &chat_body("sandbox-1:gap=50,chunks=2000", true))).await;
    raw.until("data: ").await;
    town.stop();
    let heard = raw.rest().await;
    assert!(!heard.contains("[DONE]") && !heard.ends_with("0\r\n\r\n"), "{heard}");
    let dir = town.close().await;
    let town = self::town(Plan { dir: Some(dir), ..Plan::default() }).await;
    assert_eq!(town.logged(1).await[0].outcome, Outcome::Cancelled);
}
