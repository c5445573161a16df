//! Counts by value and by time.
//!
//! Enters: a filter, and what to sum by. Leaves: sums over all days. Never: looks at names while it counts: rows are counted by their shapes, of which a day
//! has few, and what the shapes say is added up afterwards.

use std::collections::{BTreeMap, HashMap};

use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};

use super::list::Search;
use super::row::{CACHED, SUCCESS};
use super::{DayRecords, day::Day};
use crate::failure::StoreError;
use crate::records::{Facet, Facets, Filter, Histogram, Stretches, Sums};

/// Different values of a facet that are held at once: what is beyond them is rare, and each of them even more so.
const VALUES_MAX: usize = 100_000;

type Counts = HashMap<Option<String>, u64>;

pub(super) fn facets(
    store: &DayRecords,
    filter: &Filter,
    wanted: &[Facet],
    limit: usize,
) -> Result<Facets, StoreError> {
    let mut search = Search::of_all(store, filter)?;
    let (of_shapes, of_labels): (Vec<_>, Vec<_>) =
        wanted.iter().partition(|facet| !matches!(facet, Facet::Metadata(_)));
    let mut counts: BTreeMap<Facet, Counts> = wanted.iter().map(|facet| (facet.clone(), HashMap::new())).collect();
    for day in search.days() {
        if !of_shapes.is_empty() {
            by_shape(&mut search, day, &of_shapes, &mut counts)?;
        }
        for facet in &of_labels {
            by_label(&mut search, day, facet, &mut counts)?;
        }
    }
    let facets = counts.into_iter().map(|(facet, counts)| (facet, most_frequent(counts, limit))).collect();
    Ok(Facets { facets, complete: search.complete() })
}

fn by_shape(
    search: &mut Search<'_>,
    day: Day,
    wanted: &[&Facet],
    counts: &mut BTreeMap<Facet, Counts>,
) -> Result<(), StoreError> {
    let columns = wanted.iter().map(|facet| column(facet)).collect::<Vec<_>>().join(", ");
    // The rows are grouped before the shapes are looked up.
    let sql = format!(
        "WITH counted AS MATERIALIZED (SELECT shape AS code, count(*) AS rows FROM log WHERE {} GROUP BY shape) \
         SELECT rows, {columns} FROM counted JOIN shape USING (code)",
        search.sql()
    );
    let rows = search.read(day, |connection, values| {
        rows(connection, &sql, values, |row| {
            let found = (1..=wanted.len()).map(|at| text(row, at)).collect::<Result<Vec<_>, _>>()?;
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), found))
        })
    })?;
    for (count, found) in rows.unwrap_or_default() {
        for (facet, value) in wanted.iter().zip(found) {
            add(counts, facet, value, count);
        }
    }
    Ok(())
}

fn by_label(
    search: &mut Search<'_>,
    day: Day,
    facet: &Facet,
    counts: &mut BTreeMap<Facet, Counts>,
) -> Result<(), StoreError> {
    let Facet::Metadata(key) = facet else { return Ok(()) };
    let sql = format!(
        "SELECT count(*), atom FROM (SELECT labels FROM log WHERE {}), json_each(labels) WHERE key = ? GROUP BY atom",
        search.sql()
    );
    let rows = search.read(day, |connection, values| {
        let values: Vec<Sql> = values.iter().cloned().chain([Sql::Text(key.clone())]).collect();
        rows(connection, &sql, &values, |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), text(row, 1)?)))
    })?;
    for (count, value) in rows.unwrap_or_default() {
        add(counts, facet, value, count);
    }
    Ok(())
}

fn add(counts: &mut BTreeMap<Facet, Counts>, facet: &Facet, value: Option<String>, count: u64) {
    let Some(counts) = counts.get_mut(facet) else { return };
    if counts.len() < VALUES_MAX || counts.contains_key(&value) {
        *counts.entry(value).or_default() += count;
    }
}

fn most_frequent(counts: Counts, limit: usize) -> Vec<(Option<String>, u64)> {
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.truncate(limit);
    all
}

fn column(facet: &Facet) -> &'static str {
    match facet {
        Facet::Provider => "provider",
        Facet::Model => "model",
        Facet::Path => "path",
        Facet::RequestType => "request_type",
        Facet::ModelType => "model_type",
        Facet::UserAgent => "user_agent",
        Facet::Status => "status",
        Facet::Success => "iif(flags & 1, 'true', 'false')",
        Facet::Cached => "iif(flags & 2, 'true', 'false')",
        // Counted by `by_label`.
        Facet::Metadata(_) => "NULL",
    }
}

pub(super) fn histogram(store: &DayRecords, filter: &Filter, stretches: Stretches) -> Result<Histogram, StoreError> {
    let count = stretches.count.clamp(1, Stretches::COUNT_MAX);
    let stretches = Stretches { count, step_ms: stretches.step_ms.max(1), ..stretches };
    let last_ms = stretches.end_ms().saturating_sub(1);
    let filter = Filter {
        from_ms: Some(filter.from_ms.unwrap_or_default().max(stretches.from_ms)),
        to_ms: Some(filter.to_ms.unwrap_or(u64::MAX).min(last_ms)),
        ..filter.clone()
    };
    let mut search = Search::of_all(store, &filter)?;
    let mut sums = vec![Sums::default(); count as usize];
    let sql = format!(
        "WITH summed AS MATERIALIZED (SELECT (created_ms - {}) / {} AS stretch, shape AS code, count(*) AS rows, total(tokens_in) AS tokens_in, \
         total(tokens_out) AS tokens_out, sum(cost) AS cost, total(duration_ms) AS duration_ms FROM log WHERE {} GROUP BY 1, 2) \
         SELECT stretch, rows, tokens_in, tokens_out, cost, duration_ms, flags FROM summed JOIN shape USING (code)",
        stretches.from_ms,
        stretches.step_ms,
        search.sql()
    );
    for day in search.days() {
        let found = search.read(day, |connection, values| {
            rows(connection, &sql, values, |row| Ok((row.get::<_, i64>(0)?, sums_of(row)?)))
        })?;
        for (stretch, more) in found.unwrap_or_default() {
            if let Some(sums) = usize::try_from(stretch).ok().and_then(|at| sums.get_mut(at)) {
                *sums += more;
            }
        }
    }
    Ok(Histogram { sums, complete: search.complete() })
}

fn sums_of(row: &Row<'_>) -> Result<Sums, rusqlite::Error> {
    let requests = row.get::<_, i64>(1)?.unsigned_abs();
    let flags: i64 = row.get(6)?;
    let those = |yes: bool| if yes { requests } else { 0 };
    // total() never overflows, and is exact far beyond what a stretch comes to.
    let whole = |at: usize| row.get::<_, f64>(at).map(|total| total as u64);
    Ok(Sums {
        requests,
        errors: those(flags & SUCCESS == 0),
        cached: those(flags & CACHED != 0),
        tokens_in: whole(2)?,
        tokens_out: whole(3)?,
        cost_nanos: row.get::<_, Option<i64>>(4)?.unwrap_or_default(),
        duration_ms: whole(5)?,
    })
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    values: &[Sql],
    read: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
) -> Result<Vec<T>, rusqlite::Error> {
    connection.prepare(sql)?.query_map(params_from_iter(values), read)?.collect()
}

fn text(row: &Row<'_>, at: usize) -> Result<Option<String>, rusqlite::Error> {
    Ok(match row.get_ref(at)? {
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Integer(number) => Some(number.to_string()),
        _ => None,
    })
}
