//! Opens everything that remembers, in the one data directory, and closes it in the right order.
//!
//! Enters: settings. Leaves: stores. Never: is slow: what can be read later is read later.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tollgate_engine::{Credits, Till};
use tollgate_model::Clock;
use tollgate_store::embedded::{
    DayRecords, DayRecordsOptions, DiskAnswers, DiskAnswersOptions, FileDocuments, FileEntries,
};
use tollgate_store::ingest::IngestOptions;
use tollgate_store::{Documents, Entries, Ingest, Journal, JournalOptions, Ledger, Metrics, Records, StoreError, Uses};

use crate::place::{
    ANSWERS_FILE, CREDITS_DIR, DOCUMENTS_FILE, ENTRIES_FILE, JOURNAL_DIR, LEDGER_DIR, LOGS_DIR, TOLD_FILE,
};
use crate::settings::Settings;

/// In front of the disk: a retry comes soon or not at all.
const TOLD_MEMORY_BYTES: u64 = 8 << 20;

pub(crate) struct Stores {
    pub(crate) documents: Arc<dyn Documents>,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) answers: Arc<DiskAnswers>,
    /// What requests with idempotency keys were answered.
    pub(crate) told: Arc<DiskAnswers>,
    pub(crate) entries: Arc<dyn Entries>,
    pub(crate) uses: Arc<Uses>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) ingest: Arc<Ingest>,
    pub(crate) till: Arc<Till>,
    /// Where the operator's keys are for those who paid.
    pub(crate) credits: Option<Arc<Credits>>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Stores {
    pub(crate) fn open(settings: &Settings) -> Result<Self, StoreError> {
        let dir = &settings.data_dir;
        let metrics = Arc::new(Metrics::default());
        // First: it holds the lock that keeps a second process out.
        let journal = Arc::new(Journal::open(&dir.join(JOURNAL_DIR), JournalOptions::default(), metrics.clone())?);
        let documents = Arc::new(FileDocuments::open(&dir.join(DOCUMENTS_FILE))?);
        let entries = Arc::new(FileEntries::open(&dir.join(ENTRIES_FILE))?);
        let uses = Arc::new(Uses::load(&*entries)?);
        let records: Arc<dyn Records> =
            Arc::new(DayRecords::open(&dir.join(LOGS_DIR), DayRecordsOptions::default(), metrics.clone())?);
        let ingest = Arc::new(Ingest::start(journal.clone(), records.clone(), IngestOptions::default())?);
        let options = DiskAnswersOptions {
            memory_bytes: settings.cache_memory_bytes,
            disk_bytes: settings.cache_disk_bytes,
            ..DiskAnswersOptions::default()
        };
        let answers = Arc::new(DiskAnswers::open(&dir.join(ANSWERS_FILE), options, metrics.clone())?);
        let options = DiskAnswersOptions {
            memory_bytes: TOLD_MEMORY_BYTES,
            disk_bytes: settings.idempotency_disk_bytes,
            ..DiskAnswersOptions::default()
        };
        // It counts for itself: the numbers that are shown are the response cache's.
        let told = Arc::new(DiskAnswers::open(&dir.join(TOLD_FILE), options, Arc::default())?);
        let (ledger, spent) = Ledger::open(&dir.join(LEDGER_DIR))?;
        let till = Arc::new(Till::new(ledger, &spent));
        let credits = settings.credits.then(|| credits(dir, settings.credit_requests_per_minute)).transpose()?;
        Ok(Self { documents, records, answers, told, entries, uses, journal, ingest, till, credits, metrics })
    }

    /// What the stores count about themselves, shown with everything else.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(Counts(self.metrics.clone())));
    }

    /// Everything journaled becomes rows before the process ends.
    pub(crate) fn close(&self) {
        self.journal.flush();
        if !self.ingest.catch_up(Duration::from_secs(10)) {
            tracing::warn!("the last records are in the journal; they become rows at the next start");
        }
        if let Err(cause) = self.till.sum_up(Clock::System.unix_ms()) {
            tracing::warn!("the ledger of budgets is not summed up, the next start reads it line by line: {cause}");
        }
        if let Some(Err(cause)) = self.credits.as_ref().map(|credits| credits.sum_up()) {
            tracing::warn!("the ledger of credits is not summed up, the next start reads it line by line: {cause}");
        }
    }
}

fn credits(data_dir: &Path, rate: u64) -> Result<Arc<Credits>, StoreError> {
    let (ledger, drawn) = Ledger::open(&data_dir.join(CREDITS_DIR))?;
    Ok(Arc::new(Credits::new(ledger, &drawn, rate)))
}

#[derive(Debug)]
struct Counts(Arc<Metrics>);

impl Collector for Counts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Metrics { journal, ingest, answers } = &*self.0;
        let counters = [
            ("journal_appended", "Records handed to the journal", journal.appended.get()),
            ("journal_written", "Records that the operating system has", journal.written.get()),
            ("journal_lost", "Records that could not be written", journal.lost.get()),
            ("journal_writes", "write(2) calls of the journal", journal.writes.get()),
            ("ingest_records", "Journaled records that became rows", ingest.ingested.get()),
            ("ingest_left_out", "Records not inserted because their gateway was full", ingest.left_out.get()),
            ("ingest_failures", "Batches the record store refused; they are tried again", ingest.failures.get()),
            ("ingest_damaged_bytes", "Bytes of the journal that were unreadable", ingest.damaged_bytes.get()),
            (
                "cache_disk_evictions",
                "Answers removed from disk to stay within its bound",
                answers.disk_evictions.get(),
            ),
            (
                "cache_disk_skipped",
                "Answers not written to disk because its queue was full",
                answers.disk_skipped.get(),
            ),
        ];
        for (name, help, value) in counters {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(metric)?;
        }
        let gauges = [
            ("ingest_backlog_bytes", "Journaled and not yet a row", ingest.backlog_bytes.get()),
            ("cache_memory_entries", "Answers in memory", answers.memory_entries.get()),
            ("cache_memory_bytes", "Bytes of answers in memory", answers.memory_bytes.get()),
            ("cache_disk_entries", "Answers on disk", answers.disk_entries.get()),
            ("cache_disk_bytes", "Bytes of answers on disk", answers.disk_bytes.get()),
        ];
        for (name, help, value) in gauges {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value as i64).encode(metric)?;
        }
        Ok(())
    }
}
