//! Shapes as JSON Schema.
//!
//! Enters: shapes. Leaves: schemas, the named ones once. Never: bounds that only protect the gateway's memory.

use serde_json::{Map, Value, json};

use crate::shape::{Member, Presence, Shape, TEXT_CHARS_MAX};

/// Gathers what is named.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    named: Map<String, Value>,
}

// === impl Schemas ===

impl Schemas {
    pub(super) fn of(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Flag => json!({ "type": "boolean" }),
            Shape::Switch => json!({ "enum": [true, false, 0, 1] }),
            Shape::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Shape::Positive => json!({ "type": "number", "exclusiveMinimum": 0 }),
            Shape::Number { min, max } => number(*min, *max),
            Shape::Text { min, max } => text(*min, *max),
            Shape::Url { max } => {
                json!({ "type": "string", "format": "uri", "pattern": "^https?://", "maxLength": max })
            }
            Shape::Time => json!({ "type": "string", "format": "date-time" }),
            Shape::Word(words) => json!({ "type": "string", "enum": words }),
            Shape::List { of, max } => self.list(of, *max),
            Shape::Object(members) => self.object(&[members]),
            Shape::Parts(parts) => self.object(parts),
            Shape::Map(of) => json!({ "type": "object", "additionalProperties": self.of(of) }),
            Shape::Keys(keys, of) => {
                let of = or_null(self.of(of));
                let properties: Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), of.clone())).collect();
                json!({ "type": "object", "properties": properties })
            }
            Shape::ByMember(name, with, without) => self.alternatives(name, with, without),
            Shape::Any => json!({}),
            Shape::OrNull(of) => or_null(self.of(of)),
            Shape::Some(of) => with(self.of(of), "minItems", 1),
            Shape::Like(of, pattern) => with(self.of(of), "pattern", *pattern),
            Shape::Named(name, of) => self.named(name, of),
        }
    }

    pub(super) fn object(&mut self, parts: &[&[Member]]) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for member in parts.iter().copied().flatten() {
            properties.insert(member.name.to_owned(), self.member(member));
            if matches!(member.presence, Presence::Required | Presence::RequiredOrNull) {
                required.push(member.name);
            }
        }
        json!({ "type": "object", "required": required, "properties": properties })
    }

    pub(super) fn finish(mut self) -> Value {
        for (name, schema) in envelope() {
            self.named.insert(name.to_owned(), schema);
        }
        self.named.sort_keys();
        Value::Object(self.named)
    }

    fn member(&mut self, member: &Member) -> Value {
        let schema = self.of(&member.shape);
        let mut schema = if member.presence == Presence::Required { schema } else { or_null(schema) };
        if let Presence::Default(text) = member.presence {
            schema["default"] = serde_json::from_str(text).unwrap_or_default();
        }
        schema["description"] = member.doc.into();
        schema
    }

    fn list(&mut self, of: &Shape, max: usize) -> Value {
        let mut schema = json!({ "type": "array", "items": self.of(of) });
        if max != usize::MAX {
            schema["maxItems"] = max.into();
        }
        schema
    }

    fn alternatives(&mut self, name: &str, with: &Shape, without: &Shape) -> Value {
        let absent = json!({ "not": { "required": [name] } });
        json!({ "anyOf": [self.of(with), { "allOf": [self.of(without), absent] }] })
    }

    fn named(&mut self, name: &str, of: &Shape) -> Value {
        if !self.named.contains_key(name) {
            // Held by its name before it is looked into, should it hold itself.
            self.named.insert(name.to_owned(), Value::Null);
            let schema = self.of(of);
            self.named.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

fn with(mut schema: Value, name: &str, value: impl Into<Value>) -> Value {
    schema[name] = value.into();
    schema
}

fn number(min: f64, max: f64) -> Value {
    let mut schema = json!({ "type": "number" });
    if min > f64::MIN {
        schema["minimum"] = min.into();
    }
    if max < f64::MAX {
        schema["maximum"] = max.into();
    }
    schema
}

fn text(min: usize, max: usize) -> Value {
    let mut schema = json!({ "type": "string" });
    if min > 0 {
        schema["minLength"] = min.into();
    }
    if max < TEXT_CHARS_MAX {
        schema["maxLength"] = max.into();
    }
    schema
}

fn or_null(mut schema: Value) -> Value {
    if schema == json!({}) {
        return schema;
    }
    let Some(of_type) = schema["type"].as_str().map(str::to_owned) else {
        return json!({ "anyOf": [schema, { "type": "null" }] });
    };
    schema["type"] = json!([of_type, "null"]);
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    schema
}

/// What every answer has around it.
fn envelope() -> [(&'static str, Value); 3] {
    let error = json!({
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": { "type": "integer" },
            "message": { "type": "string" },
            "path": { "type": "array", "items": { "type": ["string", "integer"] } }
        }
    });
    let messages = json!({ "type": "array", "items": error });
    [
        (
            "Envelope",
            json!({
                "type": "object",
                "required": ["success", "errors", "messages"],
                "properties": { "success": { "const": true }, "errors": { "type": "array", "maxItems": 0 }, "messages": messages }
            }),
        ),
        (
            "Problem",
            json!({
                "type": "object",
                "required": ["success", "errors", "messages", "result"],
                "properties": {
                    "success": { "const": false },
                    "errors": { "type": "array", "minItems": 1, "items": error },
                    "messages": messages,
                    "result": { "type": ["object", "null"], "maxProperties": 0 }
                }
            }),
        ),
        (
            "PageInfo",
            json!({
                "type": "object",
                "required": ["count"],
                "properties": {
                    "count": { "type": "integer", "minimum": 0 },
                    "page": { "type": "integer", "minimum": 1 },
                    "per_page": { "type": "integer", "minimum": 1 },
                    "total_count": { "type": "integer", "minimum": 0 },
                    "total_pages": { "type": "integer", "minimum": 0 }
                }
            }),
        ),
    ]
}
