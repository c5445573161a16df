//! A resolver that says what a test wants, and ears that count who connects.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tollgate_dial::{Client, Failed, Limits, Resolve, Resolver, TlsRoots};
use tollgate_rules::egress::Egress;

/// Answers each name with the next of its answers, and keeps to the last.
pub(crate) struct Scripted {
    answers: HashMap<&'static str, Vec<Vec<IpAddr>>>,
    /// For all other names.
    otherwise: Vec<IpAddr>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Scripted {
    pub(crate) fn new(answers: &[(&'static str, &[&[&str]])], otherwise: &[&str]) -> Arc<Self> {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let answers =
            answers.iter().map(|(name, turns)| (*name, turns.iter().map(|turn| addresses(turn)).collect())).collect();
        Arc::new(Self { answers, otherwise: addresses(otherwise), asked: Mutex::default() })
    }
}

impl Resolve for Scripted {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let mut asked = self.asked.lock().unwrap();
        let turn = asked.iter().filter(|other| **other == name).count();
        asked.push(name.clone());
        let answer = match self.answers.get(name.as_str()) {
            Some(turns) => turns[turn.min(turns.len() - 1)].clone(),
            None => self.otherwise.clone(),
        };
        Box::pin(async move { Ok(answer) })
    }
}

/// Listens, answers every request with the same bytes, and counts connections.
#[derive(Clone)]
pub(crate) struct Ear {
    pub(crate) address: SocketAddr,
    heard: Arc<AtomicUsize>,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

impl Ear {
    pub(crate) async fn at(address: &str, answer: impl Into<String>) -> Option<Self> {
        let listener = TcpListener::bind(address).await.ok()?;
        let ear = Self { address: listener.local_addr().unwrap(), heard: Arc::default(), requests: Arc::default() };
        let (this, answer) = (ear.clone(), answer.into());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                this.heard.fetch_add(1, Ordering::SeqCst);
                let mut head = vec![0; 64 * 1024];
                let read = stream.read(&mut head).await.unwrap_or(0);
                this.requests.lock().unwrap().push(String::from_utf8_lossy(&head[..read]).into_owned());
                drop(stream.write_all(answer.as_bytes()).await);
            }
        });
        Some(ear)
    }

    pub(crate) fn connections(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

pub(crate) const LIMITS: Limits = Limits { total: Duration::from_secs(20), body_bytes_max: 1_000 };

pub(crate) fn egress(ranges: &[&str]) -> Arc<Egress> {
    Arc::new(Egress { allow_private: ranges.iter().map(|range| range.parse().unwrap()).collect() })
}

pub(crate) fn client(egress: &Arc<Egress>, resolver: Resolver) -> Client {
    // A configuration that trusts nobody: a test that comes as far as TLS has connected already.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let nobody = rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty());
    Client::new(egress.clone(), TlsRoots::Given(Arc::new(nobody.with_no_client_auth())), resolver)
}

/// `None` when it is not even a URI.
pub(crate) async fn get(client: &Client, url: &str) -> Option<Result<Response<Bytes>, Failed>> {
    let request = Request::get(url).body(Bytes::new()).ok()?;
    Some(client.send(request, LIMITS).await)
}
