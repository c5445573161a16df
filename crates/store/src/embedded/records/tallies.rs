//! How many rows each gateway has, without counting them.
//!
//! Enters: days, and what their files say. Leaves: tallies. Never: trusts one that was read before the files changed, whoever changed them: another
//! process may have deleted records.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parking_lot::Mutex;
use rusqlite::Connection;

use super::day::Day;

#[derive(Debug)]
pub(super) struct Tallies {
    dir: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<Day, (Stamp, Tally)>,
    /// How often this process wrote a day: the clock of a file system is too coarse to tell.
    writes: HashMap<Day, u64>,
}

/// By gateway.
pub(super) type Tally = HashMap<String, Rows>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) there: u64,
    pub(super) left_out: u64,
}

/// What changes when a day does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    writes: u64,
    files: [Option<(SystemTime, u64)>; 2],
}

// === impl Tallies ===

impl Tallies {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), inner: Mutex::default() }
    }

    /// To be taken before the day is read.
    pub(super) fn stamp(&self, day: Day) -> Stamp {
        let writes = self.inner.lock().writes.get(&day).copied().unwrap_or_default();
        let [rows, ahead, ..] = day.files(&self.dir);
        let seen = |path: PathBuf| fs::metadata(path).and_then(|file| Ok((file.modified()?, file.len()))).ok();
        Stamp { writes, files: [seen(rows), seen(ahead)] }
    }

    pub(super) fn find(&self, day: Day, stamp: &Stamp, gateway: &str) -> Option<Rows> {
        let inner = self.inner.lock();
        let (known, tally) = inner.known.get(&day)?;
        (known == stamp).then(|| tally.get(gateway).copied().unwrap_or_default())
    }

    pub(super) fn keep(&self, day: Day, stamp: Stamp, tally: Tally) {
        self.inner.lock().known.insert(day, (stamp, tally));
    }

    /// This process wrote to the day.
    pub(super) fn written(&self, day: Day) {
        *self.inner.lock().writes.entry(day).or_default() += 1;
    }

    pub(super) fn forget(&self, day: Day) {
        let mut inner = self.inner.lock();
        inner.known.remove(&day);
        *inner.writes.entry(day).or_default() += 1;
    }
}

pub(super) fn read(connection: &Connection) -> Result<Tally, rusqlite::Error> {
    let mut statement = connection.prepare_cached("SELECT name, rows, left_out FROM gateway")?;
    let count = |row: &rusqlite::Row<'_>, at| Ok::<_, rusqlite::Error>(row.get::<_, i64>(at)?.unsigned_abs());
    let rows = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, Rows { there: count(row, 1)?, left_out: count(row, 2)? }));
    statement.query_map([], rows)?.collect()
}
