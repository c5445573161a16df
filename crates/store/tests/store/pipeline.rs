//! From the journal into the log: in order, once, through refusals, restarts and changes of the number of workers.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tollgate_model::{Id, Ids, Record};
use tollgate_store::embedded::DayRecords;
use tollgate_store::ingest::IngestOptions;
use tollgate_store::journal::Lost;
use tollgate_store::records::{
    Body, Cap, Entry, Facet, Facets, Filter, Histogram, Listed, Order, Page, Patch, Records, Stretches, Tail, Walk,
    Walked, Which,
};
use tollgate_store::{Failure, Ingest, Journal, JournalOptions, Metrics, StoreError};

use crate::records_suite::{MIDNIGHT_MS, embedded};
use crate::sample::{Dice, bodies, record};

/// Long enough for any machine; nothing waits for it when all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn quick() -> IngestOptions {
    IngestOptions {
        gather: Duration::from_millis(1),
        sync_every: Duration::from_millis(5),
        retry_after: Duration::from_millis(1),
    }
}

pub fn small_segments() -> JournalOptions {
    JournalOptions { segment_bytes: 32 << 10, ..JournalOptions::default() }
}

fn journal(dir: &Path) -> Arc<Journal> {
    Arc::new(Journal::open(&dir.join("journal"), small_segments(), Arc::default()).unwrap())
}

/// Appends records to a worker's series and has them written.
fn write(journal: &Journal, worker: usize, ids: &Ids, count: u64) -> Vec<Record> {
    let (writer, mut dice) = (journal.writer(worker).unwrap(), Dice(worker as u64));
    let mut records = Vec::new();
    for at in 0..count {
        let record = record(ids, MIDNIGHT_MS + at);
        let (request, response) = bodies(&mut dice, record.id);
        let (head, tail) = (request.slice(..7), request.slice(7..));
        let written = writer.append(&record, &[head, tail], &[response]);
        assert_eq!(written.outcome(), None);
        writer.flush();
        assert_eq!(written.outcome(), Some(Ok(())));
        records.push(record);
    }
    records
}

fn segments(dir: &Path, worker: usize) -> usize {
    let files = std::fs::read_dir(dir.join("journal").join(worker.to_string())).unwrap();
    files.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "wal")).count()
}

fn total(store: &DayRecords) -> u64 {
    store.list(&Filter::default(), &Page::newest(1)).unwrap().total
}

#[test]
fn what_was_written_can_be_read_after_catching_up() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let (journal, store) = (journal(dir.path()), Arc::new(embedded(&dir.path().join("logs"))));
    let slow = IngestOptions { gather: Duration::from_secs(3_600), ..quick() };
    let ingest = Ingest::start(journal.clone(), store.clone(), slow).unwrap();
    for worker in [0, 1, 0] {
        for record in write(&journal, worker, &ids, 20) {
            assert!(ingest.catch_up(PATIENCE));
            assert_eq!(store.get(record.id).unwrap(), Some(record));
        }
    }
    assert_eq!(journal_bodies(&store, &ids_of(&store)), 60);
}

fn ids_of(store: &DayRecords) -> Vec<Id> {
    let listed = store.list(&Filter::default(), &Page::newest(1_000)).unwrap();
    listed.records.iter().map(|record| record.id).collect()
}

/// How many have an answer that names their id, as the sample's do.
fn journal_bodies(store: &DayRecords, ids: &[Id]) -> usize {
    let names = |id: &&Id| {
        let body = store.body(**id, Which::Response).unwrap().unwrap();
        body.bytes.windows(36).any(|window| window == id.to_string().as_bytes())
    };
    ids.iter().filter(names).count()
}

