//! From the table to a running service.
//!
//! Enters: HTTP requests. Leaves: answers in the original's envelope. Never: waits without a deadline, runs store calls on a thread that serves,
//! lets a handler's panic out, or holds more bodies than it has places.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use bytes::Bytes;
use http::Method;
use http::header::USER_AGENT;
use serde::de::IgnoredAny;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tollgate_model::Peer;
use tollgate_store::answers::Purge;
use tollgate_store::{Answers, Entries, Records, Uses};

use crate::alert::Courier;
use crate::answer::Answer;
use crate::audit::{self, Actor, Interface, Kind};
use crate::authorize::{self, Caller, Needs, Shown};
use crate::call::{Call, Params};
use crate::credits::Draws;
use crate::dashboard::{self, Door};
use crate::desk::Desk;
use crate::drawer::Drawer;
use crate::evaluation::Worker;
use crate::people::{self, People};
use crate::problem::Problem;
use crate::query::Query;
use crate::resources;
use crate::row::{Access, BODY_BYTES_MAX, Row};
use crate::shape::{Fault, Shape};

/// For the whole of a request, its body included.
const DEADLINE: Duration = Duration::from_secs(30);
/// Each holds a thread and perhaps two bodies of a log.
const AT_ONCE_MAX: usize = 16;

/// What the API works with.
pub struct Parts {
    pub desk: Arc<Desk>,
    pub records: Arc<dyn Records>,
    pub answers: Arc<dyn Answers>,
    /// What grows with use: the audit, results, credit lines.
    pub entries: Arc<dyn Entries>,
    /// Works on what is queued there.
    pub evaluations: Worker,
    /// Sends what alerts have to tell.
    pub courier: Arc<Courier>,
    /// When each token was used last, here and on the data plane.
    pub uses: Arc<Uses>,
    /// Where credits are switched on: what requests drew.
    pub draws: Option<Box<dyn Draws>>,
    /// What is spent and held.
    pub budgets: Box<dyn Drawer>,
    pub public: Public,
    /// Who may sign in to the dashboard without a token.
    pub door: Arc<Door>,
    /// People who sign in at an issuer, where there is one.
    pub people: Option<Arc<People>>,
    /// Makes everything that was journaled so far readable; `Ingest::catch_up`.
    pub catch_up: Box<dyn Fn(Duration) -> bool + Send + Sync>,
    /// Reads the settings file again, and the configuration file if one is followed. What was done, or every fault with its place.
    pub reload: Box<dyn Fn() -> Result<String, String> + Send + Sync>,
}

/// What strangers may see.
pub struct Public {
    /// Where the data plane is reached, without a trailing slash: `http://127.0.0.1:8787`.
    pub url: String,
    /// Only this machine can connect.
    pub loopback: bool,
    pub ready: Box<dyn Fn() -> bool + Send + Sync>,
    /// All metrics in Prometheus' text form.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
}

struct Office {
    parts: Arc<Parts>,
    places: Arc<Semaphore>,
}

/// The whole API, and `/`, `/livez`, `/readyz`, `/metrics` beside it. Answers every path: what is in no row is 404.
pub fn router(parts: Parts) -> Router {
    forget_outdated(&parts);
    let dashboard = dashboard::router(parts.desk.clone(), parts.door.clone());
    let people = people::router(parts.people.clone());
    let parts = Arc::new(parts);
    // What an earlier process left half done.
    Worker::nudge(&parts);
    let office = Arc::new(Office { parts, places: Arc::new(Semaphore::new(AT_ONCE_MAX)) });
    let mut by_path: BTreeMap<String, MethodRouter<Arc<Office>>> = BTreeMap::new();
    for row in resources::rows() {
        let handler = move |State(office): State<Arc<Office>>, params: Named, request: Request| async move {
            serve(&office, row, params, request).await
        };
        for path in row.paths() {
            let methods = by_path.remove(&path).unwrap_or_default();
            by_path.insert(path, methods.merge(on(filter(&row.method), handler)));
        }
    }
    let mut router = Router::new();
    for (path, methods) in by_path {
        router = router.route(&path, methods);
    }
    router
        .fallback(async || Problem::no_route())
        .method_not_allowed_fallback(async || Problem::wrong_method())
        .with_state(office)
        .merge(dashboard)
        .merge(people)
        .layer(middleware::from_fn(dashboard::lead_people))
}

