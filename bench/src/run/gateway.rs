//! The gateway as a user sets it up: a settings file, a token, a gateway with its limits.
//!
//! Enters: the path of its binary. Leaves: a furnished data directory, the command that serves it, its REST API. Never:
//! uses anything but the documented command line and API.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::process::Command;

use super::bench::{Bench, free_port};
use super::target::{Kind, wait_for};
use crate::corpus::{Destination, MODEL};
use crate::process::Process;

const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";
const GATEWAY: &str = "bench";
const LOGGED_WITHIN: Duration = Duration::from_secs(60);

/// One data directory with everything the measurement needs in it.
pub struct House {
    binary: PathBuf,
    settings: PathBuf,
    data: PathBuf,
    secret: String,
    kind: Kind,
    // Removed with the house's owner, the scratch folder.
}

impl House {
    pub async fn furnish(bench: &Bench, kind: Kind) -> anyhow::Result<Self> {
        let place = tempfile::Builder::new().prefix(&kind.to_string()).tempdir_in(bench.scratch.path())?.keep();
        let settings = place.join("tollgate.toml");
        std::fs::write(&settings, settings_file(bench.mock))?;
        let binary = std::path::absolute(&bench.options.gateway)?;
        let mut house = Self { binary, settings, data: place.join("data"), secret: String::new(), kind };
        house.secret = house.create_token().await?;
        house.told(&["gateway", "create", GATEWAY, "--json"]).await?;
        house.put_settings(bench, kind).await?;
        Ok(house)
    }

