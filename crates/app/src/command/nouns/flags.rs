//! Members of a row as arguments of a command, and back.
//!
//! Enters: shapes, parsed arguments. Leaves: arguments for the parser, values for a query or a body. Never: takes a secret from the command line, where
//! every process of the machine could read it.

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches};
use serde_json::{Map, Value};
use tollgate_control::row::{Row, Verb};
use tollgate_control::shape::{Member, Presence, Shape};

use super::kept;
use super::value::{input, piped, value};
use crate::command::reach::Pairs;

/// Members that hold secrets: they come from a file or from standard input.
const SECRETS: [&str; 4] = ["secret", "value", "headers", "authorization"];
/// Shorter names that people know.
const SHORT: [(&str, &str); 6] = [
    ("rate_limiting_limit", "rate-limit"),
    ("rate_limiting_interval", "rate-interval"),
    ("rate_limiting_technique", "technique"),
    ("rate_limit_period", "rate-period"),
    ("default_config", "default"),
    ("secret", "from"),
];
const GATEWAY: &str = "default";
/// The parser's own arguments; a member of that name is reached by `--body`.
const TAKEN: [&str; 9] = ["config", "data-dir", "url", "token", "account", "json", "body", "limit", "help"];

/// What the path names, but the account.
pub(super) fn segments(row: &Row) -> impl Iterator<Item = &'static str> {
    let names = row.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.filter(|name| *name != "account")
}

/// The thing itself stands behind the verb; what it belongs to is an option.
pub(super) fn is_itself(row: &Row, name: &str) -> bool {
    segments(row).last() == Some(name)
        && !(name == "gateway" && belongs_to_gateway(row))
        && !(name == "store" && row.path.contains("/secrets"))
}

fn belongs_to_gateway(row: &Row) -> bool {
    row.path.split("{gateway}/").nth(1).is_some_and(|rest| rest != "cache")
}

/// Members of the body, also where the body is a list of one.
pub(super) fn members(row: &Row) -> impl Iterator<Item = &'static Member> {
    row.body.into_iter().flat_map(|shape| of(shape))
}

fn of(shape: &'static Shape) -> Vec<&'static Member> {
    match shape {
        Shape::Object(members) => members.iter().collect(),
        Shape::Parts(parts) => parts.iter().flat_map(|part| part.iter()).collect(),
        Shape::Named(_, of) | Shape::Some(of) | Shape::OrNull(of) | Shape::List { of, .. } => self::of(of),
        _ => Vec::new(),
    }
}

/// The first thing that a new one must have needs no flag.
pub(super) fn heading(row: &Row) -> Option<&'static Member> {
    let simple =
        |member: &&Member| member.presence == Presence::Required && is_simple(&member.shape) && !is_secret(member.name);
    (row.method != http::Method::PUT).then(|| members(row).find(simple)).flatten()
}

pub(super) fn is_simple(shape: &Shape) -> bool {
    matches!(
        plain(shape),
        Shape::Text { .. } | Shape::Url { .. } | Shape::Word(_) | Shape::Whole { .. } | Shape::Number { .. }
    )
}

pub(super) fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name)
}

/// Without what only wraps it.
pub(super) fn plain(shape: &Shape) -> &Shape {
    match shape {
        Shape::Named(_, of) | Shape::Some(of) | Shape::OrNull(of) | Shape::Like(of, _) => plain(of),
        shape => shape,
    }
}

pub(super) fn positionals(row: &'static Row) -> Vec<Arg> {
    let itself = segments(row).find(|name| is_itself(row, name));
    let mut all: Vec<Arg> = Vec::new();
    if let Some(name) = itself {
        all.push(
            Arg::new(kept(&format!("path:{name}")))
                .value_name(kept(&name.to_uppercase()))
                .required(true)
                .help("Its id, or its name"),
        );
    }
    if let Some(member) = heading(row) {
        let id = kept(&format!("heading:{}", member.name));
        all.push(Arg::new(id).value_name(kept(&member.name.to_uppercase())).help(member.doc));
    }
    if asks(row) {
        all.push(
            Arg::new("heading:q")
                .value_name("QUESTION")
                .help("Such as 'status:>=400 model:gpt-5* since:24h'; docs/logs.md has all of it"),
        );
    }
    all
}

/// A question in one line.
fn asks(row: &Row) -> bool {
    row.query.iter().any(|member| member.name == "q")
}

