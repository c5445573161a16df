//! The universal endpoint: the caller's own list, tried in order.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_model::record::Outcome;
use tollgate_testkit::plan;

use crate::town::{Heard, Plan, Town, chat_body, town};

fn openai(model: &str) -> Value {
    let query: Value = serde_json::from_str(&chat_body(model, false)).unwrap();
    json!({ "provider": "openai", "endpoint": "v1/chat/completions", "headers": { "Authorization": "Bearer sk-fake" }, "query": query })
}

fn anthropic() -> Value {
    let query =
        json!({ "model": "claude-haiku-4-5", "max_tokens": 64, "messages": [{ "role": "user", "content": "Hello" }] });
    json!({ "provider": "anthropic", "endpoint": "v1/messages", "headers": { "x-api-key": "sk-ant-fake" }, "query": query })
}

fn compat(model: &str) -> Value {
    let query = json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] });
    json!({ "provider": "compat", "endpoint": "chat/completions", "query": query })
}

async fn ask(town: &Town, steps: Value) -> Heard {
    town.post("", &[("authorization", "Bearer of-the-request"), ("cf-aig-metadata", r#"{"a":1}"#)], steps.to_string())
        .await
}

fn failing(town: &Town, path: &str, status: u16) {
    let error = r#"{"error":{"message":"no such model","type":"invalid_request_error"}}"#;
    town.provider.on("POST", path, move |_| plan::Plan::whole(status, "application/json", error));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_success_is_the_answer_and_its_place_is_told() {
    let town = town(Plan::default()).await;
    for (steps, path) in [(openai("gpt-4o-mini"), ""), (json!([openai("gpt-4o-mini"), anthropic()]), "/")] {
        let heard = town
            .post(path.trim_start_matches('/'), &[("authorization", "Bearer of-the-request")], steps.to_string())
            .await;
        assert_eq!((heard.status, heard.header("cf-aig-step")), (200, Some("0")), "{:?}", heard.body);
        assert_eq!(heard.json()["object"], "chat.completion");
        let upstream = town.provider.recorder().last().request;
        assert_eq!(upstream.header("authorization"), Some("Bearer sk-fake"), "each step has its own key");
    }
    assert_eq!(town.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_passes_control_to_the_next_step() {
    for status in [400, 401, 404, 429, 500] {
        let town = town(Plan::default()).await;
        failing(&town, "/v1/chat/completions", status);
        let heard = ask(&town, json!([openai("a"), { "provider": "nobody" }, anthropic()])).await;
        assert_eq!((heard.status, heard.header("cf-aig-step")), (200, Some("2")), "{status}");
        assert_eq!(heard.json()["type"], "message");
        let upstream = town.provider.recorder().last().request;
        assert_eq!((upstream.header("x-api-key"), upstream.header("authorization")), (Some("sk-ant-fake"), None));
        let record = town.last_record().await;
        assert_eq!((&*record.provider, record.step, record.attempts.len()), ("anthropic", 2, 2));
        assert_eq!(record.metadata.0.len(), 1);
        let trace = record.unified.unwrap().trace.unwrap();
        let outputs: Vec<_> = trace.visited.iter().map(|visit| visit.output.as_deref().unwrap()).collect();
        assert_eq!(outputs, ["fallback", "fallback", "success"]);
        assert_eq!(town.log().await.len(), 1, "one request, one record");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_step_fails_the_last_failure_is_the_answer() {
    let town = town(Plan::default()).await;
    failing(&town, "/v1/chat/completions", 500);
    failing(&town, "/v1/messages", 404);
    let heard = ask(&town, json!([openai("a"), anthropic()])).await;
    assert_eq!((heard.status, heard.header("cf-aig-step")), (404, Some("1")));
    assert_eq!(heard.json()["error"]["message"], "no such model", "the provider's own words");
    let heard = ask(&town, json!([anthropic(), { "provider": "nobody" }])).await;
    assert_eq!((heard.status, &heard.json()["internalCode"]), (400, &json!(2008)));
    assert_eq!(heard.header("cf-aig-step"), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_has_options_of_its_own() {
    let town = town(Plan::default()).await;
    town.provider.on("POST", "/v1/chat/completions", |_| {
        plan::Plan::whole(200, "application/json", "{}").after(Duration::from_secs(60))
    });
    let mut slow = openai("a");
    slow["config"] = json!({ "requestTimeout": 50, "maxAttempts": 2, "retryDelay": 1 });
    let heard = ask(&town, json!([slow, anthropic()])).await;
    assert_eq!((heard.status, heard.header("cf-aig-step")), (200, Some("1")));
    let misses: Vec<_> = town.last_record().await.attempts.into_iter().map(|attempt| attempt.miss).collect();
    assert_eq!(
        misses,
        [Some("timeout".to_owned()), Some("timeout".to_owned()), None],
        "also the last attempt of a step has a deadline"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_may_ask_the_gateway_in_one_shape_for_all() {
    let town = town(Plan::default()).await;
    failing(&town, "/v1/chat/completions", 503);
    let heard = ask(&town, json!([compat("openai/gpt-4o-mini"), compat("anthropic/claude-haiku-4-5")])).await;
    assert_eq!((heard.status, heard.header("cf-aig-step")), (200, Some("1")), "{:?}", heard.body);
    assert_eq!(heard.json()["object"], "chat.completion");
    let record = town.last_record().await;
    assert_eq!((&*record.provider, record.outcome), ("anthropic", Outcome::Complete));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_steps_headers_cannot_reframe_the_request() {
    let town = town(Plan::default()).await;
    let mut step = openai("gpt-4o-mini");
    step["headers"] = json!({ "content-length": "1", "transfer-encoding": "chunked", "host": "elsewhere", "connection": "x-mine", "x-mine": "1", "cf-aig-event-id": "e" });
    let heard = ask(&town, step).await;
    assert_eq!(heard.status, 200);
    let upstream = town.provider.recorder().last().request;
    for name in ["transfer-encoding", "x-mine", "cf-aig-event-id"] {
        assert_eq!(upstream.header(name), None, "{name}");
    }
    assert_ne!(upstream.header("host"), Some("elsewhere"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_list_is_refused() {
    let town = town(Plan::default()).await;
    for body in ["", "[]", "7", r#"[{"endpoint":"x"}]"#] {
        let heard = town.post("", &[], body).await;
        assert_eq!((heard.status, &heard.json()["name"]), (400, &json!("AiGatewayError")), "{body}");
    }
    let heard = town.send("GET", &town.url(""), &[], "".into()).await.unwrap();
    assert_eq!(heard.status, 404);
    assert!(town.provider.recorder().is_empty());
}
