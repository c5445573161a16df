//! The laws, each for one dialect.

use std::fmt::Debug;

use bytes::BytesMut;
use tollgate_wire::chat::{
    Answer, Content, Event, Fault, FaultKind, Finish, FinishKind, Fold, LossKind, Losses, Request, Seal, unfold,
};
use tollgate_wire::dialect::Dialect;
use tollgate_wire::dialect::chat::{Chat, Telling};
use tollgate_wire::frame::Frames;

use crate::{answers, canon, echo, requests};

pub(crate) fn chat(dialect: Dialect) -> &'static dyn Chat {
    dialect.chat().unwrap()
}

pub(crate) fn telling() -> Telling {
    Telling {
        model: "model-1".into(),
        id: "answer-1".into(),
        created: 1_750_000_000,
        stream_usage: true,
        free_text: Vec::new(),
    }
}

/// What became of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Carried,
    /// The ledger's words.
    Listed(Vec<(LossKind, String)>),
}

/// Equal, or listed: anything else is a silent loss.
pub(crate) fn fate<T: PartialEq + Debug>(what: &str, had: &T, have: &T, losses: &Losses) -> Fate {
    if losses.is_empty() {
        assert_eq!(had, have, "{what}: lost in silence");
        return Fate::Carried;
    }
    let entries = losses.entries().iter();
    Fate::Listed(entries.map(|loss| (loss.kind, loss.note.clone().into_owned())).collect())
}

/// What the dialect itself can say of a request: written, and read again.
pub(crate) fn written_request(dialect: Dialect, what: &str, request: &Request) -> (Request, Fate) {
    let mut losses = Losses::default();
    let bytes = chat(dialect).write_request(request, &mut losses);
    let read = chat(dialect).read_request(&bytes);
    let mut read = read.unwrap_or_else(|fault| panic!("{what}: {fault} in {}", String::from_utf8_lossy(&bytes)));
    // Some keep the model and the wish for a stream in the path.
    if read.model.is_empty() {
        read.model = request.model.clone();
        read.stream = request.stream;
    }
    let what = format!("{what}: {}", String::from_utf8_lossy(&bytes));
    let fate = fate(&what, &canon::request(request), &canon::request(&read), &losses);
    (read, fate)
}

pub(crate) fn written_answer(dialect: Dialect, what: &str, answer: &Answer) -> (Answer, Fate) {
    let mut losses = Losses::default();
    let bytes = chat(dialect).write_answer(answer, &telling(), &mut losses);
    let read = chat(dialect).read_answer(&bytes);
    let read = read.unwrap_or_else(|fault| panic!("{what}: {fault} in {}", String::from_utf8_lossy(&bytes)));
    let what = format!("{what}: {}", String::from_utf8_lossy(&bytes));
    let fate = fate(&what, &canon::answer(answer), &canon::answer(&read), &losses);
    (read, fate)
}

pub(crate) fn encoded(dialect: Dialect, events: Vec<Event>) -> (BytesMut, Losses) {
    let (mut bytes, mut losses) = (BytesMut::new(), Losses::default());
    let mut encoder = chat(dialect).encoder(telling());
    for event in events {
        encoder.event(event, &mut bytes, &mut losses);
    }
    (bytes, losses)
}

pub(crate) fn decoded(dialect: Dialect, pieces: &[&[u8]]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut decoder = chat(dialect).decoder();
    let mut frames = Frames::new(chat(dialect).framing());
    for piece in pieces {
        frames.push(piece, |frame| decoder.frame(frame, &mut events));
    }
    frames.finish(|frame| decoder.frame(frame, &mut events));
    decoder.end(&mut events);
    events
}

