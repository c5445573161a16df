//! Single flight: identical requests that may be cached ask the provider once.
//!
//! Enters: a cache key. Leaves: the lead, or a place behind the one who has it, who is followed byte for byte while the answer arrives.
//! Never: lets all waiters loose at once when a leader fails: the next one takes the lead. An answer that may not be shared releases everyone.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use ahash::RandomState;
use bytes::Bytes;
use hashbrown::HashMap;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use parking_lot::Mutex;
use tollgate_model::Moment;
use tollgate_rules::cache_key::Key;
use tollgate_rules::cacheable::BODY_BYTES_MAX;
use tollgate_wire::frame::Framing;

#[derive(Default)]
pub(crate) struct Fills {
    open: Arc<Mutex<HashMap<Key, Arc<Fill>, RandomState>>>,
}

struct Fill {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    phase: Phase,
    head: Option<Arc<Shown>>,
    pieces: Vec<Piece>,
    bytes: u64,
    wakers: Vec<Waker>,
    followers: usize,
}

/// The head that followers are shown.
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
}

impl Shown {
    pub(crate) fn is_stream(&self) -> bool {
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        content_type.and_then(Framing::of).is_some()
    }
}

#[derive(Clone)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    /// Since the answer's head.
    pub(crate) offset_us: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Asking,
    Flowing,
    Whole,
    /// The leader failed or left; whoever waits for a head may lead.
    Failed,
    /// There is an answer, and it may not be shared.
    Declined,
}

pub(crate) enum Entered {
    Lead(Leader),
    Follow(Follower),
}

pub(crate) struct Leader {
    fills: Arc<Mutex<HashMap<Key, Arc<Fill>, RandomState>>>,
    fill: Arc<Fill>,
    key: Key,
    began: Moment,
}

pub(crate) struct Follower {
    fill: Arc<Fill>,
    read: usize,
}

/// What the one who waits for a head is told.
pub(crate) enum Waited {
    Head(Arc<Shown>),
    /// Ask again: perhaps to lead.
    Failed,
    /// Go alone.
    Declined,
}

/// What the one who follows a body is told.
pub(crate) enum Next {
    Piece(Bytes),
    End,
    Broken,
}

// === impl Fills ===

impl Fills {
    pub(crate) fn enter(&self, key: Key, now: Moment) -> Entered {
        let mut open = self.open.lock();
        if let Some(fill) = open.get(&key) {
            fill.state.lock().followers += 1;
            return Entered::Follow(Follower { fill: fill.clone(), read: 0 });
        }
        let fill = Arc::new(Fill { state: Mutex::default() });
        open.insert(key, fill.clone());
        Entered::Lead(Leader { fills: self.open.clone(), fill, key, began: now })
    }

    pub(crate) fn len(&self) -> usize {
        self.open.lock().len()
    }
}

// === impl Leader ===

impl Leader {
    pub(crate) fn begin(&mut self, status: u16, headers: HeaderMap, now: Moment) {
        self.began = now;
        self.change(|state| {
            state.head = Some(Arc::new(Shown { status, headers }));
            state.phase = Phase::Flowing;
        });
    }

    pub(crate) fn push(&self, bytes: &Bytes, now: Moment) {
        let offset_us = now.micros_since(self.began);
        self.change(|state| {
            state.bytes += bytes.len() as u64;
            if state.bytes > BODY_BYTES_MAX {
                // Too large to keep for others: those who follow are cut off rather than shown less than they think.
                state.phase = Phase::Failed;
                state.pieces = Vec::new();
            }
            if state.phase == Phase::Flowing {
                state.pieces.push(Piece { bytes: bytes.clone(), offset_us });
            }
        });
    }

    pub(crate) fn decline(self) {
        self.change(|state| state.phase = Phase::Declined);
    }

    /// The whole answer, for the cache; `None` when it grew too large. The caller puts it away before it drops the lead, so that no one
    /// finds neither the answer nor its leader.
    pub(crate) fn finish(&self) -> Option<(Arc<Shown>, Vec<Piece>)> {
        let mut state = self.fill.state.lock();
        if state.phase != Phase::Flowing {
            return None;
        }
        state.phase = Phase::Whole;
        wake(&mut state);
        Some((state.head.clone()?, state.pieces.clone()))
    }

