//! Ollama's errors: `{"error": ".."}`, with whatever status and in mid-stream.
//!
//! Enters: bytes that came with an unsuccessful status, or a fault. Leaves: the other of the two. Never: an empty message.

use serde_json::{Map, Value};

use crate::chat::{Fault, FaultKind};
use crate::dialect::fault::unread;

pub(super) fn read(status: u16, body: &[u8]) -> Fault {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(message) = text("error").or_else(|| text("message")) else {
        return unread(status, body);
    };
    let mut fault = plain(status, message.to_owned());
    fault.code = text("code").map(str::to_owned);
    fault.param = text("param").map(str::to_owned);
    fault.kind = match (fault.kind, fault.code.as_deref()) {
        (_, Some("context_length_exceeded")) => FaultKind::ContextTooLong,
        (_, Some("content_policy_violation" | "content_filter")) => FaultKind::ContentPolicy,
        // "the input length exceeds the context length"
        (FaultKind::BadRequest, _) if message.contains("exceeds the context length") => FaultKind::ContextTooLong,
        (kind, _) => kind,
    };
    fault.raw = value;
    fault
}

fn plain(status: u16, message: String) -> Fault {
    Fault { kind: FaultKind::of_status(status), status, message, code: None, param: None, raw: Value::Null }
}

pub(super) fn write(fault: &Fault) -> Vec<u8> {
    let mut body = Map::from_iter([("error".to_owned(), Value::String(fault.message.clone()))]);
    let code = fault.code.as_deref().or(match fault.kind {
        FaultKind::ContextTooLong => Some("context_length_exceeded"),
        FaultKind::ContentPolicy => Some("content_policy_violation"),
        _ => None,
    });
    body.extend(code.map(|code| ("code".to_owned(), code.into())));
    body.extend(fault.param.as_deref().map(|param| ("param".to_owned(), param.into())));
    Value::Object(body).to_string().into_bytes()
}
