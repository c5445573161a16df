//! What goes wrong, in nobody's words.
//!
//! Enters: a provider's error, or a caller's field that is not what it should be. Leaves: a kind, a sentence, the place. Never: a guess about
//! whose fault it is.

use std::fmt;

use serde_json::Value;

/// An error a provider reports, whole or in mid-stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    pub status: u16,
    pub message: String,
    /// The provider's own word or number for it.
    pub code: Option<String>,
    /// Which field of the request, where the provider says so.
    pub param: Option<String>,
    /// The provider's own object. `Null` when there was none.
    pub raw: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    BadRequest,
    Unauthorized,
    /// Out of credit.
    Billing,
    Forbidden,
    NotFound,
    Timeout,
    TooLarge,
    /// The conversation does not fit the model's window.
    ContextTooLong,
    /// The provider's content policy.
    ContentPolicy,
    RateLimited,
    Overloaded,
    Server,
}

/// A member of a request, or of an answer, that is not what its dialect says it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadField {
    /// `messages[2].content[0].image_url`.
    pub path: String,
    pub expected: String,
    pub found: String,
}

// === impl FaultKind ===

impl FaultKind {
    /// What a status alone says.
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthorized,
            402 => Self::Billing,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            503 | 529 => Self::Overloaded,
            400..=499 => Self::BadRequest,
            _ => Self::Server,
        }
    }
}

// === impl BadField ===

impl fmt::Display for BadField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "request body" } else { &self.path };
        write!(f, "{path}: expected {}, found {}", self.expected, self.found)
    }
}

impl std::error::Error for BadField {}
