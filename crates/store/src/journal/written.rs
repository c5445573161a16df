//! The moment from which a record can no longer be lost by the process dying.
//!
//! Enters: the outcome of one write(2) for many frames. Leaves: one future per frame.
//! Never: allocates per frame: all frames of one write share a batch.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

/// The journal could not take the record: its disk is full or failing, or the buffer in front of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal could not write the record")]
pub struct Lost;

/// Resolves once the record is in the operating system's hands, or is known never to be. Dropping it changes nothing: the record is written anyway.
#[derive(Debug)]
pub struct Written {
    /// `None`: refused at once.
    batch: Option<Arc<Batch>>,
    /// Where the frame ends in its batch.
    end: usize,
    slot: Option<usize>,
}

/// Frames that are written together.
#[derive(Debug)]
pub(crate) struct Batch {
    /// How many bytes of whole frames were accepted; `PENDING` until that is known.
    accepted: AtomicUsize,
    wakers: Mutex<Vec<Waker>>,
}

const PENDING: usize = usize::MAX;

// === impl Written ===

impl Written {
    pub(crate) fn lost() -> Self {
        Self { batch: None, end: 0, slot: None }
    }

    pub(crate) fn after(batch: Arc<Batch>, end: usize) -> Self {
        Self { batch: Some(batch), end, slot: None }
    }

    /// What is known now.
    pub fn outcome(&self) -> Option<Result<(), Lost>> {
        let Some(batch) = &self.batch else { return Some(Err(Lost)) };
        match batch.accepted.load(Ordering::Acquire) {
            PENDING => None,
            accepted if self.end <= accepted => Some(Ok(())),
            _ => Some(Err(Lost)),
        }
    }
}

impl Future for Written {
    type Output = Result<(), Lost>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.outcome() {
            return Poll::Ready(outcome);
        }
        let Some(batch) = self.batch.clone() else { return Poll::Ready(Err(Lost)) };
        let mut wakers = batch.wakers.lock();
        // Looked at again under the lock: `resolve` takes it before it wakes.
        if let Some(outcome) = self.outcome() {
            return Poll::Ready(outcome);
        }
        match self.slot {
            Some(slot) => wakers[slot].clone_from(context.waker()),
            None => {
                self.slot = Some(wakers.len());
                wakers.push(context.waker().clone());
            }
        }
        Poll::Pending
    }
}

// === impl Batch ===

impl Batch {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { accepted: AtomicUsize::new(PENDING), wakers: Mutex::default() })
    }

    pub(crate) fn resolve(&self, accepted: usize) {
        self.accepted.store(accepted, Ordering::Release);
        let wakers = std::mem::take(&mut *self.wakers.lock());
        wakers.into_iter().for_each(Waker::wake);
    }
}
