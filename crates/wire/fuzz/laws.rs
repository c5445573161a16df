//! What must hold for any bytes at all: each fuzz target is one of these functions, and so is each test that replays its seeds.
//!
//! Enters: bytes. Leaves: nothing, or a panic that names the law. Never: judges what was read, only that it is read alike.
#![allow(dead_code, reason = "a target uses one law, the test all of them")]

use bytes::BytesMut;
use http::HeaderMap;
use tollgate_wire::{
    chat::{Event, Losses, unfold},
    dialect::{
        ALL, Dialect,
        chat::{Chat, Telling},
    },
    edit::{Change, edit},
    frame::{AwsEvents, Frame, Frames, Framing, Ndjson, Sse},
    peek,
    watch::{Seen, Watch},
};

/// By name, so that seeds are replayed by the name of their folder.
pub(crate) const LAWS: [(&str, Law); 10] = [
    ("sse", sse),
    ("aws_events", aws_events),
    ("ndjson", ndjson),
    ("watch", watch),
    ("peek", peek_any),
    ("read_whole", read_whole),
    ("chat_request", chat_request),
    ("chat_answer", chat_answer),
    ("chat_stream", chat_stream),
    ("edit", edit_any),
];

pub(crate) type Law = fn(&[u8]);

type Cut = Vec<(u8, Vec<u8>, Vec<u8>)>;

pub(crate) fn sse(bytes: &[u8]) {
    frames_do_not_depend_on_the_cut(bytes, |pieces| {
        let (mut parser, mut frames) = (Sse::default(), Cut::new());
        pieces.iter().for_each(|piece| parser.push(piece, |frame| keep(frame, &mut frames)));
        parser.finish(|frame| keep(frame, &mut frames));
        frames
    });
}

pub(crate) fn aws_events(bytes: &[u8]) {
    frames_do_not_depend_on_the_cut(bytes, |pieces| {
        let (mut parser, mut frames) = (AwsEvents::default(), Cut::new());
        pieces.iter().for_each(|piece| parser.push(piece, |frame| keep(frame, &mut frames)));
        parser.finish(|frame| keep(frame, &mut frames));
        frames
    });
}

pub(crate) fn ndjson(bytes: &[u8]) {
    frames_do_not_depend_on_the_cut(bytes, |pieces| {
        let (mut parser, mut frames) = (Ndjson::default(), Cut::new());
        pieces.iter().for_each(|piece| parser.push(piece, |frame| keep(frame, &mut frames)));
        parser.finish(|frame| keep(frame, &mut frames));
        frames
    });
}

/// The first byte says where to cut.
fn frames_do_not_depend_on_the_cut(bytes: &[u8], cut: impl Fn(&[&[u8]]) -> Cut) {
    let Some((at, bytes)) = bytes.split_first() else { return };
    let whole = cut(&[bytes]);
    let (head, tail) = bytes.split_at(usize::from(*at).min(bytes.len()));
    assert_eq!(cut(&[head, tail]), whole, "cut at {at}");
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(cut(&single), whole, "byte by byte");
}

fn keep(frame: Frame<'_>, frames: &mut Cut) {
    let (number, kind, data): (u8, &[u8], &[u8]) = match frame {
        Frame::Whole { kind, data } => (0, kind, data),
        Frame::Fault { kind, data } => (1, kind, data),
        Frame::Tail { kind, data } => (2, kind, data),
        Frame::Broken => (3, b"", b""),
    };
    frames.push((number, kind.to_vec(), data.to_vec()));
}

/// The first byte says the dialect and the second the framing and where to cut.
pub(crate) fn watch(bytes: &[u8]) {
    let [dialect, how, bytes @ ..] = bytes else { return };
    let framing = [Framing::Sse, Framing::AwsEvents, Framing::Ndjson][usize::from(*how) % 3];
    let watch = |pieces: &[&[u8]]| -> Seen {
        let mut watch = Watch::new(dialect_of(*dialect), framing);
        pieces.iter().for_each(|piece| watch.push(piece));
        watch.finish(&HeaderMap::new())
    };
    let (head, tail) = bytes.split_at((usize::from(*how) / 3).min(bytes.len()));
    let seen = watch(&[bytes]);
    assert_eq!(watch(&[head, tail]), seen, "cut at {}", head.len());
    check(&seen);
}

/// The first byte says the dialect.
pub(crate) fn read_whole(bytes: &[u8]) {
    let Some((dialect, bytes)) = bytes.split_first() else { return };
    check(&tollgate_wire::watch::read_whole(dialect_of(*dialect), bytes, &HeaderMap::new()));
}

