//! What a JSON value must look like, as data.
//!
//! Enters: a shape and a value. Leaves: the value in its plain form (unknown members dropped, defaults filled in), and every fault at once.
//! Never: stops at the first fault. Whoever fills in a form wants to hear of all of them.
//!
//! The wording is that of the validator behind the original (zod 3): clients show these texts to people.

use serde_json::{Map, Value};

use crate::time;

pub use self::fault::{Fault, Step};

mod fault;

#[derive(Debug)]
pub enum Shape {
    Flag,
    /// A flag that clients may write as 0 or 1, because the original answers it so.
    Switch,
    /// A whole number, both bounds inclusive.
    Whole {
        min: u64,
        max: u64,
    },
    /// A number above zero.
    Positive,
    /// Any number, both bounds inclusive.
    Number {
        min: f64,
        max: f64,
    },
    /// Lengths in characters.
    Text {
        min: usize,
        max: usize,
    },
    /// An absolute http or https URL.
    Url {
        max: usize,
    },
    Word(&'static [&'static str]),
    List {
        of: &'static Shape,
        max: usize,
    },
    Object(&'static [Member]),
    /// Any keys; all values of one shape.
    Map(&'static Shape),
    /// Any of these keys; all values of one shape.
    Keys(&'static [&'static str], &'static Shape),
    /// The first when the object has this member, else the second.
    ByMember(&'static str, &'static Shape, &'static Shape),
    /// An object whose members stand in several tables.
    Parts(&'static [&'static [Member]]),
    /// RFC 3339, or a day.
    Time,
    /// Any JSON.
    Any,
    OrNull(&'static Shape),
    /// A list with at least one entry.
    Some(&'static Shape),
    /// Text that the desk judges, in words of its own; those that know regular expressions are told this one.
    Like(&'static Shape, &'static str),
    /// Told once in the OpenAPI document, under this name.
    Named(&'static str, &'static Shape),
}

#[derive(Debug)]
pub struct Member {
    pub name: &'static str,
    pub shape: Shape,
    pub presence: Presence,
    /// The manual: rendered to the reference page.
    pub doc: &'static str,
}

/// What its absence means. A `null` counts as absence, except where it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Required,
    /// The member must be there, but may be `null`, and then is kept so.
    RequiredOrNull,
    Optional,
    /// Filled in with this JSON text.
    Default(&'static str),
}

/// More entries than anyone needs; a bound for maps whose size the original leaves open.
const MAP_ENTRIES_MAX: usize = 256;
pub(crate) const TEXT_CHARS_MAX: usize = 16 * 1024;
pub(crate) const COUNT_MAX: u64 = (1 << 53) - 1;

// === impl Member ===

impl Member {
    /// One line of a table: name, shape, presence, manual.
    pub const fn of(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Self {
        Self { name, shape, presence, doc }
    }
}

// === impl Shape ===

impl Shape {
    /// Text without bounds of its own.
    pub const TEXT: Shape = Shape::Text { min: 0, max: TEXT_CHARS_MAX };
    /// A count, a size, a number of milliseconds: up to what every client's JSON can carry exactly.
    pub const COUNT: Shape = Shape::Whole { min: 0, max: COUNT_MAX };

    /// `None` when there was a fault.
    pub fn read(&self, value: &Value, at: &mut Vec<Step>, faults: &mut Vec<Fault>) -> Option<Value> {
        let before = faults.len();
        let read = self.read_tolerantly(value, at, faults);
        read.filter(|_| faults.len() == before)
    }

    /// Whether an empty object is good, so that a body may as well be missing.
    pub(crate) fn takes_nothing(&self) -> bool {
        self.read(&Value::Object(Map::new()), &mut Vec::new(), &mut Vec::new()).is_some()
    }

    fn read_tolerantly(&self, value: &Value, at: &mut Vec<Step>, faults: &mut Vec<Fault>) -> Option<Value> {
        match (self, value) {
            (Self::Flag | Self::Switch, Value::Bool(_)) => Some(value.clone()),
            (Self::Switch, Value::Number(number)) if number.as_u64().is_some_and(|number| number < 2) => {
                Some((number.as_u64() == Some(1)).into())
            }
            (Self::Whole { min, max }, Value::Number(_)) => note(whole(value, *min, *max), at, faults),
            (Self::Positive, Value::Number(_)) => note(positive(value), at, faults),
            (Self::Number { min, max }, Value::Number(_)) => note(number(value, *min, *max), at, faults),
            (Self::Text { min, max }, Value::String(text)) => note(bounded(text, *min, *max), at, faults),
            (Self::Url { max }, Value::String(text)) => note(url(text, *max), at, faults),
            (Self::Word(words), Value::String(text)) => note(word(text, words), at, faults),
            (Self::List { of, max }, Value::Array(items)) => list(of, *max, items, at, faults),
            (Self::Object(members), Value::Object(object)) => {
                Some(Value::Object(object_of(members, object, at, faults)))
            }
            (Self::Map(of), Value::Object(object)) => map(of, object, at, faults),
            (Self::Keys(keys, of), Value::Object(object)) => Some(keyed(keys, of, object, at, faults)),
            (Self::ByMember(name, with, without), Value::Object(object)) => {
                if object.contains_key(*name) { with } else { without }.read(value, at, faults)
            }
            (Self::Parts(parts), Value::Object(object)) => {
                let read = parts.iter().flat_map(|members| object_of(members, object, at, faults));
                Some(Value::Object(read.collect()))
            }
            (Self::Time, Value::String(text)) => note(moment(text), at, faults),
            (Self::Any, _) | (Self::OrNull(_), Value::Null) => Some(value.clone()),
            (Self::Some(_), Value::Array(items)) if items.is_empty() => {
                note(Err("Array must contain at least 1 element(s)".to_owned()), at, faults)
            }
            (Self::OrNull(of) | Self::Some(of) | Self::Like(of, _) | Self::Named(_, of), _) => {
                of.read(value, at, faults)
            }
            _ => note(Err(format!("Expected {}, received {}", self.expected(), type_name(value))), at, faults),
        }
    }

    fn expected(&self) -> String {
        let name = match self {
            Self::Flag | Self::Switch => "boolean",
            Self::Whole { .. } | Self::Positive | Self::Number { .. } => "number",
            Self::Text { .. } | Self::Url { .. } | Self::Time => "string",
            Self::Word(words) => return alternatives(words),
            Self::List { .. } => "array",
            Self::Object(_) | Self::Map(_) | Self::Keys(..) | Self::ByMember(..) | Self::Parts(_) => "object",
            Self::Any => "any",
            Self::OrNull(of) | Self::Some(of) | Self::Like(of, _) | Self::Named(_, of) => return of.expected(),
        };
        name.to_owned()
    }
}

/// Reads the members that are listed and drops all others.
pub fn object_of(
    members: &[Member],
    object: &Map<String, Value>,
    at: &mut Vec<Step>,
    faults: &mut Vec<Fault>,
) -> Map<String, Value> {
    let mut read = Map::new();
    for member in members {
        at.push(Step::Name(member.name.to_owned()));
        if let Some(value) = read_member(member, object.get(member.name), at, faults) {
            read.insert(member.name.to_owned(), value);
        }
        at.pop();
    }
    read
}

fn read_member(member: &Member, value: Option<&Value>, at: &mut Vec<Step>, faults: &mut Vec<Fault>) -> Option<Value> {
    match (member.presence, value) {
        (Presence::Required | Presence::RequiredOrNull, None) => note(Err("Required".to_owned()), at, faults),
        (Presence::RequiredOrNull, Some(Value::Null)) => Some(Value::Null),
        (Presence::Optional, None | Some(Value::Null)) => None,
        (Presence::Default(text), None | Some(Value::Null)) => serde_json::from_str(text).ok(),
        (_, Some(value)) => member.shape.read(value, at, faults),
    }
}

fn note(read: Result<Value, String>, at: &[Step], faults: &mut Vec<Fault>) -> Option<Value> {
    read.map_err(|message| faults.push(Fault { path: at.to_vec(), message })).ok()
}

fn whole(value: &Value, min: u64, max: u64) -> Result<Value, String> {
    let number = value.as_f64().unwrap_or(f64::NAN);
    if number.fract() != 0.0 {
        return Err("Expected integer, received float".to_owned());
    }
    if number < min as f64 {
        return Err(format!("Number must be greater than or equal to {min}"));
    }
    // 5.0 is a whole number too: JavaScript and some encoders write it so.
    match value.as_u64().or_else(|| (number <= 9e15).then_some(number as u64)) {
        Some(whole) if whole <= max => Ok(whole.into()),
        _ => Err(format!("Number must be less than or equal to {max}")),
    }
}

fn positive(value: &Value) -> Result<Value, String> {
    if value.as_f64().is_some_and(|number| number > 0.0) {
        Ok(value.clone())
    } else {
        Err("Number must be greater than 0".to_owned())
    }
}

fn number(value: &Value, min: f64, max: f64) -> Result<Value, String> {
    match value.as_f64() {
        Some(number) if number < min => Err(format!("Number must be greater than or equal to {min}")),
        Some(number) if number > max => Err(format!("Number must be less than or equal to {max}")),
        _ => Ok(value.clone()),
    }
}

fn moment(text: &str) -> Result<Value, String> {
    time::read(text).map(|_| text.into()).ok_or_else(|| "Invalid datetime".to_owned())
}

fn bounded(text: &str, min: usize, max: usize) -> Result<Value, String> {
    let chars = text.chars().count();
    if chars < min {
        return Err(format!("String must contain at least {min} character(s)"));
    }
    if chars > max {
        return Err(format!("String must contain at most {max} character(s)"));
    }
    Ok(text.into())
}

fn url(text: &str, max: usize) -> Result<Value, String> {
    let host = |uri: &http::Uri| uri.host().is_some_and(|host| !host.is_empty());
    let known = |uri: &http::Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    match text.parse::<http::Uri>() {
        Ok(uri) if known(&uri) && host(&uri) => bounded(text, 0, max),
        _ => Err("Invalid url".to_owned()),
    }
}

fn word(text: &str, words: &[&str]) -> Result<Value, String> {
    if words.contains(&text) {
        Ok(text.into())
    } else {
        Err(format!("Invalid enum value. Expected {}, received '{text}'", alternatives(words)))
    }
}

fn list(of: &Shape, max: usize, items: &[Value], at: &mut Vec<Step>, faults: &mut Vec<Fault>) -> Option<Value> {
    if items.len() > max {
        return note(Err(format!("Array must contain at most {max} element(s)")), at, faults);
    }
    let mut read = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        at.push(Step::Index(index));
        read.extend(of.read(item, at, faults));
        at.pop();
    }
    Some(Value::Array(read))
}

fn map(of: &Shape, object: &Map<String, Value>, at: &mut Vec<Step>, faults: &mut Vec<Fault>) -> Option<Value> {
    if object.len() > MAP_ENTRIES_MAX {
        return note(Err(format!("Object must contain at most {MAP_ENTRIES_MAX} member(s)")), at, faults);
    }
    Some(collect(object.iter(), of, at, faults))
}

fn keyed(keys: &[&str], of: &Shape, object: &Map<String, Value>, at: &mut Vec<Step>, faults: &mut Vec<Fault>) -> Value {
    let listed = object.iter().filter(|(key, value)| keys.contains(&key.as_str()) && !value.is_null());
    collect(listed, of, at, faults)
}

fn collect<'a>(
    entries: impl Iterator<Item = (&'a String, &'a Value)>,
    of: &Shape,
    at: &mut Vec<Step>,
    faults: &mut Vec<Fault>,
) -> Value {
    let mut read = Map::new();
    for (key, value) in entries {
        at.push(Step::Name(key.clone()));
        if let Some(value) = of.read(value, at, faults) {
            read.insert(key.clone(), value);
        }
        at.pop();
    }
    Value::Object(read)
}

fn alternatives(words: &[&str]) -> String {
    words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" | ")
}

pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests;
