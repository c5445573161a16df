//! One operator with what it compares to.
//!
//! Enters: what stands at a path. Leaves: whether it passes. Never: looks further into a text than a bound.
//!
//! Types: a number equals a number of the same value, a text the same text, and so on; a text never equals a number. Labels (headers, metadata)
//! are the exception: they arrive as text or were typed in by hand, so the label `42` equals both `42` and `"42"`. An array in the body matches
//! when it, or one of its elements, does.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::{Number, Value};

use super::super::path::Found;

/// A prompt may be long; who looks for a word looks at its beginning.
pub(super) const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Elements of an array that are looked at.
const ITEMS_MAX: usize = 1_000;

#[derive(Clone, Debug)]
pub(crate) enum Test {
    Equal(Value),
    In(Vec<Value>),
    Compare(Ordered, Value),
    Exists(bool),
    Matches(Regex),
    Not(Vec<Test>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ordered {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

// === impl Test ===

impl Test {
    pub(crate) fn passes(&self, found: Found<'_>) -> bool {
        match self {
            Self::Equal(wanted) => any(found, &|found| equal(found, wanted)),
            Self::In(wanted) => any(found, &|found| wanted.iter().any(|wanted| equal(found, wanted))),
            Self::Compare(ordered, bound) => {
                any(found, &|found| compare(found, bound).is_some_and(|is| ordered.allows(is)))
            }
            Self::Exists(wanted) => *wanted != matches!(found, Found::Missing),
            Self::Matches(regex) => any(found, &|found| text(found).is_some_and(|text| regex.is_match(short(text)))),
            Self::Not(tests) => !tests.iter().all(|test| test.passes(found)),
        }
    }
}

// === impl Ordered ===

impl Ordered {
    fn allows(self, is: Ordering) -> bool {
        match self {
            Self::Greater => is.is_gt(),
            Self::GreaterOrEqual => is.is_ge(),
            Self::Less => is.is_lt(),
            Self::LessOrEqual => is.is_le(),
        }
    }
}

/// The value itself, or one of its elements.
fn any(found: Found<'_>, passes: &dyn Fn(Found<'_>) -> bool) -> bool {
    let items = match found {
        Found::Json(Value::Array(items)) => items.as_slice(),
        _ => &[],
    };
    passes(found) || items.iter().take(ITEMS_MAX).any(|item| passes(Found::Json(item)))
}

fn equal(found: Found<'_>, wanted: &Value) -> bool {
    match (found, wanted) {
        (Found::Json(Value::Number(number)), Value::Number(wanted)) => order(number, wanted) == Some(Ordering::Equal),
        (Found::Json(value), wanted) => value == wanted,
        (Found::Label(label), Value::String(wanted)) => label == wanted,
        (Found::Label(label), Value::Number(wanted)) => {
            number(label).is_some_and(|label| order(&label, wanted) == Some(Ordering::Equal))
        }
        (Found::Label(label), Value::Bool(wanted)) => label == spelled(*wanted),
        (Found::Flag(flag), Value::Bool(wanted)) => flag == *wanted,
        (Found::Flag(flag), Value::String(wanted)) => spelled(flag) == wanted,
        (Found::Null, Value::Null) => true,
        _ => false,
    }
}

/// Numbers by value, texts by their bytes; a label by value when it and the bound are numbers.
fn compare(found: Found<'_>, bound: &Value) -> Option<Ordering> {
    match (found, bound) {
        (Found::Json(Value::Number(found)), Value::Number(bound)) => order(found, bound),
        (Found::Label(label), Value::Number(bound)) => order(&number(label)?, bound),
        (found, Value::String(bound)) => Some(text(found)?.cmp(bound.as_str())),
        _ => None,
    }
}

fn order(a: &Number, b: &Number) -> Option<Ordering> {
    let whole = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn number(label: &str) -> Option<Number> {
    // Longer texts are no numbers that anyone compares.
    Some(label.trim()).filter(|label| label.len() <= 40).and_then(|label| label.parse().ok())
}

fn text(found: Found<'_>) -> Option<&str> {
    match found {
        Found::Label(text) => Some(text),
        Found::Json(Value::String(text)) => Some(text),
        Found::Json(Value::Bool(flag)) => Some(spelled(*flag)),
        Found::Flag(flag) => Some(spelled(flag)),
        _ => None,
    }
}

fn spelled(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}
