//! Gives an answer its speed and its flaws.
//!
//! Enters: what is said, whole or as events; the dials. Leaves: a plan. Never: changes what is said except where a dial says so.

use std::time::Duration;

use bytes::Bytes;

use super::Wrong;
use super::manner::Manner;
use crate::dials::{Dials, WrongLength};
use crate::plan::{Ending, Frame, Framing, Plan};

/// Neither JSON nor UTF-8.
const GARBAGE: &[u8] = b"\x80\xff{\"garbage\": ]]]\xc3\x28\n\n";
/// By how much a wrong `content-length` is too large.
const TOO_MUCH: u64 = 64;

/// An answer before it has a speed.
pub(crate) enum Spoken {
    Whole { content_type: &'static str, body: Bytes, tokens: u64 },
    Stream { content_type: &'static str, events: Events },
}

pub(crate) type Events = Box<dyn Iterator<Item = Event> + Send>;

/// One event of a stream, framed for the wire.
pub(crate) struct Event {
    pub(crate) bytes: Bytes,
    /// What it adds to the answer. Events without content wait for nothing.
    pub(crate) tokens: u64,
}

// === impl Spoken ===

impl Spoken {
    pub(crate) fn json(body: &serde_json::Value, tokens: u64) -> Self {
        Self::Whole { content_type: "application/json", body: body.to_string().into(), tokens }
    }

    pub(crate) fn events(events: impl Iterator<Item = Event> + Send + 'static) -> Self {
        Self::Stream { content_type: "text/event-stream; charset=utf-8", events: Box::new(events) }
    }

    pub(crate) fn lines(lines: impl Iterator<Item = Event> + Send + 'static) -> Self {
        Self::Stream { content_type: "application/x-ndjson", events: Box::new(lines) }
    }
}

// === impl Event ===

impl Event {
    /// `data: {..}`, the form of OpenAI's chat and of Gemini.
    pub(crate) fn data(value: &serde_json::Value, tokens: u64) -> Self {
        Self { bytes: format!("data: {value}\n\n").into(), tokens }
    }

    /// `event: name` and `data: {..}`, the form of Anthropic and of OpenAI's responses.
    pub(crate) fn named(name: &str, value: &serde_json::Value, tokens: u64) -> Self {
        Self { bytes: format!("event: {name}\ndata: {value}\n\n").into(), tokens }
    }

    /// One JSON value a line, the form of Ollama.
    pub(crate) fn line(value: &serde_json::Value, tokens: u64) -> Self {
        Self { bytes: format!("{value}\n").into(), tokens }
    }

    pub(crate) fn bare(text: &'static str) -> Self {
        Self { bytes: Bytes::from_static(text.as_bytes()), tokens: 0 }
    }
}

pub(super) fn plan(spoken: Spoken, dials: &Dials, manner: Manner) -> Plan {
    let plan = match spoken {
        Spoken::Whole { content_type, body, tokens } => {
            whole(flawed(body, dials, manner), content_type, dials).after(dials.pace(tokens) - dials.gap)
        }
        Spoken::Stream { content_type, events } => stream(events, content_type, dials, manner),
    };
    plan.after(dials.latency)
}

fn flawed(body: Bytes, dials: &Dials, manner: Manner) -> Bytes {
    if dials.garbage.is_some() {
        return Bytes::from_static(GARBAGE);
    }
    if dials.error.is_some() {
        let wrong = Wrong { status: 503, said: "the sandbox was asked to fail here".to_owned(), member: None };
        return manner.error(&wrong, 0).to_string().into();
    }
    body
}

fn whole(body: Bytes, content_type: &str, dials: &Dials) -> Plan {
    let declared = declared(body.len() as u64, dials);
    let (sent, ending) = match (dials.cut, dials.stall) {
        (Some(cut), _) => (body.slice(..body.len().min(cut as usize)), Ending::Cut),
        (None, Some(stall)) => (body.slice(..body.len().min(stall as usize)), Ending::Stall),
        (None, None) => (body, ending(dials)),
    };
    Plan::whole(200, content_type, sent).framed(Framing::Length(declared)).ending(ending)
}

fn stream(events: Events, content_type: &str, dials: &Dials, manner: Manner) -> Plan {
    // The first of these to come ends the stream; of two at the same event, the one named first here.
    let ends = [(dials.error, Ending::Clean), (dials.cut, Ending::Cut), (dials.stall, Ending::Stall)];
    let first = ends.into_iter().filter_map(|(at, ending)| at.map(|at| (at, ending))).min_by_key(|(at, _)| *at);
    let (ends_after, ending) = first.unwrap_or((u32::MAX, ending(dials)));
    let error = dials.error.filter(|at| *at == ends_after);
    let garbage = dials.garbage.map(|at| at as usize);
    let events = events.take(ends_after as usize).enumerate().map(move |(at, event)| match garbage {
        Some(garbage) if garbage == at => Event { bytes: Bytes::from_static(GARBAGE), ..event },
        _ => event,
    });
    let last = error.map(|at| Event { bytes: manner.error_event(at), tokens: 0 });
    let frames = paced(events.chain(last), dials.clone());
    if dials.length.is_none() {
        return Plan::stream(content_type, frames).ending(ending);
    }
    let frames: Vec<Frame> = frames.collect();
    let sent = frames.iter().map(|frame| frame.bytes.len() as u64).sum();
    let declared = declared(sent, dials);
    Plan::stream(content_type, frames.into_iter()).framed(Framing::Length(declared)).ending(ending)
}

/// The silence stands between pieces of content; the first comes at once.
fn paced(events: impl Iterator<Item = Event>, dials: Dials) -> impl Iterator<Item = Frame> {
    let mut spoken = false;
    events.map(move |event| {
        let pause = spoken && event.tokens > 0;
        spoken |= event.tokens > 0;
        Frame::after(if pause { dials.pace(event.tokens) } else { Duration::ZERO }, event.bytes)
    })
}

fn declared(sent: u64, dials: &Dials) -> u64 {
    match dials.length {
        None => sent,
        Some(WrongLength::Short) => sent / 2,
        Some(WrongLength::Long) => sent + TOO_MUCH,
    }
}

/// After too short a body the connection closes; after too long a one it stays open, with the surplus on it.
fn ending(dials: &Dials) -> Ending {
    if dials.length == Some(WrongLength::Long) { Ending::Cut } else { Ending::Clean }
}
