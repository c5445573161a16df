//! What holds for every row: no request gets where it may not go, and no bad row compiles.
#![allow(clippy::unwrap_used)]

use http::HeaderMap;
use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_wire::provider::{Auth, Origin, ProviderRow, Providers, RawRow};

const ELSEWHERE: &str = "http://127.0.0.1:9000/prefix";

fn row(document: Value) -> Result<ProviderRow, String> {
    let raw: RawRow = serde_json::from_value(document).map_err(|error| error.to_string())?;
    ProviderRow::compile("custom-acme", &raw).map_err(|fault| fault.to_string())
}

fn url(row: &ProviderRow, rest: &str) -> String {
    let target = row.target("acc", rest, &HeaderMap::new()).unwrap();
    format!("{}{}", target.origin, target.path_and_query)
}

#[test]
fn a_custom_provider_is_the_same_row_made_from_json() {
    let acme = row(json!({ "title": "Acme", "base_url": "https://h.example/p" })).unwrap();
    assert_eq!(url(&acme, "v1/models?x=1"), "https://h.example/p/v1/models?x=1");
    assert_eq!(url(&acme, ""), "https://h.example/p");
    assert_eq!(acme.auth(), &Auth::Bearer);
    let providers = Providers::builtin().as_ref().clone().with(acme);
    assert_eq!(providers.get("custom-acme").unwrap().title(), "Acme");
    assert_eq!(providers.all().count(), Providers::builtin().all().count() + 1);
}

/// The base URL of a custom provider is what its owner said, to the letter: only the settings' override mends a doubled version.
#[test]
fn a_rows_own_base_url_is_not_mended() {
    let acme = row(json!({ "title": "Acme", "base_url": "https://h.example/v1" })).unwrap();
    assert_eq!(url(&acme, "v1/models"), "https://h.example/v1/v1/models");
}

#[test]
fn a_bad_row_is_refused_by_the_name_of_its_field() {
    let path =
        |from: &str, to: &str| json!({ "title": "x", "base_url": "https://h", "paths": [{ "from": from, "to": to }] });
    let operation = |path: &str, dialect: &str| json!({ "title": "x", "base_url": "https://h", "operations": [{ "path": path, "name": "n", "dialect": dialect }] });
    let auth = |auth: Value| json!({ "title": "x", "base_url": "https://h", "auth": auth });
    let hosts = |name: &str, host: &str| json!({ "title": "x", "base_url": "https://h", "target_header": { "name": name, "hosts": [host] } });
    for (document, expected) in [
        (json!({ "base_url": "https://h" }), "missing field `title`"),
        (json!({ "title": "x", "base_uri": "https://h" }), "unknown field `base_uri`"),
        (json!({ "title": "x" }), "base_url: is missing"),
        (json!({ "title": "x", "base_url": "h.example" }), "base_url: "),
        (json!({ "title": "x", "base_url": "file:///etc/passwd" }), "base_url: "),
        (json!({ "title": "x", "base_url": "https://u:p@h" }), "base_url: "),
        (json!({ "title": "x", "base_url": "https://h/?a=b" }), "base_url: "),
        (json!({ "title": "x", "base_url": "https://{region}.example.com" }), "base_url: "),
        (json!({ "title": "x", "base_url": "https://h", "strip_prefixes": ["v1"] }), "strip_prefixes: "),
        (json!({ "title": "x", "base_url": "https://h", "credential_headers": ["a b"] }), "credential_headers: "),
        (json!({ "title": "x", "base_url": "https://h", "own_headers": ["cf-aig-authorization"] }), "own_headers: "),
        (json!({ "title": "x", "base_url": "https://h", "own_headers": ["host"] }), "own_headers: "),
        (path("a//b", "x"), "paths.from: "),
        (path("{rest*}", "{other}"), "paths.to: "),
        (path("{rest*}", "x/{rest"), "paths.to: "),
        // A caller must not be able to choose the domain.
        (path("{host}/{rest*}", "https://{host}/{rest}"), "paths.to: "),
        (path("{host}/{rest*}", "https://{host}.com/{rest}"), "paths.to: "),
        (path("{host}/{rest*}", "https://api.{host}/{rest}"), "paths.to: "),
        (path("{host}/{rest*}", "https://{host}.example.com:8443/{rest}"), "paths.to: "),
        (path("{host}/{rest*}", "https://{account}.example.com/{rest}"), "paths.to: "),
        (path("{host}/{rest*}", "https://u@{host}.example.com/{rest}"), "paths.to: "),
        (operation("a", "klingon"), "operations.dialect: "),
        (operation("{a}{b}", "raw"), "operations.path: "),
        (auth(json!({ "kind": "header" })), "auth.name: "),
        (auth(json!({ "kind": "header", "name": "a b" })), "auth.name: "),
        (auth(json!({ "kind": "bearer", "name": "x" })), "auth.name: "),
        (auth(json!({ "kind": "query", "name": "k", "prefix": "x" })), "auth.prefix: "),
        (auth(json!({ "kind": "magic" })), "unknown variant `magic`"),
        (hosts("a b", "h.example"), "target_header.name: "),
        (hosts("x", "example"), "target_header.hosts: "),
        (hosts("x", "*"), "target_header.hosts: "),
        (hosts("x", "*.com"), "target_header.hosts: "),
    ] {
        let said = row(document.clone()).unwrap_err();
        assert!(said.starts_with(expected), "{document}: {said}");
    }
}

