//! The languages providers speak: one name for each way a question is put and an answer is written.
//!
//! Enters: a dialect's name, as a provider row spells it. Leaves: where that dialect's answers keep their counts.
//! Never: knows which provider speaks it.

mod amount;
pub mod anthropic;
pub(crate) mod bedrock;
pub(crate) mod beside;
pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod carry;
pub mod chat;
pub(crate) mod cohere;
pub(crate) mod counts;
pub(crate) mod data_url;
pub(crate) mod facts;
pub(crate) mod fault;
pub(crate) mod functions;
pub(crate) mod gemini;
pub(crate) mod in_order;
pub(crate) mod likeness;
pub(crate) mod moment;
pub(crate) mod object;
pub(crate) mod ollama;
pub(crate) mod openai;
mod other;
pub(crate) mod scan;
pub(crate) mod told;
pub(crate) mod vector;
pub(crate) mod walk;
pub(crate) mod workers;

use counts::Slot;
use facts::{Members, Signs};

/// One way of writing requests and answers. The names are those of `provider.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    OpenaiChat,
    OpenaiCompletions,
    OpenaiResponses,
    OpenaiEmbeddings,
    OpenaiImages,
    OpenaiAudio,
    AnthropicMessages,
    Gemini,
    GeminiEmbeddings,
    /// Vertex's `predict`, for embeddings.
    VertexPredict,
    BedrockConverse,
    BedrockInvoke,
    BedrockEmbeddings,
    CohereV1,
    CohereV2,
    CohereEmbed,
    CohereRerank,
    WorkersAi,
    Rerank,
    Huggingface,
    AlephAlpha,
    /// `/api/chat` and, for who only watches, `/api/generate`.
    OllamaChat,
    OllamaEmbed,
    /// Nothing is known of these bytes, so nothing is read from them.
    Raw,
}

/// Every dialect with its name, in the order of the enum.
pub const ALL: [(&str, Dialect); 24] = [
    ("openai-chat", Dialect::OpenaiChat),
    ("openai-completions", Dialect::OpenaiCompletions),
    ("openai-responses", Dialect::OpenaiResponses),
    ("openai-embeddings", Dialect::OpenaiEmbeddings),
    ("openai-images", Dialect::OpenaiImages),
    ("openai-audio", Dialect::OpenaiAudio),
    ("anthropic-messages", Dialect::AnthropicMessages),
    ("gemini", Dialect::Gemini),
    ("gemini-embeddings", Dialect::GeminiEmbeddings),
    ("vertex-predict", Dialect::VertexPredict),
    ("bedrock-converse", Dialect::BedrockConverse),
    ("bedrock-invoke", Dialect::BedrockInvoke),
    ("bedrock-embeddings", Dialect::BedrockEmbeddings),
    ("cohere-v1", Dialect::CohereV1),
    ("cohere-v2", Dialect::CohereV2),
    ("cohere-embed", Dialect::CohereEmbed),
    ("cohere-rerank", Dialect::CohereRerank),
    ("workers-ai", Dialect::WorkersAi),
    ("rerank", Dialect::Rerank),
    ("huggingface", Dialect::Huggingface),
    ("aleph-alpha", Dialect::AlephAlpha),
    ("ollama-chat", Dialect::OllamaChat),
    ("ollama-embed", Dialect::OllamaEmbed),
    ("raw", Dialect::Raw),
];

/// Where a dialect's answers, whole and streamed, keep what we want to know: all there is to a dialect.
#[derive(Debug)]
pub(crate) struct Shape {
    /// One table for the whole answer and for its frames: a name that occurs in one of them does no harm in the other.
    pub(crate) members: Members,
    /// What a frame's kind means, where it stands outside the JSON: in the event's name or the message's header.
    pub(crate) signs: Signs,
    /// Frames that need no parsing.
    pub(crate) dull: Dull,
    /// Members whose strings are the generated text, in a frame and in a whole answer. The likeliest first.
    pub(crate) frame_text: &'static [&'static str],
    pub(crate) whole_text: &'static [&'static str],
    /// `[DONE]` is the last word.
    pub(crate) done: bool,
    pub(crate) tally: Tally,
    /// Counts outside the body.
    pub(crate) headers: &'static [(&'static str, Slot)],
    /// Frames wrap the model's own JSON in base64.
    pub(crate) wrapped: bool,
}

/// How to tell cheaply that a frame carries text and nothing else we want.
#[derive(Debug)]
pub(crate) enum Dull {
    /// Every frame is parsed.
    Never,
    /// Frames whose kind ends like one of these.
    Kinds(&'static [&'static str]),
    /// Frames in which none of these members says anything: it is missing, null, false or empty. A frame where only those of
    /// `hold` do is parsed when no later one takes its place: some providers state the usage so far in every frame.
    Search { parse: &'static [&'static str], hold: &'static [&'static str] },
}

/// How the counts of several frames add up to those of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tally {
    /// Each usage object is complete: the last one is right.
    Last,
    /// Frames state different counts: each count's last statement is right.
    Overlay,
}

const BLANK: Shape = Shape {
    members: &[],
    signs: &[],
    dull: Dull::Never,
    frame_text: &[],
    whole_text: &[],
    done: false,
    tally: Tally::Last,
    headers: &[],
    wrapped: false,
};

// === impl Dialect ===

impl Dialect {
    pub fn from_name(name: &str) -> Option<Self> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, dialect)| *dialect)
    }

    pub fn name(self) -> &'static str {
        ALL[self as usize].0
    }

    /// Tokens that touched the provider's prompt cache are reported beside the input, not inside it (data-plane specification, section 12.2).
    pub fn counts_cache_beside_input(self) -> bool {
        matches!(self, Self::AnthropicMessages | Self::BedrockConverse | Self::BedrockInvoke)
    }

    pub(crate) fn shape(self) -> &'static Shape {
        match self {
            Self::OpenaiChat => &openai::CHAT,
            Self::OpenaiCompletions => &openai::COMPLETIONS,
            Self::OpenaiResponses => &openai::RESPONSES,
            Self::OpenaiEmbeddings => &openai::EMBEDDINGS,
            Self::OpenaiImages => &openai::IMAGES,
            Self::OpenaiAudio => &openai::AUDIO,
            Self::AnthropicMessages => &anthropic::MESSAGES,
            Self::Gemini => &gemini::GENERATE,
            Self::GeminiEmbeddings | Self::VertexPredict => &gemini::EMBEDDINGS,
            Self::BedrockConverse => &bedrock::CONVERSE,
            // The counts of whole answers stand where Invoke's do.
            Self::BedrockInvoke | Self::BedrockEmbeddings => &bedrock::INVOKE,
            Self::CohereV1 => &cohere::V1,
            Self::CohereV2 => &cohere::V2,
            Self::CohereEmbed => &cohere::EMBED,
            Self::CohereRerank => &cohere::RERANK,
            Self::WorkersAi => &other::WORKERS_AI,
            Self::Rerank => &other::RERANK,
            Self::Huggingface => &other::HUGGINGFACE,
            Self::AlephAlpha => &other::ALEPH_ALPHA,
            Self::OllamaChat => &ollama::CHAT,
            Self::OllamaEmbed => &ollama::EMBED,
            Self::Raw => &BLANK,
        }
    }
}
