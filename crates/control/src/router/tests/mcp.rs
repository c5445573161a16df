//! The Model Context Protocol over HTTP.

use serde_json::{Value, json};
use tollgate_model::token::Permission;

use super::shop::{Said, Shop};
use crate::sample;

async fn say(shop: &Shop, token: &str, message: Value) -> Said {
    shop.ask_raw("POST", "/mcp", token, Some(message.to_string())).await
}

async fn ask(shop: &Shop, token: &str, method: &str, params: Value) -> Value {
    let said = say(shop, token, json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })).await;
    assert_eq!((said.status.as_u16(), &said.json()["id"]), (200, &json!(7)));
    said.json()
}

/// What a tool says, and whether it is an error.
async fn tool(shop: &Shop, token: &str, name: &str, arguments: Value) -> (Value, bool) {
    let answer = ask(shop, token, "tools/call", json!({ "name": name, "arguments": arguments })).await;
    let result = &answer["result"];
    let text = result["content"][0]["text"].as_str().unwrap();
    (serde_json::from_str(text).unwrap_or_else(|_| text.into()), result["isError"].as_bool().unwrap())
}

fn stocked() -> Shop {
    let shop = Shop::stocked();
    shop.gateway("g");
    shop.gateway("other");
    shop.keep(sample::full(), br#"{"secret":"prompt"}"#, b"plain text");
    shop
}

#[tokio::test]
async fn a_session_begins_and_tools_are_listed() {
    let shop = stocked();
    let token = shop.token(&[Permission::Read]);
    let hello = ask(&shop, &token, "initialize", json!({ "protocolVersion": "2025-03-26" })).await;
    assert_eq!(
        (&hello["result"]["protocolVersion"], &hello["result"]["serverInfo"]["name"]),
        (&json!("2025-03-26"), &json!("tollgate"))
    );
    let newest = ask(&shop, &token, "initialize", json!({ "protocolVersion": "1999-01-01" })).await;
    assert_eq!(newest["result"]["protocolVersion"], "2025-11-25");
    let note = say(&shop, &token, json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    assert_eq!((note.status.as_u16(), note.bytes.len()), (202, 0));
    assert_eq!(ask(&shop, &token, "ping", Value::Null).await["result"], json!({}));
    let tools = ask(&shop, &token, "tools/list", json!({})).await;
    let names: Vec<&str> =
        tools["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let five = ["list_gateways", "list_logs", "get_log_details", "get_log_request_body", "get_log_response_body"];
    assert!(names.starts_with(&five) && names.len() == 8, "{names:?}");
}

#[tokio::test]
async fn tools_find_what_their_endpoints_do() {
    let shop = stocked();
    let token = shop.token(&[Permission::Read]);
    let id = sample::full().id.to_string();
    let of = json!({ "gateway_id": "g", "log_id": id });
    let (gateways, _) = tool(&shop, &token, "list_gateways", json!({ "per_page": 1 })).await;
    assert_eq!((&gateways["result_info"]["total_count"], gateways["result"].as_array().unwrap().len()), (&json!(2), 1));
    let filters = json!({ "gateway_id": "g", "order_by": "duration", "provider": "openai", "success": true });
    assert_eq!(tool(&shop, &token, "list_logs", filters).await.0["result"][0]["id"], json!(id));
    assert_eq!(tool(&shop, &token, "list_errors", json!({ "gateway_id": "g" })).await.0["result"], json!([]));
    assert_eq!(tool(&shop, &token, "get_log_details", of.clone()).await.0["result"]["id"], json!(id));
    assert_eq!(
        tool(&shop, &token, "get_log_request_body", of.clone()).await.0,
        json!({ "result": { "secret": "prompt" } })
    );
    let costs = tool(&shop, &token, "summarize_costs", json!({ "gateway_id": "g" })).await.0;
    assert_eq!((&costs["result"]["cost_usd"], &costs["result_info"]["complete"]), (&json!(0.00042), &json!(true)));
    let reasons = tool(&shop, &token, "explain_request", of).await.0;
    assert!(!reasons.to_string().contains("prompt") && reasons["result"]["attempts"].is_array());
}

#[tokio::test]
async fn a_tool_needs_what_its_endpoint_needs() {
    let shop = stocked();
    let of = json!({ "gateway_id": "g", "log_id": sample::full().id.to_string() });
    let metadata = shop.token(&[Permission::ReadMetadata]);
    assert!(!tool(&shop, &metadata, "get_log_details", of.clone()).await.1);
    assert_eq!(
        tool(&shop, &metadata, "get_log_request_body", of.clone()).await,
        (json!("Error in get_log_request_body: Authentication error"), true)
    );
    let run = shop.token(&[Permission::Run]);
    for name in ["list_gateways", "list_logs", "explain_request", "summarize_costs"] {
        assert!(tool(&shop, &run, name, of.clone()).await.1, "{name}");
    }
    assert_eq!(say(&shop, "not-a-token", json!({})).await.status, 401);
}

#[tokio::test]
async fn mistakes_are_told_to_whom_they_concern() {
    let shop = stocked();
    let token = shop.token(&[Permission::Read]);
    let (said, is_error) = tool(&shop, &token, "list_logs", json!({ "per_page": 51 })).await;
    assert!(is_error);
    let said = said.as_str().unwrap();
    assert!(said.contains("arguments.gateway_id: Required") && said.contains("less than or equal to 50"), "{said}");
    assert!(tool(&shop, &token, "list_logs", json!({ "gateway_id": "never-made" })).await.1);
    // What would be another path is a name that nothing has.
    assert!(tool(&shop, &token, "get_log_details", json!({ "gateway_id": "g", "log_id": "../../gateways" })).await.1);
    for (message, code) in [
        (json!({ "id": 1, "method": "no/such" }), -32_601),
        (json!({ "id": 1, "method": "tools/call", "params": { "name": "rm" } }), -32_602),
        (json!({ "id": 1 }), -32_600),
        (json!([1, 2]), -32_600),
    ] {
        assert_eq!(say(&shop, &token, message.clone()).await.json()["error"]["code"], code, "{message}");
    }
    let said = shop.ask_raw("POST", "/mcp", &token, Some("{".to_owned())).await;
    assert_eq!((said.status, said.json()["success"].as_bool()), (http::StatusCode::BAD_REQUEST, Some(false)));
    assert_eq!(shop.ask_raw("GET", "/mcp", &token, None).await.status, 405);
}
