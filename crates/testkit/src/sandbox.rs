//! The scripted provider as others hold it: a handle that serves connections.
//!
//! Enters: connections (TCP, or one end of an in-memory pipe), routes of a test. Leaves: answers, counts, the recorder.
//! Never: keeps a connection's state beyond the connection. What lasts is the routes, the counts and the failures still owed (`fail=`).

mod attempts;
mod converse;
mod counts;
mod listen;

use std::sync::{Arc, PoisonError, RwLock};

use tokio::io::DuplexStream;

use self::attempts::Attempts;
use self::counts::Counters;
use crate::http::request::Request;
use crate::plan::Plan;
use crate::recorder::Recorder;
use crate::script;

pub use self::converse::serve_connection;
pub use self::counts::Counts;
pub use self::listen::Listening;

/// The in-memory pipe holds this much in each direction, like a socket's buffer.
const PIPE_BYTES: usize = 64 * 1024;
/// What one request may carry; the largest body a provider of text takes (Anthropic: 32 MB).
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A provider that follows a script. Clones are the same provider.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    routes: RwLock<Vec<Route>>,
    recorder: Recorder,
    counters: Counters,
    attempts: Attempts,
    /// Whether a caller may ask for a transport fault (`fault=`): tests may, visitors of the built-in sandbox may not.
    faults: bool,
    body_bytes_max: usize,
}

/// An answer that a test put in place of the provider's.
struct Route {
    method: String,
    path: String,
    moment: Moment,
    plan: Answer,
}

type Answer = Arc<dyn Fn(&Request) -> Plan + Send + Sync>;

/// When a route answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// As soon as the head was read; the body is left unread.
    Head,
    Body,
}

// === impl Sandbox ===

impl Sandbox {
    /// The built-in provider: keeps nothing, and has the friendly dials only.
    pub fn new() -> Self {
        Self::with(false, BODY_BYTES_MAX)
    }

    /// The upstream of tests: records what it hears, has the dial `fault=`, and takes bodies of 256 MiB.
    pub fn for_tests() -> Self {
        Self::with(true, 8 * BODY_BYTES_MAX)
    }

    fn with(tests: bool, body_bytes_max: usize) -> Self {
        Self(Arc::new(Inner {
            routes: RwLock::default(),
            recorder: Recorder::new(tests),
            counters: Counters::default(),
            attempts: Attempts::default(),
            faults: tests,
            body_bytes_max,
        }))
    }

    /// Answers this method and path (without query) by a plan. `*` matches every method, or every path. Later routes win.
    pub fn on(&self, method: &str, path: &str, plan: impl Fn(&Request) -> Plan + Send + Sync + 'static) {
        self.add(method, path, Moment::Body, plan);
    }

    /// As [`Sandbox::on`], but answers before the body was read, and closes.
    pub fn on_head(&self, method: &str, path: &str, plan: impl Fn(&Request) -> Plan + Send + Sync + 'static) {
        self.add(method, path, Moment::Head, plan);
    }

    /// Answers every request by exactly these bytes and the end of the connection.
    pub fn replay(&self, bytes: impl Into<bytes::Bytes>) {
        let bytes = bytes.into();
        self.on("*", "*", move |_| Plan::raw(bytes.clone()));
    }

    /// A new connection to this provider, without a network. Must be called inside a tokio runtime.
    pub fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let sandbox = self.clone();
        tokio::spawn(async move { serve_connection(far, &sandbox).await });
        near
    }

    pub fn recorder(&self) -> &Recorder {
        &self.0.recorder
    }

    pub fn counts(&self) -> Counts {
        self.0.counters.read()
    }

    pub(crate) fn faults(&self) -> bool {
        self.0.faults
    }

    /// True when this request is among the first `fail` under its key, and so still has to fail.
    pub(crate) fn owes_failure(&self, key: u64, fail: u32) -> bool {
        self.0.attempts.count(key) <= fail
    }

    /// The plan for a request of which so much has been read; `None` when the rest is needed to decide.
    pub(crate) fn plan(&self, request: &Request, moment: Moment) -> Option<Plan> {
        match (self.route(request), moment) {
            (Some((at, plan)), _) => (at == moment).then(|| plan(request)),
            (None, Moment::Head) => None,
            (None, Moment::Body) => Some(script::plan(self, request)),
        }
    }

    /// A copy, so that a route's function may itself add routes.
    fn route(&self, request: &Request) -> Option<(Moment, Answer)> {
        let routes = self.0.routes.read().unwrap_or_else(PoisonError::into_inner);
        let route = routes.iter().rev().find(|route| route.matches(request))?;
        Some((route.moment, route.plan.clone()))
    }

    fn add(&self, method: &str, path: &str, moment: Moment, plan: impl Fn(&Request) -> Plan + Send + Sync + 'static) {
        let route = Route { method: method.to_owned(), path: path.to_owned(), moment, plan: Arc::new(plan) };
        self.0.routes.write().unwrap_or_else(PoisonError::into_inner).push(route);
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Sandbox({:?})", self.counts())
    }
}

// === impl Route ===

impl Route {
    fn matches(&self, request: &Request) -> bool {
        let fits = |pattern: &str, value: &str| pattern == "*" || pattern == value;
        fits(&self.method, &request.method) && fits(&self.path, request.path())
    }
}
