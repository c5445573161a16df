//! What is not a resource: unknown paths, probes, the page for people, and failures.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::Value;
use tollgate_model::token::Permission;
use tollgate_rules::snapshot::Documents;

use super::shop::{Shop, public};
use crate::router::Public;

#[tokio::test]
async fn unknown_paths_methods_and_names_are_told_in_the_envelope() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Write]);
    for (method, path, expected) in [
        ("GET", "/client/v4/nope", (404, 7000)),
        ("POST", "/anything/else", (404, 7000)),
        ("GET", "/client/v4", (404, 7000)),
        ("GET", "/client/v4/accounts//ai-gateway/gateways", (403, 10000)),
        ("GET", "/client/v4/livez", (404, 7000)),
        ("PATCH", "/client/v4/accounts/a/ai-gateway/gateways", (405, 10405)),
        ("DELETE", "/readyz", (405, 10405)),
        ("GET", "/client/v4/accounts/%ff/ai-gateway/gateways", (400, 7003)),
    ] {
        let (status, code, result) = shop.ask_raw(method, path, &token, None).await.problem();
        assert_eq!((status, code, result), (expected.0, expected.1, Value::Null), "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_over_the_bound_is_refused() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Write]);
    let path = "/accounts/a/ai-gateway/gateways";
    let said = shop.ask_raw("POST", path, &token, Some(" ".repeat((1 << 20) + 1))).await;
    assert_eq!(said.problem(), (413, 7001, Value::Null));
    assert_eq!(shop.ask_raw("POST", path, &token, Some(" ".repeat(1 << 20))).await.status, 400);
}

#[tokio::test]
async fn a_panic_is_told_as_an_error_and_takes_nothing_with_it() {
    let shop = Shop::with(Documents::default(), public(true), Box::new(|_| panic!("on purpose")));
    shop.gateway("g");
    let token = shop.token(&[Permission::Read]);
    for _ in 0..40 {
        assert_eq!(shop.get("gateways/g/logs", &token).await.problem(), (500, 7000, Value::Null));
    }
    assert_eq!(shop.get("gateways", &token).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_not_waited_for() {
    let shop = Shop::open();
    let token = shop.token(&[Permission::Write]);
    let stalled = Body::new(http_body_util::StreamBody::new(Stalled));
    let request = Request::builder().method("POST").uri("/accounts/a/ai-gateway/gateways");
    let request = request.header("authorization", format!("Bearer {token}")).body(stalled).unwrap();
    let said = tokio::time::timeout(Duration::from_secs(60), shop.send(request)).await.unwrap();
    assert_eq!(said.problem(), (504, 7012, Value::Null));
}

/// A body whose next piece is always still to come.
struct Stalled;

impl futures_util::Stream for Stalled {
    type Item = Result<http_body::Frame<bytes::Bytes>, std::convert::Infallible>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn probes_tell_the_state() {
    let shop = Shop::open();
    assert_eq!(shop.ask_raw("GET", "/livez", "", None).await.status, 200);
    assert_eq!(shop.ask_raw("GET", "/readyz", "", None).await.status, 200);
    let draining = Public { ready: Box::new(|| false), ..public(true) };
    let shop = Shop::with(Documents::default(), draining, Box::new(|_| true));
    assert_eq!(shop.ask_raw("GET", "/readyz", "", None).await.status, 503);
    assert_eq!(shop.ask_raw("GET", "/livez", "", None).await.status, 200);
}

#[tokio::test]
async fn metrics_are_open_on_loopback_only() {
    let shop = Shop::open();
    let said = shop.ask_raw("GET", "/metrics", "", None).await;
    assert_eq!((said.status.as_u16(), &said.bytes[..]), (200, &b"requests_total 1\n"[..]));
    let shop = Shop::with(Documents::default(), public(false), Box::new(|_| true));
    assert_eq!(shop.ask_raw("GET", "/metrics", "", None).await.problem(), (401, 10000, Value::Null));
    let run = shop.token(&[Permission::Run]);
    assert_eq!(shop.ask_raw("GET", "/metrics", &run, None).await.status, 403);
    let metadata = shop.token(&[Permission::ReadMetadata]);
    assert_eq!(shop.ask_raw("GET", "/metrics", &metadata, None).await.bytes, "requests_total 1\n");
}

#[tokio::test]
async fn programs_are_told_in_text_and_browsers_led_to_the_dashboard() {
    let shop = Shop::open();
    let said = shop.ask_raw("GET", "/", "", None).await;
    assert_eq!(said.headers["content-type"], "text/plain; charset=utf-8");
    let text = String::from_utf8(said.bytes.to_vec()).unwrap();
    assert!(text.contains("curl http://127.0.0.1:8787/v1/local/default/sandbox/v1/chat/completions"));
    let request = http::Request::get("/").header("accept", "text/html,application/xhtml+xml;q=0.9");
    let said = shop.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(
        (said.status.as_u16(), &said.headers["location"]),
        (303, &http::HeaderValue::from_static("/dashboard/"))
    );
}
