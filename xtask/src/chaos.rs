//! `cargo xtask chaos [ROUNDS]`: kills a loaded gateway again and again, and looks for what its callers received in the log.
//!
//! Enters: a number of kills. Leaves: `delivered`, `missing`, `duplicates`; fails unless the last two are 0. Never: runs without an end.
//!
//! A request counts as delivered when its caller has the whole answer. Half of them are streams. The moment of the kill is drawn from a seeded
//! generator, the seed is printed. Between a kill and the next start nothing is repaired by hand.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::Method;

use crate::gateway::{ACCOUNT, Caller, Gateway, Program};

/// Enough that every kill meets requests in all states; more only makes the log longer that is read back in the end.
const CALLERS: usize = 8;
const GATEWAY: &str = "chaos";

pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let rounds: u64 = arguments.next().map_or(Ok(100), |text| text.parse()).context("expected the number of rounds")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let dir = std::env::temp_dir().join(format!("tollgate-chaos-{}", std::process::id()));
    let outcome = runtime.block_on(rage(rounds, &dir));
    std::fs::remove_dir_all(&dir).ok();
    outcome
}

async fn rage(rounds: u64, dir: &Path) -> anyhow::Result<()> {
    let seed = 0x7011_6a7e_u64;
    let mut dice = Dice(seed);
    let mut delivered: Vec<String> = Vec::new();
    let program = Program::built()?;
    program.tell(dir, &["gateway", "create", GATEWAY])?;
    for round in 0..rounds {
        let gateway = program.start(dir, None).with_context(|| format!("round {round}, seed {seed:#x}"))?;
        let load = Load::start(&gateway.url);
        tokio::time::sleep(Duration::from_millis(40 + dice.roll(400))).await;
        gateway.kill()?;
        delivered.extend(load.finish().await);
    }
    let (missing, duplicates, logged) = judge(&program, dir, &delivered).await?;
    println!(
        "kills {rounds}, delivered {}, logged {logged}, missing {missing}, duplicates {duplicates}, seed {seed:#x}",
        delivered.len()
    );
    ensure!(delivered.len() as u64 > rounds * 10, "too little was delivered to prove anything");
    ensure!(missing == 0 && duplicates == 0, "delivered requests are missing from the log, or stand in it twice");
    println!("2 passed, 0 failed");
    Ok(())
}

struct Load {
    stop: Arc<AtomicBool>,
    delivered: Arc<Mutex<Vec<String>>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(url: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let delivered = Arc::new(Mutex::new(Vec::new()));
        let caller = Caller::new();
        let tasks = (0..CALLERS)
            .map(|index| {
                tokio::spawn(ask(
                    caller.clone(),
                    format!("{url}/v1/{ACCOUNT}/{GATEWAY}/sandbox/v1/chat/completions"),
                    index,
                    stop.clone(),
                    delivered.clone(),
                ))
            })
            .collect();
        Self { stop, delivered, tasks }
    }

    async fn finish(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            drop(tokio::time::timeout(Duration::from_secs(10), task).await);
        }
        self.delivered.lock().map(|ids| ids.clone()).unwrap_or_default()
    }
}

async fn ask(caller: Caller, url: String, index: usize, stop: Arc<AtomicBool>, delivered: Arc<Mutex<Vec<String>>>) {
    let stream = index.is_multiple_of(2);
    let body = format!(
        r#"{{"model":"sandbox-1:tokens=20","stream":{stream},"messages":[{{"role":"user","content":"caller {index}"}}]}}"#
    );
    while !stop.load(Ordering::SeqCst) {
        let heard =
            caller.send(Method::POST, &url, &[("content-type", "application/json")], Bytes::from(body.clone())).await;
        let Ok(heard) = heard else { return };
        let id = heard.headers.get("cf-aig-log-id").and_then(|id| id.to_str().ok());
        if let (200, Some(id), Ok(mut ids)) = (heard.status, id, delivered.lock()) {
            ids.push(id.to_owned());
        }
    }
}

/// Reads the whole log through the REST API of a last, quiet gateway.
async fn judge(program: &Program, dir: &Path, delivered: &[String]) -> anyhow::Result<(usize, usize, usize)> {
    let gateway = program.start(dir, None)?;
    let token = program.tell(dir, &["token", "create", "--name", "chaos", "--permissions", "read"])?;
    let token = token["token"].as_str().context("token create printed no token")?.to_owned();
    let caller = Caller::new();
    settled(&caller, &gateway, &token).await?;
    let mut seen: HashMap<String, usize> = HashMap::new();
    for page in 1.. {
        let url = format!(
            "{}/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/{GATEWAY}/logs?per_page=50&page={page}&order_by=created_at&order_by_direction=asc",
            gateway.url
        );
        let answer = caller.api(&url, &token).await?;
        let rows = answer["result"].as_array().context("no result")?.clone();
        if rows.is_empty() {
            break;
        }
        rows.iter().filter_map(|row| row["id"].as_str()).for_each(|id| *seen.entry(id.to_owned()).or_default() += 1);
    }
    let delivered: HashSet<&String> = delivered.iter().collect();
    let missing = delivered.iter().filter(|id| !seen.contains_key(id.as_str())).count();
    let duplicates = seen.values().filter(|count| **count > 1).count();
    Ok((missing, duplicates, seen.len()))
}

/// A gateway that starts on a long journal answers while it is still reading it: waits until its log no longer grows.
async fn settled(caller: &Caller, gateway: &Gateway, token: &str) -> anyhow::Result<()> {
    let url = format!("{}/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/{GATEWAY}/logs?per_page=1", gateway.url);
    let (mut before, mut same) = (0, 0);
    for _ in 0..120 {
        let count = caller.api(&url, token).await?["result_info"]["total_count"].as_u64().context("no total_count")?;
        same = if count == before && count > 0 { same + 1 } else { 0 };
        if same == 4 {
            return Ok(());
        }
        before = count;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    anyhow::bail!("the log still grows after a minute without traffic")
}

struct Dice(u64);

impl Dice {
    /// From 0 up to, not including, `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}
