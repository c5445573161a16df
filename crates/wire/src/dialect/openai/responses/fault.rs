//! What goes wrong, in Responses' words: as a body, and within a stream.
//!
//! Enters: a provider's error, or a [`Fault`]. Leaves: the other of the two. Never: an error without a sentence.

use serde_json::{Map, Value, json};

use super::parts::object;
use crate::chat::{Fault, FaultKind};

/// The codes that say more than the status does, and the status for those who have none: in a stream.
const CODES: [(&str, FaultKind, u16); 14] = [
    ("context_length_exceeded", FaultKind::ContextTooLong, 400),
    ("invalid_prompt", FaultKind::BadRequest, 400),
    ("content_filter", FaultKind::ContentPolicy, 400),
    ("content_policy_violation", FaultKind::ContentPolicy, 400),
    ("image_content_policy_violation", FaultKind::ContentPolicy, 400),
    ("insufficient_quota", FaultKind::Billing, 429),
    ("invalid_api_key", FaultKind::Unauthorized, 401),
    ("model_not_found", FaultKind::NotFound, 404),
    ("rate_limit_exceeded", FaultKind::RateLimited, 429),
    ("server_is_overloaded", FaultKind::Overloaded, 503),
    ("slow_down", FaultKind::Overloaded, 503),
    ("overloaded_error", FaultKind::Overloaded, 529),
    ("rate_limit_error", FaultKind::RateLimited, 429),
    ("server_error", FaultKind::Server, 500),
];

pub(super) fn read(status: u16, body: &[u8]) -> Fault {
    let raw = serde_json::from_slice(body).unwrap_or(Value::Null);
    let error = inner(&raw);
    let message = text(error, "message").or_else(|| text(&raw, "message")).or_else(|| text(&raw, "detail"));
    let message = message.or_else(|| raw["error"].as_str().map(str::to_owned));
    let (code, param) = (code(error), text(error, "param"));
    // The code of the body is never more than a shade of what the status has said already.
    let shade = code.as_deref().and_then(known).filter(|(_, _, usual)| usual / 100 == status / 100);
    let kind = shade.map(|(_, kind, _)| *kind).filter(|kind| is_shade(*kind)).unwrap_or(FaultKind::of_status(status));
    Fault { kind, status, message: message.unwrap_or_else(|| unsaid(status, body)), code, param, raw }
}

/// Statuses say these kinds by themselves, or say them badly: a context too long is a 400 like any other.
fn is_shade(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::ContextTooLong | FaultKind::ContentPolicy | FaultKind::Billing)
}

/// An error event's own members, or the `error` of a response that failed.
pub(super) fn of_stream(error: &Value) -> Fault {
    let code = code(error);
    let known = code.as_deref().and_then(known).or_else(|| known(error["type"].as_str()?));
    let (kind, status) = known.map_or((FaultKind::Server, 500), |(_, kind, status)| (*kind, *status));
    Fault {
        kind,
        status,
        message: text(error, "message").unwrap_or_else(|| "the provider reported an error in mid-answer".into()),
        param: text(error, "param"),
        code,
        raw: error.clone(),
    }
}

/// The provider's bytes are not what they should be, or end too early.
pub(super) fn broken(message: &str) -> Fault {
    let message = message.to_owned();
    Fault { kind: FaultKind::Server, status: 502, message, code: None, param: None, raw: Value::Null }
}

fn known(code: &str) -> Option<&'static (&'static str, FaultKind, u16)> {
    CODES.iter().find(|(known, _, _)| *known == code)
}

fn inner(raw: &Value) -> &Value {
    if raw["error"].is_object() { &raw["error"] } else { raw }
}

fn text(members: &Value, name: &str) -> Option<String> {
    members[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn code(error: &Value) -> Option<String> {
    text(error, "code").or_else(|| error["code"].as_i64().map(|code| code.to_string()))
}

/// Proxies answer in HTML, or not at all.
fn unsaid(status: u16, body: &[u8]) -> String {
    const SHOWN_CHARS_MAX: usize = 200;
    let said: String = String::from_utf8_lossy(body).trim().chars().take(SHOWN_CHARS_MAX).collect();
    match said.is_empty() {
        true => format!("the provider answered with status {status} and nothing else"),
        false => format!("the provider answered with status {status}: {said}"),
    }
}

pub(super) fn write(fault: &Fault) -> Map<String, Value> {
    object(json!({"error": error(fault)})).unwrap_or_default()
}

pub(super) fn error(fault: &Fault) -> Value {
    let kind = match fault.kind {
        FaultKind::RateLimited => "rate_limit_error",
        FaultKind::Billing => "insufficient_quota",
        FaultKind::Server | FaultKind::Overloaded | FaultKind::Timeout => "server_error",
        _ => "invalid_request_error",
    };
    let own = own_code(fault.kind).filter(|_| is_shade(fault.kind));
    let code = own.or(fault.code.as_deref());
    json!({"message": fault.message, "type": kind, "param": fault.param, "code": code})
}

/// In a response that failed: of these codes OpenAI's clients know what to do next.
pub(super) fn of_response(fault: &Fault) -> Value {
    json!({"code": own_code(fault.kind).unwrap_or("server_error"), "message": fault.message})
}

fn own_code(kind: FaultKind) -> Option<&'static str> {
    match kind {
        FaultKind::ContextTooLong => Some("context_length_exceeded"),
        FaultKind::ContentPolicy => Some("content_filter"),
        FaultKind::Billing => Some("insufficient_quota"),
        FaultKind::RateLimited => Some("rate_limit_exceeded"),
        FaultKind::Overloaded => Some("server_is_overloaded"),
        FaultKind::BadRequest | FaultKind::TooLarge => Some("invalid_prompt"),
        _ => None,
    }
}
