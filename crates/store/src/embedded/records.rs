//! The log in SQLite, one file per day.
//!
//! Enters: batches, from the ingest thread. Leaves: pages, records, bodies, to any thread that may wait.
//! Never: deletes rows one by one to forget what is old: a day is forgotten by removing its files.
//!
//! `<dir>/YYYY-MM-DD.db` holds the rows of the day on which they were created, `.bodies` beside it the bodies. One writer appends; readers have
//! connections of their own. A file that turns out to be damaged when it is to be written is moved aside, with a message, and a new one begun.

mod bodies;
mod caps;
mod day;
mod edit;
mod list;
mod newest;
mod query;
mod ranges;
mod readers;
mod removal;
mod row;
mod schema;
mod shapes;
mod sums;
mod tallies;
mod writer;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension};
use tollgate_model::{Id, Record};

use self::bodies::Place;
use self::caps::Caps;
use self::day::Day;
use self::newest::{Newest, Since};
use self::readers::Readers;
use self::tallies::{Rows, Tallies};
use self::writer::{DayWriter, Marked};
use crate::failure::{Failure, StoreError};
use crate::metrics::Metrics;
use crate::place;
use crate::records::edit::REMOVED_MAX;
use crate::records::{
    Body, Cap, Entry, Facet, Facets, Filter, Histogram, Listed, Order, Page, Patch, Records, Stretches, Tail, Walk,
    Walked, Which,
};

/// Around midnight two days are written to.
const WRITERS_MAX: usize = 2;

#[derive(Clone, Debug)]
pub struct DayRecordsOptions {
    /// How many of its own steps SQLite may take for one list. About a hundred million are a second.
    pub list_steps_max: i64,
    /// zstd's level for bodies. Of recorded exchanges, level 1 made a sixth at 0.85 microseconds a KB; levels below it and lz4 made a quarter to a fifth
    /// at 0.53 to 0.7. Words in random order cost 2.3, and 1.4 there.
    pub compression_level: i32,
}

impl Default for DayRecordsOptions {
    fn default() -> Self {
        Self { list_steps_max: 100_000_000, compression_level: 1 }
    }
}

/// The embedded log store.
pub struct DayRecords {
    dir: PathBuf,
    options: DayRecordsOptions,
    metrics: Arc<Metrics>,
    /// The most recently used at the end.
    writers: Mutex<Vec<DayWriter>>,
    readers: Readers,
    tallies: Tallies,
    caps: Caps,
    newest: Newest,
}

// === impl DayRecords ===

