//! The response cache: memory in front, SQLite behind.
//!
//! Enters: answers, keys. Leaves: answers at once from memory, a little later from disk, or a miss that cost no look at the disk.
//! Never: makes a caller wait for a write. All disk work is one thread's, in the order in which it was asked for; that is why a purge cannot be
//! overtaken by an answer that was read before it.

mod disk;
mod index;
mod table;
mod value;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::sync::{mpsc, oneshot};

use self::index::Index;
use crate::answers::{AnswerKey, Answers, CachedAnswer, Lookup, Purge, Purging, Settling};
use crate::failure::{Failure, StoreError};
use crate::metrics::Metrics;

/// Tasks that may wait for the disk thread.
const QUEUE: usize = 1_024;

#[derive(Clone, Copy, Debug)]
pub struct DiskAnswersOptions {
    /// Bound of the memory in front. An answer of more than half of it is only on disk.
    pub memory_bytes: u64,
    /// Bound of the answers on the disk behind, to which SQLite adds a little; 0 is none. The oldest answers go first.
    pub disk_bytes: u64,
    /// Answers that wait to be written hold at most this much memory; what comes on top stays in front only.
    pub queued_bytes: u64,
}

impl Default for DiskAnswersOptions {
    fn default() -> Self {
        Self { memory_bytes: 16 << 20, disk_bytes: 1 << 30, queued_bytes: 32 << 20 }
    }
}

/// The embedded response cache.
pub struct DiskAnswers {
    near: Arc<Near>,
    options: DiskAnswersOptions,
    /// `None`: there is no disk behind, or this is being dropped.
    tasks: Option<mpsc::Sender<Task>>,
    thread: Option<JoinHandle<()>>,
}

/// What the serving threads and the disk thread share.
struct Near {
    memory: Cache<AnswerKey, Arc<CachedAnswer>, Weigh, DefaultHashBuilder, Life>,
    index: Index,
    queued_bytes: AtomicU64,
    metrics: Arc<Metrics>,
}

type Life = DefaultLifecycle<AnswerKey, Arc<CachedAnswer>>;

enum Task {
    Put { key: AnswerKey, answer: Arc<CachedAnswer>, now_ms: u64 },
    Get { key: AnswerKey, now_ms: u64, reply: oneshot::Sender<Option<Arc<CachedAnswer>>> },
    Settle { reply: oneshot::Sender<()> },
    Purge { what: Purge, reply: oneshot::Sender<Result<u64, StoreError>> },
}

#[derive(Clone, Debug)]
struct Weigh;

impl Weighter<AnswerKey, Arc<CachedAnswer>> for Weigh {
    fn weight(&self, _: &AnswerKey, answer: &Arc<CachedAnswer>) -> u64 {
        answer.weight()
    }
}

// === impl DiskAnswers ===

impl DiskAnswers {
    /// Returns at once. Until the disk's index is read, what is only there counts as a miss.
    pub fn open(path: &Path, options: DiskAnswersOptions, metrics: Arc<Metrics>) -> Result<Self, StoreError> {
        let near = Arc::new(Near::new(options.memory_bytes, metrics));
        if options.disk_bytes == 0 {
            return Ok(Self { near, options, tasks: None, thread: None });
        }
        let (tasks, queue) = mpsc::channel(QUEUE);
        let (path, shared) = (path.to_owned(), near.clone());
        let work = move || disk::work(&path, options.disk_bytes, &shared, queue);
        let thread = thread::Builder::new().name("answers".to_owned()).spawn(work);
        let thread = thread.map_err(|cause| StoreError::io("starting the cache's disk thread", cause))?;
        Ok(Self { near, options, tasks: Some(tasks), thread: Some(thread) })
    }

    fn fetch(&self, key: &AnswerKey, now_ms: u64) -> Lookup {
        let (reply, answer) = oneshot::channel();
        let task = Task::Get { key: *key, now_ms, reply };
        match self.tasks.as_ref().map(|tasks| tasks.try_send(task)) {
            Some(Ok(())) => Lookup::Elsewhere(Box::pin(async { answer.await.ok().flatten() })),
            _ => Lookup::Miss,
        }
    }

