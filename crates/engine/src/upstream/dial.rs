//! Opens one connection to an origin.
//!
//! Enters: an origin. Leaves: a stream, and the protocol that was agreed on. Never: connects to an address that egress does not permit:
//! the resolver hands on only vetted addresses, and addresses written as such are vetted before.
//!
//! TLS is set up at the first https origin: reading the system's roots takes milliseconds that a start need not pay.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::DuplexStream;
use tokio::net::TcpStream;
use tollgate_rules::egress::Egress;
use tollgate_testkit::Sandbox;
use tollgate_wire::provider::Origin;
use tower::{Service, ServiceExt};

use super::Miss;
use crate::body::BoxError;

pub(crate) struct Dialer {
    http: HttpConnector<Vetted>,
    tls: OnceLock<Result<HttpsConnector<HttpConnector<Vetted>>, String>>,
    roots: TlsRoots,
    egress: Arc<Egress>,
    sandbox: Sandbox,
}

/// Whose word is taken for a provider's certificate.
#[derive(Clone, Debug, Default)]
pub enum TlsRoots {
    /// The system's store, with companies' own authorities in it.
    #[default]
    System,
    /// A configuration made elsewhere (tests bring their own authority).
    Given(Arc<rustls::ClientConfig>),
}

pub(crate) enum Stream {
    Tcp(TokioIo<TcpStream>),
    Tls(Box<MaybeHttpsStream<TokioIo<TcpStream>>>, Protocol),
    Memory(TokioIo<DuplexStream>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

// === impl Dialer ===

impl Dialer {
    pub(crate) fn new(egress: Arc<Egress>, roots: TlsRoots, connect: Duration, sandbox: Sandbox) -> Self {
        let mut http = HttpConnector::new_with_resolver(Vetted(egress.clone()));
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(connect));
        http.set_keepalive(Some(Duration::from_secs(60)));
        Self { http, tls: OnceLock::new(), roots, egress, sandbox }
    }

    pub(crate) async fn dial(&self, origin: &Origin) -> Result<Stream, Miss> {
        match origin.scheme.as_str() {
            "builtin" => Ok(Stream::Memory(TokioIo::new(self.sandbox.connect()))),
            "http" => self.plain(origin).await,
            _ => self.secure(origin).await,
        }
    }

    async fn plain(&self, origin: &Origin) -> Result<Stream, Miss> {
        let uri = self.vetted_uri(origin)?;
        let stream = self.http.clone().oneshot(uri).await.map_err(|cause| Miss::Connect(cause.into()))?;
        Ok(Stream::Tcp(stream))
    }

    async fn secure(&self, origin: &Origin) -> Result<Stream, Miss> {
        let uri = self.vetted_uri(origin)?;
        let connector =
            self.tls.get_or_init(|| self.connector()).as_ref().map_err(|cause| Miss::Tls(cause.clone().into()))?;
        let stream = connector.clone().oneshot(uri).await.map_err(connect_or_tls)?;
        let protocol = match &stream {
            MaybeHttpsStream::Https(tls) if tls.inner().get_ref().1.alpn_protocol() == Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        };
        Ok(Stream::Tls(Box::new(stream), protocol))
    }

    fn connector(&self) -> Result<HttpsConnector<HttpConnector<Vetted>>, String> {
        let config = match &self.roots {
            TlsRoots::Given(config) => (**config).clone(),
            TlsRoots::System => rustls::ClientConfig::builder()
                .with_platform_verifier()
                .map_err(|cause| format!("the system's certificate roots cannot be read: {cause}"))?
                .with_no_client_auth(),
        };
        Ok(HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_all_versions()
            .wrap_connector(self.http.clone()))
    }

    /// A host that is an address does not pass the resolver, so it is vetted here.
    fn vetted_uri(&self, origin: &Origin) -> Result<http::Uri, Miss> {
        let literal = origin.host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if literal.is_ok_and(|address| !self.egress.permits(address)) {
            return Err(Miss::Connect(forbidden(&origin.host).into()));
        }
        format!("{}://{}:{}/", origin.scheme, origin.host, origin.port)
            .parse()
            .map_err(|cause: http::uri::InvalidUri| Miss::Connect(cause.into()))
    }
}

fn forbidden(host: &str) -> io::Error {
    let what = format!("{host} is a private address; name its range in [egress] allow_private to reach it");
    io::Error::new(io::ErrorKind::PermissionDenied, what)
}

/// The connector tells of the socket in a type of its own, and of what went wrong on it, which can only be the handshake, as I/O.
fn connect_or_tls(cause: BoxError) -> Miss {
    if cause.is::<io::Error>() { Miss::Tls(cause) } else { Miss::Connect(cause) }
}

/// The system's resolver, followed by the egress rule: *all* addresses must be permitted, or the name is refused.
#[derive(Clone)]
struct Vetted(Arc<Egress>);

impl Service<Name> for Vetted {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let egress = self.0.clone();
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            match addresses.iter().find(|address| !egress.permits(address.ip())) {
                Some(_) => Err(forbidden(name.as_str())),
                None => Ok(addresses.into_iter()),
            }
        })
    }
}
