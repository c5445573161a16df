//! Says in words why a condition holds or not.
//!
//! Enters: a condition and the facts. Leaves: the part that decided. Never: shows what a header or the body says.

use serde_json::Value;

use crate::facts::Facts;

use super::super::path::Found;
use super::{Condition, Ordered, Test};

/// What is told of a value, and of a list of values.
const VALUE_CHARS_MAX: usize = 48;
const PARTS_TOLD_MAX: usize = 3;

pub(super) fn why(condition: &Condition, facts: &Facts) -> String {
    match condition {
        Condition::All(parts) if parts.is_empty() => "there is no condition".to_owned(),
        Condition::All(parts) => match parts.iter().find(|part| !part.holds(facts)) {
            Some(failing) => why(failing, facts),
            None => told(parts, facts, " and "),
        },
        Condition::Any(parts) => match parts.iter().find(|part| part.holds(facts)) {
            Some(holding) => why(holding, facts),
            None => told(parts, facts, " nor "),
        },
        Condition::Not(part) => format!("not: {}", why(part, facts)),
        Condition::At(path, tests) => {
            let found = path.find(facts);
            let deciding = tests.iter().find(|test| !test.passes(found));
            let tests = deciding.map_or(tests.as_slice(), std::slice::from_ref);
            let tests: Vec<String> = tests.iter().map(wanted).collect();
            format!("{} {}: {}", path.text, tests.join(" "), seen(found, path.may_be_shown()))
        }
    }
}

fn told(parts: &[Condition], facts: &Facts, between: &str) -> String {
    let mut words: Vec<String> = parts.iter().take(PARTS_TOLD_MAX).map(|part| why(part, facts)).collect();
    if parts.len() > PARTS_TOLD_MAX {
        words.push(format!("{} more", parts.len() - PARTS_TOLD_MAX));
    }
    words.join(between)
}

fn wanted(test: &Test) -> String {
    match test {
        Test::Equal(value) => format!("$eq {}", short(value)),
        Test::In(values) => format!("$in {}", short(&Value::Array(values.clone()))),
        Test::Compare(ordered, bound) => format!("{} {}", word(*ordered), short(bound)),
        Test::Exists(wanted) => format!("$exists {wanted}"),
        Test::Matches(regex) => format!("$regex {}", short(&Value::from(regex.as_str()))),
        Test::Not(tests) => match tests.as_slice() {
            [Test::Equal(value)] => format!("$ne {}", short(value)),
            [Test::In(values)] => format!("$nin {}", short(&Value::Array(values.clone()))),
            tests => format!("$not ({})", tests.iter().map(wanted).collect::<Vec<_>>().join(" ")),
        },
    }
}

fn word(ordered: Ordered) -> &'static str {
    match ordered {
        Ordered::Greater => "$gt",
        Ordered::GreaterOrEqual => "$gte",
        Ordered::Less => "$lt",
        Ordered::LessOrEqual => "$lte",
    }
}

fn seen(found: Found<'_>, may_be_shown: bool) -> String {
    match found {
        Found::Missing => "missing".to_owned(),
        _ if !may_be_shown => "present".to_owned(),
        Found::Json(value) => format!("is {}", short(value)),
        Found::Flag(flag) => format!("is {flag}"),
        Found::Label(text) => format!("is {}", short(&Value::from(text))),
        Found::Null => "is null".to_owned(),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
