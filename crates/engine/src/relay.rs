//! Passes an answer's bytes on, and closes the books before the last of them.
//!
//! Enters: a provider's body, or the place behind somebody who is reading one. Leaves: the same bytes.
//! Never: adds a success terminator to an answer that broke off, or lets the last byte go before the record is written.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};
use tollgate_model::record::Outcome;
use tollgate_model::{Refusal, Usage};
use tollgate_wire::chat::Losses;
use tollgate_wire::dialect::Dialect;

use crate::body::BoxError;
use crate::books::{Books, Closed};
use crate::fill::{Follower, Leader, Next};
use crate::gate::Gate;
use crate::stage::cache::Keep;
use crate::stage::translate;
use crate::turned::{BROKEN_OFF, Turned, Unturned};
use crate::upstream::Lease;

pub(crate) struct Relay {
    gate: Arc<Gate>,
    books: Books,
    state: State,
    /// Bytes still to come, when the answer declared its length.
    left: Option<u64>,
    patience: Patience,
    /// How a fault is told in the middle of a stream; `None` where only breaking off can tell it.
    fault: Option<Bytes>,
    /// Nothing goes out before the end, so that a fault can still become a refusal.
    held_back: bool,
    /// What a turned answer has lost, in whose words.
    losses: Option<(Dialect, Losses)>,
    /// It has ended, and well.
    is_whole: bool,
}

enum State {
    Flowing(Source),
    /// The books are being closed; then this goes out.
    Ending(Closed, Last),
    Aborting,
    Done,
}

enum Last {
    Piece(Bytes),
    Nothing,
    /// Break the connection off: the caller must not take this for a whole answer.
    Abort,
}

/// Nearly every answer is the large kind: a box around it would be an allocation for each.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Source {
    Upstream(Upstream),
    Follower(Follower),
}

/// A provider's answer while it arrives.
pub(crate) struct Upstream {
    pub(crate) body: Incoming,
    pub(crate) lease: Option<Lease>,
    pub(crate) share: Option<(Leader, Keep)>,
    /// `None`: the caller hears the provider's own words.
    pub(crate) turned: Option<Box<Turned>>,
}

enum Pulled {
    Data(Bytes),
    Skip,
    End,
    Broken,
}

// === impl Relay ===

impl Relay {
    pub(crate) fn new(gate: Arc<Gate>, books: Books, source: Source, left: Option<u64>, fault: Option<Bytes>) -> Self {
        let limits = gate.shared.limits;
        let patience = Patience::new(limits.answer_idle, limits.total);
        let state = State::Flowing(source);
        Self { gate, books, state, left, patience, fault, held_back: false, losses: None, is_whole: false }
    }

    /// All of the answer has gone out, and nothing in it said that it is not all.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// All of the answer before any of it goes out, and what it has lost in a translation.
    pub(crate) async fn gather(&mut self) -> Result<(Vec<Bytes>, Option<(Dialect, Losses)>), Refusal> {
        self.held_back = true;
        let mut pieces = Vec::with_capacity(1);
        while let Some(frame) = self.frame().await {
            pieces.extend(frame.map_err(|_| broken_off(BROKEN_OFF))?.into_data());
        }
        Ok((pieces, self.losses.take()))
    }

    fn end(&mut self, outcome: Outcome, last: Last) {
        let closed = self.books.close(outcome);
        self.is_whole = closed.is_whole;
        if let State::Flowing(Source::Upstream(upstream)) = std::mem::replace(&mut self.state, State::Done) {
            upstream.end(&self.gate, outcome, closed.usage.clone());
        }
        self.state = State::Ending(closed, last);
    }

    fn broken(&mut self, cause: &str) {
        if self.held_back {
            self.books.refused(&broken_off(cause));
        }
        let frame = match self.turned() {
            None => self.fault.take(),
            // It broke behind the last word: the caller lacks nothing.
            Some(turned) if turned.is_done() => return self.turned_end(),
            Some(turned) => turned.fail(),
        };
        self.note_losses();
        let last = match frame {
            Some(frame) if self.left.is_none() => Last::Piece(frame),
            _ => Last::Abort,
        };
        self.end(Outcome::Truncated, last);
    }

    fn turned(&mut self) -> Option<&mut Turned> {
        match &mut self.state {
            State::Flowing(Source::Upstream(upstream)) => upstream.turned.as_deref_mut(),
            _ => None,
        }
    }

    fn note_losses(&mut self) {
        if let Some(turned) = self.turned() {
            let (caller, losses) = (turned.caller(), turned.losses());
            if !losses.is_empty() {
                self.books.lost(translate::recorded(caller, &losses), losses.more());
            }
            self.losses = Some((caller, losses));
        }
    }

