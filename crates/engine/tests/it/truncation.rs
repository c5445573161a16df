//! Whatever a provider does wrong, the caller never takes a broken answer for a whole one, and the log says what happened.

use std::time::Duration;

use http_body_util::BodyExt;
use tollgate_model::Record;
use tollgate_model::record::Outcome;
use tollgate_testkit::Fault;
use tollgate_testkit::faults::Harm;
use tollgate_testkit::plan::{Ending, Framing, Plan as Answer};

use crate::town::{Plan, Town, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";

/// What a caller has of an answer, perhaps broken off.
struct Got {
    status: u16,
    kind: String,
    text: String,
    bytes: usize,
    broken: bool,
}

/// More of a body than this is counted and not kept.
const KEPT_MAX: usize = 1 << 20;

async fn get(town: &Town, rest: &str, body: String) -> Got {
    let Ok(mut response) = town.begin("POST", &town.url(rest), &[], body.into()).await else {
        panic!("closed without an answer");
    };
    let kind = response.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
    let (mut kept, mut bytes, mut broken) = (Vec::new(), 0, false);
    while let Some(frame) = response.body_mut().frame().await {
        let Ok(data) = frame.map(|frame| frame.into_data().unwrap()) else {
            broken = true;
            break;
        };
        bytes += data.len();
        let room = KEPT_MAX.saturating_sub(kept.len()).min(data.len());
        kept.extend_from_slice(&data[..room]);
    }
    let text = String::from_utf8_lossy(&kept).into_owned();
    Got { status: response.status().as_u16(), kind, text, bytes, broken }
}

fn impatient() -> Plan {
    Plan::default().limited(|limits| {
        limits.first_byte = Duration::from_millis(2_000);
        limits.answer_idle = Duration::from_millis(800);
        limits.total = Duration::from_millis(4_000);
    })
}

const TERMINATORS: [&str; 4] = ["[DONE]", "message_stop", "response.completed", "finishReason"];

/// What holds for every fault. The rest depends on how much of an answer there was.
fn check(fault: Fault, stream: bool, got: &Got, record: &Record) {
    let what = format!("{} stream={stream}: {} broken={} {:?}", fault.name(), got.status, got.broken, record.outcome);
    assert_eq!(record.status, got.status, "{what}");
    let is_refused = got.status >= 500 && got.kind == "application/json" && got.text.contains(r#""code":2005"#);
    let is_whole = !got.broken && !got.text.contains("upstream_truncated") && !is_refused;
    match record.outcome {
        Outcome::Refused => {
            assert!(is_refused && !got.broken, "{what}");
            assert!(record.attempts[0].miss.is_some(), "{what}");
        }
        Outcome::Truncated if record.finish.is_none() && is_whole => {
            // HTTP was in order; what it carried says itself that it failed.
            assert_eq!(fault.harm(), Harm::Content, "{what}");
        }
        Outcome::Truncated => {
            assert!(!is_whole && !TERMINATORS.iter().any(|end| got.text.contains(end)), "{what}: {}", got.text);
            assert!(!got.text.contains("upstream_truncated") || got.kind.starts_with("text/event-stream"), "{what}");
        }
        Outcome::Complete => assert!(is_whole, "{what}: {}", got.text),
        Outcome::Cancelled => panic!("{what}"),
    }
    match fault.harm() {
        Harm::NoHead => assert_eq!(record.outcome, Outcome::Refused, "{what}"),
        Harm::BodyBroken => assert_eq!(record.outcome, Outcome::Truncated, "{what}"),
        Harm::Content => assert!(!got.broken && record.outcome != Outcome::Refused, "{what}"),
        Harm::None => {}
    }
    let empty = got.bytes == 0 && got.status == 200;
    assert!(!empty || got.broken || fault == Fault::EmptyBody, "{what}: an empty success");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_provider_ends_as_what_it_is() {
    let town = town(impatient()).await;
    for (number, (fault, stream)) in Fault::ALL.iter().flat_map(|fault| [(*fault, false), (*fault, true)]).enumerate() {
        let model = format!("sandbox-1:fault={}", fault.name());
        let got = get(&town, CHAT, chat_body(&model, stream)).await;
        town.at_rest().await;
        let log = town.logged(number + 1).await;
        check(fault, stream, &got, &log[0]);
    }
    assert_eq!(town.log().await.len(), Fault::ALL.len() * 2, "one record each");
    assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200, "the process lives");
}

/// Path, and how its dialect says that a stream failed.
const DIALECTS: [(&str, &str); 4] = [
    (CHAT, r#"data: {"error":{"message":"#),
    ("openai/v1/responses", "event: error\ndata: {\"type\":\"error\""),
    ("anthropic/v1/messages", "event: error\ndata: {\"type\":\"error\""),
    ("google-ai-studio/v1beta/models/MODEL:streamGenerateContent?alt=sse", r#"data: {"error":{"code":502"#),
];

fn asked(path: &str, model: &str) -> (String, String) {
    let body = format!(
        r#"{{"model":"{model}","stream":true,"max_tokens":50,"input":"Hello","messages":[{{"role":"user","content":"Hello"}}],"contents":[{{"role":"user","parts":[{{"text":"Hello"}}]}}]}}"#
    );
    (path.replace("MODEL", model), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_ends_with_an_error_in_its_own_dialect() {
    let town = town(impatient()).await;
    let mut count = 0;
    for (path, error) in DIALECTS {
        for flaw in ["cut", "stall"] {
            for at in [0, 1, 2, 3, 5] {
                let (path, body) = asked(path, &format!("sandbox-1:{flaw}={at},chunks=8"));
                let got = get(&town, &path, body).await;
                count += 1;
                let what = format!("{path} {}", got.text);
                assert!(got.status == 200 && !got.broken && got.text.contains(error), "{what}");
                let (_, behind) = got.text.rsplit_once(error).unwrap();
                assert_eq!(behind.matches("data:").count(), 0, "nothing follows it: {what}");
                assert!(!TERMINATORS.iter().any(|end| got.text.contains(end)), "{what}");
                let record = &town.logged(count).await[0];
                assert_eq!((record.outcome, record.streamed), (Outcome::Truncated, true), "{what}");
            }
        }
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dialect_s_whole_stream_passes_whole() {
    let town = town(impatient()).await;
    for (path, error) in DIALECTS {
        let (path, body) = asked(path, "sandbox-1");
        let got = get(&town, &path, body).await;
        assert!(!got.broken && !got.text.contains(error) && TERMINATORS.iter().any(|end| got.text.contains(end)));
        let record = town.last_record().await;
        assert_eq!((record.outcome, record.streamed), (Outcome::Complete, true), "{path}");
        assert!(record.usage.is_some(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_before_the_first_byte_is_a_status_and_not_a_stream() {
    let town = town(impatient()).await;
    for (path, _) in DIALECTS {
        for (dial, status) in [("status=500", 500), ("status=429", 429), ("fault=reset-before-status", 502)] {
            let (path, body) = asked(path, &format!("sandbox-1:{dial}"));
            let got = get(&town, &path, body).await;
            assert_eq!((got.status, got.kind.as_str()), (status, "application/json"), "{path} {dial}");
            assert!(
                serde_json::from_str::<serde_json::Value>(&got.text).unwrap()["error"].is_object() || status == 502
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_answer_that_breaks_off_is_refused_while_it_still_can_be() {
    let town = town(impatient()).await;
    for dial in ["cut=0", "cut=9", "length=long", "stall=0", "stall=20"] {
        let got = get(&town, CHAT, chat_body(&format!("sandbox-1:{dial}"), false)).await;
        let record = town.last_record().await;
        assert_eq!((got.status, record.status, record.outcome), (502, 502, Outcome::Truncated), "{dial}: {}", got.text);
        assert!(record.refusal.unwrap().cause.is_some_and(|cause| cause.contains("broke its answer off")));
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_that_breaks_off_breaks_off_for_the_caller() {
    let town = town(impatient()).await;
    let body = vec![b' '; 1_000_000];
    town.provider.on("POST", "/v1/long", move |_| {
        Answer::json(200, body.clone()).framed(Framing::Length(1_000_001)).ending(Ending::Cut)
    });
    let got = get(&town, "openai/v1/long", "{}".to_owned()).await;
    assert!((got.status, got.broken, got.bytes) == (200, true, 1_000_000), "{} {}", got.broken, got.bytes);
    assert_eq!(town.last_record().await.outcome, Outcome::Truncated);
    town.at_rest().await;
}
