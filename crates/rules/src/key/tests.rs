//! Which key serves, where it may go, and what it signs; compared with the official signer.

use std::collections::BTreeMap;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use tollgate_model::keep::{Bound, GATEWAY_SCOPE, Kept, ProviderConfig, key_name};
use tollgate_model::{Gateway, Secret, StoredSecret};
use tollgate_wire::provider::{Auth, Origin, Providers};

use super::*;
use crate::snapshot::{Documents, Snapshot};

fn gateway(id: &str) -> Gateway {
    Gateway { id: id.to_owned(), internal_id: format!("i-{id}"), ..Gateway::default() }
}

fn secret(gateway: &str, provider: &str, alias: &str, origin: Option<&str>, value: &str) -> OpenSecret {
    let bound = Bound {
        gateway_internal_id: format!("i-{gateway}"),
        provider: provider.to_owned(),
        origin: origin.map(str::to_owned),
    };
    let stored = StoredSecret {
        id: format!("s-{provider}-{alias}"),
        store_id: "store".to_owned(),
        name: key_name(gateway, provider, alias),
        scopes: vec![GATEWAY_SCOPE.to_owned()],
        comment: None,
        value: Kept::Sealed(String::new()),
        preview: String::new(),
        bound: Some(bound),
        created_at: 0,
        modified_at: 0,
    };
    OpenSecret { stored, value: Ok(Secret::new(value)) }
}

fn config(secret: &OpenSecret, alias: &str, is_default: bool) -> ProviderConfig {
    let bound = secret.stored.bound.as_ref().unwrap();
    ProviderConfig {
        id: format!("c-{alias}"),
        gateway: "g".to_owned(),
        gateway_internal_id: bound.gateway_internal_id.clone(),
        provider_slug: bound.provider.clone(),
        alias: alias.to_owned(),
        default_config: is_default,
        secret_id: secret.stored.id.clone(),
        rate_limit: Some(3),
        rate_limit_period: None,
        values: BTreeMap::new(),
        created_at: 0,
        modified_at: 0,
    }
}

fn compiled(providers: Providers, secrets: Vec<OpenSecret>, configs: Vec<ProviderConfig>) -> Snapshot {
    let gateways = ["g", "a", "a_openai"].map(gateway).to_vec();
    let documents = Documents {
        account: "acc".to_owned(),
        providers: Arc::new(providers),
        gateways,
        secrets,
        provider_configs: configs,
        ..Documents::default()
    };
    Snapshot::compile(1, documents).unwrap()
}

fn builtin() -> Providers {
    (**Providers::builtin()).clone()
}

fn origin(host: &str) -> Origin {
    Origin { scheme: "https".to_owned(), host: host.to_owned(), port: 443 }
}

const OPENAI: Option<&str> = Some("https://api.openai.com");

#[test]
fn the_default_is_the_marked_one_else_the_one_called_so() {
    let secrets = || ["default", "other"].map(|alias| secret("g", "openai", alias, OPENAI, "sk-fake")).to_vec();
    let marked = |marks: [bool; 2]| {
        let secrets = secrets();
        let configs = vec![config(&secrets[0], "default", marks[0]), config(&secrets[1], "other", marks[1])];
        let snapshot = compiled(builtin(), secrets, configs);
        let keys = &snapshot.gateway("g").unwrap().keys;
        (keys.usual("openai").unwrap().alias.clone(), keys.of("openai").len())
    };
    assert_eq!(marked([false, true]), ("other".to_owned(), 2));
    assert_eq!(marked([false, false]), ("default".to_owned(), 2));
    let one = vec![secret("g", "openai", "other", OPENAI, "sk-fake")];
    let configs = vec![config(&one[0], "other", false)];
    assert!(compiled(builtin(), one, configs).gateway("g").unwrap().keys.usual("openai").is_none());
}

#[test]
fn a_secret_is_found_by_its_name_alone() {
    let snapshot = compiled(builtin(), vec![secret("g", "google-ai-studio", "my_own", None, "k")], Vec::new());
    let key = snapshot.gateway("g").unwrap().keys.named("google-ai-studio", "my_own").unwrap();
    // It was written for a provider of many hosts, and this one has one: refused.
    assert_eq!(key.check(), Err(Unusable::Moved));
    // Two gateways may be meant by one name; the binding says whose it is.
    let snapshot = compiled(builtin(), vec![secret("a", "openai", "openai_x", OPENAI, "k")], Vec::new());
    assert_eq!(snapshot.gateway("a").unwrap().keys.named("openai", "openai_x").unwrap().check(), Ok(()));
    let other = snapshot.gateway("a_openai").unwrap().keys.named("openai", "x").unwrap();
    assert_eq!(other.check(), Err(Unusable::Moved));
}