pub(super) fn flags(row: &'static Row, verb: &Verb) -> Vec<Arg> {
    let mut all: Vec<Arg> = Vec::new();
    for name in segments(row).filter(|name| !is_itself(row, name)) {
        let arg = Arg::new(kept(&format!("path:{name}"))).long(name).value_name("ID");
        all.push(match name {
            "gateway" => arg.default_value(GATEWAY).help("Whose they are"),
            "store" => arg.help("The secrets store [default: the first]"),
            _ => arg.required(true).help("Its id"),
        });
    }
    for (from, member) in row.query.iter().map(|each| ("query", each)).chain(members(row).map(|each| ("body", each))) {
        let long = member.name.replace(['_', '.'], "-").to_lowercase();
        let there = all.iter().any(|each| each.get_long() == Some(&long));
        if !there && !TAKEN.contains(&long.as_str()) && member.name != "q" {
            all.push(flag(from, member, &long, verb));
        }
    }
    all
}

fn flag(from: &str, member: &'static Member, long: &str, verb: &Verb) -> Arg {
    let many = matches!(plain(&member.shape), Shape::List { of, .. } if is_simple(of));
    let action = if many { ArgAction::Append } else { ArgAction::Set };
    let mut arg = Arg::new(kept(&format!("{from}:{}", member.name)));
    arg = arg.long(kept(long)).value_name(hint(member)).allow_negative_numbers(true).action(action).help(member.doc);
    // A flag by itself means yes.
    if matches!(plain(&member.shape), Shape::Flag | Shape::Switch) {
        arg = arg.num_args(0..=1).default_missing_value("true");
    }
    match SHORT.iter().find(|(name, short)| *name == member.name && (*short != "from" || verb.noun == "key")) {
        Some((_, short)) if from == "body" => arg.visible_alias(*short),
        _ => arg,
    }
}

pub(super) fn hint(member: &Member) -> &'static str {
    if is_secret(member.name) {
        return "@FILE|-|env:NAME";
    }
    match plain(&member.shape) {
        Shape::Flag | Shape::Switch => "BOOL",
        Shape::Whole { .. } | Shape::Number { .. } | Shape::Positive => "NUMBER",
        Shape::Url { .. } => "URL",
        Shape::Time => "TIME",
        Shape::Word(words) if words.len() <= 4 => kept(&words.join("|")),
        Shape::Text { .. } | Shape::Word(_) => "TEXT",
        Shape::List { of, .. } if is_simple(of) => "TEXT,...",
        _ => "JSON|FILE",
    }
}

pub(super) fn path(row: &Row, arguments: &ArgMatches) -> Pairs {
    let said =
        |name: &'static str| Some((name.to_owned(), arguments.get_one::<String>(&format!("path:{name}"))?.clone()));
    segments(row).filter_map(said).collect()
}

pub(super) fn query(row: &Row, arguments: &ArgMatches) -> anyhow::Result<Pairs> {
    let mut pairs = Pairs::new();
    for member in row.query {
        let id = format!("query:{}", member.name);
        if !arguments.ids().any(|each| each.as_str() == id) {
            continue;
        }
        pairs.extend(
            arguments
                .get_many::<String>(&id)
                .into_iter()
                .flatten()
                .map(|value| (member.name.to_owned(), value.clone())),
        );
    }
    if asks(row) {
        pairs.extend(arguments.get_one::<String>("heading:q").map(|text| ("q".to_owned(), text.clone())));
    }
    Ok(pairs)
}

/// What was said of the body's members, whichever way.
pub(super) fn body(row: &Row, verb: &Verb, arguments: &ArgMatches) -> anyhow::Result<Map<String, Value>> {
    let mut body: Map<String, Value> = match arguments.get_one::<String>("body") {
        Some(text) => serde_json::from_str(&input(text)?).context("--body is no JSON object")?,
        None => Map::new(),
    };
    for member in members(row) {
        let ids = [format!("heading:{}", member.name), format!("body:{}", member.name)];
        for id in ids.iter().filter(|id| arguments.ids().any(|each| each.as_str() == **id)) {
            let said: Vec<&String> = arguments.get_many::<String>(id).into_iter().flatten().collect();
            body.insert(member.name.to_owned(), value(member, &said)?);
        }
    }
    if let Some(secret) = members(row).find(|member| is_secret(member.name) && wants(row, verb, member, &body)) {
        body.insert(secret.name.to_owned(), piped(secret.name)?);
    }
    Ok(body)
}

/// A key is what standard input is for, when nothing else was said.
fn wants(row: &Row, verb: &Verb, member: &Member, body: &Map<String, Value>) -> bool {
    let is_key = matches!(verb.noun, "key" | "secret") && !body.contains_key(member.name);
    let is_new =
        row.method == http::Method::POST && (member.presence == Presence::Required || !body.contains_key("secret_id"));
    is_key && verb.name != "duplicate" && (is_new || body.is_empty())
}
