//! Errors, both ways.
//!
//! Enters: a body with an unsuccessful status, or an exception in a stream. Leaves: a fault; or the other way round. Never: a `code` member: SDKs would take
//! it for the error's type.

use serde_json::{Map, Value, json};

use crate::chat::{Fault, FaultKind};
use crate::dialect::fault;

/// The first name of a kind is the one it is told by; streams write it with a small first letter.
const TYPES: [(&str, FaultKind, u16); 14] = [
    ("ValidationException", FaultKind::BadRequest, 400),
    ("ValidationException", FaultKind::ContextTooLong, 400),
    ("ValidationException", FaultKind::ContentPolicy, 400),
    ("ValidationException", FaultKind::TooLarge, 400),
    ("AccessDeniedException", FaultKind::Forbidden, 403),
    ("UnrecognizedClientException", FaultKind::Unauthorized, 401),
    ("ServiceQuotaExceededException", FaultKind::Billing, 402),
    ("ResourceNotFoundException", FaultKind::NotFound, 404),
    ("ModelTimeoutException", FaultKind::Timeout, 408),
    ("ThrottlingException", FaultKind::RateLimited, 429),
    ("ModelNotReadyException", FaultKind::RateLimited, 429),
    ("InternalServerException", FaultKind::Server, 500),
    ("ModelStreamErrorException", FaultKind::Server, 424),
    ("ServiceUnavailableException", FaultKind::Overloaded, 503),
];

/// What streams may end with.
const IN_STREAMS: [&str; 5] = [
    "InternalServerException",
    "ModelStreamErrorException",
    "ValidationException",
    "ThrottlingException",
    "ServiceUnavailableException",
];

const TOO_LONG: [&str; 4] =
    ["input is too long", "prompt is too long", "too many input tokens", "exceeds the maximum number of tokens"];

pub(in crate::dialect) fn read(status: u16, body: &[u8]) -> Fault {
    let mut fault = fault::unread(status, body);
    let kind = fault.raw.get("__type").and_then(Value::as_str).map(|kind| kind.rsplit('#').next().unwrap_or(kind));
    if let Some(kind) = kind.map(str::to_owned) {
        fault.kind = known(&kind).map_or(fault.kind, |(_, kind, _)| *kind);
        fault.code = Some(kind);
    }
    worded(fault)
}

/// An exception in a stream, by its type.
pub(super) fn exception(kind: &[u8], data: &[u8]) -> Fault {
    let kind = String::from_utf8_lossy(kind);
    let (known, status) = known(&kind).map_or((FaultKind::Server, 500), |(_, kind, status)| (*kind, *status));
    worded(Fault { kind: known, code: Some(kind.into_owned()), ..fault::unread(status, data) })
}

fn known(kind: &str) -> Option<&'static (&'static str, FaultKind, u16)> {
    TYPES.iter().find(|(word, ..)| word.eq_ignore_ascii_case(kind))
}

fn worded(mut fault: Fault) -> Fault {
    let message = fault.message.to_ascii_lowercase();
    if TOO_LONG.iter().any(|words| message.contains(words)) {
        fault.kind = FaultKind::ContextTooLong;
    }
    fault
}

fn name(kind: FaultKind) -> &'static str {
    TYPES.iter().find(|(_, known, _)| *known == kind).map_or("InternalServerException", |(name, ..)| name)
}

pub(in crate::dialect) fn write(fault: &Fault) -> Vec<u8> {
    json!({ "__type": name(fault.kind), "message": fault.message }).to_string().into()
}

/// The type of the exception, and what is in it.
pub(super) fn write_exception(fault: &Fault) -> (String, Map<String, Value>) {
    let name = name(fault.kind);
    let is_callers = (400..500).contains(&fault.status);
    let otherwise = if is_callers { "ValidationException" } else { "InternalServerException" };
    let name = if IN_STREAMS.contains(&name) { name } else { otherwise };
    let (first, rest) = name.split_at(1);
    let told = Map::from_iter([("message".to_owned(), fault.message.as_str().into())]);
    (first.to_ascii_lowercase() + rest, told)
}
