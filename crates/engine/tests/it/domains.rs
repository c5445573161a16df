//! Custom domains: a host name stands for `/v1/{account}/{gateway}`.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate_model::{CustomDomain, Gateway};
use tollgate_rules::snapshot::Documents;

use crate::town::{Plan, TOKEN, Town, chat_body, town};

fn leads(hostname: &str, gateway: &str, internal_id: &str) -> Arc<CustomDomain> {
    Arc::new(CustomDomain {
        hostname: hostname.to_owned(),
        gateway: gateway.to_owned(),
        gateway_internal_id: internal_id.to_owned(),
        zone_id: None,
        created_at: 0,
        modified_at: 0,
    })
}

fn domains(_: &str, documents: &mut Documents) {
    documents.custom_domains = vec![
        leads("ai.example.com", "g", ""),
        leads("locked.example.com", "locked", ""),
        leads("gone.example.com", "no-such", ""),
        leads("before.example.com", "g", "another life"),
    ];
}

async fn street() -> Town {
    let locked = Gateway { id: "locked".to_owned(), authentication: true, ..Gateway::default() };
    town(Plan { custom: domains, others: vec![locked], ..Plan::default() }).await
}

/// Status of a chat under this `Host`.
async fn ask(town: &Town, host: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    let url = format!("http://{}{path}", town.address);
    let headers: Vec<_> = headers.iter().copied().chain([("host", host)]).collect();
    let model = if path.contains("compat") { "openai/gpt-4o-mini" } else { "gpt-4o-mini" };
    town.send("POST", &url, &headers, chat_body(model, false).into()).await.unwrap().status
}

/// The first line of the answer to a head as it is written.
async fn raw(town: &Town, head: &str) -> String {
    let mut stream = TcpStream::connect(town.address).await.unwrap();
    let body = chat_body("gpt-4o-mini", false);
    let text = format!(
        "{head}content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_name_stands_for_account_and_gateway() {
    let town = street().await;
    for path in [
        "/openai/v1/chat/completions",
        "/openai/chat/completions",
        "/compat/chat/completions",
        "/compat/v1/chat/completions",
    ] {
        for host in ["ai.example.com", "AI.EXAMPLE.COM", "ai.example.com:8787", "ai.example.com."] {
            assert_eq!(ask(&town, host, path, &[]).await, 200, "{host}{path}");
        }
    }
    let record = town.last_record().await;
    assert_eq!((&*record.gateway, &*record.account), ("g", "account"));
    assert_eq!(town.log().await.len(), 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_own_gateway_is_behind_a_name() {
    let town = street().await;
    // Another gateway by its path, the REST API, the list of steps: not under this name.
    for path in [
        "/v1/acc/locked/openai/v1/chat/completions",
        "/v1/acc/g/openai/v1/chat/completions",
        "/client/v4/accounts/a/ai/v1/chat/completions",
        "/metrics",
    ] {
        assert_eq!(ask(&town, "ai.example.com", path, &[]).await, 400, "{path}");
    }
    for path in ["/", "//openai/v1/chat/completions", "/compat"] {
        assert_eq!(ask(&town, "ai.example.com", path, &[]).await, 404, "{path}");
    }
    // A name that leads nowhere is no name of a gateway.
    for host in ["other.example.com", "gone.example.com", "before.example.com", "x.ai.example.com", "example.com"] {
        assert_eq!(ask(&town, host, "/openai/v1/chat/completions", &[]).await, 404, "{host}");
        assert_eq!(ask(&town, host, "/v1/acc/g/openai/v1/chat/completions", &[]).await, 200, "{host}");
    }
    assert_eq!(ask(&town, "locked.example.com", "/openai/v1/chat/completions", &[]).await, 401);
    let token = format!("Bearer {TOKEN}");
    let shown = [("cf-aig-authorization", token.as_str())];
    assert_eq!(ask(&town, "locked.example.com", "/openai/v1/chat/completions", &shown).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_header_names_the_host() {
    let town = street().await;
    let address = town.address.to_string();
    for name in
        ["x-forwarded-host", "forwarded", "x-host", "x-original-host", "x-forwarded-server", "x-http-host-override"]
    {
        let value = if name == "forwarded" { "host=ai.example.com" } else { "ai.example.com" };
        assert_eq!(ask(&town, &address, "/openai/v1/chat/completions", &[(name, value)]).await, 404, "{name}");
        let elsewhere = if name == "forwarded" { "host=locked.example.com" } else { "locked.example.com" };
        assert_eq!(
            ask(&town, "ai.example.com", "/openai/v1/chat/completions", &[(name, elsewhere)]).await,
            200,
            "{name}"
        );
    }
    assert!(town.log().await.iter().all(|record| &*record.gateway == "g"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_two_hosts_is_refused() {
    let town = street().await;
    const PATH: &str = "/openai/v1/chat/completions";
    for (head, status) in [
        (format!("POST {PATH} HTTP/1.1\r\nhost: ai.example.com\r\n"), "HTTP/1.1 200 OK"),
        (format!("POST http://ai.example.com{PATH} HTTP/1.1\r\nhost: ai.example.com\r\n"), "HTTP/1.1 200 OK"),
        (
            format!("POST http://ai.example.com{PATH} HTTP/1.1\r\nhost: locked.example.com\r\n"),
            "HTTP/1.1 400 Bad Request",
        ),
        (
            format!("POST http://locked.example.com{PATH} HTTP/1.1\r\nhost: ai.example.com\r\n"),
            "HTTP/1.1 400 Bad Request",
        ),
        (
            format!("POST {PATH} HTTP/1.1\r\nhost: ai.example.com\r\nhost: locked.example.com\r\n"),
            "HTTP/1.1 400 Bad Request",
        ),
        (format!("POST {PATH} HTTP/1.1\r\nhost: ai.example.com, locked.example.com\r\n"), "HTTP/1.1 400 Bad Request"),
        (format!("POST {PATH} HTTP/1.1\r\nhost: ai.example.com@locked.example.com\r\n"), "HTTP/1.1 400 Bad Request"),
        (format!("POST {PATH} HTTP/1.1\r\n"), "HTTP/1.1 400 Bad Request"),
    ] {
        assert_eq!(raw(&town, &head).await, status, "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2_the_authority_names_the_host() {
    let town = street().await;
    let stream = TcpStream::connect(town.address).await.unwrap();
    let (mut sender, connection) =
        http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for (authority, host, status) in [
        ("ai.example.com", None, 200),
        ("AI.example.com:8787", None, 200),
        ("locked.example.com", None, 401),
        ("other.example.com", None, 404),
        ("ai.example.com", Some("ai.example.com"), 200),
        ("ai.example.com", Some("locked.example.com"), 400),
        ("locked.example.com", Some("ai.example.com"), 400),
    ] {
        let mut request = http::Request::post(format!("http://{authority}/openai/v1/chat/completions"))
            .header("content-type", "application/json");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let body = Full::from(Bytes::from(chat_body("gpt-4o-mini", false)));
        let response = sender.send_request(request.body(body).unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{authority} {host:?}");
        response.into_body().collect().await.unwrap();
    }
}
