//! The frames of a stream as bytes.
//!
//! Enters: deltas and what stands beside them. Leaves: server-sent events in one envelope. Never: parses what it has written.

use bytes::{BufMut, BytesMut};
use serde_json::{Map, Value, json};

use super::super::write_answer;
use super::Encoder;

// === impl Encoder ===

impl Encoder {
    pub(super) fn envelope_of(&self, id: &str, model: &str, created: Option<u64>, tier: Option<&str>) -> Vec<u8> {
        let mut members = json!({
            "id": write_answer::or(id, &self.telling.id),
            "object": "chat.completion.chunk",
            "created": created.unwrap_or(self.telling.created),
            "model": write_answer::or(&self.telling.model, model),
        });
        if let Some(tier) = tier {
            members["service_tier"] = tier.into();
        }
        let mut text = format!("data: {members}").into_bytes();
        // Its closing brace.
        text.pop();
        text.extend_from_slice(b",\"choices\":[");
        text
    }

    /// The frame that most are: text and nothing else.
    pub(super) fn text(&mut self, at: u32, name: &str, text: &str, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        out.extend_from_slice(&self.envelope);
        out.extend_from_slice(format!("{{\"index\":{at},\"delta\":{{\"{name}\":").as_bytes());
        write(text, out);
        out.extend_from_slice(b"},\"finish_reason\":null}");
        self.close(out);
    }

    pub(super) fn delta_of(&mut self, at: u32, name: &str, value: Value, out: &mut BytesMut) {
        self.frame(at, Map::from_iter([(name.to_owned(), value)]), Map::new(), out);
    }

    /// `more`: members of the choice beside its delta.
    pub(super) fn frame(&mut self, at: u32, delta: Map<String, Value>, more: Map<String, Value>, out: &mut BytesMut) {
        let mut choice = Map::from_iter([("index".to_owned(), Value::from(at)), ("delta".to_owned(), delta.into())]);
        choice.insert("finish_reason".into(), Value::Null);
        choice.extend(more);
        out.extend_from_slice(&self.envelope);
        write(&choice, out);
        self.close(out);
    }

    pub(super) fn close(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(b"]");
        for (name, value) in std::mem::take(&mut self.extra) {
            out.extend_from_slice(b",");
            write(&name, out);
            out.extend_from_slice(b":");
            write(&value, out);
        }
        out.extend_from_slice(b"}\n\n");
    }
}

pub(super) fn write<T: serde::Serialize + ?Sized>(value: &T, out: &mut BytesMut) {
    // Into memory, of values that are JSON already: neither can fail.
    let _ = serde_json::to_writer(out.writer(), value);
}