impl DayRecords {
    /// Touches no file but the directory: the days are opened when they are needed.
    pub fn open(dir: &Path, options: DayRecordsOptions, metrics: Arc<Metrics>) -> Result<Self, StoreError> {
        place::private_dir(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            options,
            metrics,
            writers: Mutex::default(),
            readers: Readers::new(dir),
            tallies: Tallies::new(dir),
            caps: Caps::default(),
            newest: Newest::default(),
        })
    }

    fn days(&self) -> Result<Vec<Day>, StoreError> {
        day::days(&self.dir).map_err(|cause| StoreError::io(format!("reading {}", self.dir.display()), cause))
    }

    fn append_day(&self, day: Day, entries: &[Marked<'_, '_>]) -> Result<(), StoreError> {
        match self.try_append(day, entries) {
            // What was taken to be new is not: a writer that opens the file now knows.
            Err(cause) if cause.kind() == Failure::Conflict => self.try_append(day, entries),
            Err(cause) if cause.kind() == Failure::Damaged => {
                self.move_aside(day, &cause)?;
                self.try_append(day, entries)
            }
            done => done,
        }
    }

    fn try_append(&self, day: Day, entries: &[Marked<'_, '_>]) -> Result<(), StoreError> {
        let mut writers = self.writers.lock();
        // Taken out, and put back only when all went well: a writer that failed is not used again.
        let mut writer = match writers.iter().position(|writer| writer.day == day) {
            Some(at) => writers.remove(at),
            None => DayWriter::open(&self.dir, day, self.options.compression_level)?,
        };
        let admit = |gateway: &str, wanted| self.caps.admit(gateway, wanted, || self.rows(gateway));
        let left_out = writer.append(entries, &admit)?;
        self.metrics.ingest.left_out.add(left_out);
        self.tallies.written(day);
        if writers.len() >= WRITERS_MAX {
            writers.remove(0).sync(&self.dir)?;
        }
        writers.push(writer);
        Ok(())
    }

    fn move_aside(&self, day: Day, cause: &StoreError) -> Result<(), StoreError> {
        self.readers.forget(day);
        self.tallies.forget(day);
        self.metrics.ingest.files_moved_aside.add(1);
        let suffix = free_suffix(&day.files(&self.dir));
        for path in day.files(&self.dir).iter().filter(|path| path.exists()) {
            let aside = with_suffix(path, &suffix);
            fs::rename(path, &aside)
                .map_err(|cause| StoreError::io(format!("moving {} aside", path.display()), cause))?;
            tracing::error!(%cause, file = %aside.display(), "a damaged file of the log was moved aside; a new one takes its place");
        }
        Ok(())
    }

    fn rows_of_day(&self, day: Day, gateway: &str) -> Result<Rows, StoreError> {
        let stamp = self.tallies.stamp(day);
        if let Some(known) = self.tallies.find(day, &stamp, gateway) {
            return Ok(known);
        }
        let tally = self.readers.with(day, |connection| tallies::read(connection));
        let tally = match tally {
            // It is not in any list either.
            Err(cause) if cause.kind() == Failure::Damaged => return Ok(Rows::default()),
            tally => tally?.unwrap_or_default(),
        };
        let rows = tally.get(gateway).copied().unwrap_or_default();
        self.tallies.keep(day, stamp, tally);
        Ok(rows)
    }

    fn sum(&self, gateway: &str, of: impl Fn(Rows) -> u64) -> Result<u64, StoreError> {
        self.days()?.into_iter().map(|day| self.rows_of_day(day, gateway).map(&of)).sum()
    }

    /// What `find` finds on the day of the record. That is the day it ended on; its id tells when it began. A clock that was set back can make it
    /// the day before.
    fn find<T>(
        &self,
        id: Id,
        find: impl Fn(&Connection) -> Result<Option<T>, rusqlite::Error>,
    ) -> Result<Option<(Day, T)>, StoreError> {
        let began = Day::of(id.unix_ms());
        for day in [began, began.next(), began.before()] {
            if let Some(found) = self.readers.with(day, |connection| find(connection))?.flatten() {
                return Ok(Some((day, found)));
            }
        }
        Ok(None)
    }
}

