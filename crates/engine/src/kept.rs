//! An answer on its way to a caller, collected for later tries with the same idempotency key.
//!
//! Enters: a body, and the claim to its key. Leaves: the same bytes, the last of them when the answer is put away. Never: puts away what broke off,
//! or stops because the caller has left: the next try shall find the answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tollgate_rules::cacheable::BODY_BYTES_MAX;
use tollgate_rules::idempotency;
use tollgate_store::answers::{self, CachedAnswer};
use tollgate_wire::frame::Framing;

use crate::body::BoxError;
use crate::edge::ReplyBody;
use crate::gate::{Gate, Held};
use crate::once::Claim;
use crate::stage::admit::Caller;
use crate::tally::declared_length;

/// Whose answer it is.
pub(crate) struct Owner {
    pub(crate) account: Arc<str>,
    pub(crate) gateway: Arc<str>,
    pub(crate) provider: String,
    pub(crate) model: String,
}

impl Owner {
    pub(crate) fn new(caller: &Caller) -> Self {
        let (account, gateway) = (caller.snapshot.account.clone(), caller.gateway.id.clone());
        Self { account, gateway, provider: String::new(), model: String::new() }
    }
}

pub(crate) struct Kept {
    body: ReplyBody,
    /// Bytes still to come, when the answer declared its length.
    left: Option<u64>,
    state: State,
}

enum State {
    Flowing(Box<Collected>),
    /// The answer is being put away; then this goes out.
    Settling(Pin<Box<dyn Future<Output = ()> + Send>>, Option<Bytes>),
    Done,
}

struct Collected {
    gate: Arc<Gate>,
    claim: Claim,
    owner: Owner,
    status: u16,
    headers: HeaderMap,
    pieces: Vec<Bytes>,
    bytes: u64,
    held: Held,
    /// Too much to be kept: then it is only passed.
    is_too_large: bool,
    /// The caller has left.
    is_alone: bool,
}

/// The same answer. What is there in one piece is put away before this returns.
pub(crate) async fn keep(
    gate: &Arc<Gate>,
    claim: Claim,
    owner: Owner,
    response: Response<ReplyBody>,
) -> Response<ReplyBody> {
    if !idempotency::is_kept(response.status().as_u16()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let left = declared_length(&parts.headers);
    let mut collected = Collected {
        gate: gate.clone(),
        claim,
        owner,
        status: parts.status.as_u16(),
        headers: parts.headers.clone(),
        pieces: Vec::new(),
        bytes: 0,
        held: Held::new(gate.shared.clone()),
        is_too_large: false,
        is_alone: false,
    };
    let body = match body {
        ReplyBody::Whole(bytes) => {
            collected.push(bytes.as_ref().unwrap_or(&Bytes::new()));
            collected.put_away().await;
            ReplyBody::Whole(bytes)
        }
        body => ReplyBody::Kept(Box::new(Kept { body, left, state: State::Flowing(Box::new(collected)) })),
    };
    Response::from_parts(parts, body)
}

// === impl Collected ===

impl Collected {
    fn push(&mut self, bytes: &Bytes) {
        self.bytes += bytes.len() as u64;
        if self.bytes > BODY_BYTES_MAX || !self.held.grow(bytes.len()) {
            self.is_too_large = true;
            self.pieces = Vec::new();
        }
        if !self.is_too_large {
            self.pieces.push(bytes.clone());
        }
    }

    async fn put_away(self) {
        if self.is_too_large {
            return;
        }
        let answer = self.answer();
        self.claim.keep(answer).await;
    }

    fn answer(&self) -> CachedAnswer {
        let content_type = self.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_stream = content_type.and_then(Framing::of).is_some();
        let frame = |piece: &Bytes| answers::Frame { offset_us: 0, len: piece.len() as u32 };
        let body = match &self.pieces[..] {
            [one] => one.clone(),
            many => {
                let mut all = BytesMut::with_capacity(self.bytes as usize);
                many.iter().for_each(|piece| all.extend_from_slice(piece));
                all.freeze()
            }
        };
        CachedAnswer {
            status: self.status,
            headers: self.headers.clone(),
            body,
            frames: if is_stream { self.pieces.iter().map(frame).collect() } else { Vec::new() },
            provider: self.owner.provider.as_str().into(),
            model: self.owner.model.as_str().into(),
            scope: self.owner.account.clone(),
            gateway: self.owner.gateway.clone(),
            usage: None,
            print: None,
            stored_ms: self.gate.shared.clock.unix_ms(),
            expires_ms: 0,
        }
    }
}

// === impl Kept ===

impl Kept {
    /// All of it has come.
    fn end(&mut self, last: Option<Bytes>) {
        let State::Flowing(collected) = std::mem::replace(&mut self.state, State::Done) else { return };
        // Else the claim is dropped here, and the next try really is one.
        if self.body.is_whole() {
            self.state = State::Settling(Box::pin(collected.put_away()), last);
        } else if let Some(last) = last {
            self.state = State::Settling(Box::pin(async {}), Some(last));
        }
    }

    /// What goes out now, and what only when the answer is put away.
    fn take(&mut self, bytes: Bytes) -> Option<Bytes> {
        if let State::Flowing(collected) = &mut self.state {
            collected.push(&bytes);
        }
        let Some(left) = &mut self.left else { return Some(bytes) };
        *left = left.saturating_sub(bytes.len() as u64);
        if *left > 0 {
            return Some(bytes);
        }
        self.end(Some(bytes));
        None
    }
}

impl Body for Kept {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Flowing(_) => match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                    None => this.end(None),
                    Some(Err(cause)) => {
                        this.state = State::Done;
                        return Poll::Ready(Some(Err(cause)));
                    }
                    Some(Ok(frame)) => match frame.into_data() {
                        Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                        Ok(bytes) => {
                            if let Some(bytes) = this.take(bytes) {
                                return Poll::Ready(Some(Ok(Frame::data(bytes))));
                            }
                        }
                    },
                },
                State::Settling(settled, last) => {
                    ready!(settled.as_mut().poll(cx));
                    let last = last.take();
                    this.state = State::Done;
                    return Poll::Ready(last.map(|bytes| Ok(Frame::data(bytes))));
                }
                State::Done => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Done)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The caller left. The answer is read to its end all the same: its provider wants to be paid for all of it, and who comes back shall not pay twice.
impl Drop for Kept {
    fn drop(&mut self) {
        let collects = |state: &State| match state {
            State::Flowing(collected) => !collected.is_too_large && !collected.is_alone,
            State::Settling(..) => true,
            State::Done => false,
        };
        if !collects(&self.state) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        match std::mem::replace(&mut self.state, State::Done) {
            State::Flowing(mut collected) => {
                collected.is_alone = true;
                let body = std::mem::replace(&mut self.body, ReplyBody::Whole(None));
                let mut alone = Self { body, left: self.left, state: State::Flowing(collected) };
                runtime.spawn(async move { while let Some(Ok(_)) = alone.frame().await {} });
            }
            State::Settling(settled, _) => drop(runtime.spawn(settled)),
            State::Done => {}
        }
    }
}
