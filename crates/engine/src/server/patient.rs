//! Ends a connection whose caller neither speaks nor listens, where the HTTP library would wait for ever.
//!
//! Enters: a connection's bytes, both ways. Leaves: the same bytes, or an error when patience ran out. Never: sets a timer while bytes flow.
//!
//! hyper's own read time-out begins only when it has seen whether HTTP/1 or HTTP/2 is spoken: a caller that opens a connection and says nothing, or
//! the beginning of HTTP/2's preface, would not be timed. And it has none for writing: while a caller does not read, the answer's body is not even
//! polled, so its deadlines do not run either.
//!
//! Closing while bytes are unread makes the kernel reset the connection, and the caller may lose the answer it was just given (a 413 to a body
//! that is still coming). So what comes is read and forgotten for a moment, as RFC 9112, section 9.6 advises.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a caller may go on sending after it was told no.
const LINGER: Duration = Duration::from_secs(2);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) struct Patient<T> {
    io: T,
    /// Until it is clear which protocol is spoken.
    opening: Option<Opening>,
    writing: Wait,
    closing: Closing,
}

enum Closing {
    Not,
    Said,
    Lingers(Pin<Box<Sleep>>),
}

struct Opening {
    /// So much of HTTP/2's preface came, and nothing else.
    matched: usize,
    wait: Wait,
}

/// A deadline that is set when waiting begins, and forgotten when it ends.
struct Wait {
    patience: Duration,
    waits: bool,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<T> Patient<T> {
    pub(super) fn new(io: T, opening: Duration, writing: Duration) -> Self {
        let opening = Opening { matched: 0, wait: Wait::new(opening) };
        Self { io, opening: Some(opening), writing: Wait::new(writing), closing: Closing::Not }
    }
}

impl Opening {
    /// Whether it is still open what is spoken.
    fn goes_on(&mut self, fresh: &[u8]) -> bool {
        let goes_on = !fresh.is_empty() && PREFACE[self.matched..].starts_with(fresh);
        self.matched += fresh.len();
        goes_on && self.matched < PREFACE.len()
    }
}

impl Wait {
    fn new(patience: Duration) -> Self {
        Self { patience, waits: false, sleep: None }
    }

    fn over(&mut self) {
        self.waits = false;
    }

    fn poll<R>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        let patience = self.patience;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(patience)));
        if !std::mem::replace(&mut self.waits, true) {
            sleep.as_mut().reset(Instant::now() + patience);
        }
        sleep.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn watch<R>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if polled.is_pending() {
            return self.poll(cx);
        }
        self.over();
        polled
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        let Some(opening) = &mut self.opening else { return polled };
        if polled.is_pending() {
            return opening.wait.poll(cx);
        }
        if !opening.goes_on(&buffer.filled()[before..]) {
            self.opening = None;
        }
        polled
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.writing.watch(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.writing.watch(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if matches!(this.closing, Closing::Not) {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
            this.closing = Closing::Said;
        }
        let mut forgotten = [MaybeUninit::uninit(); 4096];
        loop {
            let mut buffer = ReadBuf::uninit(&mut forgotten);
            match (Pin::new(&mut this.io).poll_read(cx, &mut buffer), &mut this.closing) {
                (Poll::Ready(Ok(())), _) if buffer.filled().is_empty() => return Poll::Ready(Ok(())),
                (Poll::Ready(Err(_)), _) => return Poll::Ready(Ok(())),
                // Nothing was unread: that is how connections usually end.
                (Poll::Pending, Closing::Not | Closing::Said) => return Poll::Ready(Ok(())),
                (Poll::Pending, Closing::Lingers(end)) => return end.as_mut().poll(cx).map(Ok),
                (Poll::Ready(Ok(())), Closing::Not | Closing::Said) => {
                    this.closing = Closing::Lingers(Box::pin(sleep(LINGER)));
                }
                (Poll::Ready(Ok(())), Closing::Lingers(end)) => {
                    if Instant::now() >= end.deadline() {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}
