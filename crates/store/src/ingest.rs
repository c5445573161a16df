//! Moves what was journaled into the record store, exactly once.
//!
//! Enters: the journal's files, those of this process while it runs and those of an earlier one. Leaves: rows, and files removed when all their rows
//! are durable. Never: keeps its place only in memory, and never lets the journal's file go before the store could survive a loss of power.
//!
//! One thread reads the files themselves: what happens after a crash is what happens all the time. A batch that was half done when the process was
//! killed is done again; the record store knows each record by its key and keeps one.

mod desk;
mod hand;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::failure::StoreError;
use crate::journal::Journal;
use crate::records::Records;

use self::desk::Desk;
use self::hand::Hand;

#[derive(Clone, Debug)]
pub struct IngestOptions {
    /// How long records gather before they are moved, so that one transaction serves many. Readers do not wait for it: they ask to catch up.
    pub gather: Duration,
    /// How often the store is made durable, and the journal's place remembered.
    pub sync_every: Duration,
    /// How long to wait when the store refused.
    pub retry_after: Duration,
}

impl Default for IngestOptions {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(50),
            sync_every: Duration::from_secs(5),
            retry_after: Duration::from_secs(1),
        }
    }
}

/// The thread that moves records. Catches up and stops when it is dropped.
#[derive(Debug)]
pub struct Ingest {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

// === impl Ingest ===

impl Ingest {
    pub fn start(journal: Arc<Journal>, records: Arc<dyn Records>, options: IngestOptions) -> Result<Self, StoreError> {
        let desk = Arc::new(Desk::new(journal.bell()));
        let mut hand = Hand::new(journal, records, options, desk.clone());
        let thread = thread::Builder::new().name("ingest".to_owned()).spawn(move || hand.work());
        let thread = thread.map_err(|cause| StoreError::io("starting the ingest thread", cause))?;
        Ok(Self { desk, thread: Some(thread) })
    }

    /// Returns true once every record whose `Written` had resolved before the call can be read; false when that took too long or the store refused.
    /// Waits for the ingest thread: not to be called on a thread that serves traffic.
    pub fn catch_up(&self, at_most: Duration) -> bool {
        self.desk.ask_and_wait(at_most)
    }

    /// Moves what is there, makes it durable, and ends the thread.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.desk.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.end();
    }
}
