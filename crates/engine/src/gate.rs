//! What every request of a worker can reach.
//!
//! Enters: the parts that the app put together. Leaves: references to them. Never: changes, except by swapping the snapshot's pointer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tollgate_dial::Client;
use tollgate_model::{Clock, Ids};
use tollgate_rules::auto::Health;
use tollgate_rules::catalog::Catalog;
use tollgate_rules::limit::Windows;
use tollgate_rules::memory::Memory;
use tollgate_rules::meter::Meters;
use tollgate_rules::snapshot::Snapshot;
use tollgate_store::Uses;
use tollgate_store::answers::Answers;
use tollgate_store::journal::JournalWriter;

use crate::alarm::Alarms;
use crate::credits::Credits;
use crate::exchange::Exchanges;
use crate::fill::Fills;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::once::Once;
use crate::till::Till;
use crate::upstream::Upstream;

/// One for the process.
pub struct Shared {
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub clock: Clock,
    pub ids: Ids,
    pub catalog: Arc<Catalog>,
    pub answers: Arc<dyn Answers>,
    pub keys: Keys,
    pub metrics: Metrics,
    pub limits: Limits,
    /// When each token was used last.
    pub uses: Arc<Uses>,
    /// Asks the store whether settings changed, when a request names something the snapshot does not know.
    pub refresh: Arc<dyn Refresh>,
    /// What may be spent, and is.
    pub till: Arc<Till>,
    /// What requests with the operator's key draw on. `None`: the key is for all who may call.
    pub credits: Option<Arc<Credits>>,
    /// Who asks with an idempotency key.
    pub once: Arc<Once>,
    pub(crate) fills: Fills,
    /// Access tokens that service accounts were exchanged for.
    pub(crate) exchanges: Exchanges,
    /// Of routes and of the auto router: their windows, the choices that stick, who failed lately.
    pub(crate) meters: Mutex<Meters>,
    pub(crate) memory: Mutex<Memory>,
    pub(crate) health: Mutex<Health>,
    pub(crate) windows: Mutex<Windows>,
    /// Places for background jobs.
    pub(crate) jobs: Arc<Semaphore>,
    held: AtomicUsize,
}

/// Background jobs under way at a time; more are refused.
const JOBS_MAX: usize = 256;

/// One for each worker thread.
pub struct Gate {
    pub shared: Arc<Shared>,
    pub(crate) upstream: Upstream,
    /// Reaches what callers name: nothing private.
    pub(crate) outside: Upstream,
    /// For the gateway's own questions: token exchanges.
    pub(crate) client: Client,
    pub(crate) journal: JournalWriter,
    pub(crate) alarms: Alarms,
}

/// Brings the snapshot up to date with the documents. Called for unknown gateways and tokens only, so it may look at the disk.
pub trait Refresh: Send + Sync {
    /// Creates the `default` gateway for an authenticated request that needs it, or only looks for changes.
    fn refresh(&self, wish: Wish) -> BoxFuture<'static, ()>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Look,
    CreateDefault,
}

/// The written bounds of what one request, and all of them together, may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A longer body is refused.
    pub body_bytes_max: u64,
    /// A longer body is not held in memory: it flows through once, without retry, cache or payload log.
    pub hold_bytes_max: usize,
    /// All bodies held at once.
    pub held_bytes_max: usize,
    /// A longer body is not kept beside its record.
    pub log_body_bytes_max: usize,
    /// Between two pieces of a caller's body.
    pub body_idle: Duration,
    /// For the head of a provider's answer, when the caller set no time-out.
    pub first_byte: Duration,
    /// Between two pieces of a provider's answer.
    pub answer_idle: Duration,
    /// For a request from its head to the last byte of its answer.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            body_bytes_max: 512 * MIB as u64,
            hold_bytes_max: 64 * MIB,
            held_bytes_max: 1024 * MIB,
            log_body_bytes_max: 10 * 1_000_000,
            body_idle: Duration::from_secs(30),
            first_byte: Duration::from_secs(600),
            answer_idle: Duration::from_secs(300),
            total: Duration::from_secs(3_600),
        }
    }
}

/// What [`Shared`] is made of.
pub struct Parts {
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub clock: Clock,
    pub catalog: Arc<Catalog>,
    pub answers: Arc<dyn Answers>,
    pub keys: Keys,
    pub metrics: Metrics,
    pub limits: Limits,
    pub uses: Arc<Uses>,
    pub refresh: Arc<dyn Refresh>,
    pub till: Arc<Till>,
    pub credits: Option<Arc<Credits>>,
    pub once: Arc<Once>,
}

// === impl Shared ===

impl Shared {
    pub fn new(parts: Parts) -> Self {
        Self {
            snapshot: parts.snapshot,
            clock: parts.clock,
            ids: Ids::new(),
            catalog: parts.catalog,
            answers: parts.answers,
            keys: parts.keys,
            metrics: parts.metrics,
            limits: parts.limits,
            uses: parts.uses,
            refresh: parts.refresh,
            till: parts.till,
            credits: parts.credits,
            once: parts.once,
            fills: Fills::default(),
            exchanges: Exchanges::default(),
            windows: Mutex::default(),
            meters: Mutex::default(),
            memory: Mutex::default(),
            health: Mutex::default(),
            jobs: Arc::new(Semaphore::new(JOBS_MAX)),
            held: AtomicUsize::new(0),
        }
    }

    /// Bytes of bodies that are held right now.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Answers that are being fetched right now and may be shared.
    pub fn fills_open(&self) -> usize {
        self.fills.len()
    }
}

impl Gate {
    pub(crate) fn new(
        shared: Arc<Shared>,
        upstream: Upstream,
        outside: Upstream,
        client: Client,
        journal: JournalWriter,
    ) -> Self {
        Self { shared, upstream, outside, client, journal, alarms: Alarms::default() }
    }
}

/// Bytes held on behalf of one request; given back when it ends, however it ends.
pub(crate) struct Held {
    shared: Arc<Shared>,
    bytes: usize,
}

impl Held {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, bytes: 0 }
    }

    /// `false` when all requests together would hold too much.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let before = self.shared.held.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > self.shared.limits.held_bytes_max {
            self.shared.held.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
