//! Is there an answer already, or is somebody fetching it?
//!
//! Enters: a step. Leaves: a remembered answer, an answer under way, the lead in fetching one, or nothing. Never: spends anything: a hit costs
//! no unit of the rate limit and no budget.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tollgate_model::{Refusal, Usage};
use tollgate_rules::cache_key::{self, Asked, Key, Scope};
use tollgate_rules::cacheable;
use tollgate_rules::options::{Options, StreamCache};
use tollgate_store::answers::{AnswerKey, CachedAnswer, Frame, Lookup};

use crate::fill::{Entered, Follower, Leader, Piece, Shown, Waited};
use crate::gate::Gate;
use crate::head::Head;
use crate::stage::admit::Caller;
use crate::stage::plan::Step;

pub(crate) enum Looked {
    /// Caching does not apply.
    Off,
    /// Caching applies, but this request goes alone.
    Alone,
    Hit(Arc<CachedAnswer>),
    Follow(Follower, Arc<Shown>),
    Lead(Leader, Keep),
}

/// How the answer will be put away.
pub(crate) struct Keep {
    key: Key,
    ttl_ms: u64,
    pub(crate) streams: StreamCache,
    account: Arc<str>,
    gateway: Arc<str>,
    provider: Arc<str>,
    model: Arc<str>,
}

/// How many leaders may fail before a waiter gives up on sharing.
const LEADERS_MAX: usize = 8;

pub(crate) async fn find(
    gate: &Gate,
    caller: &Caller,
    head: &Head,
    step: &Step,
    options: &Options,
) -> Result<Looked, Refusal> {
    let wish = &options.cache;
    let Some(body) = step.body.held().filter(|_| wish.applies() && step.method != Method::HEAD) else {
        return Ok(Looked::Off);
    };
    if wish.skip || (step.streamed && wish.streams == StreamCache::Off) {
        return Ok(if wish.skip { Looked::Alone } else { Looked::Off });
    }
    let key = key(caller, head, step, body, wish.key.as_deref());
    let readable = |answer: &HeaderMap| cacheable::readable_by(step.asking(head), answer);
    for _ in 0..LEADERS_MAX {
        if let Some(answer) = remembered(gate, &key).await {
            return Ok(if readable(&answer.headers) { Looked::Hit(answer) } else { Looked::Alone });
        }
        match gate.shared.fills.enter(key, gate.shared.clock.now()) {
            // A leader may have put its answer away and left between the look and the entering.
            Entered::Lead(leader) => match remembered(gate, &key).await {
                Some(answer) if readable(&answer.headers) => return Ok(Looked::Hit(answer)),
                _ => return Ok(Looked::Lead(leader, keep(caller, step, options, key))),
            },
            Entered::Follow(mut follower) => {
                let waited =
                    tokio::time::timeout(gate.shared.limits.first_byte, poll_fn(|cx| follower.poll_head(cx))).await;
                match waited.map_err(|_| Refusal::upstream_timeout())? {
                    Waited::Head(shown) if readable(&shown.headers) => return Ok(Looked::Follow(follower, shown)),
                    Waited::Head(_) => return Ok(Looked::Alone),
                    Waited::Declined => return Ok(Looked::Alone),
                    Waited::Failed => {}
                }
            }
        }
    }
    Ok(Looked::Alone)
}

async fn remembered(gate: &Gate, key: &Key) -> Option<Arc<CachedAnswer>> {
    match gate.shared.answers.get(&AnswerKey(*key), gate.shared.clock.unix_ms()) {
        Lookup::Hit(answer) => Some(answer),
        Lookup::Miss => None,
        Lookup::Elsewhere(fetch) => fetch.await,
    }
}

fn key(caller: &Caller, head: &Head, step: &Step, body: &Bytes, custom: Option<&str>) -> Key {
    let scope = Scope { account: &caller.snapshot.account, gateway: &caller.gateway.id };
    if let Some(custom) = custom {
        return cache_key::custom(scope, custom, step.streamed);
    }
    let names = step.row.credential_headers();
    let credential = names.iter().find_map(|name| own_credential(caller, step.asking(head), name));
    let asked = Asked {
        method: step.method.as_str(),
        provider: step.row.segment(),
        path_and_query: &step.target.path_and_query,
        credential: credential.map_or(&[], HeaderValue::as_bytes),
        body,
    };
    match step.foreign.as_deref() {
        None => cache_key::exact(scope, asked),
        // The same question in other words has the answer in other words.
        Some(foreign) => {
            let words = if foreign.enveloped { "envelope" } else { foreign.told.name() };
            cache_key::told(scope, Asked { body: &foreign.asked, ..asked }, words)
        }
    }
}

fn own_credential<'a>(caller: &Caller, headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    headers.get(name).filter(|_| !caller.spent.contains(name))
}

fn keep(caller: &Caller, step: &Step, options: &Options, key: Key) -> Keep {
    Keep {
        key,
        ttl_ms: options.cache.ttl_s * 1_000,
        streams: options.cache.streams,
        account: caller.snapshot.account.clone(),
        gateway: caller.gateway.id.clone(),
        provider: step.row.name().clone(),
        model: step.model.as_str().into(),
    }
}

impl Keep {
    /// The answer as it is remembered. Every piece of a stream keeps its time.
    pub(crate) fn answer(
        self,
        shown: &Shown,
        pieces: &[Piece],
        usage: Option<Usage>,
        now_ms: u64,
    ) -> (AnswerKey, CachedAnswer) {
        let body = match pieces {
            [one] => one.bytes.clone(),
            many => many
                .iter()
                .fold(BytesMut::new(), |mut all, piece| {
                    all.extend_from_slice(&piece.bytes);
                    all
                })
                .freeze(),
        };
        let frame = |piece: &Piece| Frame { offset_us: piece.offset_us, len: piece.bytes.len() as u32 };
        let frames = if shown.is_stream() { pieces.iter().map(frame).collect() } else { Vec::new() };
        let answer = CachedAnswer {
            status: shown.status,
            headers: shown.headers.clone(),
            body,
            frames,
            provider: self.provider,
            model: self.model,
            scope: self.account,
            gateway: self.gateway,
            usage,
            print: None,
            stored_ms: now_ms,
            expires_ms: now_ms + self.ttl_ms,
        };
        (AnswerKey(self.key), answer)
    }
}
