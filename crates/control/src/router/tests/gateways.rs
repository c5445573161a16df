//! Gateways and the cache over HTTP.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_model::token::Permission;
use tollgate_rules::cache_key::{self, Scope};
use tollgate_store::AnswerKey;
use tollgate_store::answers::{Answers, CachedAnswer, Lookup};

use super::shop::{Shop, body};
use crate::sample::NOW;

#[tokio::test]
async fn a_gateway_lives_from_create_to_delete() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Write]);
    assert_eq!(shop.get("gateways/g", &token).await.problem(), (404, 7002, json!({})));
    let made = shop.ask("POST", "gateways", &token, Some(body("g"))).await.result();
    assert_eq!((&made["id"], &made["account_id"]), (&json!("g"), &json!(shop.account)));
    assert_eq!(shop.get("gateways/g", &token).await.result(), made);

    let again = shop.ask("POST", "gateways", &token, Some(body("g"))).await;
    assert_eq!(again.problem(), (400, 7001, json!({})));
    assert!(again.json()["errors"][0]["message"].as_str().unwrap().contains("already exists"));

    shop.clock.advance(std::time::Duration::from_secs(5));
    let mut change = body("ignored");
    change["cache_ttl"] = 300.into();
    let changed = shop.ask("PUT", "gateways/g", &token, Some(change)).await.result();
    assert_eq!((&changed["id"], &changed["cache_ttl"]), (&json!("g"), &json!(300)));
    assert_eq!(
        (&changed["created_at"], &changed["modified_at"]),
        (&made["created_at"], &json!("2026-11-18T11:06:45.000Z"))
    );

    assert_eq!(shop.ask("DELETE", "gateways/g", &token, None).await.result(), changed);
    for method in ["GET", "PUT", "DELETE"] {
        let said = shop.ask(method, "gateways/g", &token, Some(body("g"))).await;
        assert_eq!(said.problem(), (404, 7002, json!({})), "{method}");
    }
}

#[tokio::test]
async fn every_missing_field_is_named_and_unreadable_bodies_count_as_empty() {
    let shop = Shop::open();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    let url = format!("/accounts/{}/ai-gateway/gateways", shop.account);
    for (sent, missing) in [("{", 6), ("", 6), ("{}", 6), ("{\"id\":\"x\",\"cache_ttl\":null}", 4)] {
        let said = shop.ask_raw("POST", &url, &token, Some(sent.to_owned())).await;
        let json = said.json();
        let errors = json["errors"].as_array().unwrap();
        assert_eq!((said.status.as_u16(), errors.len(), &json["result"]), (400, missing, &json!({})), "{sent}");
        assert!(
            errors
                .iter()
                .all(|error| error["code"] == 7001 && error["message"] == "Required" && error["path"][0] == "body")
        );
    }
    let said = shop.ask_raw("POST", &url, &token, Some("[1]".to_owned())).await;
    assert_eq!(
        said.json()["errors"],
        json!([{"code": 7001, "message": "Expected object, received array", "path": ["body"]}])
    );
    let wrong = json!({"id": "y", "cache_ttl": "x", "otel": [{"url": 1, "headers": {}}]});
    let said = shop.ask_raw("PUT", &format!("{url}/g"), &token, Some(wrong.to_string())).await;
    let paths: Vec<Value> =
        said.json()["errors"].as_array().unwrap().iter().map(|error| error["path"].clone()).collect();
    assert!(paths.contains(&json!(["body", "otel", 0, "url"])) && paths.contains(&json!(["body", "cache_ttl"])));
}

#[tokio::test]
async fn the_list_is_paged_searched_and_ordered() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::ReadMetadata]);
    for id in ["alpha", "beta", "gamma"] {
        shop.gateway(id);
        shop.clock.advance(std::time::Duration::from_secs(1));
    }
    for (query, expected) in [
        ("", "gamma beta alpha"),
        ("?per_page=2", "gamma beta"),
        ("?per_page=2&page=2", "alpha"),
        ("?per_page=2&page=3", ""),
        ("?search=ALPH", "alpha"),
        ("?search=%25", ""),
        ("?id=beta", "beta"),
        ("?order_by=id", "alpha beta gamma"),
        ("?order_by=id&order_by_direction=desc", "gamma beta alpha"),
        ("?order_by_direction=asc", "alpha beta gamma"),
    ] {
        let said = shop.get(&format!("gateways{query}"), &token).await;
        let ids: Vec<String> =
            said.result().as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.join(" "), expected, "{query}");
        assert_eq!(said.json()["result_info"]["count"], ids.len(), "{query}");
    }
    let info = &shop.get("gateways?per_page=2&page=2", &token).await.json()["result_info"];
    assert_eq!(*info, json!({"count": 1, "page": 2, "per_page": 2, "total_count": 3, "total_pages": 2}));
    for query in ["?per_page=0", "?per_page=101", "?page=0", "?page=x", "?page=1&page=2", "?order_by=colour"] {
        assert_eq!(shop.get(&format!("gateways{query}"), &token).await.problem(), (400, 7001, json!({})), "{query}");
    }
}

