//! A conversation in nobody's words: the form every chat dialect is read into and written from.
//!
//! Enters: what a dialect read. Leaves: turns of blocks, settings, answers, events. Never: loses a member in silence: what the form has no
//! place for stays in an `extra`, and what a target cannot say becomes a [`Loss`].
//!
//! A field enters the form when two dialects say it, or a rule reads it. Everything else travels in `extra` (members of an object that
//! was otherwise understood) or as [`Content::Opaque`] (a whole block that was not), and is written back only in its origin's words.

mod answer;
mod effort;
mod estimate;
mod event;
mod fault;
mod fold;
pub mod free_text;
mod loss;
mod seal;

use serde_json::{Map, Value};

use crate::dialect::Dialect;

pub use answer::{Answer, Choice, Finish, FinishKind, UsageReport};
pub use effort::{Effort, budget_of, effort_of};
pub use estimate::input_tokens;
pub use event::{Delta, Event};
pub use fault::{BadField, Fault, FaultKind};
pub use fold::{Fold, unfold};
pub use loss::{Field, LOSSES_MAX, Loss, LossKind, Losses, Place};
pub use seal::Seal;

/// Members that the form has no place for, as their origin wrote them.
pub type Extra = Map<String, Value>;

/// What a caller asks a model for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Whose words `extra`s and places are in.
    pub origin: Dialect,
    pub model: String,
    pub stream: bool,
    /// System instructions too, where they stood. Dialects that keep them apart read them as the first turn.
    pub turns: Vec<Turn>,
    pub tools: Vec<Tool>,
    pub settings: Settings,
    /// Top-level members.
    pub extra: Extra,
    /// What points at something the origin's server keeps, such as the conversation so far (`previous_response_id`). Said to anybody else the request
    /// would be another one, so it is refused there: [`LossKind::Refused`].
    pub kept: Vec<Place>,
}

/// Everything that is one value for the whole request. `None`: the caller did not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// OpenAI's `stream_options.include_usage`. Other dialects always state the usage: they read it as `Some(true)` when streaming.
    pub stream_usage: Option<bool>,
    pub max_tokens: Option<u64>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u64>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    pub seed: Option<i64>,
    /// How many answers.
    pub n: Option<u64>,
    pub stop: Vec<String>,
    pub logprobs: Option<bool>,
    pub top_logprobs: Option<u64>,
    pub logit_bias: Option<Extra>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tools: Option<bool>,
    pub format: Option<Format>,
    pub reasoning: Option<Reasoning>,
    /// OpenAI's `low`, `medium`, `high`.
    pub verbosity: Option<String>,
    /// The provider's own word: words differ, so another dialect may approximate or lose it.
    pub service_tier: Option<String>,
    /// Who the end user is, for the provider's abuse control: `user`, `safety_identifier`, `metadata.user_id`.
    pub user: Option<String>,
    /// OpenAI's `prompt_cache_key`.
    pub cache_key: Option<String>,
    /// What the answer is made of when not text alone: `text`, `audio`, `image`.
    pub modalities: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub role: Role,
    pub blocks: Vec<Block>,
    /// Its number in the origin's own list, for places. System text outside that list: [`Turn::OUTSIDE`].
    pub at: u32,
    pub extra: Extra,
}

/// Results of tools are blocks of a user's turn, whatever role a dialect gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    System,
    /// OpenAI's newer name for instructions; other dialects write it as system.
    Developer,
    User,
    Assistant,
}

/// One piece of a turn or of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub content: Content,
    /// The provider's proof that it made this block itself: must come back with it, unread and unchanged.
    pub seal: Option<Seal>,
    /// The provider's prompt cache may keep everything up to here.
    pub cache: Option<CacheMark>,
    pub extra: Extra,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Text {
        text: String,
        citations: Vec<Citation>,
    },
    /// The model declined, in words.
    Refusal {
        text: String,
    },
    Image {
        source: Source,
        detail: Option<String>,
    },
    Audio {
        source: Source,
    },
    File {
        source: Source,
        name: Option<String>,
    },
    /// `arguments` is JSON as the model wrote it; it may be incomplete when the model was cut off.
    ToolUse {
        id: String,
        name: String,
        arguments: String,
        kind: CallKind,
    },
    ToolResult {
        id: String,
        name: Option<String>,
        blocks: Vec<Block>,
        is_error: bool,
    },
    /// Visible thought, a summary of it, or nothing but its seal. `summary`: written for the reader, not the thought itself.
    Reasoning {
        text: String,
        summary: bool,
    },
    /// A block only its origin understands.
    Opaque {
        origin: Dialect,
        value: Value,
    },
}

