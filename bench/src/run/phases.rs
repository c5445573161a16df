//! The measurements, one after another.
//!
//! Enters: a running target. Leaves: named figures. Never: gives a figure when an answer was wrong, a stream cut short, a
//! cache hit missing or a record not in the log.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;

use super::bench::Bench;
use super::target::{Kind, Target};
use crate::process::Process;
use crate::{load, stream};

/// Figures by name; the names are those of the table and of the JSON.
pub type Sample = BTreeMap<&'static str, f64>;

const WARM_UP: u64 = 5_000;
const LARGE_BYTES: u64 = 100 * 1024;
const LARGE_BODIES: u64 = 64;
/// Answers that the cache holds in its measurement.
const CACHED_BODIES: u64 = 256;

#[derive(Clone, Copy)]
pub enum Phase {
    Idle,
    WarmUp,
    Requests,
    /// Requests and answers of a hundred times the size.
    Large,
    Latency,
    Streams,
}

pub const ALL: [Phase; 6] = [Phase::Idle, Phase::WarmUp, Phase::Requests, Phase::Large, Phase::Latency, Phase::Streams];

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::WarmUp => "warm-up",
            Self::Requests => "requests",
            Self::Large => "large",
            Self::Latency => "latency",
            Self::Streams => "streams",
        }
    }

    /// The cache and limits are measured with whole answers only; large bodies where they are translated, and what that is compared with.
    pub fn concerns(self, kind: Kind) -> bool {
        match self {
            Self::Streams => !matches!(kind, Kind::Cache | Kind::Free | Kind::Limits),
            Self::Large => kind.is_unified(),
            Self::Latency => !kind.is_unified() && !matches!(kind, Kind::Free | Kind::Limits),
            Self::Idle | Self::WarmUp | Self::Requests => true,
        }
    }

    pub async fn measure(self, bench: &Bench, target: &mut Target) -> anyhow::Result<Sample> {
        match self {
            Self::Idle => idle(bench, target).await,
            Self::WarmUp => warm_up(bench, target).await,
            Self::Requests => requests(bench, target).await,
            Self::Large => large(bench, target).await,
            Self::Latency => latency(bench, target).await,
            Self::Streams => streams(bench, target).await,
        }
    }
}

async fn idle(bench: &Bench, target: &Target) -> anyhow::Result<Sample> {
    let process = target.process(bench);
    process.settle().await?;
    let mut sample = Sample::from([("rss_idle_mb", process.memory()?.resident_mb)]);
    if let Some(start) = target.start {
        sample.insert("start_ms", start.as_secs_f64() * 1e3);
    }
    Ok(sample)
}

async fn warm_up(bench: &Bench, target: &mut Target) -> anyhow::Result<Sample> {
    if target.kind == Kind::Cache {
        ask(bench, target, &flags(&[("--count", CACHED_BODIES), ("--connections", 8)])).await?;
    }
    ask(bench, target, &flags(&[("--count", WARM_UP), ("--connections", bench.options.connections)])).await?;
    Ok(Sample::new())
}

async fn requests(bench: &Bench, target: &mut Target) -> anyhow::Result<Sample> {
    let mut load = flags(&[("--count", bench.options.requests), ("--connections", bench.options.connections)]);
    load.extend(flags(&[("--seconds", 300)]));
    let bill = Bill::open(target.process(bench))?;
    let report = ask(bench, target, &load).await?;
    let process = target.process(bench);
    let cost = bill.close(process, report.requests).await?;
    if target.kind == Kind::Cache && report.hits != report.requests {
        bail!("{} cache hits in {} requests", report.hits, report.requests);
    }
    let memory = process.memory()?;
    check_log(target).await?;
    Ok(Sample::from([
        ("requests_per_second", report.per_second),
        ("cpu_us", cost.during_us),
        ("cpu_drained_us", cost.drained_us),
        ("user_us", cost.drained_us * cost.user_share),
        ("sys_us", cost.drained_us * (1.0 - cost.user_share)),
        ("rss_loaded_mb", memory.resident_mb),
        ("rss_peak_mb", memory.peak_mb),
    ]))
}

