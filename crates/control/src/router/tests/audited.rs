//! Nothing changes without a word: every row that is no GET is called with success, and leaves an entry or says why not.

use http::Method;
use serde_json::{Value, json};
use tollgate_model::token::Permission;
use tollgate_store::Entries;
use tollgate_store::entries::Span;

use super::access::{path, stocked};
use super::conventions::given;
use super::shop::{Shop, body, elements};
use crate::audit::{Deed, KIND};
use crate::resources::rows;
use crate::row::Row;

/// What a row has to be asked for to do what it is for. A row that is not here needs no body; a new one that does is one line more.
fn asked(op: &str, shop: &Shop) -> Value {
    let types = [crate::evaluation::KINDS[0].id];
    match op {
        "user-api-tokens-create-token" | "account-api-tokens-create-token" => {
            json!({ "name": "new", "permissions": ["run"] })
        }
        "user-api-tokens-update-token" | "account-api-tokens-update-token" => json!({ "name": "renamed" }),
        "aig-config-create-gateway" => body("new"),
        "aig-config-update-gateway" => {
            let mut changed = body("g");
            changed["cache_ttl"] = json!(60);
            changed
        }
        "aig-config-patch-gateway-log" => json!({ "feedback": 1 }),
        "aig-config-create-dataset" => json!({ "name": "new", "enable": true, "filters": [] }),
        "aig-config-update-dataset" => json!({ "name": "renamed", "enable": true, "filters": [] }),
        "aig-config-create-evaluations" => {
            let [dataset, _] = shop.dataset_and_evaluation("g");
            json!({ "name": "new", "dataset_ids": [dataset], "evaluation_type_ids": types })
        }
        "aig-config-post-gateway-dynamic-route" => json!({ "name": "new", "elements": elements("o1") }),
        "aig-config-update-gateway-dynamic-route" => json!({ "name": "renamed" }),
        "aig-config-post-gateway-dynamic-route-version" => json!({ "elements": elements("o1") }),
        "aig-config-post-gateway-dynamic-route-deployment" => json!({ "version_id": undeployed(shop) }),
        "tollgate-create-gateway-policy" => policy("new"),
        "tollgate-update-gateway-policy" => json!({ "name": "renamed" }),
        "tollgate-book-credits" => json!({ "amount": 500, "description": "paid" }),
        "tollgate-apply-config" => {
            json!({ "text": crate::config::export(&shop.desk).unwrap().replace("gpt-4o", "o1") })
        }
        "aig-config-create-custom-provider" => json!({ "name": "New", "slug": "new", "base_url": "https://n.example" }),
        "aig-config-update-custom-provider" => json!({ "name": "Renamed" }),
        "aig-config-create-custom-domain" => json!({ "domain": "new.example.com" }),
        "aig-config-create-providers" => {
            json!({ "provider_slug": "openai", "alias": "new", "default_config": false, "secret": "sk-fake-1234567890" })
        }
        "aig-config-update-providers" => json!({ "secret": "sk-fake-0987654321" }),
        "tollgate-create-alert" | "tollgate-update-alert" => {
            json!({ "name": "new", "kind": "budget", "webhook": { "url": "https://h.example" } })
        }
        "secrets-store-create" => json!({ "name": "new" }),
        "secrets-store-secret-create" => json!([{ "name": "new", "value": "a-fake-value", "scopes": ["workers"] }]),
        "secrets-store-secret-delete-bulk" => {
            let snapshot = shop.desk.current().unwrap();
            json!([{ "id": snapshot.secret("plain").unwrap().stored.id }])
        }
        "secrets-store-patch-by-id" => json!({ "comment": "changed" }),
        "secrets-store-duplicate-by-id" => json!({ "name": "copy", "scopes": ["workers"], "comment": "" }),
        _ => Value::Null,
    }
}

fn policy(name: &str) -> Value {
    json!({ "name": name, "actor": "all", "resource": "*", "action": { "type": "no-limit" } })
}

