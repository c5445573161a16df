//! Refuses requests whose framing could be read in two ways.
//!
//! Enters: a connection's bytes, on their way to the HTTP parser. Leaves: the same bytes, and a verdict on the head they began with.
//! Never: repairs. A request that two readers could cut differently is refused and its connection closed.
//!
//! The parser (hyper) accepts some of these and is right to: it drops `Content-Length` beside `Transfer-Encoding`, merges equal lengths, takes a
//! bare line feed for a line's end. A gateway with a credential of its own must not: RFC 9112 sections 2.2, 6.1, 6.3 let a server
//! reject them. What was dropped can no longer be seen in the parsed head, so the raw head is kept until the answer begins.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::TRANSFER_ENCODING;
use http::request::Parts;
use http::{HeaderMap, Version};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tollgate_model::Refusal;

/// Longer heads are refused by the parser before anybody asks for this verdict.
const TAIL_BYTES_MAX: usize = 96 * 1024;

const TAIL_BYTES_KEPT: usize = 4 * 1024;

pub(crate) struct Strict<T> {
    io: T,
    tail: Tail,
}

/// What was read since something was last written.
#[derive(Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<Vec<u8>>>);

impl<T> Strict<T> {
    pub(crate) fn new(io: T) -> (Self, Tail) {
        let tail = Tail::default();
        (Self { io, tail: tail.clone() }, tail)
    }
}

impl Tail {
    /// An answer began. Room for a usual head is kept, room for a body is not: idle connections are many.
    fn forget(&self) {
        let mut tail = self.0.lock();
        tail.clear();
        tail.shrink_to(TAIL_BYTES_KEPT);
    }

    /// The verdict on the request whose head was just parsed.
    pub(crate) fn judge(&self, parts: &Parts) -> Result<(), Refusal> {
        if parts.version >= Version::HTTP_2 {
            return authority(parts);
        }
        let verdict = head(&self.0.lock(), parts);
        verdict.map_err(|what| Refusal::bad_request(what).close())?;
        authority(parts)
    }
}

const UNFRAMED: &str = "the request's head is not framed as HTTP";

/// Judges the raw head. Without one (all or part of it was read together with an earlier, pipelined request) only what cannot be ambiguous passes.
fn head(tail: &[u8], parts: &Parts) -> Result<(), &'static str> {
    let tail = trim_start(tail);
    let framed = parts.headers.contains_key(TRANSFER_ENCODING);
    let Some(lines) = Lines::read(tail) else {
        let bare = memchr::memmem::find(tail, b"\n\n").is_some();
        return if framed || bare { Err(UNFRAMED) } else { Ok(()) };
    };
    if let Some(fault) = lines.fault {
        return Err(fault);
    }
    match (lines.lengths, lines.codings) {
        (0 | 1, 0) | (0, 1) => {}
        (_, 0) => return Err("content-length: given more than once"),
        (0, _) => return Err("transfer-encoding: given more than once"),
        _ => return Err("content-length and transfer-encoding: only one may be given"),
    }
    // What the parser dropped is not among its headers: a head that lacks lines, or is another's, proves nothing.
    let is_whole = lines.count == parts.headers.len() + 1 && tail.starts_with(parts.method.as_str().as_bytes());
    if framed && !is_whole { Err(UNFRAMED) } else { chunked(&parts.headers) }
}

/// What the lines of a head say of the body's framing.
#[derive(Default)]
struct Lines {
    count: usize,
    lengths: u32,
    codings: u32,
    /// The first thing that is wrong with any of them.
    fault: Option<&'static str>,
}

impl Lines {
    /// `None` without the blank line that ends a head.
    fn read(tail: &[u8]) -> Option<Self> {
        let mut lines = Self::default();
        let mut line_start = 0;
        for feed in memchr::memchr_iter(b'\n', tail) {
            match tail[line_start..feed].strip_suffix(b"\r") {
                Some(b"") if lines.is_over(tail, line_start) => return Some(lines),
                Some(line) => lines.note(line),
                None => lines.wrong("a line of the request's head ends without a carriage return"),
            }
            line_start = feed + 1;
        }
        None
    }

    /// The blank line ends a head only behind a line that ends as it should.
    fn is_over(&self, tail: &[u8], blank: usize) -> bool {
        tail[..blank].ends_with(b"\r\n")
    }

