//! The configuration as one file, over HTTP.

use serde_json::{Value, json};
use tollgate_model::token::Permission;
use tollgate_model::trace::RouteName;
use tollgate_model::{Trace, record};

use super::shop::Shop;
use crate::sample::{NOW, plain};

#[tokio::test]
async fn a_file_is_exported_planned_applied_and_taken_back() {
    let shop = Shop::stocked();
    let token = shop.token(&[Permission::Admin]);
    shop.gateway("g");
    shop.route("g", "chat");
    let export = async || {
        let said = shop.get("config/export", &token).await;
        assert_eq!(said.headers["content-type"], "application/toml");
        String::from_utf8(said.bytes.to_vec()).unwrap()
    };
    let before = export().await;
    let text =
        before.replace("gpt-4o", "gpt-5").replace("on_update = true\n", "on_update = true\nauthentication = true\n");
    for (number, token_id) in [(1, None), (2, Some("t")), (3, Some("t"))] {
        let trace = Trace {
            route: Some(RouteName { id: "r".into(), name: "chat".into(), version_id: "v".into() }),
            ..Trace::default()
        };
        let mut record = plain();
        record.id = tollgate_model::Id::from_u128(record.id.as_u128() + ((10_000 * number) << 80));
        record.created_ms = NOW + 10_000 * number as u64;
        record.token_id = token_id.map(str::to_owned);
        record.unified = Some(Box::new(record::Unified { trace: Some(trace), ..record::Unified::default() }));
        shop.keep(record, b"{}", b"{}");
    }
    let planned = shop.ask("POST", "config/plan", &token, Some(json!({ "text": text }))).await.result();
    assert_eq!(planned["changes"].as_array().unwrap().len(), 2, "{planned:#}");
    let traffic = json!({ "requests": 3, "refused": 1, "limited": 0, "moved": 2,
        "moves": [{ "gateway": "g", "route": "chat", "from": "openai/gpt-4o", "to": "openai/gpt-5", "requests": 2 }] });
    assert_eq!(planned["traffic"], traffic);
    assert!(
        planned["words"]
            .as_str()
            .unwrap()
            .contains("of the last 3 requests 1 would be refused, 0 limited, 2 answered by another model")
    );
    assert_eq!(export().await, before);

    let body = json!({ "text": text, "expected": planned["at"] });
    let applied = shop.ask("POST", "config/apply", &token, Some(body.clone())).await.result();
    assert_eq!(applied["changes"], planned["changes"]);
    assert_eq!(export().await, text);
    assert_eq!(shop.ask("POST", "config/apply", &token, Some(body)).await.problem().0, 400, "the plan is an old one");
    let states = shop.get("config/states", &token).await.result();
    assert_eq!((states.as_array().unwrap().len(), &states[0]["changed"]), (1, &json!(2)));
    shop.ask("POST", "config/rollback", &token, Some(json!({ "to": states[0]["id"] }))).await.result();
    assert_eq!(export().await, before);
}

#[tokio::test]
async fn a_wrong_file_is_told_with_line_and_column() {
    let shop = Shop::stocked();
    let token = shop.token(&[Permission::Admin]);
    let said = shop.ask("POST", "config/apply", &token, Some(json!({ "text": "[gateway.g]\ncache_ttl = -1\n" }))).await;
    let error = json!({ "code": 7001, "message": "Number must be greater than or equal to 0", "path": ["body", "text"],
        "line": 2, "column": 1, "at": "gateway.g.cache_ttl" });
    assert_eq!((said.status.as_u16(), &said.json()["errors"][0]), (400, &error));
    let missing = shop.ask("POST", "config/plan", &token, Some(json!({}))).await;
    assert_eq!(missing.json()["errors"][0]["path"], json!(["body", "text"]));
    assert_eq!(shop.ask("POST", "config/rollback", &token, Some(json!({}))).await.problem().0, 404);
}

#[tokio::test]
async fn large_files_are_for_those_who_may() {
    let shop = Shop::stocked();
    let token = shop.token(&[Permission::Admin]);
    let text: String = (0..60_000).map(|number| format!("[gateway.g{number}]\ncache_ttl = 300\n")).collect();
    let body = json!({ "text": text });
    assert!(body.to_string().len() > 1 << 20);
    for (token, status) in [("tg_fake", 401), (shop.token(&[Permission::Write]).as_str(), 403)] {
        assert_eq!(shop.ask("POST", "config/apply", token, Some(body.clone())).await.status, status);
    }
    let few: String = (0..300).map(|number| format!("[gateway.g{number}]\n")).collect();
    shop.ask("POST", "config/apply", &token, Some(json!({ "text": few + &"#".repeat(1 << 20) }))).await.result();
    assert_eq!(shop.desk.gateways().unwrap().len(), 300);
}

#[tokio::test]
async fn where_a_file_is_the_truth_the_api_says_so() {
    let shop = Shop::stocked();
    let token = shop.token(&[Permission::Admin]);
    shop.gateway("g");
    shop.desk.follow_file(std::path::Path::new("all.toml"));
    let refused: [(&str, &str, Option<Value>); 4] = [
        ("POST", "gateways", Some(super::shop::body("h"))),
        ("PUT", "gateways/g", Some(super::shop::body("g"))),
        ("DELETE", "gateways/g", None),
        ("POST", "config/apply", Some(json!({ "text": "" }))),
    ];
    for (method, path, body) in refused {
        let said = shop.ask(method, path, &token, body).await;
        let message = said.json()["errors"][0]["message"].as_str().unwrap().to_owned();
        assert_eq!(said.problem(), (403, 7014, json!({})), "{method} {path}");
        assert!(message.contains("all.toml: change it there"), "{message}");
    }
    shop.get("gateways", &token).await.result();
}
