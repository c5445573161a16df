//! The spellings of older documents and other clients, made one.
//!
//! Enters: elements as somebody wrote them. Leaves: the same with the names of the table in docs/routes.md. Never: adds or drops a member:
//! Terraform compares what it sent with what it gets.

use serde_json::{Map, Value};

/// Old name, new name.
const PROPERTIES: [(&str, &str); 6] = [
    ("condition", "conditions"),
    ("interval", "window"),
    ("limit_type", "limitType"),
    ("fallback_on", "fallbackOn"),
    ("model_name", "model"),
    ("provider_name", "provider"),
];

/// Elements in the names that answers use. A list, JSON text of one, or an object with the list as `elements` or `data`; anything else comes
/// back as it is, for the reader to refuse.
pub fn normalise(elements: &Value) -> Value {
    list(elements, 0)
}

/// How many wrappings are taken off: `{"data": "{\"elements\": [...]}"}` is two texts and two objects at most.
const WRAPPINGS_MAX: usize = 4;

fn list(value: &Value, unwrapped: usize) -> Value {
    let inner = match value {
        Value::Array(items) => return Value::Array(items.iter().map(element).collect()),
        Value::String(text) => serde_json::from_str(text).ok(),
        Value::Object(members) => members.get("elements").or_else(|| members.get("data")).cloned(),
        _ => None,
    };
    match inner {
        Some(inner) if unwrapped < WRAPPINGS_MAX => list(&inner, unwrapped + 1),
        _ => value.clone(),
    }
}

fn element(value: &Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let renamed = members.iter().map(|(name, value)| {
        let value = match (name.as_str(), value) {
            ("type", Value::String(kind)) if kind == "rate_limit" => "rate".into(),
            ("properties", Value::Object(members)) => Value::Object(properties(members)),
            ("outputs", Value::Object(members)) => Value::Object(members.iter().map(output).collect()),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(renamed.collect())
}

fn properties(members: &Map<String, Value>) -> Map<String, Value> {
    let rename = |(name, value): (&String, &Value)| {
        let new = PROPERTIES.iter().find(|(old, new)| old == name && !members.contains_key(*new));
        let name = new.map_or(name.as_str(), |(_, new)| new);
        // A condition may come as the text of its JSON.
        let value = match value {
            Value::String(text) if name == "conditions" => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
            _ => value.clone(),
        };
        (name.to_owned(), value)
    };
    members.iter().map(rename).collect()
}

fn output((name, value): (&String, &Value)) -> (String, Value) {
    let value = match value {
        Value::Object(members) => match (members.get("elementId"), members.get("element_id")) {
            (None, Some(id)) => serde_json::json!({ "elementId": id }),
            _ => value.clone(),
        },
        _ => value.clone(),
    };
    (name.clone(), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_spelling_becomes_one() {
        let old = json!([
            { "id": "c", "type": "conditional", "properties": { "condition": "{\"metadata.a\":1}" },
              "outputs": { "true": { "element_id": "r" } } },
            { "id": "r", "type": "rate_limit", "properties": { "limit_type": "count", "interval": 60, "limit": 1 } },
        ]);
        let new = json!([
            { "id": "c", "type": "conditional", "properties": { "conditions": { "metadata.a": 1 } },
              "outputs": { "true": { "elementId": "r" } } },
            { "id": "r", "type": "rate", "properties": { "limitType": "count", "window": 60, "limit": 1 } },
        ]);
        assert_eq!(normalise(&old), new);
        assert_eq!(normalise(&new), new);
        for wrapped in [
            json!({ "elements": old }),
            json!({ "data": old }),
            json!(old.to_string()),
            json!({ "name": "x", "data": json!({ "elements": old }).to_string() }),
        ] {
            assert_eq!(normalise(&wrapped), new);
        }
    }

    #[test]
    fn what_is_no_list_stays_what_it_is() {
        for value in [json!(null), json!(7), json!("text"), json!({}), json!([1, null, []])] {
            assert_eq!(normalise(&value), value);
        }
    }
}