#[test]
fn a_key_stays_where_its_provider_was() {
    let secrets = || vec![secret("g", "openai", "default", OPENAI, "sk-fake")];
    let target = origin("api.openai.com");
    let snapshot = compiled(builtin(), secrets(), Vec::new());
    let key = snapshot.gateway("g").unwrap().keys.usual("openai").unwrap().clone();
    assert!(matches!(key.credential_for(&target), Ok(Credential::Plain(secret)) if secret.expose() == "sk-fake"));
    let moved = builtin().with_base_url("openai", "https://proxy.example/v1").unwrap();
    let snapshot = compiled(moved, secrets(), Vec::new());
    let key = snapshot.gateway("g").unwrap().keys.usual("openai").unwrap().clone();
    assert_eq!(key.credential_for(&target).unwrap_err(), Unusable::Moved);
    assert_eq!(key.credential_for(&origin("proxy.example")).unwrap_err(), Unusable::Moved);
}

#[test]
fn an_azure_key_is_for_one_resource() {
    let value = r#"{"key": "fake", "resource": "acme"}"#;
    let snapshot = compiled(builtin(), vec![secret("g", "azure-openai", "default", None, value)], Vec::new());
    let key = snapshot.gateway("g").unwrap().keys.usual("azure-openai").unwrap().clone();
    assert!(key.credential_for(&origin("acme.openai.azure.com")).is_ok());
    assert_eq!(key.credential_for(&origin("evil.openai.azure.com")).unwrap_err(), Unusable::Elsewhere);
    let nobodys = compiled(builtin(), vec![secret("g", "azure-openai", "default", None, "fake")], Vec::new());
    let key = nobodys.gateway("g").unwrap().keys.usual("azure-openai").unwrap().clone();
    assert!(matches!(key.check(), Err(Unusable::Malformed(said)) if said.contains("resource")));
}

