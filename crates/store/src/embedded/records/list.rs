//! One page of the log, across days.
//!
//! Enters: a filter and a page. Leaves: the records, and how many there are in all.
//! Never: reads for ever: all statements of a list share one budget of SQLite's steps. When it is used up, what was found is returned and marked as
//! less than all. Steps, not seconds: the same question gets the same answer on a busy machine.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering as Atomic};

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, ErrorCode, params_from_iter};
use tollgate_model::Record;

use super::day::Day;
use super::query::{self, Clause};
use super::{DayRecords, ranges, row};
use crate::failure::{Failure, StoreError};
use crate::records::{Filter, Listed, Order, OrderBy, Page, Place, Ranges, Walk, Walked};

/// SQLite looks at the budget every so many of its steps.
const STEP: i32 = 4_096;
/// In an order that is not that of time, pages end here: that many candidates are held in memory.
const REACH_MAX: u64 = 100_000;

/// A row that may be on the page.
#[derive(Debug)]
struct Candidate {
    day: Day,
    value: Sql,
    created_ms: i64,
    id: i64,
}

/// One list being answered.
pub(super) struct Search<'a> {
    store: &'a DayRecords,
    filter: &'a Filter,
    order: Order,
    size: u64,
    skip: u64,
    ranges: bool,
    clause: Clause,
    budget: Arc<AtomicI64>,
    days: Vec<Day>,
    complete: bool,
}

pub(super) fn list(store: &DayRecords, filter: &Filter, page: &Page) -> Result<Listed, StoreError> {
    let mut search = Search::new(store, filter, page.order, u64::from(page.size.min(Page::SIZE_MAX)), page.skip)?;
    search.ranges = page.ranges;
    let candidates = search.candidates_in_order()?;
    let records = search.fetch(&candidates)?;
    let (total, ranges) = search.count()?;
    // A count that was cut short may not be less than what is shown.
    let total = total.max(page.skip * u64::from(!records.is_empty()) + records.len() as u64);
    Ok(Listed { records, total, total_exact: search.complete, ranges: page.ranges.then_some(ranges) })
}

/// Where the first records that match are, in this order.
pub(super) fn spots(
    store: &DayRecords,
    filter: &Filter,
    order: Order,
    limit: u64,
) -> Result<Vec<(Day, i64)>, StoreError> {
    let mut search = Search::new(store, filter, order, limit, 0)?;
    let mut spots: Vec<_> =
        search.candidates_in_order()?.iter().map(|candidate| (candidate.day, candidate.id)).collect();
    spots.sort_unstable();
    Ok(spots)
}

/// The next part of a walk.
pub(super) fn walk(store: &DayRecords, filter: &Filter, from: Walk, size: u32) -> Result<Walked, StoreError> {
    let order = Order { by: OrderBy::CreatedAt, descending: from.descending };
    let size = u64::from(size.clamp(1, Page::SIZE_MAX));
    let mut search = Search::new(store, filter, order, size, 0)?;
    if let Some(behind) = from.behind {
        search.go_on_behind(behind);
    }
    let candidates = search.by_time()?;
    let last = candidates.last().filter(|_| candidates.len() as u64 == size);
    let next = last.map(|last| Place { created_ms: last.created_ms.unsigned_abs(), key: last.id });
    Ok(Walked { records: search.fetch(&candidates)?, next, complete: search.complete })
}

// === impl Search ===

impl<'a> Search<'a> {
    fn new(store: &'a DayRecords, filter: &'a Filter, order: Order, size: u64, skip: u64) -> Result<Self, StoreError> {
        let mut days = store.days()?;
        days.retain(|day| filter.from_ms.is_none_or(|from| day.end_ms() > from));
        days.retain(|day| filter.to_ms.is_none_or(|to| day.start_ms() <= to));
        if order.descending {
            days.reverse();
        }
        let budget = Arc::new(AtomicI64::new(store.options.list_steps_max));
        let clause = Clause::of(filter);
        Ok(Search { store, filter, order, size, skip, ranges: false, clause, budget, days, complete: true })
    }

