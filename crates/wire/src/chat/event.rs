//! An answer while it is being made.
//!
//! Enters: a dialect's frames, read. Leaves: events in an order every encoder may rely on. Never: an event for a block that was not begun
//! or has ended.
//!
//! The order: `Start` first; each block `Begin`, its `Delta`s, `End`, blocks of one choice one after another or interleaved with each
//! other's (parallel tool calls) and numbered from 0 within their choice; `Finish` of a choice after its blocks; `Usage` and `Extra` any time, the last
//! usage counts; `Done` last, only when the provider's own last word was seen. `Fault` instead of `Done` when it was not, or when the provider says so.

use serde_json::Value;

use super::{Block, Citation, Extra, Fault, Finish, Seal, UsageReport};
use crate::dialect::Dialect;

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Start {
        /// Whose words the `extra`s of this and all later events are in.
        origin: Dialect,
        id: String,
        model: String,
        created: Option<u64>,
        service_tier: Option<String>,
        extra: Extra,
    },
    /// `block` is as much of it as the beginning says: text, arguments and thoughts empty or begun.
    Begin {
        choice: u32,
        block: u32,
        head: Block,
    },
    Delta {
        choice: u32,
        block: u32,
        delta: Delta,
    },
    End {
        choice: u32,
        block: u32,
    },
    /// In OpenAI's shape, to be appended member by member.
    Logprobs {
        choice: u32,
        logprobs: Value,
    },
    /// Members that came after the start: of a choice ([`super::Choice::extra`]: safety ratings, what a filter found), or of the whole answer when
    /// it names none. What comes again replaces what was said before.
    Extra {
        choice: Option<u32>,
        extra: Extra,
    },
    Finish {
        choice: u32,
        finish: Finish,
    },
    Usage(UsageReport),
    Done,
    Fault(Fault),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// Of text, refusal, or reasoning: whatever the block is.
    Text(String),
    /// Of a tool call.
    Arguments(String),
    Citation(Citation),
    Seal(Seal),
    /// Base64 of a sound or an image, to be appended: each piece is cut at a multiple of four characters.
    Data(String),
    /// Members of the block that came late.
    Extra(Extra),
}
