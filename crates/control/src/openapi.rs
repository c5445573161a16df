//! The API's own description (OpenAPI 3.1) and its reference page, made from the table of endpoints.
//!
//! Enters: rows. Leaves: one JSON document, one page of Markdown. Never: says anything that is not in a row: what is described is what is served.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::resources::resources;
use crate::row::{Access, Answers, PREFIX, Row};
use crate::shape::{Member, Presence, Shape};

pub use self::page::page;
use self::schema::Schemas;

mod page;
mod schema;

/// What the named segments of paths are.
static SEGMENTS: &[(&str, &str)] = &[
    ("account", "The account's id, as `/accounts` tells it."),
    ("alert", "The alert's id."),
    ("gateway", "The gateway's id."),
    ("provider", "A provider's path segment."),
    ("id", "Id of the object."),
    ("route", "The route's id, or its name."),
    ("config", "The provider config's id."),
    ("store", "The secrets store's id."),
    ("secret", "The secret's id."),
    ("custom_provider", "The custom provider's id."),
    ("hostname", "The custom domain's host name."),
    ("version", "The version's id."),
    ("token", "The token's id; not its secret."),
    ("session", "The session's id; not its secret."),
    ("policy", "The policy's id, or its name."),
    ("dataset", "The dataset's id."),
    ("evaluation", "The evaluation's id."),
];

/// The whole document as text, made once.
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| format!("{:#}\n", document()))
}

/// A table of members as a schema by itself, for whoever takes arguments of that shape.
pub(crate) fn schema_of(members: &[Member]) -> Value {
    Schemas::default().object(&[members])
}

fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut paths: Map<String, Value> = Map::new();
    for (title, rows) in resources() {
        for row in rows.iter().filter(|row| row.is_of_the_api()) {
            let operation = operation(title, row, &mut schemas);
            let path = paths.entry(row.path).or_insert_with(|| json!({}));
            path[row.method.as_str().to_ascii_lowercase()] = operation;
        }
    }
    let tag = |(title, rows): &(&str, &[Row])| rows.iter().any(Row::is_of_the_api).then(|| json!({ "name": title }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tollgate",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The REST API of Cloudflare's AI Gateway, served by yourself. Operations that begin with `tollgate-` are not in the original.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [{ "url": PREFIX }],
        "security": [{ "token": [] }, { "key": [] }],
        "tags": resources().iter().filter_map(tag).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "key": { "type": "apiKey", "in": "header", "name": "X-Auth-Key" }
            },
            "responses": {
                "Problem": {
                    "description": "What is wrong, one entry for each violated field.",
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
                }
            },
            "schemas": schemas.finish(),
        }
    })
}

fn operation(title: &str, row: &Row, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": row.op,
        "tags": [title],
        "summary": row.doc,
        "description": permission(row),
        "parameters": parameters(row, schemas),
        "responses": {
            "200": good(row, schemas),
            "4XX": { "$ref": "#/components/responses/Problem" },
            "5XX": { "$ref": "#/components/responses/Problem" }
        }
    });
    if let Some(shape) = row.body {
        // A body that is missing or is no JSON counts as an empty object.
        operation["requestBody"] = json!({ "required": !shape.takes_nothing(), "content": { "application/json": { "schema": schemas.of(shape) } } });
    }
    if matches!(row.access, Access::Open(_)) {
        operation["security"] = json!([]);
    }
    operation
}

/// In words: which permissions are enough.
fn permission(row: &Row) -> String {
    match row.access {
        Access::Open(_) => "Open to anyone.".to_owned(),
        Access::Guarded(needs, _) => format!("Any of these permissions is enough: {}.", enough(needs)),
        Access::OpenOnLoopback(needs, _) => format!("Open on loopback; elsewhere as with: {}.", enough(needs)),
    }
}

fn enough(needs: crate::row::Needs) -> String {
    needs.said()
}

fn parameters(row: &Row, schemas: &mut Schemas) -> Vec<Value> {
    let mut parameters: Vec<Value> = segments(row.path)
        .map(|name| {
            let doc = SEGMENTS.iter().find(|(each, _)| *each == name).map_or("Id.", |(_, doc)| doc);
            json!({ "name": name, "in": "path", "required": true, "description": doc, "schema": { "type": "string", "minLength": 1 } })
        })
        .collect();
    parameters.extend(row.query.iter().map(|member| parameter(member, schemas)));
    parameters
}

fn parameter(member: &Member, schemas: &mut Schemas) -> Value {
    let mut schema = match member.shape {
        Shape::Text { .. } | Shape::Any => schemas.of(&member.shape),
        // A day is enough.
        Shape::Time => {
            or_empty(json!({ "type": "string", "anyOf": [{ "format": "date-time" }, { "format": "date" }] }))
        }
        _ => or_empty(schemas.of(&member.shape)),
    };
    if let Presence::Default(text) = member.presence {
        schema["default"] = serde_json::from_str(text).unwrap_or_default();
    }
    let required = member.presence == Presence::Required;
    json!({ "name": member.name, "in": "query", "required": required, "description": member.doc, "schema": schema })
}

/// An empty text is the same as none: official clients send it.
fn or_empty(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "const": "" }] })
}

/// The names between braces.
fn segments(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn good(row: &Row, schemas: &mut Schemas) -> Value {
    let described = |content: Value| json!({ "description": "It is done.", "content": content });
    let json = |members: Value| {
        let envelope = json!({ "$ref": "#/components/schemas/Envelope" });
        let schema = json!({ "allOf": [envelope, members] });
        described(json!({ "application/json": { "schema": schema } }))
    };
    match row.answer {
        Answers::One(shape) => json(json!({
            "type": "object", "required": ["result"], "properties": { "result": schemas.of(shape) }
        })),
        Answers::Page(shape) => json(json!({
            "type": "object",
            "required": ["result", "result_info"],
            "properties": {
                "result": { "type": "array", "items": schemas.of(shape) },
                "result_info": { "$ref": "#/components/schemas/PageInfo" }
            }
        })),
        Answers::Whole(members) => json(schemas.object(&[members])),
        Answers::Plain(content_type) => {
            let object = json!({ "type": "object" });
            let schema = match content_type.split(';').next() {
                Some("application/json") => object,
                Some("application/x-ndjson") => {
                    json!({ "type": "array", "items": object, "description": "One object a line." })
                }
                _ => json!({ "type": "string" }),
            };
            described(json!({ content_type: { "schema": schema } }))
        }
        Answers::Stored => described(json!({ "*/*": { "schema": {} } })),
    }
}

#[cfg(test)]
mod tests;
