//! The work of the ingest thread, round by round.
//!
//! Enters: readable series. Leaves: batches in the record store, checkpoints, removed files.
//! Never: goes past a batch that the store refused: it stays in the journal and is tried again.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use tollgate_model::{Clock, Moment};

use super::IngestOptions;
use super::desk::Desk;
use crate::failure::StoreError;
use crate::journal::{Journal, Position, Readable, Reader, checkpoint};
use crate::metrics::Metrics;
use crate::records::Records;

pub(super) struct Hand {
    journal: Arc<Journal>,
    records: Arc<dyn Records>,
    options: IngestOptions,
    desk: Arc<Desk>,
    clock: Clock,
    metrics: Arc<Metrics>,
    series: HashMap<usize, Series>,
    synced_at: Moment,
    failing: bool,
}

/// A series at work.
struct Series {
    dir: PathBuf,
    reader: Reader,
    /// What the checkpoint file says.
    saved: Position,
    /// It has a writer.
    live: bool,
}

// === impl Hand ===

impl Hand {
    pub(super) fn new(
        journal: Arc<Journal>,
        records: Arc<dyn Records>,
        options: IngestOptions,
        desk: Arc<Desk>,
    ) -> Self {
        let (clock, metrics) = (journal.clock(), journal.metrics());
        let synced_at = clock.now();
        Self { journal, records, options, desk, clock, metrics, series: HashMap::new(), synced_at, failing: false }
    }

    /// The first round needs no ring: there may be something from before.
    pub(super) fn work(&mut self) {
        loop {
            let (wish, last) = self.desk.look();
            let done = self.round(last);
            self.note(&done);
            self.desk.answer(wish, done.is_ok());
            if last {
                return;
            }
            self.rest(done.is_err());
        }
    }

    fn rest(&self, failed: bool) {
        if failed {
            return self.desk.wait(Some(self.options.retry_after), self.options.retry_after);
        }
        let unsynced = self.series.values().any(|series| series.reader.at() != series.saved);
        self.desk.wait(unsynced.then_some(self.options.sync_every), self.options.gather);
    }

    fn round(&mut self, last: bool) -> Result<(), StoreError> {
        let readable = self.journal.readable()?;
        self.meet(&readable);
        let mut finished = last;
        for each in &readable {
            finished |= self.drain(each)?;
        }
        self.measure(&readable)?;
        if finished || self.clock.now().since(self.synced_at) >= self.options.sync_every {
            self.save()?;
        }
        Ok(())
    }

    fn meet(&mut self, readable: &[Readable]) {
        for each in readable {
            let series = self.series.entry(each.worker).or_insert_with(|| {
                let saved = checkpoint::load(&each.dir).unwrap_or_default();
                Series { dir: each.dir.clone(), reader: Reader::new(&each.dir, saved), saved, live: each.live }
            });
            series.live = each.live;
        }
    }

    /// Moves all that can be read. True when that emptied a file for good.
    fn drain(&mut self, readable: &Readable) -> Result<bool, StoreError> {
        let Some(series) = self.series.get_mut(&readable.worker) else { return Ok(false) };
        let doing = |cause| StoreError::io(format!("reading the journal in {}", readable.dir.display()), cause);
        while let Some(chunk) = series.reader.read(readable.end).map_err(doing)? {
            if chunk.skipped > 0 {
                self.metrics.ingest.damaged_bytes.add(chunk.skipped);
                tracing::warn!(bytes = chunk.skipped, at = ?chunk.next, "skipped a part of the journal that is not whole");
            }
            self.records.append(&chunk.entries)?;
            self.metrics.ingest.batches.add(1);
            self.metrics.ingest.ingested.add(chunk.entries.len() as u64);
            let next = chunk.next;
            series.reader.advance(next);
        }
        Ok(series.reader.at().segment > series.saved.segment)
    }

    fn measure(&self, readable: &[Readable]) -> Result<(), StoreError> {
        let doing = |cause| StoreError::io("measuring the journal", cause);
        let mut backlog = 0;
        for each in readable {
            if let Some(series) = self.series.get(&each.worker) {
                backlog += series.reader.backlog(each.end).map_err(doing)?;
            }
        }
        self.metrics.ingest.backlog_bytes.set(backlog);
        Ok(())
    }

    /// First the rows are safe, then the place is remembered, then the files before it are given back.
    fn save(&mut self) -> Result<(), StoreError> {
        self.synced_at = self.clock.now();
        if self.series.values().all(|series| series.reader.at() == series.saved) {
            return Ok(());
        }
        self.records.sync()?;
        for series in self.series.values_mut() {
            let at = series.reader.at();
            if at != series.saved {
                let doing = |cause| StoreError::io(format!("saving the place in {}", series.dir.display()), cause);
                checkpoint::store(&series.dir, at).map_err(doing)?;
                series.reader.retire_before(at, series.live).map_err(doing)?;
                series.saved = at;
            }
        }
        Ok(())
    }

    /// Said once when it begins and once when it is over.
    fn note(&mut self, done: &Result<(), StoreError>) {
        match done {
            Err(cause) => {
                self.metrics.ingest.failures.add(1);
                if !self.failing {
                    tracing::error!(%cause, "records cannot be stored: they wait in the journal");
                }
            }
            Ok(()) if self.failing => tracing::info!("records can be stored again"),
            Ok(()) => {}
        }
        self.failing = done.is_err();
    }
}
