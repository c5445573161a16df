//! What operators add to the catalog and to the names of the gateway: providers and domains of their own.
//!
//! Enters: settings that were checked. Leaves: documents. Never: knows how a provider is reached; `rules::custom` does.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A provider that is called `custom-{slug}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomProvider {
    pub id: String,
    pub name: String,
    /// No two of an installation have the same, whatever the case of its letters.
    pub slug: String,
    /// What follows the provider's segment in a caller's path is appended to it.
    pub base_url: String,
    pub description: Option<String>,
    /// Where people read about it.
    pub link: Option<String>,
    pub curl_example: Option<String>,
    pub js_example: Option<String>,
    /// Only then is it there for callers.
    pub enable: bool,
    pub beta: bool,
    /// Sent with every request to it.
    #[serde(default)]
    pub headers: Vec<CustomHeader>,
    /// Lists are ordered by it, then by name.
    pub position: f64,
    /// Unix milliseconds.
    pub created_at: u64,
    pub modified_at: u64,
}

/// Its value may be a credential: it is sealed in the store and not shown again. One that was never given is [`HIDDEN`](crate::secret::HIDDEN).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomHeader {
    pub name: String,
    pub value: String,
}

/// A host name that leads to one gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomDomain {
    /// Lower case, without port and trailing dot.
    pub hostname: String,
    pub gateway: String,
    /// Of the gateway: one that is made later under the same name does not inherit domains.
    pub gateway_internal_id: String,
    /// As the caller gave it; it means nothing here.
    pub zone_id: Option<String>,
    /// Unix milliseconds.
    pub created_at: u64,
    pub modified_at: u64,
}

/// Before the slug, wherever a custom provider is called by name.
pub const PREFIX: &str = "custom-";

// === impl CustomProvider ===

impl CustomProvider {
    /// How paths, records and routes call it.
    pub fn segment(&self) -> String {
        format!("{PREFIX}{}", self.slug)
    }
}

impl fmt::Debug for CustomHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ***", self.name)
    }
}
