//! An alert: what somebody wants to be told of, and where.
//!
//! Enters: settings as somebody wrote them. Leaves: one document. Never: holds the key that messages are signed with: only the name of the secret.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub id: String,
    pub name: String,
    pub enable: bool,
    /// Only this gateway; `None`: all of them, and what belongs to none.
    pub gateway_id: Option<String>,
    pub watch: Watch,
    /// After one was told, the same is not told again for so long.
    pub cooldown_seconds: u64,
    pub webhook: Webhook,
    /// Unix milliseconds.
    pub created_at: u64,
    pub modified_at: u64,
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    Budget { thresholds: Vec<u8> },
    SpendAnomaly(Anomaly),
    ErrorRate(Rate),
    ProviderDown(Rate),
    LogLoss,
}

/// Which metadata names a session and its user, and what is too little to speak of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    pub session_key: String,
    pub user_key: String,
    pub minimum_cost: f64,
}

/// So much of so many, within a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Only this provider.
    pub provider: Option<String>,
    pub window_seconds: u64,
    pub threshold_percent: f64,
    pub minimum_requests: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    pub url: String,
    pub format: Format,
    /// In the secrets store.
    pub secret_id: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Json,
    /// `{"text": "..."}`, as Slack and those that copy it take it.
    Slack,
}

// === impl Watch ===

impl Watch {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Budget { .. } => "budget",
            Self::SpendAnomaly(_) => "spend_anomaly",
            Self::ErrorRate(_) => "error_rate",
            Self::ProviderDown(_) => "provider_down",
            Self::LogLoss => "log_loss",
        }
    }

    /// Whether it is found in the log.
    pub fn reads_log(&self) -> bool {
        matches!(self, Self::SpendAnomaly(_) | Self::ErrorRate(_) | Self::ProviderDown(_))
    }
}

// === impl Alert ===

impl Alert {
    pub fn is_of(&self, gateway: &str) -> bool {
        self.gateway_id.as_deref().is_none_or(|own| own == gateway)
    }
}
