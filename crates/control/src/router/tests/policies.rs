//! Policies over HTTP: drafts and commits, faults with their place, and what they would say.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_model::token::Permission;

use super::shop::Shop;

const ALL: &str = "gateways/g/policies";

fn body() -> Value {
    json!({
        "name": "engineers", "actor": "user:{cf.user.email}",
        "resource": { "provider": "openai", "model": ["openai/gpt-5.5", "anthropic/*"] },
        "condition": "\"eng\" in cf.user.groups",
        "action": { "type": "limit", "amount": 50, "period": "weekly", "technique": "named-interval" }
    })
}

fn shop() -> (Shop, String) {
    let shop = Shop::stocked();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    (shop, token)
}

fn in_force(shop: &Shop) -> usize {
    shop.desk.current().unwrap().gateway("g").unwrap().policies.all().len()
}

#[tokio::test]
async fn a_draft_changes_nothing_until_it_is_committed() {
    let (shop, token) = shop();
    let made = shop.ask("POST", ALL, &token, Some(body())).await.json();
    assert_eq!((&made["success"], &made["committed"]), (&json!(true), &json!(false)));
    let id = made["result"]["id"].as_str().unwrap().to_owned();
    for (name, value) in body().as_object().unwrap() {
        assert_eq!(&made["result"][name], value, "{name}");
    }
    assert!(made["result"]["created_at"].as_u64().unwrap() < 10_000_000_000, "seconds");
    assert_eq!(in_force(&shop), 0);
    assert_eq!(shop.get(ALL, &token).await.result(), json!([]));
    let staged = shop.get(&format!("{ALL}?includeStaging=true"), &token).await.result();
    assert_eq!((&staged[0]["id"], &staged[0]["staging"]), (&json!(id), &json!(true)));
    let item = format!("{ALL}/{id}");
    assert_eq!(shop.get(&item, &token).await.status, 404);
    assert_eq!(shop.get(&format!("{item}?includeStaging=true"), &token).await.result()["uncommitted"], true);
    // Only what is committed can be updated.
    assert_eq!(shop.ask("PUT", &item, &token, Some(json!({ "name": "x" }))).await.status, 400);

    let done = shop.ask("POST", &format!("{ALL}/commit"), &token, None).await.json();
    assert_eq!(
        (&done["success"], &done["result"]["committed"], &done["result"]["failed"]),
        (&json!(true), &json!(1), &json!(0))
    );
    assert_eq!(done["result"]["policies"][0]["id"], json!(id));
    assert_eq!(in_force(&shop), 1);
    let shown = shop.get(&item, &token).await.result();
    assert_eq!((shown.get("uncommitted"), shown.get("staging")), (None, None));
}

#[tokio::test]
async fn an_update_keeps_what_it_does_not_name() {
    let (shop, token) = shop();
    let made = shop.ask("POST", &format!("{ALL}?commit=true"), &token, Some(body())).await.json();
    assert_eq!((made["committed"].as_bool(), in_force(&shop)), (Some(true), 1));
    let item = format!("{ALL}/{}", made["result"]["id"].as_str().unwrap());
    shop.clock.advance(Duration::from_secs(5));
    let said = shop.ask("PUT", &item, &token, Some(json!({ "name": "all of us" }))).await.json();
    assert_eq!((&said["success"], &said["committed"]), (&json!(true), &json!(false)));
    let (kept, drafted) = (
        shop.get(&item, &token).await.result(),
        shop.get(&format!("{item}?includeStaging=true"), &token).await.result(),
    );
    assert_eq!((&kept["name"], &kept["uncommitted"]), (&json!("engineers"), &json!(true)));
    assert_eq!((&drafted["name"], &drafted["actor"]), (&json!("all of us"), &json!("user:{cf.user.email}")));
    let said =
        shop.ask("PUT", &format!("{item}?commit=true"), &token, Some(json!({ "condition": "true" }))).await.json();
    assert_eq!(said["committed"], true);
    let now = shop.get(&item, &token).await.result();
    assert_eq!((&now["name"], &now["condition"], now.get("uncommitted")), (&json!("all of us"), &json!("true"), None));
    assert!(now["updated_at"].as_u64() > now["created_at"].as_u64());
    assert_eq!(shop.ask("DELETE", &item, &token, None).await.result()["name"], "all of us");
    assert_eq!((shop.get(&item, &token).await.status.as_u16(), in_force(&shop)), (404, 0));
}

