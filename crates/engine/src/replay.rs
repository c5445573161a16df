//! Tells a remembered stream again, with the gaps of the first time.
//!
//! Enters: the pieces of a cached answer. Leaves: the same pieces, each at its time. Never: waits longer than was recorded.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep};
use tollgate_model::record::Outcome;
use tollgate_store::answers::CachedAnswer;

use crate::body::BoxError;
use crate::books::{Books, Closed};

pub(crate) struct Replay {
    answer: Arc<CachedAnswer>,
    next: usize,
    offset: usize,
    began: Instant,
    sleep: Pin<Box<Sleep>>,
    books: Books,
    closing: Option<Closed>,
}

impl Replay {
    pub(crate) fn new(answer: Arc<CachedAnswer>, books: Books) -> Self {
        let began = Instant::now();
        Self {
            answer,
            next: 0,
            offset: 0,
            began,
            sleep: Box::pin(tokio::time::sleep_until(began)),
            books,
            closing: None,
        }
    }

    /// The piece that is due now, if there is one left.
    fn piece(&mut self) -> Option<Bytes> {
        let frame = self.answer.frames.get(self.next)?;
        let end = (self.offset + frame.len as usize).min(self.answer.body.len());
        let piece = self.answer.body.slice(self.offset..end);
        (self.next, self.offset) = (self.next + 1, end);
        Some(piece)
    }
}

impl Body for Replay {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Some(frame) = this.answer.frames.get(this.next) {
            let due = this.began + Duration::from_micros(frame.offset_us);
            if this.sleep.deadline() != due {
                this.sleep.as_mut().reset(due);
            }
            ready!(this.sleep.as_mut().poll(cx));
            return Poll::Ready(this.piece().map(|piece| Ok(Frame::data(piece))));
        }
        let closing = this.closing.get_or_insert_with(|| this.books.close(Outcome::Complete));
        ready!(Pin::new(closing).poll(cx));
        Poll::Ready(None)
    }
}
