//! A record as one line for people.
//!
//! Enters: a record. Leaves: when, what it came to, who answered, how much, how long, and the id to ask for more. Never: breaks the line: what
//! strangers chose is shown without control characters.

use serde_json::Value;
use tollgate_control::time;
use tollgate_model::record::Outcome;
use tollgate_model::{Record, Usage};

use crate::command::show::pad;

const WHAT_WIDE: usize = 40;

pub(super) fn of(record: &Record) -> String {
    let what = clean(&format!("{}/{}", record.provider, record.model));
    let cells = [
        pad(&format!("{}{}", record.status, mark(record)), 5),
        pad(&clean(&record.gateway), 10),
        pad(&what, WHAT_WIDE),
        pad(&tokens(record.usage.as_ref()), 13),
        pad(&cost(record), 12),
        pad(&format!("{} ms", record.duration_us() / 1_000), 9),
        record.id.to_string(),
    ];
    format!("{}  {}\n", time::text(record.created_ms), cells.join("  "))
}

/// The same of a row that a server told.
pub(super) fn of_row(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().map_or_else(|| row[name].to_string(), clean);
    let what = format!("{}/{}", text("provider"), text("model"));
    let cells = [
        pad(&text("status_code"), 5),
        pad(&what, WHAT_WIDE),
        pad(&format!("{}>{} tok", text("tokens_in"), text("tokens_out")), 13),
        pad(&row["cost"].as_f64().map_or_else(|| "-".to_owned(), |cost| format!("${cost}")), 12),
        pad(&format!("{} ms", text("duration")), 9),
        text("id"),
    ];
    format!("{}  {}\n", text("created_at"), cells.join("  "))
}

/// `c`: from the cache; `!`: the answer did not end well.
fn mark(record: &Record) -> &'static str {
    match record.outcome {
        Outcome::Complete | Outcome::Refused if record.cached => "c",
        Outcome::Complete | Outcome::Refused => "",
        Outcome::Truncated | Outcome::Cancelled => "!",
    }
}

fn tokens(usage: Option<&Usage>) -> String {
    usage.map_or_else(|| "-".to_owned(), |usage| format!("{}>{} tok", usage.tokens_in(), usage.tokens_out()))
}

fn cost(record: &Record) -> String {
    record.cost.as_ref().map_or_else(|| "-".to_owned(), |cost| format!("${}", cost.amount))
}

fn clean(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}
