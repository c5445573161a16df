//! Provider configs over HTTP, as the official CLI and the SDKs use them.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_model::token::Permission;
use tollgate_rules::key::Unusable;

use super::shop::Shop;

fn body(provider: &str, alias: &str, secret: &str) -> Value {
    json!({ "provider_slug": provider, "alias": alias, "default_config": false, "secret": secret })
}

fn open() -> (Shop, String) {
    let shop = Shop::stocked();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write, Permission::SecretsWrite]);
    (shop, token)
}

const ALL: &str = "gateways/g/provider_configs";
const KEY: &str = "sk-fake-canary-0123456789";

#[tokio::test]
async fn a_config_lives_from_create_to_delete() {
    let (shop, token) = open();
    let said = shop.ask("POST", ALL, &token, Some(body("openai", "default", KEY))).await;
    assert!(!String::from_utf8_lossy(&said.bytes).contains(KEY));
    let made = said.result();
    assert_eq!(
        (&made["provider_slug"], &made["alias"], &made["default_config"], &made["gateway_id"], &made["secret_preview"]),
        (&json!("openai"), &json!("default"), &json!(false), &json!("g"), &json!("sk-…6789"))
    );
    assert!(made.get("rate_limit").is_none() && made["modified_at"].is_string() && made["status"] == "active");
    let snapshot = shop.desk.current().unwrap();
    assert!(
        snapshot
            .secret("g_openai_default")
            .is_some_and(|secret| secret.stored.id == made["secret_id"].as_str().unwrap())
    );
    assert_eq!(snapshot.gateway("g").unwrap().keys.usual("openai").unwrap().check(), Ok(()));

    let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
    assert_eq!(shop.get(&path, &token).await.result(), made);
    assert_eq!(shop.get(ALL, &token).await.result(), json!([made]));
    shop.clock.advance(Duration::from_secs(1));
    let rotated = shop.ask("PUT", &path, &token, Some(json!({ "secret": "sk-new-fake-abcdefgh" }))).await.result();
    assert_eq!((&rotated["secret_preview"], &rotated["secret_id"]), (&json!("sk-…efgh"), &made["secret_id"]));
    assert_ne!(rotated["modified_at"], made["modified_at"]);
    let value = shop.desk.resolve("g_openai_default").unwrap().unwrap();
    assert_eq!(value.expose(), "sk-new-fake-abcdefgh");

    let gone = shop.ask("DELETE", &path, &token, None).await.result();
    let members: Vec<&String> = gone.as_object().unwrap().keys().collect();
    assert_eq!(members, ["id", "alias", "provider_slug", "gateway_id", "secret_id", "modified_at"]);
    assert!(shop.desk.resolve("g_openai_default").unwrap().is_none(), "its secret goes with it");
    for method in ["GET", "PUT", "DELETE"] {
        let said = shop.ask(method, &path, &token, Some(json!({ "secret": "x" }))).await;
        assert_eq!(said.problem(), (404, 7002, json!({})), "{method}");
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_told() {
    let (shop, token) = open();
    let create = async |body: Value| shop.ask("POST", ALL, &token, Some(body)).await;
    let errors = async |body: Value| -> Vec<String> {
        let said = create(body).await;
        assert_eq!(said.status, 400);
        let said = said.json();
        let error = |error: &Value| {
            assert_eq!(error["code"], 7001);
            format!("{}: {}", error["path"][1].as_str().unwrap(), error["message"].as_str().unwrap())
        };
        said["errors"].as_array().unwrap().iter().map(error).collect()
    };
    assert_eq!(errors(json!({})).await, ["provider_slug: Required", "alias: Required", "default_config: Required"]);
    assert_eq!(
        errors(json!({ "provider_slug": "nobody", "alias": "a b", "default_config": 0 })).await,
        [
            "provider_slug: Invalid: there is no such provider",
            "alias: Invalid: at most 64 ASCII characters without spaces",
            "secret: Required"
        ]
    );
    create(body("openai", "a", KEY)).await.result();
    assert_eq!(
        errors(body("openai", "a", KEY)).await,
        ["alias: A provider config with this provider and alias already exists"]
    );
    let by_id = json!({ "provider_slug": "openai", "alias": "b", "default_config": 1, "secret_id": "none" });
    assert!(errors(by_id).await[0].contains("was not found"));
    let broken = errors(body("aws-bedrock", "a", r#"{"secretAccessKey": "canary"}"#)).await;
    assert_eq!(broken, ["secret: Invalid: accessKeyId is missing"]);
    assert_eq!(errors(body("openai", "c", "{canary")).await, ["secret: Invalid: it begins like JSON and is none"]);
    // Unknown gateways: nothing to list, nowhere to store.
    assert_eq!(shop.get("gateways/none/provider_configs", &token).await.result(), json!([]));
    let said = shop.ask("POST", "gateways/none/provider_configs", &token, Some(body("openai", "a", KEY))).await;
    assert_eq!(said.problem(), (404, 7002, json!({})));
}

#[tokio::test]
async fn one_key_of_a_provider_is_the_default() {
    let (shop, token) = open();
    let create = async |alias: &str| {
        let mut body = body("openai", alias, KEY);
        body["default_config"] = 1.into();
        shop.ask("POST", ALL, &token, Some(body)).await.result()
    };
    let (one, two) = (create("one").await, create("two").await);
    let usual = || shop.desk.current().unwrap().gateway("g").unwrap().keys.usual("openai").unwrap().alias.clone();
    assert_eq!(
        (&one["default_config"], &two["default_config"], usual()),
        (&json!(true), &json!(true), "two".to_owned())
    );
    let path = format!("{ALL}/{}", one["id"].as_str().unwrap());
    assert_eq!(shop.get(&path, &token).await.result()["default_config"], false);
    let change = json!({ "default_config": true, "rate_limit": 5 });
    assert_eq!(shop.ask("PUT", &path, &token, Some(change)).await.result()["rate_limit"], 5);
    assert_eq!(usual(), "one");
}

#[tokio::test]
async fn a_secret_of_the_right_name_serves_with_and_without_a_config() {
    let (shop, token) = open();
    let store = shop.desk.ensure_store().unwrap().id;
    let secrets = format!("/client/v4/accounts/{}/secrets_store/stores/{store}/secrets", shop.account);
    let new = json!([{ "name": "g_openai_mine", "value": KEY, "scopes": ["ai_gateway"] }]).to_string();
    let made: Value = shop.ask_raw("POST", &secrets, &token, Some(new)).await.result();
    let key = |alias: &str| shop.desk.current().unwrap().gateway("g").unwrap().keys.named("openai", alias).cloned();
    assert_eq!(key("mine").unwrap().check(), Ok(()));
    let body = json!({ "provider_slug": "openai", "alias": "mine", "default_config": true, "secret": "", "secret_id": made[0]["id"] });
    let config = shop.ask("POST", ALL, &token, Some(body)).await.result();
    assert_eq!((&config["secret_id"], &config["secret_preview"]), (&made[0]["id"], &json!("sk-…6789")));
    assert!(key("mine").unwrap().is_default);
    // A copy for another provider goes nowhere: nobody wrote the value for it.
    let path = format!("{secrets}/{}/duplicate", made[0]["id"].as_str().unwrap());
    let copy = json!({ "name": "g_anthropic_mine", "scopes": ["ai_gateway"] }).to_string();
    shop.ask_raw("POST", &path, &token, Some(copy)).await.result();
    let copied = shop.desk.current().unwrap().gateway("g").unwrap().keys.named("anthropic", "mine").cloned();
    assert_eq!(copied.unwrap().check(), Err(Unusable::Moved));
}

#[tokio::test]
async fn a_gateway_made_anew_inherits_no_keys() {
    let (shop, token) = open();
    shop.ask("POST", ALL, &token, Some(body("openai", "default", KEY))).await.result();
    shop.desk.delete_gateway("g").unwrap();
    shop.gateway("g");
    assert!(shop.desk.current().unwrap().gateway("g").unwrap().keys.all().is_empty());
    assert_eq!(shop.desk.secrets_count().unwrap(), 0);
}
