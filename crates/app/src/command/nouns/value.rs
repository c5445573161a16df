//! What was said of a member, as JSON.
//!
//! Enters: a member of the table and the words of a command line. Leaves: a value of its kind; what it may be, the row judges. Never: takes a secret from
//! the command line.

use std::io::Read;

use anyhow::Context;
use serde_json::Value;
use tollgate_control::shape::{Member, Shape};

use super::flags::{hint, is_secret, is_simple, plain};

/// More than any body may have.
const INPUT_BYTES_MAX: u64 = 16 << 20;

pub(super) fn piped(name: &str) -> anyhow::Result<Value> {
    let text = input("-")?;
    let text = text.trim();
    anyhow::ensure!(!text.is_empty(), "there is no {name} on standard input: write `... < file`, or --{name} env:NAME");
    Ok(text.into())
}

pub(super) fn value(member: &Member, said: &[&String]) -> anyhow::Result<Value> {
    let Some(last) = said.last() else { return Ok(Value::Null) };
    if is_secret(member.name) {
        return secret(member.name, last);
    }
    if let Shape::List { of, .. } = plain(&member.shape)
        && is_simple(of)
        && !last.starts_with('[')
    {
        let parts = said.iter().flat_map(|text| text.split(',')).filter(|part| !part.is_empty());
        return Ok(parts.map(Value::from).collect());
    }
    one(member, last)
}

fn one(member: &Member, text: &str) -> anyhow::Result<Value> {
    let flag = member.name.replace('_', "-");
    match plain(&member.shape) {
        Shape::Text { .. } | Shape::Url { .. } | Shape::Word(_) | Shape::Time if text != "null" => Ok(text.into()),
        Shape::Any => Ok(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        Shape::Flag | Shape::Switch | Shape::Whole { .. } | Shape::Number { .. } | Shape::Positive => {
            let read = serde_json::from_str::<Value>(text)
                .ok()
                .filter(|value| value.is_number() || value.is_boolean() || value.is_null());
            read.with_context(|| format!("--{flag} is {}, found {text:?}", hint(member).to_lowercase()))
        }
        _ if text == "null" => Ok(Value::Null),
        _ => {
            let is_json = text.starts_with(['[', '{', '"']);
            let text = if is_json { text.to_owned() } else { input(text)? };
            let read: Value = serde_json::from_str(&text).with_context(|| format!("--{flag} is not JSON"))?;
            // A file may hold the list alone, or an object that has it under its name.
            Ok(read.get(member.name).cloned().unwrap_or(read))
        }
    }
}

fn secret(name: &str, text: &str) -> anyhow::Result<Value> {
    if text.starts_with("env:") || text.starts_with("file:/") {
        return Ok(text.into());
    }
    let is_input = text == "-" || text.starts_with('@') || std::path::Path::new(text).is_file();
    anyhow::ensure!(
        is_input,
        "--{name} takes no secret itself, which every process here could read: give @FILE, - for standard input, env:NAME or file:/path"
    );
    Ok(input(text)?.trim().into())
}

/// `-` is standard input, `@FILE` and FILE a file, and what begins like JSON is itself.
pub(super) fn input(text: &str) -> anyhow::Result<String> {
    if text.starts_with(['{', '[']) {
        return Ok(text.to_owned());
    }
    let mut read = String::new();
    let name = text.strip_prefix('@').unwrap_or(text);
    let done = match name {
        "-" => std::io::stdin().take(INPUT_BYTES_MAX).read_to_string(&mut read),
        name => std::fs::File::open(name).and_then(|file| file.take(INPUT_BYTES_MAX).read_to_string(&mut read)),
    };
    done.with_context(|| format!("cannot read {name}"))?;
    Ok(read)
}
