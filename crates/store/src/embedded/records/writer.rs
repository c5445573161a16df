//! Writes one day.
//!
//! Enters: entries of that day. Leaves: their bodies in blocks, then their rows and the counts of them in one transaction.
//! Never: is used again after a failure: it is opened anew, and reads what is really there.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Statement, Transaction, TransactionBehavior};

use super::bodies::BodyWriter;
use super::day::Day;
use super::row::{self, NewRow, Places, ROWS_AT_ONCE};
use super::schema;
use super::shapes::{Codes, Shapes};
use crate::embedded::sqlite;
use crate::failure::{Failure, StoreError};
use crate::place;
use crate::records::Entry;
use crate::records::line::{self, Lead, Mark, Unreadable};

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

/// How many of the records that a gateway is about to get may be inserted.
pub(super) type Admit<'a> = &'a dyn Fn(&str, u64) -> Result<u64, StoreError>;

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
        schema::prepare(&connection, &path)?;
        let last = "SELECT max(id) FROM (SELECT max(id) AS id FROM log UNION ALL SELECT max(id) FROM gone)";
        let last = connection.query_row(last, [], |row| row.get::<_, Option<i64>>(0));
        let known_to = last.map_err(doing)?.unwrap_or(i64::MIN);
        let bodies = day.bodies(dir);
        let bodies = BodyWriter::open(&bodies, level)
            .map_err(|cause| StoreError::io(format!("opening {}", bodies.display()), cause))?;
        let (insert_many, insert_one) = (row::insert(ROWS_AT_ONCE), row::insert(1));
        let shapes = Shapes::default();
        Ok(Self { day, connection, bodies, shapes, known_to, dirty: false, insert_many, insert_one })
    }

    /// Appends entries in the order of their keys, none of them twice, as many as are admitted. Returns how many were not.
    pub(super) fn append(&mut self, entries: &[Marked<'_, '_>], admit: Admit<'_>) -> Result<u64, StoreError> {
        let new = self.unknown(entries).map_err(sqlite_failed)?;
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate);
        let transaction = transaction.map_err(sqlite_failed)?;
        let (new, left_out) = admitted(&self.shapes, &transaction, new, admit)?;
        let codes = new.iter().map(|entry| self.shapes.codes(&transaction, entry.entry.line));
        let codes: Vec<Codes> = codes.collect::<Result<Option<_>, _>>().map_err(sqlite_failed)?.ok_or_else(unshaped)?;
        let places = write_bodies(&mut self.bodies, &new);
        let places = places.map_err(|cause| StoreError::io("writing bodies of the log", cause))?;
        let rows = new.iter().zip(codes).zip(places).map(|((Marked { mark, lead, rest, .. }, codes), places)| NewRow {
            codes,
            mark,
            lead,
            rest,
            places,
        });
        let rows: Vec<NewRow<'_>> = rows.collect();
        insert(&transaction, &rows, &self.insert_many, &self.insert_one).map_err(sqlite_failed)?;
        transaction.commit().map_err(sqlite_failed)?;
        self.dirty = true;
        Ok(left_out)
    }

    /// Leaves out what is there already, so that a batch that is repeated after a crash does not write its bodies again, nor brings back what was
    /// deleted.
    fn unknown<'a, 'b, 'c>(&self, entries: &'a [Marked<'b, 'c>]) -> Result<Vec<&'a Marked<'b, 'c>>, rusqlite::Error> {
        let known = "SELECT 1 FROM log WHERE id = ?1 UNION ALL SELECT 1 FROM gone WHERE id = ?1";
        let mut find = self.connection.prepare_cached(known)?;
        let mut new = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = entry.mark.id.key();
            if key > self.known_to || !find.exists([key])? {
                new.push(entry);
            }
        }
        Ok(new)
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

type New<'a, 'b, 'c> = Vec<&'a Marked<'b, 'c>>;

/// The entries that may be inserted, and how many may not. Those are counted where their rows would have been.
fn admitted<'a, 'b, 'c>(
    shapes: &Shapes,
    transaction: &Transaction<'_>,
    entries: New<'a, 'b, 'c>,
    admit: Admit<'_>,
) -> Result<(New<'a, 'b, 'c>, u64), StoreError> {
    let mut gateways = Vec::with_capacity(entries.len());
    for Marked { entry, mark, .. } in &entries {
        let gateway = shapes.gateway(transaction, entry.line).map_err(sqlite_failed)?;
        if gateway.is_none() {
            tracing::error!(id = %mark.id, "a record of the journal has no shape: it is left out of the log");
        }
        gateways.push(gateway);
    }
    let mut wanted = Vec::new();
    gateways.iter().flatten().for_each(|gateway| count(&mut wanted, *gateway));
    let (mut room, mut left_out) = (Vec::with_capacity(wanted.len()), 0);
    for (gateway, wanted) in wanted {
        let allowed = admit(&name(transaction, gateway)?, wanted)?.min(wanted);
        left_out += wanted - allowed;
        note(transaction, gateway, allowed, wanted - allowed).map_err(sqlite_failed)?;
        room.push((gateway, allowed));
    }
    let mut fits = |gateway: i64| {
        let room = room.iter_mut().find(|(known, room)| *known == gateway && *room > 0);
        room.map(|(_, room)| *room -= 1).is_some()
    };
    let admitted = entries.into_iter().zip(gateways).filter(|(_, gateway)| gateway.is_some_and(&mut fits));
    Ok((admitted.map(|(entry, _)| entry).collect(), left_out))
}

fn name(connection: &Connection, gateway: i64) -> Result<String, StoreError> {
    let find = || {
        connection
            .prepare_cached("SELECT name FROM gateway WHERE code = ?")?
            .query_row([gateway], |row| row.get(0))
            .optional()
    };
    Ok(find().map_err(sqlite_failed)?.unwrap_or_default())
}

fn note(connection: &Connection, gateway: i64, rows: u64, left_out: u64) -> Result<(), rusqlite::Error> {
    let add = "UPDATE gateway SET rows = rows + ?, left_out = left_out + ? WHERE code = ?";
    connection.prepare_cached(add)?.execute([row::whole(rows), row::whole(left_out), gateway]).map(drop)
}

fn write_bodies(bodies: &mut BodyWriter, entries: &[&Marked<'_, '_>]) -> std::io::Result<Vec<Places>> {
    let mut places = Vec::with_capacity(entries.len());
    for Marked { entry, .. } in entries {
        places.push([bodies.add(entry.request)?, bodies.add(entry.response)?]);
    }
    bodies.flush()?;
    Ok(places)
}

fn insert(connection: &Connection, rows: &[NewRow<'_>], many: &str, one: &str) -> Result<(), rusqlite::Error> {
    let (sixteens, few) = rows.as_chunks::<ROWS_AT_ONCE>();
    let mut insert = connection.prepare_cached(many)?;
    sixteens.iter().try_for_each(|rows| execute(&mut insert, rows))?;
    let mut insert = connection.prepare_cached(one)?;
    few.iter().try_for_each(|row| execute(&mut insert, std::slice::from_ref(row)))
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

/// Those without were left out before.
fn unshaped() -> StoreError {
    StoreError::new(Failure::Damaged, "writing the log: a record has no shape")
}

fn sqlite_failed(cause: rusqlite::Error) -> StoreError {
    match cause.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => {
            StoreError::new(Failure::Conflict, "writing the log: a record is there already").because(cause)
        }
        _ => StoreError::sqlite("writing the log", cause),
    }
}
