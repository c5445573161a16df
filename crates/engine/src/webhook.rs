//! Tells the result of a background job: one POST, best effort.
//!
//! Enters: an answer, and where it shall be told. Leaves: nothing. Never: asks twice, follows a redirect, or connects to a private address, not even
//! to one that the operator opened for providers: here a caller chooses the address.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::body::Outgoing;
use crate::edge::ReplyBody;
use crate::gate::Gate;
use crate::surface::run::Webhook;
use crate::upstream;

const PATIENCE: Duration = Duration::from_secs(30);
const RESULT_BYTES_MAX: usize = 25_000_000;

/// What is known of a job besides its answer.
pub(crate) struct Slip {
    pub(crate) id: String,
    pub(crate) provider: String,
    pub(crate) model: String,
}

/// Reads the answer to its end, with or without somebody to tell: what is not read is not finished.
pub(crate) async fn deliver(gate: &Gate, webhook: Option<Webhook>, slip: Slip, answer: Response<ReplyBody>) {
    let is_success = answer.status().is_success();
    let body = gather(answer.into_body()).await;
    let Some(webhook) = webhook else { return };
    let told = payload(slip, is_success, body.as_deref());
    let text = match webhook.as_text {
        true => json!({ "text": serde_json::to_string_pretty(&told).unwrap_or_default() }).to_string(),
        false => told.to_string(),
    };
    if let Err(cause) = post(gate, &webhook, text.into()).await {
        tracing::warn!(%cause, "a webhook was not told");
    }
}

fn payload(slip: Slip, is_success: bool, body: Option<&[u8]>) -> Value {
    let said = body.and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let usage = said.as_ref().and_then(|said| said.get("usage")).cloned().unwrap_or_else(|| json!({}));
    let (state, result, error) = match (is_success, said) {
        (true, Some(said)) => ("Completed", said, Value::Null),
        (false, Some(said)) => ("Failed", json!({}), said),
        (_, None) => ("Failed", json!({}), json!({ "message": "there is no whole answer" })),
    };
    json!({
        "id": slip.id, "state": state, "result": result, "error": error,
        "provider": slip.provider, "model": slip.model, "usage": usage,
    })
}

async fn gather(mut body: ReplyBody) -> Option<Bytes> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame.ok()?.into_data() {
            read.extend_from_slice(&bytes);
        }
        if read.len() > RESULT_BYTES_MAX {
            return None;
        }
    }
    Some(read.freeze())
}

async fn post(gate: &Gate, webhook: &Webhook, body: Bytes) -> Result<(), crate::BoxError> {
    let mut headers = HeaderMap::with_capacity(2);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static("tollgate"));
    let request = upstream::request(Method::POST, &webhook.path_and_query, headers, Outgoing::held(body))?;
    let pool = gate.outside.pool(&webhook.origin);
    // Its answer is of no interest, and the connection is dropped with it.
    gate.outside.send(&pool, request, gate.shared.clock.now(), PATIENCE, 1).await.map(drop).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_and_a_failure_have_one_shape() {
        let slip = || Slip { id: "i".to_owned(), provider: "p".to_owned(), model: "m".to_owned() };
        assert_eq!(
            payload(slip(), true, Some(br#"{"usage":{"n":1}}"#)),
            json!({ "id": "i", "state": "Completed", "result": { "usage": { "n": 1 } }, "error": null, "provider": "p", "model": "m", "usage": { "n": 1 } })
        );
        assert_eq!(
            payload(slip(), false, Some(br#"{"error":"x"}"#)),
            json!({ "id": "i", "state": "Failed", "result": {}, "error": { "error": "x" }, "provider": "p", "model": "m", "usage": {} })
        );
        for broken in [None, Some(&b"<html>"[..])] {
            assert_eq!(payload(slip(), true, broken)["state"], "Failed");
        }
    }
}
