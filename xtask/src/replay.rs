//! `cargo xtask replay DIR`: sends recorded exchanges through a running gateway and compares what comes out with what was recorded.
//!
//! Enters: a folder of exchanges. Leaves: a table; fails when a byte changed or a count is wrong. Never: leaves the loopback.
//!
//! A stand-in for all providers answers each request with the recorded status, headers and bytes; the gateway's settings send every provider's
//! requests there. Authentication and the log with its bodies are on, as in earnest. Who reads the usage for comparison (`counts`) shares
//! nothing with the gateway's own reader.

mod ask;
mod counts;
mod documents;
mod exchange;
mod judge;
mod native;
mod report;
mod translate;
mod upstream;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use http::Method;
use serde_json::Value;
use tollgate_wire::provider::Providers;

use crate::gateway::{ACCOUNT, Caller, Gateway, Program};
use ask::{Asked, Asker};
use exchange::Exchange;
use report::{Report, Verdict};
use upstream::Upstream;

const GATEWAY: &str = "replay";
const AT_ONCE: usize = 16;
const LOG_PAGE: usize = 50;

const USAGE: &str = "\
usage: cargo xtask replay DIR [--translate] [--provider SEGMENT] [--json] [--gateway PATH]

Sends every exchange recorded in DIR through a gateway of its own, whose providers are played by a local server, and prints by provider and
operation: how many came through identical (method, path, headers and body of the request; status, headers and body of the answer; the log's
copies of both bodies), whether the log has the tokens that the recording states, and whether it has a cost. Fails unless everything is
identical and every recorded count right.

  --translate         without a gateway: reads every chat answer and tells it again in every dialect, whole and streamed; text, tool calls,
                      reasoning, finish and usage must be equal, or the difference listed
  --provider SEGMENT  only exchanges of this provider
  --json              the report as JSON
  --gateway PATH      the binary to test; without it target/release/tollgate, and failing that target/debug/tollgate
";

#[derive(Debug, Default)]
struct Arguments {
    folder: Option<PathBuf>,
    provider: Option<String>,
    json: bool,
    translate: bool,
    gateway: Option<PathBuf>,
    help: bool,
}

