//! The reference: the least a reverse proxy on hyper can be. Forwards everything untouched.
//!
//! Enters: HTTP/1.1 requests. Leaves: the upstream's answers. Never: looks at a body, checks a caller, counts or logs.
//!
//! Built as one would build it by the book: hyper's HTTP/1 server, hyper-util's pooled client, one current-thread runtime
//! per core, mimalloc, the gateway's own build profile. The gateway's figures are divided by those of this page.

use std::net::SocketAddr;
use std::thread;

use anyhow::Context;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

const BACKLOG: i32 = 1024;

#[derive(clap::Args)]
pub struct Options {
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[arg(long, value_name = "ADDR:PORT")]
    upstream: Authority,
    /// Threads; one for each core it may use, unless told
    #[arg(long)]
    threads: Option<usize>,
}

type Upstream = Client<HttpConnector, Incoming>;
type Answer = Response<Either<Incoming, Empty<Bytes>>>;

pub fn run(options: &Options) -> anyhow::Result<()> {
    let threads = options.threads.or(thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let first = listen(options.listen)?;
    let address = first.local_addr()?;
    for number in 1..threads {
        let (listener, upstream) = (listen(address)?, options.upstream.clone());
        thread::Builder::new().name(format!("proxy-{number}")).spawn(move || serve(listener, upstream))?;
    }
    println!("proxy listening on http://{address}");
    serve(first, options.upstream.clone())
}

/// Each thread has a socket of its own on the same port; the kernel spreads connections over them.
fn listen(address: SocketAddr) -> anyhow::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into()).with_context(|| format!("listening on {address}"))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn serve(listener: std::net::TcpListener, upstream: Authority) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: Upstream = Client::builder(TokioExecutor::new()).build(connector);
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(talk(stream, client.clone(), upstream.clone()));
        }
    })
}

async fn talk(stream: TcpStream, client: Upstream, upstream: Authority) {
    if stream.set_nodelay(true).is_err() {
        return; // gone before it said anything
    }
    let service = service_fn(|request| forward(&client, &upstream, request));
    // An error here is the caller's connection ending; there is nobody left to tell.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn forward(
    client: &Upstream,
    upstream: &Authority,
    mut request: Request<Incoming>,
) -> Result<Answer, http::Error> {
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() =
        Uri::builder().scheme(Scheme::HTTP).authority(upstream.clone()).path_and_query(path).build()?;
    match client.request(request).await {
        Ok(answer) => Ok(answer.map(Either::Left)),
        Err(_) => Response::builder().status(StatusCode::BAD_GATEWAY).body(Either::Right(Empty::new())),
    }
}
