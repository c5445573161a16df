//! `cargo xtask applies [COUNT] [--goals]`: changes the configuration again and again under load, and measures how fast a change is there.
//!
//! Enters: a number of changes. Leaves: `failed`, `refused`, and times; fails when a request failed, a wrong change was taken or told without its place,
//! or, with `--goals`, a time is too long: a busy machine is no fault. Never: runs without an end.
//!
//! Of four changes two are right and two are wrong: a file applied, a settings file read again. Meanwhile callers ask and streams stand open. A route's
//! answer tells which version of it is in force: the first request after an apply was answered must meet the new one. Then the same on an installation of
//! ten thousand routes and as many tokens, after the time that it takes to load.

mod load;
mod times;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use self::load::Load;
use self::times::Times;
use crate::gateway::{ACCOUNT, Caller, Gateway, Program};

const SWAP_MS_MAX: f64 = 50.0;
const LOAD_MS_MAX: f64 = 1_000.0;
/// Routes, and tokens, of the large installation.
const MANY: usize = 10_000;
const CHANGES_OF_MANY: usize = 12;
/// Between two changes under load, so that requests of every moment meet some.
const PAUSE: Duration = Duration::from_millis(10);
/// Answers of the route have one more token than the number of the change.
const TOKENS_MAX: usize = 50;

pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let (goals, rest): (Vec<_>, Vec<_>) = arguments.by_ref().partition(|argument| argument == "--goals");
    let goals = Goals { bind: !goals.is_empty() };
    let count: usize =
        rest.first().map_or(Ok(200), |text| text.parse()).context("expected a number of changes, or --goals")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let dir = std::env::temp_dir().join(format!("tollgate-applies-{}", std::process::id()));
    let outcome = runtime.block_on(both(count, goals, &dir));
    std::fs::remove_dir_all(&dir).ok();
    outcome
}

async fn both(count: usize, goals: Goals, dir: &Path) -> anyhow::Result<()> {
    let program = Program::find(None)?;
    under_load(&program, &dir.join("few"), count, goals).await?;
    of_many(&program, &dir.join("many"), goals).await?;
    println!("3 passed, 0 failed");
    Ok(())
}

/// How long things may take.
#[derive(Clone, Copy)]
struct Goals {
    /// What takes longer is a failure.
    bind: bool,
}

impl Goals {
    fn judge(self, what: &str, took_ms: f64, most_ms: f64) -> anyhow::Result<()> {
        let word = if took_ms <= most_ms { "met" } else { "MISSED" };
        println!("goal {word}: {what} {took_ms:.1} ms, at most {most_ms} ms");
        ensure!(!self.bind || took_ms <= most_ms, "{what} took longer than {most_ms} ms");
        Ok(())
    }
}

/// A gateway whose configuration is changed.
struct Site {
    gateway: Gateway,
    settings: PathBuf,
    caller: Caller,
    token: String,
}

/// How long a change took.
struct Took {
    /// The whole call.
    applied_ms: f64,
    /// Reading the settings anew and swapping the pointer, as the server tells.
    compiled_ms: f64,
    swapped_ms: f64,
    /// From the answer to that of the first request that met the new settings.
    seen_ms: f64,
}

impl Site {
    fn open(program: &Program, dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let settings = dir.join("tollgate.toml");
        std::fs::write(&settings, "[log]\nfilter = \"error\"\n")?;
        let data = dir.join("data");
        let made = program.tell(&data, &["token", "create", "--name", "applies", "--permissions", "admin,run"])?;
        let token = made["token"].as_str().context("token create printed no token")?.to_owned();
        let gateway = program.start(&data, Some(&settings))?;
        Ok(Self { gateway, settings, caller: Caller::new(), token })
    }

    async fn api(&self, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let url = format!("{}/client/v4/accounts/{ACCOUNT}/ai-gateway/config/{path}", self.gateway.url);
        let authorization = format!("Bearer {}", self.token);
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let heard = self.caller.send(Method::POST, &url, &headers, Bytes::from(body.to_string())).await?;
        Ok((heard.status, serde_json::from_slice(&heard.body)?))
    }

    /// Applies a right file, and asks what is in force then.
    async fn apply(&self, number: usize) -> anyhow::Result<Took> {
        let tokens = 1 + number % TOKENS_MAX;
        let began = Instant::now();
        let (status, said) = self.api("apply", &json!({ "text": probe(tokens, "") })).await?;
        let accepted = Instant::now();
        ensure!(status == 200, "a right file was refused: {said}");
        let heard = self.ask().await?;
        let seen_ms = millis(accepted.elapsed());
        ensure!(heard == tokens as u64, "the first request after an apply met version {heard} instead of {tokens}");
        let told = |name: &str| -> anyhow::Result<f64> {
            let micros = said["result"]["took"][name].as_u64();
            Ok(micros.with_context(|| format!("no {name}: {said}"))? as f64 / 1e3)
        };
        Ok(Took {
            applied_ms: millis(accepted - began),
            compiled_ms: told("compiled_us")?,
            swapped_ms: told("swapped_us")?,
            seen_ms,
        })
    }