async fn large(bench: &Bench, target: &mut Target) -> anyhow::Result<Sample> {
    let mut load = flags(&[("--count", (bench.options.requests / 10).max(1)), ("--connections", 16)]);
    load.extend(flags(&[("--seconds", 300), ("--body-bytes", LARGE_BYTES), ("--bodies", LARGE_BODIES)]));
    let bill = Bill::open(target.process(bench))?;
    let report = ask(bench, target, &load).await?;
    let cost = bill.close(target.process(bench), report.requests).await?;
    check_log(target).await?;
    Ok(Sample::from([("large_cpu_us", cost.drained_us)]))
}

async fn latency(bench: &Bench, target: &mut Target) -> anyhow::Result<Sample> {
    let (rate, seconds) = (bench.options.rate, bench.options.rate_seconds);
    let mut load = flags(&[("--connections", 16)]);
    load.extend(["--rate".into(), rate.to_string(), "--seconds".into(), seconds.to_string()]);
    let bill = Bill::open(target.process(bench))?;
    let report = ask(bench, target, &load).await?;
    let cost = bill.close(target.process(bench), report.requests).await?;
    let spread = report.latency_us;
    Ok(Sample::from([("p50_us", spread.p50), ("p99_us", spread.p99), ("slow_cpu_us", cost.drained_us)]))
}

async fn streams(bench: &Bench, target: &mut Target) -> anyhow::Result<Sample> {
    let wanted = flags(&[("--count", bench.options.streams), ("--concurrent", bench.options.concurrent)]);
    let bill = Bill::open(target.process(bench))?;
    let report: stream::Report = bench.client("stream", &target.to, &wanted).await?;
    target.sent += report.streams;
    if report.failures > 0 || report.streams != bench.options.streams {
        bail!("{} of {} streams failed", report.failures, report.streams);
    }
    let cost = bill.close(target.process(bench), report.streams).await?;
    check_log(target).await?;
    Ok(Sample::from([
        ("stream_cpu_us", cost.during_us),
        ("stream_cpu_drained_us", cost.drained_us),
        ("first_byte_p50_us", report.first_byte_us.p50),
        ("first_byte_p99_us", report.first_byte_us.p99),
        ("gap_p50_us", report.gap_us.p50),
        ("gap_p99_us", report.gap_us.p99),
        ("arrivals_per_stream", report.arrivals as f64 / report.streams as f64),
    ]))
}

/// Whole answers, of which none may have failed.
pub async fn ask(bench: &Bench, target: &mut Target, load: &[String]) -> anyhow::Result<load::Report> {
    let mut load = load.to_vec();
    if target.kind == Kind::Cache {
        load.extend(["--repeat".into(), "--bodies".into(), CACHED_BODIES.to_string()]);
    }
    let report: load::Report = bench.client("load", &target.to, &load).await?;
    target.sent += report.requests;
    if report.failures > 0 || report.requests == 0 {
        bail!("{} of {} requests failed", report.failures, report.requests);
    }
    Ok(report)
}

/// Asked after the CPU was read, since listing the log is no part of serving the requests.
async fn check_log(target: &Target) -> anyhow::Result<()> {
    let expected = if target.kind == Kind::Nolog { 0 } else { target.sent };
    match &target.desk {
        Some(desk) => desk.wait_for_log(expected).await,
        None => Ok(()),
    }
}

pub fn flags(pairs: &[(&str, u64)]) -> Vec<String> {
    pairs.iter().flat_map(|(name, value)| [(*name).to_owned(), value.to_string()]).collect()
}

/// The CPU a process uses between two moments.
struct Bill {
    cpu: Duration,
    ticks: (u64, u64),
}

struct Cost {
    /// Per request, until the last answer.
    during_us: f64,
    /// Per request, until the process has nothing left to do: moving records from journal to log is part of the price.
    drained_us: f64,
    user_share: f64,
}

impl Bill {
    fn open(process: &Process) -> anyhow::Result<Self> {
        Ok(Self { cpu: process.cpu()?, ticks: process.ticks()? })
    }

    async fn close(self, process: &Process, units: u64) -> anyhow::Result<Cost> {
        let each = |cpu: Duration| (cpu - self.cpu).as_secs_f64() * 1e6 / units as f64;
        let during = process.cpu()?;
        process.settle().await?;
        let (user, system) = process.ticks()?;
        let (user, system) = (user - self.ticks.0, system - self.ticks.1);
        let user_share = user as f64 / (user + system).max(1) as f64;
        Ok(Cost { during_us: each(during), drained_us: each(process.cpu()?), user_share })
    }
}
