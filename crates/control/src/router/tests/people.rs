//! People sign in, look, leave and are turned away, by an issuer that is asked over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tollgate_dial::{Client, Limits, Resolver, TlsRoots};
use tollgate_model::Secret;
use tollgate_model::token::{Permission, Role};
use tollgate_rules::egress::Egress;

use super::issuer::{CLIENT_ID, CLIENT_SECRET, Issuer, Signer};
use super::shop::{COOKIE, Said, Shop, oidc};
use crate::people::{ClientSecret, Oidc};
use crate::sample;

/// A browser: what it was told to send along.
#[derive(Default)]
struct Browser {
    login: String,
    session: String,
    /// As a proxy that is trusted said.
    secure: bool,
}

// === impl Browser ===

impl Browser {
    async fn get(&mut self, shop: &Shop, path: &str) -> Said {
        self.send(shop, "GET", path).await
    }

    async fn send(&mut self, shop: &Shop, method: &str, path: &str) -> Said {
        let cookies = format!("theme=dark; {}; {}", self.login, self.session);
        let request =
            Request::builder().method(method).uri(path).header("host", "gw.example:8787").header("cookie", cookies);
        let request = request.header("sec-fetch-site", "same-origin").header("user-agent", "a browser");
        let request = request.extension(tollgate_model::peer::Secure(self.secure));
        let request = request.extension(tollgate_model::Peer::of("192.0.2.7".parse().unwrap()));
        let said = shop.send(request.body(Body::empty()).unwrap()).await;
        for line in said.headers.get_all("set-cookie") {
            let text = line.to_str().unwrap();
            assert!(text.contains("; HttpOnly; SameSite=Lax") && text.ends_with("; Secure") == self.secure, "{text}");
            let pair = text.split(';').next().unwrap().to_owned();
            if pair.starts_with("tollgate_login") { self.login = pair } else { self.session = pair }
        }
        said
    }

    /// To the issuer and back: the callback that it is sent to.
    async fn begin(&mut self, shop: &Shop, to: &str) -> String {
        let said = self.get(shop, &format!("/dashboard/oidc/start?to={to}")).await;
        assert_eq!(said.status, 303, "{:?}", said.headers);
        let location = said.headers["location"].to_str().unwrap().to_owned();
        let back = fetch(&location).await;
        assert_eq!(back.status(), 303, "{:?}", back.body());
        let back = back.headers()["location"].to_str().unwrap();
        let base = if self.secure { "https://gw.example:8787" } else { "http://gw.example:8787" };
        back.strip_prefix(base).unwrap().to_owned()
    }

    /// Where the whole way leads.
    async fn sign_in(&mut self, shop: &Shop) -> String {
        let back = self.begin(shop, "/dashboard/g/default/logs").await;
        self.come_back(shop, &back).await
    }

    async fn come_back(&mut self, shop: &Shop, back: &str) -> String {
        let said = self.get(shop, back).await;
        assert_eq!(said.status, 303);
        said.headers["location"].to_str().unwrap().to_owned()
    }

    async fn who(&mut self, shop: &Shop) -> Value {
        self.get(shop, "/dashboard/session").await.json()["person"].clone()
    }
}

async fn fetch(url: &str) -> http::Response<Bytes> {
    let egress = Egress { allow_private: vec!["127.0.0.0/8".parse().unwrap()] };
    let client = Client::new(Arc::new(egress), TlsRoots::System, Resolver::System);
    let limits = Limits { total: Duration::from_secs(10), body_bytes_max: 1 << 16 };
    client.send(Request::get(url).body(Bytes::new()).unwrap(), limits).await.unwrap()
}

