//! The members of a log record in answers, as data.
//!
//! Enters: nothing. Leaves: shapes for the OpenAPI document. Never: is what writes an answer; a test holds the two together.

use crate::shape::Presence::{Optional, Required, RequiredOrNull};
use crate::shape::{Member, Presence, Shape};

pub static ROW: Shape = Shape::Named("LogRow", &Shape::Object(MEMBERS));
pub static DETAIL: Shape = Shape::Named("LogDetail", &Shape::Parts(&[MEMBERS, DETAILS]));

pub static PATCH: Shape = Shape::Object(&[
    row("feedback", Shape::OrNull(&Shape::Number { min: -1.0, max: 1.0 }), Optional, "-1, 0 or 1."),
    row("score", Shape::OrNull(&Shape::Number { min: 0.0, max: 100.0 }), Optional, "How good the answer was."),
    row(
        "metadata",
        Shape::OrNull(&Shape::Map(&Shape::Any)),
        Optional,
        "Flat, in place of all there is; at most 64 entries.",
    ),
]);
pub static DELETED: Shape = Shape::Object(&[row("deleted", Shape::COUNT, Required, "How many records that were.")]);

const fn row(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Member {
    Member::of(name, shape, presence, doc)
}

static MEMBERS: &[Member] = &[
    row("id", Shape::TEXT, Required, "As in the answer's `cf-aig-log-id`."),
    row("event_id", Shape::TEXT, Required, "What the caller gave as `cf-aig-event-id`, else the id."),
    row("created_at", Shape::Time, Required, "When the request ended."),
    row("provider", Shape::TEXT, Required, "Who answered."),
    row("model", Shape::TEXT, Required, "As it was asked for; empty when there was none."),
    row("path", Shape::TEXT, Required, "Below the provider."),
    row("status_code", Shape::COUNT, Required, "What the caller got."),
    row("success", Shape::Flag, Required, "A whole answer without an error."),
    row("cached", Shape::Flag, Required, "Answered from the cache."),
    row("duration", Shape::COUNT, Required, "Milliseconds from the request's first byte to the answer's last."),
    row("timings", Shape::Map(&Shape::Any), Required, "`total` and `latency` in milliseconds; `*_us` in microseconds."),
    row("tokens_in", Shape::COUNT, RequiredOrNull, "Null when unknown."),
    row("tokens_out", Shape::COUNT, RequiredOrNull, "Null when unknown."),
    row("custom_cost", Shape::Flag, Required, "The cost is the caller's, from `cf-aig-custom-cost`."),
    row("metadata", Shape::TEXT, RequiredOrNull, "JSON text of the metadata."),
    row("step", Shape::COUNT, Required, "Which step of several answered."),
    row("feedback", Shape::Number { min: -1.0, max: 1.0 }, RequiredOrNull, "Thumbs down, taken back, or up."),
    row("score", Shape::Number { min: 0.0, max: 100.0 }, RequiredOrNull, "As it was patched in."),
    row("authentication", Shape::Flag, Required, "A token was shown."),
    row("wholesale", Shape::Flag, Required, "Paid with the operator's own credentials."),
    row("byok", Shape::Flag, Required, "Paid with a stored key."),
    row("user_agent", Shape::TEXT, RequiredOrNull, "Of the caller."),
    row("location", Shape::Map(&Shape::TEXT), Required, "Where the gateway stands."),
    row("dlp_action", Shape::TEXT, RequiredOrNull, "What data-loss prevention did."),
    row("dlp_profiles", Shape::Any, RequiredOrNull, "What it matched."),
    row("guardrails", Shape::Any, RequiredOrNull, "What the guards found."),
    row("prompts", Shape::Any, RequiredOrNull, "Always null."),
    row("request", Shape::TEXT, Required, "Always empty: ask for the body."),
    row("response", Shape::TEXT, Required, "Always empty: ask for the body."),
    row("streamed", Shape::Flag, Required, "The answer came in pieces."),
    row("outcome", Shape::Any, Required, "How it ended."),
    row("model_type", Shape::TEXT, Optional, "Absent when unknown."),
    row("request_type", Shape::TEXT, Optional, "Absent when unknown."),
    row("request_content_type", Shape::TEXT, Optional, "Absent when there was none."),
    row("response_content_type", Shape::TEXT, Optional, "Absent when there was none."),
    row("usage_metadata", Shape::Map(&Shape::Any), Optional, "Counts of tokens, searches and images."),
    row("cost", Shape::Number { min: 0.0, max: f64::MAX }, Optional, "US dollars; absent when unknown."),
    row("cost_estimated", Shape::Flag, Optional, "The provider told no usage."),
    row(
        "reported_cost",
        Shape::Number { min: 0.0, max: f64::MAX },
        Optional,
        "US dollars that the provider says it charged.",
    ),
    row("cost_differs", Shape::Flag, Optional, "That is over 1 % and over $0.00001 away from our cost."),
    row("answered_model", Shape::TEXT, Optional, "What the provider says it was."),
    row("finish", Shape::TEXT, Optional, "Why the model stopped."),
    row("refusal", Shape::Any, Optional, "Why the gateway itself said no."),
];

static DETAILS: &[Member] = &[
    row("method", Shape::TEXT, Required, "Of the request."),
    row("request_size", Shape::COUNT, Required, "Bytes."),
    row("response_size", Shape::COUNT, Required, "Bytes."),
    row("request_body", Shape::Any, Required, "Whether it was kept, and if not, why."),
    row("response_body", Shape::Any, Required, "Whether it was kept, and if not, why."),
    row("attempts", Shape::List { of: &Shape::Any, max: usize::MAX }, Required, "Each try at a provider."),
    row("cost_lines", super::cost_lines::LINES, Optional, "What the cost is made of; absent when that is not known."),
    row("losses", Shape::Any, Optional, "What a translation could not carry."),
    row("losses_more", Shape::COUNT, Optional, "How many more there were."),
    row("trace", Shape::Any, Optional, "The way through a route."),
    row("request_head", Shape::TEXT, Optional, "The first 10 KiB; only for tokens that may read bodies."),
    row("request_head_complete", Shape::Flag, Optional, "Whether that is all."),
    row("response_head", Shape::TEXT, Optional, "The first 10 KiB; only for tokens that may read bodies."),
    row("response_head_complete", Shape::Flag, Optional, "Whether that is all."),
];
