//! An answer on its way into the caller's words.
//!
//! Enters: the provider's bytes as they come. Leaves: the caller's, and what was lost on the way. Never: waits, or says the end of a success that the
//! provider did not say.

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use tollgate_wire::chat::{Fault, FaultKind, Losses};
use tollgate_wire::dialect::Dialect;
use tollgate_wire::frame::Framing;
use tollgate_wire::translation::Stream;

use crate::decode::{Decoder, Encoding, encoding};
use crate::gate::Held;
use crate::stage::translate::{self, Tongue};
use crate::surface::run;

pub(crate) struct Turned {
    /// Whose words leave.
    caller: Dialect,
    manner: Manner,
    decoder: Option<Box<Decoder>>,
    losses: Losses,
}

enum Manner {
    /// Piece by piece.
    Stream(Box<Stream>),
    /// Once it is whole.
    Whole(Whole),
}

struct Whole {
    tongue: Tongue,
    status: u16,
    body: BytesMut,
    bytes_max: usize,
    held: Held,
    /// The caller asked for a stream, and the provider answered in one piece.
    as_stream: bool,
    /// The answer is put into the envelope of the run surface.
    enveloped: bool,
}

/// The answer could not be turned: what it was, for the log.
pub(crate) struct Unturned(pub(crate) String);

/// The last of an answer.
pub(crate) struct Last {
    pub(crate) bytes: Bytes,
    /// The caller has heard the end of a success, or the whole of an error.
    pub(crate) complete: bool,
}

pub(crate) const BROKEN_OFF: &str = "the provider broke its answer off";

// === impl Turned ===

impl Turned {
    /// For an answer with this head.
    pub(crate) fn new(
        (caller, tongue, losses): (Dialect, Tongue, Losses),
        enveloped: bool,
        status: u16,
        headers: &HeaderMap,
        bytes_max: usize,
        held: Held,
    ) -> Result<Self, Unturned> {
        let decoder = match encoding(headers, bytes_max) {
            Encoding::Identity => None,
            Encoding::Known(decoder) => Some(decoder),
            Encoding::Unknown => return Err(Unturned("its content encoding is not known".to_owned())),
        };
        let is_success = (200..300).contains(&status);
        let streamed = is_success && is_stream(headers);
        let manner = match tongue {
            Tongue::Chat { translation, telling, streamed: true } if streamed => {
                Manner::Stream(Box::new(translation.stream(telling)))
            }
            tongue => {
                let as_stream = is_success && matches!(tongue, Tongue::Chat { streamed: true, .. });
                Manner::Whole(Whole { tongue, status, body: BytesMut::new(), bytes_max, held, as_stream, enveloped })
            }
        };
        Ok(Self { caller, manner, decoder, losses })
    }

    pub(crate) fn caller(&self) -> Dialect {
        self.caller
    }

    /// The caller has heard the end of a success.
    pub(crate) fn is_done(&self) -> bool {
        matches!(&self.manner, Manner::Stream(stream) if stream.is_done())
    }

    /// All of it is told at once.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(&self.manner, Manner::Whole(whole) if !whole.as_stream)
    }

    pub(crate) fn push(&mut self, bytes: &Bytes) -> Result<Bytes, Unturned> {
        let decoded = match &mut self.decoder {
            None => bytes.clone(),
            Some(decoder) => decoder.push(bytes).map_err(|cause| Unturned(cause.to_string()))?,
        };
        match &mut self.manner {
            Manner::Stream(stream) => {
                let mut out = BytesMut::new();
                stream.push(&decoded, &mut out);
                Ok(out.freeze())
            }
            Manner::Whole(whole) => whole.push(&decoded).map(|()| Bytes::new()),
        }
    }

    /// The provider's bytes have ended.
    pub(crate) fn end(&mut self) -> Result<Last, Unturned> {
        match &mut self.manner {
            Manner::Stream(stream) => {
                let mut out = BytesMut::new();
                stream.end(&mut out);
                Ok(Last { bytes: out.freeze(), complete: stream.is_done() })
            }
            Manner::Whole(whole) => {
                let told = whole.tell(&mut self.losses)?;
                let bytes = if whole.enveloped { run::enveloped(&told).into() } else { told };
                Ok(Last { bytes, complete: true })
            }
        }
    }

    /// How the caller's dialect tells that nothing more comes; `None` where only breaking off can tell it.
    pub(crate) fn fail(&mut self) -> Option<Bytes> {
        let fault = Fault {
            kind: FaultKind::Server,
            status: 502,
            message: BROKEN_OFF.to_owned(),
            code: Some("upstream_truncated".to_owned()),
            param: None,
            raw: Value::Null,
        };
        let mut out = BytesMut::new();
        match &mut self.manner {
            Manner::Stream(stream) => stream.fail(fault, &mut out),
            Manner::Whole(Whole { tongue: Tongue::Chat { translation, telling, .. }, as_stream: true, .. }) => {
                translation.stream(telling.clone()).fail(fault, &mut out);
            }
            Manner::Whole(_) => return None,
        }
        Some(out.freeze())
    }

    /// Everything lost so far, question and answer.
    pub(crate) fn losses(&self) -> Losses {
        let mut losses = self.losses.clone();
        if let Manner::Stream(stream) = &self.manner {
            losses.append(stream.losses().clone());
        }
        losses
    }
}

pub(crate) fn is_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(Framing::of).is_some()
}

// === impl Whole ===

impl Whole {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Unturned> {
        if self.body.len() + bytes.len() > self.bytes_max || !self.held.grow(bytes.len()) {
            return Err(Unturned("it is larger than the gateway holds".to_owned()));
        }
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn tell(&self, losses: &mut Losses) -> Result<Bytes, Unturned> {
        let bad = |bad: tollgate_wire::chat::BadField| Unturned(format!("it is not what its dialect promises: {bad}"));
        let is_success = (200..300).contains(&self.status);
        match &self.tongue {
            Tongue::Chat { translation, .. } if !is_success => Ok(translation.fault(self.status, &self.body).1),
            Tongue::Chat { translation, telling, .. } if self.as_stream => {
                translation.answer_as_stream(&self.body, telling, losses).map_err(bad)
            }
            Tongue::Chat { translation, telling, .. } => translation.answer(&self.body, telling, losses).map_err(bad),
            Tongue::Same => Ok(self.body.clone().freeze()),
            Tongue::Embed { caller, provider, .. } if !is_success => {
                Ok(caller.write_fault(&provider.read_fault(self.status, &self.body)).into())
            }
            Tongue::Embed { caller, provider, base64 } => {
                let answer = provider.read_answer(&self.body).map_err(bad)?;
                Ok(caller.write_answer(&answer, *base64, losses).into())
            }
        }
    }
}

/// The provider's headers as far as they are not about the bytes it sent, and what the question has lost.
pub(crate) fn set_head(headers: &mut HeaderMap, turned: &Turned) {
    const ABOUT_BYTES: [&str; 10] = [
        "content-length",
        "content-type",
        "content-encoding",
        "content-md5",
        "content-disposition",
        "digest",
        "repr-digest",
        "etag",
        "accept-ranges",
        "vary",
    ];
    for name in ABOUT_BYTES {
        headers.remove(name);
    }
    let stream_type = turned.caller.chat().map(|chat| chat.stream_type()).filter(|_| !turned.is_whole());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(stream_type.unwrap_or("application/json")));
    translate::tell_losses(turned.caller, &turned.losses(), headers);
}
