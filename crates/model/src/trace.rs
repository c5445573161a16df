//! How a request found its target: what was visited, and why it went on from there as it did.
//!
//! Enters: the steps of a walk, as they happen. Leaves: a value for the log record, the simulator and people.
//! Never: holds a header's value or a piece of a body: it is logged even when bodies are not.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The dynamic route that was walked; `None`: a list of the caller's, or the auto router.
    pub route: Option<RouteName>,
    /// In the order of the walk.
    pub visited: Vec<Visit>,
    /// Targets that were weighed against each other, best first. Only the auto router weighs.
    pub candidates: Vec<Candidate>,
    /// Why it stopped without an answer.
    pub stopped: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteName {
    pub id: Arc<str>,
    pub name: Arc<str>,
    pub version_id: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The element's id; of a list, the step's number.
    pub element: Arc<str>,
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The target that was tried, when this is one.
    pub target: Option<Arc<str>>,
    /// The output that was taken; `None`: the walk ended here.
    pub output: Option<Arc<str>>,
    /// For people: `metadata.plan $eq "free": found "free"`.
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Start,
    Conditional,
    Percentage,
    Rate,
    Model,
    End,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// `provider/model`.
    pub target: Arc<str>,
    /// Whether it could be chosen.
    pub eligible: bool,
    /// What it was ranked by, or why it was left out.
    pub why: String,
}

// === impl Kind ===

impl Kind {
    pub const ALL: [Self; 6] = [Self::Start, Self::Conditional, Self::Percentage, Self::Rate, Self::Model, Self::End];

    /// As documents spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Conditional => "conditional",
            Self::Percentage => "percentage",
            Self::Rate => "rate",
            Self::Model => "model",
            Self::End => "end",
        }
    }
}

// === impl Trace ===

impl Trace {
    /// The targets that were tried, in order.
    pub fn tried(&self) -> impl Iterator<Item = &Arc<str>> {
        self.visited.iter().filter_map(|visit| visit.target.as_ref())
    }
}
