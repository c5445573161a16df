//! Why the desk said no.
//!
//! Enters: faults of the wish, problems of the whole, failures of the store. Leaves: one error, told apart where the caller is told differently.
//! Never: is built with side effects.

use tollgate_rules::snapshot::Problem;
use tollgate_store::StoreError;

use crate::shape::Fault;
use crate::vault::VaultError;

#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The wish itself is wrong.
    #[error("{}", list(.0))]
    Faults(Vec<Fault>),
    #[error("a {0} with this id already exists")]
    Exists(&'static str),
    #[error("no such {0}")]
    Missing(&'static str),
    /// The installation would not serve with this change.
    #[error("{}", list(.0))]
    Problems(Vec<Problem>),
    #[error("a stored {kind} cannot be read")]
    Damaged { kind: String, id: String, cause: serde_json::Error },
    #[error("the settings come from the file {0}: change it there; it is read again by itself")]
    ReadOnly(String),
    #[error("{0:?} is no kind of the table of settings: this program is wrong")]
    Unlisted(String),
    #[error("others kept changing the same document; try again")]
    Contended,
    #[error(transparent)]
    Store(#[from] StoreError),
    /// In the words of the secrets store's own API.
    #[error(transparent)]
    Secrets(#[from] SecretsFault),
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The operating system gave no randomness, without which no secret is made.
    #[error("no randomness from the operating system: {0}")]
    NoRandomness(String),
}

/// What the secrets store refuses: each with the word that its clients look for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct SecretsFault {
    pub status: u16,
    pub code: u32,
    pub said: String,
}

impl SecretsFault {
    pub(crate) fn invalid(said: impl Into<String>) -> DeskError {
        Self { status: 400, code: 1001, said: said.into() }.into()
    }

    pub(crate) fn missing(said: &str) -> DeskError {
        Self { status: 404, code: 1001, said: said.to_owned() }.into()
    }

    pub(crate) fn taken(said: impl Into<String>) -> DeskError {
        Self { status: 400, code: 1003, said: said.into() }.into()
    }

    pub(crate) fn conflict(said: &str) -> DeskError {
        Self { status: 409, code: 1003, said: said.to_owned() }.into()
    }
}

fn list(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
