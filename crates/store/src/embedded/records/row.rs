//! Between a record and its row.
//!
//! Enters: records with codes for their words, or rows with words for their codes. Leaves: the other.
//! Never: loses a member of a record: what has no column is in `rest`.

use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::types::ToSql;
use rusqlite::{Row, Statement};
use serde::{Deserialize, Serialize};
use tollgate_model::record::{Cost, Outcome, Payload, Refused, Timings};
use tollgate_model::{Attempt, Id, Meta, Metadata, Money, Record, Usage};

use super::bodies::Place;

pub(super) const INSERT: &str = "INSERT OR IGNORE INTO log (id, noise, created_ms, account, gateway, provider, model, path, method, model_type, \
    request_type, request_content_type, response_content_type, user_agent, status, flags, duration_ms, tokens_in, tokens_out, cost, event_id, labels, \
    block, at, request_len, response_len, rest) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

/// What [`read`] reads, in its order.
pub(super) const COLUMNS: &str = "id, noise, created_ms, account, gateway, provider, model, path, method, model_type, request_type, \
    request_content_type, response_content_type, user_agent, status, flags, cost, event_id, rest";

pub(super) const SUCCESS: i64 = 1;
pub(super) const CACHED: i64 = 2;
pub(super) const AUTHENTICATED: i64 = 4;

/// What no column holds. Written as in the journal (postcard); its version is that of the file's schema.
#[derive(Debug, Serialize, Deserialize)]
struct Rest<'a> {
    answered_model: Option<Cow<'a, str>>,
    outcome: Outcome,
    streamed: bool,
    usage: Option<Cow<'a, Usage>>,
    custom_cost: bool,
    estimated_cost: bool,
    metadata: Cow<'a, Metadata>,
    step: u16,
    request_size: u64,
    response_size: u64,
    token_id: Option<Cow<'a, str>>,
    refusal: Option<Cow<'a, Refused>>,
    finish: Option<Cow<'a, str>>,
    timings: Timings,
    attempts: Cow<'a, [Attempt]>,
    request_body: Payload,
    response_body: Payload,
}

/// A record's words, as codes of the day's dictionary.
#[derive(Debug)]
pub(super) struct Codes {
    pub(super) gateway: i64,
    others: [i64; 5],
    optional: [Option<i64>; 5],
}

// === impl Codes ===

impl Codes {
    pub(super) fn of<E>(record: &Record, mut code: impl FnMut(&str) -> Result<i64, E>) -> Result<Self, E> {
        let gateway = code(&record.gateway)?;
        let mut others = [0; 5];
        let texts = [&*record.account, &*record.provider, &record.model, &record.path, &record.method];
        for (slot, text) in others.iter_mut().zip(texts) {
            *slot = code(text)?;
        }
        let mut optional = [None; 5];
        let texts = [
            record.model_type.as_deref(),
            record.request_type.as_deref(),
            record.request_content_type.as_deref(),
            record.response_content_type.as_deref(),
            record.user_agent.as_deref(),
        ];
        for (slot, text) in optional.iter_mut().zip(texts) {
            *slot = text.map(&mut code).transpose()?;
        }
        Ok(Self { gateway, others, optional })
    }
}

/// Inserts the record's row, unless there is one. Returns whether there was none. `scratch` is a buffer kept between rows.
pub(super) fn insert(
    statement: &mut Statement<'_>,
    record: &Record,
    codes: &Codes,
    place: Option<Place>,
    scratch: &mut Vec<u8>,
) -> Result<bool, rusqlite::Error> {
    let [account, provider, model, path, method] = codes.others;
    let [model_type, request_type, request_content_type, response_content_type, user_agent] = codes.optional;
    write_rest(record, scratch);
    let labels = labels(&record.metadata);
    let usage = record.usage.as_ref();
    let values: [&dyn ToSql; 27] = [
        &record.id.key(),
        &record.id.noise(),
        &whole(record.created_ms),
        &account,
        &codes.gateway,
        &provider,
        &model,
        &path,
        &method,
        &model_type,
        &request_type,
        &request_content_type,
        &response_content_type,
        &user_agent,
        &record.status,
        &flags(record),
        &whole(record.duration_us() / 1_000),
        &usage.map(|usage| whole(usage.tokens_in())),
        &usage.map(|usage| whole(usage.tokens_out())),
        &record.cost.as_ref().map(|cost| cost.amount.nanos()),
        &record.event_id,
        &labels,
        &place.map(|place| whole(place.block)),
        &place.map(|place| place.at),
        &place.map(|place| place.request_len),
        &place.map(|place| place.response_len),
        scratch,
    ];
    Ok(statement.execute(values)? == 1)
}

