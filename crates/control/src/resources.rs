//! THE TABLE of endpoints.
//!
//! Enters: nothing. Leaves: rows of method, path, who may, what is done, and what it is for. Never: a row that anyone may call by omission:
//! [`Access`] has no default, and what is open sees nothing of the desk.
//!
//! Paths with a guard are served below `/client/v4`, as the original does, and without that prefix.

use http::Method;

use crate::answer::Answer;
use crate::call::Call;
use crate::problem::Problem;
use crate::resource::{account, cache, gateways, logs, public, routes};
use crate::router::Public;

pub use crate::authorize::Needs;

pub type Handler = fn(&Call) -> Result<Answer, Problem>;
pub type OpenHandler = fn(&Public) -> Answer;

#[derive(Debug)]
pub struct Row {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    /// The manual: rendered to the reference page.
    pub doc: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub enum Access {
    /// Runs for callers whose token is enough, on a thread that may wait.
    Guarded(Needs, Handler),
    /// Runs for anyone, at once.
    Open(OpenHandler),
    /// Open where only this machine can ask; beyond loopback it needs a token.
    OpenOnLoopback(Needs, OpenHandler),
}

use Access::{Guarded, Open, OpenOnLoopback};

pub static ROWS: &[Row] = &[
    get("/", Open(public::start), "What runs here, for people."),
    get("/livez", Open(public::live), "200 while the process runs."),
    get("/readyz", Open(public::ready), "200 while it takes traffic, 503 while it starts or drains."),
    get("/metrics", OpenOnLoopback(Needs::Metadata, public::metrics), "Prometheus metrics."),
    get("/user", Guarded(Needs::Token, account::user), "Who the token belongs to."),
    get("/user/tokens/verify", Guarded(Needs::Token, account::verify), "Whether the token is valid, and until when."),
    get("/accounts", Guarded(Needs::Token, account::list), "The one account of this installation, as a list."),
    get("/accounts/{account}", Guarded(Needs::Token, account::one), "The account."),
    get("/accounts/{account}/tokens/verify", Guarded(Needs::Token, account::verify), "As /user/tokens/verify."),
    get("/accounts/{account}/ai-gateway/gateways", Guarded(Needs::Metadata, gateways::list), "All gateways."),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/gateways",
        Guarded(Needs::Write, gateways::create),
        "A new gateway.",
    ),
    get(GATEWAY, Guarded(Needs::Metadata, gateways::get), "A gateway's settings."),
    row(
        Method::PUT,
        GATEWAY,
        Guarded(Needs::Write, gateways::update),
        "Changes settings: absent members stay, null sets back.",
    ),
    row(
        Method::DELETE,
        GATEWAY,
        Guarded(Needs::Write, gateways::delete),
        "Deletes a gateway with its cache; its logs can no longer be seen.",
    ),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/url/{provider}",
        Guarded(Needs::Metadata, gateways::url),
        "The base URL of a provider through this gateway.",
    ),
    row(
        Method::DELETE,
        "/accounts/{account}/ai-gateway/gateways/{gateway}/cache",
        Guarded(Needs::Write, cache::purge),
        "Forgets cached answers: all, those of a model (?model=), or the one under a chosen key (?key=). Not in the original.",
    ),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs",
        Guarded(Needs::Metadata, logs::list),
        "Log rows by filter, order and page.",
    ),
    row(
        Method::DELETE,
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs",
        Guarded(Needs::Write, logs::delete),
        "Deletes the first `limit` log records that match, by default the oldest; at most 10,000.",
    ),
    row(
        Method::PATCH,
        LOG,
        Guarded(Needs::Write, logs::patch),
        "Tells a log record what was thought of it: feedback, score, other metadata.",
    ),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/tail",
        Guarded(Needs::Metadata, logs::tail),
        "Rows that arrived since ?after=, which the last answer told. Without it: only what comes from now on. Not in the original.",
    ),
    get(
        LOG,
        Guarded(Needs::Metadata, logs::detail),
        "One log record; with the heads of its bodies if the token may read them.",
    ),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id}/request",
        Guarded(Needs::Read, logs::request),
        "The request's body as it came.",
    ),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id}/response",
        Guarded(Needs::Read, logs::response),
        "The response's body as it went out.",
    ),
    get(ROUTES, Guarded(Needs::Metadata, routes::list), "The dynamic routes of a gateway, the newest first."),
    row(
        Method::POST,
        ROUTES,
        Guarded(Needs::Write, routes::create),
        "A new route from its name and elements; its first version is deployed.",
    ),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/gateways/{gateway}/routes/simulate",
        Guarded(Needs::Read, routes::simulate),
        "What a route would choose for a request, or for logged ones, and why. Changes nothing. Not in the original.",
    ),
    get(ROUTE, Guarded(Needs::Metadata, routes::get), "A route as it is deployed; by its id or its name."),
    row(Method::PATCH, ROUTE, Guarded(Needs::Write, routes::rename), "Renames a route in place."),
    row(Method::DELETE, ROUTE, Guarded(Needs::Write, routes::delete), "Deletes a route with all its versions."),
    get(VERSIONS, Guarded(Needs::Metadata, routes::versions), "The versions of a route, the newest first."),
    row(
        Method::POST,
        VERSIONS,
        Guarded(Needs::Write, routes::create_version),
        "A new version from elements; it is not deployed.",
    ),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{route}/versions/{version}",
        Guarded(Needs::Metadata, routes::get_version),
        "One version of a route.",
    ),
    get(DEPLOYMENTS, Guarded(Needs::Metadata, routes::deployments), "What was deployed when, the newest first."),
    row(
        Method::POST,
        DEPLOYMENTS,
        Guarded(Needs::Write, routes::deploy),
        "Deploys a version; an older one is a rollback.",
    ),
];

const ROUTES: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/routes";
const ROUTE: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{route}";
const VERSIONS: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{route}/versions";
const DEPLOYMENTS: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{route}/deployments";
const GATEWAY: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}";
const LOG: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id}";

const fn get(path: &'static str, access: Access, doc: &'static str) -> Row {
    row(Method::GET, path, access, doc)
}

const fn row(method: Method, path: &'static str, access: Access, doc: &'static str) -> Row {
    Row { method, path, access, doc }
}

// === impl Row ===

impl Row {
    /// All paths it answers to; one trailing slash is tolerated.
    pub fn paths(&self) -> Vec<String> {
        let prefixes: &[&str] = if matches!(self.access, Guarded(..)) { &["", PREFIX] } else { &[""] };
        let both = |prefix: &&str| {
            let path = format!("{prefix}{}", self.path);
            if self.path == "/" { vec![path] } else { vec![format!("{path}/"), path] }
        };
        prefixes.iter().flat_map(both).collect()
    }
}

/// Where the original's clients expect the API.
pub const PREFIX: &str = "/client/v4";
