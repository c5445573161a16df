//! Errors that are in nobody's words: a proxy's page, a bare sentence, a stream that ends too early.
//!
//! Enters: a status and a body that is not what the dialect says errors look like. Leaves: a fault with something to read in it. Never: a page of HTML.

use serde_json::Value;

use crate::chat::{Fault, FaultKind};

const MESSAGE_CHARS_MAX: usize = 500;

/// Where errors keep their sentence that are not the dialect's own.
const SENTENCES: [&str; 5] = ["message", "Message", "error", "detail", "errorMessage"];

pub(crate) fn unread(status: u16, body: &[u8]) -> Fault {
    let raw = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
    let found = SENTENCES.iter().find_map(|name| raw.get(name)?.as_str()).or(raw.as_str());
    let text = String::from_utf8_lossy(body);
    let text = found.unwrap_or(if raw.is_null() { text.trim() } else { "" });
    let is_sentence = !text.is_empty() && !text.starts_with('<') && text != "null";
    let message = match is_sentence {
        true => text.chars().take(MESSAGE_CHARS_MAX).collect(),
        false => format!("the provider answered with status {status}"),
    };
    Fault { kind: FaultKind::of_status(status), status, message, code: None, param: None, raw }
}

/// In a stream that began with success: the provider did not keep to its dialect, or stopped in the middle.
pub(crate) fn in_stream(message: &str) -> Fault {
    let message = message.to_owned();
    Fault { kind: FaultKind::Server, status: 502, message, code: None, param: None, raw: Value::Null }
}

pub(crate) fn broken_off() -> Fault {
    in_stream("the provider broke its answer off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_sentence_or_says_one() {
        for (body, message) in [
            (&br#"{"message":"no such model"}"#[..], "no such model"),
            (br#"{"error":"down"}"#, "down"),
            (b"upstream connect error", "upstream connect error"),
            (b"<html>Bad Gateway</html>", "the provider answered with status 502"),
            (b"\xff", "\u{fffd}"),
            (b"[]", "the provider answered with status 502"),
            (b"", "the provider answered with status 502"),
        ] {
            assert_eq!(unread(502, body).message, message);
        }
    }
}
