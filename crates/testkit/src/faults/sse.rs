//! Faults, and rare but lawful forms, of a stream of server-sent events.
//!
//! Enters: events. Leaves: plans whose HTTP is in order. Never: holds more than one block of what it repeats.

use bytes::Bytes;

use crate::plan::{Frame, Plan};

const EVENT: &str = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"sandbox-1\",\
                     \"choices\":[{\"index\":0,\"delta\":{\"content\":\"hé\"},\"finish_reason\":null}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const BLOCK: &[u8] = &[b'x'; 10_000];

/// A good event, these bytes, a good event and the end.
pub(super) fn with(bytes: &'static [u8]) -> Plan {
    stream(vec![EVENT.into(), Bytes::from_static(bytes), EVENT.into(), DONE.into()])
}

pub(super) fn unterminated() -> Plan {
    stream(vec![EVENT.into(), EVENT.into()])
}

pub(super) fn no_blank_line() -> Plan {
    stream(vec![EVENT.into(), DONE.trim_end().into()])
}

pub(super) fn bom() -> Plan {
    stream(vec![Bytes::from_static(b"\xef\xbb\xbf"), EVENT.into(), DONE.into()])
}

pub(super) fn carriage_returns() -> Plan {
    stream([EVENT, DONE].iter().map(|event| event.replace('\n', "\r").into()).collect())
}

/// Splits inside "é" as well.
pub(super) fn split() -> Plan {
    let all = format!("{EVENT}{DONE}").into_bytes();
    stream(all.chunks(1).map(Bytes::copy_from_slice).collect())
}

pub(super) fn huge_event() -> Plan {
    let start = std::iter::once(Frame::now("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\""));
    let text = (0..10_000).map(|_| Frame::now(Bytes::from_static(BLOCK)));
    let end = std::iter::once(Frame::now(format!("\"}}}}]}}\n\n{DONE}")));
    Plan::stream("text/event-stream", start.chain(text).chain(end))
}

fn stream(parts: Vec<Bytes>) -> Plan {
    Plan::stream("text/event-stream", parts.into_iter().map(Frame::now))
}
