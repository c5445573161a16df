//! `cargo xtask credits [KILLS]`: a gateway whose callers draw on credits is killed at random moments.
//!
//! Enters: a number of kills. Leaves: what was logged and what was drawn; fails unless they agree. Never: runs without an end.
//!
//! A second gateway plays the provider. What is drawn is written down before a record is, so after a kill the log may lack what the last requests drew, at
//! most as much as was under way; it never has more. Whatever was lost or counted twice at one of the restarts would be many times as much.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::gateway::{ACCOUNT, Caller, Gateway, Program};

const CALLERS: usize = 8;
const BOOKED_CENTS: u64 = 1_000_000;
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let kills: u64 = arguments.next().map_or(Ok(20), |text| text.parse()).context("expected the number of kills")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let dir = std::env::temp_dir().join(format!("tollgate-credits-{}", std::process::id()));
    let outcome = runtime.block_on(under_fire(kills, &dir));
    std::fs::remove_dir_all(&dir).ok();
    outcome
}

async fn under_fire(kills: u64, dir: &Path) -> anyhow::Result<()> {
    let program = Program::find(None)?;
    let provider = program.start(&dir.join("provider"), None)?;
    let (data, config) = (dir.join("gateway"), dir.join("tollgate.toml"));
    let settings = format!(
        "[providers.openai]\nbase_url = \"{}/v1/{ACCOUNT}/default/sandbox/v1\"\n[egress]\nallow_private = [\"loopback\"]\n\
         [credits]\nenabled = true\nrequests_per_minute = 1000000\n",
        provider.url
    );
    std::fs::write(&config, settings)?;
    let start = || program.start_with(&data, &config, &[("OPENAI_API_KEY", "sk-fake-of-the-operator")]);
    let mut gateway = start()?;
    let token = program.tell(&data, &["token", "create", "--name", "credits", "--permissions", "admin"])?;
    let token = token["token"].as_str().context("token create printed no token")?.to_owned();
    book(&gateway, &token).await?;
    let (mut dice, mut asked) = (0x7011_6a7e_u64, 0);
    for _ in 0..kills {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let callers: Vec<_> =
            (0..CALLERS).map(|_| tokio::spawn(ask(gateway.url.clone(), stop.clone(), count.clone()))).collect();
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(150 + (dice >> 33) % 300)).await;
        gateway.kill()?;
        stop.store(true, Ordering::SeqCst);
        join_all(callers).await;
        asked += count.load(Ordering::SeqCst);
        gateway = start()?;
    }
    let (logged, dearest) = logged_cents(&gateway, &token).await?;
    let drawn = drawn_cents(&gateway, &token).await?;
    let under_way = kills as f64 * CALLERS as f64 * dearest;
    println!(
        "kills {kills}, answers {asked}: logged {logged:.3} cents, drawn {drawn}, under way at most {under_way:.3}"
    );
    ensure!(logged > under_way, "too few answers to tell");
    // Drawn is told in whole cents.
    ensure!(drawn + 1.0 >= logged, "money was lost");
    ensure!(drawn <= logged + under_way, "money was drawn twice");
    // Killed at rest, it is the same to the cent.
    gateway.kill()?;
    let again = drawn_cents(&start()?, &token).await?;
    ensure!(again.total_cmp(&drawn).is_eq(), "{drawn} cents before a restart, {again} after it");
    println!("1 passed, 0 failed");
    Ok(())
}

async fn book(gateway: &Gateway, token: &str) -> anyhow::Result<()> {
    let url = format!("{}/client/v4/accounts/{ACCOUNT}/ai-gateway/billing/credits", gateway.url);
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let body = json!({ "amount": BOOKED_CENTS, "description": "for the test" }).to_string();
    let heard = Caller::new().send(Method::POST, &url, &headers, Bytes::from(body)).await?;
    ensure!(heard.status == 200, "{}: {}", heard.status, String::from_utf8_lossy(&heard.body));
    Ok(())
}

/// Until the gateway is gone.
async fn ask(url: String, stop: Arc<AtomicBool>, count: Arc<AtomicU64>) {
    let caller = Caller::new();
    let url = format!("{url}/v1/{ACCOUNT}/default/openai/v1/chat/completions");
    let body = json!({ "model": "o1-pro", "max_tokens": 100, "messages": [{ "role": "user", "content": "hello" }] })
        .to_string();
    while !stop.load(Ordering::SeqCst) {
        let heard = caller.send(Method::POST, &url, &[("content-type", "application/json")], body.clone().into()).await;
        match heard {
            Ok(heard) if heard.status == 200 => drop(count.fetch_add(1, Ordering::SeqCst)),
            _ => return,
        }
    }
}

/// All of it, and the dearest answer.
async fn logged_cents(gateway: &Gateway, token: &str) -> anyhow::Result<(f64, f64)> {
    let url = format!(
        "{}/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/default/logs/export?q=wholesale:true",
        gateway.url
    );
    let authorization = format!("Bearer {token}");
    let heard = Caller::new().send(Method::GET, &url, &[("authorization", &authorization)], Bytes::new()).await?;
    ensure!(heard.status == 200, "{}: {}", heard.status, String::from_utf8_lossy(&heard.body));
    let (mut sum, mut dearest) = (0.0, 0.0_f64);
    for line in heard.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let cents = serde_json::from_slice::<Value>(line)?["cost"].as_f64().unwrap_or(0.0) * 100.0;
        (sum, dearest) = (sum + cents, dearest.max(cents));
    }
    Ok((sum, dearest))
}

async fn drawn_cents(gateway: &Gateway, token: &str) -> anyhow::Result<f64> {
    let url = format!("{}/client/v4/accounts/{ACCOUNT}/ai-gateway/billing/credit-balance", gateway.url);
    let balance = Caller::new().api(&url, token).await?["result"]["balance"].as_f64().context("no balance")?;
    Ok(BOOKED_CENTS as f64 - balance)
}
