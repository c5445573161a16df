//! Makes the journal safe against loss of power, behind the back of those who write it.
//!
//! Enters: a ring when something was written. Leaves: fdatasync on every file written to, a little later, for many writes at once.
//! Never: runs on a serving thread, and never trusts a file again whose sync failed: the kernel may have dropped the pages it could not write, and
//! would report success the second time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;

use super::bell::Bell;
use super::segment::Position;
use super::writer::Worker;
use crate::failure::StoreError;
use crate::metrics::Metrics;
use crate::place;

/// The thread that syncs. Stops, after a last round, when it is dropped.
#[derive(Debug)]
pub(super) struct Syncer {
    stop: Arc<Stop>,
    written: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Stop {
    asked: AtomicBool,
    bell: Bell,
}

/// What the thread remembers of one worker: how far it was synced.
type Synced = HashMap<usize, Position>;

// === impl Syncer ===

impl Syncer {
    pub(super) fn start(
        workers: Arc<Mutex<Vec<Arc<Worker>>>>,
        written: Arc<Bell>,
        every: Duration,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let stop = Arc::new(Stop::default());
        let (stopping, ringing) = (stop.clone(), written.clone());
        let work = move || {
            let mut synced = Synced::new();
            while !stopping.asked.load(Ordering::SeqCst) {
                ringing.wait(None);
                stopping.bell.wait(Some(every));
                round(&workers.lock().clone(), &mut synced, &metrics);
            }
        };
        let thread = thread::Builder::new().name("journal-sync".to_owned()).spawn(work);
        let thread = thread.map_err(|cause| StoreError::io("starting the journal's sync thread", cause))?;
        Ok(Self { stop, written, thread: Some(thread) })
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.stop.asked.store(true, Ordering::SeqCst);
        self.stop.bell.ring();
        self.written.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn round(workers: &[Arc<Worker>], synced: &mut Synced, metrics: &Metrics) {
    for worker in workers {
        let end = worker.end();
        let before = synced.get(&worker.number).copied().unwrap_or_default();
        if end == before {
            continue;
        }
        if before.segment != end.segment {
            // The file's name is in its directory, and the directory's in the one above.
            let _ = place::sync_dir(&worker.dir).and_then(|()| worker.dir.parent().map_or(Ok(()), place::sync_dir));
        }
        sync(worker, metrics);
        synced.insert(worker.number, end);
    }
}

fn sync(worker: &Worker, metrics: &Metrics) {
    let files = worker.series().unsynced();
    for (number, file) in files {
        metrics.journal.syncs.add(1);
        if let Err(cause) = file.sync_data() {
            metrics.journal.sync_failures.add(1);
            tracing::error!(worker = worker.number, %cause, "syncing the journal failed: going on in a new file");
            worker.series().leave(number);
        }
    }
}
