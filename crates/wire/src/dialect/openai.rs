//! Where OpenAI's APIs, and the many that are like them, keep their counts.
//!
//! Enters: nothing. Leaves: tables. Never: code; the walker has it, and the folders beside this file what it takes to translate.
//!
//! <https://platform.openai.com/docs/api-reference> for the names; one table of usage serves all of them because the
//! names of the older (`prompt_tokens`) and the newer (`input_tokens`) form never mean different things.

pub(super) mod chat;
pub(crate) mod embeddings;
mod fault;
pub(super) mod responses;

use tollgate_model::usage::Term;

use super::{BLANK, Dull, Shape, Tally, counts::Slot, facts::*};

/// Which cached tokens were of what.
const DETAILS_CACHED: Members =
    &[("audio_tokens", Want::Count(Slot::CachedAudioInside)), ("image_tokens", Want::Count(Slot::CachedImageInside))];

pub(super) const DETAILS_IN: Members = &[
    ("cached_tokens", Want::Count(Slot::CachedInside)),
    // OpenRouter, for models whose provider charges for writing its cache.
    ("cache_write_tokens", Want::Count(Slot::WrittenInside)),
    ("audio_tokens", Want::Count(Slot::AudioInside)),
    ("image_tokens", Want::Count(Slot::ImageInside)),
    ("cached_tokens_details", Want::Inside(DETAILS_CACHED)),
];

pub(super) const DETAILS_OUT: Members = &[
    ("reasoning_tokens", Want::Count(Slot::ReasoningUnclear)),
    ("audio_tokens", Want::Count(Slot::AudioOutInside)),
    ("image_tokens", Want::Count(Slot::ImageOutInside)),
];

pub(super) const USAGE: Members = &[
    ("prompt_tokens", Want::Count(Slot::Input)),
    ("completion_tokens", Want::Count(Slot::Output)),
    ("total_tokens", Want::Count(Slot::Total)),
    ("prompt_tokens_details", Want::Inside(DETAILS_IN)),
    ("completion_tokens_details", Want::Inside(DETAILS_OUT)),
    ("input_tokens", Want::Count(Slot::Input)),
    ("output_tokens", Want::Count(Slot::Output)),
    ("input_tokens_details", Want::Inside(DETAILS_IN)),
    ("output_tokens_details", Want::Inside(DETAILS_OUT)),
    // Transcription writes the singular.
    ("input_token_details", Want::Inside(DETAILS_IN)),
    ("output_token_details", Want::Inside(DETAILS_OUT)),
    // DeepSeek; Moonshot and Together; Mistral.
    ("prompt_cache_hit_tokens", Want::Count(Slot::CachedInside)),
    ("cached_tokens", Want::Count(Slot::CachedInside)),
    ("num_cached_tokens", Want::Count(Slot::CachedInside)),
    // Perplexity. Citations are charged at the price of input, which does not include them.
    ("reasoning_tokens", Want::Count(Slot::ReasoningUnclear)),
    ("citation_tokens", Want::Count(Slot::MoreInput)),
    ("num_search_queries", Want::Count(Slot::Searches)),
    ("search_context_size", Want::Term(Term::Depth)),
    // xAI's live search charges by the source.
    ("num_sources_used", Want::Count(Slot::Searches)),
    // OpenRouter in dollars; Perplexity as an object of them. xAI in ticks, of which ten are a nano-dollar.
    ("cost", Want::Money(Slot::Charged, 9, &[("total_cost", Want::Money(Slot::Charged, 9, &[]))])),
    ("cost_in_usd_ticks", Want::Money(Slot::Charged, -1, &[])),
    // With a key of the caller's own, OpenRouter's cost is its fee alone.
    ("is_byok", Want::Piece(Slot::CallersKey)),
    ("cost_details", Want::Inside(&[("upstream_inference_cost", Want::Money(Slot::ChargedBeside, 9, &[]))])),
];

/// Groq's last chunk has the usage here, asked for or not.
const X_GROQ: Members = &[("usage", Want::Inside(USAGE)), ("error", Want::Error)];

/// Moonshot writes the usage into the choice, OpenRouter an error of the provider behind it.
const CHOICE: Members = &[("finish_reason", Want::Finish), ("usage", Want::Inside(USAGE)), ("error", Want::Error)];

/// vLLM reports errors as an object of this kind.
const OBJECT_SIGNS: Signs = &[("error", Sign::Failed)];

const CHAT_MEMBERS: Members = &[
    ("object", Want::Kind(OBJECT_SIGNS)),
    ("model", Want::Model),
    // What was asked for may not be what was to be had: this is what is paid (<https://platform.openai.com/docs/guides/flex-processing>).
    ("service_tier", Want::Term(Term::Tier)),
    ("choices", Want::Inside(CHOICE)),
    ("usage", Want::Inside(USAGE)),
    ("x_groq", Want::Inside(X_GROQ)),
    ("error", Want::Error),
];

