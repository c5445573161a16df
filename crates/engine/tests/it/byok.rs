//! Stored keys on the data plane: whose key goes out, on every surface, and what is said when there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tollgate_model::keep::{Bound, GATEWAY_SCOPE, Kept, ProviderConfig, key_name};
use tollgate_model::{Secret, StoredSecret};
use tollgate_rules::key::OpenSecret;

use crate::town::{Heard, Plan, Town, chat_body, town};

/// A key of gateway `g`, bound to wherever its provider is in this town.
pub fn key(provider: &'static str, alias: &'static str, value: &str) -> (OpenSecret, ProviderConfig) {
    let id = format!("{provider}-{alias}");
    let stored = StoredSecret {
        id: id.clone(),
        store_id: "s".to_owned(),
        name: key_name("g", provider, alias),
        scopes: vec![GATEWAY_SCOPE.to_owned()],
        comment: None,
        value: Kept::Sealed(String::new()),
        preview: String::new(),
        bound: Some(Bound { gateway_internal_id: String::new(), provider: provider.to_owned(), origin: None }),
        created_at: 0,
        modified_at: 0,
    };
    let config = ProviderConfig {
        id: format!("c-{id}"),
        gateway: "g".to_owned(),
        gateway_internal_id: String::new(),
        provider_slug: provider.to_owned(),
        alias: alias.to_owned(),
        default_config: false,
        secret_id: id,
        rate_limit: None,
        rate_limit_period: None,
        values: Default::default(),
        created_at: 0,
        modified_at: 0,
    };
    (OpenSecret { stored, value: Ok(Secret::new(value)) }, config)
}

fn plan(keys: Vec<(OpenSecret, ProviderConfig)>) -> Plan {
    Plan { stored: keys, keys: true, ..Plan::default() }
}

/// What the provider was shown last.
fn shown(town: &Town, header: &str) -> Option<String> {
    let last = town.provider.recorder().all().pop()?;
    last.request.header(header).map(str::to_owned)
}

