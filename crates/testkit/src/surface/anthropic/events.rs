//! The events of a streamed message.
//!
//! Enters: the message as it is in the end. Leaves: message_start, each block's start, deltas and stop, message_delta, message_stop.
//! Never: gives the final output count before `message_delta`; the first event says 1, as Anthropic's does.

use serde_json::{Value, json};

use crate::script::{Event, Spoken};
use crate::speech::{pieces, tokens};

pub(super) fn stream(mut message: Value, chunks: Option<u32>) -> Spoken {
    let blocks = match message["content"].take() {
        Value::Array(blocks) => blocks,
        _ => Vec::new(),
    };
    let delta = json!({"stop_reason": message["stop_reason"].take(), "stop_sequence": message["stop_sequence"].take()});
    message["content"] = json!([]);
    let mut ended = json!({"type": "message_delta", "delta": delta});
    if let Some(usage) = message.get_mut("usage") {
        let members = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"];
        ended["usage"] = members.iter().map(|name| ((*name).to_owned(), usage[name].clone())).collect();
        usage["output_tokens"] = 1.into();
    }
    let start = event(json!({"type": "message_start", "message": message}), 0);
    let blocks = (0_u64..).zip(blocks).flat_map(move |(index, block)| of_block(index, block, chunks));
    let stop = event(json!({"type": "message_stop"}), 0);
    Spoken::events([start].into_iter().chain(blocks).chain([event(ended, 0), stop]))
}

fn of_block(index: u64, mut block: Value, chunks: Option<u32>) -> impl Iterator<Item = Event> + Send {
    let is_text = block["type"] == "text";
    let (content, chunks) = match is_text {
        true => (block["text"].take().as_str().unwrap_or_default().to_owned(), chunks),
        false => (block["input"].take().to_string(), None),
    };
    if is_text {
        block["text"] = "".into()
    } else {
        block["input"] = json!({})
    }
    let start = event(json!({"type": "content_block_start", "index": index, "content_block": block}), 0);
    let ping = (index == 0).then(|| event(json!({"type": "ping"}), 0));
    // A call begins with an empty piece of JSON, as Anthropic's does.
    let empty = (!is_text).then(|| piece(index, json!({"type": "input_json_delta", "partial_json": ""}), 0));
    let deltas = pieces(&content, chunks).into_iter().map(move |cut| {
        let text = &content[cut];
        match is_text {
            true => piece(index, json!({"type": "text_delta", "text": text}), tokens(text).max(1)),
            false => piece(index, json!({"type": "input_json_delta", "partial_json": text}), 1),
        }
    });
    let stop = event(json!({"type": "content_block_stop", "index": index}), 0);
    [start].into_iter().chain(ping).chain(empty).chain(deltas).chain([stop])
}

fn piece(index: u64, delta: Value, tokens: u64) -> Event {
    event(json!({"type": "content_block_delta", "index": index, "delta": delta}), tokens)
}

fn event(value: Value, tokens: u64) -> Event {
    Event::named(value["type"].as_str().unwrap_or_default(), &value, tokens)
}
