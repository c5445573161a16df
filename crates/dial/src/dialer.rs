//! Opens one connection to an origin.
//!
//! Enters: an origin. Leaves: a stream, and the protocol that was agreed on. Never: connects to an address that egress does not permit: the host is judged
//! as it is written, then every address that it resolves to, then the peer of the socket before the first byte.
//!
//! TLS is set up at the first https origin: reading the system's roots takes milliseconds that a start need not pay.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tollgate_rules::egress::{Egress, Forbidden};
use tollgate_wire::provider::Origin;
use tower::ServiceExt;

use crate::BoxError;
use crate::resolve::{Resolver, Vetted, forbidden};

pub struct Dialer {
    http: HttpConnector<Vetted>,
    tls: OnceLock<Result<TlsConnector, String>>,
    roots: TlsRoots,
    speaks: Speaks,
    egress: Arc<Egress>,
}

/// Whose word is taken for a server's certificate.
#[derive(Clone, Debug, Default)]
pub enum TlsRoots {
    /// The system's store, with companies' own authorities in it.
    #[default]
    System,
    /// A configuration made elsewhere (tests bring their own authority).
    Given(Arc<rustls::ClientConfig>),
}

/// What is offered to a TLS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    Http1,
    Both,
}

/// An open connection, by what is spoken on it.
pub enum Stream {
    Plain(TokioIo<TcpStream>),
    Http1(Box<TokioIo<TlsStream<TcpStream>>>),
    Http2(Box<TokioIo<TlsStream<TcpStream>>>),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum Unconnected {
    /// Refused, unreachable, a name that does not resolve, an address that is not permitted.
    #[error("could not connect: {0}")]
    Connect(BoxError),
    #[error("TLS failed: {0}")]
    Tls(BoxError),
}

// === impl Dialer ===

impl Dialer {
    /// `connect` bounds the TCP connection; whoever dials bounds the whole.
    pub fn new(egress: Arc<Egress>, roots: TlsRoots, resolver: Resolver, speaks: Speaks, connect: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(Vetted { egress: egress.clone(), resolver });
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(connect));
        http.set_keepalive(Some(Duration::from_secs(60)));
        Self { http, tls: OnceLock::new(), roots, speaks, egress }
    }

    pub async fn dial(&self, origin: &Origin) -> Result<Stream, Unconnected> {
        let tcp = self.connect(origin).await?;
        match origin.scheme.as_str() {
            "http" => Ok(Stream::Plain(TokioIo::new(tcp))),
            _ => self.secure(origin, tcp).await,
        }
    }

    async fn connect(&self, origin: &Origin) -> Result<TcpStream, Unconnected> {
        self.egress.judge(&origin.host).map_err(|cause| Unconnected::Connect(forbidden(cause).into()))?;
        let uri = format!("{}://{}:{}/", origin.scheme, origin.host, origin.port);
        let uri: http::Uri = uri.parse().map_err(|cause: http::uri::InvalidUri| Unconnected::Connect(cause.into()))?;
        let connected = self.http.clone().oneshot(uri).await;
        let tcp = connected.map_err(|cause| Unconnected::Connect(cause.into()))?.into_inner();
        let peer = tcp.peer_addr().map_err(|cause| Unconnected::Connect(cause.into()))?;
        if self.egress.permits(peer.ip()) {
            Ok(tcp)
        } else {
            let cause = Forbidden::Private(peer.to_string());
            Err(Unconnected::Connect(forbidden(cause).into()))
        }
    }

    async fn secure(&self, origin: &Origin, tcp: TcpStream) -> Result<Stream, Unconnected> {
        let tls = self.tls.get_or_init(|| self.connector()).as_ref();
        let tls = tls.map_err(|cause| Unconnected::Tls(cause.clone().into()))?;
        let host = origin.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|cause| Unconnected::Tls(cause.into()))?;
        let stream = tls.connect(name, tcp).await.map_err(|cause| Unconnected::Tls(cause.into()))?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let stream = Box::new(TokioIo::new(stream));
        Ok(if is_http2 { Stream::Http2(stream) } else { Stream::Http1(stream) })
    }

    fn connector(&self) -> Result<TlsConnector, String> {
        let mut config = match &self.roots {
            TlsRoots::Given(config) => (**config).clone(),
            TlsRoots::System => rustls::ClientConfig::builder()
                .with_platform_verifier()
                .map_err(|cause| format!("the system's certificate roots cannot be read: {cause}"))?
                .with_no_client_auth(),
        };
        config.alpn_protocols = match self.speaks {
            Speaks::Http1 => vec![b"http/1.1".to_vec()],
            Speaks::Both => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        Ok(Arc::new(config).into())
    }
}
