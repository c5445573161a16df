//! Changes rows that are there.
//!
//! Enters: the writable connection of a day, and ids. Leaves: changed rows, or fewer, with their counts, in one transaction.
//! Never: touches bodies: what no row points to is dead weight until the day is forgotten; and never holds the file for long: whoever deletes many
//! comes again for each few hundred.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tollgate_model::Id;

use super::day::Day;
use super::{row, schema};
use crate::embedded::sqlite;
use crate::failure::StoreError;
use crate::records::Patch;
use crate::records::line;

/// Rows that one transaction deletes.
pub(super) const AT_ONCE: usize = 500;
const CACHE_KIB: u32 = 1_024;

/// A connection for changes. The writer of the day has another; SQLite lets one of them write at a time.
pub(super) fn open(dir: &Path, day: Day) -> Result<Connection, StoreError> {
    let path = day.rows(dir);
    let connection = sqlite::open_writable(&path, CACHE_KIB)?;
    schema::prepare(&connection, &path)?;
    Ok(connection)
}

pub(super) fn patch(connection: &Connection, id: Id, patch: &Patch) -> Result<bool, rusqlite::Error> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let find = "SELECT rest FROM log WHERE id = ? AND noise = ?";
    let found = transaction.query_row(find, [id.key(), id.noise()], |row| row.get::<_, Vec<u8>>(0)).optional()?;
    let Some(rest) = found else { return Ok(false) };
    if let Some(feedback) = patch.feedback {
        transaction.execute("UPDATE log SET feedback = ? WHERE id = ?", params![feedback, id.key()])?;
    }
    if let Some(score) = patch.score {
        transaction.execute("UPDATE log SET score = ? WHERE id = ?", params![score, id.key()])?;
    }
    if let Some(metadata) = &patch.metadata {
        let rest = line::with_metadata(&rest, metadata).map_err(row::unreadable)?;
        let labels = row::labels(metadata);
        transaction.execute("UPDATE log SET rest = ?, labels = ? WHERE id = ?", params![rest, labels, id.key()])?;
    }
    transaction.commit()?;
    Ok(true)
}

/// Deletes rows. Returns how many there were.
pub(super) fn remove(connection: &Connection, keys: &[i64]) -> Result<u64, rusqlite::Error> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let mut removed = 0;
    {
        let mut delete = transaction.prepare_cached("DELETE FROM log WHERE id = ? RETURNING gateway")?;
        let mut mark = transaction.prepare_cached("INSERT OR IGNORE INTO gone (id) VALUES (?)")?;
        let mut count = transaction.prepare_cached("UPDATE gateway SET rows = rows - 1 WHERE code = ?")?;
        for key in keys {
            let gateway: Option<i64> = delete.query_row([key], |row| row.get(0)).optional()?;
            let Some(gateway) = gateway else { continue };
            mark.execute([key])?;
            count.execute([gateway])?;
            removed += 1;
        }
    }
    transaction.commit()?;
    Ok(removed)
}

pub(super) fn is_empty(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM log)", [], |row| row.get(0))
}
