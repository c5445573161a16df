//! A gateway token: who may do what, and where.
//!
//! Enters: a document written by the desk. Leaves: the same, without the secret: only digests are ever stored.
//! Never: holds the token itself, or judges a request by it: that is `rules::scope`.

use serde::{Deserialize, Serialize};

pub use permission::Permission;
pub use role::Role;

mod permission;
mod role;

/// SHA-256 of the whole token.
pub type Digest = [u8; 32];

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Token {
    pub id: String,
    pub name: String,
    pub permissions: Vec<Permission>,
    /// Lowercase hex.
    pub digest: String,
    /// What may be shown of the secret: its prefix and last four characters.
    pub hint: String,
    pub created_at: u64,
    pub expires_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// Kept, but refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The token it was made with, when that one is not an administrator's. Whatever that one may not, this one may not either, and it goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
    #[serde(default, skip_serializing_if = "Scope::is_whole")]
    pub scope: Scope,
    /// The secret before the last roll, as long as it is still good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

/// Two secrets are good while one is exchanged for the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    pub digest: String,
    pub hint: String,
    pub until: u64,
}

/// What narrows a token beyond its permissions. `None` narrows nothing; an empty list would leave nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// Ids. Such a token sees no other gateway, and nothing that belongs to the account as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateways: Option<Vec<String>>,
    /// As the path names them: `openai`, `anthropic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<String>>,
    /// Patterns with `*`, of a model's name or of `provider/model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Names of dynamic routes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<String>>,
    /// Addresses or ranges that it may be used from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<String>>,
    /// And those of them that it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_from: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spend_limit: Option<SpendLimit>,
}

/// So many requests to providers in so many seconds, over all gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    pub limit: u64,
    pub window: u64,
}

/// So many US dollars in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpendLimit {
    pub limit_usd: f64,
    pub window: u64,
}

// === impl Token ===

impl Token {
    pub fn has(&self, permission: Permission) -> bool {
        self.permissions.iter().any(|each| each.implies(permission))
    }

    pub fn is_in_force(&self, unix_ms: u64) -> bool {
        let begun = self.not_before.is_none_or(|start| start <= unix_ms);
        begun && !self.disabled && self.expires_at.is_none_or(|end| unix_ms < end)
    }

    pub fn allows(&self, permission: Permission, unix_ms: u64) -> bool {
        self.has(permission) && self.is_in_force(unix_ms)
    }
}

// === impl Scope ===

impl Scope {
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it says which models may be used, in any way. The right to change routes and settings would undo that.
    pub fn narrows_targets(&self) -> bool {
        self.providers.is_some() || self.models.is_some() || self.routes.is_some()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_the_first_version_are_still_read() {
        let old = r#"{"id":"t","name":"n","permissions":["run","write"],"digest":"00","hint":"tg_…abcd","created_at":1,"expires_at":null}"#;
        let token: Token = serde_json::from_str(old).unwrap();
        assert!(token.scope.is_whole() && token.has(Permission::ReadMetadata) && token.is_in_force(0));
        // And written as they were: what is not set takes no room.
        assert_eq!(serde_json::to_string(&token).unwrap(), old);
    }

    #[test]
    fn a_token_is_in_force_from_its_first_moment_to_before_its_last() {
        let token = Token { not_before: Some(5), expires_at: Some(9), ..Token::default() };
        assert_eq!([4, 5, 8, 9].map(|now| token.is_in_force(now)), [false, true, true, false]);
        assert!(!Token { disabled: true, ..token }.is_in_force(5));
    }
}
