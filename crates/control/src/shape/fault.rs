//! What is wrong with a value, and where.
//!
//! Enters: a path and a sentence. Leaves: the same, for the API's `errors[].path` and for the command line.
//! Never: repeats the value that was refused, which may be a secret, except a word that is not in its list.

use std::fmt;

use serde::{Serialize, Serializer};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub path: Vec<Step>,
    pub message: String,
}

/// Into an object, or into an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Name(String),
    Index(usize),
}

// === impl Fault ===

impl Fault {
    pub fn new<const N: usize>(path: [&str; N], message: impl Into<String>) -> Self {
        Self { path: path.into_iter().map(Step::from).collect(), message: message.into() }
    }
}

/// Without the leading `body`, which means nothing to someone at a command line.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Vec<String> = self.path.iter().map(Step::to_string).collect();
        let path = path.strip_prefix(&["body".to_owned()]).unwrap_or(&path);
        if path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", path.join("."), self.message) }
    }
}

// === impl Step ===

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

impl From<&str> for Step {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => to.serialize_str(name),
            Self::Index(index) => to.serialize_u64(*index as u64),
        }
    }
}
