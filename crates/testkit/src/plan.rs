//! What the sandbox will do with one request, decided before the first byte of the answer is written.
//!
//! Enters: a status, headers, frames with the silence before each, and how it ends. Leaves: one `Plan`, performed by `http::perform`.
//! Never: writes or waits by itself. Frames are an iterator, so a body of ten gigabytes is a plan of a few words.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

/// A stalled connection is kept this long at most, then closed: silence must not outlive the test or the visitor it was meant for.
pub const STALL_MAX: Duration = Duration::from_secs(600);

/// One answer, from its first silence to how the connection is left.
pub struct Plan {
    /// Silence before the first byte.
    pub wait: Duration,
    pub status: u16,
    /// In the order written, spelled as written.
    pub headers: Vec<(String, Vec<u8>)>,
    pub framing: Framing,
    pub frames: Frames,
    pub ending: Ending,
}

pub type Frames = Box<dyn Iterator<Item = Frame> + Send>;

/// Bytes that leave together, after a silence.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    pub wait: Duration,
    pub bytes: Bytes,
}

/// How the receiver is told where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `content-length`, right or wrong: it is sent as said.
    Length(u64),
    /// `transfer-encoding: chunked`, one chunk a frame.
    Chunked,
    /// The end of the connection is the end of the body.
    UntilClose,
    /// No head is written: the frames are the bytes on the wire, status line and all.
    Raw,
}

/// What happens after the last frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The body ends as its framing says, and the connection takes the next request.
    Clean,
    /// The connection is closed in order (FIN) wherever the body stands.
    Cut,
    /// The connection is torn down (RST where the transport has one).
    Reset,
    /// Nothing more is said, for [`STALL_MAX`] at most.
    Stall,
}

// === impl Plan ===

impl Plan {
    /// A body known from its beginning, with the right `content-length`.
    pub fn whole(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let bytes = body.into();
        let framing = Framing::Length(bytes.len() as u64);
        let frames = std::iter::once(Frame::now(bytes)).filter(|frame| !frame.bytes.is_empty());
        Self::new(status, framing, frames).header("content-type", content_type)
    }

    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::whole(status, "application/json", body)
    }

    /// A chunked body, one chunk for each frame.
    pub fn stream(content_type: &str, frames: impl Iterator<Item = Frame> + Send + 'static) -> Self {
        Self::new(200, Framing::Chunked, frames).header("content-type", content_type)
    }

    /// Exactly these bytes and then the end of the connection: recorded answers, and what no HTTP writer would write.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::new(0, Framing::Raw, std::iter::once(Frame::now(bytes))).ending(Ending::Cut)
    }

    pub fn new(status: u16, framing: Framing, frames: impl Iterator<Item = Frame> + Send + 'static) -> Self {
        let (wait, headers) = (Duration::ZERO, Vec::new());
        Self { wait, status, headers, framing, frames: Box::new(frames), ending: Ending::Clean }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Says the body's length in another way than the constructor did.
    #[must_use]
    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Adds silence before the first byte.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.wait += wait;
        self
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Plan({}, {:?}, then {:?})", self.status, self.framing, self.ending)
    }
}

// === impl Frame ===

impl Frame {
    pub fn now(bytes: impl Into<Bytes>) -> Self {
        Self { wait: Duration::ZERO, bytes: bytes.into() }
    }

    pub fn after(wait: Duration, bytes: impl Into<Bytes>) -> Self {
        Self { wait, bytes: bytes.into() }
    }
}
