//! A policy of a gateway as it is kept: what is in force, and what somebody has drafted.
//!
//! Enters: members as somebody wrote them. Leaves: one document. Never: knows what a condition means; `rules::policy` does.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyDocument {
    pub id: String,
    pub gateway: String,
    /// Of the gateway: one that is made later under the same name does not inherit policies.
    pub gateway_internal_id: String,
    /// `None`: it was never committed.
    pub committed: Option<PolicyBody>,
    /// What the next commit puts in force.
    pub draft: Option<PolicyBody>,
    /// Unix seconds, as the API shows them.
    pub created_at: u64,
    pub updated_at: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyBody {
    pub name: String,
    /// Names the bucket: text with fields in braces.
    pub actor: String,
    /// `"*"`, or an object of `model` and `provider`.
    pub resource: Value,
    /// A CEL expression.
    pub condition: String,
    pub action: Value,
}
