//! Providers behind TLS: both versions of HTTP, and every way a handshake can fail.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tollgate_engine::TlsRoots;
use tollgate_testkit::serve_connection;

use crate::town::{Plan, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";

/// An authority of our own, and certificates of it.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub roots: Arc<rustls::ClientConfig>,
}

impl Authority {
    pub fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let mut store = rustls::RootCertStore::empty();
        store.add(certificate.der().clone()).unwrap();
        let roots = rustls::ClientConfig::builder().with_root_certificates(store).with_no_client_auth();
        Self { issuer: Issuer::new(params, key), roots: Arc::new(roots) }
    }

    fn acceptor(&self, protocols: &[&str], change: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor(certificate.der().clone(), &key, protocols)
    }

    /// A scripted provider behind TLS.
    pub async fn listening(&self, provider: &tollgate_testkit::Sandbox) -> SocketAddr {
        let (acceptor, behind) = (self.acceptor(&["http/1.1"], |_| {}), provider.clone());
        listen(move |stream| {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve_connection(stream, &behind).await;
                }
            }
        })
        .await
    }

    fn plan(&self, address: SocketAddr) -> Plan {
        let roots = self.roots.clone();
        let plan = Plan { upstream: Some(format!("https://{address}")), ..Plan::default() };
        plan.served(move |serving| {
            serving.roots = TlsRoots::Given(roots);
            serving.upstream.connect = Duration::from_millis(500);
            serving.workers = 1;
        })
    }
}

fn acceptor(certificate: rustls::pki_types::CertificateDer<'static>, key: &KeyPair, protocols: &[&str]) -> TlsAcceptor {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    let mut config = config.unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Serves each connection so, until the test ends.
async fn listen<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut serving = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            serving.spawn(serve(stream));
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn http1_is_spoken_when_that_or_nothing_is_agreed_on() {
    let authority = Authority::new();
    for protocols in [&[][..], &["http/1.1"]] {
        let acceptor = authority.acceptor(protocols, |_| {});
        let provider = tollgate_testkit::Sandbox::for_tests();
        let behind = provider.clone();
        let address = listen(move |stream| {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve_connection(stream, &behind).await;
                }
            }
        })
        .await;
        let town = town(authority.plan(address)).await;
        for _ in 0..5 {
            assert_eq!(town.chat(&[], "gpt-4o-mini").await.status, 200);
            let stream = town.post(CHAT, &[], chat_body("gpt-4o-mini", true)).await;
            assert!(stream.body.ends_with(b"data: [DONE]\n\n"));
        }
        assert_eq!(provider.counts().connections, 1);
        let host = provider.recorder().last().request.header("host").map(str::to_owned);
        assert_eq!(host, Some(address.to_string()));
        let record = town.last_record().await;
        assert_eq!(&*record.attempts[0].origin, format!("https://{address}"));
        assert!(town.log().await.last().unwrap().attempts[0].connect_us > 0);
    }
}

type Reply = http::Response<http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>>;

/// Says back what it heard; to `/v1/endless` it speaks until nobody listens.
async fn echo(request: http::Request<Incoming>, left: Arc<AtomicUsize>) -> Result<Reply, Infallible> {
    assert_eq!(request.version(), http::Version::HTTP_2);
    assert!(request.headers().get("connection").is_none() && request.uri().authority().is_some());
    if request.uri().path() == "/v1/endless" {
        let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Frame<Bytes>, Infallible>>(1);
        tokio::spawn(async move {
            while sender.send(Ok(Frame::data(Bytes::from_static(b"data: {}\n\n")))).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            left.fetch_add(1, Ordering::SeqCst);
        });
        let pieces =
            futures_util::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
        let body = http_body_util::combinators::UnsyncBoxBody::new(StreamBody::new(pieces));
        return Ok(http::Response::builder().header("content-type", "text/event-stream").body(body).unwrap());
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Ok(http::Response::new(http_body_util::combinators::UnsyncBoxBody::new(Full::from(body))))
}

/// How the HTTP/2 provider behaves besides echoing.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Stays,
    /// Says goodbye after every answer.
    Leaves,
}