/// What has to be there before.
async fn prepare(op: &str, shop: &Shop, admin: &str) {
    let gateway = shop.desk.gateway("g").unwrap().unwrap();
    match op {
        "aig-config-post-gateway-dynamic-route-deployment" => {
            let route = shop.desk.route(&gateway, "support").unwrap().id.clone();
            let path = format!("gateways/g/routes/{route}/versions");
            shop.ask("POST", &path, admin, Some(json!({ "elements": elements("o3") }))).await.result();
        }
        "tollgate-commit-gateway-policies" => drop(shop.desk.create_policy(&gateway, &policy("draft"), false).unwrap()),
        "tollgate-rollback-config" => {
            shop.ask("POST", "config/apply", admin, Some(asked("tollgate-apply-config", shop))).await.result();
        }
        _ => {}
    }
}

fn undeployed(shop: &Shop) -> String {
    let gateway = shop.desk.gateway("g").unwrap().unwrap();
    let route = shop.desk.route(&gateway, "support").unwrap();
    let deployed = route.deployed().map(|version| version.id.clone());
    route.versions.iter().map(|version| version.id.clone()).find(|id| Some(id) != deployed.as_ref()).unwrap_or_default()
}

fn deeds(shop: &Shop) -> Vec<Deed> {
    let entries = shop.entries.list(KIND, "", Span::newest(1_000)).unwrap();
    entries.iter().map(|entry| serde_json::from_str(&entry.body).unwrap()).collect()
}

async fn call(shop: &Shop, row: &Row, admin: &str) -> (u16, Vec<Deed>) {
    prepare(row.op, shop, admin).await;
    let before = deeds(shop).len();
    let mut url = format!("{}?{}", path(shop, row), given(row));
    if row.op == "secrets-store-delete-by-id" {
        url.push_str("&force=true");
    }
    let asked = asked(row.op, shop);
    let body = (!asked.is_null()).then(|| asked.to_string());
    let said = shop.ask_raw(row.method.as_str(), &url, admin, body).await;
    let all = deeds(shop);
    let fresh = all.len() - before;
    (said.status.as_u16(), all.into_iter().take(fresh).collect())
}

#[tokio::test]
async fn whatever_changes_something_leaves_an_entry_with_who_did_it() {
    for row in rows().filter(|row| row.method != Method::GET) {
        let shop = stocked();
        let admin = shop.token(&[Permission::Admin]);
        let (status, fresh) = call(&shop, row, &admin).await;
        match row.unaudited {
            None => {
                assert_eq!(status, 200, "{}: the test does not know how to ask for it; see `asked`", row.op);
                let id = &shop.desk.tokens().unwrap().into_iter().find(|token| token.name == "t").unwrap().id;
                let named = fresh.iter().all(|deed| &deed.actor.id == id && deed.refused.is_none());
                assert!(!fresh.is_empty() && named, "{} {}: {fresh:?}", row.method, row.op);
            }
            Some(why) => assert!(fresh.is_empty() && !why.is_empty(), "{}: {fresh:?}", row.op),
        }
    }
}

/// And what shows prompts, or takes the log or the settings away as a file.
#[tokio::test]
async fn whatever_shows_prompts_or_is_a_file_leaves_an_entry() {
    let shown = [
        "aig-config-get-gateway-log-detail",
        "aig-config-get-gateway-log-request",
        "aig-config-get-gateway-log-response",
        "tollgate-export-gateway-logs-csv",
        "tollgate-export-gateway-logs",
        "tollgate-export-config",
    ];
    let shop = stocked();
    let admin = shop.token(&[Permission::Admin]);
    let mut met = Vec::new();
    for row in rows().filter(|row| row.method == Method::GET) {
        let (status, fresh) = call(&shop, row, &admin).await;
        assert_eq!(status, 200, "{}", row.op);
        if !fresh.is_empty() {
            assert!(fresh.iter().all(|deed| deed.action == crate::audit::Action::View), "{}", row.op);
            met.push(row.op);
        }
    }
    met.sort_unstable();
    let mut expected = shown.to_vec();
    expected.sort_unstable();
    assert_eq!(met, expected);
}

/// What was asked for and refused changed nothing, and is no entry.
#[tokio::test]
async fn what_is_refused_leaves_none() {
    let shop = stocked();
    let viewer = shop.token(&[Permission::ReadMetadata]);
    for row in rows().filter(|row| row.method != Method::GET && row.unaudited.is_none()) {
        let before = deeds(&shop).len();
        let said = shop.ask_raw(row.method.as_str(), &path(&shop, row), &viewer, Some("{}".to_owned())).await;
        assert_eq!((said.status.as_u16(), deeds(&shop).len()), (403, before), "{}", row.op);
    }
}
