//! Errors, as OpenAI and its many likes tell them.
//!
//! Enters: a status and whatever came with it. Leaves: a fault; and back. Never: fails: what is no JSON is a message, or nothing is.

use serde_json::{Map, Value, json};

use crate::chat::{Fault, FaultKind};
use crate::dialect::fault::unread;

pub(super) fn read(status: u16, body: &[u8]) -> Fault {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => of_value(status, value),
        Err(_) => unread(status, body),
    }
}

/// Also an error that came in a frame, where the status is only a guess.
pub(super) fn of_value(status: u16, value: Value) -> Fault {
    let error = inner(&value);
    let text = |name: &str| error.get(name).and_then(word).filter(|text| !text.is_empty());
    let message = error.as_str().map(str::to_owned).or_else(|| text("message")).or_else(|| detail(&value));
    let code = text("code").or_else(|| text("type")).filter(|_| error.is_object());
    let message = message.filter(|message| !message.is_empty()).unwrap_or_else(|| unread(status, b"").message);
    let words = [text("code"), text("type")].into_iter().flatten().collect::<Vec<_>>();
    let param = text("param");
    let kind = kind(status, &words, &message);
    Fault { kind, status, message, code, param, raw: value }
}

/// `{"error":{..}}` at most; `{"error":".."}` of Hugging Face; `[{"error":{..}}]` of Google; `{"errors":[{..}]}` of Cloudflare; the object itself at
/// Mistral and vLLM.
fn inner(value: &Value) -> &Value {
    let value = value.get(0).unwrap_or(value);
    let errors = value.get("errors").and_then(|errors| errors.get(0));
    match value.get("error").or(errors) {
        Some(error) if error.is_object() || error.is_string() => error,
        _ => value,
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        // Mistral wraps the list of its validator in `message`.
        Value::Object(inner) => inner.get("detail").map(Value::to_string),
        _ => None,
    }
}

/// `{"detail":..}`: how FastAPI, under many hosts, tells what it did not like.
fn detail(value: &Value) -> Option<String> {
    match value.get("detail")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let told = items.iter().take(5).filter_map(|item| {
                let place = item.get("loc")?.as_array()?.iter().filter_map(word).collect::<Vec<_>>().join(".");
                Some(format!("{place}: {}", item.get("msg")?.as_str()?))
            });
            Some(told.collect::<Vec<_>>().join("; "))
        }
        _ => None,
    }
}

/// Documented codes and types. See <https://platform.openai.com/docs/guides/error-codes>.
const KINDS: [(&str, FaultKind); 12] = [
    ("context_length_exceeded", FaultKind::ContextTooLong),
    ("string_above_max_length", FaultKind::ContextTooLong),
    ("content_filter", FaultKind::ContentPolicy),
    ("content_policy_violation", FaultKind::ContentPolicy),
    // Azure's, within.
    ("ResponsibleAIPolicyViolation", FaultKind::ContentPolicy),
    ("insufficient_quota", FaultKind::Billing),
    ("billing_hard_limit_reached", FaultKind::Billing),
    ("billing_not_active", FaultKind::Billing),
    ("invalid_api_key", FaultKind::Unauthorized),
    ("rate_limit_exceeded", FaultKind::RateLimited),
    ("model_not_found", FaultKind::NotFound),
    ("overloaded_error", FaultKind::Overloaded),
];

/// What hosts without codes write when the conversation is too long.
const TOO_LONG: [&str; 5] = [
    "maximum context length",
    "prompt is too long",
    "context window",
    "reduce the length of the messages",
    "input is too long",
];

fn kind(status: u16, words: &[String], message: &str) -> FaultKind {
    if let Some((_, kind)) = KINDS.iter().find(|(known, _)| words.iter().any(|word| word == known)) {
        return *kind;
    }
    let message = message.to_ascii_lowercase();
    if matches!(status, 400 | 413 | 422) && TOO_LONG.iter().any(|words| message.contains(words)) {
        return FaultKind::ContextTooLong;
    }
    FaultKind::of_status(status)
}

/// The status a frame's error would have had.
pub(super) fn status_within(error: &Value) -> u16 {
    let error = inner(error);
    let number = ["status", "code", "status_code"].iter().find_map(|name| {
        let value = error.get(*name)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    });
    number.and_then(|number| u16::try_from(number).ok()).filter(|status| (400..600).contains(status)).unwrap_or(500)
}

pub(super) fn write(fault: &Fault) -> Value {
    let mut error = Map::from_iter([("message".to_owned(), Value::from(fault.message.as_str()))]);
    error.insert("type".into(), kind_word(fault.kind).into());
    error.insert("param".into(), fault.param.as_deref().into());
    error.insert("code".into(), fault.code.as_deref().or_else(|| own_code(fault.kind)).into());
    json!({"error": error})
}

fn kind_word(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Unauthorized => "authentication_error",
        FaultKind::Billing => "insufficient_quota",
        FaultKind::Forbidden => "permission_error",
        FaultKind::RateLimited => "rate_limit_error",
        FaultKind::Timeout => "timeout_error",
        FaultKind::Overloaded | FaultKind::Server => "server_error",
        FaultKind::BadRequest
        | FaultKind::NotFound
        | FaultKind::TooLarge
        | FaultKind::ContextTooLong
        | FaultKind::ContentPolicy => "invalid_request_error",
    }
}

/// Codes that clients look for.
fn own_code(kind: FaultKind) -> Option<&'static str> {
    match kind {
        FaultKind::ContextTooLong => Some("context_length_exceeded"),
        FaultKind::ContentPolicy => Some("content_policy_violation"),
        FaultKind::Billing => Some("insufficient_quota"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
