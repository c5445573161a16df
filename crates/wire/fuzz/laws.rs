//! What must hold for any bytes at all: each fuzz target is one of these functions, and so is each test that replays its seeds.
//!
//! Enters: bytes. Leaves: nothing, or a panic that names the law. Never: judges what was read, only that it is read alike.
#![allow(dead_code, reason = "a target uses one law, the test all of them")]

use http::HeaderMap;
use tollgate_wire::{
    dialect::{ALL, Dialect},
    frame::{AwsEvents, Frame, Framing, Ndjson, Sse},
    peek,
    watch::{Seen, Watch},
};

/// By name, so that seeds are replayed by the name of their folder.
pub(crate) const LAWS: [(&str, Law); 6] = [
    ("sse", sse),
    ("aws_events", aws_events),
    ("ndjson", ndjson),
    ("watch", watch),
    ("peek", peek_any),
    ("read_whole", read_whole),
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

fn dialect_of(byte: u8) -> Dialect {
    ALL[usize::from(byte) % ALL.len()].1
}

fn check(seen: &Seen) {
    if let Some(usage) = &seen.usage {
        assert!(usage.total() >= usage.tokens_in().max(usage.tokens_out()));
    }
    assert!(seen.text_bytes >= u64::from(seen.deltas));
}