/// The order that `chat/event.rs` promises.
pub(crate) fn assert_ordered(what: &str, events: &[Event]) {
    let mut open = std::collections::BTreeMap::new();
    let mut next = std::collections::BTreeMap::<u32, u32>::new();
    let mut last_word = false;
    for (at, event) in events.iter().enumerate() {
        assert!(!last_word, "{what}: {event:?} after the last word");
        match event {
            Event::Start { .. } => assert_eq!(at, 0, "{what}: start at {at}"),
            Event::Begin { choice, block, .. } => {
                let number = next.entry(*choice).or_default();
                assert_eq!(block, number, "{what}: blocks are numbered in order");
                *number += 1;
                open.insert((*choice, *block), ());
            }
            Event::Delta { choice, block, .. } => {
                assert!(open.contains_key(&(*choice, *block)), "{what}: {event:?} of a block that is not open");
            }
            Event::End { choice, block } => {
                assert!(open.remove(&(*choice, *block)).is_some(), "{what}: {event:?} of a block that is not open");
            }
            Event::Finish { choice, .. } => {
                let still_open = open.keys().any(|(of, _)| of == choice);
                assert!(!still_open, "{what}: finished before its blocks ended");
            }
            Event::Done | Event::Fault(_) => last_word = true,
            Event::Logprobs { .. } | Event::Extra { .. } | Event::Usage(_) => {}
        }
    }
    assert!(last_word, "{what}: no last word");
}

pub(crate) fn folded(what: &str, dialect: Dialect, events: Vec<Event>) -> Answer {
    assert_ordered(what, &events);
    let mut fold = Fold::new(dialect);
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish().unwrap_or_else(|fault| panic!("{what}: {fault:?}"))
}

pub(crate) fn streamed_answer(dialect: Dialect, what: &str, answer: &Answer) -> (Answer, Fate) {
    let (bytes, losses) = encoded(dialect, unfold(answer.clone()));
    let what = format!("{what}, streamed: {}", String::from_utf8_lossy(&bytes));
    let read = folded(&what, dialect, decoded(dialect, &[&bytes]));
    let fate = fate(&what, &canon::answer(answer), &canon::answer(&read), &losses);
    (read, fate)
}

// The laws.

pub(crate) fn requests(dialect: Dialect) {
    for feature in requests::ALL {
        let mut request = requests::base(dialect);
        (feature.add)(&mut request, dialect);
        written_request(dialect, feature.name, &request);
    }
    let mut losses = Losses::default();
    let bytes = chat(dialect).write_request(&requests::base(dialect), &mut losses);
    assert!(losses.is_empty(), "a plain question can be asked in every dialect: {losses:?}");
    assert!(!bytes.is_empty());
}

pub(crate) fn answers(dialect: Dialect) {
    for feature in answers::ALL {
        let mut answer = answers::base(dialect);
        (feature.add)(&mut answer);
        written_answer(dialect, feature.name, &answer);
    }
    let (_, fate) = written_answer(dialect, "plain", &answers::base(dialect));
    assert_eq!(fate, Fate::Carried, "a plain answer can be told in every dialect");
}

pub(crate) fn streams(dialect: Dialect) {
    for feature in answers::ALL {
        let mut answer = answers::base(dialect);
        (feature.add)(&mut answer);
        let (whole, fate) = written_answer(dialect, feature.name, &answer);
        let (streamed, streamed_fate) = streamed_answer(dialect, feature.name, &answer);
        if fate == Fate::Carried && streamed_fate == Fate::Carried {
            assert_eq!(canon::answer(&whole), canon::answer(&streamed), "{}", feature.name);
        }
        cut_anywhere(dialect, feature.name, answer);
    }
}

