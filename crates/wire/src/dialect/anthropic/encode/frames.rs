//! Frames of a stream, as bytes.
//!
//! Enters: what a frame says. Leaves: a server-sent event. Never: builds a tree for the frames that come by the hundred.

use bytes::{BufMut, BytesMut};
use serde_json::Value;

/// A delta's type, and the member that has the text.
pub(super) type Kind = (&'static str, &'static str);

pub(super) const TEXT: Kind = ("text_delta", "text");
pub(super) const THINKING: Kind = ("thinking_delta", "thinking");
pub(super) const SIGNATURE: Kind = ("signature_delta", "signature");
pub(super) const ARGUMENTS: Kind = ("input_json_delta", "partial_json");

/// The type stands first: readers look for it there.
pub(super) fn frame(kind: &str, members: Value, out: &mut BytesMut) {
    let mut told = serde_json::Map::new();
    told.insert("type".into(), kind.into());
    if let Value::Object(members) = members {
        told.extend(members);
    }
    out.extend_from_slice(format!("event: {kind}\ndata: ").as_bytes());
    json(&told, out);
    out.extend_from_slice(b"\n\n");
}

pub(super) fn text(index: u32, (kind, member): Kind, text: &str, out: &mut BytesMut) {
    let head = format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{{\"type\":\"{kind}\",\"{member}\":"
    );
    out.extend_from_slice(head.as_bytes());
    json(text, out);
    out.extend_from_slice(b"}}\n\n");
}

pub(super) fn stop(index: u32, out: &mut BytesMut) {
    let told = format!("event: content_block_stop\ndata: {{\"type\":\"content_block_stop\",\"index\":{index}}}\n\n");
    out.extend_from_slice(told.as_bytes());
}

fn json<T: serde::Serialize + ?Sized>(value: &T, out: &mut BytesMut) {
    serde_json::to_writer(out.writer(), value).expect("memory takes every byte, and names are strings");
}