#[tokio::test]
async fn the_url_of_a_provider_is_a_string() {
    let shop = Shop::open();
    shop.gateway("g");
    let token = shop.token(&[Permission::Read]);
    let base = format!("http://127.0.0.1:8787/v1/{}/g/", shop.account);
    assert_eq!(shop.get("gateways/g/url/openai", &token).await.result(), json!(format!("{base}openai")));
    assert_eq!(shop.get("gateways/g/url/universal", &token).await.result(), json!(base));
    assert_eq!(shop.get("gateways/g/url/a%2Fb", &token).await.problem(), (400, 7001, json!({})));
    assert_eq!(shop.get("gateways/other/url/openai", &token).await.problem(), (404, 7002, json!({})));
}

/// An answer in the cache under a key that the caller chose.
fn remember(shop: &Shop, gateway: &str, key: &str, model: &str, streamed: bool) -> AnswerKey {
    let name = AnswerKey(cache_key::custom(Scope { account: &shop.account, gateway }, key, streamed));
    let answer = CachedAnswer {
        status: 200,
        headers: http::HeaderMap::new(),
        body: Bytes::from_static(b"{}"),
        frames: Vec::new(),
        provider: "openai".into(),
        model: model.into(),
        usage: None,
        print: None,
        scope: shop.account.as_str().into(),
        gateway: gateway.into(),
        stored_ms: NOW,
        expires_ms: NOW + 1_000_000,
    };
    shop.answers.put(name, Arc::new(answer), NOW);
    name
}

async fn found(shop: &Shop, name: AnswerKey) -> bool {
    match shop.answers.get(&name, NOW) {
        Lookup::Hit(_) => true,
        Lookup::Elsewhere(fetch) => fetch.await.is_some(),
        Lookup::Miss => false,
    }
}

#[tokio::test]
async fn the_cache_is_purged_by_gateway_model_and_key() {
    let shop = Shop::open();
    shop.gateway("g");
    shop.gateway("h");
    let token = shop.token(&[Permission::Write]);
    let [a, b, c] = [("a", "m1"), ("b", "m2"), ("c", "m2")].map(|(key, model)| remember(&shop, "g", key, model, false));
    let streamed = remember(&shop, "g", "b", "m3", true);
    let other = remember(&shop, "h", "a", "m1", false);
    assert!(found(&shop, a).await && found(&shop, b).await && found(&shop, c).await && found(&shop, other).await);
    shop.ask("DELETE", "gateways/g/cache?key=b", &token, None).await.result();
    assert!(found(&shop, a).await && !found(&shop, b).await && !found(&shop, streamed).await && found(&shop, c).await);
    shop.ask("DELETE", "gateways/g/cache?model=m2", &token, None).await.result();
    assert!(found(&shop, a).await && !found(&shop, c).await);
    shop.ask("DELETE", "gateways/g/cache", &token, None).await.result();
    assert!(!found(&shop, a).await && found(&shop, other).await);
    assert_eq!(shop.ask("DELETE", "gateways/nope/cache", &token, None).await.problem(), (404, 7002, json!({})));
}

#[tokio::test]
async fn saving_purges_when_it_was_asked_for_and_deleting_always() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Write]);
    let mut keeps = body("g");
    keeps["cache_invalidate_on_update"] = false.into();
    shop.ask("POST", "gateways", &token, Some(keeps.clone())).await.result();
    let name = remember(&shop, "g", "a", "m", false);
    shop.ask("PUT", "gateways/g", &token, Some(keeps)).await.result();
    assert!(found(&shop, name).await);
    shop.ask("PUT", "gateways/g", &token, Some(body("g"))).await.result();
    assert!(!found(&shop, name).await);
    let name = remember(&shop, "g", "a", "m", false);
    shop.ask("DELETE", "gateways/g", &token, None).await.result();
    assert!(!found(&shop, name).await);
}

#[tokio::test]
async fn another_process_leaves_a_wish_and_hears_when_it_is_met() {
    let shop = Shop::open();
    shop.gateway("g");
    let name = remember(&shop, "g", "a", "m", false);
    assert!(found(&shop, name).await);
    let wish = shop.desk.wish_purge("g", None, Some("a")).unwrap();
    shop.desk.current().unwrap();
    let met = async {
        while shop.desk.wish_met(&wish).unwrap().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), met).await.unwrap();
    assert!(!found(&shop, name).await);
}
