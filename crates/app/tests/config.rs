//! The configuration's life over a running server: followed, planned, applied under load, taken back.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

const APPLIES: u64 = 200;
/// Longer than any machine takes; no assertion is about time.
const PATIENCE: Duration = Duration::from_secs(120);

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(data: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = tollgate(data, "serve --listen 127.0.0.1:0 --json");
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut banner = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut banner).unwrap();
        let banner: Value = serde_json::from_str(&banner).unwrap_or_else(|_| panic!("no banner: {banner}"));
        let url = banner["listening"].as_str().unwrap().to_owned();
        Self { process, address: url.trim_start_matches("http://").trim_end_matches('/').to_owned() }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A whole answer; the connection is closed behind it.
    fn ask(&self, model: &str, stream: bool) -> String {
        ask(&self.address, model, stream)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn ask(address: &str, model: &str, stream: bool) -> String {
    let body = format!(r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":"Hello"}}]}}"#);
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "POST /v1/local/default/sandbox/v1/chat/completions HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut said = String::new();
    socket.read_to_string(&mut said).unwrap();
    said
}

fn tollgate(data: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    for name in ["TOLLGATE_CONFIG", "TOLLGATE_CONFIG_FILE", "TOLLGATE_URL", "TOLLGATE_TOKEN"] {
        command.env_remove(name);
    }
    command.args(line.split_whitespace()).arg("--data-dir").arg(data);
    command
}

fn said(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

fn refused(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

fn admin(data: &Path) -> String {
    let made = said(&mut tollgate(data, "token create --name admin --permissions admin,run --json"));
    serde_json::from_str::<Value>(&made).unwrap()["token"].as_str().unwrap().to_owned()
}

fn call(address: &str, token: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "POST /client/v4/accounts/local/ai-gateway/config/{path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\
         authorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut said = String::new();
    socket.read_to_string(&mut said).unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn file(number: u64) -> String {
    let mut text =
        format!("[gateway.default]\ncache_invalidate_on_update = true\ncollect_logs = {}\n", number.is_multiple_of(4));
    for route in 0..5 {
        text.push_str(&format!(
            "[gateway.default.route.r{route}]\nelements = [\n  {{ id = \"s\", type = \"start\", outputs = {{ next = \"m\" }} }},\n  \
             {{ id = \"m\", type = \"model\", properties = {{ provider = \"openai\", model = \"m{}\" }} }},\n]\n",
            number % 7 + route
        ));
    }
    match number % 2 {
        0 => text,
        _ => text + "[gateway.other]\ncache_ttl = \"soon\"\n",
    }
}

/// Must show 5 of the control plane: applies, half of them wrong, while requests come and streams are open.
#[test]
fn applies_under_load_fail_no_request_and_the_wrong_ones_are_told_where() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    let token = admin(dir.path());
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let answered = std::thread::scope(|scope| {
        let streams: Vec<_> =
            (0..8).map(|_| scope.spawn(|| server.ask("sandbox-1:gap=20,chunks=200,tokens=200", true))).collect();
        let loads: Vec<_> = (0..3)
            .map(|_| {
                let (stop, asked, address) = (stop.clone(), asked.clone(), server.address.clone());
                scope.spawn(move || {
                    let mut failed = Vec::new();
                    while !stop.load(Ordering::SeqCst) {
                        let said = ask(&address, "sandbox-1:tokens=5", false);
                        asked.fetch_add(1, Ordering::SeqCst);
                        if !said.starts_with("HTTP/1.1 200") {
                            failed.push(said);
                        }
                    }
                    failed
                })
            })
            .collect();
        let mut longest = Duration::ZERO;
        for number in 0..APPLIES {
            let began = Instant::now();
            let (status, said) = call(&server.address, &token, "apply", &serde_json::json!({ "text": file(number) }));
            longest = longest.max(began.elapsed());
            if number % 2 == 0 {
                assert_eq!(status, 200, "{said}");
            } else {
                let error = &said["errors"][0];
                let place = (status, error["line"].as_u64(), error["column"].as_u64(), error["at"].as_str());
                assert_eq!(place, (400, Some(30), Some(1), Some("gateway.other.cache_ttl")), "{said}");
            }
        }
        println!("{APPLIES} applies beside {} requests; the longest took {longest:?}", asked.load(Ordering::SeqCst));
        stop.store(true, Ordering::SeqCst);
        for load in loads {
            assert_eq!(load.join().unwrap(), Vec::<String>::new());
        }
        streams.into_iter().map(|stream| stream.join().unwrap()).collect::<Vec<_>>()
    });
    for stream in answered {
        assert!(stream.starts_with("HTTP/1.1 200") && stream.contains("data: [DONE]"), "a stream broke: {stream}");
    }
    assert!(asked.load(Ordering::SeqCst) > 0);
}

#[test]
fn a_server_elsewhere_is_planned_applied_exported_and_rolled_back() {
    let (dir, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(dir.path(), &[]);
    let (token, url) = (admin(dir.path()), server.url());
    let far = |line: &str| {
        let mut command = tollgate(here.path(), line);
        command.env("TOLLGATE_URL", &url).env("TOLLGATE_TOKEN", &token);
        command
    };
    let before = said(&mut far("export"));
    assert_eq!(before, said(&mut tollgate(dir.path(), "export")), "the same from the data directory");
    let path = here.path().join("new.toml");
    std::fs::write(&path, before.clone() + "\n[gateway.new]\ncache_ttl = 300\nauthentication = true\n").unwrap();
    let file = path.display();
    let planned = said(&mut far(&format!("plan {file}")));
    assert!(planned.starts_with("+ gateway \"new\"\n    cache_ttl: 300\n"), "{planned}");
    assert!(said(&mut far(&format!("apply {file} --prune"))).contains("1 to add, 0 to change, 0 to remove"));
    assert!(said(&mut far("export")).contains("[gateway.new]"));
    assert!(said(&mut far("rollback --list")).contains("THEN ADDED"));
    said(&mut far("rollback"));
    assert_eq!(said(&mut far("export")), before);
    std::fs::write(&path, "[gateway.new]\ncache_tll = 300\n").unwrap();
    let wrong = refused(&mut far(&format!("apply {file}")));
    assert!(wrong.contains(&format!("{file}:2:1: gateway.new.cache_tll: There is no")), "{wrong}");
    let listed = said(&mut far("api aig-config-list-gateway"));
    assert_eq!(serde_json::from_str::<Value>(&listed).unwrap()["success"], true);
    for (line, hint) in [
        ("provider custom list", "tollgate api"),
        ("api nope", "`tollgate api` lists them"),
        ("api aig-config-fetch-gateway", "needs gateway=..."),
        ("rollback --to nope", "rollback --list"),
    ] {
        let wrong = refused(&mut far(line));
        assert!(wrong.contains(hint), "{line}: {wrong}");
    }
    assert!(refused(far("export").env("TOLLGATE_TOKEN", "tg_fake")).contains("the token is not known"));
    assert!(refused(far("export").env_remove("TOLLGATE_TOKEN")).contains("set TOLLGATE_TOKEN"));
}

#[test]
fn a_file_is_followed_and_a_wrong_one_leaves_what_was_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("all.toml");
    let data = dir.path().join("data");
    let token = said(&mut tollgate(&data, "token new --name ops --permissions admin,run"));
    let secret = token.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    let with = |rest: &str| std::fs::write(&path, format!("{token}\n{rest}")).unwrap();
    with("[gateway.default]\ncache_ttl = 60\n");
    let server = Server::start(&data, &[("TOLLGATE_CONFIG_FILE", path.to_str().unwrap())]);
    let far = |line: &str| {
        let mut command = tollgate(&data, line);
        command.env("TOLLGATE_URL", server.url()).env("TOLLGATE_TOKEN", &secret);
        command
    };
    let until = |what: &str| {
        let began = Instant::now();
        while !said(&mut far("export")).contains(what) {
            assert!(began.elapsed() < PATIENCE, "{what} never came into force");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    until("cache_ttl = 60");
    assert!(refused(&mut far(&format!("apply {}", path.display()))).contains("change it there"));
    with("[gateway.default]\ncache_ttl = 61\n[gateway.second]\n");
    until("[gateway.second]");
    with("[gateway.default]\ncache_ttl = \"never\"\n");
    assert!(server.ask("sandbox-1", false).starts_with("HTTP/1.1 200"));
    with("[gateway.default]\ncache_ttl = 62\n");
    until("cache_ttl = 62");
    assert!(!said(&mut far("export")).contains("[gateway.second]"), "what the file does not name goes");

    std::fs::write(&path, "[gateway.default]\ncache_tll = 5\n").unwrap();
    let other = dir.path().join("other");
    let mut wrong = tollgate(&other, "serve --listen 127.0.0.1:0");
    let wrong = refused(wrong.env("TOLLGATE_CONFIG_FILE", &path));
    assert!(wrong.contains("all.toml:2:1: gateway.default.cache_tll"), "{wrong}");
}

#[test]
fn completions_name_the_commands() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&mut tollgate(dir.path(), &format!("completions {shell}")));
        assert!(["export", "rollback", "completions"].iter().all(|word| script.contains(word)), "{shell}");
    }
    assert!(said(&mut tollgate(dir.path(), "api")).contains("tollgate-apply-config"));
}