    /// Which version of the route answers.
    async fn ask(&self) -> anyhow::Result<u64> {
        let url = format!("{}/v1/{ACCOUNT}/probe/compat/chat/completions", self.gateway.url);
        let body = json!({ "model": "dynamic/probe", "messages": [{ "role": "user", "content": "which?" }] });
        let headers = [("content-type", "application/json")];
        let heard = self.caller.send(Method::POST, &url, &headers, Bytes::from(body.to_string())).await?;
        ensure!(heard.status == 200, "{}: {}", heard.status, String::from_utf8_lossy(&heard.body));
        let answer: Value = serde_json::from_slice(&heard.body)?;
        answer["usage"]["completion_tokens"].as_u64().with_context(|| format!("no usage: {answer}"))
    }

    async fn apply_wrong(&self, number: usize) -> anyhow::Result<()> {
        let wrong = "[gateway.wrong]\ncache_ttl = \"soon\"\n";
        let (status, said) = self.api("apply", &json!({ "text": probe(1 + number % TOKENS_MAX, wrong) })).await?;
        let error = &said["errors"][0];
        let place = (error["line"].as_u64(), error["at"].as_str());
        ensure!((status, place) == (400, (Some(9), Some("gateway.wrong.cache_ttl"))), "{status} {said}");
        Ok(())
    }

    async fn reload(&self, text: &str) -> anyhow::Result<(u16, Value)> {
        std::fs::write(&self.settings, text)?;
        self.api("reload", &json!({})).await
    }

    async fn reload_right(&self, number: usize) -> anyhow::Result<()> {
        let (status, said) =
            self.reload(&format!("[log]\nfilter = \"error\"\n[aliases]\nname-{number} = \"openai/gpt-4o\"\n")).await?;
        ensure!(status == 200, "right settings were refused: {said}");
        Ok(())
    }

    async fn reload_wrong(&self) -> anyhow::Result<()> {
        let (status, said) = self.reload("[log]\nfilter = \"error\"\nlistne = 1\n").await?;
        let told = said["errors"][0]["message"].as_str().unwrap_or_default();
        ensure!(status == 400 && told.contains("tollgate.toml:3:1"), "{status} {said}");
        Ok(())
    }
}

async fn under_load(program: &Program, dir: &Path, count: usize, goals: Goals) -> anyhow::Result<()> {
    let site = Site::open(program, dir)?;
    site.apply(0).await?;
    let load = Load::start(&site.gateway.url);
    let mut times = Times::default();
    for number in 1..=count {
        match number % 4 {
            0 => site.reload_wrong().await?,
            1 => times.add(&site.apply(number).await?),
            2 => site.apply_wrong(number).await?,
            _ => site.reload_right(number).await?,
        }
        tokio::time::sleep(PAUSE).await;
    }
    let (answered, streams, failed) = load.finish().await;
    println!(
        "changes {count}, half of them wrong and told where; beside them {answered} requests and {streams} streams, failed {failed}"
    );
    ensure!(failed == 0, "requests failed while the configuration changed");
    ensure!(answered > count / 2 && streams > 0, "too little was asked to prove anything");
    goals.judge("the longest swap of a few routes", times.tell("of a few routes"), SWAP_MS_MAX)
}

async fn of_many(program: &Program, dir: &Path, goals: Goals) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir)?;
    let file = dir.join("many.toml");
    std::fs::write(&file, many(MANY))?;
    let began = Instant::now();
    program.tell(&dir.join("data"), &["apply", &file.display().to_string()])?;
    println!("{MANY} routes and {MANY} tokens were applied in {:.0} ms", millis(began.elapsed()));
    let site = Site::open(program, dir)?;
    site.apply(0).await?;
    let mut times = Times::default();
    for number in 1..=CHANGES_OF_MANY {
        times.add(&site.apply(number).await?);
    }
    goals.judge("the longest swap among ten thousand", times.tell("among ten thousand"), SWAP_MS_MAX)?;
    let Site { gateway, settings, .. } = site;
    gateway.kill()?;
    // The last word: a start from nothing, up to the line that says where it listens.
    let began = Instant::now();
    let gateway = program.start(&dir.join("data"), Some(&settings))?;
    let load_ms = millis(began.elapsed());
    gateway.kill()?;
    println!("{MANY} routes and {MANY} tokens were loaded in {load_ms:.0} ms, the start of the process included");
    goals.judge("loading", load_ms, LOAD_MS_MAX)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The route that tells its version, and what else there shall be.
fn probe(tokens: usize, rest: &str) -> String {
    format!(
        "[gateway.probe]\ncollect_logs = false\n[gateway.probe.route.probe]\nelements = [\n  {{ id = \"s\", type = \"start\", outputs = {{ next = \"m\" }} }},\n  \
         {{ id = \"m\", type = \"model\", properties = {{ provider = \"sandbox\", model = \"sandbox-1:tokens={tokens}\" }} }},\n]\n{rest}"
    )
}

/// Ten routes to a gateway, and tokens with digests of nothing.
fn many(count: usize) -> String {
    let mut text = String::from("format = 1\n");
    for number in 0..count {
        if number % 10 == 0 {
            let _ = writeln!(text, "[gateway.g{}]\nauthentication = true", number / 10);
        }
        let _ = writeln!(
            text,
            "[gateway.g{}.route.r{number}]\nelements = [\n  {{ id = \"s\", type = \"start\", outputs = {{ next = \"m\" }} }},\n  \
             {{ id = \"m\", type = \"model\", properties = {{ provider = \"openai\", model = \"m{number}\" }} }},\n]",
            number / 10
        );
    }
    for number in 0..count {
        let _ = writeln!(text, "[token.t{number}]\npermissions = [\"run\"]\ndigest = \"{number:064x}\"");
    }
    text
}
