//! Where the cost comes from: system calls and instructions of one request.
//!
//! Enters: a target, watched by a tracer. Leaves: counts per request. Never: mixes with the timed measurements: a traced
//! process is many times slower, only its counts are right.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use tokio::process::Command;

use super::bench::{Bench, find_program};
use super::phases::{ask, flags};
use super::say;
use super::target::{Kind, Target};
use crate::process::Process;

const WATCHED_REQUESTS: u64 = 4_000;
/// What a tracer needs to take hold of all threads.
const ATTACH: Duration = Duration::from_millis(800);
/// Rarer calls than this are not worth a column of their own.
const SHOWN_FROM: f64 = 0.01;

pub async fn syscalls(bench: &Bench) -> anyhow::Result<String> {
    find_program("strace").context("--syscalls needs strace")?;
    let mut text =
        "\n### System calls per request\n\n| target | connections | all | which |\n|---|---:|---:|---|\n".to_owned();
    for kind in proxies(bench) {
        for connections in [1, 32] {
            say(&format!("  syscalls {kind}, {connections} connections"));
            let mut target = Target::start(bench, kind).await?;
            let counts = traced(bench, &mut target, connections).await?;
            target.stop().await?;
            let which: Vec<String> = counts.iter().map(|(count, name)| format!("{name} {count:.2}")).collect();
            let all: f64 = counts.iter().map(|(count, _)| count).sum();
            let _ = writeln!(text, "| {kind} | {connections} | {all:.1} | {} |", which.join(", "));
        }
    }
    Ok(text)
}

/// Calls per request by name, the most frequent first. The records' way from journal to log is counted too.
async fn traced(bench: &Bench, target: &mut Target, connections: u64) -> anyhow::Result<Vec<(f64, String)>> {
    let summary = watched(bench, target, &["strace", "-c", "-f"], connections).await?;
    let mut counts: Vec<(f64, String)> = calls(&summary)
        .into_iter()
        .map(|(name, count)| (count as f64 / WATCHED_REQUESTS as f64, name))
        .filter(|(count, _)| *count >= SHOWN_FROM)
        .collect();
    counts.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    if counts.is_empty() {
        bail!("strace counted nothing");
    }
    Ok(counts)
}

/// Attaches a tool to the target for the time of `WATCHED_REQUESTS`; what the tool wrote.
async fn watched(bench: &Bench, target: &mut Target, tool: &[&str], connections: u64) -> anyhow::Result<String> {
    ask(bench, target, &requests(1_000, connections)).await?;
    let (file, errors) = (bench.scratch.path().join("watched"), bench.errors_of("watched"));
    let mut command = Command::new(tool[0]);
    command.args(&tool[1..]).args(["-p", &target.process(bench).id().to_string(), "-o"]).arg(&file);
    let watcher = Process::start(command, None, &errors)?;
    tokio::time::sleep(ATTACH).await;
    ask(bench, target, &requests(WATCHED_REQUESTS, connections)).await?;
    target.process(bench).settle().await?;
    watcher.stop(Signal::SIGINT).await?;
    std::fs::read_to_string(file).with_context(|| read(&errors))
}

fn requests(count: u64, connections: u64) -> Vec<String> {
    flags(&[("--count", count), ("--connections", connections), ("--seconds", 300)])
}

/// Reads strace's summary: `% time, seconds, usecs/call, calls, [errors,] name`.
fn calls(summary: &str) -> BTreeMap<String, u64> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (count, name) = (fields.get(3)?.parse().ok()?, *fields.last()?);
        (name != "total").then(|| (name.to_owned(), count))
    };
    summary.lines().filter_map(row).collect()
}

pub async fn instructions(bench: &Bench) -> anyhow::Result<String> {
    let perf = perf_counts().await;
    let counter = if perf { "perf" } else { "valgrind" };
    let mut text =
        format!("\n### User-space instructions per request (by {counter})\n\n| target | instructions |\n|---|---:|\n");
    for kind in proxies(bench) {
        say(&format!("  instructions {kind}"));
        let each = if perf { by_perf(bench, kind).await? } else { by_valgrind(bench, kind).await? };
        let _ = writeln!(text, "| {kind} | {each:.0} |");
    }
    Ok(text)
}

/// Virtual machines often have no such counter.
async fn perf_counts() -> bool {
    let tried = Command::new("perf").args(["stat", "-e", "instructions:u", "true"]).output().await;
    tried.is_ok_and(|output| {
        output.status.success() && !String::from_utf8_lossy(&output.stderr).contains("not supported")
    })
}

async fn by_perf(bench: &Bench, kind: Kind) -> anyhow::Result<f64> {
    let mut target = Target::start(bench, kind).await?;
    let said = watched(bench, &mut target, &["perf", "stat", "-x,", "-e", "instructions:u"], 32).await?;
    target.stop().await?;
    Ok(total(&said).context("perf wrote no count")? as f64 / WATCHED_REQUESTS as f64)
}

/// The difference of two runs: what happens once, at the start and at the end, falls out of it.
async fn by_valgrind(bench: &Bench, kind: Kind) -> anyhow::Result<f64> {
    let file = bench.scratch.path().join("callgrind");
    let tool =
        ["valgrind".to_owned(), "--tool=callgrind".to_owned(), format!("--callgrind-out-file={}", file.display())];
    let mut totals = Vec::new();
    for count in [2_000, 2_000 + WATCHED_REQUESTS] {
        let mut target = Target::start_under(bench, kind, &tool).await?;
        ask(bench, &mut target, &requests(count, 32)).await?;
        target.process(bench).settle().await?;
        target.stop().await?;
        totals.push(total(&read(&file)).with_context(|| format!("callgrind wrote no count for {kind}"))?);
        std::fs::remove_file(&file)?;
    }
    Ok((totals[1] as f64 - totals[0] as f64) / WATCHED_REQUESTS as f64)
}

/// Of perf `12345,,instructions:u,...`, of callgrind `summary: 12345` or `totals: 12345`.
fn total(said: &str) -> Option<u64> {
    said.lines().find_map(|line| match line.split_once(": ") {
        Some(("summary" | "totals", count)) => count.trim().parse().ok(),
        _ if line.contains("instructions") => line.split(',').next()?.parse().ok(),
        _ => None,
    })
}

fn proxies(bench: &Bench) -> impl Iterator<Item = Kind> + '_ {
    bench.kinds.iter().copied().filter(|kind| *kind != Kind::Direct)
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_of_strace_is_read_with_and_without_errors() {
        let summary = "% time     seconds  usecs/call     calls    errors syscall\n\
                       ------ ----------- ----------- --------- --------- ----------------\n \
                       51.02    0.010000           2      8000           writev\n \
                       48.98    0.009600           2      8064        64 recvfrom\n\
                       ------ ----------- ----------- --------- --------- ----------------\n\
                       100.00    0.019600           2     16064        64 total\n";
        let counts = calls(summary);
        assert_eq!(counts.len(), 2);
        assert_eq!((counts["writev"], counts["recvfrom"]), (8000, 8064));
    }

    #[test]
    fn totals_are_read_of_both_tools() {
        assert_eq!(total("# started\n\n12345,,instructions:u,1000,100.00,,\n"), Some(12345));
        assert_eq!(total("events: Ir\nsummary: 678\n\n"), Some(678));
    }
}
