//! Where Anthropic's Messages API keeps its counts, wherever it is served.
//!
//! Enters: nothing. Leaves: tables. Never: code; the walker has it, and translation is in the folder beside this file.
//!
//! The input side comes in `message_start`, the output side in the last `message_delta`, which may repeat and correct
//! the rest (<https://docs.anthropic.com/en/docs/build-with-claude/streaming>). Thinking is inside the output, and newer answers say how much of it
//! there was.

mod answer;
mod decode;
mod encode;
mod fault;
mod messages;
mod model;
mod read;
mod tell;
mod usage;
mod write;

use tollgate_model::usage::Term;

use super::{BLANK, Dull, Shape, Tally, counts::Slot, facts::*};
use decode::Decoder;
use encode::Encoder;

pub(super) use messages::Messages;
pub use messages::token_count;
pub(super) use model::Claude;
pub(super) use read::UNNAMED;
pub(super) use {
    read::effort, read::thinking as read_thinking, write::sampling, write::schema, write::setting::unsayable,
    write::thinking,
};

pub(super) const CACHE_CREATION: Members = &[
    ("ephemeral_5m_input_tokens", Want::Count(Slot::CacheWrite5m)),
    ("ephemeral_1h_input_tokens", Want::Count(Slot::CacheWrite1h)),
];

pub(super) const SERVER_TOOL_USE: Members = &[("web_search_requests", Want::Count(Slot::Searches))];

pub(super) const USAGE: Members = &[
    ("input_tokens", Want::Count(Slot::Input)),
    ("output_tokens", Want::Count(Slot::Output)),
    ("cache_read_input_tokens", Want::Count(Slot::CacheRead)),
    ("cache_creation_input_tokens", Want::Count(Slot::CacheWrite)),
    ("cache_creation", Want::Inside(CACHE_CREATION)),
    ("server_tool_use", Want::Inside(SERVER_TOOL_USE)),
    ("service_tier", Want::Term(Term::Tier)),
    ("speed", Want::Term(Term::Tier)),
    ("inference_geo", Want::Term(Term::Region)),
    ("output_tokens_details", Want::Inside(&[("thinking_tokens", Want::Count(Slot::ReasoningUnclear))])),
];

pub(super) const MESSAGE: Members =
    &[("model", Want::Model), ("stop_reason", Want::Finish), ("usage", Want::Inside(USAGE))];

pub(super) const DELTA: Members = &[("stop_reason", Want::Finish)];

pub(super) const SIGNS: Signs = &[("message_stop", Sign::End), ("error", Sign::Failed)];

pub(super) const MESSAGES: Shape = Shape {
    members: &[
        ("type", Want::Kind(SIGNS)),
        ("message", Want::Inside(MESSAGE)),
        ("delta", Want::Inside(DELTA)),
        ("model", Want::Model),
        ("stop_reason", Want::Finish),
        ("usage", Want::Inside(USAGE)),
        ("error", Want::Error),
    ],
    signs: SIGNS,
    dull: Dull::Kinds(&["content_block_delta", "content_block_start", "content_block_stop", "ping"]),
    frame_text: &["text", "partial_json", "thinking"],
    whole_text: &["text", "thinking"],
    tally: Tally::Overlay,
    ..BLANK
};
