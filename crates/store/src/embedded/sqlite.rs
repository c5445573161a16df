//! Opening SQLite files the one way we use them.
//!
//! Enters: a path. Leaves: a connection with its mode, its cache and its patience set.
//! Never: knows a table.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::failure::{Failure, StoreError};
use crate::place;

/// How long to wait for another process (the command line, a reader) to let go.
const PATIENCE: Duration = Duration::from_secs(5);
/// Another process may be migrating the same new file: it is done within moments.
const MIGRATION_TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

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

/// The same for what is precious: made with its folder, brought up to date, and on the disk before a change is confirmed. What is overwritten or
/// deleted is gone from its pages.
pub(super) fn open_durable(
    path: &Path,
    cache_kib: u32,
    migrations: impl Fn() -> refinery::Runner,
) -> Result<Connection, StoreError> {
    if let Some(dir) = path.parent() {
        place::private_dir(dir)?;
    }
    let mut connection = open_writable(path, cache_kib)?;
    migrate(&mut connection, path, migrations)?;
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        .map_err(|cause| StoreError::sqlite(format!("opening {}", path.display()), cause))?;
    Ok(connection)
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

/// Brings the tables of a file up to date.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    runner: impl Fn() -> refinery::Runner,
) -> Result<(), StoreError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match runner().run(connection) {
            Ok(_) => return Ok(()),
            Err(_) if tries < MIGRATION_TRIES => std::thread::sleep(BETWEEN_TRIES),
            Err(cause) => {
                let said = format!("bringing {} up to date", path.display());
                return Err(StoreError::new(Failure::Unavailable, said).because(cause));
            }
        }
    }
}

fn bound(connection: &Connection, cache_kib: u32) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))
}

/// One state of the whole file, also while another process writes to it, as a file of its own. `false` when it is gone.
pub(crate) fn copy_database(source: &Path, target: &Path) -> Result<bool, StoreError> {
    if !source.exists() {
        return Ok(false);
    }
    place::private_file(target)?;
    let connection = open_readable(source, 1 << 10)?;
    // A path that is no UTF-8 cannot be given to SQLite as text.
    let name = target.to_str().ok_or_else(|| {
        StoreError::new(Failure::Unavailable, format!("{} is no UTF-8; choose another place", target.display()))
    })?;
    let doing = |cause| StoreError::sqlite(format!("copying {}", source.display()), cause);
    connection.execute("VACUUM INTO ?", [name]).map_err(doing)?;
    let synced = std::fs::File::open(target).and_then(|file| file.sync_all());
    synced.map_err(|cause| StoreError::io(format!("writing {}", target.display()), cause))?;
    Ok(true)
}

/// Looks at every page.
pub(crate) fn check_database(path: &Path) -> Result<(), StoreError> {
    let connection = open_readable(path, 1 << 10)?;
    let doing = |cause| StoreError::sqlite(format!("checking {}", path.display()), cause);
    let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(doing)?;
    match said.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::new(Failure::Damaged, format!("{} is damaged: {said}", path.display()))),
    }
}
