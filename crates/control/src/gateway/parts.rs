//! The settings of a gateway that are objects themselves (control-plane specification, 3.2).
//!
//! Enters: nothing. Leaves: their shapes. Never: knows what the settings do.

use serde_json::Value;

use super::row;
use crate::shape::{Presence, Shape};

use Presence::{Default, Optional, Required};

pub(super) static OTEL: Shape = Shape::Object(&[
    row("url", Shape::Url { max: 2_048 }, Required, "Where traces are sent."),
    row("headers", Shape::Map(&Shape::TEXT), Required, "Sent with each export."),
    row("authorization", Shape::Text { min: 0, max: 256 }, Optional, "Name or id of a stored secret, or a literal."),
    row("content_type", Shape::Word(&["json", "protobuf"]), Default("\"json\""), "Encoding of the export."),
]);

const CATEGORIES: &[&str] = &["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13", "P1"];
static VERDICT: Shape = Shape::Word(&["FLAG", "BLOCK"]);

pub(super) const GUARDRAILS: Shape = Shape::Object(&[
    row("prompt", Shape::Keys(CATEGORIES, &VERDICT), Required, "What is done about prompts, by category."),
    row("response", Shape::Keys(CATEGORIES, &VERDICT), Required, "What is done about answers, by category."),
]);

static ACTION: &[&str] = &["BLOCK", "FLAG"];
static CHECK: Shape = Shape::Word(&["REQUEST", "RESPONSE"]);
const PROFILES: Shape = Shape::List { of: &Shape::TEXT, max: 256 };

pub(super) static DLP: Shape = Shape::Object(&[
    row("enabled", Shape::Flag, Required, "Whether texts are searched."),
    row("action", Shape::Word(ACTION), Required, "What is done about a match."),
    row("profiles", PROFILES, Required, "What is searched for."),
]);

pub(super) static DLP_POLICIES: Shape = Shape::Object(&[
    row("enabled", Shape::Flag, Required, "Whether texts are searched."),
    row("policies", Shape::List { of: &DLP_POLICY, max: 64 }, Required, "What is searched for, and where."),
]);

static DLP_POLICY: Shape = Shape::Object(&[
    row("id", Shape::TEXT, Required, "Name of the policy in logs."),
    row("action", Shape::Word(ACTION), Required, "What is done about a match."),
    row("check", Shape::List { of: &CHECK, max: 2 }, Required, "Prompts, answers, or both."),
    row("enabled", Shape::Flag, Required, "Whether this policy counts."),
    row("profiles", PROFILES, Required, "What is searched for."),
]);

pub(super) const SPEND_LIMITS: Shape = Shape::Object(&[
    row("enabled", Shape::Flag, Default("false"), "Whether the rules count."),
    row(
        "rules",
        Shape::List { of: &SPEND_RULE, max: 20 },
        Default("[]"),
        "All are checked; one that is used up is enough to refuse.",
    ),
]);

static SPEND_RULE: Shape = Shape::Object(&[
    row("id", Shape::Text { min: 1, max: 64 }, Optional, "Made up when it is missing."),
    row("enabled", Shape::Flag, Default("true"), "Whether this rule counts."),
    row("limitType", Shape::Word(&["cost"]), Required, "What is limited."),
    row("limit", Shape::Positive, Required, "US dollars in a window."),
    row("window", Shape::Whole { min: 1, max: super::WHOLE_MAX }, Required, "Seconds."),
    row(
        "technique",
        Shape::Word(super::TECHNIQUES),
        Default("\"sliding\""),
        "Consecutive windows, or the last seconds.",
    ),
    row("soft", Shape::Flag, Optional, "Measured and told about, and never refused. Not in the original."),
    row("provider", DIMENSION, Optional, "Only these providers, or one budget for each."),
    row("model", DIMENSION, Optional, "Only these models, or one budget for each."),
    row("metadata", Shape::Map(&DIMENSION), Optional, "Only these values of a metadata key, or one budget for each."),
]);

const COUNTS: &[&str] = &["requests", "tokens", "input_tokens", "output_tokens", "concurrent"];

pub(super) static LIMIT_RULE: Shape = Shape::Object(&[
    row(
        "id",
        Shape::Text { min: 1, max: 64 },
        Optional,
        "Its name in the headers `RateLimit`; `limit-N` when it is missing.",
    ),
    row("enabled", Shape::Flag, Default("true"), "Whether this limit counts."),
    row("count", Shape::Word(COUNTS), Required, "What is limited. `concurrent`: requests under way at the same time."),
    row("limit", Shape::Whole { min: 0, max: super::WHOLE_MAX }, Required, "So many in a window."),
    row("window", Shape::Whole { min: 1, max: 31_536_000 }, Default("60"), "Seconds; of no meaning for `concurrent`."),
    row(
        "technique",
        Shape::Word(super::TECHNIQUES),
        Default("\"sliding\""),
        "Windows aligned to the clock, or the last seconds.",
    ),
    row("provider", DIMENSION, Optional, "Only these providers, or a limit for each."),
    row("model", DIMENSION, Optional, "Only these models, or a limit for each."),
    row("token", DIMENSION, Optional, "Only callers with these tokens, by id, or a limit for each."),
    row("metadata", Shape::Map(&DIMENSION), Optional, "Only these values of a metadata key, or a limit for each."),
]);

/// Told apart by their values: `partition` has none, and a `filter` without them is refused.
const DIMENSION: Shape = Shape::ByMember("values", &FILTER, &PARTITION);
static FILTER: Shape = Shape::Object(&[
    row("mode", Shape::Word(&["filter", "partition"]), Required, "Only these values, or one budget for each."),
    row("values", Shape::List { of: &Shape::TEXT, max: 256 }, Required, "The values of a filter."),
]);
static PARTITION: Shape =
    Shape::Object(&[row("mode", Shape::Word(&["partition"]), Required, "One budget for each value.")]);

pub(super) const STRIPE: Shape = Shape::Object(&[
    row("authorization", Shape::TEXT, Required, "Key of the metering account."),
    row("usage_events", Shape::List { of: &USAGE_EVENT, max: 64 }, Required, "What is sent."),
]);
static USAGE_EVENT: Shape = Shape::Object(&[row("payload", Shape::TEXT, Required, "JSON text.")]);

/// Gives rules without an id one that is the same each time: their place and what they limit.
pub(super) fn name_rules(rules: &mut [Value]) {
    for (index, rule) in rules.iter_mut().enumerate() {
        if rule["id"].is_null() {
            let text = format!("{index}{rule}");
            rule["id"] = format!("{:08x}", fnv(text.as_bytes())).into();
        }
    }
}

fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
