//! Tokens that are narrowed, as their holders meet the borders: in their own dialect, before anything is spent.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_model::token::{RateLimit, Scope};
use tollgate_model::{Clock, Gateway};

use crate::town::{Heard, Plan, Town, chat_body, town};

const NARROW: &str = "tg_fake-narrow";
const BEARER: (&str, &str) = ("cf-aig-authorization", "Bearer tg_fake-narrow");

fn some(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

async fn narrowed(scope: Scope) -> Town {
    town(Plan { tokens: vec![(NARROW, scope)], ..Plan::gateway(|gateway| gateway.authentication = true) }).await
}

fn refused(heard: &Heard, kind: &str, said: &str) {
    assert_eq!(heard.status, 403, "{:?}", heard.body);
    let error = &heard.json()["error"];
    assert!(error["message"].as_str().unwrap().contains(said), "{error}");
    assert_eq!(error["type"], kind, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_other_gateways_is_told_so_and_nothing_goes_out() {
    let town = narrowed(Scope { gateways: some(&["other"]), ..Scope::default() }).await;
    refused(&town.chat(&[BEARER], "gpt-4o").await, "permission_error", "for other gateways");
    let claude = json!({ "model": "claude-haiku-4-5", "max_tokens": 5, "messages": [] }).to_string();
    refused(&town.post("anthropic/v1/messages", &[BEARER], claude).await, "permission_error", "for other gateways");
    // One that is good beside it counts, wherever it stands.
    let both = [BEARER, ("authorization", "Bearer tg_fake-token-for-tests")];
    assert_eq!(town.chat(&both, "gpt-4o").await.status, 200);
    // Unknown is 401, as ever.
    assert_eq!(town.chat(&[("cf-aig-authorization", "Bearer tg_fake-other")], "gpt-4o").await.status, 401);
    assert_eq!(town.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_other_addresses_is_refused_and_its_own_let_in() {
    let town = narrowed(Scope { from: some(&["192.0.2.0/24"]), ..Scope::default() }).await;
    refused(&town.chat(&[BEARER], "gpt-4o").await, "permission_error", "from this address");
    // What a header says of the address is not believed.
    refused(&town.chat(&[BEARER, ("x-forwarded-for", "192.0.2.1")], "gpt-4o").await, "permission_error", "address");
    let town = narrowed(Scope { from: some(&["127.0.0.1"]), ..Scope::default() }).await;
    assert_eq!(town.chat(&[BEARER], "gpt-4o").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_models_that_its_patterns_match_however_they_are_named() {
    let town = narrowed(Scope { models: some(&["gpt-4o*"]), ..Scope::default() }).await;
    assert_eq!(town.chat(&[BEARER], "gpt-4o-mini").await.status, 200);
    refused(&town.chat(&[BEARER], "o1").await, "permission_error", "this model");
    let sneaky = [
        r#"{"model":"gpt-4o","model":"o1","messages":[]}"#,
        r#"{"model":"o1","mod\u0065l":"gpt-4o","messages":[]}"#,
        r#"{"model":"gpt-4o","models":["o1"],"messages":[]}"#,
        r#"{"messages":[]}"#,
    ];
    for body in sneaky {
        let heard = town.post("openai/v1/chat/completions", &[BEARER], body).await;
        assert_eq!(heard.status, 403, "{body}: {:?}", heard.body);
    }
    // A unified call, and each step of a list.
    let unified =
        |model: &str| json!({ "model": model, "messages": [{ "role": "user", "content": "Hi" }] }).to_string();
    assert_eq!(town.post("compat/chat/completions", &[BEARER], unified("openai/gpt-4o")).await.status, 200);
    assert_eq!(town.post("compat/chat/completions", &[BEARER], unified("openai/o1")).await.status, 403);
    let step = |model: &str| {
        let query: Value = serde_json::from_str(&chat_body(model, false)).unwrap();
        json!([{ "provider": "openai", "endpoint": "v1/chat/completions", "headers": {}, "query": query }]).to_string()
    };
    assert_eq!(town.post("", &[BEARER], step("gpt-4o")).await.status, 200);
    assert_eq!(town.post("", &[BEARER], step("o1")).await.status, 403);
    assert_eq!(town.asked(), 3);
    let listed = town.send("GET", &town.url("compat/v1/models"), &[BEARER], "".into()).await.unwrap().json();
    let ids: Vec<&str> = listed["data"].as_array().unwrap().iter().filter_map(|model| model["id"].as_str()).collect();
    assert!(ids.contains(&"openai/gpt-4o-mini") && !ids.contains(&"openai/o1"), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_provider_that_was_named() {
    let town = narrowed(Scope { providers: some(&["anthropic"]), ..Scope::default() }).await;
    refused(&town.chat(&[BEARER], "gpt-4o").await, "permission_error", "this provider");
    assert_eq!(town.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_route_reaches_what_the_route_leads_to_and_nothing_else() {
    let elements = json!([
        { "id": "s", "type": "start", "outputs": { "next": { "elementId": "m" } } },
        { "id": "m", "type": "model", "properties": { "provider": "openai", "model": "o1", "timeout": 0, "retries": 0 },
          "outputs": { "success": { "elementId": "e" } } },
        { "id": "e", "type": "end", "outputs": {} }
    ]);
    let plan = Plan {
        tokens: vec![(NARROW, Scope { routes: some(&["support"]), ..Scope::default() })],
        routes: vec![("support", elements.clone()), ("other", elements)],
        ..Plan::gateway(|gateway| gateway.authentication = true)
    };
    let town = town(plan).await;
    let ask = |model: &str| json!({ "model": model, "messages": [{ "role": "user", "content": "Hi" }] }).to_string();
    assert_eq!(town.post("compat/chat/completions", &[BEARER], ask("dynamic/support")).await.status, 200);
    for model in ["dynamic/other", "openai/o1"] {
        assert_eq!(town.post("compat/chat/completions", &[BEARER], ask(model)).await.status, 403, "{model}");
    }
    refused(&town.chat(&[BEARER], "o1").await, "permission_error", "dynamic routes only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_a_rate_of_its_own_over_all_gateways() {
    let (clock, hand) = Clock::manual(1_795_000_000_000);
    let scope = Scope { rate_limit: Some(RateLimit { limit: 2, window: 60 }), ..Scope::default() };
    let other = Gateway { id: "h".to_owned(), ..Gateway::default() };
    let town = town(Plan { tokens: vec![(NARROW, scope)], others: vec![other], clock, ..Plan::default() }).await;
    assert_eq!(town.chat(&[BEARER], "gpt-4o").await.status, 200);
    let elsewhere = town.url("openai/v1/chat/completions").replace("/acc/g/", "/acc/h/");
    assert_eq!(town.send("POST", &elsewhere, &[BEARER], chat_body("gpt-4o", false).into()).await.unwrap().status, 200);
    let heard = town.chat(&[BEARER], "gpt-4o").await;
    assert_eq!((heard.status, heard.header("retry-after")), (429, Some("60")));
    assert_eq!(town.chat(&[], "gpt-4o").await.status, 200, "others have their own");
    hand.advance(Duration::from_secs(60));
    assert_eq!(town.chat(&[BEARER], "gpt-4o").await.status, 200);
    assert_eq!(town.shared.uses.last(NARROW), Some(1_795_000_060_000));
}