    fn go_on_behind(&mut self, place: Place) {
        let descending = self.order.descending;
        self.days.retain(
            |day| if descending { day.start_ms() <= place.created_ms } else { day.end_ms() > place.created_ms },
        );
        self.clause.behind(place, descending);
    }

    /// For sums over all that match.
    pub(super) fn of_all(store: &'a DayRecords, filter: &'a Filter) -> Result<Self, StoreError> {
        Self::new(store, filter, Order { by: OrderBy::CreatedAt, descending: true }, 0, 0)
    }

    pub(super) fn days(&self) -> Vec<Day> {
        self.days.clone()
    }

    /// The condition, whose values [`Search::read`] hands over.
    pub(super) fn sql(&self) -> &str {
        &self.clause.sql
    }

    /// Whether the budget was enough so far, and every day could be read.
    pub(super) fn complete(&self) -> bool {
        self.complete
    }

    fn candidates_in_order(&mut self) -> Result<Vec<Candidate>, StoreError> {
        match self.order.by {
            OrderBy::CreatedAt => self.by_time(),
            _ => self.by_value(),
        }
    }

    /// Days follow each other in this order, so it stops at the first day that fills the page.
    fn by_time(&mut self) -> Result<Vec<Candidate>, StoreError> {
        let (mut found, mut skip) = (Vec::new(), self.skip);
        for day in self.days.clone() {
            let wanted = self.size - found.len() as u64;
            if wanted == 0 || !self.complete {
                break;
            }
            let more = self.candidates(day, wanted, skip)?;
            // All of this day is skipped, and then it counts for as many as it has.
            skip = if more.is_empty() && skip > 0 { skip.saturating_sub(self.count_day(day)?.0) } else { 0 };
            found.extend(more);
        }
        Ok(found)
    }

    /// Any day may have the first: each gives its best, and the best of all are kept.
    fn by_value(&mut self) -> Result<Vec<Candidate>, StoreError> {
        let reach = self.skip.saturating_add(self.size);
        if reach > REACH_MAX {
            return Ok(Vec::new());
        }
        let mut best: Vec<Candidate> = Vec::new();
        for day in self.days.clone() {
            best.extend(self.candidates(day, reach, 0)?);
            best.sort_by(|a, b| if self.order.descending { compare(b, a) } else { compare(a, b) });
            best.truncate(reach as usize);
        }
        Ok(best.into_iter().skip(self.skip as usize).collect())
    }

