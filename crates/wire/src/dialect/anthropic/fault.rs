//! Errors, both ways.
//!
//! Enters: a body with an unsuccessful status, or an `error` event. Leaves: a fault; or the other way round. Never: a body without a message.

use serde_json::{Map, Value, json};

use crate::chat::{Fault, FaultKind};
use crate::dialect::fault;

/// <https://platform.claude.com/docs/en/api/errors>; the first word of a kind is the one it is told by.
const TYPES: [(&str, FaultKind, u16); 13] = [
    ("invalid_request_error", FaultKind::BadRequest, 400),
    ("invalid_request_error", FaultKind::ContextTooLong, 400),
    ("invalid_request_error", FaultKind::ContentPolicy, 400),
    ("authentication_error", FaultKind::Unauthorized, 401),
    ("billing_error", FaultKind::Billing, 402),
    ("permission_error", FaultKind::Forbidden, 403),
    ("not_found_error", FaultKind::NotFound, 404),
    ("request_too_large", FaultKind::TooLarge, 413),
    ("rate_limit_error", FaultKind::RateLimited, 429),
    ("api_error", FaultKind::Server, 500),
    ("timeout_error", FaultKind::Timeout, 504),
    ("overloaded_error", FaultKind::Overloaded, 529),
    ("gateway_timeout_error", FaultKind::Timeout, 504),
];

/// How the API words a conversation that is too long. It has no code for it.
const TOO_LONG: [&str; 3] = ["prompt is too long", "exceed context limit", "exceeds the maximum number of tokens"];
const POLICY: [&str; 2] = ["content filtering policy", "usage policy"];

pub(super) fn read(status: u16, body: &[u8]) -> Fault {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut told)) => match told.remove("error") {
            Some(Value::Object(error)) => of(error, Some(status)),
            _ => fault::unread(status, body),
        },
        _ => fault::unread(status, body),
    }
}

/// The `error` object. `status`: unless it came in a stream.
pub(super) fn of(error: Map<String, Value>, status: Option<u16>) -> Fault {
    let word = |name: &str| error.get(name).and_then(Value::as_str).filter(|word| !word.is_empty());
    let kind = word("type");
    let known = kind.and_then(|kind| TYPES.iter().find(|(word, ..)| *word == kind));
    let status = status.or(known.map(|(.., status)| *status)).unwrap_or(500);
    let message = word("message").or(kind).unwrap_or("an error without words").to_owned();
    let code = error.get("details").and_then(|details| details.get("error_code")?.as_str()).or(kind);
    Fault {
        kind: worded(&message).unwrap_or_else(|| known.map_or(FaultKind::of_status(status), |(_, kind, _)| *kind)),
        status,
        message,
        code: code.map(str::to_owned),
        param: None,
        raw: Value::Object(error),
    }
}

fn worded(message: &str) -> Option<FaultKind> {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if says(&TOO_LONG) { Some(FaultKind::ContextTooLong) } else { says(&POLICY).then_some(FaultKind::ContentPolicy) }
}

/// Clients go by the type; a code that is not one of these types goes where the API puts codes.
pub(super) fn write(fault: &Fault) -> Value {
    let (kind, ..) = TYPES.iter().find(|(_, kind, _)| *kind == fault.kind).unwrap_or(&TYPES[9]);
    let mut error = json!({ "type": kind, "message": fault.message });
    let code = fault.code.as_deref().filter(|code| TYPES.iter().all(|(word, ..)| word != code));
    if let Some(code) = code {
        error["details"] = json!({ "error_code": code });
    }
    json!({ "type": "error", "error": error })
}