    /// The provider's bytes have ended; what is left to say of them is told now.
    fn turned_end(&mut self) {
        let told = self.turned().map(Turned::end);
        self.note_losses();
        match told {
            None => self.end(Outcome::Complete, Last::Nothing),
            Some(Err(Unturned(cause))) => self.broken(&cause),
            Some(Ok(last)) => {
                if let State::Flowing(Source::Upstream(upstream)) = &self.state {
                    upstream.share(&self.gate, &last.bytes);
                }
                let outcome = if last.complete { Outcome::Complete } else { Outcome::Truncated };
                self.end(outcome, Last::Piece(last.bytes));
            }
        }
    }

    /// What these bytes are for the caller; `None` when they say nothing yet, or cannot be turned at all.
    fn turn(&mut self, bytes: &Bytes) -> Option<Bytes> {
        match self.turned()?.push(bytes) {
            Ok(turned) if turned.is_empty() => None,
            Ok(turned) => Some(turned),
            Err(Unturned(cause)) => {
                self.broken(&cause);
                None
            }
        }
    }

    fn take(&mut self, mut bytes: Bytes) -> Option<Bytes> {
        self.books.passed(&bytes);
        if self.turned().is_some() {
            bytes = self.turn(&bytes)?;
        }
        if let State::Flowing(Source::Upstream(upstream)) = &self.state {
            upstream.share(&self.gate, &bytes);
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(bytes.len() as u64);
            if *left == 0 {
                self.end(Outcome::Complete, Last::Piece(bytes));
                return None;
            }
        }
        Some(bytes)
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Flowing(source) => match this.patience.watch(cx, |cx| source.poll(cx)) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Pulled::Skip) => {}
                    Poll::Ready(Pulled::Broken) => this.broken(BROKEN_OFF),
                    Poll::Ready(Pulled::End) if this.left.is_some_and(|left| left > 0) => this.broken(BROKEN_OFF),
                    Poll::Ready(Pulled::End) => this.turned_end(),
                    Poll::Ready(Pulled::Data(bytes)) => {
                        if let Some(bytes) = this.take(bytes) {
                            return Poll::Ready(Some(Ok(Frame::data(bytes))));
                        }
                    }
                },
                State::Ending(closed, last) => {
                    ready!(Pin::new(closed).poll(cx));
                    let last = std::mem::replace(last, Last::Nothing);
                    this.state = State::Done;
                    match last {
                        Last::Piece(bytes) if bytes.is_empty() => return Poll::Ready(None),
                        Last::Piece(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                        Last::Nothing => return Poll::Ready(None),
                        // After what is underway: the error makes hyper drop the connection with all it has not written yet.
                        Last::Abort => {
                            this.state = State::Aborting;
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                    }
                }
                State::Aborting => {
                    this.state = State::Done;
                    return Poll::Ready(Some(Err(BROKEN_OFF.into())));
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

fn broken_off(cause: &str) -> Refusal {
    Refusal::upstream_failed().because(cause)
}

/// The caller left. If others follow this answer it is read to its end for them, and on this request's account, since the provider wants to be paid
/// for all of it; the provider is let go otherwise.
impl Drop for Relay {
    fn drop(&mut self) {
        if let State::Flowing(Source::Upstream(upstream)) = std::mem::replace(&mut self.state, State::Done)
            && upstream.share.as_ref().is_some_and(|(leader, _)| leader.is_followed())
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(upstream.drain(self.gate.clone(), self.books.hand_on()));
        }
    }
}

// === impl Source ===

impl Source {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Pulled> {
        match self {
            Self::Upstream(upstream) => upstream.poll(cx),
            Self::Follower(follower) => follower.poll_next(cx).map(|next| match next {
                Next::Piece(bytes) => Pulled::Data(bytes),
                Next::End => Pulled::End,
                Next::Broken => Pulled::Broken,
            }),
        }
    }
}

// === impl Upstream ===

impl Upstream {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Pulled> {
        Poll::Ready(match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            // Trailers say nothing that a provider of ours needs said.
            Some(Ok(frame)) => frame.into_data().map_or(Pulled::Skip, Pulled::Data),
            Some(Err(_)) => Pulled::Broken,
            None => Pulled::End,
        })
    }

    fn share(&self, gate: &Gate, bytes: &Bytes) {
        if let Some((leader, _)) = self.share.as_ref().filter(|_| !bytes.is_empty()) {
            leader.push(bytes, gate.shared.clock.now());
        }
    }

    fn end(self, gate: &Gate, outcome: Outcome, usage: Option<Usage>) {
        if outcome != Outcome::Complete {
            return;
        }
        if let Some(lease) = self.lease {
            lease.give_back();
        }
        if let Some((leader, keep)) = self.share
            && let Some((shown, pieces)) = leader.finish()
        {
            let now_ms = gate.shared.clock.unix_ms();
            let (key, answer) = keep.answer(&shown, &pieces, usage, now_ms);
            gate.shared.answers.put(key, Arc::new(answer), now_ms);
        }
    }

    /// Reads on for those who follow, after the one who asked has left.
    async fn drain(mut self, gate: Arc<Gate>, mut books: Books) {
        let limits = gate.shared.limits;
        let mut patience = Patience::new(limits.answer_idle, limits.total);
        loop {
            match std::future::poll_fn(|cx| patience.watch(cx, |cx| self.poll_for_others(cx))).await {
                Pulled::Data(bytes) => {
                    books.passed(&bytes);
                    match self.turned.as_mut().map(|turned| turned.push(&bytes)) {
                        None => self.share(&gate, &bytes),
                        Some(Ok(bytes)) => self.share(&gate, &bytes),
                        Some(Err(_)) => return,
                    }
                }
                Pulled::Skip => {}
                Pulled::End => {
                    match self.turned.as_mut().map(|turned| turned.end()) {
                        None => {}
                        Some(Ok(last)) if last.complete => self.share(&gate, &last.bytes),
                        Some(_) => return,
                    }
                    let usage = books.close(Outcome::Cancelled).usage.clone();
                    return self.end(&gate, Outcome::Complete, usage);
                }
                Pulled::Broken => return,
            }
        }
    }

    fn poll_for_others(&mut self, cx: &mut Context<'_>) -> Poll<Pulled> {
        let deserted = self.share.as_ref().is_none_or(|(leader, _)| leader.poll_deserted(cx).is_ready());
        if deserted { Poll::Ready(Pulled::Broken) } else { self.poll(cx) }
    }
}

/// Waits for the next piece, but not for ever: between two pieces, and for all of them together.
struct Patience {
    idle: Duration,
    total: Duration,
    /// Known from the first wait on.
    until: Option<Instant>,
    /// Made at the first wait: many answers never wait. Moved only when it fires, because moving a timer for each piece of a stream costs more
    /// than looking at the clock.
    sleep: Option<Pin<Box<Sleep>>>,
    waiting_since: Option<Instant>,
}

impl Patience {
    fn new(idle: Duration, total: Duration) -> Self {
        Self { idle, total, until: None, sleep: None, waiting_since: None }
    }

    fn watch(&mut self, cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<Pulled>) -> Poll<Pulled> {
        let pulled = poll(cx);
        if pulled.is_ready() {
            self.waiting_since = None;
            return pulled;
        }
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let until = *self.until.get_or_insert(since + self.total);
        let deadline = (since + self.idle).min(until);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        while sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(Pulled::Broken);
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

/// A fault in the middle of a stream, as a client of this dialect reads one. Nothing that looks like success follows it.
pub(crate) fn fault_frame(dialect: Dialect) -> Option<Bytes> {
    const OPENAI: &[u8] = b"\n\ndata: {\"error\":{\"message\":\"the provider broke its answer off\",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_truncated\"}}\n\n";
    const ANTHROPIC: &[u8] = b"\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"the provider broke its answer off\"}}\n\n";
    const RESPONSES: &[u8] = b"\n\nevent: error\ndata: {\"type\":\"error\",\"code\":\"upstream_truncated\",\"message\":\"the provider broke its answer off\",\"param\":null,\"sequence_number\":2147483647}\n\n";
    const GEMINI: &[u8] = b"\n\ndata: {\"error\":{\"code\":502,\"message\":\"the provider broke its answer off\",\"status\":\"UNAVAILABLE\"}}\n\n";
    const OLLAMA: &[u8] = b"\n{\"error\":\"the provider broke its answer off\"}\n";
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::WorkersAi | Dialect::Huggingface => {
            Some(Bytes::from_static(OPENAI))
        }
        Dialect::AnthropicMessages => Some(Bytes::from_static(ANTHROPIC)),
        Dialect::OpenaiResponses => Some(Bytes::from_static(RESPONSES)),
        Dialect::Gemini => Some(Bytes::from_static(GEMINI)),
        Dialect::OllamaChat => Some(Bytes::from_static(OLLAMA)),
        _ => None,
    }
}
