//! The streaming client: when the first byte comes, and how evenly the rest.
//!
//! Enters: where to, how many streams, how many at once. Leaves: one JSON report on standard output. Never: takes a stream
//! for good that did not end with `[DONE]`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::caller::Caller;
use crate::corpus::{Corpus, Destination, Variety};
use crate::figures::Spread;

#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    to: Destination,
    #[command(flatten)]
    variety: Variety,
    /// Streams at once
    #[arg(long, default_value_t = 20)]
    concurrent: u64,
    /// Streams in all
    #[arg(long, default_value_t = 200)]
    count: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    pub streams: u64,
    /// Answers other than 200, and streams without their end
    pub failures: u64,
    pub events: u64,
    /// Reads that brought something; fewer than events when several came together
    pub arrivals: u64,
    pub seconds: f64,
    pub first_byte_us: Spread,
    pub gap_us: Spread,
}

pub fn run(options: Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(measure(options))?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

#[derive(Default)]
struct Tally {
    first_byte: Vec<u64>,
    gaps: Vec<u64>,
    failures: u64,
    events: u64,
    arrivals: u64,
}

async fn measure(options: Options) -> anyhow::Result<Report> {
    let corpus = Arc::new(Corpus::new(options.variety, &options.to, true));
    let taken = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for place in 0..options.concurrent.clamp(1, 4096) {
        let caller = Caller::connect(options.to.target).await?;
        workers.spawn(worker(corpus.clone(), taken.clone(), options.count, caller, place));
    }
    let mut total = Tally::default();
    while let Some(tally) = workers.join_next().await {
        total.add(tally??);
    }
    Ok(total.report(start.elapsed()))
}

async fn worker(
    corpus: Arc<Corpus>,
    taken: Arc<AtomicU64>,
    count: u64,
    mut caller: Caller,
    place: u64,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut request = Vec::new();
    // Not all at the same moment: a first byte should not have to queue behind the nineteen others.
    sleep(Duration::from_millis(place)).await;
    loop {
        let number = taken.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(tally);
        }
        corpus.write(number, &mut request);
        tally.follow(&mut caller, &request).await?;
    }
}

impl Tally {
    /// Asks for one stream and reads it to its end.
    async fn follow(&mut self, caller: &mut Caller, request: &[u8]) -> anyhow::Result<()> {
        let asked = Instant::now();
        let mut answer = caller.ask(request).await?;
        let (mut before, mut body, mut seen) = (None, Vec::new(), 0);
        while caller.read_on(&mut answer, &mut body).await? {
            let now = Instant::now();
            match before.replace(now) {
                None => self.first_byte.push((now - asked).as_nanos() as u64),
                Some(before) => self.gaps.push((now - before).as_nanos() as u64),
            }
            self.arrivals += 1;
            seen = body.len();
        }
        // The last piece may come together with the end of the body: an arrival all the same.
        self.arrivals += u64::from(body.len() > seen);
        self.events += memchr::memmem::find_iter(&body, b"\n\n").count() as u64;
        self.failures += u64::from(answer.status != 200 || !body.ends_with(b"data: [DONE]\n\n"));
        Ok(())
    }

    fn add(&mut self, other: Self) {
        self.first_byte.extend(other.first_byte);
        self.gaps.extend(other.gaps);
        self.failures += other.failures;
        self.events += other.events;
        self.arrivals += other.arrivals;
    }

    fn report(self, took: Duration) -> Report {
        Report {
            streams: self.first_byte.len() as u64,
            failures: self.failures,
            events: self.events,
            arrivals: self.arrivals,
            seconds: took.as_secs_f64(),
            first_byte_us: Spread::of(self.first_byte),
            gap_us: Spread::of(self.gaps),
        }
    }
}
