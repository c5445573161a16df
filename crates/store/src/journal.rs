//! The journal: every finished request is in the operating system's hands before its answer ends.
//!
//! Enters: records with their bodies, from the threads that serve. Leaves: files of checksummed frames that `ingest` reads.
//! Never: waits for a disk on the caller's time (it hands bytes to the page cache), and never grows without bound.
//!
//! Each worker has its own series of segments, `<dir>/<worker>/NNNNNNNN.wal`, so workers share no lock. A frame is encoded into a buffer when it is
//! appended; [`JournalWriter::run`], a task of the worker's own runtime, writes everything gathered in that turn of the event loop by one write(2). A
//! killed process loses nothing that was written: the page cache is not the process's. Against loss of power the files are synced every
//! [`JournalOptions::sync_every`], off the serving threads; up to that much may be lost then, and nothing else.

mod bell;
pub(crate) mod checkpoint;
mod frame;
mod guard;
mod reader;
mod segment;
mod sync;
mod writer;
mod written;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tollgate_model::Clock;

use self::guard::Guard;
use self::segment::Series;
use self::sync::Syncer;
use self::writer::{Bells, Worker};
use crate::failure::StoreError;
use crate::metrics::Metrics;
use crate::place;

pub use writer::JournalWriter;
pub use written::{Lost, Written};

pub(crate) use bell::Bell;
pub(crate) use reader::Reader;
pub(crate) use segment::{Position, numbers};

/// Between two writes at most this much gathers; what comes on top is lost and counted.
pub const BUFFER_MAX: usize = 64 << 20;

#[derive(Clone, Debug)]
pub struct JournalOptions {
    /// A file is left for a new one at this size.
    pub segment_bytes: u64,
    /// How long a written record may wait to be safe against loss of power.
    pub sync_every: Duration,
    pub clock: Clock,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, sync_every: Duration::from_millis(200), clock: Clock::System }
    }
}

/// The journal of one data directory. Only one process may have it open.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    options: JournalOptions,
    metrics: Arc<Metrics>,
    bells: Bells,
    workers: Arc<Mutex<Vec<Arc<Worker>>>>,
    /// Dropped, and with that stopped, before the lock is given up.
    _syncer: Syncer,
    _lock: Guard,
}

/// A series that can be read.
#[derive(Debug)]
pub(crate) struct Readable {
    pub(crate) worker: usize,
    pub(crate) dir: PathBuf,
    /// Where its writer is; `None` when an earlier process left it.
    pub(crate) end: Option<Position>,
}

// === impl Journal ===

impl Journal {
    /// Opens the journal, and leaves what an earlier process wrote for `ingest` to find.
    pub fn open(dir: &Path, options: JournalOptions, metrics: Arc<Metrics>) -> Result<Self, StoreError> {
        place::private_dir(dir)?;
        let lock = guard::lock(dir)?;
        let (bells, workers) = (Bells::default(), Arc::default());
        let syncer = Syncer::start(Arc::clone(&workers), bells.sync.clone(), options.sync_every, metrics.clone())?;
        Ok(Self { dir: dir.to_owned(), options, metrics, bells, workers, _syncer: syncer, _lock: lock })
    }

    /// The writer of a worker, the same one each time. The worker's runtime must drive [`JournalWriter::run`].
    pub fn writer(&self, worker: usize) -> Result<JournalWriter, StoreError> {
        let mut workers = self.workers.lock();
        if let Some(known) = workers.iter().find(|known| known.number == worker) {
            return Ok(JournalWriter::new(known.clone()));
        }
        let dir = self.dir.join(worker.to_string());
        place::private_dir(&dir)?;
        let series = Series::new(dir.clone(), next_number(&dir)?, self.options.segment_bytes);
        let made = Worker::new(worker, series, self.options.clock.clone(), self.metrics.clone(), self.bells.clone());
        workers.push(made.clone());
        Ok(JournalWriter::new(made))
    }

    /// Writes what gathered in any writer.
    pub fn flush(&self) {
        let workers = self.workers.lock().clone();
        workers.into_iter().for_each(|worker| JournalWriter::new(worker).flush());
    }

    /// Every series there is, whoever wrote it.
    pub(crate) fn readable(&self) -> Result<Vec<Readable>, StoreError> {
        let mut ends: BTreeMap<usize, Option<Position>> = BTreeMap::new();
        for worker in self.earlier()? {
            ends.insert(worker, None);
        }
        for worker in self.workers.lock().iter() {
            ends.insert(worker.number, Some(worker.end()));
        }
        let of = |(worker, end): (usize, _)| Readable { worker, dir: self.dir.join(worker.to_string()), end };
        Ok(ends.into_iter().map(of).collect())
    }

    fn earlier(&self) -> Result<Vec<usize>, StoreError> {
        let doing = |cause| StoreError::io(format!("reading the directory {}", self.dir.display()), cause);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(doing)? {
            let name = entry.map_err(doing)?.file_name();
            let number = name.to_str().and_then(|name| name.parse::<usize>().ok());
            found.extend(number.filter(|number| name.to_str() == Some(&number.to_string())));
        }
        Ok(found)
    }

    pub(crate) fn bell(&self) -> Arc<Bell> {
        self.bells.ingest.clone()
    }

    pub(crate) fn clock(&self) -> Clock {
        self.options.clock.clone()
    }

    pub(crate) fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }
}

/// Never a number that was used before, even if its file is gone: `ingest` remembers its place by number.
fn next_number(dir: &Path) -> Result<u64, StoreError> {
    let doing = |cause| StoreError::io(format!("reading the directory {}", dir.display()), cause);
    let last = numbers(dir).map_err(doing)?.last().copied().unwrap_or_default();
    let read = checkpoint::load(dir).map_or(0, |at| at.segment);
    Ok(last.max(read) + 1)
}
