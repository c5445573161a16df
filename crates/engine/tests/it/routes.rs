//! Dynamic routes and the auto router, as a caller of the unified API meets them.

use serde_json::{Value, json};
use tollgate_model::record::Outcome;
use tollgate_testkit::plan;

use crate::town::{Heard, Plan, Town, town};

fn model(id: &str, provider: &str, name: &str, outputs: Value) -> Value {
    json!({ "id": id, "type": "model", "properties": { "provider": provider, "model": name, "timeout": 0, "retries": 0 }, "outputs": outputs })
}

/// `openai` first, `anthropic` when that fails.
fn fallback() -> Value {
    json!([
        { "id": "s", "type": "start", "outputs": { "next": { "elementId": "one" } } },
        model("one", "openai", "gpt-4o-mini", json!({ "success": { "elementId": "e" }, "fallback": { "elementId": "two" } })),
        model("two", "anthropic", "claude-haiku-4-5", json!({ "success": { "elementId": "e" } })),
        { "id": "e", "type": "end", "outputs": {} }
    ])
}

async fn ask(town: &Town, model: &str, headers: &[(&str, &str)]) -> Heard {
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] });
    town.post("compat/chat/completions", headers, body.to_string()).await
}

fn fails(town: &Town, path: &str, status: u16, error: &'static str) {
    town.provider.on("POST", path, move |_| plan::Plan::whole(status, "application/json", error));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_answers_with_whoever_it_came_to_and_says_who_that_was() {
    let town = town(Plan::routed("support", fallback())).await;
    let heard = ask(&town, "dynamic/support", &[("authorization", "Bearer the-callers-own")]).await;
    assert_eq!(heard.status, 200, "{:?}", heard.body);
    assert_eq!((heard.header("cf-aig-provider"), heard.header("cf-aig-model")), (Some("openai"), Some("gpt-4o-mini")));
    let upstream = town.provider.recorder().last().request;
    assert_eq!(
        upstream.header("authorization"),
        Some("Bearer sk-operator-fake"),
        "a route leads anywhere: the operator's key"
    );

    fails(&town, "/v1/chat/completions", 500, "{}");
    let heard = ask(&town, "dynamic/support", &[]).await;
    assert_eq!((heard.status, &heard.json()["object"]), (200, &json!("chat.completion")), "one shape, whoever answers");
    assert_eq!(heard.header("cf-aig-provider"), Some("anthropic"));
    assert_eq!(town.provider.recorder().last().request.header("x-api-key"), Some("sk-operator-fake"));
    let record = town.last_record().await;
    assert_eq!((&*record.provider, record.model.as_str(), record.attempts.len()), ("anthropic", "claude-haiku-4-5", 2));
    let trace = record.unified.unwrap().trace.unwrap();
    assert_eq!(&*trace.route.unwrap().name, "support");
    let visited: Vec<_> = trace.visited.iter().map(|visit| (&*visit.element, visit.output.as_deref())).collect();
    assert_eq!(visited[..3], [("s", Some("next")), ("one", Some("fallback")), ("two", Some("success"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_on_which_nobody_answers_is_refused_as_the_original_refuses() {
    let town = town(Plan::routed("support", fallback())).await;
    fails(&town, "/v1/chat/completions", 500, "{}");
    fails(&town, "/v1/messages", 529, "{}");
    let heard = ask(&town, "dynamic/support", &[]).await;
    assert_eq!((heard.status, &heard.json()["error"][0]["code"]), (400, &json!(2005)));
    assert_eq!(heard.json()["message"], "Failed to get response from provider");
    let record = town.last_record().await;
    assert_eq!(
        (&*record.provider, record.model.as_str(), record.outcome),
        ("unknown", "dynamic/support", Outcome::Refused)
    );
    assert_eq!((record.cost, record.attempts.len()), (None, 2));
    assert!(record.unified.unwrap().trace.unwrap().stopped.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_model_failed_is_told_apart() {
    let cases = [
        (400, r#"{"error":{"code":"context_length_exceeded","message":"too long"}}"#, "context_too_long"),
        (400, r#"{"error":{"code":"content_filter","message":"no"}}"#, "content_policy"),
        (400, r#"{"error":{"code":"x","message":"no"}}"#, "client_error"),
        (429, "{}", "rate_limited"),
        (503, "<html>", "server_error"),
    ];
    for (status, error, word) in cases {
        let town = town(Plan::routed("support", fallback())).await;
        fails(&town, "/v1/chat/completions", status, error);
        assert_eq!(ask(&town, "dynamic/support", &[]).await.status, 200);
        let trace = town.last_record().await.unified.unwrap().trace.unwrap();
        assert!(trace.visited[1].why.contains(word), "{word}: {:?}", trace.visited[1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_and_windows_lead_the_way() {
    let elements = json!([
        { "id": "s", "type": "start", "outputs": { "next": { "elementId": "c" } } },
        { "id": "c", "type": "conditional", "properties": { "conditions": { "metadata.plan": { "$eq": "paid" } } },
          "outputs": { "true": { "elementId": "one" }, "false": { "elementId": "r" } } },
        { "id": "r", "type": "rate", "properties": { "limitType": "count", "key": "metadata.user", "limit": 2, "window": 60 },
          "outputs": { "success": { "elementId": "one" }, "fallback": { "elementId": "two" } } },
        model("one", "openai", "gpt-4o-mini", json!({ "success": { "elementId": "e" } })),
        model("two", "anthropic", "claude-haiku-4-5", json!({ "success": { "elementId": "e" } })),
        { "id": "e", "type": "end", "outputs": {} }
    ]);
    let town = town(Plan::routed("support", elements)).await;
    let mut answered = Vec::new();
    for metadata in
        [r#"{"user":"a"}"#, r#"{"user":"a"}"#, r#"{"user":"a"}"#, r#"{"user":"b"}"#, r#"{"user":"a","plan":"paid"}"#]
    {
        let heard = ask(&town, "dynamic/support", &[("cf-aig-metadata", metadata)]).await;
        answered.push(heard.header("cf-aig-provider").unwrap().to_owned());
    }
    assert_eq!(answered, ["openai", "openai", "anthropic", "openai", "openai"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_money_is_charged_once_the_answer_is_priced() {
    let elements = json!([
        { "id": "s", "type": "start", "outputs": { "next": { "elementId": "r" } } },
        { "id": "r", "type": "rate", "properties": { "limitType": "cost", "key": "metadata.user", "limit": 0.000000001, "window": 60 },
          "outputs": { "success": { "elementId": "one" }, "fallback": { "elementId": "two" } } },
        model("one", "openai", "gpt-4o-mini", json!({ "success": { "elementId": "e" } })),
        model("two", "anthropic", "claude-haiku-4-5", json!({ "success": { "elementId": "e" } })),
        { "id": "e", "type": "end", "outputs": {} }
    ]);
    let town = town(Plan::routed("support", elements)).await;
    assert_eq!(ask(&town, "dynamic/support", &[]).await.header("cf-aig-provider"), Some("openai"));
    assert_eq!(ask(&town, "dynamic/support", &[]).await.header("cf-aig-provider"), Some("anthropic"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_may_be_a_step_and_be_asked_on_rest() {
    let town = town(Plan::routed("support", fallback())).await;
    let query = json!({ "model": "dynamic/support", "messages": [{ "role": "user", "content": "Hello" }] });
    let steps =
        json!([{ "provider": "nobody" }, { "provider": "compat", "endpoint": "chat/completions", "query": query }]);
    let heard = town.post("", &[], steps.to_string()).await;
    assert_eq!(
        (heard.status, heard.header("cf-aig-step"), heard.header("cf-aig-provider")),
        (200, Some("1"), Some("openai"))
    );
    let url = format!("http://{}/client/v4/accounts/acc/ai/v1/chat/completions", town.address);
    let heard = town.send("POST", &url, &[("cf-aig-gateway-id", "g")], query.to_string().into()).await.unwrap();
    assert_eq!((heard.status, heard.header("cf-aig-provider")), (200, Some("openai")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_auto_router_says_what_it_chose_and_goes_on_when_that_fails() {
    let town = town(Plan { keys: true, ..Plan::default() }).await;
    let pool =
        [("cf-aig-allowed-models", "openai/gpt-5.6-luna, anthropic/claude-haiku-4.5, anthropic/claude-sonnet-5")];
    let heard = ask(&town, "cloudflare/auto", &pool).await;
    assert_eq!(heard.status, 400, "a name that matches nothing: {:?}", heard.body);
    let pool =
        [("cf-aig-allowed-models", "openai/gpt-5.6-luna, anthropic/claude-sonnet-5"), ("cf-aig-session-id", "s1")];
    let heard = ask(&town, "cloudflare/auto", &pool).await;
    assert_eq!(heard.status, 200, "{:?}", heard.body);
    let chosen = heard.header("cf-aig-routed-model").unwrap().to_owned();
    assert_eq!(heard.header("cf-aig-routing-reason"), Some("cost_optimal_within_pool"));
    assert_eq!(heard.header("cf-aig-routing-decision-id"), heard.header("cf-aig-request-id"));
    let pinned = ask(&town, "cloudflare/auto", &pool).await;
    assert_eq!(
        (pinned.header("cf-aig-routed-model"), pinned.header("cf-aig-routing-reason")),
        (Some(&*chosen), Some("pinned_by_turn"))
    );
    let path = if chosen.starts_with("openai/") { "/v1/chat/completions" } else { "/v1/messages" };
    fails(&town, path, 503, "{}");
    let heard = ask(&town, "cloudflare/auto", &pool).await;
    assert_eq!((heard.status, heard.header("cf-aig-routing-reason")), (200, Some("fallback_candidate_unavailable")));
    assert_ne!(heard.header("cf-aig-routed-model"), Some(&*chosen));
    let trace = town.last_record().await.unified.unwrap().trace.unwrap();
    assert!(trace.candidates.len() >= 2 && trace.visited.len() == 2, "{trace:?}");
}
