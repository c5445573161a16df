//! Errors of Cloudflare's API: `{"success": false, "errors": [{"code", "message"}]}`.
//!
//! Enters: bytes that came with an unsuccessful status, or a fault. Leaves: the other of the two. Never: an empty message.

use serde_json::{Value, json};

use crate::chat::{Fault, FaultKind};
use crate::dialect::fault::unread;

pub(super) fn read(status: u16, body: &[u8]) -> Fault {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(error) = value.pointer("/errors/0") else { return unread(status, body) };
    let message = error.get("message").and_then(Value::as_str).filter(|text| !text.is_empty());
    let code = error.get("code").filter(|code| !code.is_null());
    let code = code.map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
    let kind = match code.as_deref() {
        Some("context_length_exceeded" | "5021") => FaultKind::ContextTooLong,
        Some("content_policy_violation" | "content_filter") => FaultKind::ContentPolicy,
        // The account's free share is spent; the model has no place free.
        Some("3036") => FaultKind::RateLimited,
        Some("3040") => FaultKind::Overloaded,
        _ => FaultKind::of_status(status),
    };
    Fault {
        kind,
        status,
        message: message.map_or_else(|| format!("the provider answered with status {status}"), str::to_owned),
        code,
        param: error.pointer("/source/pointer").and_then(Value::as_str).map(str::to_owned),
        raw: value,
    }
}

pub(super) fn write(fault: &Fault) -> Vec<u8> {
    let code = fault.code.as_deref().or(match fault.kind {
        FaultKind::ContextTooLong => Some("context_length_exceeded"),
        FaultKind::ContentPolicy => Some("content_policy_violation"),
        _ => None,
    });
    let code = code.map(|code| code.parse::<u64>().map_or_else(|_| Value::from(code), Value::from));
    let mut error = json!({"code": code.unwrap_or_else(|| fault.status.into()), "message": fault.message});
    if let Some(param) = &fault.param {
        error["source"] = json!({"pointer": param});
    }
    json!({"result": null, "success": false, "errors": [error], "messages": []}).to_string().into_bytes()
}