#[test]
fn a_restart_goes_on_where_it_was_with_other_workers() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let logs = dir.path().join("logs");
    write(&journal(dir.path()), 0, &ids, 60);
    write(&journal(dir.path()), 3, &ids, 60);
    assert!(segments(dir.path(), 0) > 2 && segments(dir.path(), 3) > 2);
    let (journal, store) = (journal(dir.path()), Arc::new(embedded(&logs)));
    write(&journal, 1, &ids, 60);
    let ingest = Ingest::start(journal.clone(), store.clone(), quick()).unwrap();
    assert!(ingest.catch_up(PATIENCE));
    assert_eq!(total(&store), 180);
    ingest.stop();
    // All is durable now: only the file that is still written to is left.
    assert_eq!([0, 3, 1].map(|worker| segments(dir.path(), worker)), [0, 0, 1]);
    assert_eq!(journal.writer(0).unwrap().append(&record(&ids, MIDNIGHT_MS), &[], &[]).outcome(), None);
    drop(journal);
    let journal = self::journal(dir.path());
    let ingest = Ingest::start(journal, store.clone(), quick()).unwrap();
    assert!(ingest.catch_up(PATIENCE));
    assert_eq!(total(&store), 181);
}

#[test]
fn a_lost_or_damaged_checkpoint_costs_work_and_nothing_else() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let store = Arc::new(embedded(&dir.path().join("logs")));
    let checkpoint = dir.path().join("journal/0/checkpoint");
    for round in 1..=4_u64 {
        let journal = journal(dir.path());
        write(&journal, 0, &ids, 10);
        let ingest = Ingest::start(journal, store.clone(), quick()).unwrap();
        assert!(ingest.catch_up(PATIENCE));
        ingest.stop();
        assert_eq!(total(&store), 10 * round);
        match round {
            1 => std::fs::remove_file(&checkpoint).unwrap(),
            2 => std::fs::write(&checkpoint, vec![255; 20]).unwrap(),
            _ => std::fs::write(&checkpoint, b"short").unwrap(),
        }
    }
    assert_eq!(journal_bodies(&store, &ids_of(&store)), 40);
}

/// A record store that refuses so many batches.
struct Refusing {
    refusals: AtomicUsize,
    store: DayRecords,
}

impl Records for Refusing {
    fn append(&self, batch: &[Entry<'_>]) -> Result<(), StoreError> {
        let left = self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() { Err(StoreError::new(Failure::Full, "refused")) } else { self.store.append(batch) }
    }
    fn sync(&self) -> Result<(), StoreError> {
        self.store.sync()
    }
    fn list(&self, filter: &Filter, page: &Page) -> Result<Listed, StoreError> {
        self.store.list(filter, page)
    }
    fn get(&self, id: Id) -> Result<Option<Record>, StoreError> {
        self.store.get(id)
    }
    fn body(&self, id: Id, which: Which) -> Result<Option<Body>, StoreError> {
        self.store.body(id, which)
    }
    fn tail(&self, after: u64, limit: usize) -> Result<Tail, StoreError> {
        self.store.tail(after, limit)
    }
    fn rows(&self, gateway: &str) -> Result<u64, StoreError> {
        self.store.rows(gateway)
    }
    fn forget_before(&self, unix_ms: u64) -> Result<usize, StoreError> {
        self.store.forget_before(unix_ms)
    }
    fn left_out(&self, gateway: &str) -> Result<u64, StoreError> {
        self.store.left_out(gateway)
    }
    fn patch(&self, id: Id, patch: &Patch) -> Result<bool, StoreError> {
        self.store.patch(id, patch)
    }
    fn remove(&self, filter: &Filter, order: Order, limit: u64) -> Result<u64, StoreError> {
        self.store.remove(filter, order, limit)
    }
    fn cap(&self, caps: HashMap<String, Cap>) {
        self.store.cap(caps);
    }
    fn walk(&self, filter: &Filter, from: Walk, size: u32) -> Result<Walked, StoreError> {
        self.store.walk(filter, from, size)
    }
    fn facets(&self, filter: &Filter, wanted: &[Facet], limit: usize) -> Result<Facets, StoreError> {
        self.store.facets(filter, wanted, limit)
    }
    fn histogram(&self, filter: &Filter, stretches: Stretches) -> Result<Histogram, StoreError> {
        self.store.histogram(filter, stretches)
    }
    fn trim(&self) -> Result<u64, StoreError> {
        self.store.trim()
    }
}

#[test]
fn while_the_store_refuses_records_wait_in_the_journal() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let metrics = Arc::<Metrics>::default();
    let journal = Journal::open(&dir.path().join("journal"), small_segments(), metrics.clone()).unwrap();
    let journal = Arc::new(journal);
    write(&journal, 0, &ids, 100);
    let store = Refusing { refusals: 5.into(), store: embedded(&dir.path().join("logs")) };
    let store = Arc::new(store);
    let ingest = Ingest::start(journal, store.clone(), quick()).unwrap();
    let mut refused = 0;
    while !ingest.catch_up(PATIENCE) {
        refused += 1;
        assert!(refused <= 5);
    }
    assert_eq!(total(&store.store), 100);
    assert_eq!((metrics.ingest.failures.get(), metrics.ingest.ingested.get()), (5, 100));
    assert_eq!(metrics.ingest.backlog_bytes.get(), 0);
}

