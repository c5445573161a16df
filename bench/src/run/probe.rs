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

const TRACED_REQUESTS: u64 = 4_000;
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
    let load = |count| flags(&[("--count", count), ("--connections", connections), ("--seconds", 60)]);
    ask(bench, target, &load(1_000)).await?;
    let file = bench.scratch.path().join("strace");
    let mut command = Command::new("strace");
    command.args(["-c", "-f", "-p", &target.process(bench).id().to_string(), "-o"]).arg(&file);
    let tracer = Process::start(command, None, &bench.errors_of("strace"))?;
    tokio::time::sleep(ATTACH).await;
    let report = ask(bench, target, &load(TRACED_REQUESTS)).await?;
    target.process(bench).settle().await?;
    tracer.stop(Signal::SIGINT).await.with_context(|| read(&bench.errors_of("strace")))?;
    let mut counts: Vec<(f64, String)> = calls(&read(&file))
        .into_iter()
        .map(|(name, count)| (count as f64 / report.requests as f64, name))
        .filter(|(count, _)| *count >= SHOWN_FROM)
        .collect();
    counts.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    if counts.is_empty() {
        bail!("strace counted nothing: {}", read(&bench.errors_of("strace")).trim());
    }
    Ok(counts)
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
    let counted_by = if perf_counts().await { "perf" } else { "valgrind" };
    let mut text = format!(
        "\n### User-space instructions per request (by {counted_by})\n\n| target | instructions |\n|---|---:|\n"
    );
    for kind in proxies(bench) {
        say(&format!("  instructions {kind}"));
        // The difference of two runs: what happens once, at the start and at the end, falls out of it.
        let (few, many) = (2_000, 6_000);
        let (less, more) =
            (counted(bench, kind, counted_by, few).await?, counted(bench, kind, counted_by, many).await?);
        let _ = writeln!(text, "| {kind} | {:.0} |", (more as f64 - less as f64) / (many - few) as f64);
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

async fn counted(bench: &Bench, kind: Kind, by: &str, requests: u64) -> anyhow::Result<u64> {
    let file = bench.scratch.path().join("instructions");
    let _ = std::fs::remove_file(&file); // of the one before
    let place = file.display();
    let tool: Vec<String> = match by {
        "perf" => vec![
            "perf".into(),
            "stat".into(),
            "-x,".into(),
            "-e".into(),
            "instructions:u".into(),
            "-o".into(),
            place.to_string(),
        ],
        _ => vec!["valgrind".into(), "--tool=callgrind".into(), format!("--callgrind-out-file={place}")],
    };
    let mut target = Target::start_under(bench, kind, &tool).await?;
    ask(bench, &mut target, &flags(&[("--count", requests), ("--connections", 32), ("--seconds", 300)])).await?;
    target.process(bench).settle().await?;
    target.stop().await?;
    total(&read(&file)).with_context(|| format!("{by} wrote no count for {kind}"))
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
