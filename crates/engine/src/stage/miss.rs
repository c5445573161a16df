//! What an attempt that did not work means to a walk.
//!
//! Enters: an answer that is no success, or a refusal on the way to one. Leaves: the reason in the walk's words, and what to say if nothing else
//! works. Never: reads more of an answer than it takes to tell why it failed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tollgate_model::Refusal;
use tollgate_model::refusal::{Blame, code};
use tollgate_rules::walk::Miss;
use tollgate_wire::chat::FaultKind;
use tollgate_wire::dialect::Dialect;

use crate::decode::{Encoding, encoding};
use crate::gate::Gate;
use crate::stage::send::Sent;

pub(crate) enum Failed {
    /// No other target is asked: it is not this one's fault.
    Refused(Refusal),
    /// The next one may do better. The refusal is for the case that there is none.
    Missed(Miss, Refusal),
}

/// An error is a few hundred bytes, and comes at once.
const ERROR_BYTES_MAX: usize = 64 * 1024;
const ERROR_PATIENCE: Duration = Duration::from_secs(5);

/// Reads the provider's error. What it breaks off in the middle of is judged by its status.
pub(crate) async fn judge(gate: &Gate, sent: Sent, dialect: Dialect) -> Failed {
    let (parts, body) = sent.answered.response.into_parts();
    let status = parts.status.as_u16();
    let said = tokio::time::timeout(ERROR_PATIENCE, gather(body)).await.unwrap_or_default();
    if said.is_some() {
        sent.answered.lease.give_back();
    }
    let said = said.unwrap_or_default();
    let said = match encoding(&parts.headers, gate.shared.limits.hold_bytes_max) {
        Encoding::Known(mut decoder) => decoder.push(&said).unwrap_or_default(),
        Encoding::Identity | Encoding::Unknown => said,
    };
    let kind = dialect.chat().map(|chat| chat.read_fault(status, &said).kind);
    let cause = format!("the provider answered {status}");
    Failed::Missed(miss(kind, status), Refusal::upstream_failed().because(cause))
}

fn miss(kind: Option<FaultKind>, status: u16) -> Miss {
    match kind {
        Some(FaultKind::ContextTooLong) => Miss::ContextTooLong,
        Some(FaultKind::ContentPolicy) => Miss::ContentPolicy,
        _ => Miss::of_status(status),
    }
}

pub(crate) fn of_refusal(refusal: Refusal) -> Failed {
    let miss = match (refusal.blame(), refusal.code(), refusal.status()) {
        (Blame::Upstream, _, 504) => Miss::Timeout,
        (Blame::Upstream, ..) => Miss::Connect,
        (
            _,
            code::SPEND_LIMIT | code::POLICY_LIMIT | code::NO_CREDITS | code::NO_CREDITS_ON_REST | code::CREDIT_RATE,
            _,
        ) => Miss::SpendLimited,
        (_, code::RATE_LIMITED, _) if refusal.is_of_target() => Miss::RateLimited,
        // Of this target, since what every target needs was read before any was tried.
        (_, code::NO_SUCH_KEY | code::NO_KEY, _) => Miss::Unusable,
        (Blame::Gateway, code::UNAUTHORIZED, _) => Miss::Unusable,
        (_, code::INVALID_PROVIDER | code::NO_MODEL | code::BAD_REQUEST | code::POLICY_BLOCK, _) => Miss::Unusable,
        _ => return Failed::Refused(refusal),
    };
    Failed::Missed(miss, refusal)
}

/// `None` when it did not come to its end.
async fn gather(mut body: Incoming) -> Option<Bytes> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame.ok()?.into_data() {
            read.extend_from_slice(&bytes);
        }
        if read.len() > ERROR_BYTES_MAX {
            return None;
        }
    }
    Some(read.freeze())
}
