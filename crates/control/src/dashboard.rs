//! The dashboard: what a browser gets.
//!
//! Enters: paths below `/dashboard`, and `/` when a browser asks. Leaves: the files that `make build` made of `dashboard/`, out of the binary.
//! Never: loads anything from elsewhere, or lets a page do so: the content security policy permits this origin alone, and no inline script or style.
//!
//! Files below `assets/` are named by their content and may be kept for ever. Every other path is a page of the application and answers with its one
//! document, which is asked for anew each time. A binary that was built without node has no files and says what to do.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::desk::Desk;

pub use self::door::{Door, sign_in};

mod door;

const HOME: &str = "/dashboard/";
const PAGE: &str = "index.html";
const ASSETS: &str = "assets/";

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// What is said by a binary without a dashboard in it.
const MISSING: &str = "This gateway was built without its dashboard, which needs node and npm.\n\
                       Build it with `make build`, or use the command line: tollgate --help\n";

#[derive(rust_embed::Embed)]
#[folder = "../../dashboard/dist/web"]
#[allow_missing = true]
struct Files;

pub(crate) fn router(desk: Arc<Desk>, door: Arc<Door>) -> Router {
    let sign_in = move |code: String| door::enter(desk, door, code);
    Router::new()
        .route("/dashboard", get(async || Redirect::permanent(HOME)))
        .route(HOME, get(async |headers: HeaderMap| page(&headers)))
        .route("/dashboard/{*path}", get(async |Path(path): Path<String>, headers: HeaderMap| file(&path, &headers)))
        .route("/dashboard/session", post(sign_in))
}

/// Programs that ask for `/` are told in text what runs here, people are led to the dashboard.
pub(crate) async fn lead_people(request: Request, next: Next) -> Response {
    if wants_page(&request) {
        return Redirect::to(HOME).into_response();
    }
    next.run(request).await
}

fn wants_page(request: &Request) -> bool {
    let accepted = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    request.uri().path() == "/" && request.method() == Method::GET && accepted.contains("text/html")
}

fn file(path: &str, headers: &HeaderMap) -> Response {
    match Files::get(path) {
        Some(_) => found(path, headers),
        // A page of the application has no dot in its last segment: what has one is a file that is not there (any more).
        None if path.starts_with(ASSETS) || path.ends_with(".js") => StatusCode::NOT_FOUND.into_response(),
        None => page(headers),
    }
}

fn page(headers: &HeaderMap) -> Response {
    if Files::get(PAGE).is_none() {
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        return (StatusCode::NOT_FOUND, [(CONTENT_TYPE, plain)], MISSING).into_response();
    }
    found(PAGE, headers)
}

/// The smallest form that the browser understands: the build laid them side by side.
fn found(path: &str, headers: &HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let understands = |coding: &str| accepted.split(',').any(|each| each.trim().split(';').next() == Some(coding));
    let packed = [("br", "br"), ("gzip", "gz")].into_iter().find_map(|(coding, ending)| {
        let bytes = understands(coding).then(|| Files::get(&format!("{path}.{ending}")))??;
        Some((Some(coding), bytes))
    });
    let Some((coding, file)) = packed.or_else(|| Some((None, Files::get(path)?))) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = body(file.data).into_response();
    for (name, value) in manners(path) {
        response.headers_mut().insert(name, value);
    }
    if let Some(coding) = coding {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

fn body(data: Cow<'static, [u8]>) -> Response {
    match data {
        Cow::Borrowed(bytes) => bytes.into_response(),
        Cow::Owned(bytes) => bytes.into_response(),
    }
}

fn manners(path: &str) -> [(HeaderName, HeaderValue); 7] {
    let caching = if path.starts_with(ASSETS) { FOR_EVER } else { ASK_AGAIN };
    [
        (CONTENT_TYPE, HeaderValue::from_static(content_type(path))),
        (CACHE_CONTROL, caching),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (VARY, HeaderValue::from_static("accept-encoding")),
    ]
}

/// The kinds of files that the build makes.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
