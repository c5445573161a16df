//! The disk behind the cache, and the thread that works on it.
//!
//! Enters: tasks. Leaves: answers to those who fetch, rows, and an index that says what there is.
//! Never: is the reason that something fails: when the disk does not work, the cache is what memory holds.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use tokio::sync::mpsc;

use super::table::{self, Doomed};
use super::{Near, Task, value};
use crate::answers::{AnswerKey, CachedAnswer, Purge};
use crate::failure::StoreError;

/// Tasks that share a transaction.
const BATCH: usize = 256;
/// How often expired answers are looked for, and how many are removed at once.
const SWEEP_MS: u64 = 60_000;
const SWEEP_ROWS: usize = 1_000;

pub(super) struct Disk<'a> {
    connection: Connection,
    near: &'a Near,
    bytes_max: u64,
    bytes: u64,
    swept_ms: u64,
    failing: Failing,
}

/// What did not work the last time. A full disk can still be read.
#[derive(Default)]
struct Failing {
    reading: bool,
    writing: bool,
}

/// Works until nobody can send tasks any more.
pub(super) fn work(path: &Path, bytes_max: u64, near: &Near, mut tasks: mpsc::Receiver<Task>) {
    let mut disk = match table::open(path).and_then(|connection| Disk::new(connection, near, bytes_max)) {
        Ok(disk) => Some(disk),
        Err(cause) => {
            near.metrics.answers.disk_failures.add(1);
            tracing::error!(%cause, "the response cache has no disk: it is kept in memory only");
            None
        }
    };
    while let Some(first) = tasks.blocking_recv() {
        let more = std::iter::from_fn(|| tasks.try_recv().ok()).take(BATCH);
        batch(disk.as_mut(), near, std::iter::once(first).chain(more));
    }
}

/// Fetches are answered as they come; what is to be put is put together, before a purge or at the end.
fn batch(mut disk: Option<&mut Disk<'_>>, near: &Near, tasks: impl Iterator<Item = Task>) {
    let mut puts = Vec::new();
    for task in tasks {
        match task {
            Task::Put { key, answer, now_ms } => puts.push((key, answer, now_ms)),
            Task::Get { key, now_ms, reply } => {
                let found = near.memory.get(&key).or_else(|| disk.as_mut().and_then(|disk| disk.fetch(&key)));
                // Whoever asked may have left meanwhile.
                let _ = reply.send(found.filter(|answer| !answer.expired(now_ms)));
            }
            Task::Settle { reply } => {
                put(&mut disk, near, std::mem::take(&mut puts));
                let _ = reply.send(());
            }
            Task::Purge { what, reply } => {
                put(&mut disk, near, std::mem::take(&mut puts));
                near.purge(&what);
                let purged = disk.as_mut().map_or(Ok(0), |disk| disk.purge(&what));
                let _ = reply.send(purged);
            }
        }
    }
    put(&mut disk, near, puts);
}

type Put = (AnswerKey, Arc<CachedAnswer>, u64);

fn put(disk: &mut Option<&mut Disk<'_>>, near: &Near, puts: Vec<Put>) {
    let weight: u64 = puts.iter().map(|(_, answer, _)| answer.weight()).sum();
    if let Some(disk) = disk.as_mut().filter(|_| !puts.is_empty()) {
        disk.put(&puts);
    }
    near.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
}

// === impl Disk ===

impl<'a> Disk<'a> {
    /// Reads the index. From here on the disk is found.
    fn new(connection: Connection, near: &'a Near, bytes_max: u64) -> Result<Self, StoreError> {
        let mut disk = Self { connection, near, bytes_max, bytes: 0, swept_ms: 0, failing: Failing::default() };
        disk.load().map_err(|cause| StoreError::sqlite("reading the cache's index", cause))?;
        disk.measure();
        Ok(disk)
    }

