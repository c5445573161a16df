//! The provider that stands upstream: canned answers, whole or streamed, as cheaply as a server can give them.
//!
//! Enters: HTTP/1.1 requests of any path. Leaves: one of a set of prepared answers, all of one size: messages where the path says so, chat
//! completions elsewhere; to a large question a large one. Never: allocates per
//! request; what the mock saves on its core is left for the clients that share it.

mod answers;

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::{Buf, BytesMut};
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

use self::answers::{Answers, Form};

const HEADERS_MAX: usize = 64;
const READ_BYTES: usize = 8 * 1024;
const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(clap::Args)]
pub struct Options {
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Milliseconds between two writes of a stream
    #[arg(long, default_value_t = 2)]
    gap_ms: u64,
    /// Different answers in the set; 1 says the same each time
    #[arg(long, default_value_t = 64)]
    answers: u64,
}

struct Mock {
    chat: Dialect,
    messages: Dialect,
    gap: Duration,
    streamed: memmem::Finder<'static>,
}

struct Dialect {
    answers: Answers,
    large: Answers,
}

/// Questions larger than this get an answer of their own size.
const LARGE_BYTES: usize = 50 * 1024;

pub fn run(options: &Options) -> anyhow::Result<()> {
    let count = options.answers.clamp(1, 4096);
    let mock = Rc::new(Mock {
        chat: Dialect::new(Form::Chat, count),
        messages: Dialect::new(Form::Messages, count),
        gap: Duration::from_millis(options.gap_ms),
        streamed: memmem::Finder::new(br#""stream":true"#),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, serve(mock, options.listen))
}

async fn serve(mock: Rc<Mock>, listen: SocketAddr) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    println!("mock listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let mock = mock.clone();
        // A caller that goes away, or that speaks badly, ends its own connection and nothing else.
        tokio::task::spawn_local(async move { mock.talk(stream).await.ok() });
    }
}

impl Dialect {
    fn new(form: Form, count: u64) -> Self {
        Self { answers: Answers::new(form, count), large: Answers::large(form) }
    }
}

impl Mock {
    async fn talk(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        stream.set_nodelay(true)?;
        let mut unread = BytesMut::with_capacity(16 * 1024);
        loop {
            let Some((head, body)) = read_request(&mut stream, &mut unread).await? else { return Ok(()) };
            let streamed = self.streamed.find(&unread[head..head + body]).is_some();
            let dialect = if unread.starts_with(b"POST /v1/messages") { &self.messages } else { &self.chat };
            unread.advance(head + body);
            if streamed {
                self.answer_slowly(&mut stream, &dialect.answers).await?;
            } else {
                let answers = if body > LARGE_BYTES { &dialect.large } else { &dialect.answers };
                stream.write_all(answers.whole()).await?;
            }
        }
    }

    async fn answer_slowly(&self, stream: &mut TcpStream, answers: &Answers) -> anyhow::Result<()> {
        let begun = Instant::now();
        for (piece, place) in answers.streamed().iter().zip(0..) {
            // The first goes out at once: even a timer that is due waits for the runtime's next millisecond. The others go
            // by the clock, not gap after gap, so that a late one does not delay all that follow.
            if place > 0 {
                sleep_until(begun + self.gap * place).await;
            }
            stream.write_all(piece).await?;
        }
        Ok(())
    }
}

/// Reads until `unread` begins with a whole request; the lengths of its head and its body. None when the caller is gone.
async fn read_request(stream: &mut TcpStream, unread: &mut BytesMut) -> anyhow::Result<Option<(usize, usize)>> {
    loop {
        if let Some((head, body)) = measure_request(unread)?
            && unread.len() >= head + body
        {
            return Ok(Some((head, body)));
        }
        unread.reserve(READ_BYTES); // reuses the buffer: what was read of it is behind
        if stream.read_buf(unread).await? == 0 {
            return Ok(None);
        }
    }
}

/// The lengths of head and body, once the head is complete.
fn measure_request(unread: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(unread)? else { return Ok(None) };
    let mut body = 0;
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            body = std::str::from_utf8(header.value)?.parse().context("content-length")?;
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("the mock reads bodies of a known length only");
        }
    }
    if body > REQUEST_BYTES_MAX {
        bail!("a body of {body} bytes");
    }
    Ok(Some((head, body)))
}
