//! Policies on the way of a request: the documented bodies, buckets that hold, and answers from memory that nobody asks about.

use serde_json::{Value, json};
use tollgate_model::PolicyBody;

use crate::town::{Plan, TOKEN, chat_body, town};

const CENT: (&str, &str) = ("cf-aig-custom-cost", r#"{"total_cost":0.01}"#);
const CHAT: &str = "openai/v1/chat/completions";

fn policy(actor: &str, resource: Value, condition: &str, action: Value) -> PolicyBody {
    let name = format!("{actor} {action}");
    PolicyBody { name, actor: actor.to_owned(), resource, condition: condition.to_owned(), action }
}

fn limit(amount: f64) -> Value {
    json!({ "type": "limit", "amount": amount, "period": "monthly", "technique": "named-interval" })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_blocked_hears_the_documented_body() {
    let policies = vec![
        policy("all", json!("*"), "true", json!({ "type": "no-limit" })),
        policy("all", json!({ "model": "openai/gpt-4o" }), "metadata.team != 'red'", json!({ "type": "block" })),
    ];
    let town = town(Plan { policies, ..Plan::default() }).await;
    let red = [("cf-aig-metadata", r#"{"team":"red"}"#)];
    assert_eq!(town.chat(&red, "gpt-4o").await.status, 200);
    assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200);
    let refused = town.chat(&[], "gpt-4o").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json(), json!({ "success": false, "error": { "message": "Access denied by policy" } }));
    assert_eq!(town.asked(), 2);
    let record = town.last_record().await;
    assert_eq!((record.status, record.refusal.unwrap().cause.unwrap().contains("block")), (403, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_matches_so_nothing_is_allowed() {
    let policies = vec![policy("all", json!({ "provider": "anthropic" }), "true", json!({ "type": "no-limit" }))];
    let town = town(Plan { policies, ..Plan::default() }).await;
    assert_eq!(town.chat(&[], "gpt-4o").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_used_up_is_told_by_name_with_what_was_spent() {
    let policies = vec![policy("team:{metadata.team}", json!({ "provider": "openai" }), "true", limit(0.02))];
    let town = town(Plan { policies, ..Plan::default() }).await;
    let of = |team| [CENT, ("cf-aig-metadata", team)];
    let (red, blue) = (of(r#"{"team":"red"}"#), of(r#"{"team":"blue"}"#));
    for _ in 0..2 {
        assert_eq!(town.chat(&red, "gpt-4o").await.status, 200);
    }
    let refused = town.chat(&red, "gpt-4o").await;
    assert_eq!(refused.status, 429);
    let body = json!({ "success": false, "error":
        { "message": "Spending limit exceeded", "bucket": "team:red|openai", "spent": 0.02, "limit": 0.02 } });
    assert_eq!(refused.json(), body);
    assert_eq!(refused.header("x-should-retry"), Some("false"));
    assert!(refused.header("retry-after").is_some(), "the month ends some day");
    assert_eq!(town.chat(&blue, "gpt-4o").await.status, 200);
    // Without the field there is no bucket, so nothing matches.
    assert_eq!(town.chat(&[CENT], "gpt-4o").await.status, 403);
    assert_eq!(town.shared.till.outstanding(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_somebody() {
    let condition = "has(cf.custom.token_name) && cf.custom.token_id == 't1'";
    let policies = vec![policy("{cf.custom.token_id}", json!("*"), condition, limit(1.0))];
    let town = town(Plan { policies, ..Plan::default() }).await;
    assert_eq!(town.chat(&[], "gpt-4o").await.status, 403);
    assert_eq!(town.chat(&[("cf-aig-authorization", TOKEN)], "gpt-4o").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_from_memory_meet_no_policy() {
    let policies = vec![policy("all", json!("*"), "true", limit(0.01))];
    let mut plan = Plan { policies, ..Plan::caching() };
    plan.gateway.cache_ttl = Some(600);
    let town = town(plan).await;
    for _ in 0..3 {
        assert_eq!(town.post(CHAT, &[CENT], chat_body("gpt-4o", false)).await.status, 200);
    }
    assert_eq!(town.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_goes_on_to_what_is_permitted() {
    let elements = json!([
        { "id": "start", "type": "start", "outputs": { "next": "dear" } },
        { "id": "dear", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o" },
          "outputs": { "success": "end", "fallback": "cheap" } },
        { "id": "cheap", "type": "model", "properties": { "provider": "openai", "model": "gpt-4o-mini" }, "outputs": { "success": "end" } },
        { "id": "end", "type": "end", "outputs": {} }
    ]);
    let policies = vec![policy("all", json!({ "model": "gpt-4o-mini" }), "true", json!({ "type": "no-limit" }))];
    let town = town(Plan { policies, ..Plan::routed("r", elements) }).await;
    let heard = town.post("compat/chat/completions", &[], chat_body("dynamic/r", false)).await;
    assert_eq!((heard.status, heard.header("cf-aig-model")), (200, Some("gpt-4o-mini")));
}
