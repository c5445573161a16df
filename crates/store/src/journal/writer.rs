//! One worker's end of the journal.
//!
//! Enters: records as their requests finish. Leaves: `Written` futures, and one write(2) for all that gathered meanwhile.
//! Never: holds a lock over a write that an append needs: frames gather in one buffer while the other is being written.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tollgate_model::{Clock, Record};

use super::bell::Bell;
use super::segment::{Accepted, Position, Series};
use super::written::{Batch, Written};
use super::{BUFFER_MAX, frame};
use crate::metrics::Metrics;

/// A buffer that had to hold more than this is given back after the write.
const BUFFER_KEPT: usize = 1 << 20;

/// Cloned for whoever serves on this worker.
#[derive(Clone, Debug)]
pub struct JournalWriter(Arc<Worker>);

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) dir: PathBuf,
    pub(super) number: usize,
    gathered: Mutex<Gathered>,
    /// Locked for as long as a write takes. Appends do not need it.
    series: Mutex<Series>,
    /// How far readers may read.
    end: Mutex<Position>,
    wake: Notify,
    pub(super) bells: Bells,
    clock: Clock,
    metrics: Arc<Metrics>,
    /// The last write failed. Said once, and once when it is over.
    failing: AtomicBool,
}

/// Who is told that there is something new.
#[derive(Clone, Debug, Default)]
pub(super) struct Bells {
    pub(super) ingest: Arc<Bell>,
    pub(super) sync: Arc<Bell>,
}

#[derive(Debug)]
struct Gathered {
    frames: Vec<u8>,
    count: u64,
    batch: Arc<Batch>,
    /// The other buffer, while it is not being written.
    spare: Vec<u8>,
    closed: bool,
}

// === impl JournalWriter ===

impl JournalWriter {
    pub(super) fn new(worker: Arc<Worker>) -> Self {
        Self(worker)
    }

    /// Takes the record into the buffer. Costs a copy of it and of the bodies, no system call, and never waits. A body that is not to be kept comes
    /// as an empty slice, and the record says why ([`tollgate_model::record::Payload`]).
    pub fn append(&self, record: &Record, request: &[Bytes], response: &[Bytes]) -> Written {
        let worker = &*self.0;
        worker.metrics.journal.appended.add(1);
        let mut gathered = worker.gathered.lock();
        let before = gathered.frames.len();
        let fits = before + bytes_of(request) + bytes_of(response) <= BUFFER_MAX;
        if gathered.closed || !fits || frame::encode(&mut gathered.frames, record, request, response).is_err() {
            worker.metrics.journal.lost.add(1);
            return Written::lost();
        }
        gathered.count += 1;
        let written = Written::after(gathered.batch.clone(), gathered.frames.len());
        drop(gathered);
        if before == 0 {
            self.0.wake.notify_one();
        }
        written
    }

    /// Writes what gathers, until [`JournalWriter::close`]. To be spawned once on the worker's runtime: the first append of a turn of its event loop
    /// queues this task behind those that were ready before, so that all requests finishing in that turn share one write(2).
    pub async fn run(self) {
        loop {
            self.0.wake.notified().await;
            self.flush();
            if self.0.gathered.lock().closed {
                return self.flush();
            }
        }
    }

    /// Writes what gathered, on the calling thread. For shutdown and for those without a runtime; `run` does nothing else.
    pub fn flush(&self) {
        self.0.flush();
    }

    /// Later appends are lost; `run` ends after writing the earlier ones.
    pub fn close(&self) {
        self.0.gathered.lock().closed = true;
        self.0.wake.notify_one();
    }
}

fn bytes_of(pieces: &[Bytes]) -> usize {
    pieces.iter().map(Bytes::len).sum()
}

// === impl Worker ===

impl Worker {
    pub(super) fn new(number: usize, series: Series, clock: Clock, metrics: Arc<Metrics>, bells: Bells) -> Arc<Self> {
        Arc::new(Self {
            dir: series.dir().to_owned(),
            number,
            gathered: Mutex::new(Gathered {
                frames: Vec::new(),
                count: 0,
                batch: Batch::new(),
                spare: Vec::new(),
                closed: false,
            }),
            end: Mutex::new(series.start()),
            series: Mutex::new(series),
            wake: Notify::new(),
            bells,
            clock,
            metrics,
            failing: AtomicBool::new(false),
        })
    }

    fn flush(&self) {
        // Taken before the buffer is: two flushes at once would else write in the wrong order.
        let mut series = self.series.lock();
        let Some((mut frames, count, batch)) = self.take() else { return };
        let accepted = series.write(&mut frames, self.clock.now());
        if let Some(end) = accepted.end {
            *self.end.lock() = end;
        }
        drop(series);
        batch.resolve(accepted.bytes);
        self.give_back(frames);
        self.count(&accepted, count);
        self.bells.ingest.ring();
        self.bells.sync.ring();
    }

    fn take(&self) -> Option<(Vec<u8>, u64, Arc<Batch>)> {
        let mut gathered = self.gathered.lock();
        if gathered.frames.is_empty() {
            return None;
        }
        let spare = std::mem::take(&mut gathered.spare);
        let frames = std::mem::replace(&mut gathered.frames, spare);
        let batch = std::mem::replace(&mut gathered.batch, Batch::new());
        Some((frames, std::mem::take(&mut gathered.count), batch))
    }

    fn give_back(&self, mut frames: Vec<u8>) {
        if frames.capacity() <= BUFFER_KEPT {
            frames.clear();
            self.gathered.lock().spare = frames;
        }
    }

    fn count(&self, accepted: &Accepted, frames: u64) {
        let metrics = &self.metrics.journal;
        metrics.writes.add(1);
        metrics.written.add(accepted.frames);
        metrics.written_bytes.add(accepted.bytes as u64);
        metrics.lost.add(frames - accepted.frames);
        match &accepted.failure {
            Some(cause) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::error!(worker = self.number, %cause, "the journal cannot be written: records are lost until it can");
            }
            None if accepted.bytes > 0 && self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!(worker = self.number, "the journal can be written again");
            }
            _ => {}
        }
    }

    /// How far the series may be read.
    pub(super) fn end(&self) -> Position {
        *self.end.lock()
    }

    pub(super) fn series(&self) -> parking_lot::MutexGuard<'_, Series> {
        self.series.lock()
    }
}

/// What was appended is written even if nobody ran `run` to its end.
impl Drop for Worker {
    fn drop(&mut self) {
        self.flush();
    }
}
