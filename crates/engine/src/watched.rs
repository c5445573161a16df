//! Gives up an answer that its caller has stopped reading, where the connection itself does not tell.
//!
//! Enters: a body for a caller who speaks HTTP/2. Leaves: the same body. Never: touches a body that waits for its provider.
//!
//! Over HTTP/1 an unread answer stops the connection's writes, which are timed. Over HTTP/2 only the stream's window closes: nothing waits on the
//! socket, and the body is not even polled, so no deadline of its own can run. Hence somebody else looks after it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::body::BoxError;
use crate::edge::ReplyBody;

pub(crate) struct Watched {
    kept: Arc<Mutex<Kept>>,
    watch: AbortHandle,
}

struct Kept {
    /// `None` once it was given up.
    body: Option<ReplyBody>,
    /// When a piece was handed out, if nobody asked for another one since.
    unread_since: Option<Instant>,
}

impl Watched {
    pub(crate) fn new(body: ReplyBody, patience: Duration) -> Self {
        let kept = Arc::new(Mutex::new(Kept { body: Some(body), unread_since: None }));
        let watch = tokio::spawn(watch(kept.clone(), patience)).abort_handle();
        Self { kept, watch }
    }
}

async fn watch(kept: Arc<Mutex<Kept>>, patience: Duration) {
    loop {
        let since = kept.lock().unread_since.unwrap_or_else(Instant::now);
        tokio::time::sleep_until(since + patience).await;
        let given_up = kept.lock().give_up(patience);
        if given_up.is_some() {
            return;
        }
    }
}

impl Kept {
    fn give_up(&mut self, patience: Duration) -> Option<ReplyBody> {
        let is_left = self.unread_since.is_some_and(|since| since.elapsed() >= patience);
        if is_left { self.body.take() } else { None }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.abort();
        // The task goes when its runtime gets to it; the answer goes now.
        self.kept.lock().body = None;
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut kept = self.kept.lock();
        let Some(body) = &mut kept.body else {
            return Poll::Ready(Some(Err("the answer was not read".into())));
        };
        let polled = Pin::new(body).poll_frame(cx);
        kept.unread_since = polled.is_ready().then(Instant::now);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.kept.lock().body.as_ref().is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.kept.lock().body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}
