//! One connection of a client: asks, and reads the answer as it comes.
//!
//! Enters: a request's bytes. Leaves: the status, then pieces of the body. Never: keeps more than one read's worth.
//!
//! Written for this bench because the client shares a core with the mock: each microsecond spent here is one the gateway
//! waits for.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HEADERS_MAX: usize = 64;
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Room for one read; less would cut an arrival in two and count it twice.
const READ_BYTES: usize = 8 * 1024;

pub struct Caller {
    server: SocketAddr,
    stream: TcpStream,
    unread: BytesMut,
}

/// What the head of an answer said.
pub struct Answer {
    pub status: u16,
    /// `cf-aig-cache-status: HIT`
    pub hit: bool,
    body: Body,
    close: bool,
}

enum Body {
    Length(u64),
    Chunked(Chunk),
    Done,
}

/// Where in the chunked coding the next byte stands.
enum Chunk {
    Size,
    Data(u64),
    AfterData,
    Trailer,
}

impl Caller {
    pub async fn connect(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await.with_context(|| format!("connecting to {server}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { server, stream, unread: BytesMut::with_capacity(16 * 1024) })
    }

    /// Asks and reads the whole answer, into `body`.
    pub async fn exchange(&mut self, request: &[u8], body: &mut Vec<u8>) -> anyhow::Result<Answer> {
        let mut answer = self.ask(request).await?;
        while self.read_on(&mut answer, body).await? {}
        Ok(answer)
    }

    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await.context("writing a request")?;
        loop {
            if let Some(answer) = read_head(&mut self.unread)? {
                return Ok(answer);
            }
            if self.unread.len() > HEAD_BYTES_MAX {
                bail!("the head of an answer is longer than {HEAD_BYTES_MAX} bytes");
            }
            self.fill().await?;
        }
    }

    /// Appends what has arrived of the body, waiting for more if nothing has; false when there is no more to come.
    pub async fn read_on(&mut self, answer: &mut Answer, body: &mut Vec<u8>) -> anyhow::Result<bool> {
        let before = body.len();
        loop {
            answer.body.take(&mut self.unread, body)?;
            if matches!(answer.body, Body::Done) {
                break;
            }
            if body.len() > before {
                return Ok(true);
            }
            self.fill().await?;
        }
        if answer.close {
            *self = Self::connect(self.server).await?;
        }
        Ok(false)
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        self.unread.reserve(READ_BYTES); // moves the little that is unread to the front of the same buffer
        match self.stream.read_buf(&mut self.unread).await.context("reading an answer")? {
            0 => bail!("the server closed the connection in the middle of an answer"),
            _ => Ok(()),
        }
    }
}

/// Takes a whole head off the front of `unread`.
fn read_head(unread: &mut BytesMut) -> anyhow::Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(unread).context("an answer that is not HTTP")? else {
        return Ok(None);
    };
    let mut answer = Answer { status: head.code.unwrap_or(0), hit: false, body: Body::Done, close: false };
    for header in head.headers.iter() {
        answer.note(header)?;
    }
    unread.advance(length);
    Ok(Some(answer))
}

impl Answer {
    fn note(&mut self, header: &httparse::Header<'_>) -> anyhow::Result<()> {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let says = |value: &str| header.value.eq_ignore_ascii_case(value.as_bytes());
        if is("content-length") {
            let length = std::str::from_utf8(header.value)?.trim().parse().context("content-length")?;
            self.body = if length == 0 { Body::Done } else { Body::Length(length) };
        } else if is("transfer-encoding") && says("chunked") {
            self.body = Body::Chunked(Chunk::Size);
        } else if is("connection") && says("close") {
            self.close = true;
        } else if is("cf-aig-cache-status") && says("hit") {
            self.hit = true;
        }
        Ok(())
    }
}

impl Body {
    /// Moves as much of the body as there is from `unread` to `out`.
    fn take(&mut self, unread: &mut BytesMut, out: &mut Vec<u8>) -> anyhow::Result<()> {
        match self {
            Self::Done => {}
            Self::Length(left) => {
                if move_up_to(left, unread, out) {
                    *self = Self::Done;
                }
            }
            Self::Chunked(chunk) => {
                if chunk.take(unread, out)? {
                    *self = Self::Done;
                }
            }
        }
        Ok(())
    }
}

impl Chunk {
    /// True when the last chunk has been read.
    fn take(&mut self, unread: &mut BytesMut, out: &mut Vec<u8>) -> anyhow::Result<bool> {
        loop {
            match self {
                Self::Data(left) => {
                    if !move_up_to(left, unread, out) {
                        return Ok(false);
                    }
                    *self = Self::AfterData;
                }
                Self::Size | Self::AfterData | Self::Trailer => {
                    let Some(end) = memchr::memchr(b'\n', unread) else { return Ok(false) };
                    let line = unread[..end].trim_ascii();
                    let last = matches!(self, Self::Trailer) && line.is_empty();
                    match self {
                        Self::Size => *self = Self::sized(line)?,
                        Self::AfterData => *self = Self::Size,
                        _ => {} // a trailer field, or the end
                    }
                    unread.advance(end + 1);
                    if last {
                        return Ok(true);
                    }
                }
            }
        }
    }

    fn sized(line: &[u8]) -> anyhow::Result<Self> {
        let size = u64::from_str_radix(std::str::from_utf8(line)?, 16).context("chunk size")?;
        Ok(if size == 0 { Self::Trailer } else { Self::Data(size) })
    }
}

/// True when nothing is left to move.
fn move_up_to(left: &mut u64, unread: &mut BytesMut, out: &mut Vec<u8>) -> bool {
    let now = unread.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    out.extend_from_slice(&unread[..now]);
    unread.advance(now);
    *left -= now as u64;
    *left == 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(whole: &[u8], cut: usize) -> (u16, Vec<u8>, bool) {
        let mut unread = BytesMut::from(&whole[..cut]);
        let mut answer = read_head(&mut unread).unwrap();
        let mut body = Vec::new();
        if let Some(answer) = &mut answer {
            answer.body.take(&mut unread, &mut body).unwrap();
        }
        unread.extend_from_slice(&whole[cut..]);
        let mut answer = answer.or_else(|| read_head(&mut unread).unwrap()).unwrap();
        answer.body.take(&mut unread, &mut body).unwrap();
        (answer.status, body, matches!(answer.body, Body::Done) && unread.is_empty())
    }

    #[test]
    fn an_answer_is_the_same_wherever_it_is_cut() {
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nB\r\n over there\r\n0\r\n\r\n";
        for cut in 0..chunked.len() {
            assert_eq!(read(chunked, cut), (200, b"hello over there".to_vec(), true), "cut at {cut}");
        }
        let whole = b"HTTP/1.1 429 No\r\ncontent-length: 4\r\n\r\nwait";
        for cut in 0..whole.len() {
            assert_eq!(read(whole, cut), (429, b"wait".to_vec(), true), "cut at {cut}");
        }
    }
}
