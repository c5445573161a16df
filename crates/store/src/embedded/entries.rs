//! Entries in one SQLite file of their own: they grow, and the settings beside them shall stay small.
//!
//! Enters: drafts. Leaves: entries by id or by time. Never: holds more than a page of them in memory.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::sqlite;
use crate::entries::{Draft, Entries, Entry, PAGE_MAX, Span};
use crate::failure::{Failure, StoreError};

mod migrations {
    refinery::embed_migrations!("migrations/entries");
}

const CACHE_KIB: u32 = 2_048;
const COLUMNS: &str = "seq, kind, parent, id, at_ms, version, body";

/// The embedded store of entries.
#[derive(Debug)]
pub struct FileEntries {
    path: PathBuf,
    connection: Mutex<Connection>,
}

// === impl FileEntries ===

impl FileEntries {
    /// Opens or makes the file, and brings its tables up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // Money and the audit stand here.
        let connection = sqlite::open_durable(path, CACHE_KIB, migrations::migrations::runner)?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        read(&self.connection.lock()).map_err(|cause| self.failed(cause))
    }

    fn write<T>(&self, write: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        let mut connection = self.connection.lock();
        let written = connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
            let written = write(&transaction)?;
            transaction.commit()?;
            Ok(written)
        });
        written.map_err(|cause| self.failed(cause))
    }

    fn failed(&self, cause: rusqlite::Error) -> StoreError {
        if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
            return StoreError::new(Failure::Conflict, "an entry with this id is there already").because(cause);
        }
        StoreError::sqlite(format!("using the entries in {}", self.path.display()), cause)
    }
}

impl Entries for FileEntries {
    fn append(&self, drafts: &[Draft<'_>]) -> Result<(), StoreError> {
        let sql = "INSERT INTO entry (kind, parent, id, at_ms, version, body) VALUES (?, ?, ?, ?, 1, ?)";
        self.write(|connection| {
            let mut insert = connection.prepare_cached(sql)?;
            for draft in drafts {
                insert.execute(params![draft.kind, draft.parent, draft.id, signed(draft.at_ms), draft.body])?;
            }
            Ok(())
        })
    }

    fn get(&self, kind: &str, parent: &str, id: &str) -> Result<Option<Entry>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM entry WHERE kind = ? AND parent = ? AND id = ?");
        self.read(|connection| connection.prepare_cached(&sql)?.query_row([kind, parent, id], entry).optional())
    }

    fn list(&self, kind: &str, parent: &str, span: Span) -> Result<Vec<Entry>, StoreError> {
        let (order, compare) = if span.oldest_first { ("ASC", ">") } else { ("DESC", "<") };
        // Without a place to begin behind, the comparison is with one before all of them.
        let edge = if span.oldest_first { (-1, -1) } else { (i64::MAX, i64::MAX) };
        let (at_ms, seq) = span.behind.map_or(edge, |place| (signed(place.at_ms), signed(place.seq)));
        let sql = format!(
            "SELECT {COLUMNS} FROM entry WHERE kind = ? AND parent = ? AND at_ms >= ? AND at_ms < ? \
             AND (at_ms, seq) {compare} (?, ?) ORDER BY at_ms {order}, seq {order} LIMIT ? OFFSET ?"
        );
        let limit = span.limit.min(PAGE_MAX) as i64;
        let (from, to, skip) = (signed(span.from_ms), signed(span.to_ms), signed(span.skip));
        self.read(|connection| {
            let values = params![kind, parent, from, to, at_ms, seq, limit, skip];
            connection.prepare_cached(&sql)?.query_map(values, entry)?.collect()
        })
    }

    fn count(&self, kind: &str, parent: &str, from_ms: u64, to_ms: u64) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM entry WHERE kind = ? AND parent = ? AND at_ms >= ? AND at_ms < ?";
        let values = params![kind, parent, signed(from_ms), signed(to_ms)];
        self.read(|connection| {
            Ok(connection.prepare_cached(sql)?.query_row(values, |row| row.get::<_, i64>(0))?.unsigned_abs())
        })
    }

    fn replace(&self, kind: &str, parent: &str, id: &str, expected: u64, body: &str) -> Result<u64, StoreError> {
        let sql = "UPDATE entry SET body = ?, version = version + 1 \
                   WHERE kind = ? AND parent = ? AND id = ? AND version = ? RETURNING version";
        let values = params![body, kind, parent, id, signed(expected)];
        let version = self.write(|connection| {
            connection.prepare_cached(sql)?.query_row(values, |row| row.get::<_, i64>(0)).optional()
        })?;
        let conflict = || StoreError::new(Failure::Conflict, format!("the entry is not at version {expected}"));
        version.map(i64::unsigned_abs).ok_or_else(conflict)
    }

    fn delete(&self, kind: &str, parent: &str, id: Option<&str>) -> Result<u64, StoreError> {
        let sql = "DELETE FROM entry WHERE kind = ?1 AND parent = ?2 AND (?3 IS NULL OR id = ?3)";
        self.write(|connection| Ok(connection.prepare_cached(sql)?.execute(params![kind, parent, id])? as u64))
    }

    fn delete_older_than(&self, kind: &str, before_ms: u64, limit: usize) -> Result<u64, StoreError> {
        let sql = "DELETE FROM entry WHERE seq IN (SELECT seq FROM entry WHERE kind = ? AND at_ms < ? ORDER BY at_ms, seq LIMIT ?)";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.write(|connection| {
            Ok(connection.prepare_cached(sql)?.execute(params![kind, signed(before_ms), limit])? as u64)
        })
    }
}

/// SQLite counts in 63 bits; what is beyond them is beyond any clock.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn entry(row: &Row<'_>) -> Result<Entry, rusqlite::Error> {
    Ok(Entry {
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        kind: row.get(1)?,
        parent: row.get(2)?,
        id: row.get(3)?,
        at_ms: row.get::<_, i64>(4)?.unsigned_abs(),
        version: row.get::<_, i64>(5)?.unsigned_abs(),
        body: row.get(6)?,
    })
}