fn settings(issuer: &Issuer) -> Oidc {
    Oidc {
        issuer: issuer.url.clone(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: ClientSecret::Given(Secret::new(CLIENT_SECRET)),
        roles: [("readers", Role::Viewer), ("engineers", Role::Operator), ("owners", Role::Admin)]
            .map(|(value, role)| (value.to_owned(), role))
            .into(),
        ..oidc()
    }
}

fn ann() -> Value {
    json!({
        "sub": "u-1", "name": "Ann Example", "email": "ann@example.com", "email_verified": true,
        "groups": ["all", "readers", "engineers"]
    })
}

async fn issuer(algorithm: &'static str) -> Issuer {
    Issuer::open(Signer::new(algorithm, "k1"), sample::NOW, ann()).await
}

fn shop(settings: Oidc) -> Shop {
    Shop::signing_in(tempfile::tempdir().unwrap(), settings)
}

async fn audit(shop: &Shop, query: &str) -> Vec<Value> {
    let auditor = shop.token(&[Permission::AccountRead]);
    let path = format!("/accounts/{}/logs/audit?since=2026-01-01&before=2027-01-01&{query}", shop.account);
    let said = shop.ask_raw("GET", &path, &auditor, None).await;
    assert_eq!(said.status, 200, "{:?}", said.bytes);
    said.json()["result"].as_array().unwrap().clone()
}

#[tokio::test]
async fn somebody_signs_in_looks_and_leaves_whatever_the_issuer_signs_with() {
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let issuer = issuer(algorithm).await;
        let shop = shop(settings(&issuer));
        let mut browser = Browser::default();
        assert_eq!(browser.who(&shop).await, Value::Null);
        assert_eq!(browser.sign_in(&shop).await, "/dashboard/g/default/logs", "{algorithm}");
        let person = browser.who(&shop).await;
        assert_eq!(
            (&person["name"], &person["email"], &person["role"]),
            (&json!("Ann Example"), &json!("ann@example.com"), &json!("operator"))
        );
        let user = shop.ask_raw("GET", "/client/v4/user", &browser.session, None).await.result();
        assert_eq!((&user["id"], &user["email"]), (&json!("person:u-1"), &json!("ann@example.com")));
        let left = browser.send(&shop, "DELETE", "/dashboard/session").await.json();
        let farewell = left["end_session_url"].as_str().unwrap();
        assert!(farewell.starts_with(&format!("{}/logout?client_id=tollgate&", issuer.url)), "{farewell}");
        assert!(farewell.contains("id_token_hint=eyJ") && farewell.contains("dashboard%2F"), "{farewell}");
        assert_eq!(browser.session, COOKIE);
        assert_eq!(browser.who(&shop).await, Value::Null);
        let seen = audit(&shop, "actor_context=dash").await;
        let said: Vec<&str> = seen.iter().map(|entry| entry["action"]["type"].as_str().unwrap()).collect();
        assert_eq!(said, ["logout", "login"]);
        assert_eq!(
            (&seen[1]["actor"]["email"], &seen[1]["actor"]["ip_address"], &seen[1]["raw"]["user_agent"]),
            (&json!("ann@example.com"), &json!("192.0.2.7"), &json!("a browser"))
        );
    }
}

