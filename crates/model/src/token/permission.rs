//! What a token may do: one table of words.
//!
//! Enters: names of the command line and the API. Leaves: permissions, and which of them contain which. Never: knows an endpoint.

use serde::{Deserialize, Serialize};

/// The original's permission groups are named in `docs/access.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Use the data plane.
    Run,
    /// Every GET of gateways, log bodies included.
    Read,
    /// The same, but no prompts and no answers.
    ReadMetadata,
    /// Every method on gateways.
    Write,
    /// Store provider keys and other secrets. Nobody can read them back.
    SecretsWrite,
    /// Ask the analytics API.
    AnalyticsRead,
    /// Change what happens to logs after they are written, such as their export.
    LogsEdit,
    /// What belongs to the account: its audit log.
    AccountRead,
    /// All of it, and to make any token.
    Admin,
}

impl Permission {
    pub const ALL: [(&'static str, Permission); 9] = [
        ("run", Self::Run),
        ("read", Self::Read),
        ("read_metadata", Self::ReadMetadata),
        ("write", Self::Write),
        ("secrets_write", Self::SecretsWrite),
        ("analytics_read", Self::AnalyticsRead),
        ("logs_edit", Self::LogsEdit),
        ("account_read", Self::AccountRead),
        ("admin", Self::Admin),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, each)| *each == self).map_or("", |(name, _)| name)
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(each, _)| *each == name).map(|(_, permission)| *permission)
    }

    /// Whether who has this one has the other with it.
    pub fn implies(self, other: Self) -> bool {
        let contained: &[Self] = match self {
            Self::Admin => return true,
            Self::Write => &[Self::Read, Self::ReadMetadata],
            Self::Read => &[Self::ReadMetadata],
            _ => &[],
        };
        self == other || contained.contains(&other)
    }
}
