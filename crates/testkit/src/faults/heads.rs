//! Faults of the answer's head.
//!
//! Enters: nothing. Leaves: plans. Never: holds more than one block of what it repeats.

use std::time::Duration;

use bytes::Bytes;

use crate::plan::{Ending, Frame, Framing, Plan};

const BLOCK: &[u8] = &[b'x'; 10_000];

/// A hundred a millisecond, so that a client that swallows them all still gets to its deadline.
pub(super) fn informational() -> Plan {
    let hints = Bytes::from(b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n".repeat(100));
    let frames = (0..1_000).map(move |_| Frame::after(Duration::from_millis(1), hints.clone()));
    Plan::new(0, Framing::Raw, frames).ending(Ending::Stall)
}

pub(super) fn huge_header() -> Plan {
    let start = std::iter::once(Frame::now("HTTP/1.1 200 OK\r\nx-huge: "));
    let value = (0..1_000).map(|_| Frame::now(Bytes::from_static(BLOCK)));
    let end = std::iter::once(Frame::now("\r\ncontent-length: 2\r\n\r\n{}"));
    Plan::new(0, Framing::Raw, start.chain(value).chain(end)).ending(Ending::Cut)
}

pub(super) fn many_headers() -> Plan {
    let start = std::iter::once(Frame::now("HTTP/1.1 200 OK\r\n"));
    let headers = (0..10_000).map(|number| Frame::now(format!("x-header-{number}: {number}\r\n")));
    let end = std::iter::once(Frame::now("content-length: 2\r\n\r\n{}"));
    Plan::new(0, Framing::Raw, start.chain(headers).chain(end)).ending(Ending::Cut)
}

/// The body suits the first of the lengths.
pub(super) fn with_lengths(lengths: &str) -> Plan {
    Plan::raw(format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{lengths}\r\n{{}}"))
}

pub(super) fn length_and_chunks() -> Plan {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n";
    Plan::raw(format!("{head}\r\n2\r\n{{}}\r\n0\r\n\r\n"))
}

/// To HEAD, this body is a surplus; to every other method it is a good answer.
pub(super) fn body_regardless() -> Plan {
    Plan::raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}").ending(Ending::Clean)
}

/// Who reuses the connection without looking takes the second answer for that of its next request.
pub(super) fn extra_answer() -> Plan {
    let first = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    let second = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"stolen\":true}";
    Plan::raw(format!("{first}{second}")).ending(Ending::Clean)
}
