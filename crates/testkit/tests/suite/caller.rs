//! A caller that writes its requests byte by byte, so that tests see exactly what is on the wire.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

pub(crate) struct Caller<IO> {
    io: IO,
    buffer: Vec<u8>,
    ended: bool,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The status line and headers as sent.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As the framing promised.
    Whole,
    /// The connection ended first.
    Cut,
    /// Nothing came for five minutes.
    Silence,
}

const PATIENCE: Duration = Duration::from_secs(300);

/// A request with a JSON body, framed by its length.
pub(crate) fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: sandbox\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Asks for a chat in one line of text.
pub(crate) fn chat(model: &str, more: &str) -> String {
    post(
        "/v1/chat/completions",
        &format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hello"}}]{more}}}"#),
    )
}

pub(crate) async fn ask(sandbox: &tollgate_testkit::Sandbox, request: &str) -> Answer {
    let mut caller = Caller::new(sandbox.connect());
    caller.send(request).await;
    caller.hear().await
}

impl Caller<DuplexStream> {
    pub(crate) fn of(sandbox: &tollgate_testkit::Sandbox) -> Self {
        Self::new(sandbox.connect())
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Caller<IO> {
    pub(crate) fn new(io: IO) -> Self {
        Self { io, buffer: Vec::new(), ended: false }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next answer that is not `100 Continue`'s kind; that one is heard by [`Caller::head`].
    pub(crate) async fn hear(&mut self) -> Answer {
        let head = self.head().await;
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let (body, end) = if head.is_empty() { (Vec::new(), self.why_not()) } else { self.body(&head).await };
        Answer { status, head, body, end }
    }

    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                return String::from_utf8(self.buffer.drain(..at + 4).collect()).unwrap();
            }
            if !self.fill().await {
                return String::new();
            }
        }
    }

    /// Everything until the end or five minutes of silence.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.buffer)
    }

    async fn body(&mut self, head: &str) -> (Vec<u8>, End) {
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        if value("transfer-encoding: ").is_some() {
            return self.chunks().await;
        }
        let Some(length) = value("content-length: ") else {
            let body = self.rest().await;
            return (body, if self.ended { End::Whole } else { End::Silence });
        };
        let (body, whole) = self.take(length.parse().unwrap()).await;
        (body, if whole { End::Whole } else { self.why_not() })
    }

    async fn chunks(&mut self) -> (Vec<u8>, End) {
        let mut body = Vec::new();
        loop {
            let Some(size) = self.line().await else { return (body, self.why_not()) };
            let size = usize::from_str_radix(&size, 16).unwrap();
            let (chunk, whole) = self.take(size + 2).await;
            body.extend_from_slice(chunk.strip_suffix(b"\r\n").unwrap_or(&chunk));
            if !whole {
                return (body, self.why_not());
            }
            if size == 0 {
                return (body, End::Whole);
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..at + 2).take(at).collect();
                return Some(String::from_utf8(line).unwrap());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn take(&mut self, count: usize) -> (Vec<u8>, bool) {
        while self.buffer.len() < count && self.fill().await {}
        let whole = self.buffer.len() >= count;
        (self.buffer.drain(..count.min(self.buffer.len())).collect(), whole)
    }

    async fn fill(&mut self) -> bool {
        match timeout(PATIENCE, self.io.read_buf(&mut self.buffer)).await {
            Ok(Ok(count)) if count > 0 => return true,
            Ok(_) => self.ended = true,
            Err(_) => {}
        }
        false
    }

    fn why_not(&self) -> End {
        if self.ended { End::Cut } else { End::Silence }
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|fault| panic!("{fault}: {}", self.text()))
    }

    /// The `data:` lines of a stream.
    pub(crate) fn events(&self) -> Vec<String> {
        self.text().lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned).collect()
    }
}
