//! Stands in for every provider: answers each request with what was recorded, and keeps what arrived.
//!
//! Enters: exchanges; then requests, told apart by the number in their credential. Leaves: recorded status, headers and bytes; what the gateway
//! sent. Never: judges what it hears.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::exchange::Exchange;

const KEY: &str = "replay-key-";
const KEY_DIGITS: usize = 8;
/// Streams are cut into pieces of these sizes, over and over, so that lines, frames and characters are cut too.
const PIECES: [usize; 7] = [1, 3, 17, 64, 257, 1_024, 4_096];
/// More requests of one exchange than this are dropped; a second one is already a fault.
const KEPT_MAX: usize = 4;

pub(super) struct Upstream {
    exchanges: Arc<Vec<Exchange>>,
    /// For each exchange, what arrived.
    heard: Vec<Mutex<Vec<Forwarded>>>,
}

/// A request as it left the gateway.
pub(super) struct Forwarded {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The credential by which a request is recognised; a fake, of course.
pub(super) fn key(index: usize) -> String {
    format!("{KEY}{index:0KEY_DIGITS$}")
}

fn index_of(headers: &HeaderMap) -> Option<usize> {
    let texts = headers.values().filter_map(|value| value.to_str().ok());
    let digits = texts.filter_map(|text| text.split_once(KEY)?.1.get(..KEY_DIGITS)).next()?;
    digits.parse().ok()
}

// === impl Upstream ===

impl Upstream {
    /// Listens on a free port of the loopback, until the runtime ends. Leaves the base URL.
    pub(super) async fn start(exchanges: Arc<Vec<Exchange>>) -> anyhow::Result<(Arc<Self>, String)> {
        let heard = exchanges.iter().map(|_| Mutex::default()).collect();
        let upstream = Arc::new(Self { exchanges, heard });
        let listener =
            TcpListener::bind("127.0.0.1:0").await.context("no free port for the stand-in of the providers")?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(accept(upstream.clone(), listener));
        Ok((upstream, url))
    }

    /// What arrived of this exchange.
    pub(super) fn take(&self, index: usize) -> Vec<Forwarded> {
        std::mem::take(&mut *self.heard[index].lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn answer(&self, request: Request<Incoming>) -> anyhow::Result<Response<Pieces>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let Some(index) = index_of(&head.headers).filter(|index| *index < self.exchanges.len()) else {
            return Ok(Response::builder().status(421).body(Pieces::whole("the credential did not arrive".into()))?);
        };
        let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        self.keep(index, Forwarded { method: head.method.to_string(), path, headers: head.headers, body });
        self.recorded(index)
    }

    fn keep(&self, index: usize, forwarded: Forwarded) {
        let mut kept = self.heard[index].lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.push(forwarded);
        }
    }

    fn recorded(&self, index: usize) -> anyhow::Result<Response<Pieces>> {
        let exchange = &self.exchanges[index];
        let recorded = &exchange.response;
        let mut response = Response::builder().status(recorded.status);
        for (name, value) in &recorded.message.headers {
            response = response.header(name, value);
        }
        let body = recorded.message.body.clone();
        Ok(response.body(if exchange.streaming { Pieces::cut(body, index) } else { Pieces::whole(body) })?)
    }
}

async fn accept(upstream: Arc<Upstream>, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(upstream.clone(), stream));
    }
}

async fn serve(upstream: Arc<Upstream>, stream: TcpStream) {
    // Without it the pieces would be put together again.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request| {
        let upstream = upstream.clone();
        async move { upstream.answer(request).await }
    });
    // A connection that breaks shows where its answer is checked.
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

/// A body in one piece with its length, or in many without.
struct Pieces {
    rest: Bytes,
    /// Which size is next; `None` for a body in one piece.
    next: Option<usize>,
    paused: bool,
}

impl Pieces {
    fn whole(body: Bytes) -> Self {
        Self { rest: body, next: None, paused: true }
    }

    fn cut(body: Bytes, first: usize) -> Self {
        Self { rest: body, next: Some(first), paused: false }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        // hyper writes what it has when it has to wait.
        if !self.paused {
            self.paused = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let size = match self.next {
            Some(next) => {
                self.paused = false;
                self.next = Some(next + 1);
                PIECES[next % PIECES.len()].min(self.rest.len())
            }
            None => self.rest.len(),
        };
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(size)))))
    }

    fn is_end_stream(&self) -> bool {
        self.next.is_none() && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.next.is_none() { SizeHint::with_exact(self.rest.len() as u64) } else { SizeHint::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_recognised_by_its_credential_whatever_is_around_it() {
        for form in ["KEY", "Bearer KEY", "AWS4 Credential=KEY/2026, Signature=0"] {
            let mut headers = HeaderMap::new();
            headers.insert("content-type", "application/json".parse().unwrap());
            headers.insert("authorization", form.replace("KEY", &key(1_075)).parse().unwrap());
            assert_eq!(index_of(&headers), Some(1_075));
        }
        assert_eq!(index_of(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn a_cut_body_is_the_same_bytes_in_pieces() {
        let body = Bytes::from((0..20_000_u32).map(|byte| byte as u8).collect::<Vec<_>>());
        for mut pieces in [Pieces::cut(body.clone(), 5), Pieces::whole(body.clone())] {
            let whole = pieces.next.is_none();
            let (mut heard, mut count) = (Vec::new(), 0);
            while let Some(frame) = pieces.frame().await {
                heard.extend_from_slice(&frame.unwrap().into_data().unwrap());
                count += 1;
            }
            assert_eq!((heard == body, whole), (true, count == 1));
        }
    }
}
