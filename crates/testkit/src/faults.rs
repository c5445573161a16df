//! Everything an upstream has been seen to do wrong below the level of its own API, as data.
//!
//! Enters: a fault. Leaves: a plan that commits it.
//! Never: holds a large body: endless and huge answers are iterators over one small block.
//!
//! A test iterates over [`Fault::ALL`] and knows from [`Fault::harm`] what the gateway's caller may at best be given.

mod bodies;
mod heads;
mod sse;

use crate::plan::{Ending, Frame, Framing, Plan};

pub use bodies::huge_body;

/// What is left of the answer, for whoever asserts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// No answer comes that could be passed on: silence, a reset, or bytes that are not HTTP.
    NoHead,
    /// The head is whole and the body breaks off, or contradicts its framing.
    BodyBroken,
    /// HTTP is in order; the content is not what the API promises.
    Content,
    /// All is in order, only large or slow or unusual.
    None,
}

macro_rules! faults {
    ($($(#[doc = $says:literal])+ $variant:ident, $name:literal, $harm:ident, $plan:expr;)+) => {
        /// One way of going wrong. The names are the values of the dial `fault=`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Fault { $($(#[doc = $says])+ $variant,)+ }

        impl Fault {
            pub const ALL: &[Fault] = &[$(Fault::$variant,)+];

            pub fn name(self) -> &'static str {
                match self { $(Fault::$variant => $name,)+ }
            }

            pub fn harm(self) -> Harm {
                match self { $(Fault::$variant => Harm::$harm,)+ }
            }

            pub fn plan(self) -> Plan {
                match self { $(Fault::$variant => $plan,)+ }
            }
        }
    };
}

faults! {
    /// The request is taken, and nothing is ever said.
    Silence, "silence", NoHead, wire([], Ending::Stall);
    /// Closed in order without a byte, as a keep-alive connection at its end of life.
    CloseBeforeStatus, "close-before-status", NoHead, wire([], Ending::Cut);
    /// Torn down without a byte.
    ResetBeforeStatus, "reset-before-status", NoHead, wire([], Ending::Reset);
    /// Torn down inside the headers.
    ResetInHeaders, "reset-in-headers", NoHead, wire([HEAD_PART], Ending::Reset);
    /// Silent inside the headers.
    StallInHeaders, "stall-in-headers", NoHead, wire([HEAD_PART], Ending::Stall);
    /// Bytes that are not HTTP.
    NotHttp, "not-http", NoHead, wire([b"\x16\x03\x01\x02\x00 this is no HTTP\r\n\r\n"], Ending::Cut);
    /// `103 Early Hints` a hundred thousand times, and never an answer.
    EndlessInformational, "endless-1xx", NoHead, heads::informational();
    /// One header of 10 MB.
    HugeHeader, "huge-header", NoHead, heads::huge_header();
    /// Ten thousand headers.
    ManyHeaders, "many-headers", NoHead, heads::many_headers();
    /// A header without a colon.
    BadHeader, "bad-header", NoHead, wire([b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"], Ending::Cut);
    /// A status of four digits.
    BadStatus, "bad-status", NoHead, wire([b"HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n"], Ending::Cut);
    /// `content-length: -1`.
    NegativeLength, "negative-length", NoHead, heads::with_lengths("content-length: -1\r\n");
    /// Two lengths that differ.
    DuplicateLength, "duplicate-length", NoHead, heads::with_lengths("content-length: 2\r\ncontent-length: 20\r\n");
    /// A length beside chunks (RFC 9112, 6.3: the chunks win, and the connection is not to be trusted).
    LengthAndChunks, "length-and-chunks", None, heads::length_and_chunks();
    /// Torn down in the middle of a body of known length.
    ResetInBody, "reset-in-body", BodyBroken, wire([LENGTH_HEAD, b"{\"id\":"], Ending::Reset);
    /// Closed in the middle of a body of known length.
    CutInBody, "cut-in-body", BodyBroken, wire([LENGTH_HEAD, b"{\"id\":"], Ending::Cut);
    /// Closed inside a chunk.
    FinInChunk, "fin-in-chunk", BodyBroken, wire([SSE_HEAD, b"ff\r\ndata: {}"], Ending::Cut);
    /// Silent inside a chunk.
    StallInChunk, "stall-in-chunk", BodyBroken, wire([SSE_HEAD, b"ff\r\ndata: {}"], Ending::Stall);
    /// A chunk whose size is not hexadecimal.
    BadChunkSize, "bad-chunk-size", BodyBroken, wire([SSE_HEAD, b"zz\r\n{}\r\n0\r\n\r\n"], Ending::Cut);
    /// A chunk size beyond 64 bits.
    HugeChunkSize, "huge-chunk-size", BodyBroken, wire([SSE_HEAD, b"fffffffffffffffff\r\n{}\r\n"], Ending::Cut);
    /// A good small answer at one byte a second.
    Drip, "drip", None, bodies::drip();
    /// 10 GB of JSON whitespace with a length.
    HugeBody, "huge-body", None, huge_body(bodies::HUGE_BYTES, Framing::Length(bodies::HUGE_BYTES));
    /// The same as an endless stream of chunks.
    HugeChunked, "huge-chunked", None, huge_body(bodies::HUGE_BYTES, Framing::Chunked);
    /// A gzip body that breaks off, in a message that is whole.
    TruncatedGzip, "truncated-gzip", Content, bodies::truncated_gzip();
    /// 1 GiB of zeros in a gzip body of less than 5 MB.
    GzipBomb, "gzip-bomb", Content, bodies::gzip_bomb();
    /// A `content-encoding` that nobody knows.
    UnknownEncoding, "unknown-encoding", Content, Plan::json(200, "{}").header("content-encoding", "x-unheard-of");
    /// An error object under status 200.
    ErrorInSuccess, "error-in-success", Content, Plan::json(200, r#"{"error":{"message":"overloaded","type":"server_error","code":null}}"#);
    /// HTML where JSON was promised, as of a proxy in between.
    Html, "html", Content, Plan::whole(502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>");
    /// A success without a body.
    EmptyBody, "empty-body", Content, Plan::json(200, "");
    /// A redirect to an internal address.
    Redirect, "redirect", Content, Plan::json(302, "{}").header("location", "http://169.254.169.254/latest/meta-data/");
    /// The end of a stream without its terminator.
    SseUnterminated, "sse-unterminated", Content, sse::unterminated();
    /// The last event without its blank line.
    SseNoBlankLine, "sse-no-blank-line", Content, sse::no_blank_line();
    /// One event of 100 MB.
    SseHugeEvent, "sse-huge-event", Content, sse::huge_event();
    /// An event that is not UTF-8.
    SseInvalidUtf8, "sse-invalid-utf8", Content, sse::with(b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\xc3\"}}]}\n\n");
    /// An event with a NUL inside.
    SseNul, "sse-nul", Content, sse::with(b"data: {\"choices\":[{\"delta\":{\"content\":\"a\0b\"}}]}\n\n");
    /// JSON that is not JSON inside a stream.
    SseGarbage, "sse-garbage", Content, sse::with(b"data: {\"choices\":[}}}\n\n\x80\x81garbage\n\n");
    /// A byte order mark before the first event, which a reader of SSE must skip.
    SseBom, "sse-bom", None, sse::bom();
    /// CR alone ends the lines, which is allowed.
    SseCarriageReturns, "sse-cr", None, sse::carriage_returns();
    /// Every byte in a chunk of its own.
    SseSplit, "sse-split", None, sse::split();
    /// The length of the body that HEAD does not get, and a body after all.
    BodyAfterHead, "body-after-head", None, heads::body_regardless();
    /// An answer to nobody's request follows the answer on the same connection.
    ExtraAnswer, "extra-answer", None, heads::extra_answer();
}

const HEAD_PART: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: applicat";
const LENGTH_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
const SSE_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

// === impl Fault ===

impl Fault {
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }
}

/// Exactly these bytes, and this ending.
fn wire<const N: usize>(parts: [&'static [u8]; N], ending: Ending) -> Plan {
    let frames = parts.into_iter().map(bytes::Bytes::from_static).map(Frame::now);
    Plan::new(0, Framing::Raw, frames).ending(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for fault in Fault::ALL {
            assert_eq!(Fault::from_name(fault.name()), Some(*fault));
        }
    }
}
