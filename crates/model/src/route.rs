//! A dynamic route as it is kept: every version of its elements, and which of them was in force when.
//!
//! Enters: elements as somebody wrote them. Leaves: one document. Never: knows what an element means; `rules::route` does.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteDocument {
    pub id: String,
    pub gateway: String,
    /// Of the gateway: one that is made later under the same name does not inherit routes.
    pub gateway_internal_id: String,
    /// Callers say `dynamic/{name}`.
    pub name: String,
    /// Oldest first.
    pub versions: Vec<RouteVersion>,
    /// Oldest first; the last one is in force.
    pub deployments: Vec<Deployment>,
    /// Unix milliseconds.
    pub created_at: u64,
    pub modified_at: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteVersion {
    pub id: String,
    pub elements: Value,
    pub created_at: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    pub id: String,
    pub version_id: String,
    pub created_at: u64,
}

// === impl RouteDocument ===

impl RouteDocument {
    pub fn version(&self, id: &str) -> Option<&RouteVersion> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// What is in force.
    pub fn deployment(&self) -> Option<&Deployment> {
        self.deployments.last()
    }

    pub fn deployed(&self) -> Option<&RouteVersion> {
        self.version(&self.deployment()?.version_id)
    }
}