#[tokio::test]
async fn no_token_is_taken_that_is_not_wholly_right() {
    type Twist = fn(&mut Value, &mut Value);
    const NOW_S: u64 = sample::NOW / 1_000;
    let twists: [(&str, Twist, bool); 28] = [
        ("as it is", |_, _| {}, true),
        ("tampered", |_, claims| claims["tampered"] = json!(true), false),
        ("alg none", |header, _| header["alg"] = json!("none"), false),
        ("alg None", |header, _| header["alg"] = json!("None"), false),
        ("alg HS256 with the public key", |header, _| header["alg"] = json!("HS256"), false),
        ("alg of another kind of key", |header, _| header["alg"] = json!("ES256"), false),
        ("alg PS256 for a key of RS256", |header, _| header["alg"] = json!("PS256"), false),
        ("a key nobody has", |header, _| header["kid"] = json!("k9"), false),
        ("a shared secret's key", |header, _| header["kid"] = json!("shared"), false),
        ("an extension that must be understood", |header, _| header["crit"] = json!(["b64"]), false),
        ("another issuer", |_, claims| claims["iss"] = json!("https://evil.example"), false),
        ("no issuer", |_, claims| claims["iss"] = Value::Null, false),
        ("another audience", |_, claims| claims["aud"] = json!("other"), false),
        ("no audience", |_, claims| claims["aud"] = json!([]), false),
        ("two audiences and no party", |_, claims| claims["aud"] = json!([CLIENT_ID, "other"]), false),
        (
            "two audiences, for the other",
            |_, claims| {
                claims["aud"] = json!([CLIENT_ID, "other"]);
                claims["azp"] = json!("other");
            },
            false,
        ),
        (
            "two audiences, for us",
            |_, claims| {
                claims["aud"] = json!(["other", CLIENT_ID]);
                claims["azp"] = json!(CLIENT_ID);
            },
            true,
        ),
        ("issued to another", |_, claims| claims["azp"] = json!("other"), false),
        ("expired", |_, claims| claims["exp"] = json!(NOW_S - 60), false),
        ("expired within the leeway", |_, claims| claims["exp"] = json!(NOW_S - 59), true),
        ("without an end", |_, claims| claims["exp"] = Value::Null, false),
        ("an end that is text", |_, claims| claims["exp"] = json!("2099"), false),
        ("issued later", |_, claims| claims["iat"] = json!(NOW_S + 61), false),
        ("without time of issue", |_, claims| claims["iat"] = Value::Null, false),
        ("not yet", |_, claims| claims["nbf"] = json!(NOW_S + 61), false),
        ("another nonce", |_, claims| claims["nonce"] = json!("other"), false),
        ("no nonce", |_, claims| claims["nonce"] = Value::Null, false),
        ("nobody", |_, claims| claims["sub"] = json!(""), false),
    ];
    let issuer = issuer("RS256").await;
    let shop = shop(settings(&issuer));
    for (name, twist, is_right) in twists {
        issuer.twist(twist);
        let mut browser = Browser::default();
        let led = browser.sign_in(&shop).await;
        let expected = if is_right { "/dashboard/g/default/logs" } else { "/dashboard/?refused=unproven" };
        assert_eq!((name, led.as_str()), (name, expected));
        assert_eq!(browser.who(&shop).await.is_null(), !is_right, "{name}");
    }
    let refused = audit(&shop, "action_result=failure").await;
    assert_eq!(refused.len(), 25);
    assert!(refused.iter().all(|entry| entry["action"]["type"] == "login" && entry["raw"]["status_code"] == 403));
}

#[tokio::test]
async fn keys_are_turned_and_strangers_do_not_have_them_fetched() {
    let issuer = issuer("ES256").await;
    let shop = shop(settings(&issuer));
    let led = async || Browser::default().sign_in(&shop).await;
    assert_eq!((led().await.as_str(), issuer.asked("jwks")), ("/dashboard/g/default/logs", 1));
    led().await;
    assert_eq!((issuer.asked("jwks"), issuer.asked("discovery")), (1, 1));
    issuer.rotate(Signer::new("EdDSA", "k2"));
    // Asked a moment ago: not again for a name that anybody may make up.
    assert_eq!((led().await.as_str(), issuer.asked("jwks")), ("/dashboard/?refused=unproven", 1));
    let later = |seconds: u64| {
        shop.clock.advance(Duration::from_secs(seconds));
        issuer.pass(seconds);
    };
    later(31);
    assert_eq!((led().await.as_str(), issuer.asked("jwks")), ("/dashboard/g/default/logs", 2));
    // The same name, another key: whoever signs with the old one is a stranger.
    issuer.rotate(Signer::new("EdDSA", "k2"));
    assert_eq!(led().await, "/dashboard/?refused=unproven");
    later(3_600);
    assert_eq!((led().await.as_str(), issuer.asked("jwks")), ("/dashboard/g/default/logs", 3));
}

