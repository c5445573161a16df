//! What a record costs, in microseconds of CPU: appended to the journal and written, and moved from there into the log.
//!
//! Run with `cargo run --release -p tollgate-store --example ingest_speed [records [level [mix]]]`. It writes into a temporary directory. Journal and
//! ingest take turns, a few thousand records each, as under load; what the ingest and sync threads take is the process's time without that of the
//! thread that appends.

#[allow(dead_code, unreachable_pub)]
#[path = "../tests/store/sample.rs"]
mod sample;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use tollgate_model::{Ids, Record};
use tollgate_store::embedded::{DayRecords, DayRecordsOptions, DiskAnswers, DiskAnswersOptions, FileDocuments};
use tollgate_store::ingest::IngestOptions;
use tollgate_store::records::{Filter, Page, Records};
use tollgate_store::{Ingest, Journal, JournalOptions, Metrics};

const CREATED_MS: u64 = 1_795_000_000_000;

/// Records between two looks at the clock: making them is not measured.
const STEP: usize = 1_000;

/// How bodies differ from one another.
#[derive(Clone, Copy)]
struct Mix {
    name: &'static str,
    requests: usize,
    answers: usize,
    /// Each request carries its number besides.
    numbered: bool,
}

const MIXES: [Mix; 5] = [
    Mix { name: "different bodies", requests: 8_192, answers: 8_191, numbered: true },
    Mix { name: "different requests, 64 answers (as the bench)", requests: 1_024, answers: 64, numbered: true },
    Mix { name: "256 bodies, as from the cache", requests: 256, answers: 256, numbered: false },
    Mix { name: "identical bodies", requests: 1, answers: 1, numbered: false },
    Mix { name: "no bodies", requests: 0, answers: 0, numbered: false },
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = |at, default| std::env::args().nth(at).map_or(Ok(default), |text| text.parse::<i32>());
    let defaults = DayRecordsOptions::default();
    let (count, level) = (number(1, 100_000)?.unsigned_abs() as usize, number(2, defaults.compression_level)?);
    let only = number(3, -1)?;
    open_empty()?;
    for (at, mix) in MIXES.into_iter().enumerate() {
        if only >= 0 && only as usize != at {
            continue;
        }
        let dir = tempfile::tempdir()?;
        println!("{}, {count} records, zstd level {level}", mix.name);
        measure(dir.path(), count, mix, level)?;
    }
    Ok(())
}

fn open_empty() -> Result<(), Box<dyn std::error::Error>> {
    let (dir, metrics, start) = (tempfile::tempdir()?, Arc::new(Metrics::default()), Instant::now());
    let dir = dir.path();
    let journal = Arc::new(Journal::open(&dir.join("journal"), JournalOptions::default(), metrics.clone())?);
    let _writer = journal.writer(0)?;
    let records = Arc::new(DayRecords::open(&dir.join("logs"), DayRecordsOptions::default(), metrics.clone())?);
    let _answers = DiskAnswers::open(&dir.join("cache.db"), DiskAnswersOptions::default(), metrics.clone())?;
    let _documents = FileDocuments::open(&dir.join("tollgate.db"))?;
    let _ingest = Ingest::start(journal, records, IngestOptions::default())?;
    println!("opening an empty store: {:?}", start.elapsed());
    Ok(())
}

fn measure(dir: &Path, count: usize, mix: Mix, level: i32) -> Result<(), Box<dyn std::error::Error>> {
    let metrics = Arc::new(Metrics::default());
    let journal = Arc::new(Journal::open(&dir.join("journal"), JournalOptions::default(), metrics.clone())?);
    let logs = dir.join("logs");
    let day_options = DayRecordsOptions { compression_level: level, ..DayRecordsOptions::default() };
    let records = Arc::new(DayRecords::open(&logs, day_options, metrics.clone())?);
    let options = IngestOptions { gather: Duration::from_secs(60), ..IngestOptions::default() };
    let mut caller = Caller::new(mix);
    let (all, own) = (cpu(ClockId::ProcessCPUTime), cpu(ClockId::ThreadCPUTime));
    let ingest = Ingest::start(journal.clone(), records.clone(), options)?;
    let writer = journal.writer(0)?;
    let mut spent = Duration::ZERO;
    for step in 0..count / STEP {
        let batch: Vec<_> = (0..STEP).map(|_| caller.call()).collect();
        let start = cpu(ClockId::ThreadCPUTime);
        for (at, (record, request, response)) in batch.iter().enumerate() {
            drop(writer.append(record, request, response));
            if at % 8 == 7 {
                writer.flush();
            }
        }
        spent += cpu(ClockId::ThreadCPUTime) - start;
        while step % 4 == 3 && !ingest.catch_up(Duration::from_secs(60)) {}
    }
    ingest.stop();
    journal.flush();
    let others = cpu(ClockId::ProcessCPUTime) - all - (cpu(ClockId::ThreadCPUTime) - own);
    report("append and write", spent, count);
    report("ingest and sync", others, count);
    report("together", spent + others, count);
    let start = Instant::now();
    let listed = records.list(&Filter::of_gateway("default"), &Page::newest(50))?;
    println!("  newest 50 of {}: {:?}", listed.total, start.elapsed());
    for entry in std::fs::read_dir(&logs)? {
        let entry = entry?;
        println!("  {:?}: {:.0} bytes a record", entry.file_name(), entry.metadata()?.len() as f64 / count as f64);
    }
    Ok(())
}

/// Asks, and is answered.
struct Caller {
    mix: Mix,
    ids: Ids,
    bodies: Vec<(Bytes, Bytes)>,
    calls: usize,
}

impl Caller {
    fn new(mix: Mix) -> Self {
        let (ids, mut dice) = (Ids::new(), sample::Dice(7));
        let id = sample::record(&ids, CREATED_MS).id;
        let bodies = (0..mix.requests.max(mix.answers)).map(|_| sample::bodies(&mut dice, id)).collect();
        Self { mix, ids, bodies, calls: 0 }
    }

    fn call(&mut self) -> (Record, Vec<Bytes>, Vec<Bytes>) {
        self.calls += 1;
        let mut record = sample::record(&self.ids, CREATED_MS + self.calls as u64 / 10);
        record.timings.last_byte_us += (self.calls % 977) as u64;
        if self.mix.requests == 0 {
            return (record, Vec::new(), Vec::new());
        }
        let request = self.bodies[self.calls % self.mix.requests].0.clone();
        let answer = self.bodies[self.calls % self.mix.answers].1.clone();
        let number = self.mix.numbered.then(|| Bytes::from(format!("{:010}", self.calls)));
        (record, number.into_iter().chain([request]).collect(), vec![answer])
    }
}

fn report(what: &str, spent: Duration, count: usize) {
    println!("  {what}: {:.3} µs a record", spent.as_secs_f64() * 1e6 / count as f64);
}

fn cpu(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}
