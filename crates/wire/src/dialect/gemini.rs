//! Where Google's generateContent and its relatives keep their counts, in AI Studio and in Vertex.
//!
//! Enters: nothing. Leaves: tables. Never: code; the walker has it.
//!
//! Every chunk states the usage so far (<https://ai.google.dev/api/generate-content#UsageMetadata>). Without `alt=sse`
//! the stream is one JSON array, which is read as the whole answer it is. There is no last word but the reason to stop,
//! and models before 2.0 gave it in every chunk. The translator is in `gemini/`.

mod answer;
pub(super) mod chat;
mod decode;
pub(crate) mod embed;
mod encode;
mod fault;
mod grounding;
mod logprobs;
mod names;
mod parts;
mod read;
mod say;
mod schema;
mod settings;
mod thinking;
mod usage;
mod write;

use super::{BLANK, Dull, Shape, counts::Slot, facts::*};

const PROMPT_DETAILS: Members = &[
    ("modality", Want::Tag(&[("AUDIO", Slot::AudioInside), ("IMAGE", Slot::ImageInside)])),
    ("tokenCount", Want::Tagged),
];

const CACHE_DETAILS: Members = &[
    ("modality", Want::Tag(&[("AUDIO", Slot::CachedAudioInside), ("IMAGE", Slot::CachedImageInside)])),
    ("tokenCount", Want::Tagged),
];

const ANSWER_DETAILS: Members = &[
    ("modality", Want::Tag(&[("AUDIO", Slot::AudioOutInside), ("IMAGE", Slot::ImageOutInside)])),
    ("tokenCount", Want::Tagged),
];

const USAGE: Members = &[
    ("promptTokenCount", Want::Count(Slot::Input)),
    ("candidatesTokenCount", Want::Count(Slot::Output)),
    ("thoughtsTokenCount", Want::Count(Slot::Reasoning)),
    ("cachedContentTokenCount", Want::Count(Slot::CachedInside)),
    ("toolUsePromptTokenCount", Want::Count(Slot::MoreInput)),
    ("promptTokensDetails", Want::Inside(PROMPT_DETAILS)),
    ("cacheTokensDetails", Want::Inside(CACHE_DETAILS)),
    ("candidatesTokensDetails", Want::Inside(ANSWER_DETAILS)),
];

pub(super) const GENERATE: Shape = Shape {
    members: &[
        ("candidates", Want::Inside(&[("finishReason", Want::FinishAndEnd)])),
        ("promptFeedback", Want::Inside(&[("blockReason", Want::FinishAndEnd)])),
        ("usageMetadata", Want::Inside(USAGE)),
        ("modelVersion", Want::Model),
        ("error", Want::Error),
    ],
    dull: Dull::Search { parse: &["finishReason", "promptFeedback", "error"], hold: &["usageMetadata"] },
    frame_text: &["text"],
    whole_text: &["text"],
    ..BLANK
};

/// Vertex's `predict` counts per text, or makes images; `embedContent` has the usage of its family.
const PREDICTION: Members = &[
    ("embeddings", Want::Inside(&[("statistics", Want::Inside(&[("token_count", Want::Sum(Slot::Input))]))])),
    ("bytesBase64Encoded", Want::Piece(Slot::ImagesElse)),
];

pub(super) const EMBEDDINGS: Shape = Shape {
    members: &[
        ("predictions", Want::Inside(PREDICTION)),
        ("usageMetadata", Want::Inside(USAGE)),
        ("error", Want::Error),
    ],
    ..BLANK
};
