//! Writes one day.
//!
//! Enters: entries of that day. Leaves: their bodies in blocks, then their rows and the counts of them in one transaction.
//! Never: is used again after a failure: it is opened anew, and reads what is really there.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, Statement};

use super::bodies::BodyWriter;
use super::day::Day;
use super::row::{self, NewRow, Places, ROWS_AT_ONCE};
use super::shapes::Shapes;
use crate::embedded::sqlite;
use crate::failure::{Failure, StoreError};
use crate::place;
use crate::records::Entry;
use crate::records::line::{self, Lead, Mark, Unreadable};

const SCHEMA: &str = include_str!("schema.sql");
pub(super) const SCHEMA_VERSION: i64 = 2;
const CACHE_KIB: u32 = 2_048;

pub(super) struct DayWriter {
    pub(super) day: Day,
    connection: Connection,
    bodies: BodyWriter,
    shapes: Shapes,
    /// The highest key there was when the file was opened: a record beyond it is taken to be new. Should it not be, SQLite refuses it, and whoever
    /// opens the file again knows better.
    known_to: i64,
    pub(super) dirty: bool,
    insert_many: String,
    insert_one: String,
}

/// An entry with what was read of it.
pub(super) struct Marked<'a, 'b> {
    pub(super) entry: &'a Entry<'b>,
    pub(super) mark: Mark<'b>,
    pub(super) lead: Lead<'b>,
    pub(super) rest: &'b [u8],
}

/// New rows by gateway.
pub(super) type Tally = HashMap<String, u64>;

// === impl Marked ===

impl<'a, 'b> Marked<'a, 'b> {
    pub(super) fn of(entry: &'a Entry<'b>) -> Result<Self, Unreadable> {
        let (mark, rest) = entry.line.mark()?;
        Ok(Self { entry, mark, lead: line::lead(rest)?, rest })
    }
}

// === impl DayWriter ===

impl DayWriter {
    pub(super) fn open(dir: &Path, day: Day, level: i32) -> Result<Self, StoreError> {
        let path = day.rows(dir);
        let connection = sqlite::open_writable(&path, CACHE_KIB)?;
        let doing = |cause| StoreError::sqlite(format!("opening {}", path.display()), cause);
        match connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).map_err(doing)? {
            0 => connection.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;")).map_err(doing)?,
            SCHEMA_VERSION => {}
            other => return Err(of_another_version(&path, other)),
        }
        let last = connection.query_row("SELECT max(id) FROM log", [], |row| row.get::<_, Option<i64>>(0));
        let known_to = last.map_err(doing)?.unwrap_or(i64::MIN);
        let bodies = day.bodies(dir);
        let bodies = BodyWriter::open(&bodies, level)
            .map_err(|cause| StoreError::io(format!("opening {}", bodies.display()), cause))?;
        let (insert_many, insert_one) = (row::insert(ROWS_AT_ONCE), row::insert(1));
        let shapes = Shapes::default();
        Ok(Self { day, connection, bodies, shapes, known_to, dirty: false, insert_many, insert_one })
    }

    /// Appends entries in the order of their keys, none of them twice.
    pub(super) fn append(&mut self, entries: &[Marked<'_, '_>]) -> Result<Tally, StoreError> {
        let new = self.unknown(entries).map_err(sqlite_failed)?;
        let places = self.write_bodies(&new).map_err(|cause| StoreError::io("writing bodies of the log", cause))?;
        let tally = self.insert(&new, &places).map_err(sqlite_failed)?;
        self.dirty = true;
        Ok(tally)
    }

    /// Leaves out what is there already, so that a batch that is repeated after a crash does not write its bodies again.
    fn unknown<'a, 'b, 'c>(&self, entries: &'a [Marked<'b, 'c>]) -> Result<Vec<&'a Marked<'b, 'c>>, rusqlite::Error> {
        let mut find = self.connection.prepare_cached("SELECT 1 FROM log WHERE id = ?")?;
        let mut new = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = entry.mark.id.key();
            if key > self.known_to || !find.exists([key])? {
                new.push(entry);
            }
        }
        Ok(new)
    }

    fn write_bodies(&mut self, entries: &[&Marked<'_, '_>]) -> std::io::Result<Vec<Places>> {
        let mut places = Vec::with_capacity(entries.len());
        for Marked { entry, .. } in entries {
            places.push([self.bodies.add(entry.request)?, self.bodies.add(entry.response)?]);
        }
        self.bodies.flush()?;
        Ok(places)
    }

    fn insert(&mut self, entries: &[&Marked<'_, '_>], places: &[Places]) -> Result<Tally, rusqlite::Error> {
        let transaction = self.connection.unchecked_transaction()?;
        let (mut new, mut rows) = (Vec::with_capacity(entries.len()), Vec::new());
        for (Marked { entry, mark, lead, rest }, places) in entries.iter().zip(places) {
            let Some(codes) = self.shapes.codes(&self.connection, entry.line)? else {
                tracing::error!(id = %mark.id, "a record of the journal has no shape: it is left out of the log");
                continue;
            };
            new.push(NewRow { codes, mark, lead, rest, places: *places });
            count(&mut rows, codes.gateway);
        }
        let (many, few) = new.as_chunks::<ROWS_AT_ONCE>();
        let mut insert = self.connection.prepare_cached(&self.insert_many)?;
        many.iter().try_for_each(|rows| execute(&mut insert, rows))?;
        let mut insert = self.connection.prepare_cached(&self.insert_one)?;
        few.iter().try_for_each(|row| execute(&mut insert, std::slice::from_ref(row)))?;
        let tally = self.add(&rows)?;
        transaction.commit()?;
        Ok(tally)
    }

    fn add(&self, rows: &[(i64, u64)]) -> Result<Tally, rusqlite::Error> {
        let mut add =
            self.connection.prepare_cached("UPDATE gateway SET rows = rows + ? WHERE code = ? RETURNING name")?;
        let named = |(code, count): &(i64, u64)| {
            Ok((add.query_row([row::whole(*count), *code], |row| row.get::<_, String>(0))?, *count))
        };
        rows.iter().map(named).collect()
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
}

/// An older file is as good as damaged: there never was a release that wrote it. A newer one is left alone.
pub(super) fn of_another_version(path: &Path, version: i64) -> StoreError {
    let (kind, whose) = match version < SCHEMA_VERSION {
        true => (Failure::Damaged, "an older"),
        false => (Failure::Unavailable, "a newer"),
    };
    StoreError::new(kind, format!("opening {}: its version {version} was written by {whose} tollgate", path.display()))
}

fn execute(insert: &mut Statement<'_>, rows: &[NewRow<'_>]) -> Result<(), rusqlite::Error> {
    rows.iter().enumerate().try_for_each(|(after, row)| row.bind(insert, after))?;
    insert.raw_execute().map(drop)
}

fn count(rows: &mut Vec<(i64, u64)>, gateway: i64) {
    match rows.iter_mut().find(|(known, _)| *known == gateway) {
        Some((_, count)) => *count += 1,
        None => rows.push((gateway, 1)),
    }
}

fn sqlite_failed(cause: rusqlite::Error) -> StoreError {
    match cause.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => {
            StoreError::new(Failure::Conflict, "writing the log: a record is there already").because(cause)
        }
        _ => StoreError::sqlite("writing the log", cause),
    }
}
