//! Connections to providers, kept and reused per worker.
//!
//! Enters: an origin and a request. Leaves: an answer whose body still holds its connection, or a `Miss`.
//! Never: follows a redirect, decodes, retries a request that may have reached the provider, or opens a socket: that is the dial room's.
//!
//! Why not hyper-util's pooled client: a record needs to know how long the queue and the connect took and whether a connection was reused,
//! and a request that met a connection which had died idle must be told apart from one that failed. Each worker thread has pools of its own,
//! so taking a connection out crosses no thread.

mod dial;
mod pool;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use tollgate_rules::retry::Fault;

use crate::body::BoxError;

pub(crate) use dial::Dialer;
pub(crate) use pool::{Lease, Pool, Timing, Upstream};

/// What is sent to a provider.
pub(crate) type UpstreamBody = crate::body::Outgoing;

/// An answer's head, and a body that still needs the connection.
pub(crate) struct Answered {
    pub(crate) response: Response<Incoming>,
    pub(crate) lease: Lease,
    pub(crate) timing: Timing,
}

/// One try that did not work.
#[derive(Debug)]
pub(crate) enum Miss {
    /// No connection: refused, unreachable, a name that does not resolve, an address that is not permitted.
    Connect(BoxError),
    Tls(BoxError),
    /// Nothing came in time; which wait it was.
    Timeout(&'static str),
    /// The connection broke before a whole answer head had come.
    Broken(BoxError),
    /// All places to this origin stayed taken.
    Full,
}

impl Miss {
    /// One stable word for records and metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Tls(_) => "tls",
            Self::Timeout(_) => "timeout",
            Self::Broken(_) => "reset",
            Self::Full => "pool",
        }
    }

    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Timeout(_) => Fault::Timeout,
            _ => Fault::NoAnswer,
        }
    }
}

impl std::fmt::Display for Miss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect(cause) => write!(f, "could not connect: {}", chain(&**cause)),
            Self::Tls(cause) => write!(f, "TLS failed: {}", chain(&**cause)),
            Self::Timeout(wait) => write!(f, "no answer in time, waiting for {wait}"),
            Self::Broken(cause) => write!(f, "the connection broke: {}", chain(&**cause)),
            Self::Full => f.write_str("every connection to this origin stayed in use"),
        }
    }
}

impl std::error::Error for Miss {}

/// An error with its causes in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

/// Bounds of every wait and every buffer on this side.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub connect: Duration,
    /// Waiting for a place when `connections_max` are in use.
    pub queue: Duration,
    pub idle: Duration,
    /// Per origin and worker.
    pub connections_max: usize,
    pub head_bytes_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            queue: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            connections_max: 2_048,
            head_bytes_max: 256 * 1024,
        }
    }
}

/// A request as it goes on the wire, without the parts that depend on the protocol version.
pub(crate) fn request(
    method: http::Method,
    path: &str,
    headers: http::HeaderMap,
    body: UpstreamBody,
) -> Result<Request<UpstreamBody>, http::Error> {
    let uri = http::Uri::from_maybe_shared(Bytes::copy_from_slice(path.as_bytes()))?;
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}
