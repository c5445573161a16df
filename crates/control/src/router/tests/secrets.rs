//! The secrets store over HTTP, as wrangler and the SDKs use it.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_model::token::Permission;

use super::shop::{Said, Shop};

async fn ask(shop: &Shop, method: &str, path: &str, token: &str, body: Value) -> Said {
    let path = format!("/client/v4/accounts/{}/secrets_store{path}", shop.account);
    let body = if body.is_null() { None } else { Some(body.to_string()) };
    shop.ask_raw(method, &path, token, body).await
}

fn open() -> (Shop, String, String) {
    let shop = Shop::stocked();
    let token = shop.token(&[Permission::Write, Permission::SecretsWrite]);
    let store = shop.desk.ensure_store().unwrap().id;
    (shop, token, format!("/stores/{store}"))
}

fn problem(said: &Said) -> (u16, u64, String) {
    let json = said.json();
    let error = &json["errors"][0];
    (said.status.as_u16(), error["code"].as_u64().unwrap(), error["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn wranglers_day_with_stores() {
    let (shop, token, first) = open();
    let listed = ask(&shop, "GET", "/stores?per_page=10&page=1", &token, Value::Null).await.result();
    assert_eq!(listed[0]["name"], "default_secrets_store");
    let made = ask(&shop, "POST", "/stores", &token, json!({ "name": "other" })).await.result();
    let of_old = ask(&shop, "POST", "/stores", &token, json!([{ "name": "of-an-older-client" }])).await.result();
    for member in ["id", "name", "account_id", "created", "modified"] {
        assert!(made[member].is_string() && of_old[member].is_string(), "{member}");
    }
    let again = ask(&shop, "POST", "/stores", &token, json!({ "name": "other" })).await;
    assert_eq!(problem(&again), (400, 1003, "store_name_already_exists: other".into()));
    let nameless = ask(&shop, "POST", "/stores", &token, json!({ "name": "" })).await;
    assert_eq!(problem(&nameless), (400, 1001, "store_name_empty".into()));
    let path = format!("/stores/{}", made["id"].as_str().unwrap());
    assert_eq!(ask(&shop, "GET", &path, &token, Value::Null).await.result(), made);
    let secret = json!([{ "name": "n", "value": "v", "scopes": ["workers"] }]);
    ask(&shop, "POST", &format!("{path}/secrets"), &token, secret).await.result();
    assert_eq!(problem(&ask(&shop, "DELETE", &path, &token, Value::Null).await), (409, 1003, "store_not_empty".into()));
    assert_eq!(ask(&shop, "DELETE", &format!("{path}?force=true"), &token, Value::Null).await.result(), Value::Null);
    assert_eq!(problem(&ask(&shop, "GET", &path, &token, Value::Null).await), (404, 1001, "store_not_found".into()));
    assert_eq!(shop.desk.secrets_count().unwrap(), 0);
    ask(&shop, "GET", &first, &token, Value::Null).await.result();
}

#[tokio::test]
async fn a_secret_lives_and_its_value_never_comes_back() {
    let (shop, token, store) = open();
    let secrets = format!("{store}/secrets");
    let body = json!([
        { "name": "ONE", "value": "canary-value-one", "scopes": ["workers", "ai_gateway"], "comment": "first" },
        { "name": "TWO", "value": "canary-value-two", "scopes": ["workers"] }
    ]);
    let said = ask(&shop, "POST", &secrets, &token, body.clone()).await;
    let made = said.result();
    assert_eq!(
        (&made[0]["status"], &made[0]["comment"], &made[1]["comment"]),
        (&json!("active"), &json!("first"), &Value::Null)
    );
    let again = ask(&shop, "POST", &secrets, &token, body).await;
    assert_eq!(problem(&again), (400, 1003, "secret_name_already_exists: ONE".into()));
    let one = format!("{secrets}/{}", made[0]["id"].as_str().unwrap());
    assert_eq!(ask(&shop, "GET", &one, &token, Value::Null).await.result(), made[0]);
    shop.clock.advance(Duration::from_secs(1));
    let change = json!({ "value": "canary-value-new", "comment": "changed" });
    let after = ask(&shop, "PATCH", &one, &token, change).await.result();
    assert_eq!((&after["comment"], &after["scopes"]), (&json!("changed"), &made[0]["scopes"]));
    assert_ne!(after["modified"], made[0]["modified"]);
    let value = |name: &str| shop.desk.resolve(name).unwrap().unwrap();
    assert_eq!(value("ONE").expose(), "canary-value-new");
    let copy = json!({ "name": "COPY", "scopes": ["dex"], "comment": "" });
    let copied = ask(&shop, "POST", &format!("{one}/duplicate"), &token, copy).await.result();
    assert_eq!((&copied["name"], &copied["scopes"]), (&json!("COPY"), &json!(["dex"])));
    assert_eq!(value("COPY"), value("ONE"));
    assert_eq!(ask(&shop, "GET", "/quota", &token, Value::Null).await.result()["secrets"]["usage"], 3);
    assert_eq!(ask(&shop, "DELETE", &one, &token, Value::Null).await.result()["name"], "ONE");
    assert_eq!(problem(&ask(&shop, "GET", &one, &token, Value::Null).await), (404, 1001, "secret_not_found".into()));
    let ids = json!([{ "id": copied["id"] }, { "id": made[1]["id"] }, { "id": made[1]["id"] }]);
    assert_eq!(ask(&shop, "DELETE", &secrets, &token, ids).await.result().as_array().unwrap().len(), 2);
    let stored = std::fs::read(shop.dir().join("tollgate.db")).unwrap();
    assert!(!stored.windows(12).any(|piece| piece == b"canary-value"));
}

#[tokio::test]
async fn lists_are_searched_ordered_and_paged() {
    let (shop, token, store) = open();
    let secrets = format!("{store}/secrets");
    for (name, scope, comment) in [("b", "workers", "x"), ("a", "ai_gateway", "find me"), ("c", "dex", "y")] {
        shop.clock.advance(Duration::from_secs(1));
        let body = json!([{ "name": name, "value": "v", "scopes": [scope], "comment": comment }]);
        ask(&shop, "POST", &secrets, &token, body).await.result();
    }
    let names = async |query: &str| -> String {
        let found = ask(&shop, "GET", &format!("{secrets}?{query}"), &token, Value::Null).await.result();
        found.as_array().unwrap().iter().map(|secret| secret["name"].as_str().unwrap()).collect()
    };
    assert_eq!(names("").await, "cab");
    assert_eq!(names("direction=asc").await, "bac");
    assert_eq!(names("order=name").await, "abc");
    assert_eq!(names("order=comment&direction=desc").await, "cba");
    assert_eq!(names("search=FIND").await, "a");
    assert_eq!(names("scopes=ai_gateway&scopes=dex").await, "ca");
    assert_eq!(names("scopes=workers,dex").await, "cb");
    assert_eq!(names("per_page=2&page=2").await, "b");
    assert_eq!(names("page=9").await, "");
}

#[tokio::test]
async fn what_the_store_refuses_it_says_in_its_own_words() {
    let (shop, token, store) = open();
    let secrets = format!("{store}/secrets");
    for (body, said) in [
        (json!([{ "name": "", "value": "v", "scopes": ["workers"] }]), "secret_name_empty"),
        (json!([{ "name": "n", "value": "v", "scopes": [] }]), "secret_scopes_empty"),
        (
            json!([{ "name": "n", "value": "v", "scopes": ["everything"] }]),
            "secret_scope_invalid: everything is none of",
        ),
        (json!([{ "name": "n", "value": "", "scopes": ["workers"] }]), "secret_value_empty"),
        (json!([{ "name": "n", "value": "v".repeat(65_537), "scopes": ["workers"] }]), "secret_value_too_large"),
        (json!({ "name": "n" }), "invalid_json_body"),
    ] {
        let (status, code, message) = problem(&ask(&shop, "POST", &secrets, &token, body).await);
        assert!((status, code) == (400, 1001) && message.starts_with(said), "{message}");
    }
    let reference = |value: &str| json!([{ "name": "r", "value": value, "scopes": ["workers"] }]);
    let said = ask(&shop, "POST", &secrets, &token, reference("env:HOME")).await;
    assert_eq!(said.problem().0, 400);
    ask(&shop, "POST", &secrets, &token, reference("env:CARGO_PKG_NAME")).await.result();
    assert_eq!(shop.desk.resolve("r").unwrap().unwrap().expose(), "tollgate-control");
}