/// SQLite's integers are signed; nothing that is counted comes near.
pub(super) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn flags(record: &Record) -> i64 {
    let flag = |set: bool, bit: i64| if set { bit } else { 0 };
    flag(record.success(), SUCCESS) | flag(record.cached, CACHED) | flag(record.token_id.is_some(), AUTHENTICATED)
}

/// All values as texts, because that is how filters compare them.
fn labels(metadata: &Metadata) -> Option<String> {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let part = |(key, value): &(String, Meta)| format!("{}:{}", quoted(key), quoted(&value.as_text()));
    let parts: Vec<String> = metadata.0.iter().map(part).collect();
    (!parts.is_empty()).then(|| format!("{{{}}}", parts.join(",")))
}

fn write_rest(record: &Record, scratch: &mut Vec<u8>) {
    let rest = Rest {
        answered_model: record.answered_model.as_deref().map(Cow::Borrowed),
        outcome: record.outcome,
        streamed: record.streamed,
        usage: record.usage.as_ref().map(Cow::Borrowed),
        custom_cost: record.cost.as_ref().is_some_and(|cost| cost.custom),
        estimated_cost: record.cost.as_ref().is_some_and(|cost| cost.estimated),
        metadata: Cow::Borrowed(&record.metadata),
        step: record.step,
        request_size: record.request_size,
        response_size: record.response_size,
        token_id: record.token_id.as_deref().map(Cow::Borrowed),
        refusal: record.refusal.as_ref().map(Cow::Borrowed),
        finish: record.finish.as_deref().map(Cow::Borrowed),
        timings: record.timings,
        attempts: Cow::Borrowed(&record.attempts),
        request_body: record.request_body,
        response_body: record.response_body,
    };
    scratch.clear();
    // Into memory, of types that postcard can write: there is nothing that could fail.
    let _ = postcard::to_io(&rest, scratch);
}

/// Reads [`COLUMNS`]. `word` finds the text of a code.
pub(super) fn read(
    row: &Row<'_>,
    mut word: impl FnMut(i64) -> Result<Arc<str>, rusqlite::Error>,
) -> Result<Record, rusqlite::Error> {
    let rest = row.get_ref(18)?.as_blob()?;
    let rest: Rest<'_> = postcard::from_bytes(rest).map_err(|cause| damaged(18, cause))?;
    let mut required = |column: usize| word(row.get(column)?);
    let (account, gateway, provider) = (required(3)?, required(4)?, required(5)?);
    let (model, path, method) = (required(6)?, required(7)?, required(8)?);
    let mut optional = |column: usize| row.get::<_, Option<i64>>(column)?.map(&mut word).transpose();
    let (model_type, request_type) = (optional(9)?, optional(10)?);
    let (request_content_type, response_content_type, user_agent) = (optional(11)?, optional(12)?, optional(13)?);
    let text = |word: Option<Arc<str>>| word.map(|word| word.to_string());
    let cost = row.get::<_, Option<i64>>(16)?.map(|nanos| Cost {
        amount: Money::from_nanos(nanos),
        custom: rest.custom_cost,
        estimated: rest.estimated_cost,
    });
    Ok(Record {
        id: Id::from_parts(row.get(0)?, row.get(1)?),
        event_id: row.get(17)?,
        account,
        gateway,
        created_ms: row.get::<_, i64>(2)?.unsigned_abs(),
        provider,
        model: model.to_string(),
        answered_model: rest.answered_model.map(Cow::into_owned),
        model_type,
        request_type,
        path: path.to_string(),
        method: method.to_string(),
        request_content_type: text(request_content_type),
        response_content_type: text(response_content_type),
        status: row.get(14)?,
        outcome: rest.outcome,
        cached: row.get::<_, i64>(15)? & CACHED != 0,
        streamed: rest.streamed,
        usage: rest.usage.map(Cow::into_owned),
        cost,
        metadata: rest.metadata.into_owned(),
        step: rest.step,
        request_size: rest.request_size,
        response_size: rest.response_size,
        token_id: rest.token_id.map(Cow::into_owned),
        user_agent: text(user_agent),
        refusal: rest.refusal.map(Cow::into_owned),
        finish: rest.finish.map(Cow::into_owned),
        timings: rest.timings,
        attempts: rest.attempts.into_owned(),
        request_body: rest.request_body,
        response_body: rest.response_body,
    })
}

fn damaged(column: usize, cause: postcard::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(cause))
}
