//! Codes for the words of a day.
//!
//! Enters: words of records. Leaves: their codes, new ones written down. Never: holds more than the most usual words in memory: a stranger may name
//! a model whatever he likes.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

const WORDS_MAX: usize = 4_096;
/// A longer word is looked up each time rather than kept.
const WORD_BYTES_MAX: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Dictionary {
    codes: HashMap<Box<str>, i64>,
}

// === impl Dictionary ===

impl Dictionary {
    pub(super) fn code(&mut self, connection: &Connection, word: &str) -> Result<i64, rusqlite::Error> {
        if let Some(code) = self.codes.get(word) {
            return Ok(*code);
        }
        let code = find_or_add(connection, word)?;
        if word.len() <= WORD_BYTES_MAX {
            if self.codes.len() >= WORDS_MAX {
                // Rare, and the usual words are back after a few records.
                self.codes.clear();
            }
            self.codes.insert(word.into(), code);
        }
        Ok(code)
    }
}

fn find_or_add(connection: &Connection, word: &str) -> Result<i64, rusqlite::Error> {
    let mut find = connection.prepare_cached("SELECT code FROM word WHERE text = ?")?;
    if let Some(code) = find.query_row([word], |row| row.get(0)).optional()? {
        return Ok(code);
    }
    connection.prepare_cached("INSERT INTO word (text) VALUES (?)")?.insert([word])
}
