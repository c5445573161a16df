//! Makes up a value that fits a JSON Schema.
//!
//! Enters: a schema, in JSON Schema's or Gemini's (OpenAPI's, upper case) spelling. Leaves: the smallest plausible value.
//! Never: follows a schema for ever: depth and number of values are bounded, since a schema may refer to itself.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

const DEPTH_MAX: usize = 24;
const VALUES_MAX: usize = 10_000;
const ITEMS_MAX: u64 = 100;
const LETTERS_MAX: u64 = 1_000;
/// Alternatives looked at, and letters of a spelled-out value that count as one value.
const BRANCHES_MAX: usize = 100;
const GIVEN_LETTERS: usize = 16;

struct Maker<'a> {
    root: &'a Value,
    values_left: usize,
}

/// A value for this schema. What the schema leaves open is decided by names: `city` becomes `"sandbox city"`.
pub(crate) fn sample(schema: &Value) -> Value {
    Maker { root: schema, values_left: VALUES_MAX }.value(schema, "value", 0)
}

// === impl Maker ===

impl Maker<'_> {
    fn value(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth > DEPTH_MAX || self.values_left == 0 {
            return Value::Null;
        }
        self.values_left -= 1;
        if let Some(given) = given(schema) {
            return self.copy(given);
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let root = self.root;
            let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
            return target.map_or(Value::Null, |target| self.value(target, name, depth + 1));
        }
        if let Some(branch) = branch(schema) {
            return self.value(branch, name, depth + 1);
        }
        match kind(schema).as_str() {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "integer" => json!(number(schema).ceil() as i64),
            "number" => json!(number(schema)),
            "boolean" => json!(true),
            "null" => Value::Null,
            _ => json!(text(schema, name)),
        }
    }

    /// A spelled-out value costs by its size: a large one could be referred to thousands of times.
    fn copy(&mut self, given: &Value) -> Value {
        let cost = given.to_string().len() / GIVEN_LETTERS;
        let left = self.values_left.checked_sub(cost);
        self.values_left = left.unwrap_or(0);
        left.map_or(Value::Null, |_| given.clone())
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let mut object = Map::new();
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        for part in parts {
            if let Value::Object(more) = self.value(part, "value", depth + 1) {
                object.extend(more);
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        let required = schema.get("required").and_then(Value::as_array);
        let required: Option<HashSet<&str>> = required.map(|names| names.iter().filter_map(Value::as_str).collect());
        for (name, property) in properties.into_iter().flatten() {
            // Where nothing is said to be required, everything is: an empty object would show little.
            if required.as_ref().is_none_or(|names| names.contains(name.as_str())) {
                object.insert(name.clone(), self.value(property, name, depth + 1));
            }
        }
        Value::Object(object)
    }

    fn array(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        if let Some(fixed) = schema.get("prefixItems").and_then(Value::as_array) {
            return fixed.iter().map(|item| self.value(item, name, depth + 1)).collect();
        }
        let bound = |key| schema.get(key).and_then(whole);
        let count = bound("minItems").unwrap_or(1).min(bound("maxItems").unwrap_or(ITEMS_MAX)).min(ITEMS_MAX);
        let item = schema.get("items").unwrap_or(&Value::Null);
        (0..count).map(|_| self.value(item, name, depth + 1)).collect()
    }
}

/// A value that the schema itself spells out.
fn given(schema: &Value) -> Option<&Value> {
    let first = |key| schema.get(key).and_then(Value::as_array).and_then(|values| values.first());
    schema.get("const").or_else(|| schema.get("default")).or_else(|| first("enum")).or_else(|| first("examples"))
}

/// The first alternative that is not null.
fn branch(schema: &Value) -> Option<&Value> {
    let branches = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array)?;
    branches.iter().take(BRANCHES_MAX).find(|branch| kind(branch) != "null").or(branches.first())
}

/// The type in lower case; of several the first that is not null; what has properties is an object.
fn kind(schema: &Value) -> String {
    let named = match schema.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()),
        Some(Value::Array(kinds)) => {
            kinds.iter().take(BRANCHES_MAX).filter_map(Value::as_str).find(|kind| *kind != "null")
        }
        _ => None,
    };
    let has = |key| schema.get(key).is_some();
    match named {
        Some(kind) => kind.to_ascii_lowercase(),
        None if has("properties") || has("allOf") => "object".to_owned(),
        None if has("items") => "array".to_owned(),
        None => "string".to_owned(),
    }
}

