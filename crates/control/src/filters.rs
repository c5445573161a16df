//! What the log is asked for (control-plane specification, 4.3 to 4.5).
//!
//! Enters: the pairs of a query string. Leaves: conditions of the record store. Never: guesses when a form can be read in two ways.

use serde_json::Value as Json;
use tollgate_store::records::{Condition, Field, Operator, Value};

use crate::query::Reader;
use crate::shape::{Fault, Step};
use crate::time;

pub(crate) mod flat;
pub(crate) mod text;

mod encoding;
mod grouped;

use encoding::Raw;

/// A key of the filter language, and how its values are read.
#[derive(Debug)]
struct Key {
    name: &'static str,
    field: Field,
    kind: Kind,
    /// Null is a value of its own: no feedback was given, nothing was found.
    nullable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Time,
    Flag,
    Number,
}

static KEYS: &[Key] = &[
    key("id", Field::Id, Kind::Text),
    key("event_id", Field::EventId, Kind::Text),
    key("created_at", Field::CreatedAt, Kind::Time),
    key("request_content_type", Field::RequestContentType, Kind::Text),
    key("response_content_type", Field::ResponseContentType, Kind::Text),
    key("request_type", Field::RequestType, Kind::Text),
    key("model_type", Field::ModelType, Kind::Text),
    key("provider", Field::Provider, Kind::Text),
    key("model", Field::Model, Kind::Text),
    key("success", Field::Success, Kind::Flag),
    key("cached", Field::Cached, Kind::Flag),
    key("authentication", Field::Authentication, Kind::Flag),
    key("wholesale", Field::Wholesale, Kind::Flag),
    key("cost_differs", Field::CostDiffers, Kind::Flag),
    key("compatibilityMode", Field::CompatibilityMode, Kind::Flag),
    key("cost", Field::Cost, Kind::Number),
    key("tokens", Field::Tokens, Kind::Number),
    key("tokens_in", Field::TokensIn, Kind::Number),
    key("tokens_out", Field::TokensOut, Kind::Number),
    key("duration", Field::Duration, Kind::Number),
    nullable("feedback", Field::Feedback, Kind::Number),
    nullable("score", Field::Score, Kind::Number),
    key("metadata.key", Field::MetadataKey, Kind::Text),
    key("metadata.value", Field::MetadataValue(None), Kind::Text),
    nullable("dlp_action", Field::DlpAction, Kind::Text),
    key("user_agent", Field::UserAgent, Kind::Text),
];

static OPERATORS: &[(&str, Operator)] = &[
    ("eq", Operator::Eq),
    ("neq", Operator::Neq),
    ("contains", Operator::Contains),
    ("lt", Operator::Lt),
    ("gt", Operator::Gt),
];

/// What a dataset may ask for.
pub(crate) const OF_DATASETS: [&str; 13] = [
    "created_at",
    "request_content_type",
    "response_content_type",
    "success",
    "cached",
    "provider",
    "model",
    "cost",
    "tokens",
    "tokens_in",
    "tokens_out",
    "duration",
    "feedback",
];

const fn key(name: &'static str, field: Field, kind: Kind) -> Key {
    Key { name, field, kind, nullable: false }
}

const fn nullable(name: &'static str, field: Field, kind: Kind) -> Key {
    Key { name, field, kind, nullable: true }
}

/// All filters of the query, in any of their encodings.
pub(crate) fn read(reader: &mut Reader<'_>) -> Vec<Condition> {
    match encoding::decode(reader.pairs()) {
        Ok(raw) => conditions(raw, reader),
        Err(fault) => {
            reader.note(fault);
            Vec::new()
        }
    }
}

/// The filters of a dataset, from a body: fewer keys and operators, and a value that is always a list (control-plane specification, 5.1).
pub(crate) fn of_dataset(filters: &Json) -> Result<Vec<Condition>, Vec<Fault>> {
    let Json::Array(items) = filters else {
        let received = crate::shape::type_name(filters);
        return Err(vec![Fault::new(["body", "filters"], format!("Expected array, received {received}"))]);
    };
    if items.len() > encoding::FILTERS_MAX {
        let message = format!("Array must contain at most {} element(s)", encoding::FILTERS_MAX);
        return Err(vec![Fault::new(["body", "filters"], message)]);
    }
    let (mut read, mut faults) = (Vec::with_capacity(items.len()), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let at = |member: Option<&str>, message: String| {
            let path = ["body".into(), "filters".into(), Step::Index(index)].into_iter();
            Fault { path: path.chain(member.map(Step::from)).collect(), message }
        };
        let raw = serde_json::from_value::<Raw>(item.clone());
        let condition = match raw {
            Err(_) => Err(at(None, "Invalid: expected {key, operator, value}".to_owned())),
            Ok(raw) if !OF_DATASETS.contains(&&*raw.key) => {
                Err(at(Some("key"), not_one_of(OF_DATASETS.iter().copied(), &raw.key)))
            }
            Ok(raw) if raw.operator == "neq" => {
                let words = OPERATORS.iter().map(|(name, _)| *name).filter(|name| *name != "neq");
                Err(at(Some("operator"), not_one_of(words, "neq")))
            }
            Ok(raw) => condition(&raw, |member, message| at(Some(member), message)),
        };
        condition.map(|condition| read.push(condition)).unwrap_or_else(|fault| faults.push(fault));
    }
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}

