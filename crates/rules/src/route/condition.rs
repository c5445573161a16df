//! Conditions in the manner of MongoDB's queries: `{"metadata.plan": {"$eq": "free"}}`.
//!
//! Enters: facts. Leaves: true or false, and on request why. Never: fails on what stands at a path: what cannot be compared does not match.
//!
//! Several members of one object, and several operators on one path, must all hold. What is missing equals nothing, not even null; `$ne` and `$nin`
//! are the opposites of `$eq` and `$in` and hold for it; `$gt` and its kin, and `$regex`, do not.

mod explain;
mod read;
mod test;

use serde_json::Value;

use crate::facts::Facts;

use super::path::Path;
use super::problem::Problems;

pub(crate) use test::{Ordered, Test};

pub(super) const DEPTH_MAX: usize = 16;
/// Paths, operators and listed values of one condition.
pub(super) const PARTS_MAX: usize = 2_000;
pub(super) const REGEX_BYTES_MAX: usize = 512;

#[derive(Clone, Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// What stands at the path must pass all tests.
    At(Path, Vec<Test>),
}

// === impl Condition ===

impl Condition {
    pub(super) fn read(value: &Value, problems: &mut Problems) -> Self {
        read::Reader::new(problems).condition(value, 0)
    }

    pub(crate) fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Self::Not(part) => !part.holds(facts),
            Self::At(path, tests) => {
                let found = path.find(facts);
                tests.iter().all(|test| test.passes(found))
            }
        }
    }

    /// The part that decided, in words.
    pub(crate) fn why(&self, facts: &Facts) -> String {
        explain::why(self, facts)
    }

    pub(super) fn paths(&self) -> Vec<&Path> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::paths).collect(),
            Self::Not(part) => part.paths(),
            Self::At(path, _) => vec![path],
        }
    }
}

#[cfg(test)]
mod tests;
