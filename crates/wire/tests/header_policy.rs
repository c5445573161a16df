//! The header policy as tables and as laws.
#![allow(clippy::unwrap_used)]

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use tollgate_wire::headers::{RequestPolicy, forward_request, forward_response, is_blank};

type Line = (&'static str, &'static str);

fn map<'a>(lines: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    headers
}

fn lines(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect()
}

fn request(headers: &HeaderMap) -> HeaderMap {
    forward_request(headers, &RequestPolicy { spent: &|_| false, own: &[] })
}

const NEVER_FORWARDED: &[Line] = &[
    ("host", "gateway.example"),
    ("content-length", "12"),
    ("connection", "keep-alive"),
    ("keep-alive", "timeout=5"),
    ("proxy-connection", "keep-alive"),
    ("proxy-authorization", "Basic bm90LWEta2V5"),
    ("proxy-authenticate", "Basic"),
    ("te", "gzip"),
    ("te", "trailers, deflate"),
    ("trailer", "x-sum"),
    ("transfer-encoding", "chunked"),
    ("upgrade", "h2c"),
    ("http2-settings", "AAMAAABkAAQAAP__"),
    ("expect", "100-continue"),
    ("cf-aig-authorization", "Bearer not-a-token"),
    ("cf-aig-metadata", "{}"),
    ("cf-aig-anything-new", "1"),
    ("cf-cache-ttl", "60"),
    ("cf-skip-cache", "true"),
    ("cf-access-token", "not-a-token"),
    ("cf-access-jwt-assertion", "not-a-token"),
    ("cf-access-client-secret", "not-a-secret"),
    ("cf-connecting-ip", "192.0.2.1"),
    ("cf-ray", "0"),
    ("cookie", "CF_Authorization=not-a-token; a=b"),
    ("x-forwarded-for", "192.0.2.1"),
    ("x-forwarded-host", "gateway.example"),
    ("forwarded", "for=192.0.2.1"),
    ("x-real-ip", "192.0.2.1"),
    ("true-client-ip", "192.0.2.1"),
    ("tollgate-anything", "1"),
    ("sec-websocket-protocol", "cf-aig-authorization.not-a-token"),
    ("authorization", "{\"cf-access-client-id\":\"a\",\"cf-access-client-secret\":\"not-a-secret\"}"),
    ("authorization", ""),
    ("authorization", "Bearer "),
    ("authorization", "bearer"),
    ("authorization", "Bearer undefined"),
    ("x-api-key", ""),
    ("x-api-key", "  "),
    ("x-goog-api-key", "undefined"),
    ("api-key", "null"),
    ("xi-api-key", ""),
];

