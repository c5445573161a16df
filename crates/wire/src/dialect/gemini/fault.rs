//! Google's errors: `{"error": {"code", "message", "status", "details"}}`, alone or in an array.
//!
//! Enters: bytes that came with an unsuccessful status, or a fault. Leaves: the other of the two. Never: an empty message.
//!
//! <https://ai.google.dev/gemini-api/docs/troubleshooting>, <https://google.aip.dev/193>.

use serde_json::{Map, Value, json};

use crate::chat::{Fault, FaultKind};
use crate::dialect::fault::unread;

const INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

const WORDS: [(&str, FaultKind); 12] = [
    ("INVALID_ARGUMENT", FaultKind::BadRequest),
    ("FAILED_PRECONDITION", FaultKind::BadRequest),
    ("OUT_OF_RANGE", FaultKind::BadRequest),
    ("UNAUTHENTICATED", FaultKind::Unauthorized),
    ("PERMISSION_DENIED", FaultKind::Forbidden),
    ("NOT_FOUND", FaultKind::NotFound),
    ("RESOURCE_EXHAUSTED", FaultKind::RateLimited),
    ("UNAVAILABLE", FaultKind::Overloaded),
    ("DEADLINE_EXCEEDED", FaultKind::Timeout),
    ("CANCELLED", FaultKind::Timeout),
    ("INTERNAL", FaultKind::Server),
    ("UNKNOWN", FaultKind::Server),
];

pub(super) fn read(status: u16, body: &[u8]) -> Fault {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let value = match value {
        Some(Value::Array(mut items)) if !items.is_empty() => Some(items.swap_remove(0)),
        other => other,
    };
    match value.as_ref().and_then(|value| value.get("error")) {
        Some(Value::Object(error)) => of(error, Some(status)),
        Some(Value::String(message)) if !message.is_empty() => plain(status, message.clone()),
        _ => unread(status, body),
    }
}

/// The error object itself. In mid-stream there is no other status than its own.
pub(super) fn of(error: &Map<String, Value>, status: Option<u16>) -> Fault {
    let text = |name: &str| error.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let code = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let status = status.or(code.filter(|code| (400..600).contains(code))).unwrap_or(500);
    let word = text("status");
    let message =
        text("message").or(word).map_or_else(|| format!("the provider reports error {status}"), str::to_owned);
    let details = error.get("details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let reason = detail(details, INFO).and_then(|info| info.get("reason")).and_then(Value::as_str);
    let violation = detail(details, BAD_REQUEST).and_then(|detail| detail.pointer("/fieldViolations/0/field"));
    Fault {
        kind: kind(status, word, reason, &message),
        status,
        code: reason.or(word).map(str::to_owned),
        param: violation.and_then(Value::as_str).map(str::to_owned),
        raw: json!({"error": error}),
        message,
    }
}

fn detail<'d>(details: &'d [Value], kind: &str) -> Option<&'d Value> {
    details.iter().find(|detail| detail.get("@type").and_then(Value::as_str) == Some(kind))
}

fn kind(status: u16, word: Option<&str>, reason: Option<&str>, message: &str) -> FaultKind {
    let by_word = word.and_then(|word| WORDS.iter().find(|(known, _)| *known == word)).map(|(_, kind)| *kind);
    let kind = by_word.unwrap_or_else(|| FaultKind::of_status(status));
    match (kind, reason) {
        // A wrong key is a bad argument to Google.
        (_, Some("API_KEY_INVALID" | "API_KEY_EXPIRED")) => FaultKind::Unauthorized,
        (_, Some("context_length_exceeded")) => FaultKind::ContextTooLong,
        (_, Some("content_filter" | "content_policy_violation")) => FaultKind::ContentPolicy,
        (_, Some("BILLING_DISABLED" | "insufficient_quota")) => FaultKind::Billing,
        // Google has one word for both.
        (FaultKind::RateLimited, _) if status == 402 => FaultKind::Billing,
        (FaultKind::BadRequest, _) if status == 413 => FaultKind::TooLarge,
        // "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
        (FaultKind::BadRequest, _) if message.contains("token count") && message.contains("exceeds") => {
            FaultKind::ContextTooLong
        }
        (kind, _) => kind,
    }
}

fn plain(status: u16, message: String) -> Fault {
    Fault { kind: FaultKind::of_status(status), status, message, code: None, param: None, raw: Value::Null }
}

pub(super) fn write(fault: &Fault) -> Value {
    let mut error = Map::new();
    error.insert("code".into(), fault.status.into());
    error.insert("message".into(), fault.message.as_str().into());
    error.insert("status".into(), word(fault).into());
    let own = fault.raw.pointer("/error/details").filter(|details| {
        details.as_array().is_some_and(|list| list.iter().all(|detail| detail.get("@type").is_some()))
    });
    let details = own.cloned().unwrap_or_else(|| details(fault));
    if details.as_array().is_some_and(|list| !list.is_empty()) {
        error.insert("details".into(), details);
    }
    json!({"error": error})
}

fn details(fault: &Fault) -> Value {
    let mut details = Vec::new();
    let reason = fault.code.as_deref().filter(|code| WORDS.iter().all(|(word, _)| word != code));
    let reason = reason.or(match fault.kind {
        FaultKind::ContextTooLong => Some("context_length_exceeded"),
        FaultKind::ContentPolicy => Some("content_policy_violation"),
        FaultKind::Billing => Some("insufficient_quota"),
        _ => None,
    });
    details.extend(reason.map(|reason| json!({"@type": INFO, "reason": reason})));
    details.extend(fault.param.as_ref().map(
        |field| json!({"@type": BAD_REQUEST, "fieldViolations": [{"field": field, "description": fault.message}]}),
    ));
    details.into()
}

fn word(fault: &Fault) -> &str {
    if let Some(code) = fault.code.as_deref()
        && WORDS.iter().any(|(word, _)| *word == code)
    {
        return code;
    }
    match fault.kind {
        FaultKind::BadRequest | FaultKind::TooLarge | FaultKind::ContextTooLong | FaultKind::ContentPolicy => {
            "INVALID_ARGUMENT"
        }
        FaultKind::Unauthorized => "UNAUTHENTICATED",
        FaultKind::Forbidden => "PERMISSION_DENIED",
        FaultKind::NotFound => "NOT_FOUND",
        FaultKind::RateLimited | FaultKind::Billing => "RESOURCE_EXHAUSTED",
        FaultKind::Overloaded => "UNAVAILABLE",
        FaultKind::Timeout => "DEADLINE_EXCEEDED",
        FaultKind::Server => "INTERNAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_google_means() {
        let wrong_key = br#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT",
            "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}]"#;
        let too_long = br#"{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).",
            "status":"INVALID_ARGUMENT"}}"#;
        let field = br#"{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT","details":[
            {"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0]"}]}]}}"#;
        assert_eq!(read(400, wrong_key).kind, FaultKind::Unauthorized);
        assert_eq!(read(400, too_long).kind, FaultKind::ContextTooLong);
        assert_eq!(read(400, field).param.as_deref(), Some("contents[0]"));
        assert_eq!(read(429, br#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#).message, "RESOURCE_EXHAUSTED");
    }

    #[test]
    fn another_providers_code_survives() {
        let fault = Fault {
            code: Some("context_length_exceeded".into()),
            kind: FaultKind::ContextTooLong,
            ..plain(400, "too long".into())
        };
        let read = read(400, write(&fault).to_string().as_bytes());
        assert_eq!((read.kind, read.code, read.message), (fault.kind, fault.code, fault.message));
    }
}
