//! Embeddings in nobody's words.
//!
//! Enters: what a dialect read. Leaves: texts in, vectors out. Never: rounds a number: vectors stay as they were written, or as bytes.

use serde_json::Value;

use crate::chat::{BadField, Extra, Fault, LossKind, Losses, UsageReport};
use crate::dialect::Dialect;

#[derive(Clone, Debug, PartialEq)]
pub struct EmbedRequest {
    pub origin: Dialect,
    pub model: String,
    pub inputs: Vec<EmbedInput>,
    pub dimensions: Option<u64>,
    /// `float` or `base64`, as OpenAI names them; others are extras.
    pub base64: Option<bool>,
    /// Cohere's words: `search_document`, `search_query`, `classification`, `clustering`; Gemini's `task_type` in the same words where they agree.
    pub purpose: Option<String>,
    /// What to do with a text that is too long: Cohere's `NONE`, `START`, `END`; Gemini's and Titan's switches.
    pub truncate: Option<String>,
    pub user: Option<String>,
    pub extra: Extra,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EmbedInput {
    Text(String),
    Tokens(Vec<u64>),
    /// A data URL.
    Image(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct EmbedAnswer {
    pub origin: Dialect,
    pub id: String,
    pub model: String,
    /// In the order of the inputs.
    pub vectors: Vec<Vector>,
    pub usage: Option<UsageReport>,
    pub extra: Extra,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Vector {
    /// JSON numbers as written.
    Numbers(Vec<Value>),
    /// Little-endian 32-bit floats, base64.
    Base64(String),
}

/// What it takes to speak an embeddings dialect. The counterpart of `dialect::chat::Chat`.
pub trait Embed: Sync {
    fn read_request(&self, body: &[u8]) -> Result<EmbedRequest, BadField>;
    /// One request for the provider. How many inputs fit in one is `inputs_max`.
    fn write_request(&self, request: &EmbedRequest, losses: &mut Losses) -> Vec<u8>;
    fn read_answer(&self, body: &[u8]) -> Result<EmbedAnswer, BadField>;
    /// `base64`: the caller asked for vectors as bytes.
    fn write_answer(&self, answer: &EmbedAnswer, base64: bool, losses: &mut Losses) -> Vec<u8>;
    fn read_fault(&self, status: u16, body: &[u8]) -> Fault;
    fn write_fault(&self, fault: &Fault) -> Vec<u8>;
    /// Inputs one request may have: Titan takes one. The caller's are refused beyond that.
    fn inputs_max(&self) -> usize {
        usize::MAX
    }
}

/// Cohere's name for it, which callers of OpenAI's dialect write too when they mean such a provider.
pub(crate) const PURPOSE: &str = "input_type";

/// What the vectors are for, wherever the caller said it.
pub(crate) fn purpose(request: &EmbedRequest) -> Option<&str> {
    request.purpose.as_deref().or_else(|| request.extra.get(PURPOSE)?.as_str())
}

/// A loss of an embeddings request, which has no blocks: by member name.
pub fn lost(losses: &mut Losses, member: &str, kind: LossKind, note: &'static str) {
    losses.add(crate::chat::Place::Extra(member.to_owned()), kind, note);
}

// === impl EmbedRequest ===

impl EmbedRequest {
    pub fn new(origin: Dialect) -> Self {
        Self {
            origin,
            model: String::new(),
            inputs: Vec::new(),
            dimensions: None,
            base64: None,
            purpose: None,
            truncate: None,
            user: None,
            extra: Extra::new(),
        }
    }
}

// === impl EmbedAnswer ===

impl EmbedAnswer {
    pub fn new(origin: Dialect) -> Self {
        Self { origin, id: String::new(), model: String::new(), vectors: Vec::new(), usage: None, extra: Extra::new() }
    }
}

// === impl Dialect ===

impl Dialect {
    /// `None`: this dialect has no embeddings, or they are passed on as they are.
    pub fn embed(self) -> Option<&'static dyn Embed> {
        match self {
            Self::OpenaiEmbeddings => Some(&crate::dialect::openai::embeddings::OpenaiEmbeddings),
            Self::BedrockEmbeddings => Some(&crate::dialect::bedrock::embeddings::BedrockEmbeddings),
            Self::GeminiEmbeddings => Some(&crate::dialect::gemini::embed::Batch),
            Self::VertexPredict => Some(&crate::dialect::gemini::embed::Predict),
            Self::CohereEmbed => Some(&crate::dialect::cohere::embed::CohereEmbed),
            Self::OllamaEmbed => Some(&crate::dialect::ollama::embed::OllamaEmbed),
            Self::WorkersAi => Some(&crate::dialect::workers::embed::WorkersEmbed),
            _ => None,
        }
    }
}
