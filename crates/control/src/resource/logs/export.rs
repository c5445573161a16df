//! The filtered log as a file, however long it is. Not in the original.
//!
//! Enters: the query of a list. Leaves: CSV or JSON lines, while they are read from the store. Never: holds more than a few hundred rows, or waits for a
//! reader that has gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tollgate_model::Record;
use tollgate_store::records::{Filter, Walk};

use super::{catch_up, read_filter, said};
use crate::answer::Answer;
use crate::audit::Action;
use crate::call::Call;
use crate::log;
use crate::problem::Problem;
use crate::router::Parts;

/// Exports at work. Each has a thread.
const AT_ONCE_MAX: usize = 4;
const ROWS_AT_ONCE: u32 = 500;
/// Pieces of a few hundred rows that wait for the reader.
const PIECES_MAX: usize = 4;
/// A reader that takes nothing for so long has gone.
const PATIENCE: Duration = Duration::from_secs(60);

static AT_WORK: AtomicUsize = AtomicUsize::new(0);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Csv,
    Lines,
}

/// One of the places for exports, given back when it is dropped.
struct Place;

pub(super) const LINES: &str = "application/x-ndjson";
pub(super) const CSV: &str = "text/csv; charset=utf-8; header=present";

pub(super) fn lines(call: &Call) -> Result<Answer, Problem> {
    export(call, Form::Lines)
}

pub(super) fn csv(call: &Call) -> Result<Answer, Problem> {
    export(call, Form::Csv)
}

fn export(call: &Call, form: Form) -> Result<Answer, Problem> {
    let gateway = call.gateway()?;
    let mut reader = call.query.reader();
    let descending = reader.word("order_by_direction", &[("asc", false), ("desc", true)]).unwrap_or(true);
    let mut filter = read_filter(&mut reader, gateway, call.parts.desk.now_ms());
    reader.finish()?;
    catch_up(call);
    // What comes while it is read is not in it, so that it has an end.
    filter.to_ms = Some(filter.to_ms.unwrap_or(u64::MAX).min(call.parts.desk.now_ms()));
    let place = Place::take().ok_or_else(Problem::busy)?;
    let what = json!({ "filter": said(call) });
    call.parts.desk.note_deed(Action::View, ("ai_gateway.log.export", ""), Some(&gateway.id), what)?;
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let (parts, runtime) = (call.parts.clone(), Handle::current());
    let walk = Walk { behind: None, descending };
    let work = move || {
        let _place = place;
        write(&parts, &filter, walk, form, |piece| {
            let sending = async { tokio::time::timeout(PATIENCE, sender.send(piece)).await };
            matches!(runtime.block_on(sending), Ok(Ok(())))
        });
    };
    let started = std::thread::Builder::new().name("export".to_owned()).spawn(work);
    started.map_err(|cause| {
        tracing::error!(%cause, "the thread of an export cannot be started");
        Problem::busy()
    })?;
    let pieces = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let (content_type, ending) = match form {
        Form::Csv => (CSV, "csv"),
        Form::Lines => (LINES, "jsonl"),
    };
    Ok(Answer::Download {
        content_type,
        name: format!("{}-logs.{ending}", gateway.id),
        body: Body::from_stream(pieces),
    })
}

/// Until all is written, or the reader has gone. A file that breaks off ends with an error and not as if that were all.
fn write(
    parts: &Arc<Parts>,
    filter: &Filter,
    mut walk: Walk,
    form: Form,
    mut send: impl FnMut(Result<Bytes, std::io::Error>) -> bool,
) {
    if form == Form::Csv && !send(Ok(Bytes::from(format!("{}\r\n", COLUMNS.join(","))))) {
        return;
    }
    loop {
        let part = match parts.records.walk(filter, walk, ROWS_AT_ONCE) {
            Ok(part) if part.complete => part,
            Ok(_) => {
                send(Err(broken_off("the log could not be read completely")));
                return;
            }
            Err(cause) => {
                tracing::error!(%cause, "an export broke off");
                send(Err(broken_off("the log could not be read")));
                return;
            }
        };
        let text: String = part.records.iter().map(|record| line(record, form)).collect();
        if !text.is_empty() && !send(Ok(text.into())) {
            return;
        }
        match part.next {
            Some(place) => walk.behind = Some(place),
            None => return,
        }
    }
}

fn broken_off(why: &'static str) -> std::io::Error {
    std::io::Error::other(why)
}

/// Of a row's members those that fit into a cell.
const COLUMNS: [&str; 22] = [
    "id",
    "event_id",
    "created_at",
    "provider",
    "model",
    "path",
    "request_type",
    "status_code",
    "success",
    "outcome",
    "cached",
    "streamed",
    "duration",
    "tokens_in",
    "tokens_out",
    "cost",
    "feedback",
    "score",
    "metadata",
    "user_agent",
    "finish",
    "step",
];

fn line(record: &Record, form: Form) -> String {
    let row = log::row(record);
    match form {
        Form::Lines => format!("{row}\n"),
        Form::Csv => {
            let cells: Vec<String> = COLUMNS.iter().map(|column| cell(&row[column])).collect();
            format!("{}\r\n", cells.join(","))
        }
    }
}

/// As RFC 4180 has it. What a stranger wrote must not become a formula in somebody's spreadsheet.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => {
            let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
            format!("\"{guard}{}\"", text.replace('"', "\"\""))
        }
        other => other.to_string(),
    }
}

// === impl Place ===

impl Place {
    fn take() -> Option<Self> {
        let taken = AT_WORK
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |taken| (taken < AT_ONCE_MAX).then_some(taken + 1));
        taken.ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        AT_WORK.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_neither_two_cells_nor_a_formula() {
        for (value, written) in [
            (json!("a,b"), "\"a,b\""),
            (json!("say \"hi\"\r\n"), "\"say \"\"hi\"\"\r\n\""),
            (json!("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\""),
            (json!("@x"), "\"'@x\""),
            (json!(-1.5), "-1.5"),
            (json!(true), "true"),
            (Value::Null, ""),
        ] {
            assert_eq!(cell(&value), written);
        }
    }
}
