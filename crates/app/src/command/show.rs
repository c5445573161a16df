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

pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> anyhow::Result<()> {
    let lines = std::iter::once(heads.map(str::to_owned).to_vec()).chain(rows.iter().map(|row| row.to_vec()));
    lines_up(&lines.collect::<Vec<_>>())
}

/// Columns as wide as their widest cell, the last one as wide as it likes.
pub(super) fn lines_up(lines: &[Vec<String>]) -> anyhow::Result<()> {
    text(&columns(lines))
}

fn columns(lines: &[Vec<String>]) -> String {
    let count = lines.first().map_or(0, Vec::len);
    let wide =
        |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| width(cell)).max().unwrap_or_default();
    let widths: Vec<usize> = (0..count).map(wide).collect();
    let mut all = String::new();
    for line in lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, wide)| pad(cell, *wide)).collect();
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
        let lines = [["ID", "NAME", "LAST"], ["a", "…long", "x"], ["bbb", "-", ""]];
        let lines = lines.map(|line| line.map(str::to_owned).to_vec());
        assert_eq!(columns(&lines), "ID   NAME   LAST\na    …long  x\nbbb  -\n");
    }
}
