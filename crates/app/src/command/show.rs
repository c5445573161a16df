//! Writes results to standard output.
//!
//! Enters: values and rows. Leaves: JSON, or columns that line up. Never: fails because the reader of a pipe has gone.

use std::io::{self, Write};

use serde_json::Value;

/// One line for programs.
pub(super) fn json(value: &Value) -> anyhow::Result<()> {
    text(&format!("{value}\n"))
}

/// Several lines for people, still JSON.
pub(super) fn pretty(value: &Value) -> anyhow::Result<()> {
    text(&format!("{value:#}\n"))
}

pub(super) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => Ok(written?),
    }
}

/// Columns as wide as their widest cell, the last one as wide as it likes.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> anyhow::Result<()> {
    text(&columns(heads, rows))
}

fn columns<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let heads = heads.map(str::to_owned);
    let lines = || std::iter::once(&heads).chain(rows);
    let widths: [usize; N] = std::array::from_fn(|at| lines().map(|line| width(&line[at])).max().unwrap_or_default());
    let mut all = String::new();
    for line in lines() {
        let cells: Vec<String> = line.iter().zip(widths).map(|(cell, wide)| pad(cell, wide)).collect();
        all.push_str(cells.join("  ").trim_end());
        all.push('\n');
    }
    all
}

pub(super) fn pad(cell: &str, wide: usize) -> String {
    format!("{cell}{}", " ".repeat(wide.saturating_sub(width(cell))))
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows =
            [["a".to_owned(), "…long".to_owned(), "x".to_owned()], ["bbb".to_owned(), "-".to_owned(), String::new()]];
        let expected = "ID   NAME   LAST\na    …long  x\nbbb  -\n";
        assert_eq!(columns(["ID", "NAME", "LAST"], &rows), expected);
    }
}
