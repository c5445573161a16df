//! One verb, done.
//!
//! Enters: a row and the parsed arguments. Leaves: what it answered, shown. Never: knows a resource by name, but for the words that people may leave out.

use std::collections::BTreeSet;

use anyhow::Context;
use clap::ArgMatches;
use serde_json::{Map, Value, json};
use tollgate_control::row::{Answers, Row, Verb};
use tollgate_control::shape::{Presence, Shape};

use super::{flags, show, spoken, told};
use crate::command::reach::{Pairs, Reach, Said};
use crate::command::show as out;

/// Rows that a list shows unless more are asked for; what grows with use is cut earlier.
const LIMIT_DEFAULT: usize = 1_000;
const LIMIT_OF_HISTORY: usize = 20;
const HISTORIES: [&str; 2] = ["log", "audit"];

pub(crate) fn run(reach: &Reach, (row, verb, arguments): (&'static Row, Verb, &ArgMatches)) -> anyhow::Result<()> {
    let path = path(reach, row, arguments)?;
    let query = flags::query(row, arguments)?;
    let json = arguments.get_flag("json");
    if matches!(row.answer, Answers::Page(_)) {
        return listed(reach, (row, verb), &path, &query, (limit(&verb, arguments)?, json));
    }
    let body = body(reach, (row, verb), &path, arguments)?;
    let (path, said) = ask(reach, row, path, &query, body.as_ref())?;
    warn(&said);
    if matches!(row.answer, Answers::Plain(_) | Answers::Stored) {
        return out::text(&said.text);
    }
    let result = said.result();
    match (json, verb.name, result.as_array()) {
        (true, ..) => out::json(&result),
        (false, "delete", None) => {
            out::text(&format!("deleted {} {}\n", verb.noun, path.last().map_or("", |(_, id)| id)))
        }
        (false, _, Some(rows)) => show::list(rows, verb.columns),
        (false, ..) => show::one(&result),
    }
}

/// With the store that is meant when none is named: the first.
fn path(reach: &Reach, row: &'static Row, arguments: &ArgMatches) -> anyhow::Result<Pairs> {
    let mut path = flags::path(row, arguments);
    if flags::segments(row).any(|name| name == "store") && path.iter().all(|(name, _)| name != "store") {
        let stores = told::all(reach, "store", &Vec::new()).unwrap_or_default();
        let first = stores.first().and_then(|store| store["id"].as_str());
        let first = first.context("there is no secrets store; `tollgate store create NAME` makes one")?;
        path.insert(0, ("store".to_owned(), first.to_owned()));
    }
    Ok(path)
}

fn limit(verb: &Verb, arguments: &ArgMatches) -> anyhow::Result<usize> {
    let usual = if HISTORIES.contains(&verb.noun) { LIMIT_OF_HISTORY } else { LIMIT_DEFAULT };
    let said = arguments.get_one::<String>("limit");
    said.map_or(Ok(usual), |text| text.parse().with_context(|| format!("--limit is a number, found {text:?}")))
}

/// Pages until there are rows enough, or one is empty.
fn listed(
    reach: &Reach,
    (row, verb): (&'static Row, Verb),
    path: &Pairs,
    query: &Pairs,
    (limit, json): (usize, bool),
) -> anyhow::Result<()> {
    let is_said = |name: &str| query.iter().any(|(each, _)| each == name);
    let most = row.query.iter().find(|member| member.name == "per_page").map_or(0, |member| match member.shape {
        Shape::Whole { max, .. } => max.min(100),
        _ => 0,
    });
    let (mut rows, mut total, mut page) = (Vec::new(), 0, 1);
    loop {
        let mut query = query.clone();
        if most > 0 && !is_said("page") && !is_said("per_page") {
            query.push(("page".to_owned(), page.to_string()));
            query.push(("per_page".to_owned(), most.min(limit.max(1) as u64).to_string()));
        }
        let said = ask(reach, row, path.clone(), &query, None)?.1;
        total = said.body["result_info"]["total_count"].as_u64().unwrap_or(total);
        let more: Vec<Value> = said.result().as_array().cloned().unwrap_or_default();
        let is_last = more.is_empty() || most == 0 || is_said("page") || is_said("per_page");
        rows.extend(more);
        if is_last || rows.len() >= limit || rows.len() as u64 >= total {
            break;
        }
        page += 1;
    }
    rows.truncate(limit);
    if json {
        return out::json(&Value::Array(rows));
    }
    show::list(&rows, verb.columns)?;
    if (rows.len() as u64) < total && !is_said("page") {
        note(&format!("{} of {total}; --limit {total} shows all", rows.len()));
    }
    Ok(())
}

/// By its id; and when there is none of that id, by its name.
fn ask(
    reach: &Reach,
    row: &'static Row,
    mut path: Pairs,
    query: &Pairs,
    body: Option<&Value>,
) -> anyhow::Result<(Pairs, Said)> {
    let mut said = reach.ask(row, &path, query, body)?;
    if said.status == http::StatusCode::NOT_FOUND && named(reach, &mut path) {
        said = reach.ask(row, &path, query, body)?;
    }
    if said.status.is_success() { Ok((path, said)) } else { Err(told::failed(reach, row, &path, &said)) }
}

/// Puts the id in the place of a name; whether there was one. A name that two things have is nobody's.
fn named(reach: &Reach, path: &mut Pairs) -> bool {
    let Some((segment, value)) = path.last().cloned() else { return false };
    let things = told::all(reach, told::noun_of(&segment), path).unwrap_or_default();
    let has = |thing: &&Value| ["name", "slug", "alias"].iter().any(|name| thing[*name].as_str() == Some(&value));
    let ids: BTreeSet<&str> = things.iter().filter(has).filter_map(|thing| thing["id"].as_str()).collect();
    let (Some(id), 1) = (ids.first(), ids.len()) else { return false };
    if let Some(last) = path.last_mut() {
        last.1 = (*id).to_owned();
    }
    true
}

fn body(
    reach: &Reach,
    (row, verb): (&'static Row, Verb),
    path: &Pairs,
    arguments: &ArgMatches,
) -> anyhow::Result<Option<Value>> {
    let Some(shape) = row.body else { return Ok(None) };
    let mut body = flags::body(row, &verb, arguments)?;
    let filled: Map<String, Value> = serde_json::from_str(verb.fills).unwrap_or_default();
    for (name, value) in filled {
        body.entry(name).or_insert(value);
    }
    if row.method == http::Method::PUT {
        keep(reach, (row, verb), path, &mut body)?;
    }
    let is_list = matches!(shape, Shape::List { .. });
    Ok(Some(if is_list { json!([body]) } else { body.into() }))
}

/// What an update must say whole, and nobody said, stays as it is.
fn keep(
    reach: &Reach,
    (row, verb): (&'static Row, Verb),
    path: &Pairs,
    body: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    let missing: Vec<&str> = flags::members(row)
        .filter(|member| {
            matches!(member.presence, Presence::Required | Presence::RequiredOrNull) && !body.contains_key(member.name)
        })
        .map(|member| member.name)
        .collect();
    let show = spoken().find(|spoken| {
        spoken.verb.noun == verb.noun && spoken.row.path == row.path && spoken.row.method == http::Method::GET
    });
    let (Some(show), false) = (show, missing.is_empty()) else { return Ok(()) };
    let there = ask(reach, show.row, path.clone(), &Vec::new(), None)?.1.result();
    for name in missing {
        if let Some(value) = there.get(name) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    Ok(())
}

/// Warnings go where they do not disturb a program that reads the result.
fn warn(said: &Said) {
    for message in said.body["messages"].as_array().into_iter().flatten() {
        note(&format!("warning: {}", message["message"].as_str().unwrap_or_default()));
    }
}

#[allow(clippy::print_stderr)]
fn note(text: &str) {
    eprintln!("{text}");
}
