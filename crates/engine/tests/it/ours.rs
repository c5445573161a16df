//! What is ours stays here: tokens that are not known (any more), in every place that goes on to a provider; and whose word on an address is taken.

use serde_json::json;
use tollgate_model::token::Scope;
use tollgate_rules::proxy::{Proxies, read_proxies};

use crate::town::{Heard, Plan, TOKEN, Town, chat_body, town};

/// As tokens are made: revoked, or of another installation.
const GONE: &str = "tg_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

fn refused(heard: &Heard) {
    assert_eq!((heard.status, &heard.json()["error"][0]["code"]), (401, &json!(2009)), "{:?}", heard.body);
}

/// Nothing that the provider heard has our prefix in it.
fn kept(town: &Town) {
    let heard = town.provider.recorder().last().request;
    for name in
        ["authorization", "x-api-key", "x-goog-api-key", "api-key", "xi-api-key", "cf-aig-authorization", "x-stray"]
    {
        assert_eq!(heard.header(name), None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_token_never_goes_on_from_an_open_gateway() {
    let town = town(Plan::default()).await;
    let bearer = format!("Bearer {GONE}");
    for header in [
        ("authorization", bearer.as_str()),
        ("authorization", GONE),
        ("authorization", "Bearer tg_short"),
        ("x-api-key", GONE),
        ("x-goog-api-key", GONE),
        ("api-key", GONE),
        ("xi-api-key", GONE),
    ] {
        refused(&town.chat(&[header], "gpt-4o").await);
        // Nor beside a key that is the provider's own.
        if header.0 != "authorization" {
            refused(&town.chat(&[header, ("authorization", "Bearer sk-fake")], "gpt-4o").await);
        }
    }
    let unified = json!({ "model": "openai/gpt-4o", "messages": [{ "role": "user", "content": "Hi" }] }).to_string();
    refused(&town.post("compat/chat/completions", &[("authorization", &bearer)], unified).await);
    let path = format!("openai/v1/chat/completions?key={GONE}");
    refused(&town.post(&path, &[], chat_body("gpt-4o", false)).await);
    refused(&town.post(&path, &[("authorization", TOKEN)], chat_body("gpt-4o", false)).await);
    assert_eq!(town.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_nothing_passes_and_a_good_token_is_taken_out_wherever_it_stands() {
    let town = town(Plan::default()).await;
    let bearer = format!("Bearer {GONE}");
    for headers in [
        &[][..],
        &[("authorization", "Bearer undefined")],
        &[("cf-aig-authorization", GONE)],
        &[("cf-aig-authorization", &bearer)],
        &[("x-stray", GONE)],
        &[("x-stray", &bearer)],
        &[("authorization", TOKEN), ("x-stray", GONE)],
        // One that is good speaks for the caller; the other is dropped all the same.
        &[("authorization", TOKEN), ("x-api-key", GONE)],
    ] {
        assert_eq!(town.chat(headers, "gpt-4o").await.status, 200, "{headers:?}");
        kept(&town);
    }
    let step = |headers: serde_json::Value, path: &str| {
        let query: serde_json::Value = serde_json::from_str(&chat_body("gpt-4o", false)).unwrap();
        json!([{ "provider": "openai", "endpoint": path, "headers": headers, "query": query }]).to_string()
    };
    let path = "v1/chat/completions";
    assert_eq!(town.post("", &[], step(json!({ "x-stray": GONE, "authorization": bearer }), path)).await.status, 200);
    kept(&town);
    let before = town.asked();
    assert_eq!(town.post("", &[], step(json!({}), &format!("{path}?key={GONE}"))).await.status, 401);
    assert_eq!(town.asked(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_some_addresses_is_used_through_a_proxy_that_is_trusted_and_no_other() {
    let scope = || Scope { from: Some(vec!["192.0.2.0/24".to_owned()]), ..Scope::default() };
    let plan =
        || Plan { tokens: vec![("tg_fake-narrow", scope())], ..Plan::gateway(|gateway| gateway.authentication = true) };
    let trusting = plan().served(|serving| serving.proxies = Proxies::new(read_proxies("127.0.0.1").unwrap()));
    let (behind, beside) = (town(trusting).await, town(plan()).await);
    let token = ("cf-aig-authorization", "tg_fake-narrow");
    for (value, status) in [
        ("192.0.2.7", 200),
        ("198.51.100.1, 192.0.2.7", 200),
        ("192.0.2.7, 198.51.100.1", 403),
        ("unknown", 403),
        ("192.0.2.7, x", 403),
    ] {
        assert_eq!(behind.chat(&[token, ("x-forwarded-for", value)], "gpt-4o").await.status, status, "{value}");
        assert_eq!(beside.chat(&[token, ("x-forwarded-for", value)], "gpt-4o").await.status, 403, "{value}");
    }
    assert_eq!(behind.chat(&[token], "gpt-4o").await.status, 403);
}
