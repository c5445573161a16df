//! The vault: what stored secrets are sealed with, and where values that stand elsewhere are read.
//!
//! Enters: a key source, kept values. Leaves: envelopes, and values in memory that is wiped. Never: writes a value anywhere but into an envelope.

mod keyring;
mod reference;
mod seal;
mod source;

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;
use tollgate_model::keep::{Kept, StoredSecret};
use tollgate_model::{Secret, SecretStore};

pub use self::keyring::{BadKey, Keyring, MasterKey};
pub use self::reference::{Allowed, BadReference, Reference, Stamp};
pub use self::seal::{NotOpened, Place, key_id_of};
pub use self::source::{KeySource, VaultError};

/// What the value of a secret is sealed for.
const SECRET_VALUE: &str = "secret-value";
/// What a secret that stands inside settings is sealed for.
const SETTING: &str = "setting";

pub struct Vault {
    source: KeySource,
    keyring: RwLock<Arc<Keyring>>,
    allowed: Allowed,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("source", &self.source).finish_non_exhaustive()
    }
}

// === impl Vault ===

impl Vault {
    /// Reads the master key. `sealed_with`: the ids of keys that something here is sealed with. Each must be among those of the source; when
    /// there are none and the source is a file that is not there, a key is made.
    pub fn open(source: KeySource, allowed: Allowed, sealed_with: &[String]) -> Result<Self, VaultError> {
        let keyring = source.read_or_make(sealed_with.is_empty())?;
        let missing: Vec<String> = sealed_with.iter().filter(|id| !keyring.knows(id)).cloned().collect();
        if !missing.is_empty() {
            return Err(VaultError::WrongKey { source_name: source.name(), has: keyring.ids(), missing });
        }
        Ok(Self { source, keyring: RwLock::new(Arc::new(keyring)), allowed })
    }

    pub fn source(&self) -> &KeySource {
        &self.source
    }

    pub fn keyring(&self) -> Arc<Keyring> {
        self.keyring.read().clone()
    }

    /// Reads a key file again: another process may have turned the key. Other sources are read once at start.
    pub fn reload(&self) -> Result<(), VaultError> {
        if let KeySource::File(_) = self.source {
            *self.keyring.write() = Arc::new(self.source.read_or_make(false)?);
        }
        Ok(())
    }

    /// Makes a new key that seals from now on; the ones before still open. Only a key file can be turned here: elsewhere the operator does it.
    pub fn turn(&self) -> Result<(), VaultError> {
        let KeySource::File(path) = &self.source else { return Err(VaultError::NotOurs(self.source.name())) };
        let failed = |cause: std::io::Error| VaultError::Unreadable {
            source_name: self.source.name(),
            cause: cause.to_string(),
        };
        let key = source::fresh_key().map_err(failed)?;
        source::rewrite(path, |keys| keys.insert(0, key)).map_err(failed)?;
        self.reload()
    }

    /// Lets go of all keys but the one that seals. To be called when nothing is sealed with another, and no server runs that might still do it.
    pub fn forget_old_keys(&self) -> Result<(), VaultError> {
        let KeySource::File(path) = &self.source else { return Ok(()) };
        let failed = |cause: std::io::Error| VaultError::Unreadable {
            source_name: self.source.name(),
            cause: cause.to_string(),
        };
        source::rewrite(path, |keys| keys.truncate(1)).map_err(failed)?;
        self.reload()
    }

    /// A value as it is to be kept: sealed, or as a reference when it is one that may be used here.
    pub fn keep(&self, account: &str, id: &str, value: &Secret) -> Result<Kept, VaultError> {
        if let Some(reference) = Reference::read(value.expose()) {
            self.allowed.check(&reference).map_err(VaultError::Reference)?;
            return Ok(Kept::Reference(value.expose().to_owned()));
        }
        self.seal(account, id, value)
    }

