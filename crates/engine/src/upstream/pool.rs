//! Connections of one worker, by origin.
//!
//! Enters: a request for an origin. Leaves: an answer with the lease of its connection. Never: gives out a connection whose last answer
//! was not read to its framed end: a lease that is dropped closes it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ahash::RandomState;
use hashbrown::HashMap;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tollgate_dial::{Stream as Net, authority};
use tollgate_model::{Clock, Moment};
use tollgate_rules::retry::Budget;
use tollgate_wire::provider::Origin;

use super::dial::{Dialer, Stream};
use super::{Answered, Bounds, Miss, UpstreamBody};
use crate::alarm::Alarm;

pub(crate) struct Upstream {
    dialer: Dialer,
    bounds: Bounds,
    clock: Clock,
    pools: Mutex<HashMap<Origin, Arc<Pool>, RandomState>>,
}

/// The connections to one origin.
pub(crate) struct Pool {
    origin: Origin,
    /// The origin as records name it.
    name: Arc<str>,
    host: HeaderValue,
    idle: Mutex<Vec<Idle>>,
    shared: Mutex<Option<http2::SendRequest<UpstreamBody>>>,
    places: Arc<Semaphore>,
    budget: Mutex<Budget>,
}

struct Idle {
    sender: http1::SendRequest<UpstreamBody>,
    /// Held for as long as the connection is.
    _place: OwnedSemaphorePermit,
    since: Moment,
    alarm: Alarm,
}

/// The connection that an answer's body is still arriving on.
pub(crate) struct Lease(Option<(Idle, Arc<Pool>)>);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    pub(crate) queue_us: u64,
    pub(crate) connect_us: u64,
    pub(crate) reused: bool,
}

enum Sender {
    Http1(Idle),
    Http2(http2::SendRequest<UpstreamBody>),
}

// === impl Upstream ===

impl Upstream {
    pub(crate) fn new(dialer: Dialer, bounds: Bounds, clock: Clock) -> Self {
        Self { dialer, bounds, clock, pools: Mutex::default() }
    }

    /// Sends one request and waits for the head of its answer, at most for `patience`. Cancelling it closes the connection it was on.
    /// Attempts are numbered from 1: only the first earns the origin part of a retry.
    // Not an `async fn`: that would keep the request's place beside the one it is moved to, for as long as the answer takes.
    pub(crate) fn send<'a>(
        &'a self,
        pool: &'a Arc<Pool>,
        mut request: Request<UpstreamBody>,
        now: Moment,
        patience: Duration,
        attempt: u8,
    ) -> impl Future<Output = Result<Answered, Miss>> + Send + 'a {
        if attempt == 1 {
            pool.budget.lock().deposit(now.millis());
        }
        async move {
            let until = Instant::now() + patience;
            let mut timing = Timing::default();
            loop {
                let sent = match self.sender(pool, until, &mut timing).await? {
                    Sender::Http1(mut idle) => {
                        request.headers_mut().insert(HOST, pool.host.clone());
                        let sending = pin!(idle.sender.try_send_request(request));
                        let response = answered(idle.alarm.unless(until, sending).await);
                        idle.since = now;
                        response.map(|response| (response, Lease(Some((idle, pool.clone())))))
                    }
                    Sender::Http2(mut sender) => {
                        absolute(&mut request, &pool.origin);
                        let sending = pin!(sender.try_send_request(request));
                        let response = answered(tokio::time::timeout_at(until, sending).await.ok());
                        response.map(|response| (response, Lease(None)))
                    }
                };
                match sent {
                    Ok((response, lease)) => return Ok(Answered { response, lease, timing }),
                    // The connection had died while idle and nothing was sent: that is not a failed attempt.
                    Err(Unsent::Refused(_, Some(unsent))) if timing.reused => request = *unsent,
                    Err(Unsent::Refused(cause, _)) => return Err(Miss::Broken(cause.into())),
                    Err(Unsent::Late) => return Err(Miss::Timeout("the first byte")),
                }
            }
        }
    }

    /// A connection that is there, or a new one.
    async fn sender(&self, pool: &Arc<Pool>, until: Instant, timing: &mut Timing) -> Result<Sender, Miss> {
        let idle = pool.take();
        timing.reused = idle.is_some();
        match idle {
            Some(sender) => Ok(sender),
            None => {
                // Boxed: connecting is rare and its future large (TLS), and every request's future would carry room for it.
                let opening = Box::pin(self.open(pool, timing));
                tokio::time::timeout_at(until, opening).await.unwrap_or(Err(Miss::Timeout("the connection")))
            }
        }
    }

    pub(crate) fn may_retry(&self, origin: &Origin) -> bool {
        self.pool(origin).budget.lock().withdraw(self.clock.now().millis())
    }

    /// Closes what nobody used for a while. Called by the worker's housekeeper.
    pub(crate) fn sweep(&self) {
        let now = self.clock.now();
        self.pools.lock().retain(|_, pool| {
            pool.idle.lock().retain(|idle| !idle.sender.is_closed() && now.since(idle.since) < self.bounds.idle);
            Arc::strong_count(pool) > 1
                || !pool.idle.lock().is_empty()
                || pool.shared.lock().as_ref().is_some_and(|sender| !sender.is_closed())
        });
    }

    pub(crate) fn pool(&self, origin: &Origin) -> Arc<Pool> {
        let mut pools = self.pools.lock();
        if let Some(pool) = pools.get(origin) {
            return pool.clone();
        }
        let pool = Arc::new(Pool::new(origin, self.bounds.connections_max));
        pools.insert(origin.clone(), pool.clone());
        pool
    }

    async fn open(&self, pool: &Arc<Pool>, timing: &mut Timing) -> Result<Sender, Miss> {
        let asked = self.clock.now();
        let place = match pool.places.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                let place = tokio::time::timeout(self.bounds.queue, pool.places.clone().acquire_owned()).await;
                place.map_err(|_| Miss::Full)?.map_err(|_| Miss::Full)?
            }
        };
        let begun = self.clock.now();
        timing.queue_us = begun.micros_since(asked);
        let opened = tokio::time::timeout(self.bounds.connect, self.connect(pool, place)).await;
        timing.connect_us = self.clock.now().micros_since(begun);
        opened.unwrap_or(Err(Miss::Timeout("the connection")))
    }

    async fn connect(&self, pool: &Arc<Pool>, place: OwnedSemaphorePermit) -> Result<Sender, Miss> {
        match self.dialer.dial(&pool.origin).await? {
            Stream::Net(Net::Http2(io)) => self.shake_http2(*io, pool, place).await,
            Stream::Net(Net::Http1(io)) => self.shake_http1(*io, place).await,
            Stream::Net(Net::Plain(io)) => self.shake_http1(io, place).await,
            Stream::Memory(io) => self.shake_http1(io, place).await,
        }
    }

    async fn shake_http1<I>(&self, io: I, place: OwnedSemaphorePermit) -> Result<Sender, Miss>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let mut builder = http1::Builder::new();
        // As on the callers' side: hyper's own bound on the number of headers, which costs nothing.
        builder.max_buf_size(self.bounds.head_bytes_max);
        let (sender, connection) = builder.handshake(io).await.map_err(|cause| Miss::Broken(cause.into()))?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(Sender::Http1(Idle { sender, _place: place, since: self.clock.now(), alarm: Alarm::default() }))
    }

    async fn shake_http2<I>(&self, io: I, pool: &Pool, place: OwnedSemaphorePermit) -> Result<Sender, Miss>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_header_list_size(self.bounds.head_bytes_max as u32)
            .keep_alive_interval(Duration::from_secs(30))
            .adaptive_window(true);
        let (sender, connection) = builder.handshake(io).await.map_err(|cause| Miss::Broken(cause.into()))?;
        tokio::spawn(async move {
            // The place is held as long as the connection lives.
            drop(connection.await);
            drop(place);
        });
        *pool.shared.lock() = Some(sender.clone());
        Ok(Sender::Http2(sender))
    }
}

