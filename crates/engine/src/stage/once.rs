//! Is this a request that was asked before, under the same idempotency key?
//!
//! Enters: a caller, a head and a body that was heard. Leaves: the claim to carry it out, or the answer that the first one had; else a refusal in the
//! caller's own dialect. Never: looks at anything where the header is absent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use tollgate_model::Refusal;
use tollgate_rules::cache_key::Scope;
use tollgate_rules::cacheable;
use tollgate_rules::idempotency::{self, Holder};
use tollgate_store::answers::CachedAnswer;
use tollgate_wire::chat::FaultKind;
use tollgate_wire::headers::CREDENTIALS;

use crate::gate::Gate;
use crate::head::Head;
use crate::once::{Claim, Claimed, Clash};
use crate::stage::admit::{self, Caller};
use crate::stage::hear::Heard;
use crate::stage::told::told;

/// What is to be done with a request that has a key.
pub(crate) enum Turn {
    First(Claim, Bytes),
    Again(Arc<CachedAnswer>),
}

pub(crate) fn is_asked(gate: &Gate, head: &Head) -> bool {
    head.headers().contains_key(&idempotency::HEADER) && !head.method().is_safe() && gate.shared.once.is_on()
}

/// Before the body is heard: is there a key that can be used?
pub(crate) fn key<'a>(caller: &Caller, head: &'a Head) -> Result<&'a [u8], Refusal> {
    let read = idempotency::read(head.method(), head.headers());
    let bad = |what| in_words(caller, head, Refusal::bad_request(what), FaultKind::BadRequest);
    read.map_err(bad)?.ok_or_else(Refusal::internal)
}

pub(crate) async fn turn(gate: &Gate, caller: &Caller, head: &Head, key: &[u8], heard: Heard) -> Result<Turn, Refusal> {
    let Heard::Held(body) = heard else {
        let most = gate.shared.limits.hold_bytes_max;
        let said = format!("the request body is larger than {most} bytes: too much for an idempotency key");
        return Err(in_words(caller, head, Refusal::too_large(said), FaultKind::TooLarge));
    };
    let scope = Scope { account: &caller.snapshot.account, gateway: &caller.gateway.id };
    let token = caller.pass.as_ref().map(|pass| pass.token.id.as_str());
    let (internal_id, credentials) = (caller.gateway.settings.internal_id.as_str(), credentials(caller, head));
    let name = idempotency::name(Holder { scope, internal_id, token, credentials: &credentials }, key);
    let print = idempotency::print(scope, head.method(), head.path_and_query(), head.headers(), &body);
    let clash = |clash| in_words(caller, head, refusal(clash), FaultKind::BadRequest);
    match gate.shared.once.claim(name, print, gate.shared.clock.unix_ms()).await.map_err(clash)? {
        Claimed::First(claim) => Ok(Turn::First(claim, body)),
        Claimed::Told(answer) if cacheable::readable_by(head.headers(), &answer.headers) => Ok(Turn::Again(answer)),
        Claimed::Told(_) => Err(clash(Clash::Other)),
    }
}

/// Of providers: a token stands for itself.
fn credentials<'a>(caller: &Caller, head: &'a Head) -> Vec<&'a [u8]> {
    let own = CREDENTIALS.iter().filter(|name| !caller.spent.contains(name));
    own.flat_map(|name| head.headers().get_all(name)).map(HeaderValue::as_bytes).collect()
}

fn refusal(clash: Clash) -> Refusal {
    match clash {
        Clash::UnderWay => Refusal::under_way(),
        Clash::Other => Refusal::other_request(),
        Clash::Full => Refusal::unavailable("too many requests with idempotency keys at once", Duration::from_secs(1)),
    }
}

fn in_words(caller: &Caller, head: &Head, refusal: Refusal, kind: FaultKind) -> Refusal {
    told(refusal, kind, admit::dialect(&caller.snapshot, head))
}