#[tokio::test]
async fn a_login_ends_in_the_browser_it_began_in_once_and_in_time() {
    let issuer = issuer("ES256").await;
    let shop = shop(settings(&issuer));
    const STALE: &str = "/dashboard/?refused=stale";
    // Whoever is sent another's callback is not signed in as the other.
    let (mut mallory, mut ann) = (Browser::default(), Browser::default());
    let theirs = mallory.begin(&shop, "/dashboard/").await;
    let own = ann.begin(&shop, "/dashboard/").await;
    assert_eq!(ann.come_back(&shop, &theirs).await, STALE);
    let mut bare = Browser::default();
    assert_eq!(bare.come_back(&shop, &own).await, STALE);
    assert_eq!(issuer.asked("token"), 0, "no code was shown to the issuer");

    let mut ann = Browser::default();
    let back = ann.begin(&shop, "//evil.example").await;
    let cookie = ann.login.clone();
    for wrong in [
        back.replace("state=", "state=x"),
        back.split('&').next().unwrap().to_owned(),
        format!("{back}&iss=https%3A%2F%2Fevil.example"),
        "/dashboard/oidc/callback".to_owned(),
    ] {
        let mut other = Browser { login: cookie.clone(), ..Browser::default() };
        assert_eq!(other.come_back(&shop, &wrong).await, STALE, "{wrong}");
    }
    assert_eq!(ann.come_back(&shop, &back).await, "/dashboard/", "and to no other site");
    // Once more, with the cookie that was good.
    let mut again = Browser { login: cookie, ..Browser::default() };
    assert_eq!(again.come_back(&shop, &back).await, STALE);
    assert_eq!((again.session.as_str(), issuer.asked("token")), ("", 1));

    let mut late = Browser::default();
    let back = late.begin(&shop, "/dashboard/").await;
    shop.clock.advance(Duration::from_secs(600));
    assert_eq!(late.come_back(&shop, &back).await, STALE);
    let mut refused = Browser::default();
    let back = refused.begin(&shop, "/dashboard/").await;
    let state = back.split("state=").nth(1).unwrap();
    let no = format!("/dashboard/oidc/callback?error=access_denied&state={state}");
    assert_eq!(refused.come_back(&shop, &no).await, "/dashboard/?refused=issuer");
    // The code of one login in another that is under way: its challenge does not fit.
    let (mut one, mut two) = (Browser::default(), Browser::default());
    let first = one.begin(&shop, "/dashboard/").await;
    let second = two.begin(&shop, "/dashboard/").await;
    let code = |back: &str| back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let mixed = second.replace(&code(&second), &code(&first));
    assert_eq!(two.come_back(&shop, &mixed).await, "/dashboard/?refused=unreachable");
}

#[tokio::test]
async fn who_somebody_is_decides_what_they_may() {
    let issuer = issuer("ES256").await;
    let strict = Oidc { domains: vec!["example.com".to_owned()], ..settings(&issuer) };
    let by_email = Oidc {
        roles_claim: "email".to_owned(),
        roles: [("ann@example.com".to_owned(), Role::Admin)].into(),
        ..settings(&issuer)
    };
    let nested = Oidc { roles_claim: "realm_access.roles".to_owned(), ..settings(&issuer) };
    let dotted = Oidc { roles_claim: "https://example.com/roles".to_owned(), ..settings(&issuer) };
    let open = Oidc { default_role: Some(Role::Viewer), ..settings(&issuer) };
    let with = |changes: Value| {
        let mut claims = ann();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    };
    for (settings, claims, role) in [
        (settings(&issuer), ann(), Some("operator")),
        (settings(&issuer), with(json!({ "groups": ["owners", "readers"] })), Some("admin")),
        (settings(&issuer), with(json!({ "groups": "readers" })), Some("viewer")),
        (settings(&issuer), with(json!({ "groups": ["strangers"] })), None),
        (settings(&issuer), with(json!({ "groups": [["owners"], 1, null] })), None),
        (open.clone(), with(json!({ "groups": [] })), Some("viewer")),
        (open, with(json!({ "groups": ["owners"] })), Some("admin")),
        (strict.clone(), ann(), Some("operator")),
        (strict.clone(), with(json!({ "email": "ann@EXAMPLE.com" })), Some("operator")),
        (strict.clone(), with(json!({ "email": "ann@example.com.evil.example" })), None),
        (strict.clone(), with(json!({ "email": "ann@example.com", "email_verified": false })), None),
        (strict, with(json!({ "email": "ann@example.com", "email_verified": null })), None),
        (by_email.clone(), ann(), Some("admin")),
        (by_email, with(json!({ "email_verified": false })), None),
        (nested, with(json!({ "realm_access": { "roles": ["engineers"] } })), Some("operator")),
        (dotted, with(json!({ "https://example.com/roles": ["readers"] })), Some("viewer")),
    ] {
        issuer.claims(claims.clone());
        let shop = shop(settings);
        let mut browser = Browser::default();
        let led = browser.sign_in(&shop).await;
        let person = browser.who(&shop).await;
        assert_eq!(person["role"].as_str(), role, "{claims}");
        if role.is_none() {
            assert_eq!(led, "/dashboard/?refused=role");
            let [entry] = &audit(&shop, "action_type=login").await[..] else { panic!("one entry") };
            assert_eq!((&entry["action"]["result"], &entry["actor"]["id"]), (&json!("failure"), &json!("person:u-1")));
        }
    }
}

