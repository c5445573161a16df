//! Opens one connection to a provider: through the door out, or to the sandbox in memory.
//!
//! Enters: an origin. Leaves: a stream, by what is spoken on it. Never: opens a socket itself.

use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tollgate_dial::{Stream as Net, Unconnected};
use tollgate_testkit::Sandbox;
use tollgate_wire::provider::Origin;

use super::Miss;

pub(crate) struct Dialer {
    net: tollgate_dial::Dialer,
    sandbox: Sandbox,
}

pub(crate) enum Stream {
    Net(Net),
    Memory(TokioIo<DuplexStream>),
}

// === impl Dialer ===

impl Dialer {
    pub(crate) fn new(net: tollgate_dial::Dialer, sandbox: Sandbox) -> Self {
        Self { net, sandbox }
    }

    pub(crate) async fn dial(&self, origin: &Origin) -> Result<Stream, Miss> {
        if origin.scheme == "builtin" {
            return Ok(Stream::Memory(TokioIo::new(self.sandbox.connect())));
        }
        self.net.dial(origin).await.map(Stream::Net).map_err(|unconnected| match unconnected {
            Unconnected::Connect(cause) => Miss::Connect(cause),
            Unconnected::Tls(cause) => Miss::Tls(cause),
        })
    }
}
