//! Watches an answer pass: how much, how fast, what it says of itself; and keeps what the log wants.
//!
//! Enters: an answer's head and its bytes. Leaves: usage, model, finish reason, and the kept body. Never: changes or delays a byte.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_model::record::Payload;
use tollgate_wire::dialect::Dialect;
use tollgate_wire::frame::Framing;
use tollgate_wire::watch::{Seen, Watch, read_whole};

use crate::decode::{Decoder, Encoding, encoding};
use crate::gate::Held;

pub(crate) struct Tally {
    dialect: Dialect,
    reader: Reader,
    decoder: Option<Box<Decoder>>,
    kept: Kept,
    /// Counts that a provider puts into headers.
    counts: HeaderMap,
    pub(crate) size: u64,
}

enum Reader {
    Stream(Box<Watch>),
    /// Read from the kept body once it is whole.
    Whole,
    /// Encoded in a way we do not know, or broken.
    Blind,
}

struct Kept {
    body: Body,
    bytes_max: usize,
    held: Held,
    too_large: bool,
}

enum Body {
    None,
    /// The provider's own buffer: nothing is copied when an answer comes in one piece.
    One(Bytes),
    Many(Vec<u8>),
}

/// What was seen, and what was kept.
pub(crate) struct Told {
    pub(crate) seen: Seen,
    pub(crate) body: Bytes,
    pub(crate) payload: Payload,
}

const COUNT_HEADERS: &str = "x-amzn-bedrock-";

impl Tally {
    pub(crate) fn new(dialect: Dialect, headers: &HeaderMap, bytes_max: usize, held: Held) -> Self {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (decoder, legible) = match encoding(headers, bytes_max) {
            Encoding::Identity => (None, true),
            Encoding::Known(decoder) => (Some(decoder), true),
            Encoding::Unknown => (None, false),
        };
        let reader = match (legible, Framing::of(content_type)) {
            (false, _) => Reader::Blind,
            (true, Some(framing)) => Reader::Stream(Box::new(Watch::new(dialect, framing))),
            (true, None) => Reader::Whole,
        };
        let kept = Kept { body: Body::None, bytes_max, held, too_large: false };
        Self { dialect, reader, decoder, kept, counts: counts(headers), size: 0 }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.reader, Reader::Stream(_))
    }

    pub(crate) fn push(&mut self, bytes: &Bytes) {
        self.size += bytes.len() as u64;
        match &mut self.decoder {
            None => self.look(bytes),
            Some(decoder) => match decoder.push(bytes) {
                Ok(decoded) => self.look(&decoded),
                Err(_) => {
                    self.decoder = None;
                    self.reader = Reader::Blind;
                    self.kept.give_up();
                }
            },
        }
    }

    fn look(&mut self, bytes: &Bytes) {
        if let Reader::Stream(watch) = &mut self.reader {
            watch.push(bytes);
        }
        self.kept.push(bytes);
    }

    pub(crate) fn finish(self) -> Told {
        let (body, payload) = self.kept.finish();
        let seen = match self.reader {
            Reader::Stream(watch) => watch.finish(&self.counts),
            Reader::Whole if payload == Payload::Kept => read_whole(self.dialect, &body, &self.counts),
            Reader::Whole | Reader::Blind => Seen::default(),
        };
        Told { seen, body, payload }
    }
}

fn counts(headers: &HeaderMap) -> HeaderMap {
    let ours = |name: &HeaderName| name.as_str().starts_with(COUNT_HEADERS);
    headers
        .iter()
        .filter(|(name, _)| ours(name))
        .map(|(name, value): (&HeaderName, &HeaderValue)| (name.clone(), value.clone()))
        .collect()
}

impl Kept {
    fn push(&mut self, bytes: &Bytes) {
        if self.too_large || bytes.is_empty() {
            return;
        }
        if self.len() + bytes.len() > self.bytes_max || !self.held.grow(bytes.len()) {
            return self.give_up();
        }
        match &mut self.body {
            Body::None => self.body = Body::One(bytes.clone()),
            Body::Many(many) => many.extend_from_slice(bytes),
            Body::One(first) => {
                let mut many = Vec::with_capacity((first.len() + bytes.len()).max(4096));
                many.extend_from_slice(first);
                many.extend_from_slice(bytes);
                self.body = Body::Many(many);
            }
        }
    }

    fn len(&self) -> usize {
        match &self.body {
            Body::None => 0,
            Body::One(one) => one.len(),
            Body::Many(many) => many.len(),
        }
    }

    fn give_up(&mut self) {
        self.too_large = true;
        self.body = Body::None;
    }

    fn finish(self) -> (Bytes, Payload) {
        match self.body {
            _ if self.too_large => (Bytes::new(), Payload::TooLarge),
            Body::None => (Bytes::new(), Payload::Empty),
            Body::One(one) => (one, Payload::Kept),
            Body::Many(many) => (many.into(), Payload::Kept),
        }
    }
}

/// The length an answer declares, when it declares one.
pub(crate) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
