//! Who is let in, by whom it is shown and how; the whole matrix stands in `matrix`.

use serde_json::{Value, json};
use tollgate_model::token::Permission;
use tollgate_rules::snapshot::Documents;

use super::conventions::given;
use super::shop::{Shop, public};
use crate::desk::Wanted;
use crate::people::{Person, Session};
use crate::resources::rows;
use crate::row::{Access, Needs, PREFIX, Row};
use crate::sample;

/// The one that is deployed; gone when a row has deleted the route or the gateway.
fn version(shop: &Shop) -> String {
    let gateway = shop.desk.gateway("g").unwrap();
    let route = gateway.and_then(|gateway| shop.desk.route(&gateway, "support").ok());
    route.and_then(|route| Some(route.deployed()?.id.clone())).unwrap_or_default()
}

fn named_secret(shop: &Shop, name: &str) -> String {
    shop.desk.current().unwrap().secret(name).map_or(String::new(), |secret| secret.stored.id.clone())
}

fn config(shop: &Shop) -> String {
    let gateway = shop.desk.gateway("g").unwrap();
    let configs = gateway.map(|gateway| shop.desk.provider_configs(&gateway).unwrap()).unwrap_or_default();
    configs.first().map_or(String::new(), |configured| configured.config.id.clone())
}

/// Nothing once a row has deleted it.
fn custom_provider(shop: &Shop) -> String {
    let all = shop.desk.custom_providers().unwrap();
    all.first().map_or_else(|| "gone".to_owned(), |provider| provider.id.clone())
}

fn alert(shop: &Shop) -> String {
    shop.desk.alerts().unwrap().first().map_or_else(|| "gone".to_owned(), |alert| alert.id.clone())
}

pub(super) fn path(shop: &Shop, row: &Row) -> String {
    let id = sample::plain().id.to_string();
    let [dataset, evaluation] = shop.dataset_and_evaluation("g");
    row.path
        .replace("{account}", &shop.account)
        .replace("{gateway}", "g")
        .replace("{provider}", "openai")
        .replace("{id}", &id)
        .replace("{route}", "support")
        .replace("{policy}", "house")
        .replace("{dataset}", &dataset)
        .replace("{evaluation}", &evaluation)
        .replace("{version}", &version(shop))
        .replace("{token}", &kept(shop))
        .replace("{store}", &shop.desk.stores().unwrap().first().map_or(String::new(), |store| store.id.clone()))
        .replace("{secret}", &named_secret(shop, "plain"))
        .replace("{config}", &config(shop))
        .replace("{custom_provider}", &custom_provider(shop))
        .replace("{hostname}", "ai.example.com")
        .replace("{session}", &session(shop))
        .replace("{alert}", &alert(shop))
}

/// A token that nobody uses, for rows that act on one.
fn kept(shop: &Shop) -> String {
    let all = shop.desk.tokens().unwrap();
    all.into_iter().find(|token| token.name == "kept").map(|token| token.id).unwrap_or_default()
}

/// Somebody's who does nothing.
fn session(shop: &Shop) -> String {
    let idle = |session: &Session| session.person.subject == "idle";
    let all = shop.people.all_sessions().unwrap();
    all.into_iter().map(|(session, _)| session).find(idle).map_or_else(|| "gone".to_owned(), |session| session.id)
}

/// With what a row acts on. Rows that change something are given nothing to do: an empty body is refused after the permission was looked at.
pub(super) fn stocked() -> Shop {
    let shop = Shop::stocked();
    shop.gateway("g");
    shop.route("g", "support");
    shop.secrets();
    let acme = json!({ "name": "Acme", "slug": "acme", "base_url": "https://h.example" });
    shop.desk.create_custom_provider(&acme).unwrap();
    let gateway = shop.desk.gateway("g").unwrap().unwrap();
    shop.desk.create_custom_domain(&gateway, &json!({ "domain": "ai.example.com" }), "").unwrap();
    shop.evaluation("g");
    let alert = json!({ "name": "money", "kind": "budget", "webhook": { "url": "https://h.example" } });
    shop.desk.create_alert(&alert).unwrap();
    let policy = json!({ "name": "house", "actor": "all", "resource": "*", "action": { "type": "no-limit" } });
    shop.desk.create_policy(&gateway, &policy, true).unwrap();
    shop.keep(sample::full(), b"{}", b"{}");
    let permissions = vec![Permission::Run];
    shop.desk.create_token(Wanted { name: "kept".into(), permissions, ..Wanted::default() }).unwrap();
    shop.people.open_session(Person { subject: "idle".into(), ..Person::default() });
    shop
}

