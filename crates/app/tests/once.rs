//! Idempotency keys across `kill -9`: what a caller has received whole is told again, what was under way is tried again.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.env_clear().env("HOME", dir).args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"]);
        let mut child = command.arg(dir.join("data")).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let banner: Value = serde_json::from_str(&first).unwrap();
        let address = banner["listening"].as_str().unwrap().trim_start_matches("http://").to_owned();
        Self { child, address }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn begin(&self, key: &str, model: &str, stream: bool) -> TcpStream {
        let body = format!(r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":"Hi"}}]}}"#);
        let mut connection = TcpStream::connect(&self.address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!(
            "POST /v1/acc/default/sandbox/v1/chat/completions HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             content-type: application/json\r\nidempotency-key: {key}\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
        connection
    }

    /// Head and body, to the end.
    fn ask(&self, key: &str, model: &str, stream: bool) -> (String, String) {
        let mut read = Vec::new();
        self.begin(key, model, stream).read_to_end(&mut read).unwrap();
        let text = String::from_utf8(read).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_replay(head: &str) -> bool {
    head.contains("idempotent-replayed: true")
}

/// Without the framing: a stream is told again in one piece.
fn said(body: &str) -> String {
    body.lines().filter(|line| line.starts_with("data: ") || line.starts_with('{')).collect()
}

#[test]
fn what_was_received_whole_is_told_again_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..6 {
        let (server, stream, key) = (Server::start(dir.path()), round % 2 == 1, format!("whole-{round}"));
        let (head, body) = server.ask(&key, "sandbox-1:chunks=4", stream);
        assert!(head.starts_with("HTTP/1.1 200") && !is_replay(&head), "{head}");
        server.kill();
        let server = Server::start(dir.path());
        let (head, again) = server.ask(&key, "sandbox-1:chunks=4", stream);
        assert!(is_replay(&head), "round {round}: {head}");
        assert_eq!(said(&again), said(&body));
    }
}

#[test]
fn what_was_under_way_is_tried_again_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    for (round, wait_ms) in [0, 30, 120].into_iter().enumerate() {
        let (server, key) = (Server::start(dir.path()), format!("half-{round}"));
        let _under_way = server.begin(&key, "sandbox-1:latency=50,gap=100,chunks=20", true);
        std::thread::sleep(Duration::from_millis(wait_ms));
        server.kill();
        let server = Server::start(dir.path());
        let (head, body) = server.ask(&key, "sandbox-1:latency=50,gap=100,chunks=20", true);
        assert!(head.starts_with("HTTP/1.1 200") && !is_replay(&head), "{head}");
        assert!(said(&body).ends_with("[DONE]"));
        assert!(is_replay(&server.ask(&key, "sandbox-1:latency=50,gap=100,chunks=20", true).0));
    }
}
