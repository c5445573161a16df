//! What a caller asks of the model, in whichever dialect it was said.
//!
//! Enters: values that a surface read from its request. Leaves: an `Ask` that `speech` can answer.
//! Never: knows a field name of any API.

use serde_json::Value;

#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    /// By the rule of [`crate::speech::tokens`], over all text of the request.
    pub(crate) input_tokens: u64,
    pub(crate) last: Last,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: Choice,
    pub(crate) form: Form,
    pub(crate) stops: Vec<String>,
    pub(crate) tokens_max: Option<u64>,
    /// How many answers; 0 is read as 1.
    pub(crate) answers: u64,
    pub(crate) stream: bool,
}

/// The end of the conversation so far.
#[derive(Clone, Debug)]
pub(crate) enum Last {
    Said(String),
    ToolGave(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) schema: Value,
}

/// Whether tools are to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    /// When the text mentions one.
    #[default]
    Auto,
    Never,
    Always,
    Named(String),
}

/// The form the answer's text must have.
#[derive(Clone, Debug, Default)]
pub(crate) enum Form {
    #[default]
    Prose,
    /// Any JSON object.
    Json,
    Schema(Value),
}

impl Default for Last {
    fn default() -> Self {
        Self::Said(String::new())
    }
}
