//! The sandbox on a TCP port, for tests and for the example binary.
//!
//! Enters: an address. Leaves: a listener whose connections end with it.
//! Never: outlives its handle: dropping `Listening` closes the port and every connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::task::{AbortHandle, JoinSet};

use super::Sandbox;
use super::converse::converse;
use crate::http::perform::Left;

/// An open port. Dropping it closes the port and its connections.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Sandbox {
    /// Serves on this address (port 0: any free one) until the handle is dropped.
    pub async fn listen(&self, address: impl ToSocketAddrs) -> io::Result<Listening> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, self.clone())).abort_handle();
        Ok(Listening { address, accepting })
    }
}

// === impl Listening ===

impl Listening {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, sandbox: Sandbox) {
    // Aborted with this task, since the set is dropped with it.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, sandbox.clone()));
            }
            // Out of descriptors, most likely: the next ones come when a connection closes.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(mut stream: TcpStream, sandbox: Sandbox) {
    // Each chunk of a stream is a small write, and must not wait for the previous one's acknowledgement.
    let _ = stream.set_nodelay(true);
    if converse(&mut stream, &sandbox).await == Left::Reset {
        // Without lingering the close becomes a RST.
        let _ = stream.set_zero_linger();
    }
}