/// Where the bytes of an image, a sound or a file are.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Standard base64 with padding.
    Data {
        media_type: String,
        base64: String,
    },
    Url {
        url: String,
        media_type: Option<String>,
    },
    /// A file that was uploaded to the provider before: means nothing elsewhere.
    Id {
        origin: Dialect,
        id: String,
    },
    /// A document given as plain text.
    Text {
        text: String,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallKind {
    #[default]
    Function,
    /// OpenAI's custom tools: `arguments` is free text.
    Custom,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    pub url: Option<String>,
    pub title: Option<String>,
    /// What was quoted.
    pub text: Option<String>,
    /// In the answer's text, in characters.
    pub start: Option<u64>,
    pub end: Option<u64>,
    pub origin: Dialect,
    /// The whole of it, in its origin's words.
    pub raw: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheMark {
    /// The provider's usual time: five minutes.
    Usual,
    OneHour,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    pub kind: ToolKind,
    pub cache: Option<CacheMark>,
    pub extra: Extra,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ToolKind {
    Function {
        name: String,
        description: Option<String>,
        schema: Option<Value>,
        strict: Option<bool>,
    },
    /// Free text in, by OpenAI's `custom`.
    Custom {
        name: String,
        description: Option<String>,
        format: Option<Value>,
    },
    /// Runs at the provider (web search, code interpreter, ...): only its origin can say it.
    Hosted {
        origin: Dialect,
        name: String,
        value: Value,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    Auto,
    None,
    /// Some tool must be used.
    Required,
    Named(String),
    /// One of these: when `required`, certainly.
    Allowed {
        names: Vec<String>,
        required: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    Text,
    /// Any JSON object.
    Json,
    Schema {
        name: String,
        description: Option<String>,
        schema: Value,
        strict: Option<bool>,
    },
}

/// How much the model may think, and how much of it is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reasoning {
    pub effort: Option<Effort>,
    /// In tokens. `Some(0)`: none.
    pub budget: Option<u64>,
    /// The model decides: Anthropic's `adaptive`, Gemini's budget of -1.
    pub dynamic: bool,
    /// Are thoughts (or summaries of them) part of the answer?
    pub shown: Option<bool>,
    /// OpenAI's `auto`, `concise`, `detailed`.
    pub summary: Option<String>,
}

// === impl Turn ===

impl Turn {
    /// The turn stood outside the list of turns, as Anthropic's `system` does.
    pub const OUTSIDE: u32 = u32::MAX;

    pub fn new(role: Role, at: usize) -> Self {
        Self { role, blocks: Vec::new(), at: at as u32, extra: Extra::new() }
    }
}

// === impl Block ===

impl From<Content> for Block {
    fn from(content: Content) -> Self {
        Self { content, seal: None, cache: None, extra: Extra::new() }
    }
}

impl Block {
    pub fn text(text: impl Into<String>) -> Self {
        Content::Text { text: text.into(), citations: Vec::new() }.into()
    }

    pub fn sealed(mut self, seal: Option<Seal>) -> Self {
        self.seal = seal;
        self
    }
}

// === impl Request ===

impl Request {
    pub fn new(origin: Dialect) -> Self {
        Self {
            origin,
            model: String::new(),
            stream: false,
            turns: Vec::new(),
            tools: Vec::new(),
            settings: Settings::default(),
            extra: Extra::new(),
            kept: Vec::new(),
        }
    }

    /// Adjacent turns of one role are one turn: dialects that demand taking turns are written from this.
    pub fn merged(&self) -> Vec<(Role, Vec<(&Turn, &Block)>)> {
        let mut merged: Vec<(Role, Vec<(&Turn, &Block)>)> = Vec::new();
        for turn in &self.turns {
            let blocks = turn.blocks.iter().map(|block| (turn, block));
            match merged.last_mut() {
                Some((role, held)) if *role == turn.role => held.extend(blocks),
                _ => merged.push((turn.role, blocks.collect())),
            }
        }
        merged
    }
}
