//! Answers that are told in other words than the provider's: every pair of dialects, broken streams, callers who leave.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_model::record::Outcome;

use crate::raw::{Raw, post};
use crate::town::{Heard, Plan, Town, town};

/// Surface, a question that asks for a weather tool, and the members that an answer of that dialect has.
fn surfaces(model: &str, stream: bool) -> [(&'static str, Value); 3] {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    [
        (
            "v1/chat/completions",
            json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "Hello" }],
            "tools": [{ "type": "function", "function": { "name": "weather", "parameters": schema } }] }),
        ),
        (
            "v1/responses",
            json!({ "model": model, "stream": stream, "input": "Hello", "tools": [{ "type": "function", "name": "weather", "parameters": schema }] }),
        ),
        (
            "v1/messages",
            json!({ "model": model, "stream": stream, "max_tokens": 64, "messages": [{ "role": "user", "content": "Hello" }],
            "tools": [{ "name": "weather", "input_schema": schema }] }),
        ),
    ]
}

async fn ask(town: &Town, path: &str, body: &Value) -> Heard {
    let url = format!("http://{}/client/v4/accounts/acc/ai/{path}", town.address);
    town.send("POST", &url, &[("cf-aig-gateway-id", "g")], body.to_string().into()).await.unwrap()
}

/// What only an answer of this dialect ends with.
fn last_word(path: &str) -> &'static str {
    match path {
        "v1/responses" => "response.completed",
        "v1/messages" => "message_stop",
        _ => "data: [DONE]",
    }
}

const TARGETS: [&str; 4] =
    ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5", "google/gemini-2.5-flash", "sandbox/sandbox-1"];

#[tokio::test(flavor = "multi_thread")]
async fn every_caller_hears_every_provider_whole_and_streamed() {
    let town = town(Plan::default()).await;
    let mut texts = Vec::new();
    for target in TARGETS {
        for stream in [false, true] {
            for (path, body) in surfaces(target, stream) {
                let heard = ask(&town, path, &body).await;
                let said = String::from_utf8(heard.body.to_vec()).unwrap();
                assert_eq!(heard.status, 200, "{target} {path}: {said}");
                assert_eq!(said.contains(last_word(path)), stream, "{target} {path}: {said}");
                let record = town.last_record().await;
                assert_eq!((record.outcome, record.streamed), (Outcome::Complete, stream), "{target} {path}");
                assert!(
                    record.usage.as_ref().is_some_and(|usage| usage.tokens_out() > 0),
                    "{target} {path}: {record:?}"
                );
                if !stream && path == "v1/messages" {
                    texts.push(heard.json()["content"][0].clone());
                }
            }
        }
    }
    assert!(texts.iter().all(|text| text["type"] == "text" || text["type"] == "tool_use"), "{texts:?}");
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_call_arrives_in_the_callers_words() {
    let town = town(Plan::default()).await;
    for target in TARGETS {
        let (path, mut body) = surfaces(target, false)[0].clone();
        body["tool_choice"] = json!("required");
        let heard = ask(&town, path, &body).await;
        let call = &heard.json()["choices"][0]["message"]["tool_calls"][0];
        let told = (&call["type"], &call["function"]["name"]);
        assert_eq!(told, (&json!("function"), &json!("weather")), "{target}: {:?}", heard.body);
        assert_eq!(heard.json()["choices"][0]["finish_reason"], "tool_calls");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_ends_in_an_error_and_not_in_a_success() {
    let town = town(Plan::default()).await;
    for target in ["openai/sandbox-1:cut=3", "anthropic/sandbox-1:cut=3"] {
        for (path, body) in surfaces(target, true) {
            let heard = ask(&town, path, &body).await;
            let said = String::from_utf8(heard.body.to_vec()).unwrap();
            assert!(heard.status == 200 && !said.contains(last_word(path)), "{target} {path}: {said}");
            assert!(said.contains("broke its answer off"), "{target} {path}: {said}");
            assert_eq!(town.last_record().await.outcome, Outcome::Truncated);
        }
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_that_breaks_off_or_is_none_is_refused() {
    let town = town(Plan::default()).await;
    town.provider
        .on("POST", "/v1/messages", |_| tollgate_testkit::plan::Plan::whole(200, "text/html", "<html>busy</html>"));
    let (path, body) = surfaces("anthropic/m", false)[0].clone();
    let heard = ask(&town, path, &body).await;
    assert_eq!((heard.status, &heard.json()["errors"][0]["code"]), (502, &json!(2005)), "{:?}", heard.body);
    let record = town.last_record().await;
    assert!(record.refusal.unwrap().cause.unwrap().contains("not what its dialect promises"));
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_leaves_lets_go_of_everything() {
    let town = town(Plan::caching()).await;
    let body = json!({ "model": "anthropic/sandbox-1:gap=100,chunks=1000", "stream": true, "messages": [{ "role": "user", "content": "Hello" }] });
    for number in 1..=3 {
        let mut raw = Raw::to(&town).await;
        raw.say(post("compat/chat/completions", "tollgate-cache-stream: instant\r\n", &body.to_string())).await;
        raw.until("data: ").await;
        town.provider.recorder().until(|heard| heard.len() == number).await;
        drop(raw);
        town.at_rest().await;
    }
    let log = town.logged(3).await;
    assert!(log.iter().all(|record| record.outcome == Outcome::Cancelled), "{log:#?}");
    town.until(|| town.provider.counts().connections_open == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_turned_answer_hears_the_same_words() {
    let town = std::sync::Arc::new(town(Plan::caching()).await);
    let body = json!({ "model": "anthropic/sandbox-1:gap=20,chunks=20", "stream": true, "messages": [{ "role": "user", "content": "Hello" }] });
    let ask = |wait: u64| {
        let (town, body) = (town.clone(), body.to_string());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            town.post("compat/chat/completions", &[("tollgate-cache-stream", "instant")], body).await
        })
    };
    let (first, second) = (ask(0), ask(100));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!((town.asked(), first.body == second.body), (1, true));
    assert!(first.body.ends_with(b"data: [DONE]\n\n"));
    town.at_rest().await;
}
