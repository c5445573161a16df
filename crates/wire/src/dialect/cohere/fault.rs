//! Cohere's errors: `{"message": ..}`, in version 2 with the request's `id`.
//!
//! Enters: bytes that came with an unsuccessful status, or a fault. Leaves: the other of the two. Never: an empty message.
//!
//! <https://docs.cohere.com/v2/reference/errors>.

use serde_json::{Map, Value};

use crate::chat::{Fault, FaultKind};
use crate::dialect::fault::unread;

pub(super) fn read(status: u16, body: &[u8]) -> Fault {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let message = text("message").or_else(|| text("error").or(text("data")));
    let Some(message) = message else { return unread(status, body) };
    let mut fault = plain(status, message.to_owned());
    fault.code = text("code").map(str::to_owned);
    fault.param = text("param").map(str::to_owned);
    fault.kind = kind(status, fault.code.as_deref(), message);
    fault.raw = value;
    fault
}

fn kind(status: u16, code: Option<&str>, message: &str) -> FaultKind {
    match (FaultKind::of_status(status), code) {
        (_, Some("context_length_exceeded")) => FaultKind::ContextTooLong,
        (_, Some("content_policy_violation" | "content_filter")) => FaultKind::ContentPolicy,
        // "invalid request: too many tokens: size limit exceeded by 11 tokens."
        (FaultKind::BadRequest, _) if message.contains("too many tokens") => FaultKind::ContextTooLong,
        // 498: the content was refused. 499: the caller went away.
        (FaultKind::BadRequest, _) if status == 498 => FaultKind::ContentPolicy,
        (FaultKind::BadRequest, _) if status == 499 => FaultKind::Timeout,
        (kind, _) => kind,
    }
}

pub(super) fn plain(status: u16, message: String) -> Fault {
    Fault { kind: FaultKind::of_status(status), status, message, code: None, param: None, raw: Value::Null }
}

pub(super) fn write(fault: &Fault) -> Vec<u8> {
    let mut body = Map::from_iter([("message".to_owned(), Value::String(fault.message.clone()))]);
    let code = fault.code.as_deref().or(match fault.kind {
        FaultKind::ContextTooLong => Some("context_length_exceeded"),
        FaultKind::ContentPolicy => Some("content_policy_violation"),
        _ => None,
    });
    body.extend(code.map(|code| ("code".to_owned(), code.into())));
    body.extend(fault.param.as_deref().map(|param| ("param".to_owned(), param.into())));
    Value::Object(body).to_string().into_bytes()
}
