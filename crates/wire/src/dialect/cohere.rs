//! Where Cohere's APIs keep their counts.
//!
//! Enters: nothing. Leaves: tables. Never: code; the walker has it.
//!
//! Cohere both bills (`billed_units`) and counts (`tokens`, which include its own prompt around the caller's). Billed
//! units are what it charges for, so they go first (<https://docs.cohere.com/reference/chat>).

mod answer;
pub(super) mod chat;
mod decode;
pub(crate) mod embed;
mod encode;
mod fault;
mod read;
mod settings;
mod write;

use super::{BLANK, Dull, Shape, Tally, counts::Slot, facts::*};

const BILLED_UNITS: Members = &[
    ("input_tokens", Want::Count(Slot::Input)),
    ("output_tokens", Want::Count(Slot::Output)),
    ("search_units", Want::Count(Slot::Searches)),
    ("images", Want::Count(Slot::Images)),
];

const TOKENS: Members =
    &[("input_tokens", Want::Count(Slot::InputElse)), ("output_tokens", Want::Count(Slot::OutputElse))];

/// `meta` in version 1, `usage` in version 2.
const COUNTED: Members = &[("billed_units", Want::Inside(BILLED_UNITS)), ("tokens", Want::Inside(TOKENS))];

/// Without `tokens`, since what is ranked is charged by the search.
const BILLED: Members = &[("billed_units", Want::Inside(BILLED_UNITS))];

pub(super) const V1: Shape = Shape {
    members: &[
        ("event_type", Want::Kind(&[("stream-end", Sign::End)])),
        // `generate` streams without events.
        ("is_finished", Want::Recap),
        ("finish_reason", Want::Finish),
        ("meta", Want::Inside(COUNTED)),
        ("generations", Want::Inside(&[("finish_reason", Want::Finish)])),
        ("response", Want::Inside(&[("finish_reason", Want::Finish), ("meta", Want::Inside(COUNTED))])),
        ("error", Want::Error),
    ],
    dull: Dull::Search { parse: &["is_finished", "meta", "error"], hold: &[] },
    frame_text: &["text"],
    whole_text: &["text"],
    ..BLANK
};

const V2_SIGNS: Signs = &[("message-end", Sign::End)];

pub(super) const V2: Shape = Shape {
    members: &[
        ("type", Want::Kind(V2_SIGNS)),
        ("finish_reason", Want::Finish),
        ("usage", Want::Inside(COUNTED)),
        (
            "delta",
            Want::Inside(&[("finish_reason", Want::Finish), ("usage", Want::Inside(COUNTED)), ("error", Want::Error)]),
        ),
        ("error", Want::Error),
    ],
    signs: V2_SIGNS,
    dull: Dull::Kinds(&["-delta", "-start", "content-end", "tool-call-end", "citation-end"]),
    frame_text: &["text", "arguments", "tool_plan", "thinking"],
    whole_text: &["text", "arguments", "tool_plan", "thinking"],
    tally: Tally::Last,
    ..BLANK
};

pub(super) const EMBED: Shape = Shape { members: &[("meta", Want::Inside(COUNTED))], ..BLANK };

pub(super) const RERANK: Shape = Shape { members: &[("meta", Want::Inside(BILLED))], ..BLANK };
