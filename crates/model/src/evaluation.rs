//! An evaluation: what evaluators found in the records that datasets held at one moment.
//!
//! Enters: what is to be evaluated. Leaves: the same with results. Never: changes once it is processed.

use serde::{Deserialize, Serialize};

use crate::Dataset;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    pub id: String,
    pub gateway: String,
    pub gateway_internal_id: String,
    /// Unique in its gateway.
    pub name: String,
    /// As they were when it was asked for.
    pub datasets: Vec<Dataset>,
    pub results: Vec<Finding>,
    /// Records that were evaluated, so far or in all.
    pub total_logs: u64,
    /// Records that there were to evaluate when it began.
    pub expected_logs: u64,
    /// Older records are of an earlier gateway of the same name.
    pub logs_from_ms: u64,
    /// Unix milliseconds. Records that came later are not in it.
    pub created_at: u64,
    pub modified_at: u64,
}

/// What one evaluator found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub id: String,
    pub evaluation_type_id: String,
    /// A decimal number; empty until there is one.
    pub result: String,
    pub state: State,
    /// Why there is none.
    pub why: Option<String>,
    /// Records that counted.
    pub total_logs: u64,
    pub created_at: u64,
    pub modified_at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Pending,
    Running,
    Done,
    Failed,
}

// === impl Evaluation ===

impl Evaluation {
    /// Every result is final.
    pub fn processed(&self) -> bool {
        self.results.iter().all(|finding| matches!(finding.state, State::Done | State::Failed))
    }
}