fn code(heard: &Heard) -> (u16, u64, String) {
    let json = heard.json();
    (
        heard.status,
        json["internalCode"].as_u64().unwrap_or_default(),
        json["message"].as_str().unwrap_or_default().to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_key_then_a_stored_one_then_the_operators() {
    let town = town(plan(vec![key("openai", "default", "sk-stored"), key("openai", "other", "sk-other")])).await;
    for (headers, expected) in [
        (&[("authorization", "Bearer sk-callers")][..], "Bearer sk-callers"),
        (&[], "Bearer sk-stored"),
        (&[("cf-aig-byok-alias", "other")], "Bearer sk-other"),
        (&[("authorization", "Bearer ")], "Bearer sk-stored"),
    ] {
        assert_eq!(town.chat(headers, "gpt-4o").await.status, 200);
        assert_eq!(shown(&town, "authorization").as_deref(), Some(expected));
    }
    let body = r#"{"model":"claude-x","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"#;
    assert_eq!(town.post("anthropic/v1/messages", &[], body).await.status, 200);
    assert_eq!(shown(&town, "x-api-key").as_deref(), Some("sk-operator-fake"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_that_is_not_there_is_named_in_the_callers_words() {
    let town = town(plan(vec![key("openai", "default", "sk-a"), key("openai", "b", "sk-b")])).await;
    let none = [("cf-aig-byok-alias", "example")];
    let said = "Provider 'openai' has no BYOK credential named 'example'. Configured aliases: 'b', 'default'";
    assert_eq!(code(&town.chat(&none, "gpt-4o").await), (400, 2040, said.to_owned()));
    let unified = town.post("compat/chat/completions", &none, chat_body("openai/gpt-4o", false)).await;
    assert_eq!((unified.status, &unified.json()["error"]["message"]), (400, &json!(said)));
    assert_eq!(town.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_surface_goes_out_with_the_stored_key() {
    let town = town(plan(vec![key("openai", "default", "sk-stored"), key("openai", "b", "sk-b")])).await;
    let step = |alias: &str| json!({ "provider": "openai", "endpoint": "chat/completions", "headers": { "cf-aig-byok-alias": alias }, "query": { "model": "gpt-4o", "messages": [{ "role": "user", "content": "Hi" }] } });
    for (path, body, expected) in [
        ("compat/chat/completions", chat_body("openai/gpt-4o", false), "Bearer sk-stored"),
        ("", json!([step("b")]).to_string(), "Bearer sk-b"),
        // A step whose alias is missing is passed over.
        ("", json!([step("nobody"), step("default")]).to_string(), "Bearer sk-stored"),
    ] {
        let heard = town.post(path, &[], body).await;
        assert_eq!(heard.status, 200, "{path}: {:?}", heard.body);
        assert_eq!(shown(&town, "authorization").as_deref(), Some(expected), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn byok_only_keeps_the_operators_key_back() {
    let mut plan = plan(vec![key("openai", "other", "sk-other")]);
    plan.gateway.byok_only = true;
    let town = town(plan).await;
    let (status, said_code, said) = code(&town.chat(&[], "gpt-4o").await);
    assert_eq!((status, said_code), (400, 2907), "{said}");
    assert_eq!(town.chat(&[("cf-aig-byok-alias", "other")], "gpt-4o").await.status, 200);
    assert_eq!(town.chat(&[("authorization", "Bearer sk-callers")], "gpt-4o").await.status, 200);
    assert_eq!(town.asked(), 2);
    let open = self::town(self::plan(Vec::new())).await;
    assert_eq!(open.chat(&[("cf-aig-no-wholesale", "true")], "gpt-4o").await.status, 400);
    assert_eq!(open.chat(&[], "gpt-4o").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_a_limit_of_its_own() {
    let (secret, mut config) = key("openai", "default", "sk-stored");
    config.rate_limit = Some(2);
    config.rate_limit_period = Some(3_600);
    let town = town(plan(vec![(secret, config)])).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(town.chat(&[], "gpt-4o").await.status);
    }
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(town.chat(&[("authorization", "Bearer sk-callers")], "gpt-4o").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_not_follow_its_provider() {
    let (mut secret, config) = key("openai", "default", "sk-stored");
    secret.stored.bound.as_mut().unwrap().origin = Some("https://api.openai.com".to_owned());
    let town = town(Plan { stored: vec![(secret, config)], keys: true, ..Plan::default() }).await;
    let (status, said_code, said) = code(&town.chat(&[], "gpt-4o").await);
    assert!((status, said_code) == (400, 2907) && said.contains("another address"), "{said}");
    assert_eq!(town.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_to_aws_are_signed() {
    let value =
        json!({ "accessKeyId": "AKIAFAKE", "secretAccessKey": "fake", "region": "eu-west-1", "sessionToken": "tok" });
    let town = town(plan(vec![key("aws-bedrock", "default", &value.to_string())])).await;
    let body = r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#;
    town.post("aws-bedrock/bedrock-runtime/eu-west-1/model/amazon.nova-lite-v1%3A0/converse", &[], body).await;
    let said = shown(&town, "authorization").unwrap();
    assert!(
        said.starts_with("AWS4-HMAC-SHA256 Credential=AKIAFAKE/") && said.contains("/eu-west-1/bedrock/aws4_request"),
        "{said}"
    );
    assert_eq!(shown(&town, "x-amz-security-token").as_deref(), Some("tok"));
}

/// A token endpoint that says each time which one it is.
async fn token_endpoint(asked: Arc<AtomicUsize>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let number = asked.fetch_add(1, Ordering::SeqCst) + 1;
            tokio::spawn(async move {
                let mut read = vec![0; 16 * 1024];
                let mut heard = 0;
                // The assertion is the last thing that comes.
                while !String::from_utf8_lossy(&read[..heard]).contains("&assertion=") {
                    heard += connection.read(&mut read[heard..]).await.unwrap();
                }
                let body =
                    format!(r#"{{"access_token":"ya29.fake-{number}","expires_in":3600,"token_type":"Bearer"}}"#);
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                connection.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            });
        }
    });
    format!("http://{address}/token")
}

fn service_account(token_uri: &str) -> String {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use base64::Engine;
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    json!({ "type": "service_account", "project_id": "p", "private_key": pem, "client_email": "a@p", "token_uri": token_uri, "region": "us-east5" }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_is_exchanged_once_for_all() {
    let asked = Arc::new(AtomicUsize::new(0));
    let uri = token_endpoint(asked.clone()).await;
    let value = service_account(&uri);
    let town = town(plan(vec![key("google-vertex-ai", "default", &value)])).await;
    let path =
        "google-vertex-ai/v1/projects/p/locations/us-east5/publishers/google/models/gemini-2.5-pro:generateContent";
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#;
    let calls = (0..16).map(|_| town.post(path, &[], body));
    futures_util::future::join_all(calls).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "one fetch for sixteen calls");
    assert_eq!(shown(&town, "authorization").as_deref(), Some("Bearer ya29.fake-1"));
    // A caller may send one of its own in base64 in the place of a token.
    use base64::Engine;
    let own = base64::engine::general_purpose::STANDARD.encode(service_account(&uri));
    town.post(path, &[("authorization", &format!("Bearer {own}"))], body).await;
    assert_eq!(
        (asked.load(Ordering::SeqCst), shown(&town, "authorization").as_deref()),
        (2, Some("Bearer ya29.fake-2"))
    );
}
