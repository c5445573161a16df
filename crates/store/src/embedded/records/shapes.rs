//! Codes for the shapes of a day.
//!
//! Enters: shapes of records, as bytes. Leaves: their codes, new ones written down. Never: reads a shape that it knows, and never holds more than the
//! most usual ones in memory: a stranger may name a model whatever he likes.

use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension, params};
use tollgate_model::record::Outcome;

use super::row::{AUTHENTICATED, CACHED, COST_DIFFERS, SUCCESS, WHOLESALE};
use crate::records::line::{self, Line, Priced, ReadShape};

const SHAPES_MAX: usize = 2_048;
/// A longer shape is written each time rather than kept.
const SHAPE_BYTES_MAX: usize = 1_024;

#[derive(Default)]
pub(super) struct Shapes {
    codes: HashMap<Box<[u8]>, Codes>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Codes {
    pub(super) gateway: i64,
    pub(super) shape: i64,
}

// === impl Shapes ===

impl Shapes {
    /// The gateway of a record alone, without writing down a shape of which there may be no row. `None` when the bytes are not a shape.
    pub(super) fn gateway(&self, connection: &Connection, line: Line<'_>) -> Result<Option<i64>, rusqlite::Error> {
        if let Some(codes) = self.codes.get(line.shape) {
            return Ok(Some(codes.gateway));
        }
        line::shape(line.shape).ok().map(|shape| gateway(connection, shape.gateway)).transpose()
    }

    /// `None` when the bytes are not a shape.
    pub(super) fn codes(&mut self, connection: &Connection, line: Line<'_>) -> Result<Option<Codes>, rusqlite::Error> {
        if let Some(codes) = self.codes.get(line.shape) {
            return Ok(Some(*codes));
        }
        let Ok(shape) = line::shape(line.shape) else { return Ok(None) };
        let codes = Codes { gateway: gateway(connection, shape.gateway)?, shape: add(connection, &shape, line.shape)? };
        if line.shape.len() <= SHAPE_BYTES_MAX {
            if self.codes.len() >= SHAPES_MAX {
                // Rare, and the usual ones are back after a few records.
                self.codes.clear();
            }
            self.codes.insert(line.shape.into(), codes);
        }
        Ok(Some(codes))
    }
}

/// The code of a gateway, made if it is new on this day.
fn gateway(connection: &Connection, name: &str) -> Result<i64, rusqlite::Error> {
    let mut find = connection.prepare_cached("SELECT code FROM gateway WHERE name = ?")?;
    if let Some(code) = find.query_row([name], |row| row.get(0)).optional()? {
        return Ok(code);
    }
    connection.prepare_cached("INSERT INTO gateway (name, rows) VALUES (?, 0)")?.insert([name])
}

fn add(connection: &Connection, shape: &ReadShape<'_>, bytes: &[u8]) -> Result<i64, rusqlite::Error> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO shape (provider, model, path, model_type, request_type, request_content_type, response_content_type, user_agent, status, flags, \
         bytes) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    )?;
    insert.insert(params![
        shape.provider,
        shape.model,
        shape.path,
        shape.model_type,
        shape.request_type,
        shape.request_content_type,
        shape.response_content_type,
        shape.user_agent,
        shape.status,
        flags(shape),
        bytes,
    ])
}

fn flags(shape: &ReadShape<'_>) -> i64 {
    let flag = |set: bool, bit: i64| if set { bit } else { 0 };
    // As `Record::success` has it.
    let success = shape.outcome == Outcome::Complete && (200..400).contains(&shape.status);
    let differs = shape.priced.as_ref().is_some_and(Priced::differs);
    let wholesale = shape.priced.as_ref().is_some_and(Priced::wholesale);
    flag(success, SUCCESS)
        | flag(shape.cached, CACHED)
        | flag(shape.token_id.is_some(), AUTHENTICATED)
        | flag(differs, COST_DIFFERS)
        | flag(wholesale, WHOLESALE)
}
