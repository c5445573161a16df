//! Routes, versions and deployments as answers show them (control-plane specification, section 6.2).
//!
//! Enters: stored routes. Leaves: JSON in the shapes that every examined client can read. Never: decides what is in force.
//!
//! Clients disagree on these objects, so members are said more than once: `elements` beside `version.data`, lists below `data` and below `result`.

use serde_json::{Value, json};
use tollgate_model::RouteDocument;
use tollgate_model::route::{Deployment, RouteVersion};

use crate::time;

pub(crate) mod members;

/// What is in force, whole.
pub fn full(route: &RouteDocument, account: &str) -> Value {
    let mut shown = listed(route, account);
    if let Some(version) = route.deployed() {
        shown["version"]["data"] = version.elements.clone();
    }
    shown
}

/// As `full`, but the elements stand in it once.
pub fn listed(route: &RouteDocument, account: &str) -> Value {
    let mut shown = bare(route, account);
    shown["deployment"] = route.deployment().map_or(Value::Null, deployment);
    if let Some(version) = route.deployed() {
        shown["version"] = json!({
            "version_id": version.id,
            "active": true,
            "is_valid": true,
            "created_at": time::text(version.created_at),
        });
    }
    shown
}

/// Without what is in force: the answer to a delete, and to a deployment.
pub fn bare(route: &RouteDocument, account: &str) -> Value {
    let elements = route.deployed().map(|version| version.elements.clone());
    json!({
        "id": route.id,
        "name": route.name,
        "gateway_id": route.gateway,
        "account_tag": account,
        "created_at": time::text(route.created_at),
        "modified_at": time::text(route.modified_at),
        "elements": elements,
    })
}

pub fn deployment(deployment: &Deployment) -> Value {
    json!({
        "deployment_id": deployment.id,
        "version_id": deployment.version_id,
        "created_at": time::text(deployment.created_at),
    })
}

/// A version in a list. Its `data` is JSON text, as the schema has it.
pub fn version(route: &RouteDocument, version: &RouteVersion) -> Value {
    let active = route.deployment().is_some_and(|deployment| deployment.version_id == version.id);
    json!({
        "version_id": version.id,
        "active": active,
        "is_valid": true,
        "created_at": time::text(version.created_at),
        "data": version.elements.to_string(),
    })
}

/// A version by itself.
pub fn one_version(route: &RouteDocument, version: &RouteVersion) -> Value {
    let mut shown = self::version(route, version);
    shown["id"] = route.id.clone().into();
    shown["name"] = route.name.clone().into();
    shown["gateway_id"] = route.gateway.clone().into();
    shown["elements"] = version.elements.clone();
    shown["modified_at"] = time::text(version.created_at).into();
    shown
}
