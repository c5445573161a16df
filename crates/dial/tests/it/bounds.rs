//! What a request may take, and that nothing is followed.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tollgate_dial::{Failed, Limits, Resolver};

use crate::script::{Ear, LIMITS, OK, client, egress, get};

const LOOPBACK: &[&str] = &["127.0.0.1/32"];

#[tokio::test]
async fn a_redirect_is_an_answer_and_nothing_more() {
    let blocked = Ear::at("127.0.0.2:0", OK).await.unwrap();
    let client = client(&egress(LOOPBACK), Resolver::System);
    for status in [301, 302, 303, 307, 308] {
        let head = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: http://{}/secret\r\nrefresh: 0;url=http://{}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            blocked.address, blocked.address
        );
        let ear = Ear::at("127.0.0.1:0", head).await.unwrap();
        let answer = get(&client, &format!("http://{}/", ear.address)).await.unwrap().unwrap();
        assert_eq!(answer.status(), status);
    }
    assert_eq!(blocked.connections(), 0);
}

#[tokio::test]
async fn a_body_is_read_up_to_its_bound() {
    let client = client(&egress(LOOPBACK), Resolver::System);
    for (length, fits) in [(1_000, true), (1_001, false), (50_000, false)] {
        let body = "x".repeat(length);
        for head in [format!("content-length: {length}\r\n"), String::new()] {
            let ear = Ear::at("127.0.0.1:0", format!("HTTP/1.1 200 OK\r\n{head}connection: close\r\n\r\n{body}")).await;
            let outcome = get(&client, &format!("http://{}/", ear.unwrap().address)).await.unwrap();
            match outcome {
                Ok(answer) => assert!(fits && answer.body().len() == length),
                Err(Failed::TooLarge(1_000)) => assert!(!fits, "{length}"),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[tokio::test]
async fn a_head_without_end_is_given_up() {
    let ear = Ear::at("127.0.0.1:0", format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(1 << 20))).await.unwrap();
    let client = client(&egress(LOOPBACK), Resolver::System);
    let outcome = get(&client, &format!("http://{}/", ear.address)).await.unwrap();
    assert!(matches!(outcome, Err(Failed::Broken(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_at_the_deadline() {
    // Accepts, and never answers: the socket's queue takes the connection.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&egress(LOOPBACK), Resolver::System);
    let request = Request::get(format!("http://{}/", silent.local_addr().unwrap())).body(Bytes::new()).unwrap();
    let limits = Limits { total: Duration::from_millis(200), ..LIMITS };
    assert!(matches!(client.send(request, limits).await, Err(Failed::Timeout(_))));
}

#[tokio::test]
async fn what_is_sent_names_its_host_and_keeps_its_path() {
    let ear = Ear::at("127.0.0.1:0", OK).await.unwrap();
    let client = client(&egress(LOOPBACK), Resolver::System);
    let url = format!("http://{}/a%2Fb?c=d&e", ear.address);
    let request = Request::post(&url).header("host", "elsewhere.example").header("x-mine", "1");
    client.send(request.body(Bytes::from_static(b"hello")).unwrap(), LIMITS).await.unwrap();
    let heard = ear.requests.lock().unwrap()[0].clone();
    assert!(heard.starts_with("POST /a%2Fb?c=d&e HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains(&format!("host: {}\r\n", ear.address)) && !heard.contains("elsewhere"), "{heard}");
    assert!(heard.contains("content-length: 5\r\n") && heard.ends_with("hello"), "{heard}");
}

/// A certificate that no trusted authority signed: there is no switch that lets it pass.
#[tokio::test]
async fn tls_is_verified() {
    let client = client(&egress(LOOPBACK), Resolver::System);
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { acceptor.accept(listener.accept().await.unwrap().0).await.is_ok() });
    let outcome = get(&client, &url).await.unwrap();
    assert!(matches!(outcome, Err(Failed::Unconnected(tollgate_dial::Unconnected::Tls(_)))), "{outcome:?}");
    assert!(!serving.await.unwrap());
}