#[test]
fn a_key_brings_what_its_row_leaves_open() {
    let value = r#"{"accessKeyId": "AKIAFAKE", "secretAccessKey": "fake", "region": "eu-west-1"}"#;
    let mut one = secret("g", "aws-bedrock", "default", None, value);
    let mut with_config = config(&one, "default", true);
    let snapshot = compiled(builtin(), vec![one.clone()], vec![with_config.clone()]);
    let key = snapshot.gateway("g").unwrap().keys.usual("aws-bedrock").unwrap().clone();
    let path = |key: &StoredKey| {
        let reach = key.row.reaches(tollgate_wire::provider::Use::Chat, "m").next().unwrap();
        key.row.reach_path(reach, "m", false).unwrap()
    };
    assert_eq!(path(&key), "bedrock-runtime/eu-west-1/model/m/converse");
    assert_eq!(key.limit.unwrap().requests, 3);
    // What the config says is over what the key says.
    with_config.values.insert("region".to_owned(), "us-west-2".to_owned());
    let snapshot = compiled(builtin(), vec![one.clone()], vec![with_config]);
    assert_eq!(
        path(snapshot.gateway("g").unwrap().keys.usual("aws-bedrock").unwrap()),
        "bedrock-runtime/us-west-2/model/m/converse"
    );
    one.value = Ok(Secret::new(r#"{"accessKeyId": "AKIAFAKE", "region": "a/b"}"#));
    let snapshot = compiled(builtin(), vec![one], Vec::new());
    assert!(matches!(
        snapshot.gateway("g").unwrap().keys.usual("aws-bedrock").unwrap().check(),
        Err(Unusable::Malformed(_))
    ));
}

#[test]
fn a_snapshot_does_not_show_its_secrets() {
    let shown = format!(
        "{:?}",
        compiled(builtin(), vec![secret("g", "openai", "default", OPENAI, "sk-fake-canary")], Vec::new())
    );
    assert!(!shown.contains("sk-fake-canary") && shown.contains("***"));
}

fn aws(token: Option<&str>) -> AwsKeys {
    AwsKeys {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: token.map(Secret::new),
        region: None,
    }
}

/// What the signer of AWS's SDK for Rust (aws-sigv4 1.6) says to the same questions; the first one is of AWS's published test suite.
#[test]
fn signatures_are_those_of_the_official_signer() {
    type Case<'a> =
        (&'a str, &'a str, Method, &'a str, &'a [(&'static str, &'static str)], &'a str, Option<&'a str>, &'a str);
    let json: &[(&str, &str)] = &[("content-type", "application/json")];
    let cases: [Case<'_>; 5] = [
        (
            "example.amazonaws.com",
            "us-east-1/service",
            Method::GET,
            "/",
            &[],
            "",
            None,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "bedrock-runtime.us-east-1.amazonaws.com",
            "us-east-1/bedrock",
            Method::POST,
            "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke",
            json,
            "{\"a\":1}",
            None,
            "902c7a940980132c6299997c9912555daecb2251ec116bd3ed672d6afcda12d6",
        ),
        (
            "bedrock-runtime.eu-west-1.amazonaws.com",
            "eu-west-1/bedrock",
            Method::POST,
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fx/converse",
            json,
            "{}",
            Some("tok/en+=="),
            "f80b106edc9df497c5f21d79752c399a58bb27f860ff428737a72037c2b75aab",
        ),
        (
            "bedrock-mantle.us-east-1.api.aws",
            "us-east-1/bedrock-mantle",
            Method::POST,
            "/anthropic/v1/messages?beta=true&a=%2F+b&A=&z",
            &[("content-type", "application/json; charset=utf-8")],
            "{\"m\":\"ü\"}",
            None,
            "d592543e7bf2a57989897e69aff4aeb5eecd23d7f2ce7be50b5f56f0924e4d65",
        ),
        (
            "bedrock-runtime.us-east-1.amazonaws.com",
            "us-east-1/bedrock",
            Method::POST,
            "/model/amazon.nova-lite-v1:0/converse-stream",
            &[("content-type", "application/json"), ("x-amz-thing", "  a   b ")],
            "",
            None,
            "3b3ade545680a36fc75f3fba47d0f682fe8a4325e64f84ca8a08d650abba347c",
        ),
    ];
    for (host, scope, method, path, lines, body, token, signature) in cases {
        let (region, service) = scope.split_once('/').unwrap();
        let scope = Scope { region: region.to_owned(), service: service.to_owned() };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        // What a caller left over from a signature of its own does not count.
        headers.insert("x-amz-date", HeaderValue::from_static("20000101T000000Z"));
        headers.insert("x-amz-security-token", HeaderValue::from_static("stale"));
        sign(&aws(token), &scope, (&method, host, path), &mut headers, body.as_bytes(), 1_440_938_160_000).unwrap();
        let said = headers["authorization"].to_str().unwrap();
        assert!(said.ends_with(&format!("Signature={signature}")), "{path}: {said}");
        assert!(headers["authorization"].is_sensitive());
        assert_eq!(headers.get("x-amz-security-token").map(|value| value.to_str().unwrap()), token);
    }
}

#[test]
fn the_host_says_service_and_region() {
    let row = Providers::builtin().get("aws-bedrock").unwrap();
    let keys = AwsKeys { region: Some("own-1".to_owned()), ..aws(None) };
    let of = |host: &str| {
        let scope = Scope::of(row.auth(), &origin(host), &keys).unwrap();
        format!("{}/{}", scope.region, scope.service)
    };
    assert_eq!(of("bedrock-runtime.eu-west-1.amazonaws.com"), "eu-west-1/bedrock");
    assert_eq!(of("bedrock-mantle.us-east-1.api.aws"), "us-east-1/bedrock-mantle");
    assert_eq!(of("127.0.0.1"), "own-1/bedrock");
    assert_eq!(of("vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com"), "own-1/bedrock");
    assert_eq!(Scope::of(&Auth::Bearer, &origin("x"), &keys), None);
}

fn service_account(token_uri: &str) -> (Value, KeyPair) {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
    let document = json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "kid-1", "private_key": pem,
        "client_email": "a@p-1.iam.gserviceaccount.com", "token_uri": token_uri, "region": "us-east5"
    });
    (document, pair)
}

#[test]
fn a_service_account_signs_what_google_checks() {
    let (document, pair) = service_account("https://oauth2.googleapis.com/token");
    let (credential, values) = read(&Auth::Google, &Secret::new(document.to_string())).unwrap();
    assert_eq!((values["project"].as_str(), values["region"].as_str()), ("p-1", "us-east5"));
    let Credential::Google(account) = credential else { panic!("{credential:?}") };
    assert_eq!(account.token_uri, "https://oauth2.googleapis.com/token");
    let body = account.request_body(1_700_000_000_500).unwrap();
    let assertion =
        body.strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=").unwrap();
    let parts: Vec<&str> = assertion.split('.').collect();
    let part = |at: usize| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap();
    assert_eq!(part(0), json!({ "alg": "RS256", "typ": "JWT", "kid": "kid-1" }));
    assert_eq!((&part(1)["iat"], &part(1)["exp"]), (&json!(1_700_000_000), &json!(1_700_003_600)));
    assert_eq!(part(1)["aud"], "https://oauth2.googleapis.com/token");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    public.verify(format!("{}.{}", parts[0], parts[1]).as_bytes(), &signature).unwrap();
    assert!(!format!("{account:?}").contains("PRIVATE"));
}

#[test]
fn a_service_account_may_come_in_base64_and_must_be_whole() {
    let (document, _) = service_account("https://oauth2.googleapis.com/token");
    let text = STANDARD.encode(document.to_string());
    assert!(ServiceAccount::read_base64(&text).is_some());
    assert!(matches!(read(&Auth::Google, &Secret::new(text)), Ok((Credential::Google(_), _))));
    assert!(matches!(read(&Auth::Google, &Secret::new("ya29.fake")), Ok((Credential::Plain(_), _))));
    for (member, bad, said) in [
        ("private_key", "none", "PEM"),
        ("client_email", "", "client_email"),
        ("token_uri", "http://metadata.example/", "token_uri"),
        ("token_uri", "file:///etc/passwd", "token_uri"),
    ] {
        let mut broken = document.clone();
        broken[member] = bad.into();
        let found = read(&Auth::Google, &Secret::new(broken.to_string())).unwrap_err();
        assert!(found.contains(said), "{found}");
    }
    // Another provider's kind of key is not taken for one.
    assert!(read(&Auth::Bearer, &Secret::new(document.to_string())).is_err());
}
