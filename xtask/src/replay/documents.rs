//! Cuts a recorded answer into its JSON documents.
//!
//! Enters: a whole answer. Leaves: one value for each event, line, message or array element. Never: uses `wire`, which is what
//! the documents are compared with; fails: what is no JSON is no document.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use super::exchange::Message;

const INFLATED_BYTES_MAX: u64 = 64 << 20;

pub(super) fn documents(answer: &Message) -> Vec<Value> {
    cut(&decoded(answer), answer.header("content-type"))
}

/// Without its content coding, as far as it can be read. That is also what the log keeps.
pub(super) fn decoded(message: &Message) -> Bytes {
    if message.header("content-encoding") != "gzip" {
        return message.body.clone();
    }
    let mut inflated = Vec::new();
    drop(flate2::read::GzDecoder::new(&message.body[..]).take(INFLATED_BYTES_MAX).read_to_end(&mut inflated));
    inflated.into()
}

fn cut(body: &[u8], content_type: &str) -> Vec<Value> {
    if content_type.starts_with("application/vnd.amazon.eventstream") {
        return aws_messages(body).filter_map(|payload| unwrapped(serde_json::from_slice(payload).ok()?)).collect();
    }
    match serde_json::from_slice(body) {
        Ok(Value::Array(elements)) => elements,
        Ok(whole) => vec![whole],
        Err(_) => lines(body),
    }
}

/// Server-sent events of one `data:` line, as all providers send them, or one document a line.
fn lines(body: &[u8]) -> Vec<Value> {
    let lines = body.split(|byte| matches!(byte, b'\n' | b'\r'));
    let data = lines.map(|line| line.strip_prefix(b"data:").unwrap_or(line).trim_ascii());
    data.filter_map(|data| serde_json::from_slice(data).ok()).collect()
}

/// A message is: its length and that of its headers (four bytes each, big-endian), a checksum of four bytes, the headers, the payload, and
/// another checksum (<https://smithy.io/2.0/aws/amazon-eventstream.html>).
fn aws_messages(mut body: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(*body.first_chunk::<4>()?) as usize;
        let headers = u32::from_be_bytes(*body.get(4..)?.first_chunk::<4>()?) as usize;
        let (message, rest) = body.split_at_checked(length)?;
        body = rest;
        message.get(12 + headers..length.checked_sub(4)?)
    })
}

/// Invoke wraps the model's own words: `{"bytes": "base64 of JSON"}`.
fn unwrapped(payload: Value) -> Option<Value> {
    match payload.get("bytes").and_then(Value::as_str) {
        Some(coded) => serde_json::from_slice(&STANDARD.decode(coded).ok()?).ok(),
        None => Some(payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_framing_gives_the_same_documents() {
        let wanted = vec![json!({"a": 1}), json!({"b": 2})];
        let texts = [
            "data: {\"a\":1}\n\ndata: {\"b\":2}\n\ndata: [DONE\n",
            ": comment\r\nevent: x\r\ndata:{\"a\":1}\r\n\r\nevent: y\r\ndata: {\"b\":2}",
            "{\"a\":1}\n{\"b\":2}\n",
            "[{\"a\":1},\n {\"b\":2}]",
        ];
        for text in texts {
            assert_eq!(cut(text.as_bytes(), "text/event-stream"), wanted, "{text}");
        }
        assert_eq!(cut(b"{\"a\":1,\n\"b\":2}", "application/json"), vec![json!({"a": 1, "b": 2})]);
        assert!(cut(b"\xff\xfbmusic", "audio/mpeg").is_empty());
    }

    #[test]
    fn messages_of_aws_are_opened() {
        let mut body = message(b"\x01h\x07\x00\x01v", br#"{"a":1}"#);
        body.extend(message(b"", br#"{"bytes":"eyJiIjoyfQ==","p":"abc"}"#));
        let content_type = "application/vnd.amazon.eventstream";
        assert_eq!(cut(&body, content_type), vec![json!({"a": 1}), json!({"b": 2})]);
        assert_eq!(cut(&body[..body.len() - 1], content_type), vec![json!({"a": 1})]);
        assert!(cut(&[0, 0, 0, 1, 0, 0, 0, 0, 9], content_type).is_empty());
    }

    #[test]
    fn a_compressed_answer_is_read_too() {
        // `printf '{"a":1}' | gzip -n | base64`
        let coded = "H4sIAAAAAAAAA6tWSlSyMqwFAK+sG1YHAAAA";
        let answer = json!({"headers": {"content-encoding": "gzip"}, "base64": coded});
        assert_eq!(documents(&serde_json::from_value(answer).unwrap()), vec![json!({"a": 1})]);
    }

    fn message(headers: &[u8], payload: &[u8]) -> Vec<u8> {
        let length = (16 + headers.len() + payload.len()) as u32;
        let lengths = [length.to_be_bytes(), (headers.len() as u32).to_be_bytes(), [0; 4]].concat();
        [&lengths[..], headers, payload, &[0; 4]].concat()
    }
}