#[test]
fn a_turn_of_the_event_loop_costs_one_write() {
    let (dir, ids, metrics) = (tempfile::tempdir().unwrap(), Arc::new(Ids::new()), Arc::<Metrics>::default());
    let journal = Journal::open(dir.path(), JournalOptions::default(), metrics.clone()).unwrap();
    let writer = journal.writer(0).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let running = tokio::spawn(writer.clone().run());
        let requests: Vec<_> = (0..50)
            .map(|_| {
                let (writer, ids) = (writer.clone(), ids.clone());
                tokio::spawn(async move { writer.append(&record(&ids, MIDNIGHT_MS), &[], &[]).await })
            })
            .collect();
        for request in requests {
            request.await.unwrap().unwrap();
        }
        assert_eq!((metrics.journal.written.get(), metrics.journal.writes.get()), (50, 1));
        let last = writer.append(&record(&ids, MIDNIGHT_MS), &[], &[]);
        writer.close();
        assert_eq!(writer.append(&record(&ids, MIDNIGHT_MS), &[], &[]).await, Err(Lost));
        running.await.unwrap();
        assert_eq!(last.await, Ok(()));
    });
    assert_eq!((metrics.journal.appended.get(), metrics.journal.lost.get()), (52, 1));
}

#[test]
fn what_does_not_fit_between_two_writes_is_lost_at_once() {
    let (dir, ids, metrics) = (tempfile::tempdir().unwrap(), Ids::new(), Arc::<Metrics>::default());
    let journal = Journal::open(dir.path(), JournalOptions::default(), metrics.clone()).unwrap();
    let writer = journal.writer(0).unwrap();
    let large = [Bytes::from(vec![0; 25 << 20])];
    let fits: Vec<_> = (0..2).map(|_| writer.append(&record(&ids, MIDNIGHT_MS), &large, &[])).collect();
    let over = writer.append(&record(&ids, MIDNIGHT_MS), &large, &[]);
    assert_eq!(over.outcome(), Some(Err(Lost)));
    let huge = [large[0].clone(), large[0].clone()];
    writer.flush();
    assert!(fits.iter().all(|written| written.outcome() == Some(Ok(()))));
    assert_eq!(writer.append(&record(&ids, MIDNIGHT_MS), &huge, &[]).outcome(), Some(Err(Lost)));
    assert_eq!((metrics.journal.written.get(), metrics.journal.lost.get()), (2, 2));
}

#[test]
fn a_data_directory_belongs_to_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let first = journal(dir.path());
    let second = Journal::open(&dir.path().join("journal"), JournalOptions::default(), Arc::default());
    assert_eq!(second.unwrap_err().kind(), Failure::Busy);
    drop(first);
    journal(dir.path());
}
