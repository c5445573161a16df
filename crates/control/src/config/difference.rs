//! What differs between two things, field by field.
//!
//! Enters: members before and after. Leaves: each place whose value is another one. Never: compares text: an order of members is no difference.

use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// `spend_limits.rules[daily].limit`.
    pub at: String,
    /// `null`: it was not said, so its default was in force.
    pub before: Value,
    pub after: Value,
}

pub(super) fn between(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Difference> {
    let mut all = Vec::new();
    objects(before, after, "", &mut all);
    all
}

fn objects(before: &Map<String, Value>, after: &Map<String, Value>, at: &str, all: &mut Vec<Difference>) {
    let new = after.keys().filter(|name| !before.contains_key(*name));
    for name in before.keys().chain(new) {
        let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let member = |of: &Map<String, Value>| of.get(name).cloned().unwrap_or_default();
        values(&member(before), &member(after), &at, all);
    }
}

fn values(before: &Value, after: &Value, at: &str, all: &mut Vec<Difference>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) => objects(before, after, at, all),
        (Value::Array(before), Value::Array(after)) if have_ids(before) && have_ids(after) => {
            let find = |of: &[Value], id: &Value| of.iter().find(|each| each["id"] == *id).cloned().unwrap_or_default();
            let new = after.iter().filter(|each| find(before, &each["id"]).is_null());
            for each in before.iter().chain(new) {
                let id = &each["id"];
                let at = format!("{at}[{}]", id.as_str().unwrap_or_default());
                values(&find(before, id), &find(after, id), &at, all);
            }
        }
        _ => all.push(Difference { at: at.to_owned(), before: before.clone(), after: after.clone() }),
    }
}

/// Elements of routes, rules of limits: told apart by their ids and not by their places.
fn have_ids(items: &[Value]) -> bool {
    items.iter().all(|item| item["id"].is_string())
}

/// For people: a line is no place for a whole route.
const VALUE_CHARS: usize = 60;

pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "default".to_owned(),
        other => {
            let text = other.to_string();
            match text.char_indices().nth(VALUE_CHARS) {
                Some((cut, _)) => format!("{}...", &text[..cut]),
                None => text,
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_place_that_differs_is_told_and_no_other() {
        let before = json!({ "a": 1, "same": [1, 2], "deep": { "x": 1, "y": 2 }, "list": [{ "id": "p", "v": 1 }, { "id": "q" }] });
        let after = json!({ "b": 2, "same": [1, 2], "deep": { "y": 3, "x": 1 }, "list": [{ "id": "q" }, { "id": "p", "v": 2 }, { "id": "r" }] });
        let found = between(before.as_object().unwrap(), after.as_object().unwrap());
        let told: Vec<_> = found
            .iter()
            .map(|each| format!("{}: {} -> {}", each.at, shown(&each.before), shown(&each.after)))
            .collect();
        let expected = [
            "a: 1 -> default",
            "deep.y: 2 -> 3",
            "list[p].v: 1 -> 2",
            r#"list[r]: default -> {"id":"r"}"#,
            "b: default -> 2",
        ];
        assert_eq!(told, expected);
    }
}
