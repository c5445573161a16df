//! One attempt's translator: from the caller's dialect to the provider's, and back.
//!
//! Enters: a request that was read once, then what the provider answers. Leaves: bytes for either side, and the ledger of what was lost.
//! Never: waits, or holds more of a stream than one frame.

use bytes::{Bytes, BytesMut};

use crate::chat::free_text::{self, Raise};
use crate::chat::{BadField, Event, Fault, Losses, Request, unfold};
use crate::dialect::chat::{Chat, Decode, Encode, Telling};
use crate::frame::Frames;

/// The two sides of a translated chat.
#[derive(Clone, Copy)]
pub struct Translation {
    pub caller: &'static dyn Chat,
    pub provider: &'static dyn Chat,
}

/// A stream on its way from the provider's dialect to the caller's.
pub struct Stream {
    frames: Frames,
    decoder: Box<dyn Decode>,
    raise: Raise,
    encoder: Box<dyn Encode>,
    events: Vec<Event>,
    losses: Losses,
    fault: Option<Fault>,
    done: bool,
}

// === impl Translation ===

impl Translation {
    /// The question in the provider's words.
    pub fn request(&self, request: &Request, losses: &mut Losses) -> Bytes {
        if !self.provider.takes_free_text()
            && let Some(lowered) = free_text::lowered(request, losses)
        {
            return self.provider.write_request(&lowered, losses).into();
        }
        self.provider.write_request(request, losses).into()
    }

    /// A whole answer with a successful status. Fails when the provider's bytes are not its dialect.
    pub fn answer(&self, body: &[u8], telling: &Telling, losses: &mut Losses) -> Result<Bytes, BadField> {
        let mut answer = self.provider.read_answer(body)?;
        free_text::raise(&mut answer, &telling.free_text);
        Ok(self.caller.write_answer(&answer, telling, losses).into())
    }

    /// The same, told as a stream: the caller asked for one and the provider answered in one piece.
    pub fn answer_as_stream(&self, body: &[u8], telling: &Telling, losses: &mut Losses) -> Result<Bytes, BadField> {
        let mut answer = self.provider.read_answer(body)?;
        free_text::raise(&mut answer, &telling.free_text);
        let mut encoder = self.caller.encoder(telling.clone());
        let mut out = BytesMut::new();
        for event in unfold(answer) {
            encoder.event(event, &mut out, losses);
        }
        Ok(out.freeze())
    }

    /// An answer with an unsuccessful status, as the caller's dialect tells one.
    pub fn fault(&self, status: u16, body: &[u8]) -> (Fault, Bytes) {
        let fault = self.provider.read_fault(status, body);
        let told = self.caller.write_fault(&fault).into();
        (fault, told)
    }

    pub fn stream(&self, telling: Telling) -> Stream {
        Stream {
            frames: Frames::new(self.provider.framing()),
            decoder: self.provider.decoder(),
            raise: Raise::new(telling.free_text.clone()),
            encoder: self.caller.encoder(telling),
            events: Vec::new(),
            losses: Losses::default(),
            fault: None,
            done: false,
        }
    }
}

// === impl Stream ===

impl Stream {
    /// Bytes as they come, cut anywhere, without content encoding. What they make for the caller is appended.
    pub fn push(&mut self, bytes: &[u8], out: &mut BytesMut) {
        let Self { frames, decoder, events, .. } = self;
        frames.push(bytes, |frame| decoder.frame(frame, events));
        self.tell(out);
    }

    /// The provider's bytes have ended.
    pub fn end(&mut self, out: &mut BytesMut) {
        let Self { frames, decoder, events, .. } = self;
        frames.finish(|frame| decoder.frame(frame, events));
        decoder.end(events);
        self.tell(out);
    }

    /// The connection broke, or the gateway gives up: told in the caller's dialect, without a success terminator.
    pub fn fail(&mut self, fault: Fault, out: &mut BytesMut) {
        self.events.push(Event::Fault(fault));
        self.tell(out);
    }

    fn tell(&mut self, out: &mut BytesMut) {
        for event in self.events.drain(..) {
            // After the last word nothing is said: providers repeat themselves, callers stop listening.
            if self.done || self.fault.is_some() {
                continue;
            }
            match &event {
                Event::Done => self.done = true,
                Event::Fault(fault) => self.fault = Some(fault.clone()),
                _ => {}
            }
            let Self { raise, encoder, losses, .. } = self;
            raise.event(event, |event| encoder.event(event, out, losses));
        }
    }

    /// The caller has heard the end of a success.
    pub fn is_done(&self) -> bool {
        self.done
    }

    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    pub fn losses(&self) -> &Losses {
        &self.losses
    }
}