async fn http2_provider(authority: &Authority, manner: Manner) -> (SocketAddr, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (connections, left) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (connections.clone(), left.clone());
    let acceptor = authority.acceptor(&["h2", "http/1.1"], |_| {});
    let address = listen(move |stream| {
        let (acceptor, (connections, left)) = (acceptor.clone(), counted.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            connections.fetch_add(1, Ordering::SeqCst);
            let answered = Arc::new(tokio::sync::Notify::new());
            let done = answered.clone();
            let service = service_fn(move |request| {
                let (left, done) = (left.clone(), done.clone());
                async move {
                    let reply = echo(request, left).await;
                    done.notify_one();
                    reply
                }
            });
            let serving = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
            tokio::pin!(serving);
            tokio::select! {
                _ = serving.as_mut() => return,
                () = answered.notified(), if manner == Manner::Leaves => serving.as_mut().graceful_shutdown(),
            }
            let _ = serving.await;
        }
    })
    .await;
    (address, connections, left)
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_spoken_on_one_connection_when_agreed_on() {
    let authority = Authority::new();
    let (address, connections, _) = http2_provider(&authority, Manner::Stays).await;
    let town = Arc::new(town(authority.plan(address)).await);
    assert_eq!(&town.post("openai/v1/files", &[], "first").await.body[..], b"first");
    let mut asking = JoinSet::new();
    for number in 0..50 {
        let town = town.clone();
        asking.spawn(async move {
            for len in [1, 1_000, 300_000] {
                let body = format!("{number};").repeat(len);
                let heard = town.post("openai/v1/files", &[], body.clone()).await;
                assert!(heard.status == 200 && heard.body == body.as_bytes());
            }
        });
    }
    asking.join_all().await;
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    assert!(town.last_record().await.attempts[0].reused);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_leaves_resets_its_stream_and_no_other() {
    let authority = Authority::new();
    let (address, connections, left) = http2_provider(&authority, Manner::Stays).await;
    let town = town(authority.plan(address)).await;
    for number in 1..=5 {
        let url = town.url("openai/v1/endless");
        let mut response = town.begin("POST", &url, &[], Bytes::new()).await.unwrap();
        response.body_mut().frame().await.unwrap().unwrap();
        drop(response);
        town.until(|| left.load(Ordering::SeqCst) == number).await;
        assert_eq!(&town.post("openai/v1/files", &[], "x").await.body[..], b"x");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_says_goodbye_is_greeted_anew() {
    let authority = Authority::new();
    let (address, connections, _) = http2_provider(&authority, Manner::Leaves).await;
    let town = town(authority.plan(address)).await;
    for _ in 0..30 {
        let heard = town.post("openai/v1/files", &[], "x").await;
        assert_eq!((heard.status, &heard.body[..]), (200, &b"x"[..]));
    }
    assert!(connections.load(Ordering::SeqCst) > 1);
    assert!(town.log().await.iter().all(|record| record.attempts.len() == 1));
}

/// What was said in the clear to a provider that speaks no TLS, or breaks it off.
type Overheard = Arc<parking_lot::Mutex<Vec<u8>>>;

async fn broken(answer: &'static [u8], stalls: bool) -> (SocketAddr, Overheard) {
    let overheard = Overheard::default();
    let listening = overheard.clone();
    let address = listen(move |mut stream| {
        let listening = listening.clone();
        async move {
            let mut heard = [0; 4096];
            let read = stream.read(&mut heard).await.unwrap_or_default();
            listening.lock().extend_from_slice(&heard[..read]);
            let _ = stream.write_all(answer).await;
            if stalls {
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
        }
    })
    .await;
    (address, overheard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_wrong_is_502_and_named_in_the_log() {
    let authority = Authority::new();
    let self_signed = {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        acceptor(certificate.der().clone(), &key, &[])
    };
    let cases = [
        ("expired", authority.acceptor(&[], |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1))),
        ("not yet valid", authority.acceptor(&[], |params| params.not_before = rcgen::date_time_ymd(3000, 1, 1))),
        ("for another name", {
            authority.acceptor(&[], |params| {
                params.subject_alt_names =
                    CertificateParams::new(["example.com".to_owned()]).unwrap().subject_alt_names;
            })
        }),
        ("self-signed", self_signed),
        ("of another authority", Authority::new().acceptor(&[], |_| {})),
    ];
    for (name, acceptor) in cases {
        let served = Arc::new(AtomicUsize::new(0));
        let counted = served.clone();
        let address = listen(move |stream| {
            let (acceptor, counted) = (acceptor.clone(), counted.clone());
            async move {
                if acceptor.accept(stream).await.is_ok() {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
            }
        })
        .await;
        let town = town(authority.plan(address)).await;
        let heard = town.chat(&[], "gpt-4o-mini").await;
        assert_eq!((heard.status, &heard.json()["error"][0]["code"]), (502, &serde_json::json!(2005)), "{name}");
        let record = town.last_record().await;
        assert_eq!(record.attempts[0].miss.as_deref(), Some("tls"), "{name}: {:?}", record.refusal);
        assert_eq!(served.load(Ordering::SeqCst), 0, "{name}");
        town.at_rest().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_fails_is_never_tried_in_the_clear() {
    let authority = Authority::new();
    // Alert: protocol version. Alert: handshake failure.
    for (name, answer, stalls, status, miss) in [
        ("no TLS", &b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..], false, 502, "tls"),
        ("an old version", b"\x15\x03\x01\x00\x02\x02\x46", false, 502, "tls"),
        ("no common cipher", b"\x15\x03\x03\x00\x02\x02\x28", false, 502, "tls"),
        ("closed", b"", false, 502, "tls"),
        ("silent", b"", true, 504, "timeout"),
        ("silent in the middle", b"\x16\x03\x03\x40\x00", true, 504, "timeout"),
    ] {
        let (address, overheard) = broken(answer, stalls).await;
        let town = town(authority.plan(address)).await;
        let heard = town.chat(&[("authorization", "Bearer sk-secret")], "gpt-4o-mini").await;
        let record = town.last_record().await;
        let cause = record.refusal.and_then(|refusal| refusal.cause);
        assert_eq!((heard.status, record.attempts[0].miss.as_deref()), (status, Some(miss)), "{name}: {cause:?}");
        let overheard = overheard.lock().clone();
        assert!(overheard.starts_with(b"\x16\x03"), "{name}: begins with a handshake");
        assert!(
            memchr::memmem::find(&overheard, b"sk-secret").is_none()
                && memchr::memmem::find(&overheard, b"POST").is_none()
        );
        town.at_rest().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_may_come_over_tls_as_well() {
    let authority = Authority::new();
    let listener = authority.acceptor(&["h2", "http/1.1"], |_| {});
    let town = town(Plan::default().served(move |serving| {
        serving.tls = Some(listener);
        serving.head_timeout = Duration::from_millis(500);
    }))
    .await;
    for protocol in ["h2", "http/1.1"] {
        let mut config = (*authority.roots).clone();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(town.address).await.unwrap();
        let name = rustls::pki_types::ServerName::from(town.address.ip());
        let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
        let request = http::Request::post(format!("https://gateway/v1/acc/g/{CHAT}"))
            .header("host", "gateway")
            .body(Full::<Bytes>::from(chat_body("gpt-4o-mini", true)))
            .unwrap();
        let response = if protocol == "h2" {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        } else {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        };
        assert_eq!(response.status(), 200, "{protocol}");
        assert!(response.into_body().collect().await.unwrap().to_bytes().ends_with(b"data: [DONE]\n\n"));
    }
    for said in ["", "GET / HTTP/1.1\r\nhost: a\r\n\r\n", "\x16\x03\x01"] {
        let mut raw = crate::raw::Raw::to(&town).await;
        raw.say(said).await;
        assert!(!raw.rest().await.contains("HTTP/1.1"), "{said:?}: nothing is served in the clear");
    }
    town.at_rest().await;
}
