//! The unified surfaces: one dialect in, whichever provider behind.

use serde_json::{Value, json};
use tollgate_model::gateway::Gateway;
use tollgate_model::record::Outcome;
use tollgate_testkit::plan;

use crate::town::{Heard, Plan, TOKEN, Town, town};

const CHAT: &str = "compat/chat/completions";

fn question(model: &str, more: Value) -> String {
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

async fn rest(town: &Town, path: &str, headers: &[(&str, &str)], body: impl Into<bytes::Bytes>) -> Heard {
    let url = format!("http://{}/client/v4/accounts/acc/ai/{path}", town.address);
    let headers: Vec<_> = headers.iter().copied().chain([("cf-aig-gateway-id", "g")]).collect();
    town.send("POST", &url, &headers, body.into()).await.unwrap()
}

/// The text of an answer in OpenAI's words, whole or streamed.
fn text(heard: &Heard) -> String {
    if !heard.header("content-type").unwrap().starts_with("text/event-stream") {
        return heard.json()["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
    }
    let said = String::from_utf8(heard.body.to_vec()).unwrap();
    let frames = said.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let deltas = frames.map(|data| serde_json::from_str::<Value>(data).unwrap());
    deltas.map(|frame| frame["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_the_providers_dialect_keeps_every_byte_but_the_models_name() {
    let town = town(Plan::default()).await;
    let body =
        r#"{ "messages":[{"content":"Hello","role":"user"}], "temperature":0.10, "model" : "openai/gpt-4o-mini" }"#;
    let key = [("authorization", "Bearer sk-fake"), ("x-mine", "1"), ("x-api-key", "")];
    for path in [CHAT, "compat/v1/chat/completions", "compat//chat/completions/"] {
        let heard = town.post(path, &key, body).await;
        assert_eq!((heard.status, &heard.json()["object"]), (200, &json!("chat.completion")), "{path}");
        let upstream = town.provider.recorder().last().request;
        assert_eq!(upstream.target, "/v1/chat/completions");
        assert_eq!(String::from_utf8(upstream.body.to_vec()).unwrap(), body.replace("openai/", ""));
        assert_eq!((upstream.header("authorization"), upstream.header("x-mine")), (Some("Bearer sk-fake"), Some("1")));
        assert_eq!(heard.header("tollgate-loss"), None);
    }
    let record = town.last_record().await;
    assert_eq!((&*record.provider, record.model.as_str()), ("openai", "gpt-4o-mini"));
    assert_eq!((record.path.as_str(), record.request_type.as_deref()), ("chat/completions", Some("chat")));
    assert!(record.usage.is_some() && record.cost.is_some() && record.unified.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_key_goes_where_the_provider_looks_for_it() {
    let town = town(Plan::default()).await;
    let heard = town
        .post(CHAT, &[("authorization", "Bearer sk-ant-fake")], question("anthropic/claude-haiku-4.5", json!({})))
        .await;
    assert_eq!(heard.status, 200, "{:?}", heard.body);
    let upstream = town.provider.recorder().last().request;
    assert_eq!((upstream.target.as_str(), upstream.header("x-api-key")), ("/v1/messages", Some("sk-ant-fake")));
    assert_eq!((upstream.header("authorization"), upstream.header("anthropic-version")), (None, Some("2023-06-01")));
    let asked: Value = serde_json::from_slice(&upstream.body).unwrap();
    assert_eq!(asked["model"], "claude-haiku-4-5", "names are spelled as the provider does");
    assert!(asked["max_tokens"].as_u64().is_some());

    let bearer = format!("Bearer {TOKEN}");
    town.post(CHAT, &[("authorization", &bearer)], question("anthropic/claude-haiku-4-5", json!({}))).await;
    let upstream = town.provider.recorder().last().request;
    assert_eq!(
        (upstream.header("x-api-key"), upstream.header("authorization")),
        (None, None),
        "a token of ours is no key"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_back_in_the_callers_words() {
    let town = town(Plan::default()).await;
    let direct = town.post(CHAT, &[], question("openai/gpt-4o-mini", json!({}))).await;
    for stream in [false, true] {
        let heard = town.post(CHAT, &[], question("anthropic/claude-haiku-4-5", json!({ "stream": stream }))).await;
        assert_eq!((heard.status, text(&heard)), (200, text(&direct)), "{:?}", heard.body);
        assert_eq!(heard.body.ends_with(b"data: [DONE]\n\n"), stream);
        let record = town.last_record().await;
        assert_eq!((record.outcome, record.streamed), (Outcome::Complete, stream));
        assert_eq!((&*record.provider, record.model.as_str()), ("anthropic", "claude-haiku-4-5"));
        assert!(record.usage.is_some() && record.cost.is_some(), "{record:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_providers_error_is_told_in_the_callers_words() {
    let town = town(Plan::default()).await;
    town.provider.on("POST", "/v1/messages", |_| {
        let error = r#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: too many"}}"#;
        plan::Plan::whole(400, "application/json", error)
    });
    for stream in [false, true] {
        let heard = town.post(CHAT, &[], question("anthropic/claude-haiku-4-5", json!({ "stream": stream }))).await;
        assert_eq!((heard.status, &heard.json()["error"]["message"]), (400, &json!("max_tokens: too many")));
        assert_eq!(heard.header("content-type"), Some("application/json"));
        assert!(heard.json().get("name").is_none(), "not the gateway's own error");
        assert_eq!(town.last_record().await.outcome, Outcome::Complete);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_mean_nothing_have_the_original_s_codes() {
    let town = town(Plan::default()).await;
    for model in ["nobody/m", "gpt-4o-mini", "@cf/meta/llama", "google/gemini-2.5-flash"] {
        let heard = town.post(CHAT, &[], question(model, json!({}))).await;
        assert_eq!((heard.status, &heard.json()["internalCode"]), (400, &json!(2008)), "{model}");
        let heard = rest(&town, "v1/chat/completions", &[], question("nobody/m", json!({}))).await;
        assert_eq!((heard.status, &heard.json()["errors"][0]["code"]), (404, &json!(7003)));
        assert_eq!(heard.json()["errors"][0]["message"], "Model not found: nobody/m");
    }
    let heard = town.post(CHAT, &[], question("dynamic/nowhere", json!({}))).await;
    assert_eq!((heard.status, &heard.json()["error"][0]["code"]), (400, &json!(2005)));
    let heard = town.post("compat/files", &[], "{}").await;
    assert_eq!((heard.status, &heard.json()["internalCode"]), (404, &json!(2906)));
    assert!(town.provider.recorder().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_body_is_said_in_the_callers_dialect_with_its_path() {
    let town = town(Plan::default()).await;
    for (body, path) in [
        ("{", ""),
        (r#"{"messages":[]}"#, "model"),
        (r#"{"model":"anthropic/m","messages":[{"role":"user","content":7}]}"#, "messages[0].content"),
        (
            r#"{"model":"anthropic/m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,???"}}]}]}"#,
            "messages[0].content[0].image_url.url",
        ),
    ] {
        let heard = town.post(CHAT, &[], body).await;
        let error = &heard.json()["error"];
        assert_eq!((heard.status, &error["type"]), (400, &json!("invalid_request_error")), "{body}");
        assert!(error["message"].as_str().unwrap().contains(path), "{body}: {error}");
        assert_eq!(error["param"].as_str().unwrap_or_default(), path);
    }
    let heard = rest(
        &town,
        "v1/messages",
        &[],
        r#"{"model":"openai/m","max_tokens":"x","messages":[{"role":"user","content":"a"}]}"#,
    )
    .await;
    assert_eq!((heard.status, &heard.json()["type"]), (400, &json!("error")));
    assert!(heard.json()["error"]["message"].as_str().unwrap().contains("max_tokens"));
    assert!(town.provider.recorder().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn losses_are_told_recorded_and_refused_when_the_caller_is_strict() {
    let town = town(Plan::default()).await;
    let body = question("anthropic/claude-haiku-4-5", json!({ "seed": 7, "frequency_penalty": 0.5 }));
    let heard = town.post(CHAT, &[], body.clone()).await;
    let told = heard.header("tollgate-loss").unwrap();
    assert!(
        heard.status == 200 && told.contains("seed;dropped") && told.contains("frequency_penalty;dropped"),
        "{told}"
    );
    let record = town.last_record().await;
    let losses = record.unified.unwrap().losses;
    assert!(
        losses.iter().any(|lost| lost.field == "seed" && lost.kind == "dropped" && !lost.why.is_empty()),
        "{losses:?}"
    );

    let asked = town.asked();
    let heard = town.post(CHAT, &[("tollgate-strict", "true")], body.clone()).await;
    let said = heard.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(heard.status == 400 && said.contains("seed") && said.contains("frequency_penalty"), "{said}");
    assert_eq!(town.asked(), asked);
    let heard =
        town.post(CHAT, &[("tollgate-strict", "true")], question("openai/gpt-4o-mini", json!({ "seed": 7 }))).await;
    assert_eq!(heard.status, 200, "nothing is lost where nothing is translated");
}

/// A conversation that OpenAI keeps cannot go on elsewhere, and must not begin anew in silence.
#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_callers_provider_keeps_is_refused_elsewhere() {
    let town = town(Plan::default()).await;
    let body = json!({ "model": "anthropic/claude-haiku-4-5", "input": "And then?", "previous_response_id": "resp_1" });
    let heard = town.post("compat/responses", &[], body.to_string()).await;
    assert_eq!(
        (heard.status, &heard.json()["error"]["param"]),
        (400, &json!("previous_response_id")),
        "{:?}",
        heard.body
    );
    assert!(town.provider.recorder().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_does_not_take_of_its_own_dialect_is_a_loss_too() {
    let town = town(Plan::default()).await;
    let body = question("openai/gpt-4o-mini", json!({ "top_k": 3, "temperature": 0.5 }));
    let heard = town.post(CHAT, &[], body.clone()).await;
    assert_eq!((heard.status, heard.header("tollgate-loss")), (200, Some("top_k;dropped")));
    let asked: Value = serde_json::from_slice(&town.provider.recorder().last().request.body).unwrap();
    assert_eq!((asked.get("top_k"), &asked["temperature"]), (None, &json!(0.5)));
    assert_eq!(town.last_record().await.unified.unwrap().losses[0].field, "top_k");
    assert_eq!(town.post(CHAT, &[("tollgate-strict", "true")], body).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_gateway_refuses_unless_the_caller_asks_otherwise() {
    let town = town(Plan::gateway(|gateway| gateway.tollgate_strict = true)).await;
    let body = question("anthropic/claude-haiku-4-5", json!({ "seed": 7 }));
    assert_eq!(town.post(CHAT, &[], body.clone()).await.status, 400);
    assert_eq!(town.post(CHAT, &[("tollgate-strict", "false")], body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_api_answers_beside_the_control_plane() {
    let town = town(Plan::default()).await;
    let key = [("authorization", "Bearer whatever-an-sdk-needs")];
    let heard = rest(&town, "v1/chat/completions", &key, question("openai/gpt-4o-mini", json!({}))).await;
    assert_eq!((heard.status, &heard.json()["object"]), (200, &json!("chat.completion")));
    let upstream = town.provider.recorder().last().request;
    assert_eq!(upstream.header("authorization"), None, "on this host a credential is the gateway's");

    let body = json!({ "model": "openai/gpt-4o-mini", "max_tokens": 64, "messages": [{ "role": "user", "content": "Hello" }] });
    for path in ["v1/messages", "v1/v1/messages?beta=true"] {
        let heard =
            rest(&town, path, &[("x-api-key", "k"), ("anthropic-version", "2023-06-01")], body.to_string()).await;
        assert_eq!((heard.status, &heard.json()["type"]), (200, &json!("message")), "{:?}", heard.body);
        let upstream = town.provider.recorder().last().request;
        assert_eq!((upstream.target.as_str(), upstream.header("anthropic-version")), ("/v1/chat/completions", None));
    }
    let url = format!("http://{}/client/v4/accounts/acc/ai/models/search", town.address);
    assert_eq!(town.send("GET", &url, &[], "".into()).await.unwrap().status, 404, "the control plane's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_on_rest_is_named_by_a_header_and_needs_a_token_when_it_says_so() {
    let town = town(Plan::gateway(|gateway| gateway.authentication = true)).await;
    let body = question("openai/gpt-4o-mini", json!({}));
    let heard = rest(&town, "v1/chat/completions", &[("authorization", "Bearer wrong")], body.clone()).await;
    assert_eq!((heard.status, &heard.json()["errors"][0]["code"]), (401, &json!(10_000)));
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(rest(&town, "v1/chat/completions", &[("authorization", &bearer)], body.clone()).await.status, 200);
    let url = format!("http://{}/client/v4/accounts/acc/ai/v1/chat/completions", town.address);
    let heard = town.send("POST", &url, &[("authorization", &bearer)], body.into()).await.unwrap();
    assert_eq!(
        (heard.status, &heard.json()["internalCode"]),
        (400, &json!(2001)),
        "there is no gateway `default` here"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn embeddings_and_token_counts_reach_whoever_speaks_them() {
    let town = town(Plan::default()).await;
    let heard =
        town.post("compat/embeddings", &[], r#"{"model":"openai/text-embedding-3-small","input":"Hello"}"#).await;
    assert_eq!((heard.status, &heard.json()["object"]), (200, &json!("list")));
    assert_eq!(town.last_record().await.request_type.as_deref(), Some("embeddings"));
    let body = r#"{"model":"anthropic/claude-haiku-4-5","messages":[{"role":"user","content":"Hello"}]}"#;
    let heard = rest(&town, "v1/messages/count_tokens", &[], body).await;
    assert!(heard.status == 200 && heard.json()["input_tokens"].as_u64().is_some(), "{:?}", heard.body);
    let heard = rest(&town, "v1/messages/count_tokens", &[], body.replace("anthropic/", "openai/")).await;
    let asked = town.asked();
    assert!(heard.status == 200 && heard.json()["input_tokens"].as_u64() > Some(0), "an estimate, where nobody counts");
    assert_eq!(asked, 2, "OpenAI was not asked: it counts no tokens");
    let heard = town.post(CHAT, &[], question("voyage/voyage-3", json!({}))).await;
    assert_eq!((heard.status, &heard.json()["error"]["param"]), (400, &json!("model")), "{:?}", heard.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_only_the_operator_knows_is_asked_for_by_name() {
    let town = town(Plan::default()).await;
    let heard = town.post(CHAT, &[], question("azure-openai/my-deployment", json!({}))).await;
    let said = heard.json()["message"].as_str().unwrap().to_owned();
    assert!(heard.status == 400 && said.contains("[providers.azure-openai.values] resource"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_in_the_shapes_that_clients_read() {
    let town = town(Plan::default()).await;
    for path in ["compat/models", "compat/v1/models"] {
        let heard = town.send("GET", &town.url(path), &[], "".into()).await.unwrap();
        let body = heard.json();
        let models = body["data"].as_array().unwrap();
        let mini = models.iter().find(|model| model["id"] == "openai/gpt-4o-mini").unwrap();
        assert_eq!(
            (&body["object"], &mini["object"], &mini["owned_by"]),
            (&json!("list"), &json!("model"), &json!("openai"))
        );
        assert!(mini["cost_in"].as_f64().is_some_and(|cost| cost > 0.0 && cost < 1e-4), "{mini}");
        assert_eq!(mini["created"], mini["created_at"]);
    }
    let url = format!("http://{}/client/v4/accounts/acc/ai/v1/v1/models", town.address);
    let headers = [("cf-aig-gateway-id", "g"), ("anthropic-version", "2023-06-01")];
    let body = town.send("GET", &url, &headers, "".into()).await.unwrap().json();
    assert_eq!((&body["data"][0]["type"], &body["has_more"]), (&json!("model"), &json!(false)));
    assert!(body["data"].as_array().unwrap().iter().any(|model| model["id"].as_str().unwrap().starts_with("google/")));
    assert!(town.log().await.is_empty(), "nobody was asked anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turned_answer_is_remembered_as_it_was_told() {
    let town = town(Plan::caching()).await;
    let body = question("anthropic/claude-haiku-4-5", json!({ "seed": 1 }));
    let first = town.post(CHAT, &[], body.clone()).await;
    let again = town.post(CHAT, &[], body.clone()).await;
    assert_eq!((first.header("cf-aig-cache-status"), again.header("cf-aig-cache-status")), (Some("MISS"), Some("HIT")));
    assert_eq!((town.asked(), &first.body), (1, &again.body));
    assert_eq!(again.header("tollgate-loss"), first.header("tollgate-loss"));
    let native = json!({ "model": "anthropic/claude-haiku-4-5", "max_tokens": 9, "messages": [{ "role": "user", "content": "Hello" }] });
    assert_eq!(
        rest(&town, "v1/messages", &[], native.to_string()).await.json()["type"],
        "message",
        "in other words it is another answer"
    );
    let streamed = question("anthropic/claude-haiku-4-5", json!({ "stream": true }));
    let instant = [("tollgate-cache-stream", "instant")];
    let first = town.post(CHAT, &instant, streamed.clone()).await;
    let again = town.post(CHAT, &instant, streamed).await;
    assert_eq!((again.header("cf-aig-cache-status"), &first.body), (Some("HIT"), &again.body));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_limit_is_paid_once() {
    let limit = |gateway: &mut Gateway| {
        gateway.rate_limiting_limit = Some(1);
        gateway.rate_limiting_interval = Some(3_600);
    };
    let town = town(Plan::gateway(limit)).await;
    town.provider.on("POST", "/v1/chat/completions", |_| plan::Plan::whole(500, "application/json", "{}"));
    let steps = json!([
        { "provider": "openai", "endpoint": "chat/completions", "query": { "model": "m", "messages": [] } },
        { "provider": "compat", "endpoint": "chat/completions", "query": { "model": "anthropic/m", "messages": [{ "role": "user", "content": "Hello" }] } },
    ]);
    assert_eq!(town.post("", &[], steps.to_string()).await.status, 200);
    assert_eq!(town.post("", &[], steps.to_string()).await.status, 429);
}
