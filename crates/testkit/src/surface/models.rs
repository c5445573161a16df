//! The lists of models, in the three shapes that share a path.
//!
//! Enters: `GET /v1/models` (Anthropic's when `anthropic-version` is sent, Google's when `x-goog-api-..` is, else OpenAI's),
//! `GET /v1beta/models`, each with or without a name behind. Leaves: the list, or one entry. Never: says that a model does not exist: any name is answered.

use serde_json::{Value, json};

use crate::script::{Order, Spoken, Wrong};

const MODELS: [&str; 4] = ["sandbox-1", "sandbox-embedding-1", "sandbox-image-1", "sandbox-speech-1"];

pub(super) fn openai(order: &Order) -> Result<Spoken, Wrong> {
    let created = order.dials.created;
    let entry = |id: &str| json!({"id": id, "object": "model", "created": created, "owned_by": "tollgate"});
    Ok(listed(order, entry, |data| json!({"object": "list", "data": data})))
}

pub(super) fn anthropic(order: &Order) -> Result<Spoken, Wrong> {
    let entry = |id: &str| json!({"type": "model", "id": id, "display_name": display(id), "created_at": "2026-01-01T00:00:00Z"});
    let list = |data: Vec<Value>| {
        let id = |entry: Option<&Value>| entry.map_or(Value::Null, |entry| entry["id"].clone());
        let (first, last) = (id(data.first()), id(data.last()));
        json!({"data": data, "has_more": false, "first_id": first, "last_id": last})
    };
    Ok(listed(order, entry, list))
}

pub(super) fn gemini(order: &Order) -> Result<Spoken, Wrong> {
    let entry = |id: &str| {
        json!({
            "name": format!("models/{id}"),
            "version": "1",
            "displayName": display(id),
            "description": "answers without a model",
            "inputTokenLimit": 1_000_000,
            "outputTokenLimit": 100_000,
            "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
        })
    };
    Ok(listed(order, entry, |data| json!({ "models": data })))
}

fn listed(order: &Order, entry: impl Fn(&str) -> Value, list: impl Fn(Vec<Value>) -> Value) -> Spoken {
    let body = match order.model {
        "" => list(MODELS.iter().map(|id| entry(id)).collect()),
        model => entry(model),
    };
    Spoken::json(&body, 0)
}

fn display(id: &str) -> String {
    format!("Tollgate {id}")
}
