//! How Google spells things: both ways of writing a member's name, where the settings stand, and what its words mean.
//!
//! Enters: objects of a caller or of Google, places of the form. Leaves: the same objects in documented spelling, paths, kinds. Never: touches
//! an object whose names are the caller's own (arguments, schemas).

use serde_json::Value;

use crate::chat::{BadField, Field, FinishKind, Place, Turn};
use crate::dialect::object::{Object, Path};

/// Google's servers read `snake_case` as well as the documented `camelCase` (<https://protobuf.dev/programming-guides/json/>). Names that nobody knows
/// stay as they are.
pub(super) fn open(value: Value, path: Path<'_>) -> Result<Object<'_>, BadField> {
    let value = match value {
        Value::Object(members) if members.keys().any(|name| is_alias(name)) => {
            let respell = |name: String| if is_alias(&name) { camel(&name) } else { name };
            members.into_iter().map(|(name, value)| (respell(name), value)).collect()
        }
        other => other,
    };
    Object::of(value, path)
}

fn is_alias(name: &str) -> bool {
    name.contains('_') && ALIASES.contains(&name)
}

const ALIASES: [&str; 46] = [
    "system_instruction",
    "generation_config",
    "tool_config",
    "safety_settings",
    "cached_content",
    "service_tier",
    "inline_data",
    "file_data",
    "mime_type",
    "file_uri",
    "display_name",
    "function_call",
    "function_response",
    "executable_code",
    "code_execution_result",
    "thought_signature",
    "video_metadata",
    "media_resolution",
    "function_declarations",
    "function_calling_config",
    "allowed_function_names",
    "retrieval_config",
    "parameters_json_schema",
    "response_json_schema",
    "response_schema",
    "response_mime_type",
    "response_modalities",
    "response_logprobs",
    "max_output_tokens",
    "candidate_count",
    "stop_sequences",
    "top_p",
    "top_k",
    "presence_penalty",
    "frequency_penalty",
    "thinking_config",
    "thinking_budget",
    "thinking_level",
    "include_thoughts",
    "speech_config",
    "image_config",
    "google_search",
    "google_search_retrieval",
    "google_maps",
    "code_execution",
    "url_context",
];

pub(super) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// A list, or the one thing that would be in it: Google's own examples write `"parts": {"text": ..}`.
pub(super) fn list(object: &mut Object<'_>, name: &str) -> Result<Option<Vec<Value>>, BadField> {
    match object.take(name) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(one @ Value::Object(_)) => Ok(Some(vec![one])),
        Some(other) => Err(Path::Member(&object.path, name).wrong("an array", &other)),
    }
}

/// Says nothing that is not elsewhere in the answer: left out without an entry in the ledger. The count of tokens is in the usage.
pub(super) const BOOKKEEPING: [&str; 2] = ["createTime", "tokenCount"];

const FINISHES: [(&str, FinishKind); 18] = [
    ("STOP", FinishKind::Stop),
    ("MAX_TOKENS", FinishKind::Length),
    ("SAFETY", FinishKind::Filter),
    ("RECITATION", FinishKind::Filter),
    ("BLOCKLIST", FinishKind::Filter),
    ("PROHIBITED_CONTENT", FinishKind::Filter),
    ("SPII", FinishKind::Filter),
    ("IMAGE_SAFETY", FinishKind::Filter),
    ("IMAGE_PROHIBITED_CONTENT", FinishKind::Filter),
    ("IMAGE_RECITATION", FinishKind::Filter),
    // Of a prompt that was blocked.
    ("MODEL_ARMOR", FinishKind::Filter),
    ("JAILBREAK", FinishKind::Filter),
    ("OTHER", FinishKind::Other),
    ("LANGUAGE", FinishKind::Other),
    ("MALFORMED_FUNCTION_CALL", FinishKind::Other),
    ("UNEXPECTED_TOOL_CALL", FinishKind::Other),
    ("TOO_MANY_TOOL_CALLS", FinishKind::Other),
    ("NO_IMAGE", FinishKind::Other),
];

pub(super) fn finish_kind(raw: &str) -> FinishKind {
    FINISHES.iter().find(|(word, _)| *word == raw).map_or(FinishKind::Other, |(_, kind)| *kind)
}

/// Google's word, and whether it says it all.
pub(super) fn finish_word(kind: FinishKind, raw: &str) -> (String, bool) {
    if let Some((word, known)) = FINISHES.iter().find(|(word, _)| *word == raw)
        && (*known == kind || (*known == FinishKind::Stop && kind == FinishKind::ToolUse))
    {
        return ((*word).to_owned(), true);
    }
    let (word, exact) = match kind {
        FinishKind::Stop | FinishKind::ToolUse => ("STOP", true),
        FinishKind::StopSequence | FinishKind::Pause => ("STOP", false),
        FinishKind::Length => ("MAX_TOKENS", true),
        FinishKind::ContextFull => ("MAX_TOKENS", false),
        FinishKind::Filter => ("SAFETY", true),
        FinishKind::Refusal => ("SAFETY", false),
        FinishKind::Other => ("OTHER", true),
    };
    (word.to_owned(), exact)
}

pub(super) fn place(place: &Place) -> String {
    match place {
        Place::Setting(field) => setting(*field).to_owned(),
        Place::Extra(name) => name.clone(),
        Place::Tool(number) => format!("tools.functionDeclarations[{number}]"),
        Place::Turn(Turn::OUTSIDE) => "systemInstruction".to_owned(),
        Place::Turn(turn) => format!("contents[{turn}]"),
        Place::Block(Turn::OUTSIDE, block) => format!("systemInstruction.parts[{block}]"),
        Place::Block(turn, block) => format!("contents[{turn}].parts[{block}]"),
        Place::Answer(name) => (*name).to_owned(),
    }
}

fn setting(field: Field) -> &'static str {
    match field {
        Field::StreamUsage => "usageMetadata",
        Field::MaxTokens => "generationConfig.maxOutputTokens",
        Field::Temperature => "generationConfig.temperature",
        Field::TopP => "generationConfig.topP",
        Field::TopK => "generationConfig.topK",
        Field::FrequencyPenalty => "generationConfig.frequencyPenalty",
        Field::PresencePenalty => "generationConfig.presencePenalty",
        Field::Seed => "generationConfig.seed",
        Field::N => "generationConfig.candidateCount",
        Field::Stop => "generationConfig.stopSequences",
        Field::Logprobs => "generationConfig.responseLogprobs",
        Field::TopLogprobs => "generationConfig.logprobs",
        Field::LogitBias => "generationConfig.logitBias",
        Field::ToolChoice => "toolConfig.functionCallingConfig",
        Field::ParallelTools => "toolConfig",
        Field::Format => "generationConfig.responseSchema",
        Field::Reasoning => "generationConfig.thinkingConfig",
        Field::Verbosity => "generationConfig",
        Field::ServiceTier => "serviceTier",
        Field::User => "labels",
        Field::CacheKey => "cachedContent",
        Field::Modalities => "generationConfig.responseModalities",
    }
}
