//! Hands everything outside the data plane to the control plane, on its own threads.
//!
//! Enters: requests from the workers. Leaves: the desk's answers. Never: runs a handler of the desk on a thread that serves traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tollgate_control::alert::Courier;
use tollgate_control::credits::Draws;
use tollgate_control::dashboard::Door;
use tollgate_control::desk::Desk;
use tollgate_control::evaluation::Worker;
use tollgate_control::people::People;
use tollgate_control::router::{self, Public};
use tollgate_engine::server::Fallback;
use tollgate_engine::{BoxError, Credits, Shared};
use tower::ServiceExt;

use super::drawer::TillDrawer;
use super::reload::Reloader;
use super::stores::Stores;

pub(crate) struct Parts<'a> {
    pub(crate) desk: Arc<Desk>,
    pub(crate) stores: &'a Stores,
    pub(crate) shared: Arc<Shared>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) door: Arc<Door>,
    pub(crate) people: Option<Arc<People>>,
    pub(crate) draining: Arc<AtomicBool>,
    pub(crate) reloader: Arc<Reloader>,
    pub(crate) is_local: bool,
    /// Where clients reach the gateway.
    pub(crate) url: String,
}

pub(crate) fn build(parts: Parts<'_>) -> Arc<dyn Fallback> {
    let reloader = parts.reloader;
    let (shared, draining, ingest) = (parts.shared, parts.draining, parts.stores.ingest.clone());
    let router = router::router(router::Parts {
        desk: parts.desk,
        records: parts.stores.records.clone(),
        answers: parts.stores.answers.clone(),
        entries: parts.stores.entries.clone(),
        evaluations: Worker::default(),
        courier: parts.courier,
        uses: parts.stores.uses.clone(),
        draws: parts.stores.credits.clone().map(|credits| Box::new(Drawn(credits)) as Box<dyn Draws>),
        budgets: Box::new(TillDrawer(parts.stores.till.clone())),
        public: Public {
            url: parts.url,
            loopback: parts.is_local,
            ready: Box::new(move || !draining.load(Ordering::SeqCst)),
            metrics: Box::new(move || shared.metrics.text().unwrap_or_default()),
        },
        door: parts.door,
        people: parts.people,
        catch_up: Box::new(move |at_most| ingest.catch_up(at_most)),
        reload: Box::new(move || reloader.reload().map_err(|problem| format!("{problem:#}"))),
    });
    Arc::new(Desks { router, handle: Handle::current() })
}

/// What the data plane draws, as billing shows it.
struct Drawn(Arc<Credits>);

impl Draws for Drawn {
    fn by_hour(&self) -> Vec<(u64, u64)> {
        self.0.drawn()
    }

    fn paid(&self, cents: i64) {
        self.0.paid(super::money(cents));
    }
}

struct Desks {
    router: Router,
    handle: Handle,
}

impl Fallback for Desks {
    fn call(&self, request: Request<Incoming>) -> BoxFuture<'static, Response<UnsyncBoxBody<Bytes, BoxError>>> {
        let answering = self.handle.spawn(self.router.clone().oneshot(request.map(axum::body::Body::new)));
        Box::pin(async move {
            match answering.await {
                Ok(Ok(response)) => response.map(|body| UnsyncBoxBody::new(body.map_err(Into::into))),
                Ok(Err(never)) => match never {},
                Err(cause) => failed(&cause),
            }
        })
    }
}

fn failed(cause: &tokio::task::JoinError) -> Response<UnsyncBoxBody<Bytes, BoxError>> {
    tracing::error!(%cause, "a request to the control plane failed");
    let text = r#"{"success":false,"errors":[{"code":7000,"message":"Internal Error"}],"messages":[],"result":null}"#;
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {});
    let mut response = Response::new(UnsyncBoxBody::new(body));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