#[tokio::test]
async fn what_the_token_does_not_say_the_user_info_may() {
    let issuer = issuer("ES256").await;
    let shop = shop(settings(&issuer));
    issuer.claims(json!({ "sub": "u-1" }));
    issuer.more(json!({ "sub": "u-1", "name": "Ann", "groups": ["owners"] }));
    let mut browser = Browser::default();
    browser.sign_in(&shop).await;
    assert_eq!(browser.who(&shop).await["role"], "admin");
    // It cannot say who it is, nor speak for somebody else.
    issuer.more(json!({ "sub": "u-2", "groups": ["owners"] }));
    assert_eq!(Browser::default().sign_in(&shop).await, "/dashboard/?refused=role");
}

#[tokio::test]
async fn a_session_survives_a_restart_and_ends_when_it_should() {
    let issuer = issuer("ES256").await;
    let shop = shop(settings(&issuer));
    let mut browser = Browser::default();
    browser.sign_in(&shop).await;
    let shop = Shop::signing_in(shop.close(), settings(&issuer));
    assert_eq!(browser.who(&shop).await["role"], "operator");
    // The mapping of now counts.
    let shop = Shop::signing_in(
        shop.close(),
        Oidc { roles: [("readers".to_owned(), Role::Viewer)].into(), ..settings(&issuer) },
    );
    assert_eq!(browser.who(&shop).await["role"], "viewer");
    let shop = Shop::signing_in(
        shop.close(),
        Oidc { roles: [("others".to_owned(), Role::Admin)].into(), ..settings(&issuer) },
    );
    assert_eq!(browser.who(&shop).await, Value::Null);
    let shop = Shop::signing_in(shop.close(), Oidc { issuer: "https://other.example".to_owned(), ..settings(&issuer) });
    assert_eq!(browser.who(&shop).await, Value::Null);
    let shop = Shop::signing_in(shop.close(), settings(&issuer));
    // There all the time, to the last moment.
    for _ in 0..12 {
        assert_eq!(browser.who(&shop).await["role"], "operator");
        shop.clock.advance(Duration::from_secs(3_599));
    }
    assert_eq!(browser.who(&shop).await["role"], "operator");
    shop.clock.advance(Duration::from_secs(12));
    assert_eq!(browser.who(&shop).await, Value::Null);
    // Away too long.
    issuer.pass(12 * 3_600);
    let mut idle = Browser::default();
    idle.sign_in(&shop).await;
    shop.clock.advance(Duration::from_secs(3_600));
    assert_eq!(shop.ask_raw("GET", "/client/v4/user", &idle.session, None).await.status, 401);
    assert!(shop.people.all_sessions().unwrap().is_empty());
}

#[tokio::test]
async fn an_administrator_sees_sessions_and_ends_them() {
    let issuer = issuer("ES256").await;
    let shop = shop(settings(&issuer));
    let (mut browser, admin) = (Browser::default(), shop.session(Role::Admin));
    browser.sign_in(&shop).await;
    let path = format!("/client/v4/accounts/{}/sessions", shop.account);
    let all = shop.ask_raw("GET", &path, &shop.token(&[Permission::Admin]), None).await.result();
    assert!(!all.to_string().contains(browser.session.strip_prefix(COOKIE).unwrap()), "no secret is shown");
    let ann = all.as_array().unwrap().iter().find(|each| each["subject"] == "u-1").unwrap();
    assert_eq!((&ann["name"], &ann["role"]), (&json!("Ann Example"), &json!("operator")));
    let one = format!("{path}/{}", ann["id"].as_str().unwrap());
    // Of another issuer than the one that is asked: the cookie of the test's own administrator is nobody's here.
    assert_eq!(shop.ask_raw("DELETE", &one, &admin, None).await.status, 401);
    assert_eq!(shop.ask_raw("DELETE", &one, &shop.token(&[Permission::Admin]), None).await.status, 200);
    assert_eq!(browser.who(&shop).await, Value::Null);
    assert_eq!(shop.ask_raw("DELETE", &one, &shop.token(&[Permission::Admin]), None).await.status, 404);
    let ended = audit(&shop, "resource_type=session&action_type=delete").await;
    assert_eq!((ended.len(), &ended[0]["resource"]["request"]["subject"]), (1, &json!("u-1")));
}

