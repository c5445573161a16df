//! What callers are told, as JSON: the response around its items, and each item.
//!
//! Enters: what an encoder has gathered. Leaves: values as the official SDKs' types have them. Never: a member of those types left out that they
//! need.

use serde_json::{Map, Value, json};

use super::{HOME, annotations, finish::Status, parts::object};
use crate::chat::{CallKind, Citation, Content, Extra, Losses, Seal};

/// The response itself, before and after its items.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) created: u64,
    pub(super) tier: Option<String>,
    pub(super) extra: Extra,
}

/// A part of a message.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) is_refusal: bool,
    pub(super) text: String,
    pub(super) annotations: Vec<Value>,
    pub(super) logprobs: Vec<Value>,
    pub(super) extra: Extra,
}

// === impl Head ===

impl Head {
    /// The members that repeat the question have the values a question without them has: the answer's teller does not know the question.
    pub(super) fn response(&self, status: &str, output: Vec<Value>) -> Map<String, Value> {
        let response = json!({
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "background": false,
            "error": null,
            "incomplete_details": null,
            "instructions": null,
            "max_output_tokens": null,
            "model": self.model,
            "output": output,
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": {"effort": null, "summary": null},
            "service_tier": self.tier,
            "store": false,
            "temperature": null,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": null,
            "truncation": "disabled",
            "usage": null,
            "user": null,
            "metadata": {},
        });
        object(response).unwrap_or_default()
    }

    pub(super) fn ended(&self, status: Status, output: Vec<Value>, usage: Option<Value>) -> Map<String, Value> {
        let mut response = self.response(status.word, output);
        if let Some(reason) = status.reason {
            response.insert("incomplete_details".into(), json!({"reason": reason}));
        }
        response.insert("usage".into(), usage.unwrap_or_default());
        for (name, value) in &self.extra {
            response.entry(name).or_insert_with(|| value.clone());
        }
        response
    }
}

// === impl Part ===

impl Part {
    pub(super) fn new(is_refusal: bool, extra: Extra) -> Self {
        Self { is_refusal, text: String::new(), annotations: Vec::new(), logprobs: Vec::new(), extra }
    }

    pub(super) fn cite(&mut self, citation: &Citation, losses: &mut Losses) -> Option<&Value> {
        let annotation = annotations::write(citation, self.text.chars().count(), losses)?;
        self.annotations.push(annotation);
        self.annotations.last()
    }

    pub(super) fn value(&self) -> Value {
        let mut part = match self.is_refusal {
            true => json!({"type": "refusal", "refusal": self.text}),
            false => json!({
                "type": "output_text", "annotations": self.annotations, "logprobs": self.logprobs, "text": self.text,
            }),
        };
        add(&mut part, &self.extra);
        part
    }

    /// As it is announced.
    pub(super) fn blank(&self) -> Value {
        Self::new(self.is_refusal, Extra::new()).value()
    }
}

pub(super) fn message(id: &str, status: &str, content: Vec<Value>) -> Value {
    json!({"id": id, "type": "message", "status": status, "role": "assistant", "content": content})
}

/// A call's own words for its input, by its kind.
pub(super) fn call(id: &str, status: &str, content: &Content, extra: &Extra) -> Value {
    let Content::ToolUse { id: call_id, name, arguments, kind } = content else { return Value::Null };
    let mut item = match kind {
        CallKind::Function => json!({
            "id": id, "type": "function_call", "status": status, "arguments": arguments, "call_id": call_id, "name": name,
        }),
        CallKind::Custom => json!({
            "id": id, "type": "custom_tool_call", "status": status, "input": arguments, "call_id": call_id, "name": name,
        }),
    };
    add(&mut item, extra);
    item
}

/// `summary`: told as one. Thoughts of other providers always are, because that is what callers show, keep and send back: Codex drops
/// `reasoning_text` before it asks again, and OpenAI refuses it.
pub(super) fn reasoning(id: &str, text: &str, summary: bool, seal: Option<&Seal>, extra: &Extra) -> Value {
    let mut item = json!({"id": id, "type": "reasoning", "summary": []});
    if !text.is_empty() {
        match summary {
            true => item["summary"] = json!([{"type": "summary_text", "text": text}]),
            false => item["content"] = json!([{"type": "reasoning_text", "text": text}]),
        }
    }
    item["encrypted_content"] = seal.map_or(Value::Null, |seal| seal.pack(HOME).into());
    add(&mut item, extra);
    item
}

pub(super) fn image(id: &str, media_type: &str, base64: &str) -> Value {
    let format = media_type.strip_prefix("image/").unwrap_or("png");
    json!({
        "id": id, "type": "image_generation_call", "status": "completed", "result": base64, "output_format": format,
    })
}

fn add(item: &mut Value, extra: &Extra) {
    if let Value::Object(item) = item {
        for (name, value) in extra {
            item.entry(name).or_insert_with(|| value.clone());
        }
    }
}
