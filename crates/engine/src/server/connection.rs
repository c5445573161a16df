//! One caller's connection, HTTP/1.1 or HTTP/2, with or without TLS.
//!
//! Enters: an accepted socket. Leaves: answers. Never: lives on without a deadline: heads, bodies and idle times all have one.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::HOST;
use http::request::Parts;
use http::{Request, Response, Version};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tollgate_model::peer::Secure;
use tollgate_model::{Peer, Refusal};
use tollgate_rules::custom::named_host;
use tollgate_rules::proxy::Arrival;

use super::head_timer::HeadTimer;
use super::patient::Patient;
use super::{Admitted, Fallback, Serving};
use crate::body::BoxError;
use crate::edge::{self, ReplyBody};
use crate::gate::Gate;
use crate::head::{self, Head, Place};
use crate::serve::serve as serve_request;
use crate::strict::{Strict, Tail};
use crate::surface::Host;

pub(super) struct Context {
    pub(super) gate: Arc<Gate>,
    pub(super) fallback: Arc<dyn Fallback>,
    pub(super) serving: Serving,
    pub(super) drain: watch::Receiver<bool>,
    pub(super) connections: Arc<AtomicUsize>,
}

/// Counts a connection out, however it ends.
struct Counted<'a>(&'a Context);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
        self.0.gate.shared.metrics.connections.dec();
    }
}

const HTTP2_STREAMS_MAX: u32 = 100;
const HTTP2_RESETS_MAX: usize = 20;

pub(super) async fn serve(context: Arc<Context>, admitted: Admitted) {
    context.gate.shared.metrics.connections.inc();
    let _counted = Counted(&context);
    let _place = admitted.place;
    if let Err(cause) = shake_hands(&context, admitted.stream, admitted.peer).await {
        tracing::debug!(%cause, "connection ended");
    }
}

async fn shake_hands(context: &Arc<Context>, stream: std::net::TcpStream, peer: Peer) -> Result<(), crate::BoxError> {
    let stream = TcpStream::from_std(stream)?;
    stream.set_nodelay(true)?;
    match &context.serving.tls {
        None => talk(context, stream, peer).await,
        Some(acceptor) => {
            let stream = tokio::time::timeout(context.serving.head_timeout, acceptor.accept(stream)).await??;
            talk(context, stream, peer).await
        }
    }
}

async fn talk<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    context: &Arc<Context>,
    stream: T,
    peer: Peer,
) -> Result<(), crate::BoxError> {
    let serving = &context.serving;
    let (stream, tail) = Strict::new(Patient::new(stream, serving.head_timeout, serving.write_timeout));
    let service = service_fn(move |request| answer(context.clone(), &tail, peer, request));
    let builder = builder(serving);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut drain = context.drain.clone();
    tokio::select! {
        ended = connection.as_mut() => return ended,
        _ = drain.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

fn builder(serving: &Serving) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Without a timer hyper's read time-out silently switches itself off. A head may have a hundred headers: hyper's own bound, and the only one for
    // which it needs no memory from the heap.
    builder
        .http1()
        .timer(HeadTimer::default())
        .header_read_timeout(serving.head_timeout)
        .max_buf_size(serving.head_bytes_max);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20))
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .max_header_list_size(serving.head_bytes_max as u32)
        .max_pending_accept_reset_streams(HTTP2_RESETS_MAX);
    builder
}

/// What is to be done with a request, known from its head. Nearly every one is of the large kind.
#[allow(clippy::large_enum_variant)]
enum Asked {
    Ours(Head, Incoming),
    Others(BoxFuture<'static, Response<UnsyncBoxBody<Bytes, BoxError>>>),
    Nothing(Refusal),
}

impl Asked {
    fn of(context: &Context, tail: &Tail, peer: Peer, request: Request<Incoming>) -> Self {
        let (mut parts, body) = request.into_parts();
        if let Err(refusal) = tail.judge(&parts) {
            return Self::Nothing(refusal);
        }
        let is_tls = Secure(context.serving.tls.is_some());
        let Arrival { peer, secure } = context.serving.proxies.arrival(peer, is_tls, &parts.headers);
        if let Some(place) = place(context, &parts) {
            return Self::Ours(Head::read_below(parts, peer, place), body);
        }
        if head::is_ours(parts.uri.path()) {
            return Self::Ours(Head::read(parts, peer), body);
        }
        parts.extensions.insert(secure);
        if let Some(peer) = peer {
            parts.extensions.insert(peer);
        }
        Self::Others(context.fallback.call(Request::from_parts(parts, body)))
    }
}

/// The gateway that a host name leads to. Nearly nobody has one, so nothing is read before that is known.
fn place(context: &Context, parts: &Parts) -> Option<Place> {
    let snapshot = context.gate.shared.snapshot.load();
    if !snapshot.has_domains() {
        return None;
    }
    let host = named_host(&parts.uri, parts.headers.get(HOST))?;
    let gateway = snapshot.gateway_of_host(&host)?;
    Some(Place { account: snapshot.account.clone(), gateway: gateway.clone() })
}

// No `async fn`: that would keep the request beside the place it is moved to, and hyper copies the future of every request.
fn answer(
    context: Arc<Context>,
    tail: &Tail,
    peer: Peer,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<ReplyBody>, Infallible>> + use<> {
    let version = request.version();
    let asked = Asked::of(&context, tail, peer, request);
    async move {
        let answer = match asked {
            Asked::Ours(head, body) => serve_request(&context.gate, &head, body).await,
            Asked::Others(answer) => answer.await.map(ReplyBody::Other),
            Asked::Nothing(refusal) => return Ok(edge::refusal(&refusal, Host::Gateway)),
        };
        let patience = context.serving.write_timeout;
        Ok(if version == Version::HTTP_2 { answer.map(|body| body.watched(patience)) } else { answer })
    }
}
