//! A gateway's settings: one document with the original's field names.
//!
//! Enters: JSON of the REST API (control-plane specification, section 3.2). Leaves: the same members, typed where the engine reads them.
//! Never: drops a member that only a later feature will read: those are kept as they were said.

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub const DEFAULT_ID: &str = "default";
/// The longest effective time to live: one month.
pub const CACHE_TTL_MAX_S: u64 = 2_592_000;
pub const CACHE_TTL_MIN_S: u64 = 60;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gateway {
    pub id: String,
    pub cache_invalidate_on_update: bool,
    pub cache_ttl: Option<u64>,
    pub collect_logs: bool,
    pub rate_limiting_interval: Option<u64>,
    pub rate_limiting_limit: Option<u64>,
    pub rate_limiting_technique: Option<Technique>,
    pub authentication: bool,
    pub byok_only: bool,
    pub log_management: Option<u64>,
    pub log_management_strategy: Option<String>,
    pub log_classification: bool,
    pub logpush: bool,
    pub logpush_public_key: Option<String>,
    pub retry_max_attempts: Option<u8>,
    pub retry_delay: Option<u64>,
    pub retry_backoff: Option<Backoff>,
    pub zdr: bool,
    pub store_id: Option<String>,
    pub workers_ai_billing_mode: String,
    /// Members whose features come later, kept verbatim.
    pub otel: Option<Value>,
    pub guardrails: Option<Value>,
    pub dlp: Option<Value>,
    pub spend_limits: Option<Value>,
    pub stripe: Option<Value>,
    /// Ours: requests that a translation could not carry whole are refused. Shown only where it is on: the object is the original's otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tollgate_strict: bool,
    /// Ours: limits of requests, tokens and requests at once, by more than the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tollgate_limits: Option<Value>,
    /// Ours: answers from the cache ask policies and budgets too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tollgate_strict_cache: bool,
    pub is_default: bool,
    /// Unix milliseconds.
    pub created_at: u64,
    pub modified_at: u64,
    pub internal_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Technique {
    Fixed,
    Sliding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backoff {
    Constant,
    Linear,
    Exponential,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            id: String::new(),
            cache_invalidate_on_update: false,
            cache_ttl: Some(0),
            collect_logs: true,
            rate_limiting_interval: Some(0),
            rate_limiting_limit: Some(0),
            rate_limiting_technique: Some(Technique::Fixed),
            authentication: false,
            byok_only: false,
            log_management: Some(10_000_000),
            log_management_strategy: Some("DELETE_OLDEST".to_owned()),
            log_classification: false,
            logpush: false,
            logpush_public_key: None,
            retry_max_attempts: None,
            retry_delay: None,
            retry_backoff: None,
            zdr: false,
            store_id: Some(String::new()),
            workers_ai_billing_mode: "postpaid".to_owned(),
            otel: None,
            guardrails: None,
            dlp: None,
            spend_limits: None,
            stripe: None,
            tollgate_strict: false,
            tollgate_limits: None,
            tollgate_strict_cache: false,
            is_default: false,
            created_at: 0,
            modified_at: 0,
            internal_id: String::new(),
        }
    }
}

impl Gateway {
    /// What the first authenticated request to `default` creates (data-plane specification, section 1.2).
    pub fn auto_created(unix_ms: u64) -> Self {
        Self {
            id: DEFAULT_ID.to_owned(),
            authentication: true,
            is_default: true,
            created_at: unix_ms,
            modified_at: unix_ms,
            ..Self::default()
        }
    }
}
