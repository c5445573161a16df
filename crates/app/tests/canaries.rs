//! Three dozen secrets in every place that takes one, through calls that work and calls that fail; then everything that was written is searched for them.
//!
//! Bodies that callers send are payload and are logged by design: the canaries stand in credentials.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// Unlike anything else, and with characters that URLs escape.
fn canary(number: usize) -> String {
    format!("cnry~{number:02}/qZ8+vW3xK7mT5j{number:02}=")
}

const CANARIES: usize = 36;

/// As it could turn up: as it is, escaped for a URL or for JSON, in base64 wherever it begins in three bytes, in hexadecimal.
fn forms(canary: &str) -> Vec<Vec<u8>> {
    let escaped = |kept: &str| -> String {
        canary
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect()
    };
    let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms =
        vec![canary.to_owned(), escaped("-_.~"), escaped("-_.~/"), escaped(""), canary.replace('/', "\\/"), hex];
    for offset in 0..3 {
        let shifted: Vec<u8> = std::iter::repeat_n(b'x', offset).chain(canary.bytes()).collect();
        let encoded = base64(&shifted);
        // The first and the last letters hold bits of neighbours.
        let inner = encoded.trim_end_matches('=');
        let inner = &inner[if offset == 0 { 0 } else { 4 }..inner.len() - 2];
        forms.push(inner.to_owned());
        forms.push(inner.replace('+', "-").replace('/', "_"));
    }
    forms.into_iter().map(String::into_bytes).collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * place)) as usize & 63];
            out.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

