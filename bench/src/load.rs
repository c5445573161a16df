//! The load client: many connections that ask for whole answers.
//!
//! Enters: where to, how many, how fast. Leaves: one JSON report on standard output. Never: goes on past its count and its
//! time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::caller::Caller;
use crate::corpus::{Corpus, Destination, Variety};
use crate::figures::Spread;

#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    to: Destination,
    #[command(flatten)]
    variety: Variety,
    #[arg(long, default_value_t = 64)]
    connections: u64,
    /// Stop after so many requests
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
    /// Stop after so many seconds, whatever the count
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Requests per second at a fixed rate; without it each connection asks again as soon as it was answered
    #[arg(long)]
    rate: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    pub requests: u64,
    /// Answers other than 200
    pub failures: u64,
    /// Answers from the gateway's cache
    pub hits: u64,
    pub seconds: f64,
    pub per_second: f64,
    pub body_bytes: u64,
    pub latency_us: Spread,
}

pub fn run(options: Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(measure(options))?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

/// What all connections share.
struct Plan {
    options: Options,
    corpus: Corpus,
    taken: AtomicU64,
    start: Instant,
    end: Instant,
}

#[derive(Default)]
struct Tally {
    nanos: Vec<u64>,
    failures: u64,
    hits: u64,
    body_bytes: u64,
}

async fn measure(options: Options) -> anyhow::Result<Report> {
    let connections = options.connections.clamp(1, 4096);
    let corpus = Corpus::new(options.variety, &options.to, false);
    let mut callers = Vec::new();
    for _ in 0..connections {
        callers.push(Caller::connect(options.to.target).await?);
    }
    let start = Instant::now();
    let end = start + Duration::try_from_secs_f64(options.seconds).context("--seconds")?;
    let plan = Arc::new(Plan { options, corpus, taken: AtomicU64::new(0), start, end });
    let mut workers = JoinSet::new();
    for (caller, place) in callers.into_iter().zip(0..) {
        match plan.options.rate {
            None => workers.spawn(closed_loop(plan.clone(), caller)),
            Some(rate) => workers.spawn(fixed_rate(plan.clone(), caller, place, connections, rate)),
        };
    }
    let mut total = Tally::default();
    while let Some(tally) = workers.join_next().await {
        total.add(tally??);
    }
    Ok(total.report(start.elapsed()))
}

async fn closed_loop(plan: Arc<Plan>, mut caller: Caller) -> anyhow::Result<Tally> {
    let (mut tally, mut request, mut body) = Default::default();
    while let Some(number) = plan.next() {
        plan.corpus.write(number, &mut request);
        let asked = Instant::now();
        Tally::ask(&mut tally, &mut caller, &request, &mut body, asked).await?;
    }
    Ok(tally)
}

/// Connection `place` of `connections` takes every so-manieth tick of the common clock.
///
/// Latency counts from the moment this client woke for its tick, so that its own lateness (timers are no finer than a
/// millisecond) is not put on the server's bill; but when the previous answer is what made it late, from the tick itself.
async fn fixed_rate(
    plan: Arc<Plan>,
    mut caller: Caller,
    place: u64,
    connections: u64,
    rate: f64,
) -> anyhow::Result<Tally> {
    let (mut tally, mut request, mut body) = Default::default();
    let mut tick = place;
    while plan.next().is_some() {
        let due = plan.start + Duration::from_secs_f64(tick as f64 / rate);
        if due > plan.end {
            break;
        }
        plan.corpus.write(tick, &mut request);
        tick += connections;
        let late = Instant::now() > due;
        sleep_until(due).await;
        let asked = if late { due } else { Instant::now() };
        Tally::ask(&mut tally, &mut caller, &request, &mut body, asked).await?;
    }
    Ok(tally)
}

impl Plan {
    /// The number of the next request, unless count or time is used up.
    fn next(&self) -> Option<u64> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        (number < self.options.count && Instant::now() < self.end).then_some(number)
    }
}

impl Tally {
    async fn ask(
        &mut self,
        caller: &mut Caller,
        request: &[u8],
        body: &mut Vec<u8>,
        asked: Instant,
    ) -> anyhow::Result<()> {
        body.clear();
        let answer = caller.exchange(request, body).await?;
        self.nanos.push(asked.elapsed().as_nanos() as u64);
        self.failures += u64::from(answer.status != 200);
        self.hits += u64::from(answer.hit);
        self.body_bytes += body.len() as u64;
        Ok(())
    }

    fn add(&mut self, other: Self) {
        self.nanos.extend(other.nanos);
        self.failures += other.failures;
        self.hits += other.hits;
        self.body_bytes += other.body_bytes;
    }

    fn report(self, took: Duration) -> Report {
        let requests = self.nanos.len() as u64;
        Report {
            requests,
            failures: self.failures,
            hits: self.hits,
            seconds: took.as_secs_f64(),
            per_second: requests as f64 / took.as_secs_f64(),
            body_bytes: self.body_bytes,
            latency_us: Spread::of(self.nanos),
        }
    }
}