    fn write_behind(&self, key: AnswerKey, answer: Arc<CachedAnswer>, now_ms: u64) {
        let Some(tasks) = &self.tasks else { return };
        let weight = answer.weight();
        if weight > self.options.disk_bytes {
            self.near.metrics.answers.disk_skipped.add(1);
            return;
        }
        let queued = self.near.queued_bytes.fetch_add(weight, Ordering::Relaxed) + weight;
        if queued > self.options.queued_bytes || tasks.try_send(Task::Put { key, answer, now_ms }).is_err() {
            self.near.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
            self.near.metrics.answers.disk_skipped.add(1);
        }
    }
}

impl Answers for DiskAnswers {
    fn get(&self, key: &AnswerKey, now_ms: u64) -> Lookup {
        match self.near.memory.get(key) {
            Some(answer) if !answer.expired(now_ms) => Lookup::Hit(answer),
            Some(_) => {
                self.near.memory.remove_if(key, |answer| answer.expired(now_ms));
                Lookup::Miss
            }
            None if self.near.index.has(key, now_ms) => self.fetch(key, now_ms),
            None => Lookup::Miss,
        }
    }

    fn put(&self, key: AnswerKey, answer: Arc<CachedAnswer>, now_ms: u64) {
        if answer.expired(now_ms) {
            return;
        }
        self.near.memory.insert(key, answer.clone());
        self.near.measure();
        self.write_behind(key, answer, now_ms);
    }

    fn settle(&self) -> Settling {
        let Some(tasks) = self.tasks.as_ref().map(mpsc::Sender::downgrade) else {
            return Box::pin(async {});
        };
        Box::pin(async move {
            let Some(tasks) = tasks.upgrade() else { return };
            let (reply, settled) = oneshot::channel();
            if tasks.send(Task::Settle { reply }).await.is_ok() {
                drop(tasks);
                let _ = settled.await;
            }
        })
    }

    fn purge(&self, what: Purge) -> Purging {
        self.near.purge(&what);
        // Weak: a purge that nobody waits for must not keep the thread from ending.
        let Some(tasks) = self.tasks.as_ref().map(mpsc::Sender::downgrade) else {
            return Box::pin(async { Ok(0) });
        };
        Box::pin(async move {
            let gone = || StoreError::new(Failure::Unavailable, "purging the cache: it is closed");
            let (reply, purged) = oneshot::channel();
            let tasks = tasks.upgrade().ok_or_else(gone)?;
            tasks.send(Task::Purge { what, reply }).await.map_err(|_| gone())?;
            drop(tasks);
            purged.await.map_err(|_| gone())?
        })
    }
}

/// What is queued is still written.
impl Drop for DiskAnswers {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

// === impl Near ===

impl Near {
    fn new(memory_bytes: u64, metrics: Arc<Metrics>) -> Self {
        let mut options = OptionsBuilder::new();
        // Two shards: as many as threads that serve on a small machine, and the more there are the smaller is the largest answer that fits.
        options.shards(2).estimated_items_capacity(1_024).weight_capacity(memory_bytes);
        let built = options.build().expect("both capacities are given");
        let memory = Cache::with_options(built, Weigh, DefaultHashBuilder::default(), Life::default());
        Self { memory, index: Index::default(), queued_bytes: AtomicU64::new(0), metrics }
    }

    fn purge(&self, what: &Purge) {
        match what.key {
            Some(key) => drop(self.memory.remove_if(&key, |answer| what.matches(&key, answer))),
            None => self.memory.retain(|key, answer| !what.matches(key, answer)),
        }
        self.measure();
    }

    fn measure(&self) {
        self.metrics.answers.memory_entries.set(self.memory.len() as u64);
        self.metrics.answers.memory_bytes.set(self.memory.weight());
    }
}
