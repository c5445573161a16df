//! A few open connections to days that are being read.
//!
//! Enters: a day and what to do with its connection. Leaves: the result, or `None` when there is no such day.
//! Never: keeps more than a handful open: each holds a cache and three file descriptors.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::day::Day;
use super::{edit, schema};
use crate::embedded::sqlite;
use crate::failure::StoreError;

const OPEN_MAX: usize = 4;
const CACHE_KIB: u32 = 1_024;

#[derive(Debug)]
pub(super) struct Readers {
    dir: PathBuf,
    /// The most recently used at the end.
    open: Mutex<Vec<(Day, Connection)>>,
}

// === impl Readers ===

impl Readers {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), open: Mutex::default() }
    }

    pub(super) fn with<T>(
        &self,
        day: Day,
        read: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, StoreError> {
        let Some(mut connection) = self.take(day)? else { return Ok(None) };
        let doing = |cause| StoreError::sqlite(format!("reading {}", day.rows(&self.dir).display()), cause);
        let found = read(&mut connection).map_err(doing)?;
        self.give_back(day, connection);
        Ok(Some(found))
    }

    fn take(&self, day: Day) -> Result<Option<Connection>, StoreError> {
        let mut open = self.open.lock();
        if let Some(at) = open.iter().rposition(|(known, _)| *known == day) {
            return Ok(Some(open.remove(at).1));
        }
        drop(open);
        let path = day.rows(&self.dir);
        if !path.exists() {
            return Ok(None);
        }
        let connection = sqlite::open_readable(&path, CACHE_KIB)?;
        let doing = |cause| StoreError::sqlite(format!("reading {}", path.display()), cause);
        match schema::version(&connection).map_err(doing)? {
            // Its writer is just about to make the tables.
            0 => Ok(None),
            schema::VERSION => Ok(Some(connection)),
            older if schema::is_older(older) => {
                drop(connection);
                drop(edit::open(&self.dir, day)?);
                sqlite::open_readable(&path, CACHE_KIB).map(Some)
            }
            other => Err(schema::of_another_version(&path, other)),
        }
    }

    fn give_back(&self, day: Day, connection: Connection) {
        let mut open = self.open.lock();
        if open.len() >= OPEN_MAX {
            open.remove(0);
        }
        open.push((day, connection));
    }

    /// The files of a day are gone, or about to be.
    pub(super) fn forget(&self, day: Day) {
        self.open.lock().retain(|(known, _)| *known != day);
    }
}
