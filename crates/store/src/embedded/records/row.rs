//! Between a line and its row.
//!
//! Enters: lines with codes for their shapes and places for their bodies, or rows with shapes for their codes. Leaves: rows, or records.
//! Never: loses a member of a record: what has no column is in `rest`, which is kept as it came.

use rusqlite::types::ToSql;
use rusqlite::{Connection, Row, Statement};
use tollgate_model::record::Rating;
use tollgate_model::{Id, Meta, Metadata, Money, Record};

use super::bodies::Place;
use super::shapes::Codes;
use crate::records::line::{self, Lead, Mark};

/// Rows that one statement inserts: to begin one and to find the end of table and index costs about as much as a row.
pub(super) const ROWS_AT_ONCE: usize = 16;

const INSERTED: [&str; 16] = [
    "id",
    "noise",
    "created_ms",
    "gateway",
    "shape",
    "duration_ms",
    "tokens_in",
    "tokens_out",
    "cost",
    "event_id",
    "labels",
    "request_at",
    "request_len",
    "response_at",
    "response_len",
    "rest",
];

/// What [`read`] reads, in its order.
pub(super) const COLUMNS: &str = "id, noise, created_ms, event_id, cost, rest, feedback, score";

pub(super) const SUCCESS: i64 = 1;
pub(super) const CACHED: i64 = 2;
pub(super) const AUTHENTICATED: i64 = 4;
pub(super) const COST_DIFFERS: i64 = 8;
pub(super) const WHOLESALE: i64 = 16;

/// Places of the request's body and of the answer's.
pub(super) type Places = [Option<Place>; 2];

pub(super) struct NewRow<'a> {
    pub(super) codes: Codes,
    pub(super) mark: &'a Mark<'a>,
    pub(super) lead: &'a Lead<'a>,
    pub(super) rest: &'a [u8],
    pub(super) places: Places,
}

/// A statement that inserts so many rows. A row that is there already undoes the whole transaction, so that SQLite need not be ready to undo the
/// statement alone.
pub(super) fn insert(rows: usize) -> String {
    let row = format!("({})", ["?"; INSERTED.len()].join(","));
    format!("INSERT OR ROLLBACK INTO log ({}) VALUES {}", INSERTED.join(", "), vec![row; rows].join(","))
}

// === impl NewRow ===

impl NewRow<'_> {
    /// Gives the statement its values for this row, which is so many rows after its first.
    pub(super) fn bind(&self, statement: &mut Statement<'_>, after: usize) -> Result<(), rusqlite::Error> {
        let usage = self.lead.usage.as_ref();
        let [(request_at, request_len), (response_at, response_len)] =
            self.places.map(|place| place.map(Place::columns).unzip());
        let values: [&dyn ToSql; INSERTED.len()] = [
            &self.mark.id.key(),
            &self.mark.id.noise(),
            &whole(self.mark.created_ms),
            &self.codes.gateway,
            &self.codes.shape,
            &whole(self.lead.timings.last_byte_us / 1_000),
            &usage.map(|usage| whole(usage.tokens_in())),
            &usage.map(|usage| whole(usage.tokens_out())),
            &self.mark.cost.map(Money::nanos),
            &self.mark.event_id,
            &labels(&self.lead.metadata),
            &request_at,
            &request_len,
            &response_at,
            &response_len,
            &self.rest,
        ];
        let first = after * INSERTED.len() + 1;
        (first..).zip(values).try_for_each(|(at, value)| statement.raw_bind_parameter(at, value))
    }
}

/// SQLite's integers are signed; nothing that is counted comes near.
pub(super) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// All values as texts, because that is how filters compare them.
pub(super) fn labels(metadata: &Metadata) -> Option<String> {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let part = |(key, value): &(String, Meta)| format!("{}:{}", quoted(key), quoted(&value.as_text()));
    let parts: Vec<String> = metadata.0.iter().map(part).collect();
    (!parts.is_empty()).then(|| format!("{{{}}}", parts.join(",")))
}

pub(super) fn is_there(connection: &Connection, id: Id) -> Result<bool, rusqlite::Error> {
    connection.prepare_cached("SELECT 1 FROM log WHERE id = ? AND noise = ?")?.exists([id.key(), id.noise()])
}

/// Reads [`COLUMNS`]. The bytes are those of its shape.
pub(super) fn read(row: &Row<'_>, shape: &[u8]) -> Result<Record, rusqlite::Error> {
    let shape = line::shape(shape).map_err(unreadable)?;
    let mark = Mark {
        id: Id::from_parts(row.get(0)?, row.get(1)?),
        created_ms: row.get::<_, i64>(2)?.unsigned_abs(),
        event_id: row.get_ref(3)?.as_str_or_null()?,
        cost: row.get::<_, Option<i64>>(4)?.map(Money::from_nanos),
    };
    let rating = Rating { feedback: row.get(6)?, score: row.get(7)? };
    let record = line::record(&shape, mark, row.get_ref(5)?.as_blob()?).map_err(unreadable)?;
    Ok(Record { rating, ..record })
}

pub(super) fn unreadable(cause: line::Unreadable) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Blob, Box::new(cause))
}
