//! The tables of a day.
//!
//! Enters: a connection that may write. Leaves: the tables of this version, made or brought up to date. Never: touches a file of a newer one.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::failure::{Failure, StoreError};

const SCHEMA: &str = include_str!("schema.sql");
pub(super) const VERSION: i64 = 3;
/// The oldest that a release wrote.
const OLDEST: i64 = 2;
/// What leads from a version to the next, the oldest first.
const STEPS: [&str; (VERSION - OLDEST) as usize] = [include_str!("schema_2_to_3.sql")];

pub(super) fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Makes the tables, or changes those of an older version.
pub(super) fn prepare(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let doing = |cause| StoreError::sqlite(format!("opening {}", path.display()), cause);
    if version(connection).map_err(doing)? == VERSION {
        return Ok(());
    }
    // Another process may be at it: who comes second finds it done.
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(doing)?;
    match version(&transaction).map_err(doing)? {
        VERSION => {}
        0 => transaction.execute_batch(SCHEMA).map_err(doing)?,
        from @ OLDEST..VERSION => {
            let done = (from - OLDEST) as usize;
            STEPS[done..].iter().try_for_each(|step| transaction.execute_batch(step)).map_err(doing)?;
        }
        other => return Err(of_another_version(path, other)),
    }
    transaction.commit().map_err(doing)
}

/// Whether [`prepare`] makes a file of this version readable.
pub(super) fn is_older(version: i64) -> bool {
    (OLDEST..VERSION).contains(&version)
}

/// A file older than the first release is as good as damaged. A newer one is left alone.
pub(super) fn of_another_version(path: &Path, version: i64) -> StoreError {
    let (kind, whose) = match version < OLDEST {
        true => (Failure::Damaged, "an older"),
        false => (Failure::Unavailable, "a newer"),
    };
    StoreError::new(kind, format!("opening {}: its version {version} was written by {whose} tollgate", path.display()))
}
