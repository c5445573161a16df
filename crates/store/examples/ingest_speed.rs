//! What a record costs, in microseconds of CPU: appended to the journal, and moved from there into the log.
//!
//! Run with `cargo run --release -p tollgate-store --example ingest_speed [records [level]]`. It writes into a temporary directory.

#[allow(dead_code, unreachable_pub)]
#[path = "../tests/store/sample.rs"]
mod sample;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use tollgate_model::Ids;
use tollgate_store::embedded::{DayRecords, DayRecordsOptions, DiskAnswers, DiskAnswersOptions, FileDocuments};
use tollgate_store::ingest::IngestOptions;
use tollgate_store::records::{Filter, Page, Records};
use tollgate_store::{Ingest, Journal, JournalOptions, Metrics};

const CREATED_MS: u64 = 1_795_000_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = |at, default| std::env::args().nth(at).map_or(Ok(default), |text| text.parse::<i32>());
    let (count, level) = (number(1, 100_000)?.unsigned_abs() as usize, number(2, 1)?);
    open_empty()?;
    for (name, different) in [("different bodies", 4_096), ("identical bodies", 1), ("no bodies", 0)] {
        let dir = tempfile::tempdir()?;
        println!("{name}, {count} records, zstd level {level}");
        measure(dir.path(), count, different, level)?;
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

fn measure(dir: &Path, count: usize, different: usize, level: i32) -> Result<(), Box<dyn std::error::Error>> {
    let metrics = Arc::new(Metrics::default());
    let journal = Arc::new(Journal::open(&dir.join("journal"), JournalOptions::default(), metrics.clone())?);
    append(&journal, count, different)?;
    let logs = dir.join("logs");
    let day_options = DayRecordsOptions { compression_level: level, ..DayRecordsOptions::default() };
    let records = Arc::new(DayRecords::open(&logs, day_options, metrics.clone())?);
    let options = IngestOptions { gather: Duration::ZERO, ..IngestOptions::default() };
    let (cpu, wall) = (cpu(), Instant::now());
    let ingest = Ingest::start(journal, records.clone(), options)?;
    while !ingest.catch_up(Duration::from_secs(60)) {}
    report("ingest, CPU", cpu_since(cpu), count);
    report("ingest, wall", wall.elapsed(), count);
    let start = Instant::now();
    let listed = records.list(&Filter::of_gateway("default"), &Page::newest(50))?;
    println!("  newest 50 of {}: {:?}", listed.total, start.elapsed());
    ingest.stop();
    for entry in std::fs::read_dir(&logs)? {
        let entry = entry?;
        println!("  {:?}: {:.0} bytes a record", entry.file_name(), entry.metadata()?.len() as f64 / count as f64);
    }
    Ok(())
}

fn append(journal: &Journal, count: usize, different: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (ids, writer) = (Ids::new(), journal.writer(0)?);
    let mut dice = sample::Dice(7);
    let record = sample::record(&ids, CREATED_MS);
    let bodies: Vec<_> = (0..different).map(|_| sample::bodies(&mut dice, record.id)).collect();
    let mut spent = Duration::ZERO;
    for at in 0..count {
        let created_ms = CREATED_MS + at as u64 / 10;
        let record = sample::record(&ids, created_ms);
        let (request, response) = bodies.get(at % different.max(1)).cloned().unwrap_or_default();
        let (request, response): ([Bytes; 1], [Bytes; 1]) = ([request], [response]);
        let start = Instant::now();
        let written = writer.append(&record, &request, &response);
        spent += start.elapsed();
        if at % 16 == 15 {
            writer.flush();
            written.outcome().ok_or("not written")??;
        }
    }
    report("append (without write, with two looks at the clock)", spent, count);
    Ok(())
}

fn report(what: &str, spent: Duration, count: usize) {
    println!("  {what}: {:.3} µs a record", spent.as_secs_f64() * 1e6 / count as f64);
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

fn cpu_since(start: Duration) -> Duration {
    cpu().saturating_sub(start)
}
