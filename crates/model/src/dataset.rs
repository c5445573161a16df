//! A dataset: a saved filter over a gateway's log.
//!
//! Enters: filters as somebody wrote them. Leaves: one document. Never: holds a record: what belongs to it is what matches when it is asked.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    pub id: String,
    pub gateway: String,
    /// Of the gateway: one that is made later under the same name does not inherit datasets.
    pub gateway_internal_id: String,
    /// Unique in its gateway.
    pub name: String,
    pub enable: bool,
    /// `[{key, operator, value: [...]}]`, all of which must hold.
    pub filters: Value,
    /// Unix milliseconds.
    pub created_at: u64,
    pub modified_at: u64,
}