    fn load(&mut self) -> Result<(), rusqlite::Error> {
        let mut statement = self.connection.prepare("SELECT key, expires_ms, bytes FROM entry")?;
        let mut rows = statement.query([])?;
        let (mut bytes, mut keys) = (0, Vec::new());
        while let Some(row) = rows.next()? {
            keys.push((AnswerKey(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs()));
            bytes += row.get::<_, i64>(2)?.unsigned_abs();
        }
        self.bytes = bytes;
        self.near.index.clear();
        self.near.index.add(keys.into_iter());
        Ok(())
    }

    fn fetch(&mut self, key: &AnswerKey) -> Option<Arc<CachedAnswer>> {
        let found = table::read(&self.connection, key);
        let found = check(found, &mut self.failing.reading, self.near, "reading")?;
        let answer = Arc::new(value::decode(found?)?);
        self.near.memory.insert(*key, answer.clone());
        self.near.measure();
        Some(answer)
    }

    fn put(&mut self, puts: &[Put]) {
        let done = self.try_put(puts);
        if check(done, &mut self.failing.writing, self.near, "writing").is_some() {
            self.near.index.add(puts.iter().map(|(key, answer, _)| (*key, answer.expires_ms)));
            let now_ms = puts.iter().map(|(.., now_ms)| *now_ms).max().unwrap_or_default();
            let done = self.tidy(now_ms);
            check(done, &mut self.failing.writing, self.near, "tidying");
        }
        self.measure();
    }

    fn try_put(&mut self, puts: &[Put]) -> Result<(), rusqlite::Error> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut bytes = self.bytes;
        for (key, answer, _) in puts {
            for old in table::doomed(&transaction, "key = ?", [Sql::Blob(key.0.to_vec())], 1)? {
                table::remove(&transaction, &old)?;
                bytes = bytes.saturating_sub(old.bytes);
            }
            let value = value::encode(answer);
            table::insert(&transaction, key, answer, &value)?;
            bytes += value.len() as u64;
        }
        transaction.commit()?;
        self.bytes = bytes;
        Ok(())
    }

    /// Back within the bound, the oldest first; now and then, those that expired.
    fn tidy(&mut self, now_ms: u64) -> Result<(), rusqlite::Error> {
        if now_ms.saturating_sub(self.swept_ms) >= SWEEP_MS {
            let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
            let expired = table::doomed(&self.connection, "expires_ms <= ?", [Sql::Integer(now)], SWEEP_ROWS)?;
            if expired.len() < SWEEP_ROWS {
                self.swept_ms = now_ms;
            }
            self.remove(&expired)?;
        }
        while self.bytes > self.bytes_max {
            let mut over = self.bytes - self.bytes_max;
            let mut oldest = table::doomed(&self.connection, "1", [], BATCH)?;
            let enough = oldest.iter().position(|each| {
                over = over.saturating_sub(each.bytes);
                over == 0
            });
            oldest.truncate(enough.map_or(oldest.len(), |at| at + 1));
            self.near.metrics.answers.disk_evictions.add(oldest.len() as u64);
            self.remove(&oldest)?;
            if oldest.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn purge(&mut self, what: &Purge) -> Result<u64, StoreError> {
        let done = self.try_purge(what).map_err(|cause| StoreError::sqlite("purging the response cache", cause));
        self.measure();
        done
    }

    fn try_purge(&mut self, what: &Purge) -> Result<u64, rusqlite::Error> {
        let text = |value: &Option<Arc<str>>| value.as_deref().map(|value| Sql::Text(value.to_owned()));
        let parts = [
            ("scope = ?", text(&what.scope)),
            ("gateway = ?", text(&what.gateway)),
            ("provider = ?", text(&what.provider)),
            ("model = ?", text(&what.model)),
            ("key = ?", what.key.map(|key| Sql::Blob(key.0.to_vec()))),
        ];
        let (tests, values): (Vec<_>, Vec<_>) =
            parts.into_iter().filter_map(|(test, value)| Some((test, value?))).unzip();
        let test = if tests.is_empty() { "1".to_owned() } else { tests.join(" AND ") };
        let mut purged = 0;
        loop {
            let some = table::doomed(&self.connection, &test, values.clone(), SWEEP_ROWS)?;
            if some.is_empty() {
                return Ok(purged);
            }
            self.remove(&some)?;
            purged += some.len() as u64;
        }
    }

    fn remove(&mut self, rows: &[Doomed]) -> Result<(), rusqlite::Error> {
        let transaction = self.connection.unchecked_transaction()?;
        rows.iter().try_for_each(|row| table::remove(&transaction, row))?;
        transaction.commit()?;
        self.bytes = self.bytes.saturating_sub(rows.iter().map(|row| row.bytes).sum());
        self.near.index.remove(rows.iter().map(|row| &row.key));
        Ok(())
    }

    fn measure(&self) {
        let metrics = &self.near.metrics.answers;
        metrics.disk_entries.set(self.near.index.len() as u64);
        metrics.disk_bytes.set(self.bytes);
    }
}

/// Counts a failure, and says so once until it works again.
fn check<T>(done: Result<T, rusqlite::Error>, failing: &mut bool, near: &Near, doing: &str) -> Option<T> {
    match done {
        Ok(done) => {
            if std::mem::take(failing) {
                tracing::info!("{doing} the response cache on disk works again");
            }
            Some(done)
        }
        Err(cause) => {
            near.metrics.answers.disk_failures.add(1);
            if !std::mem::replace(failing, true) {
                tracing::error!(%cause, "{doing} the response cache on disk failed: it is kept in memory until that works again");
            }
            None
        }
    }
}