    pub fn serve(&self, listen: SocketAddr) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("serve").arg("--config").arg(&self.settings).arg("--data-dir").arg(&self.data);
        command.arg("--listen").arg(listen.to_string());
        command
    }

    pub fn destination(&self, target: SocketAddr) -> Destination {
        let mut headers = vec![format!("cf-aig-authorization: Bearer {}", self.secret)];
        if matches!(self.kind, Kind::Free | Kind::Limits) {
            headers.push(r#"cf-aig-metadata: {"team":"red","env":"prod","user":"u-17"}"#.to_owned());
        }
        let (surface, model) = match self.kind {
            Kind::Unified => ("compat", "openai/gpt-4o-mini"),
            Kind::Translated => ("compat", "anthropic/claude-haiku-4-5"),
            _ => ("openai/v1", MODEL),
        };
        let path = format!("/v1/{ACCOUNT}/{GATEWAY}/{surface}/chat/completions");
        Destination { target, path, headers, model: model.to_owned() }
    }

    pub fn desk(&self, address: SocketAddr) -> Desk {
        Desk { address, secret: self.secret.clone() }
    }

    async fn create_token(&self) -> anyhow::Result<String> {
        let mut words = vec!["token", "create", "--name", "bench", "--permissions", "run,read,write", "--json"];
        if self.kind == Kind::Limits {
            words.extend(["--rate", "1000000000/1m", "--spend", "1000000/1d"]);
        }
        let told = self.told(&words).await?;
        let secret = ["secret", "token", "value"].iter().find_map(|name| told.get(name)?.as_str());
        Ok(secret.context("no secret in what `token create` said")?.to_owned())
    }

    /// One command of the binary's own command line; the JSON it prints.
    async fn told(&self, words: &[&str]) -> anyhow::Result<Value> {
        let mut command = Command::new(&self.binary);
        command.args(words).arg("--config").arg(&self.settings).arg("--data-dir").arg(&self.data);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        if !output.status.success() {
            bail!("tollgate {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("tollgate {}", words.join(" ")))
    }

    /// A first, unmeasured life of the server, in which the settings come in through the REST API.
    async fn put_settings(&self, bench: &Bench, kind: Kind) -> anyhow::Result<()> {
        let address = free_port()?;
        let errors = bench.errors_of("furnish");
        let process = Process::start(self.serve(address), bench.target_core, &errors)?;
        let path = format!("gateways/{GATEWAY}");
        let desk = self.desk(address);
        desk.ask("PUT", &path, Some(&wanted(kind))).await.with_context(|| read(&errors))?;
        for policy in if kind == Kind::Limits { policies() } else { Vec::new() } {
            desk.ask("POST", &format!("{path}/policies?commit=true"), Some(&policy)).await?;
        }
        process.stop(Signal::SIGTERM).await
    }
}

fn settings_file(mock: SocketAddr) -> String {
    format!(
        "[providers.openai]\nbase_url = \"http://{mock}/v1\"\n\n[providers.anthropic]\nbase_url = \"http://{mock}\"\n\n\
         [egress]\nallow_private = [\"127.0.0.0/8\"]\n"
    )
}

/// Everything on. The limit is one that is counted but never reached.
fn wanted(kind: Kind) -> Value {
    let mut wanted = usual(kind);
    match kind {
        Kind::Free => wanted["rate_limiting_limit"] = 0.into(),
        Kind::Limits => {
            let by = |key: &str| json!({ key: { "mode": "partition" } });
            let budget = |metadata: Value| json!({ "limitType": "cost", "limit": 1_000_000, "window": 86_400, "metadata": metadata });
            wanted["spend_limits"] = json!({ "enabled": true, "rules": [budget(json!({})), budget(by("team"))] });
            wanted["tollgate_limits"] = json!([
                { "count": "requests", "limit": 1_000_000_000, "metadata": by("user") },
                { "count": "tokens", "limit": 1_000_000_000_000_u64, "metadata": by("user") },
                { "count": "concurrent", "limit": 100_000 },
            ]);
        }
        _ => {}
    }
    wanted
}

/// One limit a person, one of everybody, and a block that does not match.
fn policies() -> Vec<Value> {
    let limit = json!({ "type": "limit", "amount": 1_000_000, "period": "monthly", "technique": "named-interval" });
    let policy = |name: &str, actor: &str, condition: &str, action: &Value| json!({ "name": name, "actor": actor, "resource": "*", "condition": condition, "action": action });
    vec![
        policy(
            "each",
            "user:{metadata.user}",
            "metadata.user.startsWith('u-') && metadata.env in ['prod', 'test']",
            &limit,
        ),
        policy("all", "everybody", "true", &limit),
        policy("never", "nobody", "metadata.env == 'none'", &json!({ "type": "block" })),
    ]
}

fn usual(kind: Kind) -> Value {
    json!({
        "authentication": true,
        "cache_invalidate_on_update": false,
        "cache_ttl": if kind == Kind::Cache { 86_400 } else { 0 },
        "collect_logs": kind != Kind::Nolog,
        "log_management": 10_000_000,
        "log_management_strategy": "DELETE_OLDEST",
        "rate_limiting_interval": 60,
        "rate_limiting_limit": 1_000_000_000,
        "rate_limiting_technique": "sliding",
    })
}

fn read(errors: &Path) -> String {
    std::fs::read_to_string(errors).unwrap_or_default()
}

/// The REST API of a running gateway.
pub struct Desk {
    address: SocketAddr,
    secret: String,
}

impl Desk {
    /// Waits until the log holds `expected` records. More than that would be as wrong as fewer.
    pub async fn wait_for_log(&self, expected: u64) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let answer = self.ask("GET", &format!("gateways/{GATEWAY}/logs?per_page=1"), None).await?;
            let count = answer["result_info"]["total_count"].as_u64().context("no total_count in the list of logs")?;
            if count == expected {
                return Ok(());
            }
            if count > expected || begun.elapsed() > LOGGED_WITHIN {
                bail!("the log holds {count} records of {expected} requests");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} /client/v4/accounts/{ACCOUNT}/ai-gateway/{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            self.secret,
            body.len()
        );
        let mut said = Vec::new();
        let answer = wait_for(self.address).await?.exchange(request.as_bytes(), &mut said).await?;
        if answer.status != 200 {
            bail!("{method} {path}: {} {}", answer.status, String::from_utf8_lossy(&said));
        }
        Ok(serde_json::from_slice(&said)?)
    }
}
