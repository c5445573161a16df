//! Writes one day.
//!
//! Enters: entries of that day. Leaves: their bodies in blocks, then their rows and tallies in one transaction.
//! Never: is used again after a failure: it is opened anew, and reads what is really there.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use rusqlite::Connection;

use super::bodies::{BodyWriter, Place};
use super::day::Day;
use super::dictionary::Dictionary;
use super::row::{self, Codes};
use crate::embedded::sqlite;
use crate::failure::{Failure, StoreError};
use crate::place;
use crate::records::Entry;

const SCHEMA: &str = include_str!("schema.sql");
const SCHEMA_VERSION: i64 = 1;
const CACHE_KIB: u32 = 2_048;

pub(super) struct DayWriter {
    pub(super) day: Day,
    connection: Connection,
    bodies: BodyWriter,
    dictionary: Dictionary,
    /// The highest key there was when the file was opened: a record beyond it is certainly new.
    known_to: i64,
    scratch: Vec<u8>,
    pub(super) dirty: bool,
}

/// New rows by gateway.
pub(super) type Tally = HashMap<String, u64>;

// === impl DayWriter ===

impl DayWriter {
    pub(super) fn open(dir: &Path, day: Day, level: i32) -> Result<Self, StoreError> {
        let path = day.rows(dir);
        let connection = sqlite::open_writable(&path, CACHE_KIB)?;
        let doing = |cause| StoreError::sqlite(format!("opening {}", path.display()), cause);
        match connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).map_err(doing)? {
            0 => connection.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;")).map_err(doing)?,
            SCHEMA_VERSION => {}
            newer => {
                let said = format!("opening {}: its version {newer} was written by a newer tollgate", path.display());
                return Err(StoreError::new(Failure::Unavailable, said));
            }
        }
        let last = connection.query_row("SELECT max(id) FROM log", [], |row| row.get::<_, Option<i64>>(0));
        let known_to = last.map_err(doing)?.unwrap_or(i64::MIN);
        let bodies = day.bodies(dir);
        let bodies = BodyWriter::open(&bodies, level)
            .map_err(|cause| StoreError::io(format!("opening {}", bodies.display()), cause))?;
        let dictionary = Dictionary::default();
        Ok(Self { day, connection, bodies, dictionary, known_to, scratch: Vec::new(), dirty: false })
    }

    pub(super) fn append(&mut self, entries: &[&Entry<'_>]) -> Result<Tally, StoreError> {
        let new = self.unknown(entries).map_err(|cause| self.sqlite(cause))?;
        let places = self.bodies.write(&new).map_err(|cause| StoreError::io("writing bodies of the log", cause))?;
        let tally = self.insert(&new, &places).map_err(|cause| self.sqlite(cause))?;
        self.dirty = true;
        Ok(tally)
    }

    /// Leaves out what is there already, so that a batch that is repeated after a crash does not write its bodies again.
    fn unknown<'a, 'b>(&self, entries: &[&'a Entry<'b>]) -> Result<Vec<&'a Entry<'b>>, rusqlite::Error> {
        let mut find = self.connection.prepare_cached("SELECT 1 FROM log WHERE id = ?")?;
        let mut new = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = entry.record.id.key();
            if key > self.known_to || !find.exists([key])? {
                new.push(*entry);
            }
        }
        Ok(new)
    }

    fn insert(&mut self, entries: &[&Entry<'_>], places: &[Option<Place>]) -> Result<Tally, rusqlite::Error> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut tally = Tally::new();
        let mut statement = self.connection.prepare_cached(row::INSERT)?;
        for (entry, place) in entries.iter().zip(places) {
            let record = &entry.record;
            let codes = Codes::of(record, |word| self.dictionary.code(&self.connection, word))?;
            if row::insert(&mut statement, record, &codes, *place, &mut self.scratch)? {
                count(&mut tally, &record.gateway);
            }
        }
        let mut add = self.connection.prepare_cached(
            "INSERT INTO tally (gateway, rows) VALUES (?1, ?2) ON CONFLICT (gateway) DO UPDATE SET rows = rows + ?2",
        )?;
        for (gateway, rows) in &tally {
            add.execute([self.dictionary.code(&self.connection, gateway)?, row::whole(*rows)])?;
        }
        transaction.commit()?;
        Ok(tally)
    }

    /// Makes what was written durable. The rows are in the write-ahead log, or in the main file when SQLite moved them.
    pub(super) fn sync(&mut self, dir: &Path) -> Result<(), StoreError> {
        let doing = |cause| StoreError::io("syncing the log", cause);
        self.bodies.sync().map_err(doing)?;
        let [rows, ahead, ..] = self.day.files(dir);
        for path in [ahead, rows] {
            File::open(path).and_then(|file| file.sync_data()).map_err(doing)?;
        }
        place::sync_dir(dir).map_err(doing)?;
        self.dirty = false;
        Ok(())
    }

    fn sqlite(&self, cause: rusqlite::Error) -> StoreError {
        StoreError::sqlite("writing the log", cause)
    }
}

fn count(tally: &mut Tally, gateway: &str) {
    match tally.get_mut(gateway) {
        Some(rows) => *rows += 1,
        None => drop(tally.insert(gateway.to_owned(), 1)),
    }
}
