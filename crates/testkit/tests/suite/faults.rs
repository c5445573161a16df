//! Each fault does the harm that the table says, in the eyes of a client that is not ours (hyper's).

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tollgate_testkit::faults::{Harm, huge_body};
use tollgate_testkit::{Fault, Framing, Sandbox};

use super::caller::{End, ask, chat};

/// More than a stall lasts.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Of a huge body, this much is looked at.
const ENOUGH_BYTES: usize = 20_000_000;

async fn answer(fault: Fault) -> Option<hyper::Response<Incoming>> {
    let sandbox = Sandbox::for_tests();
    sandbox.on("GET", "/", move |_| fault.plan());
    let io = TokioIo::new(sandbox.connect());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get("/").body(Empty::<bytes::Bytes>::new()).unwrap();
    timeout(PATIENCE, sender.send_request(request)).await.expect("no fault lasts an hour").ok()
}

/// True when the body came to its end, or was longer than anyone wants.
async fn body_is_whole(mut body: Incoming) -> bool {
    let mut bytes = 0;
    while bytes < ENOUGH_BYTES {
        match timeout(PATIENCE, body.frame()).await.expect("no fault lasts an hour") {
            Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, bytes::Bytes::len),
            Some(Err(_)) => return false,
            None => return true,
        }
    }
    true
}

#[tokio::test(start_paused = true)]
async fn every_fault_does_its_harm() {
    for fault in Fault::ALL {
        let seen = match answer(*fault).await.map(hyper::Response::into_body) {
            None => Harm::NoHead,
            Some(body) => {
                if body_is_whole(body).await {
                    Harm::None
                } else {
                    Harm::BodyBroken
                }
            }
        };
        // Whether the content is right is not for a client of HTTP to see.
        let told = if fault.harm() == Harm::Content { Harm::None } else { fault.harm() };
        assert_eq!(seen, told, "{}", fault.name());
    }
}

#[tokio::test(start_paused = true)]
async fn faults_are_for_tests_only() {
    for fault in Fault::ALL {
        let answer = ask(&Sandbox::new(), &chat(&format!("sandbox-1:fault={}", fault.name()), "")).await;
        assert_eq!(answer.status, 400, "{}", fault.name());
    }
}

#[tokio::test(start_paused = true)]
async fn a_huge_body_is_exactly_as_long_as_wanted() {
    for framing in [Framing::Chunked, Framing::Length(1_234_567), Framing::UntilClose] {
        let sandbox = Sandbox::for_tests();
        sandbox.on("*", "/huge", move |_| huge_body(1_234_567, framing));
        let answer = ask(&sandbox, "GET /huge HTTP/1.1\r\n\r\n").await;
        assert_eq!((answer.body.len(), answer.end), (1_234_567, End::Whole), "{framing:?}");
    }
}

#[test]
fn a_bomb_is_small_until_it_is_opened() {
    let mut body = Fault::GzipBomb.plan().frames.next().unwrap().bytes;
    let packed = body.len();
    let mut opened = flate2::read::GzDecoder::new(std::io::Cursor::new(&mut body));
    let bytes = std::io::copy(&mut opened, &mut std::io::sink()).unwrap();
    assert!(packed < 5_000_000 && bytes == 1 << 30, "{packed} bytes became {bytes}");
}
