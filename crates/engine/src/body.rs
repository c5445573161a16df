//! The bodies that travel through the engine.
//!
//! Enters and leaves: bytes in frames. Never: holds more than its written bound.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

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
                        Some(frame) => frame?.into_data().unwrap_or_default(),
                        None => return Poll::Ready(None),
                    },
                };
                *left_max = left_max.checked_sub(bytes.len() as u64).ok_or("the request body is too large")?;
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
