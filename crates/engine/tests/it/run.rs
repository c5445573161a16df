//! `/ai/run`: a model's input in an object, answered now or told to a webhook later.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tollgate_engine::TlsRoots;
use tollgate_model::record::Outcome;
use tollgate_rules::egress::Egress;
use tollgate_testkit::plan;

use crate::tls::Authority;
use crate::town::{Heard, Plan, Town, town};

async fn run(town: &Town, path: &str, body: &Value) -> Heard {
    let url = format!("http://{}/client/v4/accounts/acc/ai/{path}", town.address);
    town.send("POST", &url, &[("cf-aig-gateway-id", "g")], body.to_string().into()).await.unwrap()
}

fn chat(model: &str, options: Value) -> Value {
    json!({ "model": model, "input": { "messages": [{ "role": "user", "content": "Hello" }], "max_tokens": 64 }, "options": options })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_in_an_envelope_in_the_dialect_of_the_input() {
    let town = town(Plan::caching()).await;
    for (model, member, value) in [
        ("openai/gpt-4o-mini", "object", "chat.completion"),
        ("google/gemini-2.5-flash", "object", "chat.completion"),
        ("anthropic/claude-haiku-4.5", "type", "message"),
    ] {
        for status in ["MISS", "HIT"] {
            let heard = run(&town, "run", &chat(model, json!({}))).await;
            let said = heard.json();
            assert_eq!(
                (heard.status, &said["success"], &said["result"]["state"]),
                (200, &json!(true), &json!("Completed")),
                "{model}: {said}"
            );
            assert_eq!(said["result"]["result"][member], value, "{model}: {said}");
            assert_eq!(heard.header("cf-aig-cache-status"), Some(status));
        }
    }
    let contents = json!({ "model": "google/gemini-2.5-flash", "input": { "contents": [{ "role": "user", "parts": [{ "text": "Hello" }] }] } });
    let said = run(&town, "run", &contents).await.json();
    assert!(said["result"]["result"]["candidates"].is_array(), "{said}");
    let direct = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
    assert_eq!(
        run(&town, "run/openai/gpt-4o-mini", &direct).await.json()["result"]["result"]["object"],
        "chat.completion"
    );
    let embed = json!({ "model": "openai/text-embedding-3-small", "input": { "input": "Hello" } });
    assert_eq!(run(&town, "run", &embed).await.json()["result"]["result"]["object"], "list");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_errors_have_no_envelope() {
    let town = town(Plan::default()).await;
    let mut body = chat("openai/gpt-4o-mini", json!({}));
    body["input"]["stream"] = json!(true);
    let heard = run(&town, "run", &body).await;
    assert!(heard.status == 200 && heard.body.ends_with(b"data: [DONE]\n\n"));
    town.provider
        .on("POST", "/v1/chat/completions", |_| plan::Plan::json(404, r#"{"error":{"message":"no such model"}}"#));
    let heard = run(&town, "run", &chat("openai/gpt-4o-mini", json!({}))).await;
    assert_eq!((heard.status, &heard.json()["error"]["message"]), (404, &json!("no such model")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_run_is_refused() {
    let town = town(Plan::default()).await;
    for (path, body, status, code) in [
        ("run", chat("nobody/m", json!({})), 404, 7003),
        ("run", chat("dynamic/r", json!({})), 400, 7000),
        ("run/dynamic/r", json!({}), 400, 7000),
        ("run", json!({ "model": "openai/m" }), 400, 2901),
        ("run", json!({ "model": "openai/m", "input": { "text": "a" } }), 400, 2901),
        ("run", chat("openai/m", json!({ "webhookUrl": "https://example.com/" })), 400, 2901),
        ("run", chat("openai/m", json!({ "background": true, "webhookFormat": "raw" })), 400, 2901),
        ("run", chat("openai/m", json!({ "background": true, "webhookUrl": "http://example.com/" })), 400, 2901),
        (
            "run",
            chat("openai/m", json!({ "background": true, "webhookUrl": "https://example.com/", "webhookFormat": "x" })),
            400,
            2901,
        ),
    ] {
        let heard = run(&town, path, &body).await;
        assert_eq!(
            (heard.status, &heard.json()["errors"][0]["code"]),
            (status, &json!(code)),
            "{path} {body}: {:?}",
            heard.body
        );
    }
    assert!(town.provider.recorder().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_done_behind_the_callers_back() {
    let town = town(Plan::default()).await;
    let heard = run(&town, "run", &chat("openai/gpt-4o-mini", json!({ "background": true }))).await;
    let said = heard.json();
    assert_eq!((heard.status, &said["result"]["state"]), (200, &json!("Queued")));
    let record = town.logged(1).await.remove(0);
    assert_eq!(
        (record.id.to_string(), record.outcome),
        (said["result"]["id"].as_str().unwrap().to_owned(), Outcome::Complete)
    );
    town.at_rest().await;
    let mut streamed = chat("openai/gpt-4o-mini", json!({ "background": true }));
    streamed["input"]["stream"] = json!(true);
    assert_eq!(run(&town, "run", &streamed).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_at_a_private_address_is_never_called() {
    // The operator opened loopback for providers; a caller's webhook has no part in that.
    let town = town(Plan::default()).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let url = format!("https://{host}:{port}/hook");
        let heard =
            run(&town, "run", &chat("openai/gpt-4o-mini", json!({ "background": true, "webhookUrl": url }))).await;
        assert_eq!(heard.status, 200);
    }
    town.logged(3).await;
    town.at_rest().await;
    assert!(tokio::time::timeout(Duration::from_millis(300), listener.accept()).await.is_err(), "somebody was called");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_hears_the_result_once() {
    let authority = Authority::new();
    let hook = tollgate_testkit::Sandbox::for_tests();
    let address = authority.listening(&hook).await;
    let roots = authority.roots.clone();
    let plan = Plan::default().served(move |serving| {
        serving.roots = TlsRoots::Given(roots);
        serving.outside = Arc::new(Egress { allow_private: vec!["127.0.0.0/8".parse().unwrap()] });
    });
    let town = town(plan).await;
    for (number, (format, failing)) in [("raw", false), ("chat", false), ("raw", true)].into_iter().enumerate() {
        if failing {
            town.provider
                .on("POST", "/v1/chat/completions", |_| plan::Plan::json(500, r#"{"error":{"message":"no"}}"#));
        }
        let options =
            json!({ "background": true, "webhookUrl": format!("https://{address}/hook?x=1"), "webhookFormat": format });
        let id = run(&town, "run", &chat("openai/gpt-4o-mini", options)).await.json()["result"]["id"].clone();
        hook.recorder().until(|heard| heard.len() == number + 1).await;
        let heard = hook.recorder().last().request;
        assert_eq!((heard.method.as_str(), heard.target.as_str()), ("POST", "/hook?x=1"));
        let body: Value = serde_json::from_slice(&heard.body).unwrap();
        let told: Value = match format {
            "chat" => serde_json::from_str(body["text"].as_str().unwrap()).unwrap(),
            _ => body,
        };
        assert_eq!(
            (&told["id"], &told["model"], &told["provider"]),
            (&id, &json!("gpt-4o-mini"), &json!("openai")),
            "{told}"
        );
        match failing {
            true => assert_eq!((&told["state"], &told["error"]["error"]["message"]), (&json!("Failed"), &json!("no"))),
            false => assert_eq!(
                (&told["state"], &told["result"]["object"]),
                (&json!("Completed"), &json!("chat.completion"))
            ),
        }
    }
    town.at_rest().await;
}
