//! One request to the API, as a handler sees it.
//!
//! Enters: what the router gathered. Leaves: parameters by name, the body as JSON. Never: exists without a caller who may.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tollgate_rules::snapshot::{GatewayRules, Snapshot};

use crate::audit::Action;
use crate::authorize::Caller;
use crate::problem::Problem;
use crate::query::Query;
use crate::router::Parts;
use crate::shape::{Shape, Step};

#[derive(Debug)]
pub struct Call {
    pub parts: Arc<Parts>,
    pub snapshot: Arc<Snapshot>,
    pub caller: Caller,
    pub params: Params,
    pub query: Query,
    pub body: Bytes,
}

/// The named segments of the path, decoded once.
#[derive(Debug, Default)]
pub struct Params(pub Vec<(String, String)>);

// === impl Call ===

impl Call {
    /// Text that is not JSON counts as an empty object, so that the required members are named as missing.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| Value::Object(serde_json::Map::new()))
    }

    /// The body in the shape that its row declares.
    pub(crate) fn read(&self, shape: &Shape) -> Result<Value, Problem> {
        let mut faults = Vec::new();
        let read = shape.read(&self.json(), &mut vec![Step::from("body")], &mut faults);
        read.ok_or_else(|| Problem::invalid(faults))
    }

    /// The gateway that the path names.
    pub(crate) fn gateway(&self) -> Result<&Arc<GatewayRules>, Problem> {
        self.snapshot.gateway(self.params.get("gateway")).ok_or_else(Problem::not_found)
    }

    /// Writes down that the caller looked at something that is nobody's business without need. Not written: not shown.
    pub(crate) fn looked_at(&self, resource: &str, id: &str) -> Result<(), Problem> {
        Ok(self.parts.desk.note(Action::View, resource, id)?)
    }

    /// The account as records and objects show it.
    pub(crate) fn account(&self) -> &str {
        &self.snapshot.account
    }
}

// === impl Params ===

impl Params {
    /// Empty when the row's path has no such segment.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(each, _)| each == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }
}