    /// Somebody waits for this answer besides the one who asked first.
    pub(crate) fn is_followed(&self) -> bool {
        self.fill.state.lock().followers > 0
    }

    /// Ready when nobody follows any longer.
    pub(crate) fn poll_deserted(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.fill.state.lock();
        if state.followers == 0 { Poll::Ready(()) } else { park(&mut state, cx) }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.fill.state.lock();
        change(&mut state);
        wake(&mut state);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.fills.lock().remove(&self.key);
        self.change(|state| {
            if matches!(state.phase, Phase::Asking | Phase::Flowing) {
                state.phase = Phase::Failed;
            }
        });
    }
}

fn wake(state: &mut State) {
    state.wakers.drain(..).for_each(Waker::wake);
}

// === impl Follower ===

impl Follower {
    pub(crate) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Waited> {
        let mut state = self.fill.state.lock();
        match (state.phase, &state.head) {
            (Phase::Declined, _) => Poll::Ready(Waited::Declined),
            (Phase::Failed, _) => Poll::Ready(Waited::Failed),
            (_, Some(head)) => Poll::Ready(Waited::Head(head.clone())),
            _ => park(&mut state, cx),
        }
    }

    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let mut state = self.fill.state.lock();
        if let Some(piece) = state.pieces.get(self.read) {
            self.read += 1;
            return Poll::Ready(Next::Piece(piece.bytes.clone()));
        }
        match state.phase {
            Phase::Whole => Poll::Ready(Next::End),
            Phase::Flowing | Phase::Asking => park(&mut state, cx),
            Phase::Failed | Phase::Declined => Poll::Ready(Next::Broken),
        }
    }
}

fn park<T>(state: &mut State, cx: &Context<'_>) -> Poll<T> {
    if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
        state.wakers.push(cx.waker().clone());
    }
    Poll::Pending
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut state = self.fill.state.lock();
        state.followers -= 1;
        if state.followers == 0 {
            wake(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    fn lead(fills: &Fills) -> Leader {
        match fills.enter([1; 32], Moment::default()) {
            Entered::Lead(leader) => leader,
            Entered::Follow(_) => panic!("expected the lead"),
        }
    }

    fn follow(fills: &Fills) -> Follower {
        match fills.enter([1; 32], Moment::default()) {
            Entered::Follow(follower) => follower,
            Entered::Lead(_) => panic!("expected to follow"),
        }
    }

    #[tokio::test]
    async fn a_late_joiner_gets_the_prefix_and_then_the_rest() {
        let fills = Fills::default();
        let mut leader = lead(&fills);
        leader.begin(200, HeaderMap::new(), Moment::default());
        leader.push(&Bytes::from_static(b"one "), Moment::default());
        let mut follower = follow(&fills);
        assert!(matches!(poll_fn(|cx| follower.poll_head(cx)).await, Waited::Head(_)));
        let reading = tokio::spawn(async move {
            let mut read = Vec::new();
            while let Next::Piece(bytes) = poll_fn(|cx| follower.poll_next(cx)).await {
                read.extend_from_slice(&bytes);
            }
            read
        });
        tokio::task::yield_now().await;
        leader.push(&Bytes::from_static(b"two"), Moment::default());
        assert!(leader.finish().is_some_and(|(_, pieces)| pieces.len() == 2));
        drop(leader);
        assert_eq!(reading.await.unwrap_or_default(), b"one two");
        assert_eq!(fills.len(), 0);
    }

    #[tokio::test]
    async fn when_a_leader_fails_the_next_one_leads() {
        let fills = Fills::default();
        let leader = lead(&fills);
        let mut follower = follow(&fills);
        drop(leader);
        assert!(matches!(poll_fn(|cx| follower.poll_head(cx)).await, Waited::Failed));
        drop(lead(&fills));
    }

    #[tokio::test]
    async fn an_answer_that_may_not_be_shared_releases_everyone() {
        let fills = Fills::default();
        let leader = lead(&fills);
        let mut follower = follow(&fills);
        leader.decline();
        assert!(matches!(poll_fn(|cx| follower.poll_head(cx)).await, Waited::Declined));
    }
}
