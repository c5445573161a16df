//! JSON Schema as Google knows it: its older subset of OpenAPI is read, the newer fields for whole schemas are written.
//!
//! Enters: a schema. Leaves: JSON Schema; the keywords Google does not promise to heed. Never: changes what a schema means.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::names::camel;

/// Nobody nests deeper: below this a schema is passed on as it is.
const DEPTH_MAX: usize = 64;

/// Keywords of a subschema, of a list of them, of a map of them.
const ONE: [&str; 3] = ["items", "additionalProperties", "not"];
const LISTS: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
const MAPS: [&str; 3] = ["properties", "$defs", "definitions"];

/// <https://ai.google.dev/api/generate-content#FIELDS.response_json_schema>, and what describes without restricting.
const HEEDED: [&str; 26] = [
    "$id",
    "$defs",
    "$ref",
    "$anchor",
    "$schema",
    "$comment",
    "definitions",
    "type",
    "format",
    "title",
    "description",
    "default",
    "example",
    "examples",
    "enum",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
    "properties",
    "additionalProperties",
    "required",
];

/// From the subset of OpenAPI (<https://ai.google.dev/api/caching#Schema>): types in capitals, `nullable`, whole numbers as strings, and names in
/// either spelling.
pub(super) fn from_openapi(schema: Value) -> Value {
    respelled(schema, 0)
}

fn respelled(schema: Value, depth: usize) -> Value {
    let Value::Object(members) = schema else { return schema };
    if depth > DEPTH_MAX {
        return Value::Object(members);
    }
    let mut nullable = false;
    let mut out = serde_json::Map::new();
    for (name, value) in members {
        let name = camel(&name);
        let value = match (name.as_str(), value) {
            ("nullable", Value::Bool(yes)) => {
                nullable = yes;
                continue;
            }
            ("type", Value::String(word)) => Value::String(word.to_ascii_lowercase()),
            ("minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties", value) => {
                number(value)
            }
            (name, Value::Object(map)) if MAPS.contains(&name) => {
                map.into_iter().map(|(name, schema)| (name, respelled(schema, depth + 1))).collect()
            }
            (name, Value::Array(list)) if LISTS.contains(&name) => {
                list.into_iter().map(|schema| respelled(schema, depth + 1)).collect()
            }
            (name, value) if ONE.contains(&name) => respelled(value, depth + 1),
            (_, value) => value,
        };
        out.insert(name, value);
    }
    if nullable {
        allow_null(&mut out);
    }
    Value::Object(out)
}

/// Google writes 64-bit numbers as strings.
fn number(value: Value) -> Value {
    match value.as_str().and_then(|digits| digits.parse::<u64>().ok()) {
        Some(count) => count.into(),
        None => value,
    }
}

fn allow_null(schema: &mut serde_json::Map<String, Value>) {
    if let Some(Value::String(word)) = schema.get("type") {
        let both = json!([word, "null"]);
        schema.insert("type".into(), both);
        if let Some(Value::Array(words)) = schema.get_mut("enum")
            && !words.contains(&Value::Null)
        {
            words.push(Value::Null);
        }
    } else if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.push(json!({"type": "null"}));
    }
}

/// Keywords that restrict and that Google does not list. They are sent all the same: its servers pass over them.
pub(super) fn unheeded(schema: &Value) -> Option<String> {
    let mut found = BTreeSet::new();
    collect(schema, 0, &mut found);
    (!found.is_empty()).then(|| {
        let names: Vec<_> = found.into_iter().collect();
        format!("the target does not promise to heed {}", names.join(", "))
    })
}

fn collect<'s>(schema: &'s Value, depth: usize, found: &mut BTreeSet<&'s str>) {
    let Value::Object(members) = schema else { return };
    if depth > DEPTH_MAX {
        return;
    }
    for (name, value) in members {
        let name = name.as_str();
        match value {
            Value::Object(map) if MAPS.contains(&name) => {
                map.values().for_each(|schema| collect(schema, depth + 1, found));
            }
            Value::Array(list) if LISTS.contains(&name) => {
                list.iter().for_each(|schema| collect(schema, depth + 1, found));
            }
            value if ONE.contains(&name) => collect(value, depth + 1, found),
            _ => {}
        }
        // Ours and unheard-of words name nothing that a schema of somebody's code would rely on, but a pattern does.
        if !HEEDED.contains(&name) && name != "propertyOrdering" && found.len() < 8 {
            found.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subset_of_openapi_becomes_json_schema() {
        let openapi = json!({"type": "OBJECT", "properties": {
            "any_of": {"type": "STRING", "nullable": true, "enum": ["a"]},
            "list": {"type": "ARRAY", "min_items": "2", "items": {"anyOf": [{"type": "INTEGER"}], "nullable": true}},
        }, "property_ordering": ["list"], "required": ["list"]});
        let schema = json!({"type": "object", "properties": {
            "any_of": {"type": ["string", "null"], "enum": ["a", null]},
            "list": {"type": "array", "minItems": 2, "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        }, "propertyOrdering": ["list"], "required": ["list"]});
        assert_eq!(from_openapi(openapi), schema);
        assert_eq!(from_openapi(schema.clone()), schema, "what is one already stays");
    }

    #[test]
    fn names_what_google_does_not_heed() {
        let schema =
            json!({"type": "object", "properties": {"pattern": {"type": "string", "pattern": "^a", "minLength": 1}}});
        assert_eq!(unheeded(&schema).as_deref(), Some("the target does not promise to heed minLength, pattern"));
        assert_eq!(unheeded(&json!({"type": "object", "properties": {"not": {"type": "null"}}})), None);
    }
}
