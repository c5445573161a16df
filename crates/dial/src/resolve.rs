//! From a name to addresses that may be connected to.
//!
//! Enters: a host's name. Leaves: all its addresses, or a refusal if any of them is not permitted. Never: picks the good ones out of a mixed answer: a
//! name that leads inside and outside at once is somebody's trick.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use tollgate_rules::egress::{Egress, Forbidden};
use tower::Service;

/// Who knows the addresses of names.
pub trait Resolve: Send + Sync {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

#[derive(Clone, Default)]
pub enum Resolver {
    /// The operating system.
    #[default]
    System,
    /// Somebody else (tests script one).
    Given(Arc<dyn Resolve>),
}

/// A resolver behind the egress rule, as the connector calls it: once for each connection, and it connects only to what it was given.
#[derive(Clone)]
pub(crate) struct Vetted {
    pub(crate) egress: Arc<Egress>,
    pub(crate) resolver: Resolver,
}

/// More addresses than any honest name has.
const ADDRESSES_MAX: usize = 256;

// === impl Resolver ===

impl Resolver {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        match self {
            Self::Given(resolver) => resolver.resolve(name),
            Self::System => {
                let name = name.to_owned();
                Box::pin(
                    async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) },
                )
            }
        }
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Given(_) => "Given",
        })
    }
}

// === impl Vetted ===

impl Service<Name> for Vetted {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (egress, resolving) = (self.egress.clone(), self.resolver.resolve(name.as_str()));
        Box::pin(async move {
            let addresses = resolving.await?;
            if addresses.len() > ADDRESSES_MAX || !addresses.iter().all(|address| egress.permits(*address)) {
                return Err(forbidden(Forbidden::Private(name.as_str().to_owned())));
            }
            // The port is the connector's to fill in.
            let addresses: Vec<SocketAddr> = addresses.into_iter().map(|address| (address, 0).into()).collect();
            Ok(addresses.into_iter())
        })
    }
}

pub(crate) fn forbidden(cause: Forbidden) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, cause)
}