/// Gateways that another process changes or deletes lose their cached answers too, and wishes that it leaves are met. The handlers here do not
/// rely on it: they purge before they answer.
fn forget_outdated(parts: &Parts) {
    let (answers, desk) = (parts.answers.clone(), Arc::downgrade(&parts.desk));
    parts.desk.when_outdated(Box::new(move |purges, wish| {
        // The desk is used on threads of the runtime that may wait; without a runtime there is no server whose cache it could be.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(forget(answers.clone(), purges, wish, desk.clone()));
        }
    }));
}

async fn forget(answers: Arc<dyn Answers>, purges: Vec<Purge>, wish: Option<String>, desk: Weak<Desk>) {
    let mut purged = 0;
    for what in purges {
        match answers.purge(what).await {
            Ok(count) => purged += count,
            Err(cause) => return tracing::error!(%cause, "outdated answers could not be removed from the cache"),
        }
    }
    let (Some(wish), Some(desk)) = (wish, desk.upgrade()) else { return };
    let met = tokio::task::spawn_blocking(move || desk.meet_wish(&wish, purged)).await;
    if !matches!(met, Ok(Ok(()))) {
        tracing::warn!(?met, "the cache was purged, but who asked for it could not be told");
    }
}

fn filter(method: &Method) -> MethodFilter {
    match *method {
        Method::GET => MethodFilter::GET,
        Method::POST => MethodFilter::POST,
        Method::PUT => MethodFilter::PUT,
        Method::PATCH => MethodFilter::PATCH,
        _ => MethodFilter::DELETE,
    }
}

/// The named segments, unless they are not text.
type Named = Result<RawPathParams, RawPathParamsRejection>;

