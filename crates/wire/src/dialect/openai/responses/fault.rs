//! What goes wrong in mid-stream. As a body, errors are those of all of OpenAI's APIs.
//!
//! Enters: an event's error, or a [`Fault`]. Leaves: the other of the two. Never: a code in a failed response that OpenAI's clients do not know.

use serde_json::{Value, json};

use super::super::fault;
use crate::chat::{Fault, FaultKind};

/// An event has no status: the one its code comes with elsewhere.
const STATUSES: [(&str, u16); 10] = [
    ("context_length_exceeded", 400),
    ("invalid_prompt", 400),
    ("content_filter", 400),
    ("content_policy_violation", 400),
    ("insufficient_quota", 429),
    ("invalid_api_key", 401),
    ("model_not_found", 404),
    ("rate_limit_exceeded", 429),
    ("server_is_overloaded", 503),
    ("slow_down", 503),
];

/// An error event's own members, or the `error` of a response that failed.
pub(super) fn of_stream(error: &Value) -> Fault {
    let code = error.get("code").and_then(Value::as_str);
    let known = STATUSES.iter().find(|(known, _)| Some(*known) == code);
    let status = known.map_or_else(|| fault::status_within(error), |(_, status)| *status);
    let told = fault::of_value(status, error.clone());
    // `type` is the event's own there, and no word for what went wrong.
    Fault { code: code.map(str::to_owned), ..told }
}

/// The provider's bytes are not what they should be, or end too early.
pub(super) fn broken(message: &str) -> Fault {
    let message = message.to_owned();
    Fault { kind: FaultKind::Server, status: 502, message, code: None, param: None, raw: Value::Null }
}

/// In a response that failed: of these codes OpenAI's clients know what to do next.
pub(super) fn of_response(fault: &Fault) -> Value {
    let code = match fault.kind {
        FaultKind::ContextTooLong => "context_length_exceeded",
        FaultKind::Billing => "insufficient_quota",
        FaultKind::RateLimited => "rate_limit_exceeded",
        FaultKind::Overloaded => "server_is_overloaded",
        FaultKind::BadRequest | FaultKind::TooLarge | FaultKind::ContentPolicy => "invalid_prompt",
        _ => "server_error",
    };
    json!({"code": code, "message": fault.message})
}