#[test]
fn rows_say_how_their_keys_travel() {
    let known = |segment: &str| Providers::builtin().get(segment).unwrap().clone();
    let names = |segment: &str| known(segment).credential_headers().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names("openai"), ["authorization"]);
    assert_eq!(names("anthropic"), ["authorization", "x-api-key"]);
    assert_eq!(names("azure-openai"), ["authorization", "api-key"]);
    assert_eq!(names("sandbox"), ["authorization", "x-api-key", "x-goog-api-key", "api-key"]);
    assert!(
        matches!(known("aws-bedrock").auth(), Auth::Sigv4 { services } if services["bedrock-runtime"] == "bedrock")
    );
    assert_eq!(known("sandbox").auth(), &Auth::None);
    let Auth::Header { name, prefix } = known("fal").auth().clone() else { panic!("fal's key goes into a header") };
    assert_eq!((name.as_str(), prefix.as_str()), ("authorization", "Key "));
    assert_eq!(known("google-ai-studio").credential_query(), Some("key"));
    assert_eq!(known("openai").key_env(), ["OPENAI_API_KEY"]);
    assert_eq!((known("grok").compat_prefix(), known("grok").rest_author()), (Some("grok"), Some("xai")));
}

#[test]
fn a_key_is_bound_to_an_origin_only_where_callers_have_no_say_in_it() {
    let origin = |segment: &str| Providers::builtin().get(segment).unwrap().fixed_origin().map(|origin| origin.text());
    assert_eq!(origin("openai").as_deref(), Some("https://api.openai.com"));
    assert_eq!(origin("sandbox").as_deref(), Some("builtin://sandbox"));
    for segment in ["aws-bedrock", "azure-openai", "azure"] {
        assert_eq!(origin(segment), None, "{segment}");
    }
    let moved = Providers::builtin().with_base_url("azure-openai", "http://127.0.0.1:9000/x").unwrap();
    let expected = Origin { scheme: "http".to_owned(), host: "127.0.0.1".to_owned(), port: 9000 };
    assert_eq!(moved.get("azure-openai").unwrap().fixed_origin(), Some(expected));
}

