//! What the gateway itself writes to a caller: refusals, and its own headers on every answer.
//!
//! Enters: refusals, ids. Leaves: bytes in the original's envelope A (data-plane specification, section 13.1), or in the caller's dialect where a
//! refusal brings its own. Never: shows a cause.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use tollgate_model::{Id, Refusal};
use tollgate_rules::idempotency;

use crate::body::BoxError;
use crate::kept::Kept;
use crate::rates::{self, Rate};
use crate::relay::Relay;
use crate::replay::Replay;
use crate::surface::Host;
use crate::watched::Watched;

pub(crate) const EVENT_ID: HeaderName = HeaderName::from_static("cf-aig-event-id");
const LOG_ID: HeaderName = HeaderName::from_static("cf-aig-log-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("cf-aig-request-id");
const STEP: HeaderName = HeaderName::from_static("cf-aig-step");
const CACHE_STATUS: HeaderName = HeaderName::from_static("cf-aig-cache-status");
/// RFC 9211.
const STANDARD_CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// What a translation could not carry: `top_k;dropped, temperature;clamped`.
pub(crate) const LOSS: HeaderName = HeaderName::from_static("tollgate-loss");
pub(crate) const MODEL: HeaderName = HeaderName::from_static("cf-aig-model");
pub(crate) const PROVIDER: HeaderName = HeaderName::from_static("cf-aig-provider");
pub(crate) const ROUTED_MODEL: HeaderName = HeaderName::from_static("cf-aig-routed-model");
pub(crate) const ROUTING_REASON: HeaderName = HeaderName::from_static("cf-aig-routing-reason");
pub(crate) const ROUTING_DECISION_ID: HeaderName = HeaderName::from_static("cf-aig-routing-decision-id");
pub(crate) const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// The body of anything that goes to a caller.
pub(crate) enum ReplyBody {
    Whole(Option<Bytes>),
    Relay(Box<Relay>),
    Replay(Box<Replay>),
    /// One of those above, collected for later tries with the same idempotency key.
    Kept(Box<Kept>),
    /// One of those above, for a caller who may stop reading unnoticed.
    Watched(Watched),
    /// The control plane's.
    Other(UnsyncBoxBody<Bytes, BoxError>),
}

/// What the cache did for this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CacheSaid {
    /// Caching did not apply: no header at all, which clients read as "disabled".
    Nothing,
    Miss,
    Hit {
        ttl_s: u64,
    },
    /// Served by somebody else's identical request.
    Collapsed,
}

/// The gateway's own headers on an answer.
pub(crate) struct Marks {
    pub(crate) id: Id,
    pub(crate) event_id: Option<HeaderValue>,
    pub(crate) logged: bool,
    pub(crate) step: u16,
    /// Empty where nothing is limited.
    pub(crate) rates: Vec<Rate>,
    pub(crate) cache: CacheSaid,
}

impl Marks {
    /// On an answer that is told again: its step and what the cache did are those of the first time, the rates of then say nothing now.
    pub(crate) fn write_again(self, headers: &mut HeaderMap) {
        let step = headers.remove(STEP);
        rates::untell(headers);
        self.write(headers);
        if let Some(step) = step {
            headers.insert(STEP, step);
        }
        headers.insert(&idempotency::REPLAYED, HeaderValue::from_static("true"));
    }

    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let id = id_value(self.id);
        headers.insert(REQUEST_ID, id.clone());
        headers.insert(EVENT_ID, self.event_id.unwrap_or_else(|| id.clone()));
        if self.logged {
            headers.insert(LOG_ID, id);
        }
        headers.insert(STEP, if self.step == 0 { HeaderValue::from_static("0") } else { self.step.into() });
        self.cache.write(headers);
        rates::tell(&self.rates, headers);
    }
}

impl CacheSaid {
    fn write(self, headers: &mut HeaderMap) {
        let (short, standard) = match self {
            Self::Nothing => return,
            Self::Miss => ("MISS", HeaderValue::from_static("tollgate; fwd=miss")),
            Self::Collapsed => ("HIT", HeaderValue::from_static("tollgate; fwd=miss; collapsed")),
            Self::Hit { ttl_s } => (
                "HIT",
                HeaderValue::try_from(format!("tollgate; hit; ttl={ttl_s}"))
                    .unwrap_or(HeaderValue::from_static("tollgate; hit")),
            ),
        };
        headers.insert(CACHE_STATUS, HeaderValue::from_static(short));
        headers.append(STANDARD_CACHE_STATUS, standard);
    }
}

