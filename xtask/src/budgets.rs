//! `cargo xtask budgets [KILLS]`: many callers at once on budgets that fit so many requests, and a gateway that is killed meanwhile.
//!
//! Enters: a number of kills. Leaves: what was admitted; fails unless that is what the budgets fit. Never: runs without an end.
//!
//! Every request costs one cent by its own word. First a hundred budgets, each met by a thousand requests at the same time, of which exactly as many
//! may pass as fit. Then a few budgets that are drawn on while the gateway is killed at random moments, and used up afterwards. No money is lost if
//! not one more answer was delivered than the budget fits; none is doubled if every answer that fits was delivered or cut off by a kill.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures_util::future::join_all;
use http::Method;
use serde_json::json;

use crate::gateway::{ACCOUNT, Caller, Gateway, Program};

const GATEWAY: &str = "budgets";
const ROUNDS: usize = 100;
const AT_ONCE: usize = 1_000;
/// Callers of a gateway that is about to be killed.
const CALLERS: usize = 8;
const KILLS_OF_ONE_BUDGET: u64 = 5;
const FITS_UNDER_FIRE: usize = 4_000;

pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let kills: u64 = arguments.next().map_or(Ok(100), |text| text.parse()).context("expected the number of kills")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let dir = std::env::temp_dir().join(format!("tollgate-budgets-{}", std::process::id()));
    let outcome = runtime.block_on(both(kills, &dir));
    std::fs::remove_dir_all(&dir).ok();
    outcome
}

async fn both(kills: u64, dir: &Path) -> anyhow::Result<()> {
    let program = Program::find(None)?;
    program.tell(dir, &["gateway", "create", GATEWAY])?;
    let gateway = program.start(dir, None)?;
    set_limits(&program, dir, &gateway).await?;
    at_once(&gateway).await?;
    gateway.kill()?;
    under_fire(&program, dir, kills).await?;
    println!("3 passed, 0 failed");
    Ok(())
}

/// One budget for each value of `round`, of three sizes.
async fn set_limits(program: &Program, dir: &Path, gateway: &Gateway) -> anyhow::Result<()> {
    let token = program.tell(dir, &["token", "create", "--name", "budgets", "--permissions", "write"])?;
    let token = token["token"].as_str().context("token create printed no token")?.to_owned();
    let rule = |size: usize| {
        json!({ "limitType": "cost", "limit": size as f64 / 100.0, "window": 864_000, "technique": "fixed", "metadata": {
            "size": { "mode": "filter", "values": [size.to_string()] }, "round": { "mode": "partition" } } })
    };
    let body = json!({
        "cache_invalidate_on_update": false, "cache_ttl": 0, "collect_logs": false, "rate_limiting_interval": 0, "rate_limiting_limit": 0,
        "spend_limits": { "enabled": true, "rules": [rule(1), rule(137), rule(999), rule(FITS_UNDER_FIRE)] }
    });
    let url = format!("{}/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/{GATEWAY}", gateway.url);
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let heard = Caller::new().send(Method::PUT, &url, &headers, Bytes::from(body.to_string())).await?;
    ensure!(heard.status == 200, "{}: {}", heard.status, String::from_utf8_lossy(&heard.body));
    Ok(())
}

/// The status, or nothing when the answer was cut off.
async fn ask(caller: &Caller, url: &str, size: usize, round: &str, stream: bool) -> Option<u16> {
    let metadata = json!({ "size": size, "round": round }).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("cf-aig-metadata", metadata.as_str()),
        ("cf-aig-custom-cost", r#"{"total_cost":0.01}"#),
    ];
    let body = json!({ "model": "sandbox-1:tokens=20", "stream": stream, "messages": [{ "role": "user", "content": "hello" }] });
    let url = format!("{url}/v1/{ACCOUNT}/{GATEWAY}/sandbox/v1/chat/completions");
    caller.send(Method::POST, &url, &headers, Bytes::from(body.to_string())).await.ok().map(|heard| heard.status)
}

async fn at_once(gateway: &Gateway) -> anyhow::Result<()> {
    let caller = Caller::new();
    for round in 0..ROUNDS {
        let fits = [137, 1, 999][round % 3];
        let name = format!("at once {round}");
        let asked = (0..AT_ONCE).map(|index| ask(&caller, &gateway.url, fits, &name, index.is_multiple_of(2)));
        let statuses = join_all(asked).await;
        let count = |status| statuses.iter().filter(|each| **each == Some(status)).count();
        ensure!(
            (count(200), count(429)) == (fits, AT_ONCE - fits),
            "round {round}: {} admitted and {} refused of {AT_ONCE} where {fits} fit",
            count(200),
            count(429)
        );
    }
    println!("rounds {ROUNDS} of {AT_ONCE} at once: admitted exactly what fits, each time");
    Ok(())
}

#[derive(Default)]
struct Count {
    delivered: AtomicUsize,
    cut: AtomicUsize,
}

async fn under_fire(program: &Program, dir: &Path, kills: u64) -> anyhow::Result<()> {
    let seed = 0x7011_6a7e_u64;
    let mut dice = seed;
    let (mut all, mut all_cut) = (0, 0);
    for budget in 0..kills.div_ceil(KILLS_OF_ONE_BUDGET) {
        let count = Arc::new(Count::default());
        for _ in 0..KILLS_OF_ONE_BUDGET {
            let gateway = program.start(dir, None).with_context(|| format!("budget {budget}, seed {seed:#x}"))?;
            let callers = draw(&gateway.url, budget, &count);
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            tokio::time::sleep(Duration::from_millis(20 + (dice >> 33) % 150)).await;
            gateway.kill()?;
            join_all(callers).await;
        }
        // What is left, in peace.
        let gateway = program.start(dir, None)?;
        join_all(draw(&gateway.url, budget, &count)).await;
        gateway.kill()?;
        let (delivered, cut) = (count.delivered.load(Ordering::SeqCst), count.cut.load(Ordering::SeqCst));
        ensure!(
            delivered <= FITS_UNDER_FIRE,
            "budget {budget}: {delivered} delivered where {FITS_UNDER_FIRE} fit: money was lost"
        );
        ensure!(
            delivered + cut >= FITS_UNDER_FIRE,
            "budget {budget}: {delivered} delivered, {cut} cut, {FITS_UNDER_FIRE} fit: money was doubled"
        );
        (all, all_cut) = (all + delivered, all_cut + cut);
    }
    println!("kills {kills}, delivered {all}, cut off {all_cut}, lost 0, doubled 0, seed {seed:#x}");
    Ok(())
}

/// Callers that ask until the budget is used up or the gateway is gone.
fn draw(url: &str, budget: u64, count: &Arc<Count>) -> Vec<tokio::task::JoinHandle<()>> {
    let caller = Caller::new();
    let one = |index: usize| {
        let (caller, url, count) = (caller.clone(), url.to_owned(), count.clone());
        tokio::spawn(async move {
            loop {
                match ask(&caller, &url, FITS_UNDER_FIRE, &format!("under fire {budget}"), index.is_multiple_of(2))
                    .await
                {
                    Some(200) => drop(count.delivered.fetch_add(1, Ordering::SeqCst)),
                    Some(_) => return,
                    None => {
                        count.cut.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                }
            }
        })
    };
    (0..CALLERS).map(one).collect()
}
