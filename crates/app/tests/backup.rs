//! A backup that was taken under load, and the gateway that it gives back.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

/// So many answers must have ended before the backup begins, and are then to be found in it.
const BEFORE: usize = 300;

fn tollgate(data_dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.env_remove("TOLLGATE_CONFIG").args(arguments).arg("--data-dir").arg(data_dir).output().unwrap()
}

fn said(data_dir: &Path, arguments: &[&str]) -> String {
    let output = tollgate(data_dir, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(data_dir: &Path, arguments: &[&str]) -> String {
    let output = tollgate(data_dir, arguments);
    assert!(!output.status.success(), "{arguments:?} went through");
    String::from_utf8(output.stderr).unwrap()
}

/// Ended with the test, however that ends.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(data_dir: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.env_remove("TOLLGATE_CONFIG").args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"]);
        let mut child = command.arg(data_dir).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let banner: Value = serde_json::from_str(&first).unwrap();
        let address = banner["listening"].as_str().unwrap().trim_start_matches("http://").to_owned();
        Self { child, address }
    }

    fn stop(mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One question with a number of its own; whether its answer came whole.
fn ask(address: &str, number: usize) -> bool {
    let body = format!(r#"{{"model":"sandbox-1","messages":[{{"role":"user","content":"question {number}"}}]}}"#);
    let head = format!(
        "POST /v1/local/default/sandbox/v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
         content-type: application/json\r\ncf-aig-metadata: {{\"number\":{number}}}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = TcpStream::connect(address).and_then(|mut connection| {
        connection.write_all(head.as_bytes())?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).map(|_| answer)
    });
    answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") && answer.ends_with('}'))
}

fn numbers(data_dir: &Path) -> Vec<u64> {
    let rows = said(data_dir, &["logs", "tail", "-n", "1000", "--json"]);
    let number = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let metadata = &row["metadata"];
        let metadata = metadata.as_str().map_or_else(|| metadata.clone(), |text| serde_json::from_str(text).unwrap());
        metadata["number"].as_f64().unwrap() as u64
    };
    let mut numbers: Vec<u64> = rows.lines().map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn what_was_answered_before_a_backup_is_in_it_once() {
    let root = tempfile::tempdir().unwrap();
    let (data, copy, fresh) = (root.path().join("data"), root.path().join("copy"), root.path().join("fresh"));
    said(&data, &["gateway", "create", "kept", "--json"]);
    let server = Server::start(&data);
    let (done, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..2)
        .map(|caller| {
            let (address, done, stop) = (server.address.clone(), done.clone(), stop.clone());
            std::thread::spawn(move || {
                let mut answered = Vec::new();
                for number in (caller..1_000).step_by(2).take_while(|_| !stop.load(Ordering::Relaxed)) {
                    if ask(&address, number) {
                        answered.push((done.fetch_add(1, Ordering::SeqCst), number as u64));
                    }
                }
                answered
            })
        })
        .collect();
    while done.load(Ordering::SeqCst) < BEFORE {
        assert!(callers.iter().all(|caller| !caller.is_finished()), "the callers stopped early");
        std::thread::yield_now();
    }
    let told = said(&data, &["backup", copy.to_str().unwrap(), "--json"]);
    stop.store(true, Ordering::Relaxed);
    let answered: Vec<(usize, u64)> = callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect();
    assert!(serde_json::from_str::<Value>(&told).unwrap()["files"].as_u64().unwrap() >= 4, "{told}");

    let running = refused(&data, &["restore", copy.to_str().unwrap(), "--replace"]);
    assert!(running.contains("a server runs on"), "{running}");
    server.stop();
    said(&fresh, &["restore", copy.to_str().unwrap()]);
    Server::start(&fresh).stop();
    let there = numbers(&fresh);
    let twice = there.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(twice, 0, "of {}", there.len());
    let missing: Vec<_> =
        answered.iter().filter(|(order, number)| *order < BEFORE && there.binary_search(number).is_err()).collect();
    assert!(missing.is_empty(), "{missing:?} of {}", there.len());
    assert!(said(&fresh, &["gateway", "list", "--json"]).contains("\"kept\""));
}

#[test]
fn what_is_not_a_whole_backup_is_refused_and_nothing_is_written_over() {
    let root = tempfile::tempdir().unwrap();
    let (data, copy) = (root.path().join("data"), root.path().join("copy"));
    let (at, other) = (copy.to_str().unwrap(), root.path().join("other"));
    said(&data, &["gateway", "create", "kept", "--json"]);
    let inside = data.join("backup");
    assert!(refused(&data, &["backup", inside.to_str().unwrap()]).contains("inside the data directory"));
    said(&data, &["backup", at, "--without-master-key"]);
    assert!(!copy.join("master.key").exists());
    assert!(refused(&data, &["backup", at]).contains("is not empty"));
    assert!(refused(&data, &["restore", at]).contains("--replace"));
    said(&data, &["gateway", "create", "later", "--json"]);
    let replaced = said(&data, &["restore", at, "--replace"]);
    assert!(replaced.contains("what was there before is in "), "{replaced}");
    let gateways = said(&data, &["gateway", "list", "--json"]);
    assert!(gateways.contains("\"kept\"") && !gateways.contains("\"later\""), "{gateways}");

    let list = std::fs::read_to_string(copy.join("backup.json")).unwrap();
    std::fs::write(copy.join("backup.json"), list.replace("tollgate.db", "../tollgate.db")).unwrap();
    assert!(refused(&other, &["restore", at]).contains("outside the backup"));
    std::fs::write(copy.join("backup.json"), list).unwrap();
    let settings = copy.join("tollgate.db");
    let mut bytes = std::fs::read(&settings).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&settings, bytes).unwrap();
    assert!(refused(&other, &["restore", at]).contains("is not what was backed up"));
    std::fs::remove_file(settings).unwrap();
    assert!(refused(&other, &["restore", at]).contains("is missing"));
    std::fs::remove_file(copy.join("backup.json")).unwrap();
    assert!(refused(&other, &["restore", at]).contains("is this a directory that `tollgate backup` finished?"));
    assert!(!other.exists(), "a refused restore leaves nothing");
}