fn cut_anywhere(dialect: Dialect, what: &str, answer: Answer) {
    let (bytes, _) = encoded(dialect, unfold(answer));
    let uncut = decoded(dialect, &[&bytes]);
    for at in 0..bytes.len() {
        let (left, right) = bytes.split_at(at);
        assert_eq!(decoded(dialect, &[left, right]), uncut, "{what}: cut at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(decoded(dialect, &single), uncut, "{what}: byte by byte");
}

pub(crate) fn broken_off(dialect: Dialect) {
    let mut answer = answers::base(dialect);
    let calls = answers::ALL.iter().find(|feature| feature.name == "text and parallel tool calls");
    (calls.unwrap().add)(&mut answer);
    let (bytes, _) = encoded(dialect, unfold(answer));
    let whole = folded("unbroken", dialect, decoded(dialect, &[&bytes]));
    for at in 0..bytes.len() {
        let what = format!("broken off at {at}");
        let events = decoded(dialect, &[&bytes[..at]]);
        assert_ordered(&what, &events);
        match events.last() {
            // Counts and repetitions may come after it, never what was said.
            Some(Event::Done) => {
                let said = folded(&what, dialect, events);
                assert_eq!(canon::choices(&said), canon::choices(&whole), "{what}: a success without all of it");
            }
            Some(Event::Fault(_)) => {}
            other => panic!("{what}: {other:?}"),
        }
    }
    let fault = Fault {
        kind: FaultKind::Overloaded,
        status: 529,
        message: "too busy".into(),
        code: None,
        param: None,
        raw: serde_json::Value::Null,
    };
    let start = unfold(answers::base(dialect)).into_iter().take(3);
    let (bytes, _) = encoded(dialect, start.chain([Event::Fault(fault)]).collect());
    match decoded(dialect, &[&bytes]).last() {
        Some(Event::Fault(fault)) => assert!(fault.message.contains("too busy"), "{fault:?}"),
        other => panic!("a fault in mid-stream was read as {other:?}"),
    }
}

pub(crate) fn faults(dialect: Dialect) {
    use FaultKind::*;
    let kinds = [
        (BadRequest, 400),
        (Unauthorized, 401),
        (Forbidden, 403),
        (NotFound, 404),
        (RateLimited, 429),
        (Server, 500),
        (Overloaded, 503),
    ];
    for (kind, status) in kinds {
        let fault = Fault {
            kind,
            status,
            message: format!("words of {status}"),
            code: None,
            param: None,
            raw: serde_json::Value::Null,
        };
        let bytes = chat(dialect).write_fault(&fault);
        let read = chat(dialect).read_fault(status, &bytes);
        assert_eq!((read.kind, read.status, read.message), (kind, status, fault.message));
    }
    for junk in [&b""[..], b"<html>Bad Gateway</html>", b"null", b"[]", b"{\"error\":7}", b"\xff\xfe"] {
        let read = chat(dialect).read_fault(502, junk);
        assert_eq!((read.kind, read.status), (Server, 502));
        assert!(!read.message.is_empty(), "something must be said");
    }
}

/// Provider A's seal, told to a caller in C, sent back by the caller, reaches A byte for byte; whole and streamed.
pub(crate) fn seals(caller: Dialect) {
    for provider in crate::LAWFUL {
        let seal = Seal::new(*provider, "c2VhbC9vZitB");
        let mut answer = answers::base(*provider);
        let thought = answers::thought("Let me see.", Some(seal.clone()));
        answer.choices[0].blocks = vec![thought, answers::call("call_1", r#"{"city":"Paris"}"#)];
        answer.choices[0].finish = Some(Finish::new(FinishKind::ToolUse, ""));
        let (answer, fate) = written_answer(*provider, "sealed", &answer);
        if fate != Fate::Carried {
            continue; // This provider seals nothing.
        }
        let whole = chat(caller).write_answer(&answer, &telling(), &mut Losses::default());
        sealed_again(caller, *provider, &seal, &echo::request(caller, &whole));
        let (bytes, _) = encoded(caller, unfold(answer));
        let folded = folded("sealed", caller, decoded(caller, &[&bytes]));
        let whole = chat(caller).write_answer(&folded, &telling(), &mut Losses::default());
        sealed_again(caller, *provider, &seal, &echo::request(caller, &whole));
    }
}

fn sealed_again(caller: Dialect, provider: Dialect, seal: &Seal, echoed: &[u8]) {
    let what = format!("{} through {}: {}", provider.name(), caller.name(), String::from_utf8_lossy(echoed));
    let request = chat(caller).read_request(echoed).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    let bytes = chat(provider).write_request(&request, &mut Losses::default());
    let request = chat(provider).read_request(&bytes).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
    let seals: Vec<_> = blocks.clone().filter_map(|block| block.seal.as_ref()).collect();
    assert!(
        seals.iter().any(|found| found.data == seal.data && found.origin == provider),
        "{what}: the seal is gone: {}",
        String::from_utf8_lossy(&bytes)
    );
    assert!(blocks.into_iter().any(|block| matches!(block.content, Content::ToolUse { .. })), "{what}: no call");
}