impl Records for DayRecords {
    fn append(&self, batch: &[Entry<'_>]) -> Result<(), StoreError> {
        let mut days: BTreeMap<Day, Vec<Marked<'_, '_>>> = BTreeMap::new();
        let mut spots = Vec::with_capacity(batch.len());
        for entry in batch {
            let Ok(marked) = Marked::of(entry) else {
                tracing::error!("a record of the journal cannot be read: it is left out of the log");
                continue;
            };
            let day = Day::of(marked.mark.created_ms);
            spots.push((day, marked.mark.id.key()));
            days.entry(day).or_default().push(marked);
        }
        for (day, mut entries) in days {
            entries.sort_unstable_by_key(|entry| entry.mark.id.key());
            entries.dedup_by_key(|entry| entry.mark.id.key());
            self.append_day(day, &entries)?;
        }
        self.newest.push(&spots);
        // More than came, so that it ends; not much more, so that others need not wait for long.
        if let Err(cause) = self.trim_some(2 * batch.len() as u64 + edit::AT_ONCE as u64) {
            tracing::error!(%cause, "the oldest records of a gateway cannot be deleted: it has more than it should");
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let mut writers = self.writers.lock();
        writers.iter_mut().filter(|writer| writer.dirty).try_for_each(|writer| writer.sync(&self.dir))
    }

    fn list(&self, filter: &Filter, page: &Page) -> Result<Listed, StoreError> {
        list::list(self, filter, page)
    }

    fn walk(&self, filter: &Filter, from: Walk, size: u32) -> Result<Walked, StoreError> {
        list::walk(self, filter, from, size)
    }

    fn facets(&self, filter: &Filter, wanted: &[Facet], limit: usize) -> Result<Facets, StoreError> {
        sums::facets(self, filter, wanted, limit)
    }

    fn histogram(&self, filter: &Filter, stretches: Stretches) -> Result<Histogram, StoreError> {
        sums::histogram(self, filter, stretches)
    }

    fn get(&self, id: Id) -> Result<Option<Record>, StoreError> {
        let find = |connection: &Connection| Ok(list::records(connection, &[id.key()])?.pop());
        Ok(self.find(id, find)?.map(|(_, record)| record).filter(|record| record.id == id))
    }

    fn body(&self, id: Id, which: Which) -> Result<Option<Body>, StoreError> {
        let Some((day, (content_type, place))) = self.find(id, |connection| body_place(connection, id, which))? else {
            return Ok(None);
        };
        let path = day.bodies(&self.dir);
        match bodies::read(&path, place) {
            Ok(bytes) => Ok(Some(Body { content_type, bytes })),
            // Someone needed the room: the record is kept without its bodies.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(StoreError::io(format!("reading a body from {}", path.display()), cause)),
        }
    }

    fn tail(&self, after: u64, limit: usize) -> Result<Tail, StoreError> {
        let Since { spots, next, missed } = self.newest.since(after, limit);
        let mut records = Vec::with_capacity(spots.len());
        for spots in spots.chunk_by(|one, other| one.0 == other.0) {
            let (day, keys) = (spots[0].0, spots.iter().map(|(_, key)| *key).collect::<Vec<_>>());
            records.extend(self.readers.with(day, |connection| list::records(connection, &keys))?.unwrap_or_default());
        }
        Ok(Tail { records, next, missed })
    }

    fn rows(&self, gateway: &str) -> Result<u64, StoreError> {
        self.sum(gateway, |rows| rows.there)
    }

    fn left_out(&self, gateway: &str) -> Result<u64, StoreError> {
        self.sum(gateway, |rows| rows.left_out)
    }

    fn patch(&self, id: Id, patch: &Patch) -> Result<bool, StoreError> {
        let is_there = |connection: &Connection| row::is_there(connection, id).map(|there| there.then_some(()));
        let Some((day, ())) = self.find(id, is_there)? else { return Ok(false) };
        let connection = edit::open(&self.dir, day)?;
        let _not_while_writing = self.writers.lock();
        edit::patch(&connection, id, patch).map_err(|cause| StoreError::sqlite("changing a record of the log", cause))
    }

    fn remove(&self, filter: &Filter, order: Order, limit: u64) -> Result<u64, StoreError> {
        self.remove_spots(&list::spots(self, filter, order, limit.min(REMOVED_MAX))?)
    }

    fn cap(&self, caps: HashMap<String, Cap>) {
        self.caps.set(caps);
    }

    fn trim(&self) -> Result<u64, StoreError> {
        self.trim_some(REMOVED_MAX)
    }

    fn forget_before(&self, unix_ms: u64) -> Result<usize, StoreError> {
        let mut writers = self.writers.lock();
        let mut forgotten = 0;
        for day in self.days()?.into_iter().filter(|day| day.end_ms() <= unix_ms) {
            writers.retain(|writer| writer.day != day);
            self.readers.forget(day);
            self.tallies.forget(day);
            // The rows last: it is by them that a day that is half forgotten is found again.
            for path in day.files(&self.dir).iter().rev().filter(|path| path.exists()) {
                fs::remove_file(path).map_err(|cause| StoreError::io(format!("removing {}", path.display()), cause))?;
            }
            forgotten += 1;
        }
        Ok(forgotten)
    }
}

fn body_place(
    connection: &Connection,
    id: Id,
    which: Which,
) -> Result<Option<(Option<String>, Place)>, rusqlite::Error> {
    let body = match which {
        Which::Request => "request",
        Which::Response => "response",
    };
    let sql = format!(
        "SELECT (SELECT {body}_content_type FROM shape WHERE code = log.shape), {body}_at, {body}_len FROM log \
         WHERE id = ? AND noise = ? AND {body}_at IS NOT NULL"
    );
    let place = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, Place::of_columns(row.get(1)?, row.get(2)?)));
    connection.prepare_cached(&sql)?.query_row([id.key(), id.noise()], place).optional()
}

fn free_suffix(files: &[PathBuf]) -> String {
    let taken = |suffix: &str| files.iter().any(|path| with_suffix(path, suffix).exists());
    (1_u32..).map(|number| format!("damaged-{number}")).find(|suffix| !taken(suffix)).unwrap_or_default()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}
