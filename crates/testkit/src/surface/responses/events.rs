//! The events of a streamed response.
//!
//! Enters: the response at its beginning and end, and its items. Leaves: created, in_progress, then for each item added, its parts
//! and deltas, done; at last completed or incomplete. Never: skips a number of the sequence.

use serde_json::{Value, json};

use crate::script::{Event, Spoken};
use crate::speech::{pieces, tokens};

/// An event before it has its number, with the tokens it adds.
type Part = (Value, u64);

pub(super) fn stream(begun: Value, ended: Value, items: Vec<Value>, chunks: Option<u32>) -> Spoken {
    let status = ended["status"].as_str().unwrap_or("completed");
    let last = (json!({"type": format!("response.{status}"), "response": ended}), 0);
    let first = [
        (json!({"type": "response.created", "response": begun}), 0),
        (json!({"type": "response.in_progress", "response": begun}), 0),
    ];
    let items = (0_u64..).zip(items).flat_map(move |(at, item)| of_item(at, item, chunks));
    let numbered = first.into_iter().chain(items).chain([last]).zip(0_u64..).map(|((mut event, tokens), number)| {
        event["sequence_number"] = number.into();
        let name = event["type"].as_str().unwrap_or_default().to_owned();
        Event::named(&name, &event, tokens)
    });
    Spoken::events(numbered)
}

fn of_item(at: u64, item: Value, chunks: Option<u32>) -> Box<dyn Iterator<Item = Part> + Send> {
    let mut added = item.clone();
    added["status"] = "in_progress".into();
    let done = (json!({"type": "response.output_item.done", "output_index": at, "item": item}), 0);
    let parts = if item["type"] == "message" {
        added["content"] = json!([]);
        of_message(at, item, chunks)
    } else {
        added["arguments"] = "".into();
        of_call(at, item)
    };
    let added = (json!({"type": "response.output_item.added", "output_index": at, "item": added}), 0);
    Box::new([added].into_iter().chain(parts).chain([done]))
}

fn of_message(at: u64, item: Value, chunks: Option<u32>) -> Box<dyn Iterator<Item = Part> + Send> {
    let id = item["id"].clone();
    let part = item["content"][0].clone();
    let text = part["text"].as_str().unwrap_or_default().to_owned();
    let mut empty = part.clone();
    empty["text"] = "".into();
    let place = move |kind: &str| json!({"type": kind, "item_id": id, "output_index": at, "content_index": 0});
    let with = |mut event: Value, member: &str, value: Value| {
        event[member] = value;
        event
    };
    let added = with(place("response.content_part.added"), "part", empty);
    let mut text_done = with(place("response.output_text.done"), "text", part["text"].clone());
    text_done["logprobs"] = json!([]);
    let part_done = with(place("response.content_part.done"), "part", part);
    let deltas = pieces(&text, chunks).into_iter().map(move |cut| {
        let piece = &text[cut];
        let mut delta = place("response.output_text.delta");
        (delta["delta"], delta["logprobs"]) = (piece.into(), json!([]));
        (delta, tokens(piece).max(1))
    });
    Box::new([(added, 0)].into_iter().chain(deltas).chain([(text_done, 0), (part_done, 0)]))
}

fn of_call(at: u64, item: Value) -> Box<dyn Iterator<Item = Part> + Send> {
    let arguments = item["arguments"].as_str().unwrap_or_default().to_owned();
    let done = json!({
        "type": "response.function_call_arguments.done",
        "item_id": item["id"],
        "output_index": at,
        "arguments": arguments,
        "name": item["name"],
    });
    let deltas = pieces(&arguments, None).into_iter().map(move |cut| {
        let kind = "response.function_call_arguments.delta";
        (json!({"type": kind, "item_id": item["id"], "output_index": at, "delta": &arguments[cut]}), 1)
    });
    Box::new(deltas.chain([(done, 0)]))
}
