//! `cargo xtask replay --translate DIR`: tells every recorded answer again in every dialect a caller may speak.
//!
//! Enters: exchanges. Leaves: a table by dialect; fails when text, tool calls, reasoning, finish or usage came out different without an entry in the
//! ledger, when a stream and the same answer told whole differ, or when something could not be read. Never: needs a gateway: this is the code it
//! translates with, on the recorded bytes.

mod essence;
mod ledger;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use tollgate_wire::chat::{Answer, Event, FaultKind, Fold, Losses, Request, unfold};
use tollgate_wire::dialect::chat::{Chat, Telling};
use tollgate_wire::dialect::{ALL, Dialect};
use tollgate_wire::frame::{Frame, Frames, Framing};
use tollgate_wire::provider::Providers;

use super::exchange::Exchange;
use super::{documents, native};
use essence::Essence;
use ledger::Ledger;

/// Runs all of it and prints the table. Leaves whether everything held.
pub(super) fn run(exchanges: &[Exchange]) -> bool {
    let providers = Providers::builtin();
    let mut ledger = Ledger::default();
    for exchange in exchanges {
        match dialect_of(providers, exchange) {
            Some(dialect) => Translated { exchange, dialect, ledger: &mut ledger }.run(),
            None => ledger.skip(exchange),
        }
    }
    println!("{}", ledger.to_markdown());
    ledger.succeeded()
}

fn dialect_of(providers: &Providers, exchange: &Exchange) -> Option<Dialect> {
    let path = native::path(&exchange.provider, &exchange.path);
    let target = providers.get(&exchange.provider)?.target("local", &path, &HeaderMap::new()).ok()?;
    let dialect = target.operation.as_ref()?.dialect;
    dialect.chat().map(|_| dialect)
}

/// Every dialect a caller may speak.
fn callers() -> impl Iterator<Item = (Dialect, &'static dyn Chat)> {
    ALL.iter().filter_map(|(_, dialect)| Some((*dialect, dialect.chat()?)))
}

struct Translated<'a> {
    exchange: &'a Exchange,
    dialect: Dialect,
    ledger: &'a mut Ledger,
}

// === impl Translated ===

