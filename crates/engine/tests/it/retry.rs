//! Asking again: when, how often, how patiently, and what the caller and the log are told of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tollgate_model::record::{Attempt, Outcome};
use tollgate_testkit::plan::{Ending, Plan as Answer};

use crate::town::{Plan, Town, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";

fn statuses(attempts: &[Attempt]) -> Vec<Option<u16>> {
    attempts.iter().map(|attempt| attempt.status).collect()
}

/// The silences between the requests that the provider heard.
fn gaps(town: &Town) -> Vec<Duration> {
    let heard = town.provider.recorder().all();
    heard.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_asked_again_until_it_has() {
    let town = town(Plan::retrying(3)).await;
    for status in [408, 429, 500, 502, 503, 504, 529] {
        for stream in [false, true] {
            town.provider.recorder().clear();
            let model = format!("sandbox-1:fail=2,key={status}-{stream},status={status}");
            let heard = town.post(CHAT, &[], chat_body(&model, stream)).await;
            assert_eq!((heard.status, town.asked()), (200, 3), "{model}");
            assert_eq!(heard.header("x-should-retry"), None);
            let record = town.last_record().await;
            assert_eq!(statuses(&record.attempts), [Some(status), Some(status), Some(200)]);
            assert_eq!((record.outcome, record.status), (Outcome::Complete, 200));
            let starts: Vec<_> = record.attempts.iter().map(|attempt| attempt.started_us).collect();
            assert!(starts.is_sorted() && record.timings.gateway_us == starts[0], "{starts:?}");
        }
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_asked_often_enough_is_told_the_last_answer_and_not_to_start_over() {
    let town = town(Plan::retrying(3)).await;
    let heard = town.chat(&[], "sandbox-1:status=503").await;
    assert_eq!((heard.status, town.asked(), heard.header("x-should-retry")), (503, 3, Some("false")));
    assert_eq!(heard.json()["error"]["type"], "server_error");
    let once = town.chat(&[("cf-aig-max-attempts", "1")], "sandbox-1:status=503").await;
    assert_eq!((once.status, town.asked(), once.header("x-should-retry")), (503, 4, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_not_pass_is_asked_once() {
    let town = town(Plan::retrying(5)).await;
    for (number, status) in [400, 401, 403, 404, 409, 413, 422].into_iter().enumerate() {
        let heard = town.chat(&[], &format!("sandbox-1:status={status}")).await;
        assert_eq!((heard.status, town.asked(), heard.header("x-should-retry")), (status, number + 1, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pauses_grow_as_the_caller_wishes() {
    let town = town(Plan::retrying(1)).await;
    for (backoff, expected) in [("constant", [60, 60, 60]), ("linear", [60, 120, 180]), ("exponential", [60, 120, 240])]
    {
        town.provider.recorder().clear();
        let headers = [("cf-aig-max-attempts", "4"), ("cf-aig-retry-delay", "60"), ("cf-aig-backoff", backoff)];
        assert_eq!(town.chat(&headers, "sandbox-1:status=500").await.status, 500);
        let gaps = gaps(&town);
        // A pause is never shorter than asked for; how much longer is up to the machine.
        let long_enough = gaps.iter().zip(expected).all(|(gap, ms)| *gap >= Duration::from_millis(ms));
        assert!(gaps.len() == 3 && long_enough, "{backoff}: {gaps:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_s_wish_to_wait_is_honoured_within_reason() {
    let town = town(Plan::retrying(2)).await;
    for (after, asked, wait_ms) in
        [("1", 2, 1_000), ("0", 2, 0), ("past", 2, 0), ("garbage", 2, 0), ("future", 1, 0), ("1000000000", 1, 0)]
    {
        town.provider.recorder().clear();
        let heard = town.chat(&[], &format!("sandbox-1:status=429,retry_after={after}")).await;
        assert_eq!((heard.status, town.asked()), (429, asked), "{after}");
        assert!(gaps(&town).iter().all(|gap| *gap >= Duration::from_millis(wait_ms)), "{after}");
        let passed_on = heard.header("retry-after").unwrap();
        let number = after.parse::<u64>().is_ok();
        assert!(!number || passed_on == after, "{after}: {passed_on}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_again_once_a_byte_went_out() {
    let town = town(Plan::retrying(5)).await;
    let heard = town.post(CHAT, &[], chat_body("sandbox-1:cut=2,fail=1,key=a,gap=20,chunks=5", true)).await;
    let text = String::from_utf8_lossy(&heard.body).into_owned();
    assert!(heard.status == 200 && text.contains("upstream_truncated") && !text.contains("[DONE]"), "{text}");
    let record = town.last_record().await;
    assert_eq!((town.asked(), record.attempts.len(), record.outcome), (1, 1, Outcome::Truncated));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_before_an_answer_is_a_miss_like_others() {
    let town = town(Plan::retrying(3)).await;
    for fault in ["reset-before-status", "close-before-status", "reset-in-headers", "not-http", "bad-status"] {
        town.provider.recorder().clear();
        let model = format!("sandbox-1:fault={fault},fail=2,key={fault}");
        assert_eq!((town.chat(&[], &model).await.status, town.asked()), (200, 3), "{fault}");
        let record = town.last_record().await;
        let misses: Vec<_> = record.attempts.iter().map(|attempt| attempt.miss.as_deref()).collect();
        assert_eq!(misses, [Some("reset"), Some("reset"), None], "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_listens_the_answer_is_502() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let town = town(Plan { upstream: Some(format!("http://{nobody}")), ..Plan::retrying(3) }).await;
    let heard = town.chat(&[], "gpt-4o-mini").await;
    assert_eq!((heard.status, &heard.json()["error"][0]["code"]), (502, &serde_json::json!(2005)));
    let said = String::from_utf8_lossy(&heard.body).into_owned();
    assert!(!said.contains(&nobody.port().to_string()), "the caller learns nothing of the inside: {said}");
    let record = town.last_record().await;
    assert!(record.attempts.len() == 3 && record.attempts.iter().all(|each| each.miss.as_deref() == Some("connect")));
    assert!(record.refusal.unwrap().cause.unwrap().contains("refused"));
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_died_idle_is_replaced_without_a_word() {
    let town = town(Plan::default().served(|serving| serving.workers = 1)).await;
    town.provider.on("POST", "/v1/chat/completions", |_| Answer::json(200, "{}").ending(Ending::Cut));
    for _ in 0..50 {
        assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200);
        town.until(|| town.provider.counts().connections_open == 0).await;
    }
    let log = town.log().await;
    assert_eq!((log.len(), town.asked(), town.provider.counts().connections), (50, 50, 50));
    assert!(log.iter().all(|record| record.attempts.len() == 1 && !record.attempts[0].reused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_surplus_on_a_connection_is_never_the_next_answer() {
    let town = town(Plan::default().served(|serving| serving.workers = 1)).await;
    for _ in 0..100 {
        let heard = town.chat(&[], "sandbox-1:fault=extra-answer").await;
        assert_eq!((heard.status, &heard.body[..]), (200, &b"{}"[..]));
    }
    let short = chat_body("sandbox-1:length=short", false);
    for _ in 0..100 {
        assert_eq!(town.post(CHAT, &[], short.clone()).await.status, 200);
        assert_eq!(town.chat(&[], "sandbox-1").await.json()["object"], "chat.completion");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_reused_and_the_record_says_so() {
    let town = town(Plan::default().served(|serving| serving.workers = 1)).await;
    for _ in 0..20 {
        town.chat(&[], "gpt-4o-mini").await;
        town.post(CHAT, &[], chat_body("gpt-4o-mini", true)).await;
    }
    assert_eq!(town.provider.counts().connections, 1);
    let reused = town.log().await.iter().filter(|record| record.attempts[0].reused).count();
    assert_eq!(reused, 39);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_everything_is_asked_at_most_a_fifth_more_often() {
    const REQUESTS: usize = 1_000;
    const FLOOR: usize = 50;
    let town = Arc::new(town(Plan::retrying(5).served(|serving| serving.workers = 1)).await);
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let town = town.clone();
        asking.spawn(async move {
            for _ in 0..REQUESTS / 20 {
                let heard = town.chat(&[], "sandbox-1:status=503").await;
                assert_eq!((heard.status, heard.header("x-should-retry")), (503, Some("false")));
            }
        });
    }
    asking.join_all().await;
    let asked = town.asked();
    assert!((REQUESTS + FLOOR..=REQUESTS + REQUESTS / 5 + FLOOR).contains(&asked), "{asked}");
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_takes_too_long_gives_way_to_the_next() {
    let town = town(Plan::retrying(2)).await;
    let headers = [("cf-aig-request-timeout", "150")];
    let heard = town.chat(&headers, "sandbox-1:fault=silence,fail=1,key=a").await;
    let record = town.last_record().await;
    assert_eq!((heard.status, town.asked(), record.attempts[0].miss.as_deref()), (200, 2, Some("timeout")));
    assert!(record.attempts[0].ended_us >= 150_000 && record.attempts[1].miss.is_none());
    let heard = town.chat(&headers, "sandbox-1:latency=400").await;
    assert_eq!(heard.status, 200, "the last attempt takes its time");
    town.at_rest().await;
}