// === impl Pool ===

impl Pool {
    fn new(origin: &Origin, connections_max: usize) -> Self {
        Self {
            origin: origin.clone(),
            name: origin.text().into(),
            host: HeaderValue::try_from(authority(origin)).unwrap_or(HeaderValue::from_static("invalid")),
            idle: Mutex::default(),
            shared: Mutex::default(),
            places: Arc::new(Semaphore::new(connections_max)),
            budget: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The most recently used connection that is ready: the others may then grow old and be closed.
    fn take(&self) -> Option<Sender> {
        if let Some(shared) = self.shared.lock().as_ref().filter(|sender| !sender.is_closed()) {
            return Some(Sender::Http2(shared.clone()));
        }
        let mut idle = self.idle.lock();
        let mut at = idle.len();
        while at > 0 {
            at -= 1;
            if idle[at].sender.is_closed() {
                drop(idle.remove(at));
            } else if idle[at].sender.is_ready() {
                return Some(Sender::Http1(idle.remove(at)));
            }
        }
        None
    }
}

/// Why there is no answer, and the request if it never went out.
enum Unsent {
    Refused(hyper::Error, Option<Box<Request<UpstreamBody>>>),
    Late,
}

type Tried = Result<Response<Incoming>, hyper::client::conn::TrySendError<Request<UpstreamBody>>>;

/// `None`: the deadline came first.
fn answered(tried: Option<Tried>) -> Result<Response<Incoming>, Unsent> {
    tried.ok_or(Unsent::Late)?.map_err(|mut failed| {
        let request = failed.take_message().map(Box::new);
        Unsent::Refused(failed.into_error(), request)
    })
}

/// HTTP/2 says scheme and authority in pseudo-headers, which hyper takes from the URI.
fn absolute(request: &mut Request<UpstreamBody>, origin: &Origin) {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if let Ok(uri) = format!("{}://{}{path}", origin.scheme, authority(origin)).parse() {
        *request.uri_mut() = uri;
    }
    *request.version_mut() = Version::HTTP_2;
}

// === impl Lease ===

impl Lease {
    /// The answer was read to its end: the connection may serve again. Without this it is closed.
    pub(crate) fn give_back(mut self) {
        if let Some((idle, pool)) = self.0.take()
            && !idle.sender.is_closed()
        {
            pool.idle.lock().push(idle);
        }
    }
}
