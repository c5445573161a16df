//! Writes messages of Amazon's event stream encoding: the counterpart of the reader above it.
//!
//! Enters: what a message is, and its payload. Leaves: its bytes, with both checksums. Never: a header that is not text.

use bytes::{BufMut, BytesMut};

use super::{CHECKSUM, PRELUDE};

/// What the payload is, by its type's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    Event(&'a str),
    Exception(&'a str),
}

/// The payload is JSON.
pub fn write_message(message: Message<'_>, payload: &[u8], out: &mut BytesMut) {
    let (name, kind, sort) = match message {
        Message::Event(kind) => (":event-type", kind, "event"),
        Message::Exception(kind) => (":exception-type", kind, "exception"),
    };
    let headers = [(name, kind), (":content-type", "application/json"), (":message-type", sort)];
    let headers_length: usize = headers.iter().map(|(name, value)| 1 + name.len() + 1 + 2 + value.len()).sum();
    let start = out.len();
    out.put_u32((PRELUDE + headers_length + payload.len() + CHECKSUM) as u32);
    out.put_u32(headers_length as u32);
    out.put_u32(crc32fast::hash(&out[start..]));
    headers.iter().for_each(|(name, value)| header(name, value, out));
    out.put_slice(payload);
    out.put_u32(crc32fast::hash(&out[start..]));
}

fn header(name: &str, value: &str, out: &mut BytesMut) {
    const TEXT: u8 = 7;
    out.put_u8(name.len() as u8);
    out.put_slice(name.as_bytes());
    out.put_u8(TEXT);
    out.put_u16(value.len() as u16);
    out.put_slice(value.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{AwsEvents, Frame};

    #[test]
    fn is_read_as_it_was_written() {
        let mut bytes = BytesMut::new();
        write_message(Message::Event("messageStart"), br#"{"role":"assistant"}"#, &mut bytes);
        write_message(Message::Exception("throttlingException"), b"{}", &mut bytes);
        let mut read = Vec::new();
        let mut frames = AwsEvents::default();
        frames.push(&bytes, |frame| read.push(format!("{frame:?}")));
        frames.finish(|frame| panic!("{frame:?}"));
        let whole = Frame::Whole { kind: b"messageStart", data: br#"{"role":"assistant"}"# };
        let fault = Frame::Fault { kind: b"throttlingException", data: b"{}" };
        assert_eq!(read, [format!("{whole:?}"), format!("{fault:?}")]);
    }
}