impl Translated<'_> {
    fn run(&mut self) {
        let status = self.exchange.response.status;
        let body = documents::decoded(&self.exchange.response.message);
        if !(200..300).contains(&status) {
            return self.fault(status, &body);
        }
        self.request();
        match self.framing(&body) {
            Some(framing) => self.streamed(framing, &body),
            None => self.whole(&body),
        }
    }

    fn own(&self) -> &'static dyn Chat {
        self.dialect.chat().expect("dialects that are not translated were skipped")
    }

    /// Recorders lose headers: what begins like an event is one.
    fn framing(&self, body: &[u8]) -> Option<Framing> {
        let declared = Framing::of(self.exchange.response.message.header("content-type"));
        let begins = |what: &str| body.starts_with(what.as_bytes());
        declared.or_else(|| (begins("data:") || begins("event:")).then_some(Framing::Sse))
    }

    /// What was asked is read, and written for every provider. A request that its provider accepted must be readable.
    fn request(&mut self) {
        let body = self.named(documents::decoded(&self.exchange.request));
        match self.own().read_request(&body) {
            Err(fault) => self.ledger.failed(self.exchange, self.dialect, format!("request: {fault}")),
            Ok(request) => callers().for_each(|(to, chat)| self.request_to(&request, to, chat)),
        }
    }

    /// With the model that a provider's path may name instead: callers of the unified API name it in the body.
    fn named(&self, body: Bytes) -> Bytes {
        let Some(model) = &self.exchange.model else { return body };
        match serde_json::from_slice(&body) {
            Ok(serde_json::Value::Object(mut members)) if !members.contains_key("model") => {
                members.insert("model".to_owned(), model.as_str().into());
                serde_json::Value::Object(members).to_string().into()
            }
            _ => body,
        }
    }

    fn request_to(&mut self, request: &Request, to: Dialect, chat: &'static dyn Chat) {
        let mut losses = Losses::default();
        let written = chat.write_request(request, &mut losses);
        match chat.read_request(&written) {
            Ok(_) => self.ledger.request(self.dialect, to, &losses),
            Err(fault) => {
                let what = format!("request written as {}: {fault}", to.name());
                self.ledger.failed(self.exchange, self.dialect, what);
            }
        }
    }

    fn fault(&mut self, status: u16, body: &[u8]) {
        let fault = self.own().read_fault(status, body);
        for (to, chat) in callers() {
            let again = chat.read_fault(status, &chat.write_fault(&fault));
            // Some dialects have no words for the kind: the status is all they say.
            let kept = again.kind == fault.kind || again.kind == FaultKind::of_status(status);
            if !kept || (again.status, &again.message) != (fault.status, &fault.message) {
                let what = format!("error told as {}: {fault:?} became {again:?}", to.name());
                self.ledger.failed(self.exchange, self.dialect, what);
            }
        }
        self.ledger.fault(self.dialect);
    }

    fn whole(&mut self, body: &[u8]) {
        match self.own().read_answer(body) {
            Ok(answer) => self.answer(&answer, false),
            // Google streams an array of answers to those who do not ask for events.
            Err(fault) => match serde_json::from_slice::<Vec<serde_json::Value>>(body) {
                Ok(pieces) => {
                    let pieces: Vec<_> = pieces.iter().map(ToString::to_string).collect();
                    let frames = pieces.iter().map(|data| Frame::Whole { kind: b"", data: data.as_bytes() });
                    let mut events = Vec::new();
                    let mut decoder = self.own().decoder();
                    frames.for_each(|frame| decoder.frame(frame, &mut events));
                    decoder.end(&mut events);
                    self.events(events);
                }
                Err(_) => self.ledger.failed(self.exchange, self.dialect, format!("answer: {fault}")),
            },
        }
    }

    fn streamed(&mut self, framing: Framing, body: &[u8]) {
        let uncut = decoded(self.own(), framing, &[body]);
        let pieces: Vec<&[u8]> = body.chunks(7).collect();
        if decoded(self.own(), framing, &pieces) != uncut {
            self.ledger.failed(self.exchange, self.dialect, "a stream that is cut is read differently".into());
        }
        self.events(uncut);
    }

    fn events(&mut self, events: Vec<Event>) {
        match folded(self.dialect, events) {
            Ok(answer) => self.answer(&answer, true),
            // Some recordings end early; an error in mid-stream is an answer as well.
            Err(why) => self.ledger.broken_off(self.exchange, self.dialect, why),
        }
    }

    fn answer(&mut self, answer: &Answer, streamed: bool) {
        let had = Essence::of(answer);
        self.ledger.answer(self.dialect, streamed);
        for (to, chat) in callers() {
            let (mut losses, telling) = (Losses::default(), telling());
            let bytes = chat.write_answer(answer, &telling, &mut losses);
            match chat.read_answer(&bytes) {
                Ok(told) => self.compare(&had, &Essence::of(&told), to, "whole", &losses),
                Err(fault) => {
                    let what = format!("answer told as {}: {fault}", to.name());
                    self.ledger.failed(self.exchange, self.dialect, what);
                }
            }
            let (mut losses, mut bytes) = (Losses::default(), BytesMut::new());
            let mut encoder = chat.encoder(telling);
            unfold(answer.clone()).into_iter().for_each(|event| encoder.event(event, &mut bytes, &mut losses));
            match folded(to, decoded(chat, chat.framing(), &[&bytes])) {
                Ok(told) => self.compare(&had, &Essence::of(&told), to, "stream", &losses),
                Err(why) => {
                    let what = format!("stream told as {}: {why}", to.name());
                    self.ledger.failed(self.exchange, self.dialect, what);
                }
            }
        }
    }

    fn compare(&mut self, had: &Essence, have: &Essence, to: Dialect, how: &str, losses: &Losses) {
        let differences = had.differences(have);
        if !differences.is_empty() && losses.is_empty() {
            let what = format!("told as {} ({how}), lost in silence: {}", to.name(), differences.join("; "));
            self.ledger.failed(self.exchange, self.dialect, what);
        }
        self.ledger.told(self.dialect, to, &differences, losses);
    }
}

fn telling() -> Telling {
    Telling { stream_usage: true, id: "told-again".into(), ..Telling::default() }
}

fn decoded(chat: &'static dyn Chat, framing: Framing, pieces: &[&[u8]]) -> Vec<Event> {
    let (mut events, mut decoder, mut frames) = (Vec::new(), chat.decoder(), Frames::new(framing));
    for piece in pieces {
        frames.push(piece, |frame| decoder.frame(frame, &mut events));
    }
    frames.finish(|frame| decoder.frame(frame, &mut events));
    decoder.end(&mut events);
    events
}

fn folded(dialect: Dialect, events: Vec<Event>) -> Result<Answer, String> {
    let mut fold = Fold::new(dialect);
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish().map_err(|fault| fault.map_or_else(|| "no last word".into(), |fault| fault.message))
}