    fn candidates(&mut self, day: Day, limit: u64, offset: u64) -> Result<Vec<Candidate>, StoreError> {
        let direction = if self.order.descending { "DESC" } else { "ASC" };
        let value = query::order(self.order.by);
        let sql = format!(
            "SELECT {value} AS value, created_ms, id FROM log WHERE {} \
             ORDER BY value {direction}, created_ms {direction}, id {direction} LIMIT {limit} OFFSET {offset}",
            self.clause.sql
        );
        let found = self.read(day, |connection, values| {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Candidate { day, value: row.get(0)?, created_ms: row.get(1)?, id: row.get(2)? });
            }
            Ok(found)
        })?;
        Ok(found.unwrap_or_default())
    }

    fn fetch(&mut self, candidates: &[Candidate]) -> Result<Vec<Record>, StoreError> {
        let mut found: HashMap<i64, Record> = HashMap::new();
        let mut days: Vec<Day> = candidates.iter().map(|candidate| candidate.day).collect();
        days.dedup();
        for day in days {
            let ids: Vec<i64> = candidates.iter().filter(|each| each.day == day).map(|each| each.id).collect();
            let records = self.store.readers.with(day, |connection| records(connection, &ids))?;
            found.extend(records.into_iter().flatten().map(|record| (record.id.key(), record)));
        }
        Ok(candidates.iter().filter_map(|candidate| found.remove(&candidate.id)).collect())
    }

    fn count(&mut self) -> Result<(u64, Ranges), StoreError> {
        let (mut total, mut ranges) = (0, Ranges::default());
        for day in self.days.clone() {
            let (count, more) = self.count_day(day)?;
            total += count;
            ranges = ranges.with(&more);
        }
        Ok((total, ranges))
    }

    fn count_day(&mut self, day: Day) -> Result<(u64, Ranges), StoreError> {
        if let Some(gateway) = self.whole_gateway(day) {
            return Ok((self.store.rows_of_day(day, gateway)?.there, Ranges::default()));
        }
        let sums = if self.ranges { ranges::SUMS } else { "" };
        let sql = format!("SELECT count(*) {sums} FROM log WHERE {}", self.clause.sql);
        let wanted = self.ranges;
        let found = self.read(day, |connection, values| {
            connection.prepare(&sql)?.query_row(params_from_iter(values), |row| {
                let ranges = if wanted { Ranges::read(row)? } else { Ranges::default() };
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), ranges))
            })
        })?;
        Ok(found.unwrap_or_default())
    }

    /// The gateway, when every row of it on this day matches: then there is a tally.
    fn whole_gateway(&self, day: Day) -> Option<&str> {
        let filter = self.filter;
        let whole = filter.conditions.is_empty()
            && filter.any_of.is_empty()
            && filter.none_of.is_empty()
            && filter.search.is_none()
            && !self.ranges
            && filter.from_ms.is_none_or(|from| from <= day.start_ms())
            && filter.to_ms.is_none_or(|to| to >= day.end_ms() - 1);
        filter.gateway.as_deref().filter(|_| whole)
    }

    /// Reads within the budget. `None`: it was used up, or the day cannot be read; either way the answer is less than all.
    pub(super) fn read<T>(
        &mut self,
        day: Day,
        read: impl FnOnce(&Connection, &[Sql]) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, StoreError> {
        let (budget, values) = (self.budget.clone(), &self.clause.values);
        let limited = |connection: &mut Connection| {
            let spend = move || budget.fetch_sub(i64::from(STEP), Atomic::Relaxed) <= 0;
            connection.progress_handler(STEP, Some(spend))?;
            let found = read(connection, values);
            connection.progress_handler(0, None::<fn() -> bool>)?;
            match found {
                Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(None),
                found => found.map(Some),
            }
        };
        match self.store.readers.with(day, limited) {
            Ok(None) => Ok(None),
            Ok(Some(found)) => {
                self.complete &= found.is_some();
                Ok(found)
            }
            Err(cause) if cause.kind() == Failure::Damaged => {
                tracing::error!(%cause, "a day of the log is damaged: the list goes on without it");
                self.complete = false;
                Ok(None)
            }
            Err(cause) => Err(cause),
        }
    }
}

/// SQLite's own order: null, then numbers, then text by its bytes.
fn compare(a: &Candidate, b: &Candidate) -> Ordering {
    let by_value = match (&a.value, &b.value) {
        (Sql::Integer(a), Sql::Integer(b)) => a.cmp(b),
        (Sql::Text(a), Sql::Text(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    };
    by_value.then(a.created_ms.cmp(&b.created_ms)).then(a.id.cmp(&b.id))
}

fn rank(value: &Sql) -> u8 {
    match value {
        Sql::Null => 0,
        Sql::Integer(_) | Sql::Real(_) => 1,
        Sql::Text(_) | Sql::Blob(_) => 2,
    }
}

pub(super) fn records(connection: &Connection, ids: &[i64]) -> Result<Vec<Record>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(&format!("SELECT {}, shape FROM log WHERE id = ?", row::COLUMNS))?;
    let mut find = connection.prepare_cached("SELECT bytes FROM shape WHERE code = ?")?;
    let mut shapes: HashMap<i64, Vec<u8>> = HashMap::new();
    let mut records = Vec::with_capacity(ids.len());
    for id in ids {
        let mut rows = statement.query([id])?;
        let Some(row) = rows.next()? else { continue };
        let bytes = match shapes.entry(row.get("shape")?) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let bytes = find.query_row([new.key()], |row| row.get(0))?;
                new.insert(bytes)
            }
        };
        records.push(row::read(row, bytes)?);
    }
    Ok(records)
}
