//! Tokens as SDKs manage them, and as their holders try to.

use serde_json::{Value, json};
use tollgate_model::token::{Permission, Scope};

use super::shop::{Said, Shop};
use crate::desk::Wanted;
use crate::token::groups;

const TOKENS: &str = "/client/v4/user/tokens";

async fn ask(shop: &Shop, method: &str, path: &str, token: &str, body: Value) -> Said {
    shop.ask_raw(method, path, token, Some(body.to_string())).await
}

async fn is_good(shop: &Shop, secret: &str) -> bool {
    shop.ask_raw("GET", "/client/v4/user/tokens/verify", secret, None).await.status == 200
}

fn some(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

#[tokio::test]
async fn an_sdk_s_token_is_made_shown_changed_rolled_and_deleted() {
    let shop = Shop::open();
    let admin = shop.token(&[Permission::Admin]);
    let account = format!("com.cloudflare.api.account.{}", shop.account);
    let policies = json!([{ "effect": "allow", "permission_groups": [{ "id": groups::id(Permission::Read) }], "resources": { account: "*" } }]);
    let body = json!({ "name": "ci", "policies": policies, "expires_on": "2027-01-01T00:00:00Z",
        "condition": { "request_ip": { "in": ["127.0.0.1"] } }, "gateways": ["g"], "unknown": 1 });
    let at = format!("/client/v4/accounts/{}/tokens", shop.account);
    let made = ask(&shop, "POST", &at, &admin, body).await.result();
    let secret = made["value"].as_str().unwrap();
    assert!(secret.starts_with("tg_") && made["hint"].as_str().unwrap().ends_with(&secret[secret.len() - 4..]));
    assert_eq!(
        (&made["status"], &made["gateways"], &made["permissions"]),
        (&json!("active"), &json!(["g"]), &json!(["read"]))
    );
    let one = format!("{TOKENS}/{}", made["id"].as_str().unwrap());
    let shown = shop.ask_raw("GET", &one, &admin, None).await.result();
    assert!(shown.get("value").is_none() && shown.get("last_used_on").is_none());
    assert_eq!(shown["policies"][0]["permission_groups"][0]["name"], "AI Gateway Read");

    // Absent stays, null takes away.
    let body = json!({ "name": "ci 2", "policies": policies_of(&shown), "condition": null, "expires_on": null });
    let changed = ask(&shop, "PUT", &one, &admin, body).await.result();
    assert_eq!((&changed["name"], &changed["gateways"]), (&json!("ci 2"), &json!(["g"])));
    assert!(changed.get("condition").is_none() && changed.get("expires_on").is_none());
    assert!(is_good(&shop, secret).await);
    assert_eq!(shop.ask_raw("GET", &one, &admin, None).await.result()["last_used_on"], "2026-11-18T11:06:40.000Z");

    let rolled = ask(&shop, "PUT", &format!("{one}/value"), &admin, json!({ "grace_seconds": 60 })).await.result();
    let second = rolled.as_str().unwrap();
    assert!(is_good(&shop, secret).await && is_good(&shop, second).await);
    let shown = shop.ask_raw("GET", &one, &admin, None).await.result();
    assert!(shown["previous_expires_on"].is_string() && shown["previous_hint"].is_string());
    shop.clock.advance(std::time::Duration::from_secs(60));
    assert!(!is_good(&shop, secret).await && is_good(&shop, second).await);
    let third = ask(&shop, "PUT", &format!("{one}/value"), &admin, json!({})).await.result();
    assert!(!is_good(&shop, second).await && is_good(&shop, third.as_str().unwrap()).await);

    let disabled = json!({ "name": "ci", "permissions": ["read"], "status": "disabled" });
    assert_eq!(ask(&shop, "PUT", &one, &admin, disabled).await.result()["status"], "disabled");
    assert!(!is_good(&shop, third.as_str().unwrap()).await);
    let gone = shop.ask_raw("DELETE", &one, &admin, None).await.result();
    assert_eq!(gone, json!({ "id": made["id"] }));
    assert_eq!(shop.ask_raw("GET", &one, &admin, None).await.status, 404);
    let groups =
        shop.ask_raw("GET", &format!("{TOKENS}/permission_groups?name=AI+Gateway+Run"), &admin, None).await.result();
    assert_eq!(groups[0]["id"], json!(groups::id(Permission::Run)));
}

fn policies_of(shown: &Value) -> Value {
    shown["policies"].clone()
}

#[tokio::test]
async fn a_wish_that_makes_no_sense_is_refused_with_all_its_faults() {
    let shop = Shop::open();
    let admin = shop.token(&[Permission::Admin]);
    for (body, member) in [
        (json!({ "permissions": ["run"] }), "name"),
        (json!({ "name": "a" }), "permissions"),
        (json!({ "name": "a", "permissions": ["run"], "gateways": [] }), "gateways"),
        (json!({ "name": "a", "permissions": ["run"], "gateways": ["a b"] }), "gateways"),
        (
            json!({ "name": "a", "permissions": ["run"], "condition": { "request_ip": { "in": ["here"] } } }),
            "condition",
        ),
        (json!({ "name": "a", "permissions": ["run"], "rate_limit": { "limit": 0, "window": 1 } }), "rate_limit"),
        (json!({ "name": "a", "permissions": ["run"], "spend_limit": { "limit_usd": 1, "window": 0 } }), "spend_limit"),
        (json!({ "name": "a", "permissions": ["write"], "models": ["gpt-*"] }), "permissions"),
        (json!({ "name": "a", "permissions": ["admin"], "gateways": ["g"] }), "gateways"),
        (json!({ "name": "a", "permissions": ["run"], "expires_on": "2020-01-01" }), "expires_on"),
    ] {
        let said = ask(&shop, "POST", TOKENS, &admin, body.clone()).await;
        let paths: Vec<Value> =
            said.json()["errors"].as_array().unwrap().iter().map(|error| error["path"][1].clone()).collect();
        assert_eq!((said.status.as_u16(), paths.contains(&json!(member))), (400, true), "{body}: {:?}", said.json());
    }
}

#[tokio::test]
async fn a_token_of_some_gateways_sees_those_and_nothing_of_the_account() {
    let shop = Shop::stocked();
    shop.gateway("mine");
    shop.gateway("other");
    let scope = Scope { gateways: some(&["mine"]), ..Scope::default() };
    let wanted = Wanted { name: "t".into(), permissions: vec![Permission::Write], scope, ..Wanted::default() };
    let token = shop.desk.create_token(wanted).unwrap().secret.expose().to_owned();
    let listed = shop.get("gateways", &token).await;
    assert_eq!(listed.json()["result_info"]["total_count"], 1);
    assert_eq!(listed.result()[0]["id"], "mine");
    assert_eq!(shop.get("gateways/mine", &token).await.status, 200);
    // The same answer for one that is there and one that is not.
    assert_eq!(shop.get("gateways/other", &token).await.problem(), (403, 10000, Value::Null));
    assert_eq!(shop.get("gateways/nothing", &token).await.problem(), (403, 10000, Value::Null));
    assert_eq!(shop.ask("POST", "gateways", &token, Some(super::shop::body("new"))).await.status, 403);
}

#[tokio::test]
async fn a_token_is_refused_from_elsewhere_and_told_so() {
    let shop = Shop::open();
    let scope = Scope { from: some(&["192.0.2.0/24"]), ..Scope::default() };
    let wanted = Wanted { name: "t".into(), permissions: vec![Permission::Read], scope, ..Wanted::default() };
    let token = shop.desk.create_token(wanted).unwrap().secret.expose().to_owned();
    let ask = |peer: Option<&str>| {
        let mut request =
            http::Request::builder().uri("/client/v4/user").header("authorization", format!("Bearer {token}"));
        if let Some(peer) = peer {
            request = request.extension(tollgate_model::Peer::of(peer.parse().unwrap()));
        }
        shop.send(request.body(axum::body::Body::empty()).unwrap())
    };
    assert_eq!(ask(Some("192.0.2.7")).await.status, 200);
    assert_eq!(ask(Some("::ffff:192.0.2.7")).await.status, 200);
    assert_eq!(ask(Some("198.51.100.1")).await.problem(), (403, 9109, Value::Null));
    assert_eq!(ask(None).await.problem(), (403, 9109, Value::Null));
}

#[tokio::test]
async fn who_makes_tokens_without_being_an_administrator_cannot_outgrow_its_own() {
    let shop = Shop::open();
    let wanted = |permissions: &[Permission], gateways| Wanted {
        name: "parent".into(),
        permissions: permissions.to_vec(),
        scope: Scope { gateways, ..Scope::default() },
        ..Wanted::default()
    };
    let parent = shop.desk.create_token(wanted(&[Permission::Write, Permission::Run], some(&["g"]))).unwrap();
    let stranger = shop.desk.create_token(wanted(&[Permission::Admin], None)).unwrap();
    let mine = parent.secret.expose();
    let make = |body: Value| ask(&shop, "POST", TOKENS, mine, body);
    for body in [
        json!({ "name": "a", "permissions": ["admin"], "gateways": ["g"] }),
        json!({ "name": "a", "permissions": ["run"] }),
        json!({ "name": "a", "permissions": ["run"], "gateways": ["h"] }),
        json!({ "name": "a", "permissions": ["secrets_write"], "gateways": ["g"] }),
    ] {
        assert_eq!(make(body.clone()).await.status, 400, "{body}");
    }
    let child = make(json!({ "name": "child", "permissions": ["read"], "gateways": ["g"] })).await.result();
    assert_eq!(child["made_by"], json!(parent.token.id));
    // It sees itself and what it made; others are not there.
    let listed = shop.ask_raw("GET", TOKENS, mine, None).await.result();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let other = format!("{TOKENS}/{}", stranger.token.id);
    for (method, path) in
        [("GET", other.clone()), ("PUT", other.clone()), ("DELETE", other.clone()), ("PUT", format!("{other}/value"))]
    {
        let said =
            ask(&shop, method, &path, mine, json!({ "name": "x", "permissions": ["read"], "gateways": ["g"] })).await;
        assert_eq!(said.status, 404, "{method} {path}");
    }
    // Nor upwards with its own.
    let own = format!("{TOKENS}/{}", parent.token.id);
    for body in [
        json!({ "name": "x", "permissions": ["write", "account_read"] }),
        json!({ "name": "x", "gateways": null }),
        json!({ "name": "x", "gateways": ["g", "h"] }),
    ] {
        assert_eq!(ask(&shop, "PUT", &own, mine, body.clone()).await.status, 400, "{body}");
    }
    // And with the one above goes what was made with it.
    let secret = child["value"].as_str().unwrap().to_owned();
    assert!(is_good(&shop, &secret).await);
    let narrowed = json!({ "name": "x", "status": "disabled" });
    assert_eq!(ask(&shop, "PUT", &own, stranger.secret.expose(), narrowed).await.status, 200);
    assert!(!is_good(&shop, &secret).await);
    assert_eq!(shop.ask_raw("DELETE", &own, stranger.secret.expose(), None).await.status, 200);
    assert_eq!(shop.desk.tokens().unwrap().len(), 1);
}