const CHAT_TEXT: &[&str] = &["content", "reasoning_content", "reasoning", "arguments", "refusal"];

pub(super) const CHAT: Shape = Shape {
    members: CHAT_MEMBERS,
    dull: Dull::Search { parse: &["finish_reason", "error"], hold: &["usage"] },
    frame_text: CHAT_TEXT,
    whole_text: CHAT_TEXT,
    done: true,
    tally: Tally::Last,
    ..BLANK
};

pub(super) const COMPLETIONS: Shape = Shape { frame_text: &["text"], whole_text: &["text"], ..CHAT };

/// A search is charged by the call (<https://platform.openai.com/docs/pricing>, built-in tools).
const OUTPUT: Members = &[("type", Want::Each(&[("web_search_call", Slot::Searches)]))];

/// The answer itself, and `response` within the events of its stream. `incomplete_details` comes after `status`, and is
/// the better word.
const RESPONSE: Members = &[
    ("model", Want::Model),
    ("service_tier", Want::Term(Term::Tier)),
    ("output", Want::Inside(OUTPUT)),
    ("status", Want::Finish),
    ("incomplete_details", Want::Inside(&[("reason", Want::Finish)])),
    ("usage", Want::Inside(USAGE)),
    ("error", Want::Error),
];

const RESPONSE_SIGNS: Signs = &[
    ("response.completed", Sign::End),
    ("response.incomplete", Sign::End),
    ("response.failed", Sign::EndFailed),
    ("error", Sign::Failed),
];

pub(super) const RESPONSES: Shape = Shape {
    members: &[
        ("type", Want::Kind(RESPONSE_SIGNS)),
        ("response", Want::Inside(RESPONSE)),
        ("model", Want::Model),
        ("service_tier", Want::Term(Term::Tier)),
        ("output", Want::Inside(OUTPUT)),
        ("status", Want::Finish),
        ("incomplete_details", Want::Inside(&[("reason", Want::Finish)])),
        ("usage", Want::Inside(USAGE)),
        ("error", Want::Error),
    ],
    signs: RESPONSE_SIGNS,
    dull: Dull::Kinds(&[".delta", ".done", ".added", ".in_progress", ".partial_image"]),
    frame_text: &["delta"],
    whole_text: &["text", "arguments", "refusal"],
    ..BLANK
};

pub(super) const EMBEDDINGS: Shape = Shape {
    members: &[
        ("model", Want::Model),
        (
            "usage",
            Want::Inside(&[
                ("prompt_tokens", Want::Count(Slot::Input)),
                // Voyage and Jina count the total alone; there is no output it could include.
                ("total_tokens", Want::Count(Slot::InputElse)),
                ("prompt_tokens_details", Want::Inside(DETAILS_IN)),
            ]),
        ),
        ("error", Want::Error),
    ],
    ..BLANK
};

const IMAGE_SIGNS: Signs =
    &[("image_generation.completed", Sign::End), ("image_edit.completed", Sign::End), ("error", Sign::Failed)];

pub(super) const IMAGES: Shape = Shape {
    members: &[
        ("type", Want::Kind(IMAGE_SIGNS)),
        ("model", Want::Model),
        ("size", Want::Term(Term::Size)),
        ("quality", Want::Term(Term::Quality)),
        ("usage", Want::Inside(USAGE)),
        ("data", Want::Length(Slot::ImagesElse)),
        ("error", Want::Error),
    ],
    signs: IMAGE_SIGNS,
    dull: Dull::Kinds(&[".partial_image"]),
    ..BLANK
};

/// Newer models count tokens, older ones seconds.
const HEARD: Members = &[
    ("input_tokens", Want::Count(Slot::Input)),
    ("output_tokens", Want::Count(Slot::Output)),
    ("total_tokens", Want::Count(Slot::Total)),
    ("input_token_details", Want::Inside(DETAILS_IN)),
    ("output_token_details", Want::Inside(DETAILS_OUT)),
    ("prompt_tokens", Want::Count(Slot::Input)),
    ("completion_tokens", Want::Count(Slot::Output)),
    ("seconds", Want::Count(Slot::Seconds)),
];

const AUDIO_SIGNS: Signs =
    &[("transcript.text.done", Sign::End), ("speech.audio.done", Sign::End), ("error", Sign::Failed)];

pub(super) const AUDIO: Shape = Shape {
    members: &[
        ("type", Want::Kind(AUDIO_SIGNS)),
        ("model", Want::Model),
        ("usage", Want::Inside(HEARD)),
        ("error", Want::Error),
    ],
    signs: AUDIO_SIGNS,
    dull: Dull::Kinds(&[".delta"]),
    frame_text: &["delta"],
    whole_text: &["text"],
    ..BLANK
};