pub(crate) fn run(arguments: impl Iterator<Item = String>) -> anyhow::Result<ExitCode> {
    let arguments = Arguments::read(arguments)?;
    if arguments.help {
        println!("{USAGE}\n{}", exchange::FORM);
        return Ok(ExitCode::SUCCESS);
    }
    let folder = arguments.folder.as_deref().with_context(|| format!("no folder was named\n\n{USAGE}"))?;
    let exchanges = exchange::read(folder, arguments.provider.as_deref())?;
    if arguments.translate {
        return Ok(if translate::run(&exchanges) { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let program = Program::find(arguments.gateway.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let data_dir = std::env::temp_dir().join(format!("tollgate-replay-{}", std::process::id()));
    let outcome = runtime.block_on(replay(&program, &data_dir, Arc::new(exchanges)));
    std::fs::remove_dir_all(&data_dir).ok();
    let report = outcome?;
    println!("{}", if arguments.json { report.to_json()? } else { report.to_markdown() });
    Ok(if report.succeeded() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn replay(program: &Program, data_dir: &Path, exchanges: Arc<Vec<Exchange>>) -> anyhow::Result<Report> {
    let (upstream, upstream_url) = Upstream::start(exchanges.clone()).await?;
    program.tell(data_dir, &["gateway", "create", GATEWAY, "--authentication", "true"])?;
    let token = program.tell(data_dir, &["token", "create", "--name", "replay", "--permissions", "run,read"])?;
    let token = token["token"].as_str().context("token create printed no token")?.to_owned();
    let settings = data_dir.join("replay.toml");
    std::fs::write(&settings, settings_for(&upstream_url))?;
    let gateway = program.start(data_dir, Some(&settings))?;

    let asker = Asker { caller: Caller::new(), url: gateway.url.clone(), gateway: GATEWAY, token };
    let asker = Arc::new(asker);
    let asked = ask_all(&asker, &exchanges, &upstream).await?;
    let log = read_log(&asker, &gateway).await?;
    let mut report = Report::default();
    for (index, (exchange, asked)) in exchanges.iter().zip(asked).enumerate() {
        report.add(exchange, judge(&asker, &log, index, exchange, asked).await?);
    }
    Ok(report)
}

/// Every provider lives at the stand-in.
fn settings_for(upstream: &str) -> String {
    let mut settings = String::from("[egress]\nallow_private = [\"127.0.0.0/8\"]\n");
    for row in Providers::builtin().all() {
        settings += &format!("\n[providers.{}]\nbase_url = \"{upstream}\"\n", row.segment());
    }
    settings
}

/// In the order of the exchanges; several at once, so that they can get into each other's way.
async fn ask_all(
    asker: &Arc<Asker>,
    exchanges: &Arc<Vec<Exchange>>,
    upstream: &Arc<Upstream>,
) -> anyhow::Result<Vec<Asked>> {
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|first| {
            let (asker, exchanges, upstream) = (asker.clone(), exchanges.clone(), upstream.clone());
            tokio::spawn(async move {
                let mut asked = Vec::new();
                for index in (first..exchanges.len()).step_by(AT_ONCE) {
                    asked.push((index, asker.ask(index, &exchanges[index], &upstream).await));
                }
                asked
            })
        })
        .collect();
    let mut all = Vec::with_capacity(exchanges.len());
    for task in tasks {
        all.extend(task.await?);
    }
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, asked)| asked).collect())
}

/// Every row of the log, by its id.
async fn read_log(asker: &Asker, gateway: &Gateway) -> anyhow::Result<HashMap<String, Value>> {
    let mut log = HashMap::new();
    for page in 1.. {
        let order = "order_by=created_at&order_by_direction=asc";
        let url = format!("{}?per_page={LOG_PAGE}&page={page}&{order}", log_url(&gateway.url));
        let answer = asker.caller.api(&url, &asker.token).await?;
        let rows = answer["result"].as_array().context("the log has no `result`")?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let id = row["id"].as_str().context("a log record without an id")?;
            ensure!(log.insert(id.to_owned(), row.clone()).is_none(), "{id} stands in the log twice");
        }
    }
    Ok(log)
}

fn log_url(gateway: &str) -> String {
    format!("{gateway}/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/{GATEWAY}/logs")
}

async fn judge(
    asker: &Asker,
    log: &HashMap<String, Value>,
    index: usize,
    exchange: &Exchange,
    asked: Asked,
) -> anyhow::Result<Verdict> {
    let mut differences = asked.differences;
    let row = asked.log_id.as_ref().and_then(|id| log.get(id));
    let (Some(id), Some(row)) = (asked.log_id, row) else {
        differences.push("no record of it in the log".to_owned());
        let usage = judge::Usage::NotRecorded;
        return Ok(Verdict { differences, usage, price: judge::Price::Nothing, model: String::new() });
    };
    differences.extend(judge::differences(index, exchange, row));
    for (side, recorded) in [("request", &exchange.request), ("response", &exchange.response.message)] {
        // What is empty is not kept.
        if recorded.body.is_empty() {
            continue;
        }
        let url = format!("{}/{id}/{side}", log_url(&asker.url));
        let authorization = format!("Bearer {}", asker.token);
        let kept =
            asker.caller.send(Method::GET, &url, &[("authorization", &authorization)], Default::default()).await?;
        ask::compare_bodies(
            &mut differences,
            &format!("kept as {side} ({})", kept.status),
            &documents::decoded(recorded),
            &kept.body,
        );
    }
    let model = row["model"].as_str().unwrap_or_default().to_owned();
    Ok(Verdict { differences, usage: judge::usage(exchange, row), price: judge::price(row), model })
}

// === impl Arguments ===

impl Arguments {
    fn read(mut given: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut arguments = Self::default();
        while let Some(argument) = given.next() {
            let mut value = || given.next().with_context(|| format!("{argument} wants a value\n\n{USAGE}"));
            match argument.as_str() {
                "--help" | "-h" => arguments.help = true,
                "--json" => arguments.json = true,
                "--translate" => arguments.translate = true,
                "--provider" => arguments.provider = Some(value()?),
                "--gateway" => arguments.gateway = Some(value()?.into()),
                folder if !folder.starts_with('-') && arguments.folder.is_none() => {
                    arguments.folder = Some(folder.into());
                }
                _ => bail!("unexpected argument {argument:?}\n\n{USAGE}"),
            }
        }
        Ok(arguments)
    }
}
