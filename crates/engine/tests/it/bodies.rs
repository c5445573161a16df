//! Request bodies: bytes go through as they came, and what is wrong with them is said before anything is spent.

use std::io::Write as _;

use bytes::Bytes;
use tollgate_model::record::{Outcome, Payload};
use tollgate_store::records::Which;
use tollgate_testkit::plan::Plan as Answer;

use crate::raw::{Raw, post};
use crate::town::{Plan, Town, chat_body, town};

const CHAT: &str = "openai/v1/chat/completions";
const FILES: &str = "openai/v1/files";

/// Bytes in which nothing repeats, so that a lost or doubled piece shows.
fn noise(len: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        bytes.extend_from_slice(&(state ^ (state >> 29)).to_le_bytes());
    }
    bytes.truncate(len);
    bytes.into()
}

fn echo(town: &Town) {
    town.provider.on("*", "*", |request| Answer::whole(200, "application/octet-stream", request.body.clone()));
}

fn code(heard: &crate::town::Heard) -> (u16, serde_json::Value) {
    (heard.status, heard.json()["error"][0]["code"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_all_sizes_pass_both_ways_unchanged() {
    let town = town(Plan::default().limited(|limits| limits.hold_bytes_max = 4 << 20)).await;
    echo(&town);
    for len in [1, 1_000, 65_536, 1 << 20, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, 30 << 20] {
        let body = noise(len);
        let heard = town.post(FILES, &[("content-type", "application/octet-stream")], body.clone()).await;
        assert!(heard.status == 200 && heard.body == body, "{len}");
        let upstream = town.provider.recorder().last().request;
        assert!(upstream.body == body, "{len}");
        assert_eq!(upstream.header("content-length"), Some(len.to_string().as_str()));
        let record = town.last_record().await;
        assert_eq!(
            (record.request_size, record.response_size, record.outcome),
            (len as u64, len as u64, Outcome::Complete)
        );
        let kept = if len > 4 << 20 { Payload::TooLarge } else { Payload::Kept };
        assert_eq!(record.request_body, kept, "{len}");
        town.provider.recorder().clear();
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_sent_only_once_is_not_asked_for_again() {
    let town = town(Plan::retrying(3).limited(|limits| limits.hold_bytes_max = 1_000)).await;
    let body = format!(
        r#"{{"model":"sandbox-1:status=503","messages":[{{"role":"user","content":"{}"}}]}}"#,
        "x".repeat(500_000)
    );
    let heard = town.post(CHAT, &[], body.clone()).await;
    assert_eq!((heard.status, town.asked(), heard.header("x-should-retry")), (503, 1, None));
    assert_eq!(town.provider.recorder().last().request.body, body.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_is_413_whether_it_says_so_before_or_not() {
    for hold_bytes_max in [100_000, 10_000_000] {
        let town = town(Plan::default().limited(|limits| {
            limits.body_bytes_max = 1_000_000;
            limits.hold_bytes_max = hold_bytes_max;
        }))
        .await;
        echo(&town);
        for _ in 0..5 {
            let heard = town.post(FILES, &[], noise(5_000_000)).await;
            assert_eq!(code(&heard), (413, 2902.into()));
            assert_eq!(heard.header("connection"), Some("close"));
        }
        assert!(town.provider.recorder().is_empty());
        let mut raw = Raw::to(&town).await;
        raw.say("POST /v1/acc/g/openai/v1/files HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").await;
        for _ in 0..20 {
            raw.say(format!("186a0\r\n{}\r\n", " ".repeat(100_000))).await;
        }
        let heard = raw.until("\"code\":2902").await;
        assert!(heard.starts_with("HTTP/1.1 413 "), "{heard}");
        town.at_rest().await;
        assert!(town.provider.recorder().is_empty(), "no whole request was heard");
        assert_eq!(town.last_record().await.status, 413);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_json_is_refused_with_its_place() {
    let town = town(Plan::caching()).await;
    for body in [
        &b"{"[..],
        b"{\"model\": }",
        b"{\"model\":\"m\"",
        b"{\"model\":\"m\",}",
        b"{\"model\":\"m\"} x",
        b"{'model':'m'}",
        b"{\"messages\":[}],\"model\":\"m\"}",
        b"{\"messages\":[1 2],\"model\":\"m\"}",
        b"{\"stop\":tru,\"model\":\"m\"}",
        b"{\"model\":\"m\",\"stop\":\"\n\"}",
        b"{\"n\":01,\"model\":\"m\"}",
        b"{\"model\":\"\xff\xfe\"}",
        b"{\"messages\":[{\"content\":\"\xc3\x28\"}],\"model\":\"m\"}",
        b"\xef\xbb\xbf{\"model\":\"m\"}x",
        b"not json at all",
        b"\0\0\0\0",
    ] {
        let heard = town.post(CHAT, &[], Bytes::from_static(body)).await;
        let what = format!("{:?}: {:?}", String::from_utf8_lossy(body), heard.body);
        assert_eq!(code(&heard), (400, 2901.into()), "{what}");
        let said = heard.json()["message"].as_str().unwrap().to_owned();
        assert!(said.contains("not valid JSON") && said.chars().any(|each| each.is_ascii_digit()), "{said}");
    }
    let deep = format!("{{\"model\":\"m\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let heard = town.post(CHAT, &[], deep).await;
    assert!(heard.status == 400 || heard.status == 200, "deep nesting does not kill");
    assert!(town.asked() <= 1);
    town.at_rest().await;
}

fn encoded(coding: &str, plain: &[u8]) -> Bytes {
    match coding {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(plain).unwrap();
            writer.finish().unwrap().into()
        }
        "deflate" => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(plain).unwrap();
            writer.finish().unwrap().into()
        }
        "br" => {
            let mut out = Vec::new();
            brotli::CompressorWriter::new(&mut out, 4096, 5, 22).write_all(plain).unwrap();
            out.into()
        }
        _ => zstd::encode_all(plain, 3).unwrap().into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_request_passes_as_it_is_and_is_read_alongside() {
    let town = town(Plan::default()).await;
    town.provider.on("POST", "/v1/chat/completions", |_| Answer::json(200, "{}"));
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let body = encoded(coding, chat_body("gpt-4o-mini", false).as_bytes());
        let heard = town.post(CHAT, &[("content-encoding", coding)], body.clone()).await;
        assert_eq!(heard.status, 200, "{coding}");
        let upstream = town.provider.recorder().last().request;
        assert_eq!((upstream.header("content-encoding"), &upstream.body), (Some(coding), &body));
        assert_eq!(town.last_record().await.model, "gpt-4o-mini", "{coding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_413_and_takes_no_room() {
    let town = town(Plan::default()).await;
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let bomb = encoded(coding, &vec![b' '; 256 << 20]);
        let heard = town.post(CHAT, &[("content-encoding", coding)], bomb).await;
        assert_eq!(code(&heard), (413, 2902.into()), "{coding}");
    }
    assert!(town.provider.recorder().is_empty());
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_or_unknown_encoding_is_refused_where_it_would_be_read() {
    let town = town(Plan::default()).await;
    echo(&town);
    for coding in ["x-unheard-of", "gzip, gzip", "identity, br"] {
        let heard = town.post(CHAT, &[("content-encoding", coding)], "{}").await;
        assert_eq!(heard.status, 400, "{coding}");
    }
    for coding in ["gzip", "br", "zstd"] {
        let heard = town.post(CHAT, &[("content-encoding", coding)], "this is not encoded").await;
        assert!((400..500).contains(&heard.status), "{coding}: {}", heard.status);
    }
    assert!(town.provider.recorder().is_empty());
    let heard = town.post(FILES, &[("content-encoding", "x-unheard-of")], "{}").await;
    assert_eq!((heard.status, &heard.body[..]), (200, &b"{}"[..]), "what is not looked into passes");
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_and_bytes_pass_and_a_form_names_its_model() {
    let town = town(Plan::default()).await;
    echo(&town);
    let mut form = b"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n".to_vec();
    form.extend_from_slice(&noise(100_000));
    form.extend_from_slice(b"\r\n--b--\r\n");
    let body = Bytes::from(form);
    let kind = [("content-type", "multipart/form-data; boundary=b")];
    let url = town.url("openai/v1/audio/transcriptions");
    let heard = town.send("POST", &url, &kind, body.clone()).await.unwrap();
    assert!(heard.status == 200 && heard.body == body);
    let upstream = town.provider.recorder().last().request;
    assert_eq!(upstream.header("content-type"), Some("multipart/form-data; boundary=b"));
    assert!(upstream.body == body);
    assert_eq!(town.logged_body(&town.last_record().await, Which::Request).unwrap().bytes, body);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_passes_with_and_without_a_body() {
    let town = town(Plan::caching()).await;
    echo(&town);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"] {
        for body in ["", "x"] {
            let heard = town.send(method, &town.url(FILES), &[], body.into()).await.unwrap();
            assert_eq!((heard.status, &heard.body[..]), (200, body.as_bytes()), "{method} {body:?}");
            let upstream = town.provider.recorder().last().request;
            assert_eq!((upstream.method.as_str(), &upstream.body[..]), (method, body.as_bytes()));
            let record = town.last_record().await;
            assert_eq!((record.method.as_str(), record.outcome, record.status), (method, Outcome::Complete, 200));
        }
    }
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_a_body_are_complete() {
    let town = town(Plan::caching().served(|serving| serving.workers = 1)).await;
    town.provider.on("*", "/v1/none", |_| Answer::whole(204, "text/plain", ""));
    town.provider.on("*", "/v1/same", |_| Answer::whole(304, "text/plain", ""));
    town.provider.on("*", "/v1/empty", |_| Answer::json(200, ""));
    town.provider.on("*", "/v1/full", |_| Answer::json(200, "{\"a\":1}"));
    for (method, path, status, length) in [
        ("POST", "none", 204, None),
        ("GET", "same", 304, None),
        ("POST", "empty", 200, Some("0")),
        ("HEAD", "full", 200, Some("7")),
        ("HEAD", "empty", 200, Some("0")),
    ] {
        for _ in 0..2 {
            let heard = town.send(method, &town.url(&format!("openai/v1/{path}")), &[], Bytes::new()).await.unwrap();
            assert_eq!((heard.status, heard.body.len()), (status, 0), "{method} {path}");
            assert_eq!(heard.header("content-length"), length, "{method} {path}");
            let record = town.last_record().await;
            assert_eq!((record.outcome, record.status), (Outcome::Complete, status), "{method} {path}");
        }
    }
    assert_eq!(town.provider.counts().connections, 1, "such an answer leaves its connection usable");
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_expects_100_is_told_to_go_on_or_not() {
    let town = town(Plan::default()).await;
    let request = post(CHAT, "expect: 100-continue\r\n", &chat_body("gpt-4o-mini", false));
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut raw = Raw::to(&town).await;
    raw.say(format!("{head}\r\n\r\n")).await;
    assert_eq!(raw.until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    raw.say(body).await;
    assert!(raw.until("chat.completion").await.starts_with("HTTP/1.1 200 "));
    let mut raw = Raw::to(&town).await;
    raw.say(format!("{}\r\n\r\n", head.replace("/openai/", "/nobody/"))).await;
    let heard = raw.until("2008").await;
    assert!(heard.starts_with("HTTP/1.1 400 "), "an unknown provider is refused without its body: {heard}");
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_become_a_length_when_the_body_was_held() {
    let town = town(Plan::default()).await;
    echo(&town);
    let mut raw = Raw::to(&town).await;
    raw.say("POST /v1/acc/g/openai/v1/files HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n")
        .await;
    raw.say("3\r\ndef\r\n0\r\ntrailer: 1\r\n\r\n").await;
    raw.until("abcdef").await;
    let upstream = town.provider.recorder().last().request;
    assert_eq!((&upstream.body[..], upstream.header("content-length")), (&b"abcdef"[..], Some("6")));
    assert_eq!(upstream.header("transfer-encoding"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_no_of_the_provider_reaches_a_caller_who_is_still_sending() {
    let town = town(Plan::default().limited(|limits| limits.hold_bytes_max = 100_000)).await;
    town.provider.on_head("POST", "/v1/files", |_| Answer::json(413, r#"{"error":{"message":"too large"}}"#));
    let mut raw = Raw::to(&town).await;
    raw.say("POST /v1/acc/g/openai/v1/files HTTP/1.1\r\nhost: a\r\ncontent-length: 50000000\r\n\r\n").await;
    raw.say(vec![b' '; 300_000]).await;
    let heard = raw.until("too large").await;
    assert!(heard.starts_with("HTTP/1.1 413 "), "{heard}");
    drop(raw);
    town.at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_requests_together_hold_only_so_much() {
    let town = town(Plan::default().limited(|limits| limits.held_bytes_max = 1_000_000)).await;
    let mut waiting = Vec::new();
    for _ in 0..9 {
        let mut raw = Raw::to(&town).await;
        raw.say(&post(FILES, "", &" ".repeat(110_000))[..100_000]).await;
        waiting.push(raw);
    }
    town.until(|| town.shared.held() > 850_000).await;
    let heard = town.post(FILES, &[], noise(300_000)).await;
    assert_eq!(code(&heard), (503, 2904.into()));
    assert!(heard.header("retry-after").is_some());
    drop(waiting);
    town.at_rest().await;
    echo(&town);
    assert_eq!(town.post(FILES, &[], noise(300_000)).await.status, 200);
}
