//! What went wrong, and what to do about it.
//!
//! Enters: an answer that is no success. Leaves: an error with an exit status, and a hint. Never: only repeats what the server said.
//!
//! Exit statuses: 0 done, 1 anything else, 2 the command line is wrong, 3 not allowed, 4 not there, 5 refused as it was said, 6 no answer.

use std::fmt;

use http::StatusCode;
use serde_json::Value;
use tollgate_control::row::Row;

use super::spoken;
use crate::command::reach::{Pairs, Reach, Said};

const FORBIDDEN: u8 = 3;
const MISSING: u8 = 4;
const REFUSED: u8 = 5;
const UNREACHABLE: u8 = 6;
/// How much of a name may be mistyped.
const LIKENESS_MIN: f64 = 0.7;

/// An error with an exit status of its own.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) code: u8,
    said: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for Failed {}

fn fail(code: u8, said: impl Into<String>) -> anyhow::Error {
    Failed { code, said: said.into() }.into()
}

pub(crate) fn unreachable(cause: anyhow::Error) -> anyhow::Error {
    fail(
        UNREACHABLE,
        format!(
            "{cause:#}\nIs it running? `tollgate serve` starts one; without --url (or TOLLGATE_URL) the data directory is used"
        ),
    )
}

/// Of a row that was asked.
pub(crate) fn failed(reach: &Reach, row: &'static Row, path: &Pairs, said: &Said) -> anyhow::Error {
    let lines = lines(&said.body).unwrap_or_else(|| said.text.clone());
    match said.status {
        StatusCode::UNAUTHORIZED => fail(
            FORBIDDEN,
            "the token is not known here (any more): `tollgate token create --name me --permissions admin` on the server's machine makes one; give it as TOLLGATE_TOKEN",
        ),
        StatusCode::FORBIDDEN if code(&said.body) == Some(10_000) => {
            fail(FORBIDDEN, format!("the token may not do this; needed: {}", needed(row)))
        }
        StatusCode::FORBIDDEN => fail(FORBIDDEN, lines),
        StatusCode::NOT_FOUND => missing(reach, row, path, &lines),
        status if status.is_client_error() => fail(REFUSED, format!("{lines}{}", remedy(row, path, said))),
        status => fail(UNREACHABLE, format!("the server said {}: {lines}; try again in a moment", status.as_u16())),
    }
}

fn code(body: &Value) -> Option<u64> {
    body["errors"][0]["code"].as_u64()
}

fn needed(row: &Row) -> String {
    match row.access {
        tollgate_control::row::Access::Guarded(needs, _) => needs.said(),
        _ => "none".to_owned(),
    }
}

/// A fault a line: where, and what is wrong.
fn lines(body: &Value) -> Option<String> {
    let one = |error: &Value| {
        let steps = error["path"].as_array().into_iter().flatten();
        let steps: Vec<String> =
            steps.map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned)).collect();
        let at = match steps.split_first() {
            Some((first, rest)) if first == "body" || first == "query" => rest.join("."),
            _ => steps.join("."),
        };
        let message = error["message"].as_str().unwrap_or_default();
        if at.is_empty() { message.to_owned() } else { format!("{at}: {message}") }
    };
    let errors = body["errors"].as_array().filter(|errors| !errors.is_empty())?;
    Some(errors.iter().map(one).collect::<Vec<_>>().join("\n"))
}

fn remedy(row: &Row, path: &Pairs, said: &Said) -> String {
    let Some(verb) = row.verb else { return String::new() };
    let update = spoken().any(|other| other.verb.noun == verb.noun && other.verb.name == "update");
    match said.text.contains("already exists") && row.method == http::Method::POST && update {
        true => format!(
            "\nchange it with `tollgate {} update {}`, or choose another name",
            verb.noun,
            path.last().map_or("NAME", |_| "NAME")
        ),
        false => String::new(),
    }
}

/// What the path names, from the outermost: the first that is not there is the reason.
fn missing(reach: &Reach, row: &'static Row, path: &Pairs, said: &str) -> anyhow::Error {
    for (segment, value) in path {
        let noun = noun_of(segment);
        let Some(names) = names(reach, noun, path) else { continue };
        if names.iter().any(|name| name == value) {
            continue;
        }
        let near = names.iter().map(|name| (strsim::jaro_winkler(name, value), name));
        let near = near.filter(|(likeness, _)| *likeness >= LIKENESS_MIN).max_by(|a, b| a.0.total_cmp(&b.0));
        let did_you_mean = near.map_or_else(String::new, |(_, name)| format!(" (did you mean {name:?}?)"));
        return fail(
            MISSING,
            format!("no {noun} {value:?}{did_you_mean}; `tollgate {noun} list` shows those there are"),
        );
    }
    let noun = row.verb.map_or("such thing", |verb| verb.noun);
    fail(MISSING, format!("no {noun}: {said}"))
}

/// Most segments are called as the noun is.
pub(super) fn noun_of(segment: &str) -> &str {
    match segment {
        "config" => "key",
        "custom_provider" => "custom-provider",
        "hostname" => "domain",
        "id" => "log",
        other => other,
    }
}

/// Ids and names of all there are; nothing where there are too many to tell.
fn names(reach: &Reach, noun: &str, path: &Pairs) -> Option<Vec<String>> {
    let rows = all(reach, noun, path)?;
    let texts =
        |row: &Value| ["id", "name", "slug", "hostname", "alias"].map(|name| row[name].as_str().map(str::to_owned));
    Some(rows.iter().flat_map(texts).flatten().collect())
}

/// The things of a noun, as its list tells them.
pub(super) fn all(reach: &Reach, noun: &str, path: &Pairs) -> Option<Vec<Value>> {
    let list =
        spoken().find(|spoken| spoken.verb.noun == noun && spoken.verb.name == "list").filter(|_| noun != "log")?;
    let query = list.row.query.iter().find(|member| member.name == "per_page");
    let query: Pairs = query.map(|member| (member.name.to_owned(), "100".to_owned())).into_iter().collect();
    let said = reach.ask(list.row, path, &query, None).ok()?;
    said.status.is_success().then(|| said.result().as_array().cloned()).flatten()
}
