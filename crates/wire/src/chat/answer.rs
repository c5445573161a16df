//! A model's answer, whole.
//!
//! Enters: what a dialect read, or what a stream's events add up to. Leaves: the same value for both. Never: forgets the provider's own
//! word for why it stopped, or its own count.

use serde_json::Value;
use tollgate_model::Usage;

use super::{Block, Extra};
use crate::dialect::Dialect;

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub origin: Dialect,
    /// The provider's; empty when it gave none.
    pub id: String,
    /// As the provider named it; empty when it did not.
    pub model: String,
    /// Unix seconds.
    pub created: Option<u64>,
    /// By index, without gaps.
    pub choices: Vec<Choice>,
    pub usage: Option<UsageReport>,
    pub service_tier: Option<String>,
    /// Top-level members.
    pub extra: Extra,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    pub blocks: Vec<Block>,
    pub finish: Option<Finish>,
    /// In OpenAI's shape: `{ "content": [..], "refusal": [..] }`.
    pub logprobs: Option<Value>,
    pub extra: Extra,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    pub kind: FinishKind,
    /// The provider's own word.
    pub raw: String,
    /// Which of the stop sequences it was, where the provider says so.
    pub stop_sequence: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FinishKind {
    /// It had said everything.
    Stop,
    StopSequence,
    /// The caller's limit.
    Length,
    /// The model's window is full.
    ContextFull,
    ToolUse,
    /// The provider's content filter.
    Filter,
    /// The model itself declined.
    Refusal,
    /// It may be asked to go on: Anthropic's `pause_turn`.
    Pause,
    /// Something else: the raw word says what.
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub struct UsageReport {
    pub usage: Usage,
    /// The provider's own object, in its words. `Null` when there was none to keep.
    pub raw: Value,
}

// === impl Answer ===

impl Answer {
    pub fn new(origin: Dialect) -> Self {
        Self {
            origin,
            id: String::new(),
            model: String::new(),
            created: None,
            choices: Vec::new(),
            usage: None,
            service_tier: None,
            extra: Extra::new(),
        }
    }
}

// === impl Finish ===

impl Finish {
    pub fn new(kind: FinishKind, raw: impl Into<String>) -> Self {
        Self { kind, raw: raw.into(), stop_sequence: None }
    }
}
