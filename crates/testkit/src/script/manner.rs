//! How each API says no.
//!
//! Enters: a status and a sentence. Leaves: the API's own error body, error event and request id.
//! Never: decides that something is wrong.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Wrong;
use crate::digest;
use crate::http::request::Request;
use crate::plan::Plan;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    OpenAi,
    /// OpenAI's errors, with events of its own.
    Responses,
    Anthropic,
    Gemini,
    Cohere,
    Ollama,
}

impl Manner {
    /// The manner for a request that no surface knows.
    pub(super) fn of(request: &Request) -> Self {
        match request.path() {
            _ if request.header("anthropic-version").is_some() => Self::Anthropic,
            _ if request.has_header_like("x-goog-api-") => Self::Gemini,
            path if path.starts_with("/v1beta") => Self::Gemini,
            path if path.starts_with("/v2/") => Self::Cohere,
            path if path.starts_with("/api/") => Self::Ollama,
            _ => Self::OpenAi,
        }
    }

    pub(super) fn refuse(self, wrong: &Wrong, seed: u64) -> Plan {
        self.sign(Plan::json(wrong.status, self.error(wrong, seed).to_string()), seed)
    }

    /// Adds the header by which the provider's support would find the request.
    pub(super) fn sign(self, plan: Plan, seed: u64) -> Plan {
        match self {
            Self::OpenAi | Self::Responses => plan.header("x-request-id", digest::id("req_", seed, 0, 32)),
            Self::Anthropic => plan.header("request-id", digest::id("req_", seed, 0, 24)),
            Self::Gemini | Self::Cohere | Self::Ollama => plan,
        }
    }

    pub(super) fn error(self, wrong: &Wrong, seed: u64) -> Value {
        let (status, said) = (wrong.status, &wrong.said);
        match self {
            Self::OpenAi | Self::Responses => {
                let (kind, code) = openai_kind(status);
                json!({"error": {"message": said, "type": kind, "param": wrong.member, "code": code}})
            }
            Self::Anthropic => json!({
                "type": "error",
                "error": {"type": anthropic_kind(status), "message": said},
                "request_id": digest::id("req_", seed, 0, 24),
            }),
            Self::Gemini => json!({"error": {"code": status, "message": said, "status": gemini_kind(status)}}),
            Self::Cohere => json!({"id": digest::id("", seed, 0, 32), "message": said}),
            Self::Ollama => json!({ "error": said }),
        }
    }

    /// An error inside a stream that began well.
    pub(super) fn error_event(self, number: u32) -> Bytes {
        let wrong = Wrong { status: 503, said: "the sandbox was asked to fail here".to_owned(), member: None };
        let event = match self {
            Self::OpenAi | Self::Gemini => format!("data: {}\n\n", self.error(&wrong, 0)),
            Self::Anthropic => format!("event: error\ndata: {}\n\n", self.error(&wrong, 0)),
            // Cohere has no event for it: it ends the message with an error in it.
            Self::Cohere => {
                let delta = json!({"finish_reason": "ERROR", "error": wrong.said});
                format!("event: message-end\ndata: {}\n\n", json!({"type": "message-end", "delta": delta}))
            }
            Self::Ollama => format!("{}\n", self.error(&wrong, 0)),
            Self::Responses => {
                let error = json!({"type": "error", "code": "server_error", "message": wrong.said, "param": null, "sequence_number": number});
                format!("event: error\ndata: {error}\n\n")
            }
        };
        event.into()
    }
}

fn openai_kind(status: u16) -> (&'static str, Option<&'static str>) {
    match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    }
}

fn anthropic_kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

fn gemini_kind(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}