fn id_value(id: Id) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(id.to_string())).unwrap_or(HeaderValue::from_static("invalid"))
}

/// The only place where a no becomes bytes.
pub(crate) fn refusal(refusal: &Refusal, host: Host) -> Response<ReplyBody> {
    let body = match refusal.body() {
        Some(told) => Bytes::copy_from_slice(told),
        None => Bytes::from(envelope(refusal, host)),
    };
    let mut response = Response::new(ReplyBody::Whole(None));
    *response.status_mut() = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(wait) = refusal.wait() {
        // Whole seconds, rounded up: who comes back then is served.
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_millis().div_ceil(1_000).max(1) as u64));
        headers.insert(RETRY_AFTER_MS, HeaderValue::from(wait.as_millis().max(1) as u64));
    }
    if let Some(should) = refusal.advice() {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static(if should { "true" } else { "false" }));
    }
    if refusal.closes() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    *response.body_mut() = ReplyBody::Whole(Some(body));
    response
}

/// Envelope A: `error` is an array, and all members that any client reads are there. On the REST host also those of its own envelope C: its
/// clients read `errors`.
fn envelope(refusal: &Refusal, host: Host) -> String {
    let said = serde_json::Value::from(refusal.said());
    let (code, status) = (refusal.code(), refusal.status());
    let errors = match host {
        Host::Gateway => String::new(),
        Host::Rest => format!(r#""errors":[{{"code":{code},"message":{said}}}],"#),
    };
    format!(
        r#"{{"success":false,"result":[],"messages":[],{errors}"error":[{{"code":{code},"message":{said}}}],"name":"AiGatewayError","httpCode":{status},"internalCode":{code},"message":{said},"description":{said}}}"#
    )
}

// === impl ReplyBody ===

impl ReplyBody {
    /// It has ended, and its caller lacks nothing.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Self::Whole(_) | Self::Replay(_) => true,
            Self::Relay(relay) => relay.is_whole(),
            Self::Kept(_) | Self::Watched(_) | Self::Other(_) => false,
        }
    }

    /// For a caller who speaks HTTP/2. What is there in one piece holds nothing that could be given up.
    pub(crate) fn watched(self, patience: Duration) -> Self {
        if matches!(self, Self::Whole(_)) { self } else { Self::Watched(Watched::new(self, patience)) }
    }
}

impl http_body::Body for ReplyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Whole(bytes) => std::task::Poll::Ready(bytes.take().map(|bytes| Ok(http_body::Frame::data(bytes)))),
            Self::Relay(relay) => std::pin::Pin::new(&mut **relay).poll_frame(cx),
            Self::Replay(replay) => std::pin::Pin::new(&mut **replay).poll_frame(cx),
            Self::Kept(kept) => std::pin::Pin::new(&mut **kept).poll_frame(cx),
            Self::Watched(watched) => std::pin::Pin::new(watched).poll_frame(cx),
            Self::Other(body) => std::pin::Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Relay(relay) => relay.is_end_stream(),
            Self::Replay(_) => false,
            Self::Kept(kept) => kept.is_end_stream(),
            Self::Watched(watched) => watched.is_end_stream(),
            Self::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Whole(bytes) => http_body::SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Relay(relay) => relay.size_hint(),
            Self::Replay(_) => http_body::SizeHint::default(),
            Self::Kept(kept) => kept.size_hint(),
            Self::Watched(watched) => watched.size_hint(),
            Self::Other(body) => body.size_hint(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn envelope_a_is_the_original_s_to_the_byte() {
        let text = envelope(&Refusal::rate_limited(Duration::from_secs(1)), Host::Gateway);
        assert_eq!(
            text,
            r#"{"success":false,"result":[],"messages":[],"error":[{"code":2003,"message":"Rate limited"}],"name":"AiGatewayError","httpCode":429,"internalCode":2003,"message":"Rate limited","description":"Rate limited"}"#
        );
    }

    #[test]
    fn a_wait_is_told_in_both_units_and_rounded_up() {
        let response = refusal(&Refusal::rate_limited(Duration::from_millis(1_200)), Host::Gateway);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.headers()["retry-after-ms"], "1200");
    }
}
