//! Lines of comma-separated values, as spreadsheets write them (RFC 4180).
//!
//! Enters: text. Leaves: rows of fields with the line that they begin at. Never: holds more than one row, or a row beyond its bound.

use std::io::{self, BufRead, Read};

/// No export comes near.
const ROW_BYTES_MAX: usize = 1 << 20;

pub(super) struct Rows<R> {
    read: R,
    line: usize,
}

pub(super) struct Row {
    pub(super) line: usize,
    pub(super) fields: Vec<String>,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(read: R) -> Self {
        Self { read, line: 0 }
    }

    /// `None` at the end. An error is the file's, not a row's.
    pub(super) fn next(&mut self) -> io::Result<Option<Row>> {
        let (mut text, begins) = (String::new(), self.line + 1);
        loop {
            let left = ROW_BYTES_MAX.saturating_sub(text.len());
            let got = (&mut self.read).take(left as u64 + 1).read_line(&mut text)?;
            if text.len() > ROW_BYTES_MAX {
                return Err(io::Error::other(format!("line {begins} is longer than a megabyte: this is no CSV")));
            }
            self.line += usize::from(got > 0);
            let is_open = text.matches('"').count() % 2 == 1;
            match (got, is_open) {
                (0, _) if text.is_empty() => return Ok(None),
                (0, _) | (_, false) => break,
                _ => {}
            }
        }
        Ok(Some(Row { line: begins, fields: fields(text.trim_end_matches(['\r', '\n'])) }))
    }
}

fn fields(text: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_as_spreadsheets_write_them() {
        let text = "a,b\r\n\"x, \"\"y\"\"\",2\n\"two\nlines\",3\nlast,";
        let mut rows = Rows::new(text.as_bytes());
        let mut all = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            all.push((row.line, row.fields.join("|")));
        }
        let expected = [(1, "a|b"), (2, "x, \"y\"|2"), (3, "two\nlines|3"), (5, "last|")];
        assert_eq!(all, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn a_row_without_an_end_is_not_held() {
        let endless = std::io::repeat(b'"').take(10 << 20);
        assert!(Rows::new(io::BufReader::new(endless)).next().is_err());
    }
}
