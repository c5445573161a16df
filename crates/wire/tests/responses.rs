//! OpenAI's Responses API beyond the laws: what its items are in the form, what its streams leave out and repeat, and what Codex asks for.
//!
//! The samples are written after the published reference and the SDKs' types.

#![allow(clippy::unwrap_used)]

use bytes::BytesMut;
use serde_json::Value;
use tollgate_wire::chat::{Answer, Event, Fault, Fold, Losses};
use tollgate_wire::dialect::chat::{Chat, Telling};
use tollgate_wire::dialect::{ALL, Dialect};
use tollgate_wire::frame::Frames;

#[path = "responses/codex.rs"]
mod codex;
#[path = "responses/questions.rs"]
mod questions;
#[path = "responses/streams.rs"]
mod streams;
#[path = "responses/told.rs"]
mod told;

const ITEMS: &str = include_str!("chat/openai-responses/items.json");
const CODEX: &str = include_str!("chat/openai-responses/codex.json");
const STREAM: &str = include_str!("chat/openai-responses/stream.sse");

fn home() -> &'static dyn Chat {
    Dialect::OpenaiResponses.chat().unwrap()
}

/// All dialects that are translated, but this one.
fn others() -> impl Iterator<Item = (&'static str, &'static dyn Chat)> {
    let others = ALL.into_iter().filter(|(_, dialect)| *dialect != Dialect::OpenaiResponses);
    others.filter_map(|(name, dialect)| Some((name, dialect.chat()?)))
}

fn telling() -> Telling {
    Telling { model: "model-1".into(), id: "resp_told".into(), created: 1_750_000_000, ..Telling::default() }
}

fn decoded(stream: &str) -> Vec<Event> {
    let (mut events, mut decoder, mut frames) = (Vec::new(), home().decoder(), Frames::new(home().framing()));
    frames.push(stream.as_bytes(), |frame| decoder.frame(frame, &mut events));
    frames.finish(|frame| decoder.frame(frame, &mut events));
    decoder.end(&mut events);
    events
}

fn folded(stream: &str) -> Result<Answer, Option<Box<Fault>>> {
    let mut fold = Fold::new(Dialect::OpenaiResponses);
    decoded(stream).into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

/// The JSON of each event, in order.
fn encoded(events: Vec<Event>) -> Vec<Value> {
    let (mut bytes, mut encoder) = (BytesMut::new(), home().encoder(telling()));
    events.into_iter().for_each(|event| encoder.event(event, &mut bytes, &mut Losses::default()));
    data(std::str::from_utf8(&bytes).unwrap())
}

fn data(stream: &str) -> Vec<Value> {
    stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|json| serde_json::from_str(json).unwrap())
        .collect()
}

fn stream(events: &[Value]) -> String {
    events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())).collect()
}