/// Written by hand: the table says the same, and whoever changes it changes this too.
#[test]
fn the_table_is_as_tight_as_it_should_be() {
    for row in rows() {
        let needs = match row.access {
            Access::Guarded(needs, _) => needs,
            Access::OpenOnLoopback(needs, _) => {
                assert_eq!((row.path, needs), ("/metrics", Needs::Metadata));
                continue;
            }
            Access::Open(_) => {
                assert!(["/", "/livez", "/readyz", "/openapi.json"].contains(&row.path), "{}", row.path);
                continue;
            }
        };
        if row.path.contains("/tokens") {
            // What of it may be seen or changed, the desk decides by whose token it is.
            let expected = if row.method == http::Method::GET { Needs::Token } else { Needs::Write };
            assert_eq!((needs, row.narrowed || row.path.ends_with("/verify")), (expected, true), "{}", row.path);
        } else if row.path.contains("/sessions") {
            // Who is signed in is an administrator's business alone.
            assert_eq!(needs, Needs::Admin, "{}", row.path);
        } else if row.path.ends_with("/audit_logs") || row.path.ends_with("/logs/audit") {
            assert_eq!(needs, Needs::AccountRead, "{}", row.path);
        } else if row.path.ends_with("/policies/simulate") {
            // A post that changes nothing and looks into settings alone.
            assert_eq!((&row.method, needs), (&http::Method::POST, Needs::Metadata));
        } else if row.path.contains("/ai-gateway/config/") {
            // The file names every token, and who applies one can make any.
            let expected = if row.path.ends_with("/states") { Needs::AccountRead } else { Needs::Admin };
            assert_eq!(needs, expected, "{}", row.path);
        } else if row.path.ends_with("/routes/simulate") {
            // A post that changes nothing and looks into stored prompts.
            assert_eq!((&row.method, needs), (&http::Method::POST, Needs::Read));
        } else if row.path.contains("/secrets_store/") {
            let reads = row.method == http::Method::GET;
            let expected = if reads { Needs::SecretsRead } else { Needs::SecretsWrite };
            assert_eq!(needs, expected, "{} {}", row.method, row.path);
        } else if row.path.contains("/provider_configs") && row.method != http::Method::GET {
            assert_eq!(needs, Needs::WriteAndSecrets, "{} {}", row.method, row.path);
        } else if row.op == "tollgate-mcp" {
            // Each of its tools is judged as the row that it asks.
            assert_eq!(needs, Needs::Token);
        } else if row.op == "tollgate-book-credits" {
            assert_eq!(needs, Needs::Admin);
        } else if row.method != http::Method::GET {
            assert_eq!(needs, Needs::Write, "{} {}", row.method, row.path);
        } else if row.path.ends_with("/request") || row.path.ends_with("/response") {
            assert_eq!(needs, Needs::Read, "{}", row.path);
        } else if row.path.contains("/ai-gateway/") {
            assert_eq!(needs, Needs::Metadata, "{}", row.path);
        } else {
            assert_eq!(needs, Needs::Token, "{}", row.path);
        }
        assert!(!row.doc.is_empty());
    }
}

#[tokio::test]
async fn rows_are_served_with_and_without_the_prefix_and_one_slash_more() {
    let shop = stocked();
    let token = shop.token(&[Permission::Admin]);
    for row in rows().filter(|row| row.method == http::Method::GET) {
        let path = path(&shop, row);
        let guarded = matches!(row.access, Access::Guarded(..));
        for prefix in if guarded { &["", PREFIX][..] } else { &[""] } {
            for slash in if row.path == "/" { &[""][..] } else { &["", "/"] } {
                let url = format!("{prefix}{path}{slash}?{}", given(row));
                let said = shop.ask_raw("GET", &url, &token, None).await;
                assert_eq!(said.status, 200, "{prefix}{path}{slash}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_expired_is_a_stranger_s() {
    let shop = stocked();
    let wanted =
        Wanted { name: "t".into(), permissions: vec![Permission::Write], lives_ms: Some(1_000), ..Wanted::default() };
    let token = shop.desk.create_token(wanted).unwrap().secret.expose().to_owned();
    let verified = shop.ask_raw("GET", "/client/v4/user/tokens/verify", &token, None).await.result();
    assert_eq!((&verified["status"], &verified["expires_on"]), (&json!("active"), &json!("2026-11-18T11:06:41.000Z")));
    shop.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(shop.get("gateways", &token).await.problem(), (401, 10000, Value::Null));
}

#[tokio::test]
async fn a_token_deleted_elsewhere_stops_at_once() {
    let shop = stocked();
    let token = shop.token(&[Permission::Write]);
    assert_eq!(shop.get("gateways", &token).await.status, 200);
    let all = shop.desk.tokens().unwrap();
    let id = all.into_iter().find(|token| token.name == "t").unwrap().id;
    shop.desk.delete_token(&id).unwrap();
    assert_eq!(shop.get("gateways", &token).await.status, 401);
}

#[tokio::test]
async fn tokens_may_come_in_the_legacy_headers_but_must_be_well_formed() {
    let shop = stocked();
    let token = shop.token(&[Permission::Read]);
    let ask = |name: &'static str, value: String| {
        let request = http::Request::builder().uri("/client/v4/accounts").header(name, value);
        shop.send(request.body(axum::body::Body::empty()).unwrap())
    };
    assert_eq!(ask("x-auth-key", token.clone()).await.status, 200);
    assert_eq!(ask("x-auth-user-service-key", token.clone()).await.status, 200);
    assert_eq!(ask("authorization", format!("bearer {token}")).await.status, 200);
    let said = ask("authorization", format!("Basic {token}")).await;
    assert_eq!(said.problem(), (400, 6003, Value::Null));
    assert_eq!(said.json()["errors"][0]["error_chain"][0]["code"], 6111);
    let said = ask("x-auth-key", String::new()).await;
    assert_eq!(said.headers["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn an_account_that_is_not_configured_is_forbidden() {
    let base = Documents { accounts: vec!["mine".into()], ..Documents::default() };
    let shop = Shop::with(base, public(true), Box::new(|_| true));
    let token = shop.token(&[Permission::Write]);
    assert_eq!(shop.ask_raw("GET", "/accounts/mine/ai-gateway/gateways", &token, None).await.status, 200);
    let said = shop.ask_raw("GET", "/accounts/other/ai-gateway/gateways", &token, None).await;
    assert_eq!(said.problem(), (403, 10000, Value::Null));
    let all = shop.ask_raw("GET", "/accounts", &token, None).await.result();
    assert_eq!(
        (&all[0]["id"], &all[0]["type"], all.as_array().unwrap().len()),
        (&json!("mine"), &json!("standard"), 1)
    );
}