    fn note(&mut self, line: &[u8]) {
        self.count += 1;
        match line.first() {
            Some(b'c' | b'C') if is_named(line, b"content-length") => self.lengths += 1,
            Some(b't' | b'T') if is_named(line, b"transfer-encoding") => self.codings += 1,
            // Some servers take an underscore for a dash.
            Some(b'c' | b'C' | b't' | b'T')
                if is_named(line, b"content_length") || is_named(line, b"transfer_encoding") =>
            {
                self.wrong("the name of a header that frames the body is misspelt");
            }
            _ => {}
        }
    }

    fn wrong(&mut self, what: &'static str) {
        self.fault = self.fault.or(Some(what));
    }
}

/// Any other coding would be taken off nowhere, and the provider be handed what it left.
fn chunked(headers: &HeaderMap) -> Result<(), &'static str> {
    match headers.get(TRANSFER_ENCODING) {
        Some(coding) if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            Err("transfer-encoding: only `chunked` is understood")
        }
        _ => Ok(()),
    }
}

/// Blank lines before a request line are allowed.
fn trim_start(tail: &[u8]) -> &[u8] {
    let blank = tail.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    &tail[blank..]
}

fn is_named(line: &[u8], name: &[u8]) -> bool {
    line.len() > name.len() && line[name.len()] == b':' && line[..name.len()].eq_ignore_ascii_case(name)
}

/// `Host` is one `host[:port]`: nothing in it may look like a path, a user or a query to some other reader. A host that the request line names as well
/// must be the same: some readers believe one, some the other.
fn authority(parts: &Parts) -> Result<(), Refusal> {
    let mut hosts = parts.headers.get_all(http::header::HOST).iter();
    let host = hosts.next();
    let valid = |value: &http::HeaderValue| {
        value
            .as_bytes()
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']'))
    };
    if hosts.next().is_some() {
        return Err(Refusal::bad_request("host: given more than once").close());
    }
    if host.is_none() && parts.version == Version::HTTP_11 {
        return Err(Refusal::bad_request("host: missing").close());
    }
    if host.is_some_and(|host| !valid(host)) {
        return Err(Refusal::bad_request("host: expected a name or an address, and perhaps a port").close());
    }
    let named = parts.uri.authority().zip(host);
    if named.is_some_and(|(line, host)| !line.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes())) {
        return Err(Refusal::bad_request("host: differs from the host that the request line names").close());
    }
    Ok(())
}

impl<T: AsyncRead + Unpin> AsyncRead for Strict<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        let fresh = &buffer.filled()[before..];
        if !fresh.is_empty() {
            let mut tail = self.tail.0.lock();
            let room = TAIL_BYTES_MAX.saturating_sub(tail.len());
            tail.extend_from_slice(&fresh[..fresh.len().min(room)]);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Strict<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.tail.forget();
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.tail.forget();
        Pin::new(&mut self.io).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As the parser does: a length beside a coding is dropped, and equal lengths are merged.
    fn parsed(raw: &str) -> Parts {
        let mut lines = raw.trim_start().split("\r\n\r\n").next().unwrap_or_default().lines();
        let method = lines.next().and_then(|line| line.split(' ').next()).unwrap_or_default();
        let mut request = http::Request::builder().method(method);
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            let is_dropped = name.eq_ignore_ascii_case("content-length")
                && (raw.to_ascii_lowercase().contains("\r\ntransfer-encoding: ")
                    || request.headers_ref().is_some_and(|headers| headers.contains_key(name)));
            request = if is_dropped { request } else { request.header(name, value) };
        }
        request.body(()).unwrap().into_parts().0
    }

    fn judged(raw: &str) -> Result<(), &'static str> {
        head(raw.as_bytes(), &parsed(raw))
    }

    #[test]
    fn a_part_of_a_head_vouches_for_no_coding() {
        let raw = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        for cut in 1..raw.len() {
            assert!(head(&raw.as_bytes()[cut..], &parsed(raw)).is_err(), "{cut}");
        }
        let length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n";
        for cut in 1..length.len() {
            assert!(head(&length.as_bytes()[cut..], &parsed(length)).is_ok(), "{cut}");
        }
    }

    #[test]
    fn a_head_that_can_be_read_in_two_ways_is_refused() {
        for good in [
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
            "\r\nPOST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nContent-Length: 1\r\nbody\nbody",
        ] {
            assert_eq!(judged(good), Ok(()), "{good:?}");
        }
        for bad in [
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nCONTENT-LENGTH: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer_Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        ] {
            assert!(judged(bad).is_err(), "{bad:?}");
        }
    }
}
