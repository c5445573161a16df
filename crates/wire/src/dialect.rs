//! The languages providers speak: one name for each way a question is put and an answer is written.
//!
//! Enters: a dialect's name, as a provider row spells it. Leaves: where that dialect's answers keep their counts.
//! Never: knows which provider speaks it.

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
    BedrockConverse,
    BedrockInvoke,
    CohereV1,
    CohereV2,
    CohereEmbed,
    CohereRerank,
    WorkersAi,
    Rerank,
    Huggingface,
    /// Nothing is known of these bytes, so nothing is read from them.
    Raw,
}

/// Every dialect with its name, in the order of the enum.
pub const ALL: [(&str, Dialect); 19] = [
    ("openai-chat", Dialect::OpenaiChat),
    ("openai-completions", Dialect::OpenaiCompletions),
    ("openai-responses", Dialect::OpenaiResponses),
    ("openai-embeddings", Dialect::OpenaiEmbeddings),
    ("openai-images", Dialect::OpenaiImages),
    ("openai-audio", Dialect::OpenaiAudio),
    ("anthropic-messages", Dialect::AnthropicMessages),
    ("gemini", Dialect::Gemini),
    ("gemini-embeddings", Dialect::GeminiEmbeddings),
    ("bedrock-converse", Dialect::BedrockConverse),
    ("bedrock-invoke", Dialect::BedrockInvoke),
    ("cohere-v1", Dialect::CohereV1),
    ("cohere-v2", Dialect::CohereV2),
    ("cohere-embed", Dialect::CohereEmbed),
    ("cohere-rerank", Dialect::CohereRerank),
    ("workers-ai", Dialect::WorkersAi),
    ("rerank", Dialect::Rerank),
    ("huggingface", Dialect::Huggingface),
    ("raw", Dialect::Raw),
];

// === impl Dialect ===

impl Dialect {
    pub fn from_name(name: &str) -> Option<Self> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, dialect)| *dialect)
    }

    pub fn name(self) -> &'static str {
        ALL[self as usize].0
    }
}