    /// Seals with the first key.
    pub fn seal(&self, account: &str, id: &str, value: &Secret) -> Result<Kept, VaultError> {
        let place = Place { account, id, used_as: SECRET_VALUE };
        Ok(Kept::Sealed(self.keyring().seal(&place, value)?))
    }

    /// The value, from wherever it is.
    pub fn value(&self, account: &str, secret: &StoredSecret) -> Result<Secret, VaultError> {
        match &secret.value {
            Kept::Reference(text) => self.resolve(text),
            Kept::Sealed(envelope) => self.open_at(&Place { account, id: &secret.id, used_as: SECRET_VALUE }, envelope),
            Kept::Absent => Err(VaultError::NoValue),
        }
    }

    /// Seals a member of a settings document for its place there.
    pub fn seal_setting(&self, account: &str, place: &str, value: &Secret) -> Result<String, VaultError> {
        self.keyring().seal(&Place { account, id: place, used_as: SETTING }, value)
    }

    pub fn open_setting(&self, account: &str, place: &str, envelope: &str) -> Result<Secret, VaultError> {
        self.open_at(&Place { account, id: place, used_as: SETTING }, envelope)
    }

    /// Another process may have turned the key meanwhile.
    fn open_at(&self, place: &Place<'_>, envelope: &str) -> Result<Secret, VaultError> {
        match self.keyring().open(place, envelope) {
            Err(NotOpened::UnknownKey(_)) => {
                self.reload()?;
                Ok(self.keyring().open(place, envelope)?)
            }
            opened => Ok(opened?),
        }
    }

    /// What `env:NAME` or `file:/path` says now.
    pub fn resolve(&self, text: &str) -> Result<Secret, VaultError> {
        let reference = Reference::read(text).ok_or(VaultError::Reference(BadReference::Unreadable))?;
        self.allowed.resolve(&reference).map_err(VaultError::Reference)
    }

    /// How the files look that these secrets refer to. When one looks otherwise, its value may be another.
    pub fn stamps<'a>(&self, secrets: impl Iterator<Item = &'a StoredSecret>) -> Vec<(PathBuf, Option<Stamp>)> {
        let files = secrets.filter_map(|secret| match &secret.value {
            Kept::Reference(text) => Reference::read(text)?.file().map(PathBuf::from),
            Kept::Sealed(_) | Kept::Absent => None,
        });
        files.map(|path| (path.clone(), Stamp::of(&path))).collect()
    }
}

/// Which keys the sealed ones among these need.
pub fn sealed_with<'a>(secrets: impl Iterator<Item = &'a StoredSecret>) -> Vec<String> {
    secrets
        .filter_map(|secret| match &secret.value {
            Kept::Sealed(envelope) => key_id_of(envelope).map(str::to_owned),
            Kept::Reference(_) | Kept::Absent => None,
        })
        .collect()
}

/// What may be shown of a value: enough to tell two apart.
pub fn preview(value: &str) -> String {
    if Reference::read(value).is_some() {
        return value.to_owned();
    }
    let shown = named_part(value);
    let chars: Vec<char> = shown.as_deref().unwrap_or(value).chars().collect();
    if chars.len() < 12 || (shown.is_none() && value.trim_start().starts_with('{')) {
        return "***".to_owned();
    }
    let (head, tail) = (&chars[..3], &chars[chars.len() - 4..]);
    format!("{}…{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
}

/// Of a key that is a JSON document: the part that says whose it is, which is no secret by itself.
fn named_part(value: &str) -> Option<String> {
    let document: serde_json::Value = serde_json::from_str(value).ok().filter(serde_json::Value::is_object)?;
    let members = ["accessKeyId", "client_email", "key", "apiKey"];
    members.iter().find_map(|name| document[*name].as_str()).map(str::to_owned)
}

/// The store that provider keys go to when nobody has made another.
pub fn default_store(id: String, now_ms: u64) -> SecretStore {
    SecretStore { id, name: "default_secrets_store".to_owned(), created_at: now_ms, modified_at: now_ms }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
