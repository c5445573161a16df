//! Custom domains over HTTP, and the URL of a provider.

use serde_json::{Value, json};
use tollgate_model::token::Permission;
use tollgate_rules::snapshot::Documents;

use super::shop::{Shop, public};

#[tokio::test]
async fn one_lives_from_create_to_delete() {
    let shop = Shop::open();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    let body = json!({ "domain": "AI.example.com", "zone_id": "z" });
    let made = shop.ask("POST", "gateways/g/custom-domains", &token, Some(body)).await.result();
    let now = crate::sample::NOW;
    assert_eq!(
        made,
        json!({ "hostname": "ai.example.com", "gateway_id": "g", "status": "active", "cname_target": "127.0.0.1", "zone_id": "z",
            "created_at": now, "modified_at": now })
    );
    assert_eq!(shop.get("gateways/g/custom-domains", &token).await.result(), json!([made]));
    assert_eq!(shop.get("gateways/g/custom-domains/Ai.Example.com", &token).await.result(), made);
    assert_eq!(&**shop.desk.current().unwrap().gateway_of_host("ai.example.com").unwrap(), "g");
    assert_eq!(shop.ask("DELETE", "gateways/g/custom-domains/ai.example.com", &token, None).await.result(), made);
    for method in ["GET", "DELETE"] {
        let said = shop.ask(method, "gateways/g/custom-domains/ai.example.com", &token, None).await;
        assert_eq!(said.problem(), (404, 7002, json!({})), "{method}");
    }
    assert!(!shop.desk.current().unwrap().has_domains());
}

#[tokio::test]
async fn one_name_leads_to_one_gateway() {
    let shop = Shop::open();
    shop.gateway("g");
    shop.gateway("h");
    let token = shop.token(&[Permission::Write]);
    let ask = async |gateway: &str| {
        let body = json!({ "domain": "ai.example.com" });
        shop.ask("POST", &format!("gateways/{gateway}/custom-domains"), &token, Some(body)).await
    };
    ask("g").await.result();
    for gateway in ["g", "h"] {
        let said = ask(gateway).await;
        assert_eq!(said.problem(), (400, 7001, json!({})));
        assert!(said.json()["errors"][0]["message"].as_str().unwrap().contains("already exists"));
    }
    // Neither seen nor taken away from beside.
    assert_eq!(shop.get("gateways/h/custom-domains", &token).await.result(), json!([]));
    let beside = shop.ask("DELETE", "gateways/h/custom-domains/ai.example.com", &token, None).await;
    assert_eq!(beside.problem().0, 404);
    // With its gateway it goes, and may be had by another.
    shop.ask("DELETE", "gateways/g", &token, None).await.result();
    assert!(!shop.desk.current().unwrap().has_domains());
    assert_eq!(ask("h").await.result()["gateway_id"], "h");
    assert_eq!(ask("no-such").await.problem(), (404, 7002, json!({})));
}

#[tokio::test]
async fn only_a_whole_name_can_be_a_domain() {
    let public = crate::router::Public { url: "https://gateway.example.com:8443".into(), ..public(true) };
    let shop = Shop::with(Documents::default(), public, Box::new(|_| true));
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    for domain in [
        json!("*.example.com"),
        json!("*"),
        json!("example"),
        json!("localhost"),
        json!("ai.example.com:443"),
        json!("ai.example.com."),
        json!("https://ai.example.com"),
        json!("ai.example.com/x"),
        json!("127.0.0.1"),
        json!("[::1]"),
        json!("b\u{fc}cher.example"),
        json!("a_b.example.com"),
        json!(""),
        json!(7),
        Value::Null,
        // The API would be out of reach.
        json!("gateway.example.com"),
        json!("GATEWAY.example.com"),
    ] {
        let said = shop.ask("POST", "gateways/g/custom-domains", &token, Some(json!({ "domain": domain }))).await;
        assert_eq!(said.problem(), (400, 7001, json!({})), "{domain}");
        assert_eq!(said.json()["errors"][0]["path"], json!(["body", "domain"]), "{domain}");
    }
    let made =
        shop.ask("POST", "gateways/g/custom-domains", &token, Some(json!({ "domain": "xn--bcher-kva.example" }))).await;
    assert_eq!(made.result()["cname_target"], "gateway.example.com");
}

#[tokio::test]
async fn a_provider_has_a_url_below_the_public_one() {
    let public = crate::router::Public { url: "https://gateway.example.com".into(), ..public(true) };
    let shop = Shop::with(Documents::default(), public, Box::new(|_| true));
    shop.gateway("g");
    let token = shop.token(&[Permission::ReadMetadata]);
    let base = format!("https://gateway.example.com/v1/{}/g/", shop.account);
    for (provider, tail) in [
        ("openai", "openai"),
        ("compat", "compat"),
        ("custom-acme", "custom-acme"),
        ("not-yet-known", "not-yet-known"),
        ("universal", ""),
    ] {
        let said = shop.get(&format!("gateways/g/url/{provider}"), &token).await;
        assert_eq!(said.result(), json!(format!("{base}{tail}")), "{provider}");
    }
    assert_eq!(shop.get("gateways/g/url/a%2Fb", &token).await.problem().1, 7001);
    assert_eq!(shop.get("gateways/no-such/url/openai", &token).await.problem(), (404, 7002, json!({})));
}
