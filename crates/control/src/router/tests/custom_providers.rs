//! Custom providers over HTTP.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_model::token::Permission;
use tollgate_rules::egress::Egress;
use tollgate_rules::snapshot::Documents;
use tollgate_store::AnswerKey;
use tollgate_store::answers::{Answers, CachedAnswer, Lookup};

use super::shop::{Shop, public};
use crate::sample::NOW;

const URLS: &str = include_str!("../../../../../tests/ssrf/urls.txt");

fn acme() -> Value {
    json!({ "name": "Acme", "slug": "acme", "base_url": "https://h.example/v1", "enable": true })
}

fn slugs(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["slug"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn one_lives_from_create_to_delete() {
    let shop = Shop::stocked();
    let token = shop.token(&[Permission::Write]);
    let made = shop.ask("POST", "custom-providers", &token, Some(acme())).await.result();
    assert_eq!(
        (&made["slug"], &made["enable"], &made["beta"], &made["position"], &made["account_id"]),
        (&json!("acme"), &json!(true), &json!(false), &json!(0), &json!(shop.account))
    );
    assert!(made["logo"].as_str().unwrap().starts_with("data:image/svg+xml;base64,"));
    let path = format!("custom-providers/{}", made["id"].as_str().unwrap());
    assert_eq!(shop.get(&path, &token).await.result(), made);
    assert!(shop.desk.current().unwrap().providers.get("custom-acme").is_some());

    shop.clock.advance(std::time::Duration::from_secs(5));
    let off = shop.ask("PATCH", &path, &token, Some(json!({ "enable": false, "beta": true }))).await.result();
    assert_eq!((&off["enable"], &off["beta"], &off["name"]), (&json!(false), &json!(true), &json!("Acme")));
    assert_ne!(off["modified_at"], made["modified_at"]);
    let snapshot = shop.desk.current().unwrap();
    assert!(snapshot.providers.get("custom-acme").is_none() && snapshot.is_disabled("custom-acme"));
    // Also under another slug, which its old name no longer leads to.
    let renamed = shop.ask("PATCH", &path, &token, Some(json!({ "enable": true, "slug": "acme-2" }))).await.result();
    assert_eq!(renamed["slug"], "acme-2");
    let snapshot = shop.desk.current().unwrap();
    assert!(snapshot.providers.get("custom-acme").is_none() && snapshot.providers.get("custom-acme-2").is_some());

    assert_eq!(shop.ask("DELETE", &path, &token, None).await.result(), renamed);
    for method in ["GET", "PATCH", "DELETE"] {
        let said = shop.ask(method, &path, &token, Some(json!({}))).await;
        assert_eq!(said.problem(), (404, 1004, json!({})), "{method}");
        assert_eq!(said.json()["errors"][0]["message"], "Custom Provider not found");
    }
}

#[tokio::test]
async fn what_is_wrong_has_the_codes_of_the_original() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Write]);
    let ask = async |body: Value| shop.ask("POST", "custom-providers", &token, Some(body)).await;
    let missing = ask(json!({})).await;
    let told: Vec<Value> = missing.json()["errors"].as_array().unwrap().clone();
    assert_eq!((missing.status.as_u16(), told.len()), (400, 3));
    assert!(told.iter().all(|error| error["code"] == 7001 && error["message"] == "Required"));
    let mut plain = acme();
    plain["base_url"] = json!("http://h.example/v1");
    let said = ask(plain.clone()).await;
    assert_eq!(said.problem(), (400, 1002, json!({})));
    assert_eq!(said.json()["errors"][0]["path"], json!(["body", "base_url"]));
    plain["slug"] = json!("a b");
    let codes: Vec<Value> =
        ask(plain).await.json()["errors"].as_array().unwrap().iter().map(|error| error["code"].clone()).collect();
    assert_eq!(codes, [7001, 1002]);

    let first = ask(acme()).await.result();
    for slug in ["acme", "ACME"] {
        let mut again = acme();
        again["slug"] = json!(slug);
        let said = ask(again).await;
        assert_eq!(said.problem(), (409, 1003, json!({})), "{slug}");
        assert_eq!(said.json()["errors"][0]["path"], json!(["body", "slug"]));
    }
    let mut other = acme();
    other["slug"] = json!("other");
    let other = ask(other).await.result();
    let path = format!("custom-providers/{}", other["id"].as_str().unwrap());
    let said = shop.ask("PATCH", &path, &token, Some(json!({ "slug": "acme" }))).await;
    assert_eq!(said.problem(), (409, 1003, json!({})));
    // Its own slug is no conflict.
    let path = format!("custom-providers/{}", first["id"].as_str().unwrap());
    assert_eq!(shop.ask("PATCH", &path, &token, Some(json!({ "slug": "Acme" }))).await.result()["slug"], "Acme");
    assert_eq!(
        shop.ask("PATCH", &path, &token, Some(json!({ "base_url": "http://h.example" }))).await.problem().1,
        1002
    );
}

