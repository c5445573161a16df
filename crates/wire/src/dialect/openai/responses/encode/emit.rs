//! Numbers events and frames them.
//!
//! Enters: an event's name and members. Leaves: its bytes. Never: a number twice, or bytes for an answer that is told whole.

use bytes::{BufMut, BytesMut};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::parts::object;

#[derive(Debug)]
pub(super) struct Emit {
    /// Off for an answer that is told whole.
    pub(super) is_on: bool,
    sequence: u64,
    pub(super) out: BytesMut,
}

/// Where a delta belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'i> {
    pub(super) item_id: &'i str,
    pub(super) output_index: usize,
    pub(super) part: Index,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Index {
    Item,
    Content(usize),
    Summary(usize),
}

/// The event there are hundreds of: written without a tree of values.
#[derive(Serialize)]
struct DeltaEvent<'a> {
    r#type: &'a str,
    item_id: &'a str,
    output_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_index: Option<usize>,
    delta: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<[(); 0]>,
    sequence_number: u64,
}

// === impl Emit ===

impl Emit {
    pub(super) fn new(is_on: bool) -> Self {
        Self { is_on, sequence: 0, out: BytesMut::new() }
    }

    /// `members` is an object; it is not made when nobody listens.
    pub(super) fn event(&mut self, kind: &str, members: impl FnOnce() -> Value) {
        if !self.is_on {
            return;
        }
        let mut event = Map::from_iter([("type".to_owned(), Value::from(kind))]);
        event.extend(object(members()).unwrap_or_default());
        event.insert("sequence_number".into(), self.sequence.into());
        self.frame(kind, &event);
    }

    /// `item_id`, `output_index` and the part's index are added to the members.
    pub(super) fn at(&mut self, kind: &str, spot: Spot<'_>, members: impl FnOnce() -> Value) {
        self.event(kind, || {
            let mut members = members();
            members["item_id"] = spot.item_id.into();
            members["output_index"] = spot.output_index.into();
            match spot.part {
                Index::Item => {}
                Index::Content(at) => members["content_index"] = at.into(),
                Index::Summary(at) => members["summary_index"] = at.into(),
            }
            members
        });
    }

    /// `logprobs`: OpenAI's SDKs need the member in a text's delta, and only there.
    pub(super) fn delta(&mut self, kind: &str, spot: Spot<'_>, delta: &str, logprobs: bool) {
        if !self.is_on || delta.is_empty() {
            return;
        }
        let (content_index, summary_index) = match spot.part {
            Index::Item => (None, None),
            Index::Content(at) => (Some(at), None),
            Index::Summary(at) => (None, Some(at)),
        };
        let event = DeltaEvent {
            r#type: kind,
            item_id: spot.item_id,
            output_index: spot.output_index,
            content_index,
            summary_index,
            delta,
            logprobs: logprobs.then_some([]),
            sequence_number: self.sequence,
        };
        self.frame(kind, &event);
    }

    fn frame(&mut self, kind: &str, event: &impl Serialize) {
        self.sequence += 1;
        self.out.extend_from_slice(b"event: ");
        self.out.extend_from_slice(kind.as_bytes());
        self.out.extend_from_slice(b"\ndata: ");
        // Memory takes every byte, and the members are strings, numbers and values.
        let written = serde_json::to_writer((&mut self.out).writer(), event);
        debug_assert!(written.is_ok());
        self.out.extend_from_slice(b"\n\n");
    }
}