#[tokio::test]
async fn what_cannot_be_met_is_refused_with_its_place() {
    let (shop, token) = shop();
    for (member, value, path, message) in [
        ("condition", json!("cf.user.id ==\n  'a' &&"), json!(["body", "condition"]), "line 2, column 9"),
        ("condition", json!("user.id == 'a'"), json!(["body", "condition"]), "line 1, column 1: there is no user"),
        ("actor", json!("{nope}"), json!(["body", "actor"]), "Invalid: {nope}"),
        ("resource", json!({ "provider": "*" }), json!(["body", "resource", "provider"]), "Invalid"),
        (
            "action",
            json!({ "type": "limit", "amount": 0, "period": "daily" }),
            json!(["body", "action", "amount"]),
            "Number must be",
        ),
        (
            "action",
            json!({ "type": "limit", "amount": 1, "period": "yearly" }),
            json!(["body", "action", "period"]),
            "Invalid enum",
        ),
        ("name", Value::Null, json!(["body", "name"]), "Expected string, received null"),
    ] {
        let mut wrong = body();
        wrong[member] = value;
        let said = shop.ask("POST", &format!("{ALL}?commit=true"), &token, Some(wrong)).await;
        let error = said.json()["errors"][0].clone();
        assert_eq!((said.status.as_u16(), &error["code"], &error["path"]), (400, &json!(7001), &path), "{member}");
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
    assert_eq!(in_force(&shop), 0);
}

#[tokio::test]
async fn what_they_would_say_can_be_asked() {
    let (shop, token) = shop();
    let ask = async |asked: Value| shop.ask("POST", &format!("{ALL}/simulate"), &token, Some(asked)).await.result();
    let eng = json!({ "email": "ann@example.com", "groups": ["eng"] });
    let none = ask(json!({ "identity": eng, "provider": "openai", "model": "gpt-5.5" })).await;
    assert_eq!(
        none,
        json!({ "evaluation": { "decision": "no-limit", "buckets": [] }, "enforcement": { "allowed": true }, "policiesEvaluated": 0 })
    );
    shop.ask("POST", &format!("{ALL}?commit=true"), &token, Some(body())).await;
    let bucket = "user:ann@example.com|openai|anthropic/*,openai/gpt-5.5";
    let within = ask(json!({ "identity": { "user": eng }, "provider": "openai", "model": "openai/gpt-5.5",
        "bucketUsage": { bucket: { "spent": 12.5 } } }))
    .await;
    assert_eq!(within["evaluation"]["decision"], "check_limits");
    assert_eq!(
        within["evaluation"]["buckets"],
        json!([{ "bucket": bucket, "period": "weekly", "limit": 50.0, "policyName": "engineers" }])
    );
    assert_eq!((&within["enforcement"], &within["policiesEvaluated"]), (&json!({ "allowed": true }), &json!(1)));
    let over = ask(json!({ "identity": eng, "provider": "openai", "model": "gpt-5.5", "bucketUsage": { bucket: { "spent": 50 } } })).await;
    assert_eq!(
        over["enforcement"],
        json!({ "allowed": false, "reason": "limit_exceeded", "bucket": bucket, "spent": 50.0, "limit": 50.0, "policyName": "engineers" })
    );
    let other = ask(json!({ "identity": { "groups": ["sales"] }, "provider": "openai", "model": "gpt-5.5" })).await;
    assert_eq!(other["enforcement"], json!({ "allowed": false, "reason": "blocked", "policyName": null }));
}

#[tokio::test]
async fn a_gateway_takes_its_policies_with_it() {
    let (shop, token) = shop();
    shop.ask("POST", &format!("{ALL}?commit=true"), &token, Some(body())).await;
    assert_eq!(shop.ask("DELETE", "gateways/g", &token, None).await.status, 200);
    shop.gateway("g");
    assert_eq!((in_force(&shop), shop.get(ALL, &token).await.result()), (0, json!([])));
}