#[tokio::test]
async fn the_list_is_in_order_and_can_be_searched() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Write]);
    for (slug, name, position, enable) in
        [("c", "Gamma", 1, true), ("b", "Beta", 2, false), ("a", "Alpha", 2, true), ("d", "Delta", 0, false)]
    {
        let body = json!({ "name": name, "slug": slug, "base_url": "https://h.example", "position": position, "enable": enable, "beta": slug == "a" });
        shop.ask("POST", "custom-providers", &token, Some(body)).await.result();
    }
    for (query, expected) in [
        ("", &["d", "c", "a", "b"][..]),
        ("?order_by=name", &["a", "b", "d", "c"]),
        ("?order_by=name&order_by_direction=desc", &["c", "d", "b", "a"]),
        ("?enable=true", &["c", "a"]),
        ("?enable=false&beta=false", &["d", "b"]),
        ("?beta=true", &["a"]),
        ("?search=AMM", &["c"]),
        ("?per_page=3&page=2", &["b"]),
        ("?page=9", &[]),
    ] {
        let said = shop.get(&format!("custom-providers{query}"), &token).await;
        assert_eq!(slugs(&said.result()), expected, "{query}");
    }
    let info = shop.get("custom-providers?per_page=3", &token).await.json()["result_info"].clone();
    assert_eq!(info, json!({ "count": 3, "page": 1, "per_page": 3, "total_count": 4, "total_pages": 2 }));
    assert_eq!(shop.get("custom-providers?per_page=101", &token).await.problem().1, 7001);
}

#[tokio::test]
async fn plain_http_is_for_what_the_operator_opened() {
    let egress = Arc::new(Egress { allow_private: vec!["127.0.0.0/8".parse().unwrap()] });
    let shop = Shop::with(Documents { egress, ..Documents::default() }, public(true), Box::new(|_| true));
    let token = shop.token(&[Permission::Write]);
    for (number, (url, good)) in [
        ("http://127.0.0.1:11434/v1", true),
        ("http://localhost:11434", true),
        ("http://ollama:11434", true),
        ("http://10.0.0.1:11434", false),
        ("http://h.example", false),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "name": "x", "slug": format!("s{number}"), "base_url": url });
        assert_eq!(shop.ask("POST", "custom-providers", &token, Some(body)).await.status == 200, good, "{url}");
    }
}

/// Which are taken lead to names alone: what those resolve to is judged when somebody connects.
#[tokio::test]
async fn no_url_of_the_corpus_that_shows_where_it_leads_is_taken() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Write]);
    let (mut taken, mut refused) = (Vec::new(), 0);
    for (number, line) in URLS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).enumerate() {
        let url = line.replace("{port}", "8443");
        let body = json!({ "name": "x", "slug": format!("s{number}"), "base_url": url });
        match shop.ask("POST", "custom-providers", &token, Some(body)).await.status.as_u16() {
            200 => taken.push(url),
            400 => refused += 1,
            other => panic!("{other}: {url}"),
        }
    }
    assert!(refused > 400, "{refused}");
    for url in &taken {
        let host = url.strip_prefix("https://").unwrap().split(['/', ':', '?']).next().unwrap();
        let is_name = host.to_ascii_lowercase().ends_with(".test")
            || host == "metadata.goog"
            || host == "kubernetes.default.svc"
            || host == "api.example.com";
        assert!(is_name, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_forgets_its_cached_answers_and_no_others() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Write]);
    let made = shop.ask("POST", "custom-providers", &token, Some(acme())).await.result();
    let path = format!("custom-providers/{}", made["id"].as_str().unwrap());
    let keep = |number: u8, provider: &str| {
        let answer = CachedAnswer {
            status: 200,
            headers: Default::default(),
            body: Bytes::from_static(b"x"),
            frames: Vec::new(),
            provider: provider.into(),
            model: "m".into(),
            scope: shop.account.as_str().into(),
            gateway: "g".into(),
            usage: None,
            print: None,
            stored_ms: NOW,
            expires_ms: NOW + 600_000,
        };
        shop.answers.put(AnswerKey([number; 32]), Arc::new(answer), NOW);
    };
    let is_there = |number: u8| !matches!(shop.answers.get(&AnswerKey([number; 32]), NOW), Lookup::Miss);
    keep(1, "custom-acme");
    keep(2, "openai");
    shop.ask("PATCH", &path, &token, Some(json!({ "description": "x" }))).await.result();
    assert_eq!((is_there(1), is_there(2)), (false, true));
    keep(1, "custom-acme");
    shop.ask("DELETE", &path, &token, None).await.result();
    assert_eq!((is_there(1), is_there(2)), (false, true));
}

#[tokio::test]
async fn values_of_headers_are_in_no_answer() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Write]);
    let mut body = acme();
    body["headers"] = json!(r#"{"Authorization":"Bearer sk-canary-fake"}"#);
    let made = shop.ask("POST", "custom-providers", &token, Some(body)).await;
    let id = made.result()["id"].as_str().unwrap().to_owned();
    let path = format!("custom-providers/{id}");
    let bad = json!({ "headers": r#"{"Authorization":"Bearer sk-canary-fake\n"}"# });
    let answers = [
        made,
        shop.get(&path, &token).await,
        shop.get("custom-providers", &token).await,
        shop.ask("PATCH", &path, &token, Some(json!({ "beta": true }))).await,
        shop.ask("PATCH", &path, &token, Some(bad)).await,
        shop.ask("DELETE", &path, &token, None).await,
    ];
    for said in answers {
        assert!(!String::from_utf8_lossy(&said.bytes).contains("canary"), "{:?}", said.bytes);
    }
}
