//! Listens, and shares connections out among worker threads.
//!
//! Enters: a listening socket. Leaves: nothing: answers go out on the connections. Never: lets a slow caller hold a thread, or a full process accept.
//!
//! One current-thread runtime for each core: a connection stays on the thread that got it, and so do the upstream connections that serve it, so the
//! hot path crosses no thread and takes no contended lock. Connections are handed to the worker that has the fewest.

mod connection;
mod head_timer;
mod patient;
mod worker;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tollgate_dial::{Resolver, TlsRoots};
use tollgate_model::Peer;
use tollgate_rules::egress::Egress;
use tollgate_rules::proxy::Proxies;
use tollgate_store::journal::Journal;
use tollgate_testkit::Sandbox;

use crate::body::BoxError;
use crate::gate::Shared;
use crate::upstream::Bounds;

pub use worker::Workers;

/// What answers everything outside the data plane.
pub trait Fallback: Send + Sync + 'static {
    fn call(&self, request: Request<Incoming>) -> BoxFuture<'static, Response<UnsyncBoxBody<Bytes, BoxError>>>;
}

/// How connections are served.
#[derive(Clone)]
pub struct Serving {
    pub workers: usize,
    pub connections_max: usize,
    pub head_bytes_max: usize,
    /// For a whole request head, and for the first byte on an idle connection.
    pub head_timeout: Duration,
    /// For a caller to take some of what is written to it.
    pub write_timeout: Duration,
    pub tls: Option<tokio_rustls::TlsAcceptor>,
    /// Whose word is taken on where a request comes from.
    pub proxies: Proxies,
    pub egress: Arc<Egress>,
    /// Where webhooks may be. Public addresses only; tests open more.
    pub outside: Arc<Egress>,
    pub upstream: Bounds,
    pub roots: TlsRoots,
    pub resolver: Resolver,
    pub sandbox: Sandbox,
}

impl Serving {
    pub fn new(sandbox: Sandbox) -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            connections_max: 16_384,
            head_bytes_max: 64 * 1024,
            head_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
            tls: None,
            proxies: Proxies::default(),
            egress: Arc::default(),
            outside: Arc::default(),
            upstream: Bounds::default(),
            roots: TlsRoots::default(),
            resolver: Resolver::default(),
            sandbox,
        }
    }
}

/// What one accepted connection holds while it lives.
pub(crate) struct Admitted {
    stream: std::net::TcpStream,
    peer: Peer,
    place: OwnedSemaphorePermit,
}

/// Accepts until `drain` says stop, then waits for the workers to finish or for `patience` to run out.
pub async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    journal: &Journal,
    fallback: Arc<dyn Fallback>,
    serving: Serving,
    mut drain: watch::Receiver<bool>,
    patience: Duration,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(serving.connections_max));
    let workers = Workers::start(&shared, journal, &fallback, &serving, &drain)?;
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.map_err(io::Error::other)?,
            _ = drain.wait_for(|stop| *stop) => break,
        };
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = drain.wait_for(|stop| *stop) => break,
        };
        match stream {
            Ok((stream, address)) => {
                workers.give(Admitted { stream: stream.into_std()?, peer: Peer::of(address.ip()), place });
            }
            Err(cause) => rest(&cause).await,
        }
    }
    drop(listener);
    workers.finish(patience).await;
    Ok(())
}

/// Out of descriptors, most likely: connections that end free some. Not a reason to spin, nor to stop.
async fn rest(cause: &io::Error) {
    if matches!(
        cause.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    ) {
        return;
    }
    tracing::warn!(%cause, "cannot accept a connection");
    tokio::time::sleep(Duration::from_millis(50)).await;
}
