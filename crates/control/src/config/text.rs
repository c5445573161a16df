//! The configuration written as TOML.
//!
//! Enters: things by name. Leaves: the same bytes for the same things. Never: a null, which TOML does not have; a value that holds one is written as the
//! text of its JSON.
//!
//! A writer of our own, because what people read and what `git diff` compares is the line: a setting a line, an element of a route a line.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::kinds::Name;

/// Longer ones are broken into lines.
const LINE_CHARS: usize = 110;

const HEAD: &str = "\
# Everything that is configured here, in one file. What is not said has its default.
#   tollgate plan FILE     what applying it would change, and for whom
#   tollgate apply FILE    all of it, or nothing
format = 1
";

pub(super) fn written<'a>(things: impl Iterator<Item = (&'a Name, &'a Map<String, Value>)>) -> String {
    let mut text = HEAD.to_owned();
    for (name, fields) in things {
        text.push_str(&section(&name.path(), fields));
    }
    text
}

/// A table with its header, and below it those of its members that are no line.
pub fn section(path: &[&str], fields: &Map<String, Value>) -> String {
    let header: Vec<String> = path.iter().map(|part| key(part)).collect();
    let mut text = format!("\n[{}]\n", header.join("."));
    let mut below = String::new();
    for (name, value) in fields {
        let line = format!("{} = {}", key(name), inline(value));
        match value {
            value if !is_sayable(value) => drop(writeln!(text, "{} = {}", key(name), quoted(value))),
            Value::Object(members) if !fits(&line) => below.push_str(&section(&[path, &[name]].concat(), members)),
            Value::Array(items) if !fits(&line) => drop(writeln!(text, "{} = [\n{}]", key(name), lines(items))),
            _ => drop(writeln!(text, "{line}")),
        }
    }
    text + &below
}

fn fits(line: &str) -> bool {
    line.chars().count() <= LINE_CHARS
}

fn lines(items: &[Value]) -> String {
    items.iter().map(|item| format!("  {},\n", inline(item))).collect()
}

/// The text of its JSON: an item a line, as far as the quotes allow.
fn quoted(value: &Value) -> String {
    let text = match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| format!("  {item}")).collect();
            format!("[\n{}\n]", items.join(",\n"))
        }
        other => other.to_string(),
    };
    let is_plain =
        !text.contains("''") && !text.chars().any(|char| char == '\u{7f}' || (char.is_control() && char != '\n'));
    if is_plain { format!("'''\n{text}'''") } else { string(&value.to_string()) }
}

/// On one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{} = {}", key(name), inline(value));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}

fn is_sayable(value: &Value) -> bool {
    match value {
        Value::Null => false,
        // A number between i64 and u64 has no place in TOML.
        Value::Number(number) => number.is_i64() || !number.is_u64(),
        Value::Array(items) => items.iter().all(is_sayable),
        Value::Object(members) => members.values().all(is_sayable),
        Value::Bool(_) | Value::String(_) => true,
    }
}

/// Bare where that is allowed.
fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { string(name) }
}

/// As JSON, whose escapes are all TOML's too but for the one control character that JSON leaves as it is.
fn string(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}
