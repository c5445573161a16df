//! Where Amazon Bedrock keeps its counts: its own Converse, and Invoke, which passes on what each model family says.
//!
//! Enters: nothing. Leaves: tables. Never: code; the walker has it.
//!
//! Invoke is one table for all families, because the model id does not tell the family (it may be an ARN) and no two
//! families give one name two meanings. The model's own count goes before Bedrock's
//! (`amazon-bedrock-invocationMetrics` in the last chunk, headers beside a whole answer), which knows no classes.

pub(super) mod converse;
pub(crate) mod embeddings;

use super::{BLANK, Dull, Shape, Tally, anthropic, counts::Slot, facts::*, openai};

/// Newer than the split of Anthropic's: the time to live stands beside the count.
const CACHE_DETAILS: Members =
    &[("ttl", Want::Tag(&[("5m", Slot::CacheWrite5m), ("1h", Slot::CacheWrite1h)])), ("inputTokens", Want::Tagged)];

const USAGE: Members = &[
    ("inputTokens", Want::Count(Slot::Input)),
    ("outputTokens", Want::Count(Slot::Output)),
    ("cacheReadInputTokens", Want::Count(Slot::CacheRead)),
    ("cacheWriteInputTokens", Want::Count(Slot::CacheWrite)),
    ("cacheReadInputTokenCount", Want::Count(Slot::CacheRead)),
    ("cacheWriteInputTokenCount", Want::Count(Slot::CacheWrite)),
    ("cacheDetails", Want::Inside(CACHE_DETAILS)),
];

const SIGNS: Signs = &[("messageStop", Sign::End)];

pub(super) const CONVERSE: Shape = Shape {
    members: &[("stopReason", Want::Finish), ("usage", Want::Inside(USAGE))],
    signs: SIGNS,
    dull: Dull::Kinds(&["contentBlockDelta", "contentBlockStart", "contentBlockStop", "messageStart"]),
    frame_text: &["text", "input"],
    whole_text: &["text"],
    ..BLANK
};

/// Bedrock adds it to the model's last chunk, so it is the last word of every family.
const METRICS: Members = &[
    ("inputTokenCount", Want::Count(Slot::InputElse)),
    ("outputTokenCount", Want::Count(Slot::OutputElse)),
    ("cacheReadInputTokenCount", Want::Count(Slot::CacheReadElse)),
    ("cacheWriteInputTokenCount", Want::Count(Slot::CacheWriteElse)),
    ("invocationLatency", Want::End),
];

/// Anthropic's, Nova's, and the OpenAI form of gpt-oss, Mistral Large and Jamba.
const FAMILY_USAGE: Members = &[
    ("input_tokens", Want::Count(Slot::Input)),
    ("output_tokens", Want::Count(Slot::Output)),
    ("cache_read_input_tokens", Want::Count(Slot::CacheRead)),
    ("cache_creation_input_tokens", Want::Count(Slot::CacheWrite)),
    ("cache_creation", Want::Inside(anthropic::CACHE_CREATION)),
    ("server_tool_use", Want::Inside(anthropic::SERVER_TOOL_USE)),
    ("inputTokens", Want::Count(Slot::Input)),
    ("outputTokens", Want::Count(Slot::Output)),
    ("cacheReadInputTokens", Want::Count(Slot::CacheRead)),
    ("cacheWriteInputTokens", Want::Count(Slot::CacheWrite)),
    ("cacheReadInputTokenCount", Want::Count(Slot::CacheRead)),
    ("cacheWriteInputTokenCount", Want::Count(Slot::CacheWrite)),
    ("prompt_tokens", Want::Count(Slot::Input)),
    ("completion_tokens", Want::Count(Slot::Output)),
    ("total_tokens", Want::Count(Slot::Total)),
    ("prompt_tokens_details", Want::Inside(openai::DETAILS_IN)),
    ("completion_tokens_details", Want::Inside(openai::DETAILS_OUT)),
];

const BILLED: Members = &[("input_tokens", Want::Count(Slot::Input)), ("output_tokens", Want::Count(Slot::Output))];

const COHERE_META: Members = &[("billed_units", Want::Inside(BILLED))];

/// Both spellings: Mistral's is `stop_reason`.
const CHOICE: Members = &[("finish_reason", Want::Finish), ("stop_reason", Want::Finish)];

const INVOKE_MEMBERS: Members = &[
    // every family
    ("amazon-bedrock-invocationMetrics", Want::Inside(METRICS)),
    ("usage", Want::Inside(FAMILY_USAGE)),
    ("error", Want::Error),
    // Anthropic; `stop_reason` is Llama's too
    ("type", Want::Kind(&[("error", Sign::Failed)])),
    ("model", Want::Model),
    ("stop_reason", Want::Finish),
    ("message", Want::Inside(anthropic::MESSAGE)),
    ("delta", Want::Inside(anthropic::DELTA)),
    // Nova
    ("stopReason", Want::Finish),
    ("messageStop", Want::Inside(&[("stopReason", Want::Finish)])),
    ("metadata", Want::Inside(&[("usage", Want::Inside(FAMILY_USAGE))])),
    // Titan, whole and in chunks; its embeddings
    ("inputTextTokenCount", Want::Count(Slot::Input)),
    ("results", Want::Inside(&[("tokenCount", Want::Sum(Slot::Output)), ("completionReason", Want::Finish)])),
    ("totalOutputTextTokenCount", Want::Count(Slot::Output)),
    ("completionReason", Want::Finish),
    // Llama
    ("prompt_token_count", Want::Count(Slot::Input)),
    ("generation_token_count", Want::Count(Slot::Output)),
    // Mistral, gpt-oss, Jamba
    ("outputs", Want::Inside(CHOICE)),
    ("choices", Want::Inside(CHOICE)),
    // Cohere, and AI21's older models
    ("finish_reason", Want::Finish),
    ("generations", Want::Inside(CHOICE)),
    ("meta", Want::Inside(COHERE_META)),
    ("response", Want::Inside(&[("finish_reason", Want::Finish), ("meta", Want::Inside(COHERE_META))])),
    ("completions", Want::Inside(&[("finishReason", Want::Inside(&[("reason", Want::Finish)]))])),
    // Titan Image, Nova Canvas, Stability
    ("images", Want::Length(Slot::ImagesElse)),
    ("artifacts", Want::Length(Slot::ImagesElse)),
];

pub(super) const INVOKE: Shape = Shape {
    members: INVOKE_MEMBERS,
    dull: Dull::Kinds(&["content_block_delta", "content_block_start", "content_block_stop", "contentBlockDelta"]),
    frame_text: &["text", "outputText", "generation", "completion", "partial_json", "thinking", "content", "input"],
    whole_text: &["text", "outputText", "generation", "completion", "content"],
    tally: Tally::Overlay,
    headers: &[
        ("x-amzn-bedrock-input-token-count", Slot::InputElse),
        ("x-amzn-bedrock-output-token-count", Slot::OutputElse),
        ("x-amzn-bedrock-cache-read-input-token-count", Slot::CacheReadElse),
        ("x-amzn-bedrock-cache-write-input-token-count", Slot::CacheWriteElse),
    ],
    wrapped: true,
    ..BLANK
};
