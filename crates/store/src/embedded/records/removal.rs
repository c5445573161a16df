//! Deletes records, and gives back the room of days of which nothing is left.
//!
//! Enters: where records are, or the wish that gateways keep to their caps. Leaves: fewer records. Never: makes the ingest thread wait for more than a
//! few hundred rows, and never rewrites a day that has some left: its room comes back when the day is forgotten.

use std::{fs, io};

use rusqlite::Connection;

use super::day::Day;
use super::{DayRecords, edit, list};
use crate::failure::StoreError;
use crate::records::{Filter, Order, OrderBy, Records};

impl DayRecords {
    pub(super) fn remove_spots(&self, spots: &[(Day, i64)]) -> Result<u64, StoreError> {
        let mut removed = 0;
        for of_day in spots.chunk_by(|one, other| one.0 == other.0) {
            let day = of_day[0].0;
            let connection = edit::open(&self.dir, day)?;
            let doing = |cause| StoreError::sqlite("deleting records of the log", cause);
            for some in of_day.chunks(edit::AT_ONCE) {
                // So that the ingest thread waits for a lock and not for SQLite's patience. It comes in between.
                let _not_while_writing = self.writers.lock();
                let keys: Vec<i64> = some.iter().map(|(_, key)| *key).collect();
                removed += edit::remove(&connection, &keys).map_err(doing)?;
                self.tallies.written(day);
            }
            self.give_back(day, &connection)?;
        }
        Ok(removed)
    }

    /// A day that nothing is left of and that nobody writes to takes no room any more.
    fn give_back(&self, day: Day, connection: &Connection) -> Result<(), StoreError> {
        let writers = self.writers.lock();
        let doing = |cause| StoreError::sqlite("giving back the room of deleted records", cause);
        if writers.iter().any(|writer| writer.day == day) || !edit::is_empty(connection).map_err(doing)? {
            return Ok(());
        }
        match fs::remove_file(day.bodies(&self.dir)) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io("giving back the room of deleted bodies", cause));
            }
            _ => {}
        }
        connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").map_err(doing)
    }

    /// Removes the oldest records of gateways that have too many, at most so many of each.
    pub(super) fn trim_some(&self, at_most: u64) -> Result<u64, StoreError> {
        let mut removed = 0;
        for overfull in self.caps.overfull(|gateway| self.rows(gateway))? {
            let oldest = Order { by: OrderBy::CreatedAt, descending: false };
            let has_some = |day: &Day| self.rows_of_day(*day, &overfull.gateway).is_ok_and(|rows| rows.there > 0);
            // Days without a record of the gateway need not be opened.
            let from_ms = self.days()?.into_iter().find(has_some).map(Day::start_ms);
            let filter = Filter { from_ms, ..Filter::of_gateway(&*overfull.gateway) };
            let spots = list::spots(self, &filter, oldest, overfull.rows.min(at_most))?;
            removed += self.remove_spots(&spots)?;
        }
        Ok(removed)
    }
}
