//! What the API says when the answer is no.
//!
//! Enters: a named constructor. Leaves: status, code and text of the original (control-plane specification, 1.5), in its envelope.
//! Never: shows a cause: that goes to the program's log, here, once.
//!
//! Errors of the resources themselves have `result: {}`; those of the outer API (authentication, routing) have `result: null`.
//! SDKs repeat 408, 409, 429 and everything from 500: those are used for what passes, never for what stays.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use tollgate_model::Peer;
use tollgate_store::StoreError;

use crate::answer::JSON;
use crate::config::ConfigError;
use crate::config::source::Wrong;
use crate::desk::{DeskError, PROVIDER_CONFIG, ROUTE, SecretsFault, VERSION};
use crate::shape::Fault;
use crate::vault::VaultError;

#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    errors: Vec<Value>,
    result: Value,
    /// Seconds.
    retry_after: Option<u32>,
}

// === impl Problem ===

impl Problem {
    /// One entry per violated field.
    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        let error = |fault: Fault| json!({ "code": 7001, "message": fault.message, "path": fault.path });
        Self::of_resource(StatusCode::BAD_REQUEST, faults.into_iter().map(error).collect())
    }

    pub(crate) fn not_found() -> Self {
        Self::of_resource(StatusCode::NOT_FOUND, vec![json!({ "code": 7002, "message": "Not Found" })])
    }

    fn exists(what: &str) -> Self {
        Self::invalid(vec![Fault::new(["body", "id"], format!("A {what} with this id already exists"))])
    }

    fn provider_config_exists() -> Self {
        let said = "A provider config with this provider and alias already exists";
        Self::invalid(vec![Fault::new(["body", "alias"], said)])
    }

    /// The secrets store is another product of the original's, with codes of its own.
    fn of_secrets(fault: &SecretsFault) -> Self {
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_REQUEST);
        Self::outer(status, fault.code, &fault.said)
    }

    /// Routes have a code of their own, for being there and for not being there.
    fn no_such_route(what: &str) -> Self {
        let message = format!("{what} not found");
        Self::of_resource(StatusCode::NOT_FOUND, vec![json!({ "code": 7005, "message": message })])
    }

    fn route_exists() -> Self {
        let message = "A route with this name already exists";
        let error = json!({ "code": 7005, "message": message, "path": ["body", "name"] });
        Self::of_resource(StatusCode::BAD_REQUEST, vec![error])
    }

    /// No token, or one that is not known (any more). 401, where a token that may not is 403: clients can tell "log in" from "ask for more".
    pub(crate) fn unauthenticated() -> Self {
        Self::outer(StatusCode::UNAUTHORIZED, 10000, "Authentication error")
    }

    pub(crate) fn forbidden() -> Self {
        Self::outer(StatusCode::FORBIDDEN, 10000, "Authentication error")
    }

    /// No token may: the settings come from a file. A code of our own, because the original has no such state.
    pub(crate) fn read_only(said: &str) -> Self {
        Self::of_resource(StatusCode::FORBIDDEN, vec![json!({ "code": 7014, "message": said })])
    }

    /// A cookie lets in, but not what another site sends in the name of whoever is signed in.
    pub(crate) fn from_another_site() -> Self {
        Self::outer(StatusCode::FORBIDDEN, 10000, "This request comes from another site; use a token")
    }

    pub(crate) fn from_elsewhere(peer: Option<Peer>) -> Self {
        let place = peer.map_or_else(|| "unknown".to_owned(), |peer| peer.0.to_string());
        let said = format!("Cannot use the access token from location: {place}");
        Self::outer(StatusCode::FORBIDDEN, 9109, &said)
    }

    /// For those who read no envelope.
    pub(crate) fn said(&self) -> String {
        let one = |error: &Value| {
            let path = error["path"].as_array().into_iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
            let at = if path.is_empty() { String::new() } else { format!("{}: ", path.join(".").replace('"', "")) };
            format!("{at}{}", error["message"].as_str().unwrap_or_default())
        };
        self.errors.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    /// Something that this installation does for nobody. The code is that of the original's billing.
    pub(crate) fn refused(message: &str) -> Self {
        Self::of_resource(StatusCode::FORBIDDEN, vec![json!({ "code": 1000, "message": message })])
    }

    pub(crate) fn malformed_authorization() -> Self {
        let chain = json!([{ "code": 6111, "message": "Invalid format for Authorization header" }]);
        let mut problem = Self::outer(StatusCode::BAD_REQUEST, 6003, "Invalid request headers");
        problem.errors[0]["error_chain"] = chain;
        problem
    }

    pub(crate) fn no_route() -> Self {
        Self::outer(StatusCode::NOT_FOUND, 7000, "No route for that URI")
    }

    pub(crate) fn malformed_path() -> Self {
        let said = "Could not route to the requested resource, perhaps your object identifier is invalid?";
        Self::outer(StatusCode::BAD_REQUEST, 7003, said)
    }

    pub(crate) fn wrong_method() -> Self {
        Self::outer(StatusCode::METHOD_NOT_ALLOWED, 10405, "Method not allowed for this authentication scheme")
    }

    pub(crate) fn too_large(bytes_max: usize) -> Self {
        let said = format!("Request body is larger than {} MiB", bytes_max >> 20);
        Self::outer(StatusCode::PAYLOAD_TOO_LARGE, 7001, &said)
    }

    pub(crate) fn internal() -> Self {
        Self::outer(StatusCode::INTERNAL_SERVER_ERROR, 7000, "Internal Error")
    }

    pub(crate) fn busy() -> Self {
        Self { retry_after: Some(1), ..Self::outer(StatusCode::SERVICE_UNAVAILABLE, 7011, "Service Unavailable") }
    }

    pub(crate) fn slow() -> Self {
        Self::outer(StatusCode::GATEWAY_TIMEOUT, 7012, "The request took too long")
    }

    pub(crate) fn of_resource(status: StatusCode, errors: Vec<Value>) -> Self {
        Self { status, errors, result: json!({}), retry_after: None }
    }

    fn outer(status: StatusCode, code: u32, message: &str) -> Self {
        Self {
            status,
            errors: vec![json!({ "code": code, "message": message })],
            result: Value::Null,
            retry_after: None,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(cause: StoreError) -> Self {
        tracing::error!(%cause, "the store failed under the REST API");
        match cause.kind() {
            tollgate_store::Failure::Busy => Self::busy(),
            _ => Self::internal(),
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Faults(faults) => Self::invalid(faults),
            DeskError::Exists(ROUTE) => Self::route_exists(),
            DeskError::Exists(PROVIDER_CONFIG) => Self::provider_config_exists(),
            DeskError::Exists(what) => Self::exists(what),
            DeskError::Missing(what @ (ROUTE | VERSION)) => Self::no_such_route(what),
            DeskError::Missing(_) => Self::not_found(),
            DeskError::Problems(problems) => {
                let fault = |problem: tollgate_rules::snapshot::Problem| Fault::new(["body"], problem.to_string());
                Self::invalid(problems.into_iter().map(fault).collect())
            }
            refused @ DeskError::ReadOnly(_) => Self::read_only(&refused.to_string()),
            DeskError::Contended => Self::busy(),
            DeskError::Secrets(fault) => Self::of_secrets(&fault),
            DeskError::Vault(VaultError::Reference(cause)) => {
                Self::invalid(vec![Fault::new(["body", "value"], cause.to_string())])
            }
            DeskError::Store(cause) => cause.into(),
            cause @ (DeskError::Damaged { .. }
            | DeskError::NoRandomness(_)
            | DeskError::Vault(_)
            | DeskError::Unlisted(_)) => {
                tracing::error!(%cause, "the settings cannot be used");
                Self::internal()
            }
        }
    }
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Wrong(wrong) => {
                let error = |wrong: Wrong| {
                    let Wrong { line, column, at, what } = wrong;
                    json!({ "code": 7001, "message": what, "path": ["body", "text"], "line": line, "column": column, "at": at })
                };
                Self::of_resource(StatusCode::BAD_REQUEST, wrong.into_iter().map(error).collect())
            }
            outdated @ ConfigError::Outdated => {
                Self::invalid(vec![Fault::new(["body", "expected"], outdated.to_string())])
            }
            ConfigError::NoState(_) => Self::not_found(),
            ConfigError::Desk(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "success": false, "errors": self.errors, "messages": [], "result": self.result });
        let mut response = (self.status, [(CONTENT_TYPE, JSON)], body.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
