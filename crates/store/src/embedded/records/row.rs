//! Between a line and its row.
//!
//! Enters: lines with codes for their shapes and places for their bodies, or rows with shapes for their codes. Leaves: rows, or records.
//! Never: loses a member of a record: what has no column is in `rest`, which is kept as it came.

use rusqlite::{Row, Statement, params};
use tollgate_model::{Id, Meta, Metadata, Money, Record};

use super::bodies::Place;
use super::shapes::Codes;
use crate::records::line::{self, Mark};

pub(super) const INSERT: &str = "INSERT INTO log (id, noise, created_ms, gateway, shape, duration_ms, tokens_in, tokens_out, cost, event_id, labels, \
    request_at, request_len, response_at, response_len, rest) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

/// What [`read`] reads, in its order.
pub(super) const COLUMNS: &str = "id, noise, created_ms, event_id, cost, rest";

pub(super) const SUCCESS: i64 = 1;
pub(super) const CACHED: i64 = 2;
pub(super) const AUTHENTICATED: i64 = 4;

/// Places of the request's body and of the answer's.
pub(super) type Places = [Option<Place>; 2];

pub(super) fn insert(
    statement: &mut Statement<'_>,
    codes: Codes,
    mark: &Mark<'_>,
    rest: &[u8],
    [request, response]: Places,
) -> Result<(), rusqlite::Error> {
    let lead = line::lead(rest).map_err(|cause| unreadable(15, cause))?;
    let usage = lead.usage.as_ref();
    let [(request_at, request_len), (response_at, response_len)] =
        [request, response].map(|place| place.map(Place::columns).unzip());
    statement.execute(params![
        mark.id.key(),
        mark.id.noise(),
        whole(mark.created_ms),
        codes.gateway,
        codes.shape,
        whole(lead.timings.last_byte_us / 1_000),
        usage.map(|usage| whole(usage.tokens_in())),
        usage.map(|usage| whole(usage.tokens_out())),
        mark.cost.map(Money::nanos),
        mark.event_id,
        labels(&lead.metadata),
        request_at,
        request_len,
        response_at,
        response_len,
        rest,
    ])?;
    Ok(())
}

/// SQLite's integers are signed; nothing that is counted comes near.
pub(super) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// All values as texts, because that is how filters compare them.
fn labels(metadata: &Metadata) -> Option<String> {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let part = |(key, value): &(String, Meta)| format!("{}:{}", quoted(key), quoted(&value.as_text()));
    let parts: Vec<String> = metadata.0.iter().map(part).collect();
    (!parts.is_empty()).then(|| format!("{{{}}}", parts.join(",")))
}

/// Reads [`COLUMNS`]. The bytes are those of its shape.
pub(super) fn read(row: &Row<'_>, shape: &[u8]) -> Result<Record, rusqlite::Error> {
    let shape = line::shape(shape).map_err(|cause| unreadable(5, cause))?;
    let mark = Mark {
        id: Id::from_parts(row.get(0)?, row.get(1)?),
        created_ms: row.get::<_, i64>(2)?.unsigned_abs(),
        event_id: row.get_ref(3)?.as_str_or_null()?,
        cost: row.get::<_, Option<i64>>(4)?.map(Money::from_nanos),
    };
    line::record(&shape, mark, row.get_ref(5)?.as_blob()?).map_err(|cause| unreadable(5, cause))
}

pub(super) fn unreadable(column: usize, cause: line::Unreadable) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(cause))
}