/// Stands for every provider: remembers what it was sent, and likes every second request only.
struct Provider {
    url: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

fn provider() -> Provider {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
    let ear = heard.clone();
    std::thread::spawn(move || {
        for (number, connection) in listener.incoming().enumerate() {
            let (mut connection, mut read) = (connection.unwrap(), [0; 65_536]);
            let count = connection.read(&mut read).unwrap_or(0);
            ear.lock().unwrap().extend_from_slice(&read[..count]);
            let status = if number % 2 == 0 { "200 OK" } else { "401 Unauthorized" };
            let body = r#"{"id":"x","object":"chat.completion","model":"m","choices":[]}"#;
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = connection.write_all(format!("{head}{body}").as_bytes());
        }
    });
    Provider { url, heard }
}

/// A gateway as a shell starts it, and everything that it says.
struct Server {
    child: Child,
    address: String,
    said: Vec<u8>,
}

impl Server {
    fn start(dir: &Path, environment: &[(&str, String)]) -> Self {
        let stderr = std::fs::File::create(dir.join("stderr")).unwrap();
        let mut command = tollgate(dir, environment);
        command.args(["serve", "--json", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let banner: Value = serde_json::from_str(&first)
            .unwrap_or_else(|_| panic!("{first:?}: {}", std::fs::read_to_string(dir.join("stderr")).unwrap()));
        let address = banner["listening"].as_str().unwrap().trim_start_matches("http://").to_owned();
        Self { child, address, said: first.into_bytes() }
    }

    /// The answer, head and body.
    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-type: application/json\r\n{lines}"
        );
        write!(connection, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        self.said.extend_from_slice(&answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tollgate(dir: &Path, environment: &[(&str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command
        .env("TOLLGATE_CONFIG", dir.join("tollgate.toml"))
        .arg("--data-dir")
        .arg(dir.join("data"))
        .envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

fn run(dir: &Path, line: &str, input: &str) -> Vec<u8> {
    let mut command = tollgate(dir, &[]);
    command.args(line.split_whitespace()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    [output.stdout, output.stderr].concat()
}

fn files_below(dir: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, into);
        } else if path.file_name().is_some_and(|name| name != "master.key") {
            into.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

#[test]
fn three_dozen_secrets_are_found_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let provider = provider();
    let c = canary;
    let settings = format!(
        "[providers.openai]\nbase_url = \"{0}/v1\"\n[providers.anthropic]\nbase_url = \"{0}\"\n[providers.azure-openai]\nbase_url = \"{0}\"\n\
         [providers.aws-bedrock]\nbase_url = \"{0}\"\n[egress]\nallow_private = [\"127.0.0.0/8\"]\n[log]\nfilter = \"debug\"\n",
        provider.url
    );
    std::fs::write(dir.join("tollgate.toml"), settings).unwrap();
    let environment = [("ANTHROPIC_API_KEY", c(0)), ("MISTRAL_API_KEY", c(1))];
    let mut told: Vec<u8> = Vec::new();
    let token = {
        let made = run(dir, "token create --name t --permissions admin --json", "");
        serde_json::from_slice::<Value>(&made).unwrap()["token"].as_str().unwrap().to_owned()
    };
    told.extend(run(dir, "gateway create g --json", ""));
    told.extend(run(dir, "key add openai --gateway g --json", &c(2)));
    told.extend(run(dir, "key add openai --gateway g --alias twice --json", &c(3)));
    told.extend(run(dir, "key add openai --gateway g --alias twice", &c(4)));
    told.extend(run(dir, &format!("key add openai --gateway g --alias argument --from {}", c(5)), ""));
    told.extend(run(dir, "key add aws-bedrock --gateway g", &json!({ "secretAccessKey": c(6) }).to_string()));
    told.extend(run(
        dir,
        "key add google-vertex-ai --gateway g",
        &json!({ "private_key": c(7), "client_email": "a" }).to_string(),
    ));
    std::fs::write(
        dir.join("bad.toml"),
        format!("[providers.openai]\nbase_url = \"https://user:{}@h.example/v1\"\n", c(8)),
    )
    .unwrap();
    told.extend(run(dir, &format!("check {}", dir.join("bad.toml").display()), ""));

    let mut server = Server::start(dir, &environment);
    let admin = format!("Bearer {token}");
    let api = |server: &mut Server, method: &str, path: &str, body: Value| {
        server.ask(method, &format!("/client/v4/accounts/a{path}"), &[("authorization", &admin)], &body.to_string())
    };
    let configs = "/ai-gateway/gateways/g/provider_configs";
    let config = |provider: &str, alias: &str, secret: String| json!({ "provider_slug": provider, "alias": alias, "default_config": false, "secret": secret });
    let made = api(&mut server, "POST", configs, config("openai", "api", c(9)));
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    api(&mut server, "POST", configs, config("openai", "api", c(10)));
    api(&mut server, "POST", configs, config("nobody", "api", c(11)));
    api(
        &mut server,
        "POST",
        configs,
        config("azure-openai", "default", json!({ "key": c(12), "resource": "acme" }).to_string()),
    );
    api(
        &mut server,
        "POST",
        configs,
        config(
            "aws-bedrock",
            "default",
            json!({ "accessKeyId": "AKIAFAKE", "secretAccessKey": c(13), "sessionToken": c(14) }).to_string(),
        ),
    );
    api(&mut server, "POST", configs, config("openai", "broken", format!("{{\"key\": \"{}\"", c(15))));
    let id = made.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(
        api(&mut server, "PUT", &format!("{configs}/{id}"), json!({ "secret": c(16) })).starts_with("HTTP/1.1 200")
    );
    let stores = api(&mut server, "GET", "/secrets_store/stores", Value::Null);
    let store = stores.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let secrets = format!("/secrets_store/stores/{store}/secrets");
    let made = api(&mut server, "POST", &secrets, json!([{ "name": "s", "value": c(17), "scopes": ["workers"] }]));
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    api(&mut server, "POST", &secrets, json!([{ "name": "s", "value": c(18), "scopes": ["workers"] }]));
    api(
        &mut server,
        "POST",
        &secrets,
        json!([{ "name": "t", "value": c(19), "scopes": [c(20).replace(['/', '+', '='], "")] }]),
    );
    api(
        &mut server,
        "POST",
        "/ai-gateway/custom-providers",
        json!({ "name": "x", "slug": "x", "base_url": format!("https://u:{}@h.example", c(21)) }),
    );

    let headers = json!({ "X-Key": c(30), "Authorization": format!("Bearer {}", c(31)) }).to_string();
    let custom = json!({ "name": "y", "slug": "y", "base_url": provider.url, "enable": true, "headers": headers });
    let made = api(&mut server, "POST", "/ai-gateway/custom-providers", custom);
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    let settings = json!({
        "cache_invalidate_on_update": false, "cache_ttl": 0, "collect_logs": true, "rate_limiting_interval": 0, "rate_limiting_limit": 0,
        "otel": [{ "url": "https://h.example/v1", "headers": { "x-key": c(32) }, "authorization": c(33) }],
        "stripe": { "authorization": c(34), "usage_events": [] }
    });
    let made = api(&mut server, "PUT", "/ai-gateway/gateways/g", settings.clone());
    assert!(made.starts_with("HTTP/1.1 200") && made.contains("***"), "{made}");
    let mut wrong = settings;
    wrong["otel"][0]["authorization"] = format!("{}{}", c(35), "x".repeat(300)).into();
    wrong["stripe"]["authorization"] = json!({ "key": c(35) });
    let refused = api(&mut server, "PUT", "/ai-gateway/gateways/g", wrong);
    assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");

    let body = r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#;
    let chat = "/v1/a/g/openai/v1/chat/completions";
    let (c22, c23, c24, c25, c26, c27) =
        (format!("Bearer {}", c(22)), c(23), c(24), format!("Bearer {}", c(25)), format!("session={}", c(26)), c(27));
    for headers in [
        &[][..],
        &[("cf-aig-byok-alias", "api")],
        &[("authorization", c22.as_str())],
        &[("x-api-key", c23.as_str())],
        &[("x-custom-secret", c24.as_str())],
        &[("cf-aig-authorization", c25.as_str())],
        &[("cookie", c26.as_str())],
        &[("sec-websocket-protocol", c27.as_str()), ("upgrade", "websocket")],
    ] {
        // Twice: the provider likes every second one only.
        for _ in 0..2 {
            server.ask("POST", chat, headers, body);
        }
    }
    let query = canary(28).replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    server.ask("POST", &format!("/v1/a/g/google-ai-studio/v1beta/models/m:generateContent?key={query}"), &[], "{}");
    server.ask("POST", &format!("/v1/a/g/sandbox/v1/chat/completions?key={query}"), &[], body);
    server.ask("POST", "/v1/a/g/anthropic/v1/messages", &[], body);
    server.ask("POST", "/v1/a/g/custom-y/v1/chat/completions", &[], body);
    server.ask("POST", "/v1/a/g/azure-openai/acme/dep/chat/completions?api-version=1", &[], body);
    server.ask("POST", "/v1/a/g/aws-bedrock/bedrock-runtime/us-east-1/model/m/converse", &[], r#"{"messages":[]}"#);
    server.ask(
        "POST",
        "/v1/a/nobody/openai/v1/chat/completions",
        &[("authorization", &format!("Bearer {}", c(29)))],
        body,
    );
    server.ask("GET", "/client/v4/user", &[("authorization", &format!("Bearer {}", c(29)))], "");
    for path in [
        "/ai-gateway/gateways/g",
        "/ai-gateway/gateways",
        "/ai-gateway/custom-providers",
        "/ai-gateway/config/export",
        "/ai-gateway/config/states",
        "/ai-gateway/gateways/g/logs?per_page=50",
        configs,
        &secrets,
        "/audit_logs",
        "/logs/audit",
        "/tokens",
    ] {
        api(&mut server, "GET", path, Value::Null);
    }
    server.ask("GET", "/metrics", &[("authorization", &admin)], "");
    told.extend(run(dir, "key list --gateway g --json", ""));
    told.extend(run(dir, "export", ""));
    told.extend(run(dir, "gateway show g --json", ""));
    told.extend(run(dir, "provider custom show y", ""));
    told.extend(run(dir, "logs list --gateway g --json", ""));
    let heard = String::from_utf8_lossy(&provider.heard.lock().unwrap()).into_owned();
    // They were really used, or this test would look for nothing.
    for number in [0, 2, 16, 22, 30, 31] {
        assert!(heard.contains(&canary(number)), "canary {number} never reached its provider");
    }
    let mut written =
        vec![("answers".to_owned(), std::mem::take(&mut server.said)), ("the command line".to_owned(), told)];
    drop(server);
    // The settings file with a password in it is the operator's own.
    std::fs::remove_file(dir.join("bad.toml")).unwrap();
    files_below(dir, &mut written);
    let master = std::fs::read_to_string(dir.join("data/master.key")).unwrap().trim().to_owned();
    assert!(written.len() > 5 && written.iter().any(|(name, _)| name.ends_with("tollgate.db")));
    let secrets: Vec<String> = (0..CANARIES).map(canary).chain([master, token]).collect();
    let mut found = Vec::new();
    for (place, bytes) in &written {
        let text =
            std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), str::to_owned);
        for (number, secret) in secrets.iter().enumerate() {
            for form in forms(secret).iter().filter(|form| form.len() > 8) {
                if text.contains(std::str::from_utf8(form).unwrap()) {
                    found.push(format!("secret {number} in {place}, as {}", String::from_utf8_lossy(form)));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_form_is_looked_for() {
    assert_eq!(
        (base64(b"any carnal pleas"), base64(b"any carnal pleasure.")),
        ("YW55IGNhcm5hbCBwbGVhcw==".into(), "YW55IGNhcm5hbCBwbGVhc3VyZS4=".into())
    );
    let secret = canary(7);
    for around in ["", "a", "ab"] {
        let hidden = base64(format!("{around}{secret}xyz").as_bytes());
        assert!(forms(&secret).iter().any(|form| hidden.contains(std::str::from_utf8(form).unwrap())), "{around:?}");
    }
}
