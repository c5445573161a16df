//! Where Ollama's own API keeps its counts: `/api/chat`, `/api/generate`, `/api/embed`.
//!
//! Enters: nothing. Leaves: tables. Never: code; the walker has it, and the translator is in `ollama/`.
//!
//! One JSON object a line, each a partial answer; the last says `done` (<https://docs.ollama.com/api/chat>).

mod answer;
pub(super) mod chat;
mod decode;
pub(crate) mod embed;
mod encode;
mod fault;
mod read;
mod settings;
mod write;

use super::{BLANK, Dull, Shape, counts::Slot, facts::*};

const COUNTED: Members = &[
    ("model", Want::Model),
    ("done", Want::End),
    ("done_reason", Want::Finish),
    ("prompt_eval_count", Want::Count(Slot::Input)),
    ("eval_count", Want::Count(Slot::Output)),
    ("error", Want::Error),
];

pub(super) const CHAT: Shape = Shape {
    members: COUNTED,
    dull: Dull::Search { parse: &["done_reason", "eval_count", "error"], hold: &[] },
    // The first is `/api/chat`'s, the second `/api/generate`'s.
    frame_text: &["content", "response", "thinking"],
    whole_text: &["content", "response", "thinking"],
    ..BLANK
};

pub(super) const EMBED: Shape = Shape { members: COUNTED, ..BLANK };