async fn serve(office: &Office, row: &'static Row, named: Named, request: Request) -> Response {
    let Ok(params) = named else { return Problem::malformed_path().into_response() };
    let params = Params(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let answered = tokio::time::timeout(DEADLINE, answer(office, row, params, request)).await;
    match answered.unwrap_or_else(|_| Err(Problem::slow())) {
        Ok(answer) => answer.into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn answer(office: &Office, row: &'static Row, params: Params, request: Request) -> Result<Answer, Problem> {
    let public = &office.parts.public;
    match row.access {
        Access::Open(handler) => contained(|| handler(public)),
        Access::OpenOnLoopback(_, handler) if public.loopback => contained(|| handler(public)),
        Access::OpenOnLoopback(needs, handler) => {
            let prepared = Prepared::read(&office.parts, needs, params, request, row).await?;
            office.run(prepared, move |call| Ok(handler(&call.parts.public))).await
        }
        Access::Guarded(needs, handler) => {
            if row.body_bytes_max > BODY_BYTES_MAX {
                let shown = authorize::presented(&request, office.parts.people.as_deref())?;
                office.refuse_strangers(needs, shown).await?;
            }
            let prepared = Prepared::read(&office.parts, needs, params, request, row).await?;
            office.run(prepared, handler).await
        }
    }
}

/// A request of someone who at least shows something.
struct Prepared {
    shown: Shown,
    actor: Actor,
    peer: Option<Peer>,
    needs: Needs,
    row: &'static Row,
    params: Params,
    query: Query,
    body: Bytes,
}

// === impl Prepared ===

impl Prepared {
    async fn read(
        parts: &Parts,
        needs: Needs,
        params: Params,
        request: Request,
        row: &'static Row,
    ) -> Result<Self, Problem> {
        let shown = authorize::presented(&request, parts.people.as_deref())?;
        let peer = request.extensions().get::<Peer>().copied();
        let actor = actor_of(&request);
        let query = Query::parse(request.uri().query().unwrap_or_default()).declared(row.query);
        let body = match row.body {
            None => Bytes::new(),
            Some(shape) => {
                let body = read_body(request.into_body(), row.body_bytes_max).await?;
                refuse_garbage(shape, &body)?;
                body
            }
        };
        Ok(Self { shown, actor, peer, needs, row, params, query, body })
    }
}

/// Who it is, is known once the token is; all else that the audit names stands in the head.
pub(crate) fn actor_of(request: &Request) -> Actor {
    let peer = request.extensions().get::<Peer>();
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    Actor {
        interface: Interface::Api,
        ip: peer.map(|peer| peer.0),
        user_agent: agent.map(audit::cut),
        method: Some(request.method().to_string()),
        path: Some(audit::cut(request.uri().path())),
        ..Actor::default()
    }
}

async fn read_body(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    to_bytes(body, bytes_max).await.map_err(|_| Problem::too_large(bytes_max))
}

/// Text that is no JSON counts as an empty object, and what is required is named as missing. Where nothing is, somebody's typing error would pass for
/// a wish to change nothing.
fn refuse_garbage(shape: &Shape, body: &Bytes) -> Result<(), Problem> {
    let is_garbage = !body.is_empty() && serde_json::from_slice::<IgnoredAny>(body).is_err();
    match is_garbage && shape.takes_nothing() {
        true => Err(Problem::invalid(vec![Fault::new(["body"], "Expected JSON")])),
        false => Ok(()),
    }
}

// === impl Office ===

impl Office {
    /// Nobody whose token is not enough makes us hold a large body. The rest of the judgment comes with the body.
    async fn refuse_strangers(&self, needs: Needs, shown: Shown) -> Result<(), Problem> {
        let parts = self.parts.clone();
        let judge = move || {
            let (pass, _) = authorize::pass(&parts, &*parts.desk.current()?, &shown)?;
            if needs.met_by(|permission| pass.has(permission)) { Ok(()) } else { Err(Problem::forbidden()) }
        };
        tokio::task::spawn_blocking(judge).await.unwrap_or_else(|_| Err(Problem::internal()))
    }

    /// Authorizes and handles on a thread that may wait for a disk.
    async fn run(
        &self,
        prepared: Prepared,
        handler: impl FnOnce(&Call) -> Result<Answer, Problem> + Send + 'static,
    ) -> Result<Answer, Problem> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| Problem::busy())?;
        let parts = self.parts.clone();
        let work = move || {
            let answered =
                admit(parts, prepared).and_then(|(call, actor)| audit::acting(Arc::new(actor), || handler(&call)));
            // Kept until the work is really done: a caller whose deadline passed has left it running.
            drop(place);
            answered
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(answered) => answered,
            Err(panic) => {
                tracing::error!(%panic, "a handler of the REST API panicked");
                Err(Problem::internal())
            }
        }
    }
}

fn admit(parts: Arc<Parts>, prepared: Prepared) -> Result<(Call, Actor), Problem> {
    let Prepared { shown, actor, peer, needs, row, params, query, body } = prepared;
    let (snapshot, now_ms) = (parts.desk.current()?, parts.desk.now_ms());
    let (pass, person) = authorize::pass(&parts, &snapshot, &shown)?;
    let caller = Caller { person, ..authorize::admit(pass, &snapshot, (needs, row), &params, peer)? };
    let actor = match &caller.person {
        Some(person) => person.acting(actor),
        None => {
            parts.uses.note(&caller.token.id, now_ms);
            let (id, name) = (caller.token.id.clone(), caller.token.name.clone());
            Actor { id, name, kind: Kind::Token, ..actor }
        }
    };
    Ok((Call { parts, snapshot, caller, params, query, body }, actor))
}

fn contained(handler: impl FnOnce() -> Answer) -> Result<Answer, Problem> {
    std::panic::catch_unwind(AssertUnwindSafe(handler)).map_err(|_| Problem::internal())
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("public", &self.public).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Public {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Public").field("url", &self.url).field("loopback", &self.loopback).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
