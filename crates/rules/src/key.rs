//! A gateway's stored keys: which one a request goes out with, and where it may go.
//!
//! Enters: secrets, provider configs, providers' rows. Leaves: keys by provider and alias, ready to be used, or the reason why one is not.
//! Never: lets a key go to another origin than its provider had when it was written.

mod assertion;
mod compile;
mod credential;
mod sigv4;

use std::sync::Arc;

use tollgate_model::{Secret, StoredSecret};
use tollgate_wire::provider::{Origin, ProviderRow};

use crate::limit::Limit;

pub use self::assertion::{AssertionError, ServiceAccount};
pub(crate) use self::compile::{compile, meanings};
pub use self::credential::{AwsKeys, Credential, read};
pub use self::sigv4::{Scope, sign};

/// A secret with its value, or why it cannot be read.
#[derive(Clone, Debug)]
pub struct OpenSecret {
    pub stored: StoredSecret,
    pub value: Result<Secret, String>,
}

/// One key of a gateway for a provider.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Of its config, or of the secret that was found by its name.
    pub id: Arc<str>,
    pub alias: String,
    pub is_default: bool,
    /// With what the key says of region, project or resource.
    pub row: Arc<ProviderRow>,
    pub limit: Option<Limit>,
    credential: Result<Credential, Unusable>,
    /// `None`: wherever the row leads.
    origins: Option<Vec<Origin>>,
}

/// Why a key that is there cannot be used. Safe to tell: no value, no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("its secret is gone")]
    Gone,
    #[error("its value cannot be read; the gateway's log says why")]
    Unreadable,
    #[error("it was stored for another address of this provider; store it again to use it at the one of today")]
    Moved,
    #[error("it is no key of this provider: {0}")]
    Malformed(String),
    #[error("it is for another host of this provider")]
    Elsewhere,
}

/// All keys of a gateway.
#[derive(Debug, Default)]
pub struct Keys {
    /// By provider; within one, the default first, then by alias.
    keys: Vec<Arc<StoredKey>>,
}

// === impl Keys ===

impl Keys {
    pub(crate) fn new(mut keys: Vec<StoredKey>) -> Self {
        keys.sort_by(|a, b| {
            let by_default = || b.is_default.cmp(&a.is_default);
            a.provider().cmp(b.provider()).then_with(by_default).then_with(|| a.alias.cmp(&b.alias))
        });
        Self { keys: keys.into_iter().map(Arc::new).collect() }
    }

    pub fn all(&self) -> &[Arc<StoredKey>] {
        &self.keys
    }

    /// Those for a provider.
    pub fn of(&self, provider: &str) -> &[Arc<StoredKey>] {
        let begin = self.keys.partition_point(|key| key.provider() < provider);
        let end = self.keys.partition_point(|key| key.provider() <= provider);
        &self.keys[begin..end]
    }

    pub fn named(&self, provider: &str, alias: &str) -> Option<&Arc<StoredKey>> {
        self.of(provider).iter().find(|key| key.alias == alias)
    }

    /// What is used when nobody names one: the one marked so, else the one called `default`.
    pub fn usual(&self, provider: &str) -> Option<&Arc<StoredKey>> {
        let marked = self.of(provider).first().filter(|key| key.is_default);
        marked.or_else(|| self.named(provider, tollgate_model::keep::DEFAULT_ALIAS))
    }
}

// === impl StoredKey ===

impl StoredKey {
    pub fn provider(&self) -> &str {
        self.row.segment()
    }

    /// What to go out with, if it may go there at all.
    pub fn credential_for(&self, target: &Origin) -> Result<&Credential, Unusable> {
        let credential = self.credential.as_ref().map_err(Clone::clone)?;
        match &self.origins {
            Some(origins) if !origins.contains(target) => Err(Unusable::Elsewhere),
            _ => Ok(credential),
        }
    }

    /// Whether it could be used at all.
    pub fn check(&self) -> Result<(), Unusable> {
        self.credential.as_ref().map(drop).map_err(Clone::clone)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
