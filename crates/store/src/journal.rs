//! The journal: every finished request is in the operating system's hands before its answer ends.
//!
//! Enters: records with their bodies, from the threads that serve. Leaves: files of checksummed frames that `ingest` reads.
//! Never: waits for a disk on the caller's time (it hands bytes to the page cache), and never grows without bound.
//!
//! Each worker has its own series of segments, `<dir>/<worker>/NNNNNNNN.wal`, so workers share no lock. A frame is encoded into a buffer when it is
//! appended; [`JournalWriter::run`], a task of the worker's own runtime, writes everything gathered in that turn of the event loop by one write(2). A
//! killed process loses nothing that was written: the page cache is not the process's. Against loss of power the files are synced every
//! [`JournalOptions::sync_every`], off the serving threads; up to that much may be lost then, and nothing else. Files that were read to their
//! end and whose records are safe in the log are used again.

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
        Self { segment_bytes: 16 << 20, sync_every: Duration::from_millis(200), clock: Clock::System }
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
    /// Where the series of earlier processes end. Seen once, at the opening: what comes after is this process's, even while its writer is only
    /// being made, and must not be taken for something that is finished.
    inherited: BTreeMap<usize, Position>,
    /// Dropped, and with that stopped, before the lock is given up.
    _syncer: Syncer,
    _lock: Guard,
}

/// A series that can be read.
#[derive(Debug)]
pub(crate) struct Readable {
    pub(crate) worker: usize,
    pub(crate) dir: PathBuf,
    /// Where its writer is, or where an earlier process left it.
    pub(crate) end: Position,
    /// It has a writer.
    pub(crate) live: bool,
}

// === impl Journal ===

impl Journal {
    /// Opens the journal, and leaves what an earlier process wrote for `ingest` to find.
    pub fn open(dir: &Path, options: JournalOptions, metrics: Arc<Metrics>) -> Result<Self, StoreError> {
        place::private_dir(dir)?;
        let lock = guard::lock(dir)?;
        let (bells, workers) = (Bells::default(), Arc::default());
        let syncer = Syncer::start(Arc::clone(&workers), bells.sync.clone(), options.sync_every, metrics.clone())?;
        let inherited = inherited(dir)?;
        Ok(Self { dir: dir.to_owned(), options, metrics, bells, workers, inherited, _syncer: syncer, _lock: lock })
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
        let mut ends: BTreeMap<_, _> = self.inherited.iter().map(|(worker, end)| (*worker, (*end, false))).collect();
        for worker in self.workers.lock().iter() {
            ends.insert(worker.number, (worker.end(), true));
        }
        let dir = |worker: usize| self.dir.join(worker.to_string());
        let of = |(worker, (end, live))| Readable { worker, dir: dir(worker), end, live };
        Ok(ends.into_iter().map(of).collect())
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

/// Every series that is there, and the place behind its last file.
fn inherited(dir: &Path) -> Result<BTreeMap<usize, Position>, StoreError> {
    let doing = |cause| StoreError::io(format!("reading the directory {}", dir.display()), cause);
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(doing)? {
        let name = entry.map_err(doing)?.file_name();
        let Some(worker) = name.to_str().and_then(|name| name.parse::<usize>().ok()) else { continue };
        let dir = dir.join(worker.to_string());
        segment::remove_spares(&dir).map_err(doing)?;
        let last = numbers(&dir).map_err(doing)?.last().copied().unwrap_or_default();
        found.insert(worker, Position { segment: last + 1, offset: 0 });
    }
    Ok(found)
}

/// Never a number that was used before, even if its file is gone: `ingest` remembers its place by number.
fn next_number(dir: &Path) -> Result<u64, StoreError> {
    let doing = |cause| StoreError::io(format!("reading the directory {}", dir.display()), cause);
    let last = numbers(dir).map_err(doing)?.last().copied().unwrap_or_default();
    let read = checkpoint::load(dir).map_or(0, |at| at.segment);
    Ok(last.max(read) + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tollgate_model::Ids;

    use super::*;
    use crate::sample::record;

    fn journal(dir: &Path) -> Journal {
        Journal::open(dir, JournalOptions::default(), Arc::default()).unwrap()
    }

    /// Found by killing a loaded gateway: what ingest saw before a worker began was read as if no worker ever would.
    #[test]
    fn a_file_of_this_process_is_not_taken_for_an_earlier_one_s() {
        let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
        let write = |journal: &Journal| {
            let writer = journal.writer(0).unwrap();
            drop(writer.append(&record(&ids, 1_795_000_000_000), &[], &[]));
            writer.flush();
        };
        write(&journal(dir.path()));
        let journal = journal(dir.path());
        let before = journal.readable().unwrap();
        write(&journal);
        let mut reader = Reader::new(&before[0].dir, Position::default());
        let mut read = 0;
        while let Some(chunk) = reader.read(before[0].end).unwrap() {
            read += chunk.entries.len();
            let next = chunk.next;
            reader.advance(next);
        }
        assert_eq!(read, 1, "only the earlier process's record");
        let now = journal.readable().unwrap();
        assert_eq!(reader.read(now[0].end).unwrap().map(|chunk| chunk.entries.len()), Some(1));
    }
}
