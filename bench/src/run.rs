//! The whole measurement: starts the mock and the targets, measures them in turns, prints a table.
//!
//! Enters: flags. Leaves: Markdown on standard output, JSON in the results folder, progress on standard error. Never:
//! leaves a process behind, or prints a figure of a run in which something failed.
//!
//! All targets of a repetition are up at once, and each phase visits them one after another. So a target and the proxy it
//! is divided by are measured within seconds of each other, and a busy moment of the machine meets them both.

mod bench;
mod gateway;
mod phases;
mod probe;
mod soak;
mod table;
mod target;

use std::io::Write;
use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};

use self::bench::Bench;
use self::table::Results;
use self::target::{Kind, Target};

#[derive(clap::Args, Clone, serde::Serialize)]
pub struct Options {
    /// The gateway's binary; without one only the baselines are measured
    #[arg(long, value_name = "PATH", default_value = "target/release/tollgate")]
    pub gateway: PathBuf,
    /// Which targets: direct, nginx, proxy, full, nolog, cache, free, limits, unified, translated
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<Kind>,
    /// Repetitions; the table shows medians
    #[arg(long, default_value_t = 5)]
    pub reps: u32,
    /// Requests of one throughput measurement
    #[arg(long, default_value_t = 40_000)]
    pub requests: u64,
    /// Connections of the throughput measurement
    #[arg(long, default_value_t = 64)]
    pub connections: u64,
    /// Streams of one streaming measurement
    #[arg(long, default_value_t = 200)]
    pub streams: u64,
    /// Streams at once
    #[arg(long, default_value_t = 20)]
    pub concurrent: u64,
    /// Milliseconds between two pieces of a stream
    #[arg(long, default_value_t = 2)]
    pub gap_ms: u64,
    /// Requests per second of the latency measurement
    #[arg(long, default_value_t = 200.0)]
    pub rate: f64,
    /// Seconds of the latency measurement
    #[arg(long, default_value_t = 5.0)]
    pub rate_seconds: f64,
    /// One short repetition, to see that everything works
    #[arg(long)]
    pub quick: bool,
    /// Let the system place the processes; otherwise the target has the last core and everything else the first
    #[arg(long)]
    pub no_pin: bool,
    /// Let the first core sleep when it has nothing to do; the process that wakes it is then charged for that
    #[arg(long)]
    pub let_sleep: bool,
    /// Where the JSON goes
    #[arg(long, value_name = "DIR", default_value = "bench/results")]
    pub out: PathBuf,
    /// Also count system calls per request (needs strace and the right to attach)
    #[arg(long)]
    pub syscalls: bool,
    /// Also count instructions per request (perf where the machine has counters, else valgrind, which is slow)
    #[arg(long)]
    pub instructions: bool,
    /// Instead of the table: send so many requests and watch the memory
    #[arg(long, value_name = "REQUESTS")]
    pub soak: Option<u64>,
}

pub fn run(mut options: Options) -> anyhow::Result<()> {
    if options.quick {
        (options.reps, options.requests, options.streams, options.rate_seconds) = (1, 10_000, 60, 2.0);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        // Whichever way this ends, the future is dropped, and with it every child and the scratch folder.
        tokio::select! {
            outcome = all(options) => outcome,
            _ = interrupt.recv() => anyhow::bail!("interrupted"),
            _ = terminate.recv() => anyhow::bail!("terminated"),
        }
    })
}

async fn all(options: Options) -> anyhow::Result<()> {
    let bench = Bench::set_up(options).await?;
    let outcome = match bench.options.soak {
        Some(requests) => soak::run(&bench, requests).await,
        None => measure(&bench).await,
    };
    bench.clear_up().await?;
    outcome
}

async fn measure(bench: &Bench) -> anyhow::Result<()> {
    let mut results = Results::new(bench);
    for rep in 0..bench.options.reps {
        say(&format!("repetition {} of {}", rep + 1, bench.options.reps));
        repetition(bench, &mut results, rep).await;
    }
    let mut text = results.markdown();
    if bench.options.syscalls {
        text.push_str(&probe::syscalls(bench).await?);
    }
    if bench.options.instructions {
        text.push_str(&probe::instructions(bench).await?);
    }
    print!("{text}");
    let path = results.write(&bench.options.out, &text)?;
    say(&format!("written: {}", path.display()));
    Ok(())
}

/// Every target through every phase. One that fails is told and left out, the others go on.
async fn repetition(bench: &Bench, results: &mut Results, rep: u32) {
    let mut targets = Vec::new();
    for kind in bench.in_turn(rep) {
        match Target::start(bench, kind).await {
            Ok(target) => targets.push(target),
            Err(fault) => results.fault(kind, rep, &fault),
        }
    }
    for phase in phases::ALL {
        for target in &mut targets {
            if target.faulty || !phase.concerns(target.kind) {
                continue;
            }
            say(&format!("  {:<8} {}", phase.name(), target.kind));
            match phase.measure(bench, target).await {
                Ok(sample) => results.add(target.kind, rep, sample),
                Err(fault) => {
                    target.faulty = true;
                    results.fault(target.kind, rep, &fault);
                }
            }
        }
    }
    for target in targets {
        let kind = target.kind;
        if let Err(fault) = target.stop().await {
            results.fault(kind, rep, &fault);
        }
    }
}

/// Progress goes to standard error, so that the table alone can be redirected.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
