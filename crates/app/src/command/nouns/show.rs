//! Answers for people: a list as a table, one thing as a line for each member.
//!
//! Enters: JSON. Leaves: text. Never: leaves out a member of one thing, or adds one.

use serde_json::Value;

use crate::command::show;

/// No cell is wider: a table is for looking things up, `--json` for everything.
const CELL_CHARS_MAX: usize = 60;
const COLUMNS_MAX: usize = 7;

pub(super) fn list(rows: &[Value], columns: &[&str]) -> anyhow::Result<()> {
    let Some(first) = rows.first() else { return show::text("none\n") };
    let scalars =
        || first.as_object().into_iter().flatten().filter(|(_, value)| !value.is_object() && !value.is_array());
    let columns: Vec<&str> = match columns {
        [] => scalars().map(|(name, _)| name.as_str()).take(COLUMNS_MAX).collect(),
        columns => columns.to_vec(),
    };
    let heads = columns.iter().map(|name| name.replace(['_', '.'], " ").to_uppercase()).collect();
    let cells = rows.iter().map(|row| columns.iter().map(|column| cut(&cell(find(row, column)))).collect());
    show::lines_up(&std::iter::once(heads).chain(cells).collect::<Vec<_>>())
}

pub(crate) fn one(value: &Value) -> anyhow::Result<()> {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let lines: Vec<Vec<String>> = members.iter().map(|(name, value)| vec![name.clone(), cell(value)]).collect();
            show::lines_up(&lines)
        }
        Value::Array(rows) => list(rows, &[]),
        Value::Null | Value::Object(_) => show::text("done\n"),
        other => show::text(&format!("{}\n", cell(other))),
    }
}

/// A member, or a member of a member: `action.type`.
fn find<'v>(row: &'v Value, column: &str) -> &'v Value {
    column.split('.').fold(row, |value, name| &value[name])
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.replace(['\n', '\r', '\t'], " "),
        Value::Array(items) if items.iter().all(|item| item.is_string() || item.is_number()) => {
            items.iter().map(cell).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

fn cut(cell: &str) -> String {
    match cell.chars().count() > CELL_CHARS_MAX {
        true => cell.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect(),
        false => cell.to_owned(),
    }
}
