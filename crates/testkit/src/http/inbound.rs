//! Reads requests from a connection.
//!
//! Enters: bytes of the caller. Leaves: a head, then its body, then the next head; or what was wrong with them.
//! Never: guesses where a body ends: two lengths, or a length beside chunks, are refused, since whoever guesses otherwise is smuggled to.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::request::Request;

pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;
pub(crate) const HEADERS_MAX: usize = 256;
/// A chunk's size line, or a trailer section.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// How far a caller may run ahead (pipelining) while its previous request is answered.
const AHEAD_BYTES_MAX: usize = 64 * 1024;

pub(crate) struct Inbound<R> {
    io: R,
    buffer: BytesMut,
    body_bytes_max: usize,
}

/// Where the body of a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Known(usize),
    Chunked,
}

#[derive(Debug)]
pub(crate) enum Unheard {
    /// The caller closed between two requests: the good end of every connection.
    Finished,
    /// It closed, or failed, in the middle of one.
    Broken,
    /// It can be answered with a status and a reason before closing.
    Wrong(u16, &'static str),
}

// === impl Inbound ===

impl<R: AsyncRead + Unpin> Inbound<R> {
    pub(crate) fn new(io: R, body_bytes_max: usize) -> Self {
        Self { io, buffer: BytesMut::with_capacity(8 * 1024), body_bytes_max }
    }

    /// The next request without its body.
    pub(crate) async fn head(&mut self) -> Result<(Request, Length), Unheard> {
        loop {
            // Blank lines before a request line are tolerated (RFC 9112, 2.2).
            while self.buffer.starts_with(b"\r\n") {
                let _ = self.buffer.split_to(2);
            }
            if let Some((request, used)) = parse_head(&self.buffer)? {
                let _ = self.buffer.split_to(used);
                let length = length_of(&request)?;
                return Ok((request, length));
            }
            if self.buffer.len() >= HEAD_BYTES_MAX {
                return Err(Unheard::Wrong(431, "the request head is larger than 64 KiB"));
            }
            if self.fill().await? == 0 {
                return Err(if self.buffer.is_empty() { Unheard::Finished } else { Unheard::Broken });
            }
        }
    }

    pub(crate) async fn body(&mut self, length: Length) -> Result<Bytes, Unheard> {
        match length {
            Length::Known(bytes) => self.exactly(bytes).await,
            Length::Chunked => self.chunks().await,
        }
    }

    /// True while the body is not in the buffer yet, so that `100 Continue` is worth sending.
    pub(crate) fn awaits(&self, length: Length) -> bool {
        length != Length::Known(0) && self.buffer.is_empty()
    }

    /// Resolves when the caller closes. What it sends ahead is kept, up to a bound.
    pub(crate) async fn gone(&mut self) {
        while self.buffer.len() < AHEAD_BYTES_MAX {
            match self.io.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        std::future::pending().await
    }

    async fn exactly(&mut self, bytes: usize) -> Result<Bytes, Unheard> {
        if bytes > self.body_bytes_max {
            return Err(TOO_LARGE);
        }
        while self.buffer.len() < bytes {
            self.fill_or_break().await?;
        }
        Ok(self.buffer.split_to(bytes).freeze())
    }

    async fn chunks(&mut self) -> Result<Bytes, Unheard> {
        let mut body = BytesMut::new();
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                self.trailers().await?;
                return Ok(body.freeze());
            }
            if size.saturating_add(body.len()) > self.body_bytes_max {
                return Err(TOO_LARGE);
            }
            let chunk = self.exactly(size).await?;
            body.extend_from_slice(&chunk);
            if self.exactly(2).await?.as_ref() != b"\r\n" {
                return Err(Unheard::Wrong(400, "a chunk is longer than it said"));
            }
        }
    }

