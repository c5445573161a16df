//! The caller leaves: the provider is let go at once, whatever the gateway was doing, and nothing of the request is left.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tollgate_model::record::Outcome;
use tollgate_testkit::plan::{Frame, Plan as Answer};
use tollgate_testkit::{Heard, Outcome as Left};

use crate::raw::{Raw, post};
use crate::town::{Plan, Town, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";
/// What the gateway promises.
const PROMPT: Duration = Duration::from_millis(100);
const TIMES: usize = 9;

/// How long it took from `left` until the provider noticed, sorted. Single ones may be late on a busy machine: the middle one tells.
async fn delays(town: &Town, left: &[Instant]) -> Vec<Duration> {
    let count = |heard: &[Heard]| heard.iter().filter(|each| matches!(each.outcome, Left::CallerGone(_))).count();
    let all = town.provider.recorder().until(|heard| count(heard) == left.len());
    let all = tokio::time::timeout(Duration::from_secs(10), all).await.expect("the provider was let go");
    let mut delays: Vec<_> = all
        .iter()
        .zip(left)
        .map(|(heard, left)| match heard.outcome {
            Left::CallerGone(at) => at.saturating_duration_since(*left),
            other => panic!("{other:?}"),
        })
        .collect();
    delays.sort_unstable();
    delays
}

/// Asks, waits until this was heard, leaves; so many times.
async fn leave_after(town: &Town, request: &str, heard: &str) -> Vec<Instant> {
    let mut left = Vec::new();
    for number in 1..=TIMES {
        let mut raw = Raw::to(town).await;
        raw.say(request).await;
        town.provider.recorder().until(|heard| heard.len() == number).await;
        raw.until(heard).await;
        left.push(Instant::now());
        drop(raw);
    }
    left
}

async fn cancelled_at_once(plan: Plan, model: &str, stream: bool, heard: &str) {
    let town = town(plan).await;
    let left = leave_after(&town, &post(CHAT, "", &chat_body(model, stream)), heard).await;
    let delays = delays(&town, &left).await;
    // A provider that speaks without pause keeps both cores busy, with the tests beside it: the quickest tells what is the gateway's share.
    let telling = if model.contains("fault=huge") { 0 } else { TIMES / 2 };
    assert!(delays[telling] <= PROMPT, "{model}: {delays:?}");
    town.at_rest().await;
    let log = town.logged(TIMES).await;
    assert!(log.iter().all(|record| record.outcome == Outcome::Cancelled), "{log:#?}");
    // None of the connections is used again.
    town.until(|| town.provider.counts().connections_open == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_byte() {
    cancelled_at_once(Plan::default(), "sandbox-1:latency=60s", false, "").await;
    cancelled_at_once(Plan::default(), "sandbox-1:latency=60s", true, "").await;
    cancelled_at_once(Plan::default(), "sandbox-1:fault=stall-in-headers", true, "").await;
    cancelled_at_once(Plan::caching(), "sandbox-1:latency=60s", false, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_a_stream() {
    cancelled_at_once(Plan::default(), "sandbox-1:gap=100,chunks=1000", true, "data: ").await;
    cancelled_at_once(Plan::default(), "sandbox-1:stall=2", true, "data: ").await;
    cancelled_at_once(Plan::default(), "sandbox-1:fault=huge-chunked", true, "HTTP/1.1 200").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_a_whole_answer() {
    cancelled_at_once(Plan::default(), "sandbox-1:stall=9", false, "").await;
    cancelled_at_once(Plan::default(), "sandbox-1:fault=huge-body", false, "HTTP/1.1 200").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_pause_before_asking_again() {
    let town = town(Plan::gateway(|gateway| {
        gateway.retry_max_attempts = Some(5);
        gateway.retry_delay = Some(60_000);
    }))
    .await;
    let mut raw = Raw::to(&town).await;
    raw.say(post(CHAT, "", &chat_body("sandbox-1:status=503", false))).await;
    town.provider.recorder().until(|heard| matches!(heard[..], [Heard { outcome: Left::Answered(_), .. }])).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(raw);
    town.at_rest().await;
    let record = town.logged(1).await.remove(0);
    assert_eq!((record.outcome, record.attempts.len(), town.asked()), (Outcome::Cancelled, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_body_is_still_coming() {
    let town = town(Plan::default().limited(|limits| limits.hold_bytes_max = 10_000)).await;
    // One that is held until it is whole: the provider hears nothing of it.
    let request = post(CHAT, "", &chat_body("gpt-4o-mini", false));
    let mut raw = Raw::to(&town).await;
    raw.say(&request[..request.len() - 1]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(raw);
    town.at_rest().await;
    assert_eq!(town.provider.counts().connections, 0);
    // One that flows through: the provider hears that it broke off.
    let request = post("openai/v1/files", "", &" ".repeat(50_000));
    let mut raw = Raw::to(&town).await;
    raw.say(&request[..40_000]).await;
    town.until(|| town.provider.counts().requests > 0).await;
    let left = Instant::now();
    drop(raw);
    town.until(|| town.provider.counts().unheard > 0).await;
    assert!(left.elapsed() < Duration::from_secs(2));
    let log = town.logged(2).await;
    assert!(log.iter().all(|record| record.outcome == Outcome::Cancelled), "{log:#?}");
    town.at_rest().await;
    town.until(|| town.provider.counts().connections_open == 0).await;
    assert!(town.provider.recorder().is_empty());
}

/// Where in the ten thousand requests callers leave is decided by this and nothing else.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

const REQUESTS: u64 = 10_000;
const CALLERS: u64 = 50;

#[derive(Default)]
struct Tally {
    whole: usize,
    left: usize,
}

/// Answers that are nothing but the request's own nonce, in all ways an answer can come.
fn echo(town: &Town) {
    town.provider.on("POST", "/v1/nonce", |request| {
        let nonce = request.body.slice(..16);
        let kind = request.query("kind").unwrap_or_default();
        let wait = |number: u64| Duration::from_micros(if number % 4 == 3 { 1_500 } else { 0 });
        let pieces = (0..20_u64).map(move |number| Frame::after(wait(number), nonce.clone()));
        match kind {
            "stream" => Answer::stream("text/event-stream", pieces),
            "late" => Answer::stream("application/json", pieces).after(Duration::from_millis(3)),
            _ => Answer::json(200, request.body.slice(..16).repeat(2_000)),
        }
    });
}

async fn caller(town: Arc<Town>, number: u64) -> Tally {
    let mut dice = Dice(number * 7_919 + 1);
    let mut tally = Tally::default();
    let mut connection = None;
    for asked in 0..REQUESTS / CALLERS {
        let sender = match connection.take() {
            Some(sender) => sender,
            None => connect(&town).await,
        };
        let leaves = dice.below(3) == 0;
        let patience = Duration::from_micros(if leaves { dice.below(12_000) } else { 60_000_000 });
        let nonce = format!("{number:07}-{asked:07};");
        let kind = ["stream", "late", "whole"][dice.below(3) as usize];
        match tokio::time::timeout(patience, ask(&town, sender, &nonce, kind)).await {
            Ok(sender) => {
                tally.whole += 1;
                connection = Some(sender);
            }
            Err(_) => tally.left += 1, // dropping the sender and the body closes the connection
        }
    }
    tally
}

type Sender = http1::SendRequest<Full<bytes::Bytes>>;

async fn connect(town: &Town) -> Sender {
    let stream = TcpStream::connect(town.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn ask(town: &Town, mut sender: Sender, nonce: &str, kind: &str) -> Sender {
    let request = http::Request::post(format!("/v1/acc/g/openai/v1/nonce?kind={kind}"))
        .header("host", town.address.to_string())
        .body(Full::from(nonce.to_owned()))
        .unwrap();
    sender.ready().await.unwrap();
    let mut response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut bytes = Vec::new();
    while let Some(frame) = response.body_mut().frame().await {
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
        let whole = bytes.chunks_exact(nonce.len());
        assert!(nonce.as_bytes().starts_with(whole.remainder()), "crossed bytes");
        assert!(whole.into_iter().all(|each| each == nonce.as_bytes()), "crossed bytes");
    }
    assert_eq!(bytes.len(), nonce.len() * if kind == "whole" { 2_000 } else { 20 });
    sender
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_of_which_a_third_is_left_cross_no_byte_and_leave_nothing() {
    let town = Arc::new(town(Plan::default()).await);
    echo(&town);
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        callers.spawn(caller(town.clone(), number));
    }
    let tallies = callers.join_all().await;
    let (whole, left): (usize, usize) =
        tallies.iter().fold((0, 0), |(whole, left), tally| (whole + tally.whole, left + tally.left));
    assert_eq!(whole + left, REQUESTS as usize);
    assert!((2_000..=4_000).contains(&left), "{left} left");
    town.at_rest().await;
    // Only connections that wait for the next request are open, never more than there were callers on each worker.
    let workers = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    assert!(town.provider.counts().connections_open <= CALLERS * workers, "{:?}", town.provider.counts());
    town.until(|| town.gauges().contains("tollgate_connections 0\n")).await;
    let outcomes = town.outcomes().await;
    let count = |outcome| outcomes.iter().filter(|each| **each == outcome).count();
    assert!(count(Outcome::Complete) >= whole, "{} records of {whole} delivered answers", count(Outcome::Complete));
    assert_eq!(count(Outcome::Complete) + count(Outcome::Cancelled), outcomes.len());
    assert!(outcomes.len() <= REQUESTS as usize, "no request is logged twice");
}
