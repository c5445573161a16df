//! Opening SQLite files the one way we use them.
//!
//! Enters: a path. Leaves: a connection with its mode, its cache and its patience set.
//! Never: knows a table.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::failure::StoreError;
use crate::place;

/// How long to wait for another process (the command line, a reader) to let go.
const PATIENCE: Duration = Duration::from_secs(5);

/// For one writer. WAL: readers and the writer do not wait for each other, and a killed process leaves whole transactions.
pub(super) fn open_writable(path: &Path, cache_kib: u32) -> Result<Connection, StoreError> {
    place::private_file(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let prepare = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;")?;
        bound(&connection, cache_kib)?;
        Ok(connection)
    };
    prepare().map_err(|cause| StoreError::sqlite(format!("opening {}", path.display()), cause))
}

pub(super) fn open_readable(path: &Path, cache_kib: u32) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let prepare = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        bound(&connection, cache_kib)?;
        Ok(connection)
    };
    prepare().map_err(|cause| StoreError::sqlite(format!("opening {}", path.display()), cause))
}

fn bound(connection: &Connection, cache_kib: u32) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))
}