fn number(schema: &Value) -> f64 {
    let bound = |key| schema.get(key).and_then(Value::as_f64);
    let least = bound("minimum").or(bound("exclusiveMinimum").map(|edge| edge + 1.0));
    let most = bound("maximum").or(bound("exclusiveMaximum").map(|edge| edge - 1.0));
    let step = bound("multipleOf").filter(|step| *step > 0.0);
    let wanted = least.map_or(1.0, |least| least.max(1.0)).min(most.unwrap_or(f64::MAX));
    step.map_or(wanted, |step| (wanted / step).ceil() * step)
}

fn text(schema: &Value, name: &str) -> String {
    let bound = |key| schema.get(key).and_then(whole);
    let format = schema.get("format").and_then(Value::as_str).unwrap_or("");
    let plain = match format {
        "date-time" => "2026-01-01T00:00:00Z".to_owned(),
        "date" => "2026-01-01".to_owned(),
        "time" => "00:00:00Z".to_owned(),
        "duration" => "PT1H".to_owned(),
        "email" => "sandbox@example.com".to_owned(),
        "uri" => "https://example.com/sandbox".to_owned(),
        "hostname" => "example.com".to_owned(),
        "ipv4" => "192.0.2.1".to_owned(),
        "ipv6" => "2001:db8::1".to_owned(),
        "uuid" => "00000000-0000-4000-8000-000000000000".to_owned(),
        _ => format!("sandbox {name}"),
    };
    let least = bound("minLength").unwrap_or(0).min(LETTERS_MAX) as usize;
    let most = bound("maxLength").unwrap_or(LETTERS_MAX) as usize;
    plain.chars().chain(std::iter::repeat('.')).take(plain.chars().count().max(least).min(most)).collect()
}

/// Gemini's schemas carry 64-bit numbers as text.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples() {
        for (schema, value) in [
            (json!({"type": "string"}), json!("sandbox value")),
            (json!({"enum": ["celsius", "kelvin"]}), json!("celsius")),
            (json!({"type": ["null", "integer"], "minimum": 2.5, "multipleOf": 5}), json!(5)),
            (json!({"type": "number", "exclusiveMaximum": 0}), json!(-1.0)),
            (json!({"type": "string", "minLength": 16, "maxLength": 20}), json!("sandbox value...")),
            (json!({"type": "string", "maxLength": 3}), json!("san")),
            (json!({"type": "ARRAY", "items": {"type": "BOOLEAN"}, "minItems": "2"}), json!([true, true])),
            (json!({"anyOf": [{"type": "null"}, {"const": 7}]}), json!(7)),
            (
                json!({"type": "object", "required": ["city"], "properties":
                    {"city": {"type": "string"}, "unit": {"type": "string"}}}),
                json!({"city": "sandbox city"}),
            ),
            (
                json!({"properties": {"at": {"$ref": "#/$defs/at"}}, "$defs": {"at": {"type": "string", "format": "date"}}}),
                json!({"at": "2026-01-01"}),
            ),
            (
                json!({"allOf": [{"properties": {"a": {"type": "integer"}}}], "properties": {"b": {"type": "null"}}}),
                json!({"a": 1, "b": null}),
            ),
            (json!(true), json!("sandbox value")),
        ] {
            assert_eq!(sample(&schema), value, "{schema}");
        }
    }

    #[test]
    fn a_large_value_is_not_repeated_without_end() {
        let large = "x".repeat(10_000);
        let schema = json!({"type": "array", "minItems": 100, "items": {"type": "array", "minItems": 100,
            "items": {"$ref": "#/$defs/large"}}, "$defs": {"large": {"const": large}}});
        let text = sample(&schema).to_string();
        assert!(text.starts_with("[[\"xxx") && text.len() < 500_000, "{}", text.len());
    }

    #[test]
    fn a_schema_that_contains_itself_many_times_ends() {
        let schema = json!({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties":
            {"left": {"$ref": "#/$defs/tree"}, "right": {"$ref": "#/$defs/tree"}}}}});
        let text = sample(&schema).to_string();
        assert!(text.len() < 200_000, "{}", text.len());
    }
}