pub(crate) fn peek_any(bytes: &[u8]) {
    if let Ok(found) = peek::peek(bytes)
        && let Some(model) = found.model
    {
        assert!(!model.is_empty() && model.len() <= bytes.len());
    }
}

/// The first byte says the dialect. What is understood can be written in every dialect, and read again there.
pub(crate) fn chat_request(bytes: &[u8]) {
    let Some((chat, bytes)) = chat_of(bytes) else { return };
    chat.read_fault(400, bytes);
    let Ok(request) = chat.read_request(bytes) else { return };
    for (_, other) in chats() {
        other.write_request(&request, &mut Losses::default());
    }
}

pub(crate) fn chat_answer(bytes: &[u8]) {
    let Some((chat, bytes)) = chat_of(bytes) else { return };
    let Ok(answer) = chat.read_answer(bytes) else { return };
    for (dialect, other) in chats() {
        let mut losses = Losses::default();
        let told = other.write_answer(&answer, &Telling::default(), &mut losses);
        assert!(other.read_answer(&told).is_ok(), "{} cannot read what it wrote", dialect.name());
        let (mut out, mut encoder) = (BytesMut::new(), other.encoder(Telling::default()));
        unfold(answer.clone()).into_iter().for_each(|event| encoder.event(event, &mut out, &mut losses));
        let last = decoded(other, &[&out]).pop();
        assert_eq!(last, Some(Event::Done), "{} does not hear its own last word", dialect.name());
    }
}

/// The second byte says where to cut.
pub(crate) fn chat_stream(bytes: &[u8]) {
    let Some((chat, [at, bytes @ ..])) = chat_of(bytes) else { return };
    let events = decoded(chat, &[bytes]);
    let (head, tail) = bytes.split_at(usize::from(*at).min(bytes.len()));
    assert_eq!(decoded(chat, &[head, tail]), events, "cut at {at}");
    assert!(matches!(events.last(), Some(Event::Done | Event::Fault(_))), "a stream must end");
    for (_, other) in chats() {
        let (mut out, mut losses) = (BytesMut::new(), Losses::default());
        let mut encoder = other.encoder(Telling::default());
        events.iter().cloned().for_each(|event| encoder.event(event, &mut out, &mut losses));
    }
}

fn decoded(chat: &'static dyn Chat, pieces: &[&[u8]]) -> Vec<Event> {
    let (mut events, mut decoder, mut frames) = (Vec::new(), chat.decoder(), Frames::new(chat.framing()));
    for piece in pieces {
        frames.push(piece, |frame| decoder.frame(frame, &mut events));
    }
    frames.finish(|frame| decoder.frame(frame, &mut events));
    decoder.end(&mut events);
    events
}

fn chats() -> impl Iterator<Item = (Dialect, &'static dyn Chat)> {
    ALL.iter().filter_map(|(_, dialect)| Some((*dialect, dialect.chat()?)))
}

fn chat_of(bytes: &[u8]) -> Option<(&'static dyn Chat, &[u8])> {
    let (dialect, bytes) = bytes.split_first()?;
    Some((dialect_of(*dialect).chat()?, bytes))
}

fn dialect_of(byte: u8) -> Dialect {
    ALL[usize::from(byte) % ALL.len()].1
}

fn check(seen: &Seen) {
    if let Some(usage) = &seen.usage {
        assert!(usage.total() >= usage.tokens_in().max(usage.tokens_out()));
    }
    assert!(seen.text_bytes >= u64::from(seen.deltas));
}

/// What was edited is JSON still, and nothing but the named members is another.
pub(crate) fn edit_any(bytes: &[u8]) {
    let changes = [
        Change::Set { name: "model", value: "\"m\"".into() },
        Change::Rename { name: "max_completion_tokens", to: "max_tokens" },
        Change::Drop { name: "seed" },
        Change::Clamp { name: "temperature", min: Some(0.0), max: Some(1.0) },
        Change::Default { name: "user", value: "7".into() },
    ];
    let Ok(edited) = edit(bytes, &changes) else { return };
    let tree = |bytes: &[u8]| serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes);
    // Deeper than this it is refused by the tree, not by the edit.
    let Ok(mut before) = tree(bytes) else { return };
    let mut after = tree(&edited.body).expect("an edited object is one");
    for name in ["model", "max_completion_tokens", "max_tokens", "seed", "temperature", "user"] {
        before.remove(name);
        after.remove(name);
    }
    assert_eq!(before, after);
}
