//! What is written down of whom, and how it is found again.

use serde_json::{Value, json};
use tollgate_model::token::Permission;

use super::shop::{Shop, body};
use crate::sample;

async fn log(shop: &Shop, token: &str, query: &str) -> Value {
    let path = format!("/client/v4/accounts/{}/audit_logs?{query}", shop.account);
    shop.ask_raw("GET", &path, token, None).await.result()
}

async fn newer(shop: &Shop, token: &str, query: &str) -> Value {
    let path = format!("/client/v4/accounts/{}/logs/audit?since=2026-01-01&before=2027-01-01&{query}", shop.account);
    let said = shop.ask_raw("GET", &path, token, None).await;
    assert_eq!(said.status, 200, "{:?}", said.json());
    said.json()
}

#[tokio::test]
async fn every_change_is_written_down_with_who_what_and_from_where_but_no_secret() {
    let shop = Shop::open();
    let admin = shop.token(&[Permission::Admin]);
    let mut wanted = body("g");
    wanted["stripe"] = json!({ "authorization": "Bearer canary", "usage_events": [] });
    wanted["otel"] =
        json!([{ "url": "https://otel.example/v1", "headers": { "x-key": "canary" }, "authorization": "canary" }]);
    shop.ask("POST", "gateways", &admin, Some(wanted)).await.result();
    let mut changed = body("g");
    changed["cache_ttl"] = json!(60);
    let request = http::Request::builder()
        .method("PUT")
        .uri(format!("/client/v4/accounts/{}/ai-gateway/gateways/g?key=canary", shop.account))
        .header("authorization", format!("Bearer {admin}"))
        .header("user-agent", "cf-cli/0.0.5")
        .extension(tollgate_model::Peer::of("192.0.2.7".parse().unwrap()))
        .body(axum::body::Body::from(changed.to_string()));
    shop.send(request.unwrap()).await.result();
    shop.ask("DELETE", "gateways/g", &admin, None).await.result();

    let all = log(&shop, &admin, "").await;
    assert!(!all.to_string().contains("canary") && !all.to_string().contains(&admin[3..]), "{all}");
    let types: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|each| (each["action"]["type"].as_str().unwrap(), each["resource"]["type"].as_str().unwrap()))
        .collect();
    assert_eq!(
        types,
        [
            ("delete", "ai_gateway.gateway"),
            ("update", "ai_gateway.gateway"),
            ("create", "ai_gateway.gateway"),
            ("create", "token")
        ]
    );
    let update = &all[1];
    assert_eq!((&update["oldValueJson"]["cache_ttl"], &update["newValueJson"]["cache_ttl"]), (&json!(0), &json!(60)));
    assert_eq!(update["newValueJson"]["stripe"]["authorization"], "***");
    assert_eq!((&update["actor"]["ip"], &update["interface"]), (&json!("192.0.2.7"), &json!("API")));
    assert_eq!(update["metadata"]["user_agent"], "cf-cli/0.0.5");
    assert_eq!(update["actor"]["id"], json!(shop.desk.tokens().unwrap()[0].id));
    // A refused change is none.
    assert_eq!(shop.ask("PUT", "gateways/nothing", &admin, Some(json!({}))).await.status, 404);
    assert_eq!(log(&shop, &admin, "").await.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_look_at_prompts_is_written_down_and_one_at_rows_is_not() {
    let shop = Shop::stocked();
    shop.gateway("g");
    shop.keep(sample::full(), b"{}", b"{}");
    let (reader, clerk) = (shop.token(&[Permission::Read]), shop.token(&[Permission::ReadMetadata]));
    let auditor = shop.token(&[Permission::AccountRead]);
    let one = format!("gateways/g/logs/{}", sample::full().id);
    for path in ["gateways/g/logs", &one] {
        assert_eq!(shop.get(path, &clerk).await.status, 200);
    }
    assert_eq!(log(&shop, &auditor, "action.type=view").await, json!([]));
    for path in [&one, &format!("{one}/request"), &format!("{one}/response")] {
        assert_eq!(shop.get(path, &reader).await.status, 200, "{path}");
    }
    let views = log(&shop, &auditor, "action.type=view").await;
    let seen: Vec<&str> =
        views.as_array().unwrap().iter().filter_map(|view| view["resource"]["type"].as_str()).collect();
    assert_eq!(seen, ["ai_gateway.log.response", "ai_gateway.log.request", "ai_gateway.log.heads"]);
    assert_eq!(views[0]["resource"]["id"], json!(sample::full().id.to_string()));
    assert_eq!(shop.ask_raw("GET", &format!("/accounts/{}/audit_logs", shop.account), &reader, None).await.status, 403);
}

#[tokio::test]
async fn both_forms_filter_and_page_to_the_end() {
    let shop = Shop::open();
    let admin = shop.token(&[Permission::Admin]);
    for id in ["a", "b", "c"] {
        shop.ask("POST", "gateways", &admin, Some(body(id))).await.result();
        shop.clock.advance(std::time::Duration::from_secs(60));
    }
    let ids = |rows: &Value| -> Vec<String> {
        rows.as_array().unwrap().iter().map(|row| row["resource"]["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&log(&shop, &admin, "per_page=2").await), ["c", "b"]);
    assert_eq!(log(&shop, &admin, "page=3&per_page=2").await, json!([]));
    assert_eq!(ids(&log(&shop, &admin, "direction=asc&per_page=2").await)[1], "a");
    assert_eq!(ids(&log(&shop, &admin, "since=2026-11-18T11:07:30Z").await), ["c", "b"]);
    assert_eq!(log(&shop, &admin, "actor.ip=10.0.0.0/8").await, json!([]));
    assert_eq!(log(&shop, &admin, "zone.name=x").await, json!([]));

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = newer(&shop, &admin, &format!("limit=1&resource_product=ai_gateway&cursor={cursor}")).await;
        seen.extend(ids(&page["result"]));
        cursor = page["result_info"]["cursor"].as_str().unwrap().to_owned();
        assert_eq!(page["result_info"]["cursors"]["after"], json!(cursor));
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["c", "b", "a"]);
    let rows =
        newer(&shop, &admin, "action_type=create&resource_id.not=a&resource_id.not=b&resource_type=ai_gateway.gateway")
            .await;
    assert_eq!(ids(&rows["result"]), ["c"]);
    assert_eq!(
        (&rows["result"][0]["actor"]["context"], &rows["result"][0]["raw"]["method"]),
        (&json!("api_token"), &json!("POST"))
    );
    let path = format!("/client/v4/accounts/{}/logs/audit?cursor=nonsense", shop.account);
    let said = shop.ask_raw("GET", &path, &admin, None).await;
    assert_eq!((said.status.as_u16(), said.json()["errors"].as_array().unwrap().len()), (400, 3));
}
