//! A gateway token: who may do what.
//!
//! Enters: a document written by the desk. Leaves: the same, without the secret: only its digest is ever stored.
//! Never: holds the token itself.

use serde::{Deserialize, Serialize};

/// What a token may do. Names are those of the command line and the API; the original's permission groups are in the docs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Use the data plane.
    Run,
    /// Every GET of the control plane, log bodies included.
    Read,
    /// Every GET, but no prompts and no answers.
    ReadMetadata,
    /// Every method of the control plane.
    Write,
}

impl Permission {
    pub const ALL: [(&'static str, Permission); 4] =
        [("run", Self::Run), ("read", Self::Read), ("read_metadata", Self::ReadMetadata), ("write", Self::Write)];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, each)| *each == self).map_or("", |(name, _)| name)
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(each, _)| *each == name).map(|(_, permission)| *permission)
    }
}

/// SHA-256 of the whole token.
pub type Digest = [u8; 32];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Token {
    pub fn allows(&self, permission: Permission, unix_ms: u64) -> bool {
        self.permissions.contains(&permission) && self.expires_at.is_none_or(|end| unix_ms < end)
    }
}
