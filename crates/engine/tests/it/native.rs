//! The native surface: bytes through unchanged, gateway credentials kept back, a record of each request.

use tollgate_model::Money;
use tollgate_model::gateway::Gateway;
use tollgate_model::record::{Outcome, Payload};
use tollgate_store::records::Which;
use tollgate_testkit::plan;

use crate::town::{Plan, TOKEN, chat_body, town};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_passes_and_leaves_a_record() {
    let town = town(Plan::default()).await;
    let body = chat_body("gpt-4o-mini", false);
    let heard = town
        .post(
            "openai/v1/chat/completions?x=%20y",
            &[("authorization", "Bearer sk-fake"), ("x-mine", "1")],
            body.clone(),
        )
        .await;
    assert_eq!(heard.status, 200);
    assert_eq!(heard.json()["object"], "chat.completion");

    let upstream = town.provider.recorder().last().request;
    assert_eq!(upstream.target, "/v1/chat/completions?x=%20y");
    assert_eq!(upstream.body, body.as_bytes());
    assert_eq!(upstream.header("authorization"), Some("Bearer sk-fake"));
    assert_eq!(upstream.header("x-mine"), Some("1"));

    let record = town.last_record().await;
    assert_eq!(heard.header("cf-aig-log-id"), Some(record.id.to_string().as_str()));
    assert_eq!((record.status, record.outcome, record.attempts.len()), (200, Outcome::Complete, 1));
    assert_eq!((&*record.provider, record.model.as_str()), ("openai", "gpt-4o-mini"));
    let usage = record.usage.clone().unwrap();
    assert_eq!(heard.json()["usage"]["prompt_tokens"], usage.tokens_in());
    assert!(record.cost.as_ref().is_some_and(|cost| cost.amount > Money::ZERO));
    assert_eq!((record.request_body, record.response_body), (Payload::Kept, Payload::Kept));
    assert_eq!(town.logged_body(&record, Which::Request).unwrap().bytes, body.as_bytes());
    assert_eq!(town.logged_body(&record, Which::Response).unwrap().bytes, heard.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_passes_chunk_by_chunk_and_is_counted() {
    let town = town(Plan::default()).await;
    let heard = town.post("openai/v1/chat/completions", &[], chat_body("gpt-4o-mini", true)).await;
    assert_eq!(heard.header("content-type").map(|kind| kind.starts_with("text/event-stream")), Some(true));
    assert!(heard.body.ends_with(b"data: [DONE]\n\n"));
    let record = town.last_record().await;
    assert!(record.streamed && record.usage.is_some());
    assert_eq!(town.logged_body(&record, Which::Response).unwrap().bytes, heard.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_logged_also_where_nothing_else_is_understood() {
    let town = town(Plan::default()).await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b--\r\n";
    let cases = [
        ("responses/input_tokens", "application/json", r#"{"model":"gpt-4o","input":"x"}"#, "gpt-4o"),
        ("responses/input_tokens", "application/json", "no JSON", ""),
        ("audio/transcriptions", "multipart/form-data; boundary=b", form, "whisper-1"),
        ("files", "multipart/form-data; boundary=b", "no form", ""),
    ];
    for (path, kind, body, model) in cases {
        town.provider.on("POST", &format!("/v1/{path}"), |_| plan::Plan::whole(200, "application/json", "{}"));
        let heard = town.post(&format!("openai/v1/{path}"), &[("content-type", kind)], body).await;
        assert_eq!((heard.status, town.last_record().await.model.as_str()), (200, model), "{path} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_authentication_takes_its_token_wherever_an_sdk_can_put_it() {
    let town = town(Plan::gateway(|gateway| gateway.authentication = true)).await;
    let bearer = format!("Bearer {TOKEN}");
    for header in [
        ("cf-aig-authorization", bearer.as_str()),
        ("cf-aig-authorization", TOKEN),
        ("authorization", &bearer),
        ("x-api-key", TOKEN),
        ("x-goog-api-key", TOKEN),
    ] {
        let heard = town.chat(&[header], "gpt-4o-mini").await;
        assert_eq!(heard.status, 200, "{header:?}");
        let upstream = town.provider.recorder().last().request;
        for name in ["cf-aig-authorization", "authorization", "x-api-key", "x-goog-api-key"] {
            assert_eq!(upstream.header(name), None, "{header:?}: {name} was forwarded");
        }
        assert_eq!(town.last_record().await.token_id.as_deref(), Some("t1"));
    }
    let before = town.provider.recorder().len();
    for headers in [
        vec![],
        vec![("cf-aig-authorization", "Bearer wrong")],
        vec![("authorization", "Bearer sk-fake"), ("cf-aig-authorization", "")],
    ] {
        let heard = town.chat(&headers, "gpt-4o-mini").await;
        assert_eq!((heard.status, &heard.json()["error"][0]["code"]), (401, &serde_json::json!(2009)), "{headers:?}");
    }
    assert_eq!(town.provider.recorder().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_have_the_original_s_codes() {
    let town = town(Plan::default()).await;
    let unknown_gateway = format!("http://{}/v1/acc/nowhere/openai/v1/chat/completions", town.address);
    let heard = town.send("POST", &unknown_gateway, &[], "{}".into()).await.unwrap();
    assert_eq!(
        (heard.status, &heard.json()["error"][0]["code"], &heard.json()["name"]),
        (400, &serde_json::json!(2001), &serde_json::json!("AiGatewayError"))
    );
    let heard = town.post("nobody/v1/chat/completions", &[], "{}").await;
    assert_eq!((heard.status, &heard.json()["internalCode"]), (400, &serde_json::json!(2008)));
    assert!(town.provider.recorder().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_can_be_declined_in_part_or_whole() {
    let town = town(Plan::default()).await;
    town.chat(&[("cf-aig-collect-log-payload", "false")], "gpt-4o-mini").await;
    let record = town.last_record().await;
    assert_eq!((record.request_body, record.response_body), (Payload::OptedOut, Payload::OptedOut));
    assert!(record.usage.is_some() && town.logged_body(&record, Which::Response).is_none());
    let heard = town.chat(&[("cf-aig-collect-log", "false")], "gpt-4o-mini").await;
    assert_eq!(heard.header("cf-aig-log-id"), None);
    assert_eq!(town.log().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_s_rate_limit_refuses_and_says_when() {
    let limit = |gateway: &mut Gateway| {
        gateway.rate_limiting_limit = Some(2);
        gateway.rate_limiting_interval = Some(3_600);
    };
    let town = town(Plan::gateway(limit)).await;
    for _ in 0..2 {
        assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200);
    }
    let heard = town.chat(&[], "gpt-4o-mini").await;
    assert_eq!((heard.status, &heard.json()["error"][0]["code"]), (429, &serde_json::json!(2003)));
    assert!(
        heard
            .header("retry-after")
            .is_some_and(|after| after.parse::<u64>().is_ok_and(|after| (1..=3_600).contains(&after)))
    );
    assert!(heard.header("retry-after-ms").is_some());
    assert_eq!(town.last_record().await.outcome, Outcome::Refused);
}
