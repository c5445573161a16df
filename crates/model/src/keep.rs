//! Secrets as they are kept: stores, the secrets in them, and which gateway uses which for which provider.
//!
//! Enters: documents written by the desk. Leaves: the same. Never: holds a value that can be read: it is sealed, or stands elsewhere and only
//! its place is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Of a secret that gateways may use as a provider's key.
pub const GATEWAY_SCOPE: &str = "ai_gateway";
/// The alias that is used when a caller names none and no other is the default.
pub const DEFAULT_ALIAS: &str = "default";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretStore {
    pub id: String,
    pub name: String,
    /// Unix milliseconds.
    pub created_at: u64,
    pub modified_at: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    pub id: String,
    pub store_id: String,
    /// What gateways find it by: see [`key_name`].
    pub name: String,
    pub scopes: Vec<String>,
    pub comment: Option<String>,
    pub value: Kept,
    /// What may be shown of the value.
    pub preview: String,
    /// What its provider was when the value was written. A key goes nowhere else.
    pub bound: Option<Bound>,
    pub created_at: u64,
    pub modified_at: u64,
}

/// Where a secret's value is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// Here, encrypted.
    Sealed(String),
    /// Elsewhere: `env:NAME` or `file:/path`, read when it is needed.
    Reference(String),
    /// Nowhere yet: it was declared by a file, which holds no values.
    Absent,
}

/// Whose key a secret is, found from its name when its value was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// One that is made later under the same name does not inherit keys.
    pub gateway_internal_id: String,
    pub provider: String,
    /// `None`: the provider has many hosts, which its row names.
    pub origin: Option<String>,
}

/// A gateway's key for a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderConfig {
    pub id: String,
    pub gateway: String,
    pub gateway_internal_id: String,
    pub provider_slug: String,
    pub alias: String,
    /// Used when a caller names no alias.
    pub default_config: bool,
    pub secret_id: String,
    /// Requests in a period through this key.
    pub rate_limit: Option<u64>,
    /// Seconds.
    pub rate_limit_period: Option<u64>,
    /// What the provider's row leaves open and this key decides: `resource`, `region`, `project`.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    pub created_at: u64,
    pub modified_at: u64,
}

/// The name of the secret that holds a gateway's key for a provider. It is found by this name, with or without a provider config.
pub fn key_name(gateway: &str, provider: &str, alias: &str) -> String {
    format!("{gateway}_{provider}_{alias}")
}

// === impl ProviderConfig ===

impl ProviderConfig {
    pub fn secret_name(&self) -> String {
        key_name(&self.gateway, &self.provider_slug, &self.alias)
    }
}
