//! Other dialects' JSON schemas, as strict output takes them.
//!
//! Enters: a schema. Leaves: one without what is refused (<https://platform.claude.com/docs/en/build-with-claude/structured-outputs>). Never: drops a limit
//! altogether: what the grammar cannot hold the model to is told it in the description, as Anthropic's own SDKs do.

use serde_json::{Map, Value};

use crate::chat::{Losses, Place};

/// Limits on values, which the grammar does not know.
const LIMITS: [&str; 14] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "contains",
];

pub(in crate::dialect) fn strict(schema: &Value, place: &Place, losses: &mut Losses) -> Value {
    let mut schema = schema.clone();
    let mut changed = false;
    fit(&mut schema, &mut changed);
    if changed {
        losses.approximated(place.clone(), "limits that the schema cannot hold are told in words");
    }
    schema
}

/// The depth is that of the JSON it was parsed from.
fn fit(schema: &mut Value, changed: &mut bool) {
    match schema {
        Value::Array(variants) => variants.iter_mut().for_each(|variant| fit(variant, changed)),
        Value::Object(members) => {
            tell_limits(members, changed);
            close(members, changed);
            rename(members, "oneOf", "anyOf", changed);
            for (name, value) in members.iter_mut() {
                match (name.as_str(), value) {
                    ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                        named.values_mut().for_each(|value| fit(value, changed));
                    }
                    ("items" | "prefixItems" | "anyOf" | "allOf", value) => fit(value, changed),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn tell_limits(members: &mut Map<String, Value>, changed: &mut bool) {
    let mut told = Vec::new();
    for limit in LIMITS {
        if let Some(value) = members.shift_remove(limit) {
            told.push(format!("{limit}: {value}"));
        }
    }
    if members.get("minItems").and_then(Value::as_u64).is_some_and(|least| least > 1)
        && let Some(value) = members.shift_remove("minItems")
    {
        told.push(format!("minItems: {value}"));
    }
    if told.is_empty() {
        return;
    }
    *changed = true;
    let said = members.get("description").and_then(Value::as_str);
    let said = said.map_or_else(String::new, |said| format!("{said}\n\n"));
    members.insert("description".into(), format!("{said}{{{}}}", told.join(", ")).into());
}

/// Objects have the properties they name and no others.
fn close(members: &mut Map<String, Value>, changed: &mut bool) {
    let is_object = members.get("type").and_then(Value::as_str) == Some("object");
    if is_object && members.get("additionalProperties") != Some(&Value::Bool(false)) {
        *changed = true;
        members.insert("additionalProperties".into(), false.into());
    }
}

fn rename(members: &mut Map<String, Value>, from: &str, to: &str, changed: &mut bool) {
    if !members.contains_key(to)
        && let Some(value) = members.shift_remove(from)
    {
        *changed = true;
        members.insert(to.into(), value);
    }
}
