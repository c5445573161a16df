//! Sends one request and brings back one whole answer.
//!
//! Enters: a request with an absolute URL, and its limits. Leaves: status, headers and body as they came, redirects included. Never: follows one,
//! decodes, retries, holds more of a body than was allowed, or keeps a connection.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderValue, USER_AGENT};
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use tokio::task::JoinSet;
use tollgate_rules::egress::{Egress, Forbidden};
use tollgate_wire::provider::Origin;

use crate::dialer::{Dialer, Speaks, Stream, TlsRoots, Unconnected};
use crate::resolve::Resolver;

pub struct Client {
    dialer: Dialer,
    egress: Arc<Egress>,
}

/// What one exchange may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the call to the last byte of the answer.
    pub total: Duration,
    /// A longer answer is none.
    pub body_bytes_max: usize,
}

/// Why there is no whole answer. The texts name hosts: for logs and operators.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Nothing was connected to.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    #[error(transparent)]
    Unconnected(#[from] Unconnected),
    #[error("no whole answer in {0:?}")]
    Timeout(Duration),
    #[error("the answer is longer than {0} bytes")]
    TooLarge(usize),
    #[error("the connection broke: {0}")]
    Broken(crate::BoxError),
}

const CONNECT: Duration = Duration::from_secs(10);
const HEAD_BYTES_MAX: usize = 64 * 1024;

// === impl Client ===

impl Client {
    pub fn new(egress: Arc<Egress>, roots: TlsRoots, resolver: Resolver) -> Self {
        let dialer = Dialer::new(egress.clone(), roots, resolver, Speaks::Http1, CONNECT);
        Self { dialer, egress }
    }

    /// The request's URL is absolute: `https://...`, or `http://...` where the operator opened a private range.
    pub async fn send(&self, request: Request<Bytes>, limits: Limits) -> Result<Response<Bytes>, Failed> {
        // Judged as text: a parsed URI would already have lost what makes it doubtful, such as a user name.
        let (origin, path) = self.egress.destination(&request.uri().to_string())?;
        let exchange = async {
            let request = written(request, &origin, &path)?;
            match self.dialer.dial(&origin).await? {
                Stream::Plain(io) => exchange(io, request, limits).await,
                Stream::Http1(io) | Stream::Http2(io) => exchange(*io, request, limits).await,
            }
        };
        tokio::time::timeout(limits.total, exchange).await.map_err(|_| Failed::Timeout(limits.total))?
    }
}

/// As it stands on an HTTP/1.1 connection.
fn written(request: Request<Bytes>, origin: &Origin, path: &str) -> Result<Request<Full<Bytes>>, Failed> {
    let mut request = request.map(Full::new);
    *request.uri_mut() = path.parse().map_err(broken)?;
    *request.version_mut() = http::Version::HTTP_11;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::try_from(authority(origin)).map_err(broken)?);
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static("tollgate"));
    Ok(request)
}

async fn exchange<I>(io: I, request: Request<Full<Bytes>>, limits: Limits) -> Result<Response<Bytes>, Failed>
where
    I: Read + Write + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX);
    let (mut sender, connection) = builder.handshake(io).await.map_err(broken)?;
    // Ends with this exchange, however it ends.
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
    let body = Limited::new(body, limits.body_bytes_max).collect().await.map_err(|cause| match cause {
        cause if cause.is::<LengthLimitError>() => Failed::TooLarge(limits.body_bytes_max),
        cause => Failed::Broken(cause),
    })?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

fn broken(cause: impl Into<crate::BoxError>) -> Failed {
    Failed::Broken(cause.into())
}

/// The value of `Host`: the port only where it is not the scheme's own.
pub fn authority(origin: &Origin) -> String {
    match (origin.scheme.as_str(), origin.port) {
        ("https", 443) | ("http", 80) | ("builtin", _) => origin.host.clone(),
        (_, port) => format!("{}:{port}", origin.host),
    }
}
