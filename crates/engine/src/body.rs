//! The bodies that travel through the engine.
//!
//! Enters and leaves: bytes in frames. Never: holds more than its written bound.

use std::collections::VecDeque;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

/// What flows through turned out longer than is let through.
#[derive(Debug, thiserror::Error)]
#[error("the request body is too large")]
pub(crate) struct TooLarge;

/// What flows through ends because nobody sends the rest of it.
#[derive(Debug, thiserror::Error)]
#[error("the caller left")]
pub(crate) struct CallerLeft;

/// Whether this is among an error's causes.
pub(crate) fn is_because(cause: &(dyn Error + 'static), is: impl Fn(&(dyn Error + 'static)) -> bool) -> bool {
    std::iter::successors(Some(cause), |cause: &&(dyn Error + 'static)| (*cause).source()).any(is)
}

/// Whether a body ended because the one who sent it is gone.
pub(crate) fn is_gone(cause: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let kinds = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof];
    is_because(cause, |cause| cause.downcast_ref::<io::Error>().is_some_and(|cause| kinds.contains(&cause.kind())))
}

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request's body on its way to the provider.
pub(crate) enum Outgoing {
    /// Held in memory: can be sent again.
    Held(Option<Bytes>),
    /// What was read so far, then the rest as it comes: too large to hold, so it is sent once.
    Flow { read: VecDeque<Bytes>, rest: Incoming, length: Option<u64>, left_max: u64 },
}

impl Outgoing {
    pub(crate) fn held(bytes: Bytes) -> Self {
        Self::Held(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Held(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Flow { read, rest, left_max, .. } => {
                let bytes = match read.pop_front() {
                    Some(bytes) => bytes,
                    None => match ready!(Pin::new(rest).poll_frame(cx)) {
                        Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                        Some(Err(cause)) if is_gone(&cause) => return Poll::Ready(Some(Err(CallerLeft.into()))),
                        Some(Err(cause)) => return Poll::Ready(Some(Err(cause.into()))),
                        None => return Poll::Ready(None),
                    },
                };
                *left_max = left_max.checked_sub(bytes.len() as u64).ok_or(TooLarge)?;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Held(bytes) => bytes.is_none(),
            Self::Flow { read, rest, .. } => read.is_empty() && rest.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Held(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Flow { length: Some(length), .. } => SizeHint::with_exact(*length),
            Self::Flow { .. } => SizeHint::default(),
        }
    }
}