/// In the order in which they are sent; a map keeps values of one name together.
const ALWAYS_FORWARDED: &[Line] = &[
    (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
    ),
    ("x-amz-date", "20260101T000000Z"),
    ("x-amz-security-token", "not+a/token=="),
    ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    ("accept", "*/*"),
    ("accept-encoding", "gzip, br;q=0.5,  zstd"),
    ("anthropic-beta", "one"),
    ("anthropic-beta", "two,three"),
    ("anthropic-beta", ""),
    ("anthropic-version", "2023-06-01"),
    ("openai-organization", "org-1"),
    ("x-stainless-retry-count", "0"),
    ("user-agent", "x  y\tz"),
    ("content-type", "multipart/form-data; boundary=\"a b\""),
    ("content-encoding", "zstd"),
    ("te", "trailers"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("x-fal-target-url", "https://queue.fal.run/x"),
    ("x-session-affinity", "s"),
    ("x-goog-user-project", "p"),
    ("x-latin", "caf\u{e9}"),
    ("x-empty", ""),
    ("x-undefined", "undefined"),
    ("cookie2", "x"),
    ("cfx", "x"),
    ("hostess", "x"),
    ("x-forwarder", "x"),
    ("tollgates", "x"),
];

#[test]
fn what_belongs_to_the_gateway_or_to_one_hop_stays_here() {
    for line in NEVER_FORWARDED {
        assert!(request(&map([line])).is_empty(), "{line:?}");
    }
}

#[test]
fn everything_else_goes_on_in_order_and_untouched() {
    let all = map(ALWAYS_FORWARDED);
    assert_eq!(lines(&request(&all)), lines(&all));
}

#[test]
fn credentials_that_hold_a_gateway_token_are_spent() {
    let headers =
        map(&[("authorization", "Bearer not-a-gateway-token"), ("x-api-key", "not-a-provider-key"), ("accept", "*/*")]);
    let is_spent = |name: &HeaderName| *name == http::header::AUTHORIZATION;
    let out = forward_request(&headers, &RequestPolicy { spent: &is_spent, own: &[] });
    assert_eq!(lines(&out), lines(&map(&[("x-api-key", "not-a-provider-key"), ("accept", "*/*")])));
}

#[test]
fn a_header_of_ours_goes_only_to_the_provider_it_is_meant_for() {
    let headers = map(&[("tollgate-sandbox", "status=500"), ("tollgate-strict", "true")]);
    let own = [HeaderName::from_static("tollgate-sandbox")];
    let out = forward_request(&headers, &RequestPolicy { spent: &|_| false, own: &own });
    assert_eq!(lines(&out), lines(&map(&[("tollgate-sandbox", "status=500")])));
}

#[test]
fn what_connection_names_is_of_this_hop() {
    for connection in ["X-Secret", "close, x-secret", "x-other ,X-SECRET,", "keep-alive, \tx-secret", ",,x-secret"] {
        let headers = map(&[("x-secret", "1"), ("connection", connection), ("x-secret-not", "2"), ("accept", "*/*")]);
        let expected = lines(&map(&[("x-secret-not", "2"), ("accept", "*/*")]));
        assert_eq!(lines(&request(&headers)), expected, "{connection}");
        assert_eq!(lines(&forward_response(headers.clone())), expected, "{connection}");
    }
    let two = map(&[("connection", "x-a"), ("connection", "x-b"), ("x-a", "1"), ("x-b", "2"), ("x-c", "3")]);
    assert_eq!(lines(&request(&two)), lines(&map(&[("x-c", "3")])));
}

#[test]
fn answers_lose_cookies_hops_and_what_looks_like_ours() {
    for line in [
        ("set-cookie", "a=b"),
        ("set-cookie2", "a=b"),
        ("connection", "close"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "close"),
        ("proxy-authenticate", "Basic"),
        ("proxy-authentication-info", "x"),
        ("te", "trailers"),
        ("trailer", "x-sum"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2"),
        ("cf-aig-cache-status", "HIT"),
        ("cf-aig-log-id", "forged"),
        ("tollgate-anything", "1"),
        ("alt-svc", "h3=\":443\""),
        ("strict-transport-security", "max-age=1"),
    ] {
        assert!(forward_response(map(&[line])).is_empty(), "{line:?}");
    }
    let kept: &[Line] = &[
        ("content-type", "text/event-stream"),
        ("content-length", "12"),
        ("content-encoding", "br"),
        ("retry-after", "1"),
        ("x-ratelimit-remaining-requests", "9"),
        ("www-authenticate", "Bearer"),
        ("cf-ray", "0"),
        ("cf-ai-req-id", "1"),
        ("x-request-id", "req_1"),
        ("cache-status", "upstream; hit"),
        ("vary", "a"),
        ("vary", "b"),
        ("proxy-status", "x"),
    ];
    assert_eq!(lines(&forward_response(map(kept))), lines(&map(kept)));
}

#[test]
fn blank_credentials_are_told_from_keys() {
    for (text, expected) in [
        ("", true),
        (" ", true),
        ("Bearer", true),
        ("Bearer  ", true),
        ("Token", true),
        ("Key null", true),
        ("Bearer undefined", true),
        ("undefined", true),
        ("Bearer k", false),
        ("k", false),
        ("Bearer bearer", false),
        ("undefined k", false),
        ("Basic Og==", false),
        ("\u{fc}", false),
    ] {
        assert_eq!(is_blank(&HeaderValue::from_bytes(text.as_bytes()).unwrap()), expected, "{text:?}");
    }
}

/// The forbidden names once more, spelled out from the policy's prose and not from its tables.
fn is_forbidden(name: &str) -> bool {
    let hop = ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
    let ours = ["cf-", "tollgate-", "proxy-", "x-forwarded-", "sec-websocket-"];
    hop.contains(&name)
        || ours.iter().any(|begun| name.starts_with(begun))
        || ["host", "content-length", "cookie", "expect", "forwarded", "http2-settings", "true-client-ip", "x-real-ip"]
            .contains(&name)
}

fn any_header() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        "[a-z][a-z0-9-]{0,12}",
        prop::sample::select(NEVER_FORWARDED).prop_map(|(name, _)| name.to_owned()),
        prop::sample::select(ALWAYS_FORWARDED).prop_map(|(name, _)| name.to_owned()),
        prop::sample::select(vec!["cf-", "tollgate-", "proxy-", "x-forwarded-"]).prop_map(|begun| format!("{begun}x")),
    ];
    (name, "[ -~]{0,20}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_forbidden_goes_on_and_nothing_else_is_lost(pairs in prop::collection::vec(any_header(), 0..24)) {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let headers = map(&pairs);
        let named: Vec<String> = headers.get_all("connection").iter()
            .flat_map(|value| value.to_str().unwrap().split(',').map(|word| word.trim().to_ascii_lowercase()).collect::<Vec<_>>())
            .collect();
        let credentials = ["authorization", "x-api-key", "x-goog-api-key", "api-key", "xi-api-key"];
        let stays = |name: &str, value: &HeaderValue| {
            let trailers = name == "te" && value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"trailers");
            (is_forbidden(name) && !trailers)
                || named.iter().any(|word| word == name)
                || (credentials.contains(&name) && is_blank(value))
        };
        let mut expected = HeaderMap::new();
        for (name, value) in headers.iter().filter(|(name, value)| !stays(name.as_str(), value)) {
            expected.append(name.clone(), value.clone());
        }
        prop_assert_eq!(lines(&request(&headers)), lines(&expected));
    }
}

/// One name that stays among others, and values of one name that do not stand together: every way through the map.
#[test]
fn what_goes_back_keeps_its_order_and_all_its_values() {
    let kept =
        [("content-type", "text/plain"), ("x-a", "1"), ("via", "1.1 a"), ("x-a", "2"), ("vary", "a"), ("vary", "b")];
    let sorted = lines(&map(&kept));
    assert_eq!(lines(&forward_response(map(&kept))), sorted);
    for at in 0..=kept.len() {
        let mut with_others = kept.to_vec();
        with_others.insert(at, ("set-cookie", "a=b"));
        with_others.push(("set-cookie", "c=d"));
        with_others.push(("connection", "close, x-hop"));
        with_others.insert(at, ("x-hop", "1"));
        assert_eq!(lines(&forward_response(map(&with_others))), sorted, "{at}");
    }
}
