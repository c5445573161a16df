//! Asks the server that runs on this data directory.
//!
//! Enters: a method, a URL, a token. Leaves: the answer's JSON. Never: goes beyond this machine by itself, or waits for ever.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::{Method, Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tollgate_model::Secret;

const DEADLINE: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// The `result` of the answer.
pub(super) fn ask(method: Method, url: &str, token: &Secret) -> anyhow::Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asking = async { tokio::time::timeout(DEADLINE, send(method, url, token)).await };
    runtime.block_on(asking).with_context(|| format!("{url} did not answer within {} s", DEADLINE.as_secs()))?
}

async fn send(method: Method, url: &str, token: &Secret) -> anyhow::Result<Value> {
    let uri: Uri = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
    ensure!(uri.scheme_str() == Some("http"), "only http:// is spoken here; ask {url} with curl instead");
    let authority = uri.authority().with_context(|| format!("{url:?} names no host"))?;
    let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(&address).await.with_context(|| format!("nothing answers at {address}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::HOST, authority.as_str())
        .header(http::header::AUTHORIZATION, format!("Bearer {}", token.expose()))
        .body(Empty::<Bytes>::new())?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await.context("the server hung up")?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|cause| anyhow::anyhow!("the answer broke off: {cause}"))?.to_bytes();
    let mut answer: Value =
        serde_json::from_slice(&body).with_context(|| format!("{url} is not a Tollgate ({status})"))?;
    if !status.is_success() {
        bail!("the server said {status}: {}", answer["errors"][0]["message"].as_str().unwrap_or("no reason"));
    }
    Ok(answer["result"].take())
}
