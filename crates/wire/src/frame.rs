//! Cuts a byte stream into the frames its content type promises.
//!
//! Enters: bytes, split anywhere. Leaves: whole frames, in order.
//! Never: reads a socket, looks inside a frame, or holds more than [`FRAME_BYTES_MAX`] of one.

/// A longer frame is skipped and counted: nothing we want to know is worth more memory than this.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

mod aws_events;
mod bounded;
mod lines;
mod ndjson;
mod sse;

pub use aws_events::{AwsEvents, Message, write_message};
pub use ndjson::Ndjson;
pub use sse::Sse;

/// How a streamed answer is cut into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// Amazon's binary event stream.
    AwsEvents,
    /// One JSON value a line.
    Ndjson,
}

/// One piece of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// `kind` is what the framing itself calls it; empty when it does not.
    Whole { kind: &'a [u8], data: &'a [u8] },
    /// The framing itself reports an error.
    Fault { kind: &'a [u8], data: &'a [u8] },
    /// The end of a frame that was longer than [`FRAME_BYTES_MAX`].
    Tail { kind: &'a [u8], data: &'a [u8] },
    /// A frame whose checksum is wrong, or bytes that are no frame.
    Broken,
}

/// Cuts by whichever framing it was made for.
#[derive(Debug)]
pub enum Frames {
    Sse(Sse),
    AwsEvents(AwsEvents),
    Ndjson(Ndjson),
}

// === impl Frames ===

impl Frames {
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Self::Sse(Sse::default()),
            Framing::AwsEvents => Self::AwsEvents(AwsEvents::default()),
            Framing::Ndjson => Self::Ndjson(Ndjson::default()),
        }
    }

    pub fn push(&mut self, bytes: &[u8], each: impl FnMut(Frame<'_>)) {
        match self {
            Self::Sse(frames) => frames.push(bytes, each),
            Self::AwsEvents(frames) => frames.push(bytes, each),
            Self::Ndjson(frames) => frames.push(bytes, each),
        }
    }

    pub fn finish(&mut self, each: impl FnMut(Frame<'_>)) {
        match self {
            Self::Sse(frames) => frames.finish(each),
            Self::AwsEvents(frames) => frames.finish(each),
            Self::Ndjson(frames) => frames.finish(each),
        }
    }
}

// === impl Framing ===

impl Framing {
    /// `None` for an answer that comes in one piece.
    pub fn of(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        if is("text/event-stream") {
            Some(Self::Sse)
        } else if is("application/vnd.amazon.eventstream") {
            Some(Self::AwsEvents)
        } else if NDJSON_TYPES.iter().any(|name| is(name)) {
            Some(Self::Ndjson)
        } else {
            None
        }
    }
}

/// The type was never registered, so everybody has their own. Cohere's is `stream+json`.
const NDJSON_TYPES: [&str; 6] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/stream+json",
    "application/jsonl",
    "application/x-jsonlines",
    "application/jsonlines",
];