fn conditions(raw: Vec<Raw>, reader: &mut Reader<'_>) -> Vec<Condition> {
    let mut read = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let fault = |member: &str, message: String| Fault {
            path: vec!["query".into(), "filters".into(), Step::Index(index), member.into()],
            message,
        };
        match condition(&raw, fault) {
            Ok(condition) => read.push(condition),
            Err(fault) => reader.note(fault),
        }
    }
    bind_metadata(&mut read);
    read
}

fn condition(raw: &Raw, fault: impl Fn(&str, String) -> Fault) -> Result<Condition, Fault> {
    let key = find_key(&raw.key).map_err(|message| fault("key", message))?;
    let operator = find_operator(&raw.operator).map_err(|message| fault("operator", message))?;
    let values: Result<Vec<Value>, String> = raw.values.iter().map(|value| typed(value, key.kind)).collect();
    let values = values.map_err(|message| fault("value", message))?;
    if values.is_empty() {
        return Err(fault("value", "Required".to_owned()));
    }
    Ok(Condition { field: key.field.clone(), operator, values })
}

fn find_key(name: &str) -> Result<&'static Key, String> {
    KEYS.iter().find(|key| key.name == name).ok_or_else(|| not_one_of(KEYS.iter().map(|key| key.name), name))
}

fn find_operator(name: &str) -> Result<Operator, String> {
    let found = OPERATORS.iter().find(|(each, _)| *each == name);
    found.map(|(_, operator)| *operator).ok_or_else(|| not_one_of(OPERATORS.iter().map(|(each, _)| *each), name))
}

/// An empty name is one that was not sent.
fn not_one_of<'a>(words: impl Iterator<Item = &'a str>, name: &str) -> String {
    if name.is_empty() {
        return "Required".to_owned();
    }
    let expected = words.map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" | ");
    format!("Invalid enum value. Expected {expected}, received '{name}'")
}

/// Clients send everything as text; JSON may have the type itself. An empty text is null.
fn typed(value: &Json, kind: Kind) -> Result<Value, String> {
    match (value, kind) {
        (Json::Null, _) => Ok(Value::Null),
        (Json::String(text), _) => typed_text(text, kind).ok_or_else(|| expected(kind, "string")),
        (Json::Bool(flag), Kind::Flag) => Ok(Value::Flag(*flag)),
        (Json::Number(number), Kind::Number) => Ok(Value::Number(number.as_f64().unwrap_or_default())),
        (Json::Bool(_) | Json::Number(_), Kind::Text) => Ok(Value::Text(value.to_string())),
        (other, kind) => Err(expected(kind, crate::shape::type_name(other))),
    }
}

fn typed_text(text: &str, kind: Kind) -> Option<Value> {
    match kind {
        _ if text.is_empty() => Some(Value::Null),
        Kind::Text => Some(Value::Text(text.to_owned())),
        Kind::Flag => text.parse().ok().map(Value::Flag),
        Kind::Number => text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Number),
        Kind::Time => time::read(text).map(|ms| Value::Number(ms as f64)),
    }
}

fn expected(kind: Kind, received: &str) -> String {
    let expected = match kind {
        Kind::Text => "string",
        Kind::Time => return "Invalid datetime".to_owned(),
        Kind::Flag => "boolean",
        Kind::Number => "number",
    };
    format!("Expected {expected}, received {received}")
}

/// With exactly one `metadata.key` asked for by name, a `metadata.value` is the one under that key.
fn bind_metadata(conditions: &mut [Condition]) {
    let mut names = conditions
        .iter()
        .filter(|condition| condition.field == Field::MetadataKey && condition.operator == Operator::Eq)
        .map(|condition| condition.values.as_slice());
    let (Some([Value::Text(name)]), None) = (names.next(), names.next()) else { return };
    let name = name.clone();
    for condition in conditions.iter_mut().filter(|condition| matches!(condition.field, Field::MetadataValue(_))) {
        condition.field = Field::MetadataValue(Some(name.clone()));
    }
}

#[cfg(test)]
mod tests;
