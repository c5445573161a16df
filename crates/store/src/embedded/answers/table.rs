//! The tables of the cache's file.
//!
//! Enters: keys, answers as bytes. Leaves: rows. Never: repairs anything: a file that cannot be used is begun anew.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use crate::answers::{AnswerKey, CachedAnswer};
use crate::embedded::sqlite;
use crate::failure::{Failure, StoreError};

const SCHEMA: &str = "
    -- Apart from the values, so that looking through all entries does not read them.
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, scope TEXT NOT NULL, gateway TEXT NOT NULL,
        provider TEXT NOT NULL, model TEXT NOT NULL, expires_ms INTEGER NOT NULL, bytes INTEGER NOT NULL
    );
    CREATE TABLE value (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
    PRAGMA user_version = 2;";
const SCHEMA_VERSION: i64 = 2;
const CACHE_KIB: u32 = 2_048;

/// A row that is to go.
pub(super) struct Doomed {
    pub(super) id: i64,
    pub(super) key: AnswerKey,
    pub(super) bytes: u64,
}

/// A cache that is damaged, or of another version, is begun anew: nothing in it is worth a repair.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    match try_open(path) {
        Err(cause) if cause.kind() == Failure::Damaged => {
            tracing::warn!(%cause, "the response cache on disk cannot be used: a new one is begun");
            for suffix in ["", "-wal", "-shm"] {
                let mut beside = path.as_os_str().to_owned();
                beside.push(suffix);
                match fs::remove_file(&beside) {
                    Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                        return Err(StoreError::io("removing the damaged cache", cause));
                    }
                    _ => {}
                }
            }
            try_open(path)
        }
        opened => opened,
    }
}

fn try_open(path: &Path) -> Result<Connection, StoreError> {
    let connection = sqlite::open_writable(path, CACHE_KIB)?;
    let doing = |cause| StoreError::sqlite(format!("opening {}", path.display()), cause);
    match connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).map_err(doing)? {
        0 => connection.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;")).map_err(doing)?,
        SCHEMA_VERSION => {}
        other => {
            let said = format!("opening {}: it is of version {other}", path.display());
            return Err(StoreError::new(Failure::Damaged, said));
        }
    }
    Ok(connection)
}

pub(super) fn read(connection: &Connection, key: &AnswerKey) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    let sql = "SELECT value FROM value WHERE id = (SELECT id FROM entry WHERE key = ?)";
    connection.prepare_cached(sql)?.query_row([&key.0], |row| row.get(0)).optional()
}

pub(super) fn insert(
    connection: &Connection,
    key: &AnswerKey,
    answer: &CachedAnswer,
    value: &[u8],
) -> Result<(), rusqlite::Error> {
    let expires_ms = i64::try_from(answer.expires_ms).unwrap_or(i64::MAX);
    let sql =
        "INSERT INTO entry (key, scope, gateway, provider, model, expires_ms, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let id = connection.prepare_cached(sql)?.insert(params![
        key.0,
        answer.scope,
        answer.gateway,
        answer.provider,
        answer.model,
        expires_ms,
        value.len() as i64
    ])?;
    connection.prepare_cached("INSERT INTO value (id, value) VALUES (?, ?)")?.execute(params![id, value])?;
    Ok(())
}

/// The oldest entries that pass a test.
pub(super) fn doomed(
    connection: &Connection,
    test: &str,
    values: impl IntoIterator<Item = Sql>,
    at_most: usize,
) -> Result<Vec<Doomed>, rusqlite::Error> {
    let sql = format!("SELECT id, key, bytes FROM entry WHERE {test} ORDER BY id LIMIT {at_most}");
    let mut statement = connection.prepare_cached(&sql)?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Doomed { id: row.get(0)?, key: AnswerKey(row.get(1)?), bytes: row.get::<_, i64>(2)?.unsigned_abs() })
    };
    statement.query_map(params_from_iter(values), row)?.collect()
}

pub(super) fn remove(connection: &Connection, row: &Doomed) -> Result<(), rusqlite::Error> {
    connection.prepare_cached("DELETE FROM entry WHERE id = ?")?.execute([row.id])?;
    connection.prepare_cached("DELETE FROM value WHERE id = ?")?.execute([row.id])?;
    Ok(())
}
