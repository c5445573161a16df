//! What can be set, what is shown, and what becomes of credentials in headers.

use super::*;

fn made(body: Value) -> Result<CustomProvider, Vec<String>> {
    create(&body, &Egress::default()).map_err(|faults| faults.iter().map(Fault::to_string).collect())
}

fn acme() -> CustomProvider {
    let headers = r#"{"X-Org":"o-fake","Authorization":"Bearer sk-fake"}"#;
    made(json!({ "name": "Acme", "slug": "acme", "base_url": "https://h.example/v1", "headers": headers })).unwrap()
}

fn changed(body: Value) -> CustomProvider {
    change(&acme(), &body, &Egress::default()).unwrap()
}

#[test]
fn every_fault_is_told_at_once() {
    assert_eq!(made(json!({})).unwrap_err(), ["name: Required", "slug: Required", "base_url: Required"]);
    let wrong = json!({ "name": "", "slug": "a b", "base_url": "http://h.example", "link": "javascript:alert(1)", "enable": 1, "headers": "[]", "position": "x" });
    let told = made(wrong).unwrap_err();
    let members: Vec<&str> = told.iter().map(|fault| fault.split(':').next().unwrap()).collect();
    assert_eq!(members, ["name", "link", "enable", "position", "slug", "base_url", "headers"]);
    assert!(made(json!({ "name": "a", "slug": "a", "base_url": "https://h.example/../x" })).is_err());
}

#[test]
fn null_is_as_good_as_absent() {
    let body = json!({ "name": "a", "slug": "a", "base_url": "https://h.example", "enable": null, "headers": null, "link": null, "position": null });
    let provider = made(body).unwrap();
    assert!(!provider.enable && provider.headers.is_empty() && provider.link.is_none());
}

#[test]
fn the_value_of_a_header_is_never_shown() {
    let text = shown(&acme(), "a").to_string();
    assert!(text.contains("X-Org") && !text.contains("fake"), "{text}");
    assert!(!format!("{:?}", acme()).contains("fake"));
    assert_eq!(shown(&acme(), "a")["headers"], r#"{"X-Org":"***","Authorization":"***"}"#);
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let after = changed(json!({ "enable": true, "name": null, "unknown": 1 }));
    assert_eq!(after, CustomProvider { enable: true, ..acme() });
    let after = changed(json!({ "headers": r#"{"X-Org":"***","X-New":"n"}"# }));
    assert_eq!(after.headers.iter().map(|header| &*header.value).collect::<Vec<_>>(), ["o-fake", "n"]);
    assert!(changed(json!({ "headers": null })).headers.is_empty());
    // Another path of the same server.
    assert_eq!(changed(json!({ "base_url": "https://h.example/v2" })).headers, acme().headers);
}

/// Who may change a base URL must not learn the credentials that were meant for the old one.
#[test]
fn headers_do_not_follow_to_another_origin() {
    for url in ["https://elsewhere.example/v1", "https://h.example:8443/v1", "https://h.example.evil.example/v1"] {
        assert!(changed(json!({ "base_url": url })).headers.is_empty(), "{url}");
        let hidden = json!({ "base_url": url, "headers": r#"{"Authorization":"***"}"# });
        assert!(change(&acme(), &hidden, &Egress::default()).is_err(), "{url}");
        let anew = changed(json!({ "base_url": url, "headers": r#"{"Authorization":"Bearer new-fake"}"# }));
        assert_eq!(anew.headers[0].value, "Bearer new-fake");
    }
}

#[test]
fn a_logo_is_an_image_of_the_slug() {
    let logo = logo("<acme>");
    let svg = BASE64_STANDARD.decode(logo.strip_prefix("data:image/svg+xml;base64,").unwrap()).unwrap();
    assert!(String::from_utf8(svg).unwrap().ends_with(">A</text></svg>"));
}