/// Prefixes and REST authors are looked up, so none may be claimed twice; and a row without a reference cannot be proofread.
#[test]
fn names_are_claimed_once_and_rows_have_references() {
    let rows: Vec<_> = Providers::builtin().all().collect();
    for pick in [ProviderRow::compat_prefix as fn(&ProviderRow) -> Option<&str>, ProviderRow::rest_author] {
        let mut names: Vec<&str> = rows.iter().filter_map(|row| pick(row)).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
    for row in rows.iter().filter(|row| row.auth() != &Auth::None) {
        assert!(row.docs().starts_with("https://"), "{}", row.segment());
    }
}

#[test]
fn an_unknown_segment_cannot_be_moved() {
    let said = Providers::builtin().with_base_url("nobody", "http://127.0.0.1").unwrap_err().to_string();
    assert!(said.contains("`nobody`"), "{said}");
}

/// Where a row may go: its fixed origin, or below one of the domains that its templates end in.
fn is_permitted(row: &ProviderRow, origin: &Origin) -> bool {
    const DOMAINS: [&str; 6] = [
        ".amazonaws.com",
        ".api.aws",
        ".openai.azure.com",
        ".services.ai.azure.com",
        ".googleapis.com",
        ".api.baseten.co",
    ];
    let below = |domain: &&str| origin.host.ends_with(*domain) && origin.scheme == "https" && origin.port == 443;
    row.fixed_origin().as_ref() == Some(origin) || DOMAINS.iter().any(below)
}

fn has_dot_segment(path: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
    decoded.split(['/', '\\']).any(|part| matches!(part, "." | ".."))
}

/// Pieces that real and hostile paths are made of.
fn hostile_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            "/", "//", "v1", "v1/", "model", "bedrock-runtime", "us-east-1", "deployments", "openai", "anthropic", "projects", "locations",
            "publishers", "models", "global", "run", "{rest}", "m:generateContent", "chat/completions", "invoke", "predictions",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "..", ".", "%2e", "%2f", "%5c", "\\", "@", ":", "#", "?", "&", "=", ";", "evil.com", "%00", "%0d%0a", "[::1]", " ", "\u{e9}", "%25", "127.0.0.1",
        ]).prop_map(str::to_owned),
        1 => "[ -~]{0,6}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_path_leads_astray(at in 0usize..1_000, rest in hostile_path()) {
        let rows: Vec<_> = Providers::builtin().all().collect();
        let row = rows[at % rows.len()];
        let Ok(target) = row.target("acc", &rest, &HeaderMap::new()) else { return Ok(()) };
        prop_assert!(is_permitted(row, &target.origin), "{}", target.origin);

        let parsed: http::uri::PathAndQuery = target.path_and_query.parse().unwrap();
        prop_assert_eq!(parsed.as_str(), &target.path_and_query);
        prop_assert!(target.path_and_query.starts_with('/'));
        prop_assert!(!has_dot_segment(parsed.path()));
        prop_assert_eq!(parsed.query(), rest.split_once('?').map(|(_, query)| query));

        let authority: http::uri::Authority = target.origin.host.parse().unwrap();
        prop_assert_eq!(authority.host(), &target.origin.host);
    }

    #[test]
    fn another_base_url_takes_everything(at in 0usize..1_000, rest in hostile_path()) {
        let rows: Vec<_> = Providers::builtin().all().collect();
        let row = rows[at % rows.len()].with_base_url(ELSEWHERE).unwrap();
        let target = row.target("acc", &rest, &HeaderMap::new());
        prop_assert_eq!(target.is_ok(), rows[at % rows.len()].target("acc", &rest, &HeaderMap::new()).is_ok());
        let Ok(target) = target else { return Ok(()) };
        prop_assert_eq!(target.origin.text(), "http://127.0.0.1:9000");
        prop_assert!(target.path_and_query.starts_with("/prefix"), "{}", target.path_and_query);
    }

    /// Rows that map nothing: what the caller wrote arrives, byte by byte.
    #[test]
    fn a_plain_path_arrives_as_it_is(path in "[a-zA-Z0-9%][a-zA-Z0-9%:@!$&'()*+,;=_~/-]{0,40}", query in "[!-~&&[^#<>\"]]{0,40}") {
        let row = Providers::builtin().get("anthropic").unwrap();
        let target = row.target("acc", &format!("{path}?{query}"), &HeaderMap::new()).unwrap();
        prop_assert_eq!(target.path_and_query, format!("/{path}?{query}"));
        prop_assert_eq!(target.log_path, path);
    }
}
