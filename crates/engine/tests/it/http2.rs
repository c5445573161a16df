//! Callers that speak HTTP/2 without TLS, from the first byte.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tollgate_model::record::Outcome;

use crate::deadlines::let_go;
use crate::town::{Plan, Town, chat_body, town};

type Sender = http2::SendRequest<Full<Bytes>>;

async fn connect(town: &Town) -> Sender {
    let stream = TcpStream::connect(town.address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn request(town: &Town, rest: &str, body: impl Into<Bytes>) -> http::Request<Full<Bytes>> {
    http::Request::post(town.url(rest))
        .header("content-type", "application/json")
        .body(Full::from(body.into()))
        .unwrap()
}

const CHAT: &str = "openai/v1/chat/completions";

#[tokio::test(flavor = "multi_thread")]
async fn fifty_streams_on_one_connection_do_not_mix() {
    let town = Arc::new(town(Plan::default()).await);
    town.provider.on("POST", "/v1/nonce", |request| {
        let nonce = request.body.clone();
        let frames = (0..20).map(move |_| tollgate_testkit::Frame::after(Duration::from_millis(1), nonce.clone()));
        tollgate_testkit::Plan::stream("text/event-stream", frames)
    });
    let sender = connect(&town).await;
    let mut asking = JoinSet::new();
    for number in 0..50 {
        let (town, mut sender) = (town.clone(), sender.clone());
        asking.spawn(async move {
            let nonce = format!("<{number:06}>");
            let response = sender.send_request(request(&town, "openai/v1/nonce", nonce.clone())).await.unwrap();
            assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_2));
            assert!(response.headers().contains_key("cf-aig-log-id"));
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), nonce.repeat(20));
        });
    }
    asking.join_all().await;
    drop(sender);
    town.at_rest().await;
    let log = town.log().await;
    assert!(log.len() == 50 && log.iter().all(|record| record.outcome == Outcome::Complete));
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_answers_refusals_and_broken_streams_are_as_over_http1() {
    let town = town(Plan::default()).await;
    let mut sender = connect(&town).await;
    let response = sender.send_request(request(&town, CHAT, chat_body("gpt-4o-mini", false))).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap()["object"], "chat.completion");
    let response = sender.send_request(request(&town, "nobody/x", "{}")).await.unwrap();
    assert_eq!(response.status(), 400);
    let response = sender.send_request(request(&town, CHAT, chat_body("sandbox-1:cut=3", true))).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("upstream_truncated"));
    let response = sender.send_request(request(&town, CHAT, chat_body("sandbox-1:fault=huge-body", false))).await;
    drop(response);
    town.at_rest().await;
    assert!(sender.ready().await.is_ok(), "one bad stream does not end the connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_reset_lets_the_provider_go_and_the_others_live() {
    let town = town(Plan::default()).await;
    let mut sender = connect(&town).await;
    let mut before = sender.clone();
    let silent = request(&town, CHAT, chat_body("sandbox-1:latency=60s", false));
    let silent = tokio::spawn(async move { before.send_request(silent).await });
    let streams = chat_body("sandbox-1:gap=20,chunks=1000", true);
    let mut left = sender.send_request(request(&town, CHAT, streams.clone())).await.unwrap();
    left.body_mut().frame().await.unwrap().unwrap();
    let mut stays =
        sender.send_request(request(&town, CHAT, chat_body("sandbox-1:gap=20,chunks=30", true))).await.unwrap();
    stays.body_mut().frame().await.unwrap().unwrap();
    silent.abort();
    drop(left);
    let_go(&town, 2).await;
    let rest = stays.into_body().collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    town.at_rest().await;
    let log = town.logged(3).await;
    assert_eq!(log.iter().filter(|record| record.outcome == Outcome::Cancelled).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_nobody_reads_is_let_go() {
    let town = town(Plan::default().served(|serving| serving.write_timeout = Duration::from_millis(400))).await;
    let mut sender = connect(&town).await;
    let unread =
        sender.send_request(request(&town, CHAT, chat_body("sandbox-1:fault=huge-chunked", true))).await.unwrap();
    let_go(&town, 1).await;
    drop(unread);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_pass_both_ways_unchanged() {
    let town = town(Plan::default().limited(|limits| limits.hold_bytes_max = 1 << 20)).await;
    town.provider
        .on("*", "*", |request| tollgate_testkit::Plan::whole(200, "application/octet-stream", request.body.clone()));
    let mut sender = connect(&town).await;
    for len in [0, 1, 100_000, 1 << 20, 5 << 20] {
        let body: Bytes =
            (0..len).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>().into();
        let response = sender.send_request(request(&town, "openai/v1/files", body.clone())).await.unwrap();
        assert!(response.into_body().collect().await.unwrap().to_bytes() == body, "{len}");
    }
    town.at_rest().await;
}
