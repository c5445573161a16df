//! A cached answer as bytes.
//!
//! Enters: an answer, or what was written. Leaves: the other, or `None`: bytes that are damaged, or of another version, are a miss.
//! Never: copies the body when reading.
//!
//! `version u8 | crc32 u32 | head length u32 | head (postcard) | body`, the checksum over all that follows it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use tollgate_model::Usage;

use crate::answers::{CachedAnswer, Frame};

const VERSION: u8 = 2;
const PREFACE: usize = 9;

#[derive(Serialize, Deserialize)]
struct Head<'a> {
    status: u16,
    #[serde(borrow)]
    headers: Vec<(&'a str, &'a [u8])>,
    frames: Vec<(u64, u32)>,
    provider: &'a str,
    model: &'a str,
    scope: &'a str,
    gateway: &'a str,
    usage: Option<Usage>,
    print: Option<[u8; 32]>,
    stored_ms: u64,
    expires_ms: u64,
}

pub(super) fn encode(answer: &CachedAnswer) -> Vec<u8> {
    let head = Head {
        status: answer.status,
        headers: answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
        frames: answer.frames.iter().map(|frame| (frame.offset_us, frame.len)).collect(),
        provider: &answer.provider,
        model: &answer.model,
        scope: &answer.scope,
        gateway: &answer.gateway,
        usage: answer.usage.clone(),
        print: answer.print,
        stored_ms: answer.stored_ms,
        expires_ms: answer.expires_ms,
    };
    // Into memory, of types that postcard can write: an empty head, which no version has, is refused when read.
    let head = postcard::to_stdvec(&head).unwrap_or_default();
    let mut bytes = Vec::with_capacity(PREFACE + head.len() + answer.body.len());
    bytes.extend_from_slice(&[VERSION, 0, 0, 0, 0]);
    bytes.extend_from_slice(&(head.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(&answer.body);
    let sum = crc32fast::hash(&bytes[5..]);
    bytes[1..5].copy_from_slice(&sum.to_le_bytes());
    bytes
}

pub(super) fn decode(bytes: Vec<u8>) -> Option<CachedAnswer> {
    let number = |at: usize| bytes.get(at..at + 4)?.try_into().map(u32::from_le_bytes).ok();
    if *bytes.first()? != VERSION || number(1)? != crc32fast::hash(bytes.get(5..)?) {
        return None;
    }
    let body_at = PREFACE.checked_add(number(5)? as usize)?;
    let head: Head<'_> = postcard::from_bytes(bytes.get(PREFACE..body_at)?).ok()?;
    let mut answer = read(&head)?;
    answer.body = Bytes::from(bytes).slice(body_at..);
    Some(answer)
}

fn read(head: &Head<'_>) -> Option<CachedAnswer> {
    let mut headers = HeaderMap::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        headers.append(name.parse::<HeaderName>().ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    Some(CachedAnswer {
        status: head.status,
        headers,
        body: Bytes::new(),
        frames: head.frames.iter().map(|(offset_us, len)| Frame { offset_us: *offset_us, len: *len }).collect(),
        provider: Arc::from(head.provider),
        model: Arc::from(head.model),
        scope: Arc::from(head.scope),
        gateway: Arc::from(head.gateway),
        usage: head.usage.clone(),
        print: head.print,
        stored_ms: head.stored_ms,
        expires_ms: head.expires_ms,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answer() -> CachedAnswer {
        let mut headers = HeaderMap::new();
        headers.append("content-type", HeaderValue::from_static("text/event-stream"));
        headers.append("x-twice", HeaderValue::from_static("one"));
        headers.append("x-twice", HeaderValue::from_bytes(b"t\xe9o").unwrap());
        CachedAnswer {
            status: 200,
            headers,
            body: Bytes::from_static(b"data: 1\n\ndata: 2\n\n"),
            frames: vec![Frame { offset_us: 0, len: 9 }, Frame { offset_us: 1_500, len: 9 }],
            provider: "openai".into(),
            model: "gpt-5.5".into(),
            scope: "account".into(),
            gateway: "default".into(),
            usage: Some(Usage { input: 3, output: 5, ..Usage::default() }),
            print: Some([7; 32]),
            stored_ms: 1,
            expires_ms: u64::MAX,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(decode(encode(&answer())), Some(answer()));
    }

    #[test]
    fn damage_anywhere_is_a_miss() {
        let bytes = encode(&answer());
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert_eq!(decode(damaged), None, "at {at}");
            assert_eq!(decode(bytes[..at].to_vec()), None, "cut at {at}");
        }
    }
}
