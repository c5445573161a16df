//! What an endpoint answers, and how it becomes bytes.
//!
//! Enters: values. Leaves: the original's success envelope, or bytes as they were stored. Never: decides anything.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");
const UNTYPED: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// Stored bodies come from strangers. Shown by a browser, they must not run in the gateway's origin.
const NOTHING_RUNS: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

#[derive(Debug)]
pub enum Answer {
    Result(Value),
    Page {
        rows: Vec<Value>,
        info: Value,
    },
    /// The envelope's own members, for what the original puts elsewhere than into `result`.
    Whole(Map<String, Value>),
    /// A stored body with the content type it came with.
    Body {
        content_type: Option<String>,
        bytes: Bytes,
    },
    /// A file that is written while it is read.
    Download {
        content_type: &'static str,
        name: String,
        body: Body,
    },
    /// For people and probes, outside the API.
    Plain {
        status: StatusCode,
        content_type: &'static str,
        text: String,
    },
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Result(result) => {
                envelope(json!({ "success": true, "errors": [], "messages": [], "result": result }))
            }
            Self::Page { rows, info } => {
                envelope(json!({ "success": true, "errors": [], "messages": [], "result": rows, "result_info": info }))
            }
            Self::Whole(members) => {
                let mut body = json!({ "success": true, "errors": [], "messages": [] });
                for (name, value) in members {
                    body[name] = value;
                }
                envelope(body)
            }
            Self::Body { content_type, bytes } => stored(content_type, bytes),
            Self::Download { content_type, name, body } => download(content_type, &name, body),
            Self::Plain { status, content_type, text } => {
                (status, [(CONTENT_TYPE, content_type)], text).into_response()
            }
        }
    }
}

fn envelope(body: Value) -> Response {
    ([(CONTENT_TYPE, JSON), (CACHE_CONTROL, HeaderValue::from_static("no-store"))], body.to_string()).into_response()
}

/// The name is ours: a gateway's id and an ending.
fn download(content_type: &'static str, name: &str, body: Body) -> Response {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment"))),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, body).into_response()
}

fn stored(content_type: Option<String>, bytes: Bytes) -> Response {
    let content_type = content_type.and_then(|text| HeaderValue::try_from(text).ok()).unwrap_or(UNTYPED);
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CONTENT_SECURITY_POLICY, NOTHING_RUNS),
    ];
    (headers, bytes).into_response()
}
