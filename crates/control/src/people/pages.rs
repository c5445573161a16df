//! The doors of a browser: who am I, let me in, I am back, let me out.
//!
//! Enters: requests below `/dashboard/`. Leaves: redirects, cookies, and what the page shows of whoever is signed in. Never: tells a browser why in words
//! that came from elsewhere: a refusal is one of a few words that the page knows.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{CACHE_CONTROL, HOST, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tollgate_model::peer::Secure;

use super::sign_in::{LIVES_MS, Refused, Returned};
use super::{People, Visitor, cookie, origin};
use crate::router::actor_of;
use crate::time;

/// Each may have the issuer or a disk asked. Who wants to sign in when all are taken tries again; others wait.
const AT_ONCE_MAX: usize = 32;

struct Lobby {
    people: Option<Arc<People>>,
    places: Semaphore,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    to: String,
}

/// Without an issuer everything but the question who is signed in is 404.
pub(crate) fn router(people: Option<Arc<People>>) -> Router {
    let lobby = Arc::new(Lobby { people, places: Semaphore::new(AT_ONCE_MAX) });
    Router::new()
        .route("/dashboard/session", get(who).delete(leave))
        .route("/dashboard/oidc/start", get(start))
        .route("/dashboard/oidc/callback", get(come_back))
        .with_state(lobby)
}

/// As much of a request as these need.
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    secure: Secure,
    base: String,
    actor: crate::audit::Actor,
}

// === impl Asked ===

impl Asked {
    fn of(request: &Request, people: &People) -> Self {
        let headers = request.headers().clone();
        let arrived = request.extensions().get::<Secure>().copied().unwrap_or_default();
        let base = people.base_url().map_or_else(|| here(request, arrived), str::to_owned);
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers,
            secure: Secure(arrived.0 || base.starts_with("https://")),
            base,
            actor: actor_of(request),
        }
    }

    fn session(&self) -> Option<String> {
        cookie::presented(&self.headers, self.secure).map(str::to_owned)
    }
}

/// Where this request came to. The issuer knows which addresses are ours, so a `Host` that is somebody else's leads nowhere.
fn here(request: &Request, secure: Secure) -> String {
    let host = request.uri().authority().map(|authority| authority.as_str());
    let host = host.or_else(|| request.headers().get(HOST)?.to_str().ok()).unwrap_or_default();
    format!("{}://{host}", if secure.0 { "https" } else { "http" })
}

async fn who(State(lobby): State<Arc<Lobby>>, request: Request) -> Response {
    let Some(people) = &lobby.people else { return told(json!({ "sign_in": null, "person": null })) };
    let Ok(_place) = lobby.places.acquire().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let asked = Asked::of(&request, people);
    let visitor = match asked.session().filter(|_| asked.is_own(people)) {
        Some(secret) => {
            let people = people.clone();
            tokio::task::spawn_blocking(move || people.visitor(&secret)).await.ok().and_then(Result::ok).flatten()
        }
        None => None,
    };
    told(json!({ "sign_in": { "name": people.oidc.name }, "person": visitor.as_ref().map(shown) }))
}

fn shown(visitor: &Visitor) -> Value {
    let Visitor { session, role, .. } = visitor;
    let permissions: Vec<&str> = role.permissions().iter().map(|permission| permission.name()).collect();
    json!({
        "name": session.person.name, "email": session.person.email, "role": role.name(), "permissions": permissions,
        "ends_on": time::text(session.ends_ms)
    })
}

async fn start(State(lobby): State<Arc<Lobby>>, Query(wanted): Query<Wanted>, request: Request) -> Response {
    let Some(people) = &lobby.people else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(_place) = lobby.places.try_acquire() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let asked = Asked::of(&request, people);
    match people.begin(&asked.base, &wanted.to).await {
        Ok(begun) => to(&begun.location, [cookie::set_login(&begun.cookie, LIVES_MS / 1_000, asked.secure)]),
        Err(refused) => turned_away(&refused, asked.secure),
    }
}

async fn come_back(State(lobby): State<Arc<Lobby>>, request: Request) -> Response {
    let Some(people) = &lobby.people else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(_place) = lobby.places.try_acquire() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let asked = Asked::of(&request, people);
    let returned = Query::<Returned>::try_from_uri(request.uri()).map(|Query(returned)| returned).unwrap_or_default();
    let before = asked.session();
    match people.clone().finish(cookie::login(&asked.headers), returned, asked.actor.clone()).await {
        Ok(signed_in) => {
            if let Some(before) = before {
                let (people, actor) = (people.clone(), asked.actor);
                drop(tokio::task::spawn_blocking(move || people.leave(&before, actor)).await);
            }
            let seconds = people.oidc.absolute_ms / 1_000;
            let session = cookie::set_session(signed_in.secret.expose(), seconds, asked.secure);
            to(&signed_in.to, [session, cookie::forget_login(asked.secure)])
        }
        Err(refused) => turned_away(&refused, asked.secure),
    }
}

async fn leave(State(lobby): State<Arc<Lobby>>, request: Request) -> Response {
    let Some(people) = &lobby.people else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(_place) = lobby.places.acquire().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let asked = Asked::of(&request, people);
    if !asked.is_own(people) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut farewell = None;
    if let Some(secret) = asked.session() {
        let (leaving, actor) = (people.clone(), asked.actor);
        match tokio::task::spawn_blocking(move || leaving.leave(&secret, actor)).await {
            Ok(Ok(Some(session))) => farewell = people.farewell(&session, &asked.base).await,
            Ok(Ok(None)) => {}
            cause => {
                tracing::error!(?cause, "a session could not be ended");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        }
    }
    let mut response = told(json!({ "end_session_url": farewell }));
    add(&mut response, [cookie::forget_session(asked.secure)]);
    response
}

impl Asked {
    fn is_own(&self, people: &People) -> bool {
        origin::is_own(&self.method, &self.uri, &self.headers, people.base_url())
    }
}

fn told(what: Value) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(what)).into_response()
}

fn turned_away(refused: &Refused, secure: Secure) -> Response {
    tracing::warn!(cause = %refused, "nobody was signed in");
    to(&format!("/dashboard/?refused={}", refused.word()), [cookie::forget_login(secure)])
}

fn to<const N: usize>(location: &str, cookies: [Option<HeaderValue>; N]) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    let mut response = (StatusCode::SEE_OTHER, headers).into_response();
    add(&mut response, cookies);
    response
}

fn add<const N: usize>(response: &mut Response, cookies: [Option<HeaderValue>; N]) {
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
