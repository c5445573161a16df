//! Framing, keep-alive, routes, the recorder: what tests of the gateway lean on.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep};
use tollgate_testkit::{Frame, Outcome, Plan, Sandbox};

use super::caller::{Caller, End, ask, chat, post};

#[tokio::test(start_paused = true)]
async fn requests_follow_each_other_on_one_connection_also_when_sent_ahead() {
    let sandbox = Sandbox::for_tests();
    let mut caller = Caller::of(&sandbox);
    caller.send(format!("{}{}", chat("sandbox-1", ""), chat("sandbox-1:status=404", ""))).await;
    assert_eq!((caller.hear().await.status, caller.hear().await.status), (200, 404));
    caller.send("GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    let last = caller.hear().await;
    assert!(last.head.contains("connection: close") && caller.rest().await.is_empty());
    let all = sandbox.recorder().all();
    assert_eq!(all.iter().map(|heard| heard.request.connection).collect::<Vec<_>>(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_body_is_asked_for_when_the_caller_waits_for_that() {
    let sandbox = Sandbox::for_tests();
    let mut caller = Caller::of(&sandbox);
    caller.send("POST /v1/messages HTTP/1.1\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n").await;
    assert_eq!(caller.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    caller.send("3\r\n{\"x\r\n4\r\n\":1}\r\n0\r\n\r\n").await;
    assert_eq!(caller.hear().await.status, 400, "no messages in it");
    assert_eq!(sandbox.recorder().last().request.body, r#"{"x":1}"#);
}

#[tokio::test(start_paused = true)]
async fn old_callers_and_head() {
    let sandbox = Sandbox::new();
    let answer = ask(&sandbox, &chat("sandbox-1", r#","stream":true"#).replace("HTTP/1.1", "HTTP/1.0")).await;
    assert!(!answer.head.contains("chunked") && answer.text().ends_with("data: [DONE]\n\n"), "{answer:?}");
    let mut caller = Caller::of(&sandbox);
    caller.send("HEAD /v1/models HTTP/1.1\r\n\r\nGET /v1/models HTTP/1.1\r\n\r\n").await;
    let (head, whole) = (caller.head().await, caller.hear().await);
    assert_eq!(head, whole.head, "and no body between them");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_http_is_refused_and_counted() {
    let sandbox = Sandbox::for_tests();
    for (request, status) in [
        ("hello\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}", 400),
        ("POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", 413),
    ] {
        let answer = ask(&sandbox, request).await;
        assert_eq!((answer.status, answer.end), (status, End::Whole), "{request}");
    }
    assert_eq!((sandbox.counts().unheard, sandbox.recorder().len()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn the_recorder_keeps_order_case_and_repetition() {
    let sandbox = Sandbox::for_tests();
    let mut caller = Caller::of(&sandbox);
    caller.send(b"POST /v1/x?q=%20 HTTP/1.1\r\nB-Header: 1\r\na-header: \x80\r\nB-Header: 2\r\n").await;
    caller.send(b"content-length: 3\r\n\r\n\0\r\n").await;
    caller.hear().await;
    let heard = sandbox.recorder().last().request;
    let headers: Vec<(&str, &[u8])> =
        heard.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    assert_eq!(headers[..3], [("B-Header", &b"1"[..]), ("a-header", b"\x80"), ("B-Header", b"2")]);
    assert_eq!((heard.target.as_str(), &heard.body[..]), ("/v1/x?q=%20", &b"\0\r\n"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_is_noticed_at_once() {
    let sandbox = Sandbox::for_tests();
    for model in ["sandbox-1:latency=60s", "sandbox-1:stall=2", "sandbox-1:gap=60s"] {
        sandbox.recorder().clear();
        let mut caller = Caller::of(&sandbox);
        caller.send(chat(model, r#","stream":true"#)).await;
        sandbox.recorder().until(|heard| heard.len() == 1).await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(sandbox.counts().answers_open, 1);
        let left = Instant::now();
        drop(caller);
        let gone = Outcome::CallerGone(left);
        let heard = sandbox.recorder().until(|heard| heard[0].outcome != Outcome::Answering).await;
        assert_eq!(heard[0].outcome, gone, "{model}");
    }
    assert_eq!((sandbox.counts().callers_gone, sandbox.counts().answers_open), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn routes_of_a_test_come_before_the_script() {
    let sandbox = Sandbox::for_tests();
    sandbox.on("POST", "/v1/chat/completions", |request| {
        let frames = vec![Frame::now("a"), Frame::after(Duration::from_secs(5), request.body.slice(..1))];
        Plan::stream("text/plain", frames.into_iter()).header("X-Own", "yes")
    });
    let began = Instant::now();
    let answer = ask(&sandbox, &chat("sandbox-1", "")).await;
    assert_eq!((answer.text().as_str(), began.elapsed()), ("a{", Duration::from_secs(5)));
    assert!(answer.head.contains("\r\nX-Own: yes\r\n"));
    assert_eq!(ask(&sandbox, "GET /v1/models HTTP/1.1\r\n\r\n").await.status, 200, "other paths are the sandbox's");
    sandbox.replay("HTTP/1.1 299 Own\r\nWeird : header\r\n\r\nand a body");
    let mut caller = Caller::of(&sandbox);
    caller.send(chat("sandbox-1", "")).await;
    assert_eq!(caller.rest().await, b"HTTP/1.1 299 Own\r\nWeird : header\r\n\r\nand a body");
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_comes_before_the_body() {
    let sandbox = Sandbox::for_tests();
    sandbox.on_head("POST", "/early", |_| Plan::json(401, "{}"));
    let mut caller = Caller::of(&sandbox);
    caller.send("POST /early HTTP/1.1\r\ncontent-length: 1000\r\n\r\n{").await;
    assert_eq!((caller.hear().await.status, caller.rest().await.len()), (401, 0));
}

#[tokio::test]
async fn over_tcp_with_the_port_closed_by_the_handle() {
    let sandbox = Sandbox::for_tests();
    let listening = sandbox.listen("127.0.0.1:0").await.unwrap();
    let mut caller = Caller::new(tokio::net::TcpStream::connect(listening.address()).await.unwrap());
    caller.send(post("/v1/responses", r#"{"model":"sandbox-1","input":"Hello"}"#)).await;
    assert_eq!(caller.hear().await.json()["status"], "completed");
    assert_eq!(sandbox.counts().connections_open, 1);
    let address = listening.address();
    drop(listening);
    assert!(caller.rest().await.is_empty(), "the connection ended with the port");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert_eq!(sandbox.counts().connections_open, 0);
}

#[tokio::test]
async fn a_reset_is_a_reset_over_tcp() {
    let sandbox = Sandbox::for_tests();
    let listening = sandbox.listen("127.0.0.1:0").await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(listening.address()).await.unwrap();
    let request = chat("sandbox-1:fault=reset-in-headers", "");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let fault = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.unwrap_err();
    assert_eq!(fault.kind(), std::io::ErrorKind::ConnectionReset);
}

/// The engine reaches the built-in sandbox in this way.
#[tokio::test(start_paused = true)]
async fn hypers_client_over_the_pipe() {
    let sandbox = Sandbox::new();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(sandbox.connect())).await.unwrap();
    tokio::spawn(connection);
    for stream in ["true", "false"] {
        let body = format!(
            r#"{{"model":"sandbox-1:gap=10,chunks=50","stream":{stream},"messages":[{{"role":"user","content":"Hi"}}]}}"#
        );
        let request = hyper::Request::post("/v1/chat/completions").body(Full::new(bytes::Bytes::from(body))).unwrap();
        sender.ready().await.unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(body.starts_with(if stream == "true" { b"data: " } else { b"{\"id\"" }), "{body:?}");
    }
    assert_eq!((sandbox.counts().connections, sandbox.counts().requests), (1, 2));
}
