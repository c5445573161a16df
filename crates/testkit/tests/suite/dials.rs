//! Every dial does what its row of the table says.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use tollgate_testkit::{Dials, Sandbox};

use super::caller::{Answer, Caller, End, ask, chat};

const STREAM: &str = r#","stream":true"#;
const STREAM_WITH_USAGE: &str = r#","stream":true,"stream_options":{"include_usage":true}"#;

/// The dials in the model's name, a request for a whole (`""`) or streamed chat, and what must hold of the answer.
type Row = (&'static str, &'static str, fn(&Answer, Duration) -> bool);

const ROWS: &[Row] = &[
    ("latency=300", "", |answer, took| answer.status == 200 && took == Duration::from_millis(300)),
    ("latency=2s", STREAM, |answer, took| answer.status == 200 && took == Duration::from_secs(2)),
    ("latency=1s,status=500", "", |answer, took| answer.status == 500 && took == Duration::from_secs(1)),
    ("tokens=11,tps=10", STREAM, |_, took| took == Duration::from_secs(1)),
    ("tokens=20,tps=10", "", |_, took| took == Duration::from_secs(2)),
    ("chunks=101,gap=2ms", STREAM, |_, took| took == Duration::from_millis(200)),
    ("gap=1s", "", |_, took| took.is_zero()),
    ("tokens=100000", "", |answer, _| answer.json()["usage"]["completion_tokens"] == 100_000),
    ("chunks=100", STREAM, |answer, _| answer.events().len() == 103),
    ("chunks=2", STREAM, |answer, _| answer.events().len() == 5),
    ("status=429", "", |answer, _| answer.status == 429 && answer.json()["error"]["code"] == "rate_limit_exceeded"),
    ("status=503", STREAM, |answer, _| answer.status == 503 && answer.json()["error"]["type"] == "server_error"),
    ("status=429,retry_after=2", "", |answer, _| answer.head.contains("\r\nretry-after: 2\r\n")),
    ("status=429,retry_after=past", "", |answer, _| {
        answer.head.contains("\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n")
    }),
    ("fail=1", "", |answer, _| answer.status == 500),
    ("fail=0", "", |answer, _| answer.status == 200),
    ("fail=1,key=k,status=503", "", |answer, _| answer.status == 503),
    ("cut=3", STREAM, |answer, _| answer.events().len() == 3 && answer.end == End::Cut),
    ("cut=5", "", |answer, _| answer.body == b"{\"id\"" && answer.end == End::Cut),
    ("cut=0", STREAM, |answer, _| answer.status == 200 && answer.body.is_empty() && answer.end == End::Cut),
    ("stall=3", STREAM, |answer, _| answer.events().len() == 3 && answer.end == End::Silence),
    ("stall=5", "", |answer, _| answer.body.len() == 5 && answer.end == End::Silence),
    ("error=3", STREAM, |answer, _| answer.events().len() == 4 && answer.events()[3].starts_with(r#"{"error":{"#)),
    ("error=0", "", |answer, _| answer.status == 200 && answer.json()["error"]["type"] == "server_error"),
    ("garbage", "", |answer, _| serde_json::from_slice::<serde_json::Value>(&answer.body).is_err()),
    ("garbage=2", STREAM, |answer, _| {
        std::str::from_utf8(&answer.body).is_err() && answer.text().ends_with("[DONE]\n\n")
    }),
    ("length=long", "", |answer, _| answer.end == End::Cut && answer.json()["object"] == "chat.completion"),
    ("length=short", "", |answer, _| {
        answer.end == End::Whole && answer.text().starts_with("{\"id\"") && !answer.text().ends_with('}')
    }),
    ("length=long", STREAM, |answer, _| answer.end == End::Cut && answer.text().ends_with("[DONE]\n\n")),
    ("usage=off", "", |answer, _| answer.json().get("usage").is_none()),
    ("usage=off", STREAM_WITH_USAGE, |answer, _| !answer.text().contains("usage")),
    ("input=1000,cached=400", "", |answer, _| answer.json()["usage"]["prompt_tokens_details"]["cached_tokens"] == 400),
    ("reasoning=50,tokens=5", "", |answer, _| answer.json()["usage"]["completion_tokens"] == 55),
    ("created=7", "", |answer, _| answer.json()["created"] == 7),
    ("fault=silence", "", |answer, _| answer.status == 0 && answer.end == End::Silence),
];

#[tokio::test(start_paused = true)]
async fn every_dial_does_what_it_says() {
    for (dials, more, holds) in ROWS {
        let began = Instant::now();
        let answer = ask(&Sandbox::for_tests(), &chat(&format!("sandbox-1:{dials}"), more)).await;
        assert!(holds(&answer, began.elapsed()), "{dials}{more}: {:?} {answer:?} {}", began.elapsed(), answer.text());
    }
}

#[test]
fn no_dial_is_without_a_row_here() {
    let page = Dials::table();
    let names: BTreeSet<&str> = page.lines().skip(2).map(|row| row.split('`').nth(1).unwrap()).collect();
    let parts = ROWS.iter().flat_map(|(dials, ..)| dials.split(','));
    let shown: BTreeSet<&str> = parts.map(|dial| dial.split('=').next().unwrap()).collect();
    assert_eq!(names, shown);
}

/// `BLESS=1 cargo test -p tollgate-testkit` rewrites the end of the page.
#[test]
fn the_page_ends_with_the_table() {
    const MARK: &str = "<!-- the table of dials: written by `BLESS=1 cargo test -p tollgate-testkit` -->\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sandbox.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (text, table) = page.split_once(MARK).unwrap();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, format!("{text}{MARK}\n{}", Dials::table())).unwrap();
        return;
    }
    assert_eq!(table.trim_start(), Dials::table(), "docs/sandbox.md is not the table; run with BLESS=1");
}

#[tokio::test(start_paused = true)]
async fn the_header_wins_over_the_model() {
    let sandbox = Sandbox::new();
    let request = chat("sandbox-1:status=500,created=1", "").replace("host:", "Tollgate-Sandbox: status=418\r\nhost:");
    assert_eq!(ask(&sandbox, &request).await.status, 418);
    let request = chat("llama3:8b", "").replace("host:", "tollgate-sandbox: tokens=3\r\nhost:");
    let answer = ask(&sandbox, &request).await.json();
    assert_eq!((&answer["usage"]["completion_tokens"], &answer["model"]), (&3.into(), &"llama3:8b".into()));
}

#[tokio::test(start_paused = true)]
async fn the_first_times_fail_and_every_other_request_is_counted_apart() {
    let sandbox = Sandbox::new();
    let mut caller = Caller::of(&sandbox);
    for (model, status) in [
        ("sandbox-1:fail=2,status=429", 429),
        ("sandbox-1:fail=2,status=503", 503),
        ("sandbox-1:fail=2,status=429", 429),
        ("sandbox-1:fail=2,status=429", 200),
        ("sandbox-1:fail=2,status=503", 503),
        ("sandbox-1:fail=1,key=a", 500),
        ("sandbox-1:key=a,fail=1", 200),
        ("sandbox-1:fail=1,key=b", 500),
        ("sandbox-1:fail=1,key=c,error=0", 200),
        ("sandbox-1:fail=1,key=c,error=0,status=400", 200),
    ] {
        caller.send(chat(model, "")).await;
        assert_eq!(caller.hear().await.status, status, "{model}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flaw_or_a_fault_can_be_of_the_first_time_only() {
    for (dials, end) in [("cut=5", End::Cut), ("stall=5", End::Silence), ("fault=reset-in-body", End::Cut)] {
        let (sandbox, request) = (Sandbox::for_tests(), chat(&format!("sandbox-1:fail=1,{dials}"), ""));
        let (first, second) = (ask(&sandbox, &request).await, ask(&sandbox, &request).await);
        assert_eq!((first.end, second.end, second.status), (end, End::Whole, 200), "{dials}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_beyond_a_short_length_stays_on_the_connection() {
    let mut caller = Caller::of(&Sandbox::new());
    caller.send(chat("sandbox-1:length=short", "")).await;
    let answer = caller.hear().await;
    let rest = caller.rest().await;
    let whole: serde_json::Value = serde_json::from_slice(&[answer.body, rest].concat()).unwrap();
    assert_eq!(whole["object"], "chat.completion");
}
