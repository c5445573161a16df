//! OpenAI's chat completions beyond the laws: what its members are in the form, what its hosts add, and what is wrong with a question.
//!
//! The samples are written after the published references of OpenAI, Azure, OpenRouter and Mistral.

#![allow(clippy::unwrap_used)]

use bytes::BytesMut;
use serde_json::{Value, json};
use tollgate_wire::chat::{
    Answer, Block, CallKind, Content, Effort, Event, Fault, FaultKind, Fold, Losses, Request, Seal, ToolChoice, unfold,
};
use tollgate_wire::dialect::Dialect;
use tollgate_wire::dialect::chat::{Chat, Telling};
use tollgate_wire::frame::Frames;

#[path = "openai_chat/questions.rs"]
mod questions;
#[path = "openai_chat/streams.rs"]
mod streams;
#[path = "openai_chat/told.rs"]
mod told;

fn home() -> &'static dyn Chat {
    Dialect::OpenaiChat.chat().unwrap()
}

fn telling() -> Telling {
    Telling {
        model: "asked/model".into(),
        id: "answer-1".into(),
        created: 1_750_000_000,
        stream_usage: true,
        ..Telling::default()
    }
}

fn read(body: &Value) -> Request {
    home().read_request(body.to_string().as_bytes()).unwrap()
}

fn decoded(stream: &str) -> Vec<Event> {
    let (mut events, mut decoder, mut frames) = (Vec::new(), home().decoder(), Frames::new(home().framing()));
    frames.push(stream.as_bytes(), |frame| decoder.frame(frame, &mut events));
    frames.finish(|frame| decoder.frame(frame, &mut events));
    decoder.end(&mut events);
    events
}

fn folded(events: Vec<Event>) -> Result<Answer, Option<Box<Fault>>> {
    let mut fold = Fold::new(Dialect::OpenaiChat);
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

fn encoded(telling: Telling, events: Vec<Event>) -> String {
    let (mut bytes, mut encoder) = (BytesMut::new(), home().encoder(telling));
    events.into_iter().for_each(|event| encoder.event(event, &mut bytes, &mut Losses::default()));
    String::from_utf8(bytes.to_vec()).unwrap()
}