#[tokio::test]
async fn a_look_at_a_prompt_is_written_down_with_the_name_of_whoever_looked() {
    let issuer = issuer("ES256").await;
    let shop = shop(settings(&issuer));
    shop.gateway("g");
    shop.keep(sample::full(), b"{}", b"{}");
    let mut browser = Browser::default();
    browser.sign_in(&shop).await;
    let path = format!("gateways/g/logs/{}/request", sample::full().id);
    assert_eq!(shop.get(&path, &browser.session).await.status, 200);
    let [view] = &audit(&shop, "action_type=view").await[..] else { panic!("one view") };
    assert_eq!(
        (&view["actor"]["email"], &view["actor"]["type"], &view["actor"]["context"], &view["resource"]["type"]),
        (&json!("ann@example.com"), &json!("user"), &json!("dash"), &json!("ai_gateway.log.request"))
    );
    // Who may see rows alone sees no prompt, and leaves no such entry.
    issuer.claims(json!({ "sub": "u-2", "name": "Bob", "groups": ["readers"] }));
    let mut viewer = Browser::default();
    viewer.sign_in(&shop).await;
    assert_eq!(shop.get(&path, &viewer.session).await.status, 403);
    assert_eq!(shop.get("gateways/g/logs", &viewer.session).await.status, 200);
    assert_eq!(audit(&shop, "action_type=view").await.len(), 1);
}

#[tokio::test]
async fn over_tls_cookies_are_bound_to_this_host_and_the_way_back_is_https() {
    let issuer = issuer("ES256").await;
    let shop = shop(settings(&issuer));
    let mut browser = Browser { secure: true, ..Browser::default() };
    assert_eq!(browser.sign_in(&shop).await, "/dashboard/g/default/logs");
    assert!(browser.session.starts_with("__Host-tollgate_session="), "{}", browser.session);
    assert_eq!(browser.who(&shop).await["role"], "operator");
    // One that came without TLS, or was set by somebody without it, is none here.
    browser.session = browser.session.replace("__Host-", "");
    assert_eq!(browser.who(&shop).await, Value::Null);
}

#[tokio::test]
async fn an_issuer_that_is_away_or_another_is_told_in_one_word() {
    let issuer = issuer("ES256").await;
    for oidc in [
        Oidc { issuer: "http://127.0.0.1:1".to_owned(), ..settings(&issuer) },
        // It calls itself otherwise.
        Oidc { issuer: format!("{}/", issuer.url), ..settings(&issuer) },
        Oidc { issuer: "http://169.254.169.254".to_owned(), ..settings(&issuer) },
    ] {
        let said = Browser::default().get(&shop(oidc), "/dashboard/oidc/start").await;
        assert_eq!(
            (said.status.as_u16(), &said.headers["location"]),
            (303, &"/dashboard/?refused=unreachable".parse().unwrap())
        );
    }
    let wrong = Oidc { client_secret: ClientSecret::Given(Secret::new("wrong")), ..settings(&issuer) };
    assert_eq!(Browser::default().sign_in(&shop(wrong)).await, "/dashboard/?refused=unreachable");
    issuer.straight();
    // In the Secrets Store, where nobody reads it back.
    let stored = shop(Oidc { client_secret: ClientSecret::Stored("oidc".to_owned()), ..settings(&issuer) });
    let store = stored.desk.ensure_store().unwrap().id;
    let secret = crate::desk::NewSecret {
        name: "oidc".into(),
        scopes: vec!["ai_gateway".into()],
        value: Secret::new(CLIENT_SECRET),
        comment: None,
    };
    stored.desk.create_secrets(&store, &[secret]).unwrap();
    assert_eq!(Browser::default().sign_in(&stored).await, "/dashboard/g/default/logs");
}