    async fn chunk_size(&mut self) -> Result<usize, Unheard> {
        loop {
            match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((used, size))) => {
                    let _ = self.buffer.split_to(used);
                    return usize::try_from(size).map_err(|_| TOO_LARGE);
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < LINE_BYTES_MAX => self.fill_or_break().await?,
                _ => return Err(Unheard::Wrong(400, "a chunk has no readable size")),
            }
        }
    }

    /// Trailers are read and dropped: nothing here depends on them.
    async fn trailers(&mut self) -> Result<(), Unheard> {
        loop {
            match httparse::parse_headers(&self.buffer, &mut [httparse::EMPTY_HEADER; 32]) {
                Ok(httparse::Status::Complete((used, _))) => {
                    let _ = self.buffer.split_to(used);
                    return Ok(());
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < LINE_BYTES_MAX => self.fill_or_break().await?,
                _ => return Err(Unheard::Wrong(400, "the trailers are not readable")),
            }
        }
    }

    async fn fill_or_break(&mut self) -> Result<(), Unheard> {
        if self.fill().await? == 0 { Err(Unheard::Broken) } else { Ok(()) }
    }

    async fn fill(&mut self) -> Result<usize, Unheard> {
        self.io.read_buf(&mut self.buffer).await.map_err(|_: io::Error| Unheard::Broken)
    }
}

const TOO_LARGE: Unheard = Unheard::Wrong(413, "the request body is larger than the sandbox takes");

fn parse_head(bytes: &[u8]) -> Result<Option<(Request, usize)>, Unheard> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut headers);
    let used = match head.parse(bytes) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Unheard::Wrong(431, "more than 256 headers")),
        Err(_) => return Err(Unheard::Wrong(400, "the request head is not HTTP/1.1")),
    };
    let request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect(),
        minor: head.version.unwrap_or(1),
        ..Request::default()
    };
    Ok(Some((request, used)))
}

fn length_of(request: &Request) -> Result<Length, Unheard> {
    let mut lengths = request.header_values("content-length");
    let mut codings = request.header_values("transfer-encoding");
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(Length::Known(0)),
        (Some(length), None) if lengths.next().is_none() => decimal(length).map(Length::Known),
        (None, Some(coding)) if codings.next().is_none() && coding.eq_ignore_ascii_case(b"chunked") => {
            Ok(Length::Chunked)
        }
        _ => Err(Unheard::Wrong(400, "it is not clear where the body ends")),
    }
}

fn decimal(value: &[u8]) -> Result<usize, Unheard> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(value).ok().filter(|_| digits).and_then(|text| text.parse().ok());
    number.ok_or(Unheard::Wrong(400, "content-length is not a number"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn hear(bytes: &[u8]) -> Result<(Request, Bytes), Unheard> {
        let mut inbound = Inbound::new(bytes, 1_000);
        let (request, length) = inbound.head().await?;
        let body = inbound.body(length).await?;
        Ok((request, body))
    }

    #[tokio::test]
    async fn bodies_by_length_and_by_chunks() {
        for (rest, body) in [
            ("\r\n", ""),
            ("Content-Length: 5\r\n\r\nhello", "hello"),
            ("transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\ntrailer: x\r\n\r\n", "hello"),
        ] {
            let (request, heard) = hear(format!("POST /x HTTP/1.1\r\nHoSt: y\r\n{rest}").as_bytes()).await.unwrap();
            assert_eq!((request.headers[0].0.as_str(), &heard[..]), ("HoSt", body.as_bytes()), "{rest:?}");
        }
    }

    #[tokio::test]
    async fn ambiguous_or_oversized_requests_are_refused() {
        for (head, status) in [
            ("content-length: 5\r\ncontent-length: 5", 400),
            ("content-length: 5\r\ntransfer-encoding: chunked", 400),
            ("transfer-encoding: gzip, chunked", 400),
            ("content-length: -1", 400),
            ("content-length: +1", 400),
            ("content-length: 1001", 413),
            ("transfer-encoding: chunked\r\n\r\nfff\r\n", 413),
            ("transfer-encoding: chunked\r\n\r\nzz\r\n", 400),
            ("transfer-encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
            (&"a: b\r\n".repeat(300), 431),
            (&"a".repeat(70_000), 431),
        ] {
            let heard = hear(format!("POST /x HTTP/1.1\r\n{head}\r\n\r\n").as_bytes()).await;
            assert!(matches!(heard, Err(Unheard::Wrong(said, _)) if said == status), "{:.60}: {heard:?}", head);
        }
    }

    #[tokio::test]
    async fn an_end_between_requests_is_no_fault_and_one_inside_is() {
        assert!(matches!(hear(b"").await, Err(Unheard::Finished)));
        assert!(matches!(hear(b"POST /x HT").await, Err(Unheard::Broken)));
        assert!(matches!(hear(b"POST /x HTTP/1.1\r\ncontent-length: 9\r\n\r\nhell").await, Err(Unheard::Broken)));
    }
}
