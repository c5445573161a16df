//! A caller that speaks bytes, for what no HTTP client would say.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::town::Town;

/// Silence for so long is not the expected answer any more.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Raw(pub TcpStream);

/// A request with the right length, as text.
pub fn post(rest: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /v1/acc/g/{rest} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

impl Raw {
    pub async fn to(town: &Town) -> Self {
        Self::open(town.address).await
    }

    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// The gateway may have closed already: then the answer tells.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Everything until these bytes came.
    pub async fn until(&mut self, end: &str) -> String {
        let mut heard = Vec::new();
        while memchr::memmem::find(&heard, end.as_bytes()).is_none() {
            let read = tokio::time::timeout(PATIENCE, self.0.read_buf(&mut heard)).await;
            let heard = String::from_utf8_lossy(&heard);
            assert!(read.is_ok_and(|read| read.is_ok_and(|read| read > 0)), "no {end:?} in {heard:?}");
        }
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Everything until the gateway closes. Panics when it does not.
    pub async fn rest(&mut self) -> String {
        let mut heard = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut heard)).await;
        let heard = String::from_utf8_lossy(&heard).into_owned();
        assert!(read.is_ok(), "still open after {heard:?}");
        heard
    }
}
