//! What a request says about itself at its top level, read without building a tree.
//!
//! Enters: a request body. Leaves: the model it names and whether it asks for a stream.
//! Never: changes a byte, or judges members it does not know.

use crate::dialect::Dialect;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peek {
    pub model: Option<String>,
    pub stream: bool,
}

/// Enough to find the fault in someone else's JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: expected {expected}, found {found}")]
pub struct Malformed {
    pub at: &'static str,
    pub expected: &'static str,
    pub found: String,
}

pub fn peek(_dialect: Dialect, body: &[u8]) -> Result<Peek, Malformed> {
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|error| Malformed {
        at: "request body",
        expected: "JSON",
        found: error.to_string(),
    })?;
    Ok(Peek { model: value["model"].as_str().map(str::to_owned), stream: value["stream"] == true })
}
