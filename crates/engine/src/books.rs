//! The account of one request: opened with its head, closed exactly once, however it ends.
//!
//! Enters: what each stage learns. Leaves: one record, in the journal before the answer's last byte goes out.
//! Never: closes twice, and never forgets: dropping open books writes them down as cancelled.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tollgate_model::charge::Basis;
use tollgate_model::record::{Attempt, Cost, Lost, Outcome, Payload, Refused, Unified};
use tollgate_model::usage::{Term, Terms, UsageSource};
use tollgate_model::{Id, Moment, Money, Record, Refusal, Trace, Usage};
use tollgate_rules::budget::Truth;
use tollgate_rules::catalog::layers::Asker;
use tollgate_rules::cost::bound::Tokens;
use tollgate_rules::cost::{self, CacheCounts};
use tollgate_rules::memory::Mark;
use tollgate_rules::meter::Need;
use tollgate_rules::options::Options;
use tollgate_store::answers::CachedAnswer;
use tollgate_store::journal::Written;
use tollgate_wire::watch::Seen;

use crate::credits::Draft;
use crate::decode::{Encoding, encoding};
use crate::gate::{Gate, Held};
use crate::head::Head;
use crate::purse::Purse;
use crate::rates::Rate;
use crate::tally::{Tally, Told};

pub(crate) struct Books {
    gate: Arc<Gate>,
    id: Id,
    open: Option<Box<Open>>,
}

struct Open {
    record: Record,
    started: Moment,
    started_ms: u64,
    write: bool,
    keep_payload: bool,
    custom_cost: Option<String>,
    /// As the request asks to be served.
    terms: Terms,
    /// Characters that it wants read aloud.
    letters: u64,
    request_body: Bytes,
    response_body: Bytes,
    /// Windows of cost that the answer's price is entered in.
    owed: Vec<Need>,
    /// Limits that the request was counted in.
    rates: Vec<Rate>,
    /// Windows of rules in which it has its place: it takes one of each, whatever it takes to answer it.
    counted: Vec<Mark>,
    /// What is held of budgets until the answer's price is known.
    purse: Option<Purse>,
    /// What is held of the credits, where the operator's key goes out.
    draft: Option<Draft>,
    tally: Option<Tally>,
    /// Bodies held in memory on this request's behalf.
    held: Held,
}

impl Books {
    pub(crate) fn open(gate: &Arc<Gate>, head: &Head) -> Self {
        let shared = &gate.shared;
        let started = shared.clock.now();
        let started_ms = shared.clock.unix_ms_at(started);
        let record = blank(shared.ids.next(started_ms), head);
        shared.metrics.begin();
        let open = Open {
            record,
            started,
            started_ms,
            write: false,
            keep_payload: true,
            custom_cost: None,
            terms: Terms::default(),
            letters: 0,
            request_body: Bytes::new(),
            response_body: Bytes::new(),
            owed: Vec::new(),
            rates: Vec::new(),
            counted: Vec::new(),
            purse: None,
            draft: None,
            tally: None,
            held: Held::new(shared.clone()),
        };
        Self { gate: gate.clone(), id: open.record.id, open: Some(Box::new(open)) }
    }

    /// Hands the account on to whoever goes on with the request; these books are closed without a word.
    pub(crate) fn hand_on(&mut self) -> Self {
        Self { gate: self.gate.clone(), id: self.id, open: self.open.take() }
    }

    pub(crate) fn id(&self) -> Id {
        self.id
    }

    pub(crate) fn started_ms(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.started_ms)
    }

    /// When the request's head had arrived.
    pub(crate) fn started(&self) -> Moment {
        self.open.as_ref().map_or(Moment::default(), |open| open.started)
    }

    /// Microseconds since the request's head had arrived.
    pub(crate) fn elapsed_us(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| self.gate.shared.clock.now().micros_since(open.started))
    }

    fn note(&mut self, write: impl FnOnce(&mut Open)) {
        if let Some(open) = &mut self.open {
            write(open);
        }
    }

    /// Whether there will be a record to look up.
    pub(crate) fn writes(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.write)
    }

    /// Which gateway was asked and who asked: from here on there is a place to log to.
    pub(crate) fn admitted(&mut self, account: &Arc<str>, gateway: &Arc<str>, token_id: Option<&str>, log: bool) {
        self.note(|open| {
            open.record.account = account.clone();
            open.record.gateway = gateway.clone();
            open.record.token_id = token_id.map(str::to_owned);
            open.write = log;
        });
    }

    pub(crate) fn wished(&mut self, options: &Options) {
        self.note(|open| {
            open.write = options.log;
            open.keep_payload = options.log_payload;
            open.record.metadata = options.metadata.clone();
            open.record.event_id = options.event_id.clone();
            open.custom_cost = options.custom_cost.clone();
        });
    }

    pub(crate) fn heard_body(&mut self, body: &Bytes, size: u64, too_large: bool) {
        let cap = self.gate.shared.limits.log_body_bytes_max;
        self.note(|open| {
            open.record.request_size = size;
            open.record.request_body = match (size, too_large || body.len() > cap, open.keep_payload) {
                (0, ..) => Payload::Empty,
                (_, true, _) => Payload::TooLarge,
                (.., false) => Payload::OptedOut,
                _ => Payload::Kept,
            };
            if open.write && open.record.request_body == Payload::Kept {
                open.request_body = body.clone();
            }
        });
    }

    /// `false` when all requests together hold too much already.
    pub(crate) fn hold(&mut self, bytes: usize) -> bool {
        self.open.as_mut().is_some_and(|open| open.held.grow(bytes))
    }

    pub(crate) fn aimed(&mut self, provider: &Arc<str>, path: String, request_type: Option<&Arc<str>>) {
        self.note(|open| {
            open.record.provider = provider.clone();
            open.record.path = path;
            open.record.request_type = request_type.cloned();
        });
    }

    pub(crate) fn asked_for(&mut self, model: String, streamed: bool) {
        self.note(|open| {
            open.record.model = model;
            open.record.streamed = streamed;
        });
    }

    /// Which step of the caller's list this is.
    /// The way in which the request wants to be served, where that can move its price; the answer has the last word. And what it wants read aloud.
    pub(crate) fn served_as(&mut self, terms: Terms, letters: u64) {
        self.note(|open| (open.terms, open.letters) = (terms, letters));
    }

    pub(crate) fn stepped(&mut self, number: u16) {
        self.note(|open| open.record.step = number);
    }

    pub(crate) fn step(&self) -> u16 {
        self.open.as_ref().map_or(0, |open| open.record.step)
    }

    /// How the target was found, and what its answer will be charged to.
    pub(crate) fn walked(&mut self, trace: Trace, owed: &[Need]) {
        self.note(|open| {
            open.unified().trace = Some(trace);
            open.owed = owed.to_vec();
        });
    }

    pub(crate) fn request_size(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.record.request_size)
    }

    /// Counted in this limit.
    pub(crate) fn rated(&mut self, rate: Rate) {
        self.note(|open| match open.rates.iter_mut().find(|known| known.is_of_same(&rate)) {
            Some(known) => *known = rate,
            None => open.rates.push(rate),
        });
    }

    /// Whether a place in this window is still to be taken.
    pub(crate) fn counts(&self, mark: Mark) -> bool {
        self.open.as_ref().is_none_or(|open| !open.counted.contains(&mark))
    }

    pub(crate) fn counted(&mut self, mark: Mark) {
        self.note(|open| open.counted.push(mark));
    }

    pub(crate) fn rates(&self) -> Vec<Rate> {
        self.open.as_ref().map_or_else(Vec::new, |open| open.rates.clone())
    }

    /// Held until the books are closed; then the truth takes its place.
    pub(crate) fn owe(&mut self, purse: Purse) {
        self.note(|open| open.purse = Some(purse));
    }

    /// The target that this was held for has not answered.
    pub(crate) fn let_go(&mut self) {
        self.note(|open| (open.purse, open.draft) = (None, None));
    }

    /// Whether the key is the operator's that it goes out with.
    pub(crate) fn paid_by_operator(&mut self, is_so: bool) {
        self.note(|open| open.record.wholesale = is_so);
    }

    /// Held until the books are closed, likewise.
    pub(crate) fn draw(&mut self, draft: Draft) {
        self.note(|open| open.draft = Some(draft));
    }

    /// What the translation of question and answer could not carry, in all.
    pub(crate) fn lost(&mut self, losses: Vec<Lost>, more: u32) {
        self.note(|open| {
            // Losses of a step that failed are forgotten with it.
            if !losses.is_empty() || open.record.unified.is_some() {
                let unified = open.unified();
                (unified.losses, unified.losses_more) = (losses, more);
            }
        });
    }

    /// Nothing was asked of anybody: there is nothing to write down.
    pub(crate) fn unlogged(&mut self, status: u16) {
        self.note(|open| {
            open.write = false;
            open.record.status = status;
        });
    }

    pub(crate) fn tried(&mut self, attempt: Attempt) {
        self.note(|open| {
            if open.record.attempts.is_empty() {
                open.record.timings.gateway_us = attempt.started_us;
            }
            open.record.attempts.push(attempt);
        });
    }

    /// The head of the answer is known; its body will be told to [`Books::passed`].
    pub(crate) fn answered(&mut self, status: u16, headers: &HeaderMap, tally: Tally) {
        let attempts = self.open.as_ref().and_then(|open| open.record.attempts.last());
        let elapsed = attempts.map_or_else(|| self.elapsed_us(), |last| last.started_us + last.ended_us);
        self.note(|open| {
            open.record.status = status;
            open.record.response_content_type = content_type(headers);
            open.record.timings.first_byte_us = Some(elapsed);
            open.record.streamed |= tally.is_stream();
            open.tally = Some(tally);
        });
    }

    /// The answer is another request's, read along while it arrives: nothing is spent.
    pub(crate) fn collapsed(&mut self, status: u16, headers: &HeaderMap, tally: Tally) {
        self.answered(status, headers, tally);
        self.note(|open| open.record.cached = true);
    }

    /// The answer comes from memory: nothing is spent.
    pub(crate) fn remembered(&mut self, answer: &CachedAnswer, headers: &HeaderMap, streamed: bool) {
        let elapsed = self.elapsed_us();
        let cap = self.gate.shared.limits.log_body_bytes_max;
        let body = &answer.body;
        let legible = match encoding(headers, cap) {
            Encoding::Known(mut decoder) => decoder.push(body).ok(),
            Encoding::Identity | Encoding::Unknown => Some(body.clone()).filter(|body| body.len() <= cap),
        };
        self.note(|open| {
            open.record.status = answer.status;
            open.record.cached = true;
            open.record.streamed = streamed;
            open.record.usage = answer.usage.clone();
            open.record.cost = Some(Cost::FREE);
            open.record.response_content_type = content_type(headers);
            open.record.response_size = body.len() as u64;
            open.record.timings.first_byte_us = Some(elapsed);
            open.record.timings.first_token_us = Some(elapsed);
            open.record.response_body = match (&legible, open.keep_payload) {
                (None, _) => Payload::TooLarge,
                (_, false) => Payload::OptedOut,
                _ => Payload::Kept,
            };
            if open.record.response_body == Payload::Kept {
                open.response_body = legible.unwrap_or_default();
            }
        });
    }

    /// The answer is the one that an earlier request with the same idempotency key had: nothing is spent.
    pub(crate) fn replayed(&mut self, head: &Head, answer: &CachedAnswer) {
        let path = head.rest().split('?').next().unwrap_or_default();
        let path = if path.is_empty() { head.surface().path } else { path };
        self.aimed(&answer.provider, path.to_owned(), None);
        self.asked_for(answer.model.to_string(), !answer.frames.is_empty());
        self.remembered(answer, &answer.headers, !answer.frames.is_empty());
    }

    /// A piece of the answer on its way to the caller.
    pub(crate) fn passed(&mut self, bytes: &Bytes) {
        let elapsed = if self.waits_for_first_token() { Some(self.elapsed_us()) } else { None };
        self.note(|open| {
            if elapsed.is_some() {
                open.record.timings.first_token_us = elapsed;
            }
            if let Some(tally) = &mut open.tally {
                tally.push(bytes);
            }
        });
    }

    fn waits_for_first_token(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.record.timings.first_token_us.is_none())
    }

    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        let cause = refusal.cause().map(ToString::to_string);
        self.note(|open| {
            open.record.status = refusal.status();
            open.record.refusal = Some(Refused { code: refusal.code(), said: refusal.said().to_owned(), cause });
        });
    }

    /// The one end. Resolves when the record is where a killed process cannot lose it.
    pub(crate) fn close(&mut self, outcome: Outcome) -> Closed {
        let Some(mut open) = self.open.take() else { return Closed::default() };
        let shared = &self.gate.shared;
        let now = shared.clock.now();
        open.record.outcome = outcome;
        open.record.timings.last_byte_us = now.micros_since(open.started);
        open.record.created_ms = open.started_ms + open.record.timings.last_byte_us / 1_000;
        if let Some(counts) = open.settle(outcome, &self.gate) {
            open.price(&self.gate, counts);
            open.pay(&self.gate);
        }
        open.square();
        open.draw(&self.gate);
        shared.metrics.end(&open.record);
        let bodies = (std::slice::from_ref(&open.request_body), std::slice::from_ref(&open.response_body));
        let written = open.write.then(|| self.gate.journal.append(&open.record, bodies.0, bodies.1));
        let is_whole = open.record.outcome == Outcome::Complete;
        Closed { written, usage: open.record.usage.take(), is_whole }
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        drop(self.close(Outcome::Cancelled));
    }
}

impl Open {
    fn unified(&mut self) -> &mut Unified {
        self.record.unified.get_or_insert_default()
    }

    /// Reads the finished answer. Returns how its provider counts, when there was one at work: then there is something to pay.
    fn settle(&mut self, outcome: Outcome, gate: &Gate) -> Option<CacheCounts> {
        let tally = self.tally.take()?;
        let beside = tally.dialect().counts_cache_beside_input();
        self.record.response_size = tally.size;
        let Told { seen, body, payload } = tally.finish();
        self.record.usage = self.usage(&seen, outcome, gate).map(|usage| self.with_terms(usage, seen.terms.clone()));
        self.record.reported = seen.charged.filter(|_| !self.record.cached).and_then(money);
        self.record.finish = seen.finish;
        self.record.answered_model = seen.model.filter(|model| *model != self.record.model);
        if seen.failed && outcome == Outcome::Complete && self.record.status < 400 {
            self.record.outcome = Outcome::Truncated;
        }
        self.record.response_body = match payload {
            Payload::Kept if !self.keep_payload => Payload::OptedOut,
            other => other,
        };
        if self.record.response_body == Payload::Kept && self.write {
            self.response_body = body;
        }
        Some(if beside { CacheCounts::BesideInput } else { CacheCounts::InsideInput })
    }

    /// What the request asked for, what its address says, and what the answer says, which counts most.
    fn with_terms(&self, usage: Usage, said: Terms) -> Usage {
        let mut terms = self.terms.clone();
        if let Some(region) = cost::region(&self.record.path) {
            terms.note(Term::Region, region);
        }
        terms.overlay(said);
        Usage { terms, ..usage }
    }

    /// The provider's own count, or an estimate where it did not get to count: nobody asked it to, or the answer broke off before its last word.
    fn usage(&self, seen: &Seen, outcome: Outcome, gate: &Gate) -> Option<Usage> {
        if self.letters > 0 && seen.usage.is_none() && self.record.status < 400 && outcome == Outcome::Complete {
            return Some(Usage { characters: self.letters, ..Usage::default() });
        }
        // Of a stream that was left at its head, the question had been read.
        let left_early = self.record.streamed && outcome != Outcome::Complete && self.letters == 0;
        let said_something = seen.deltas > 0 || seen.text_bytes > 0 || left_early;
        let counted = seen.ended || outcome == Outcome::Complete;
        if self.record.status >= 400 || !said_something || (counted && seen.usage.is_some()) {
            return seen.usage.clone();
        }
        let model = gate.shared.catalog.model(&self.record.provider, &self.record.model);
        let estimate = cost::estimate(&cost::Heard {
            request_bytes: self.record.request_size,
            deltas: seen.deltas.into(),
            text_bytes: seen.text_bytes,
            context_window: model.and_then(|model| model.context_window),
        });
        // What was counted before the answer broke off is better than a guess: the input, and the output as far as it goes.
        Some(match &seen.usage {
            Some(usage) => {
                Usage { output: usage.output.max(estimate.output), source: UsageSource::Estimated, ..usage.clone() }
            }
            None => estimate,
        })
    }

    fn price(&mut self, gate: &Gate, counts: CacheCounts) {
        if self.record.cached {
            self.record.cost = self.record.usage.as_ref().map(|_| Cost::FREE);
            return;
        }
        let usage = self.record.usage.as_ref();
        // An error that was not counted was not delivered, whatever its caller would have paid for an answer.
        if self.record.status >= 400 && usage.is_none() {
            return;
        }
        let estimated = usage.is_some_and(|usage| usage.source == UsageSource::Estimated);
        if let Some(custom) = self.custom_cost.as_deref().and_then(cost::CustomCost::read) {
            self.record.cost = custom.of(usage, counts).map(|amount| Cost {
                amount,
                custom: true,
                estimated,
                basis: custom.basis(usage, counts),
                list: None,
            });
            return;
        }
        self.record.cost = usage.and_then(|usage| self.by_list(gate, usage, estimated));
        // What the provider says is better than nothing, and than a guess.
        if let Some(amount) = self.record.reported.filter(|_| estimated || self.record.cost.is_none()) {
            self.record.cost = Some(Cost { basis: Basis::Reported, ..Cost::plain(amount) });
        }
    }

    fn by_list(&self, gate: &Gate, usage: &Usage, estimated: bool) -> Option<Cost> {
        // A deployment's name says nothing; then the model that the answer names is the one to price.
        let names = [Some(self.record.model.as_str()), self.record.answered_model.as_deref()];
        let asker = Asker { gateway: &self.record.gateway, token: self.record.token_id.as_deref() };
        let find = |name| gate.shared.catalog.find_for(asker, &self.record.provider, name, self.started_ms);
        let found = names.into_iter().flatten().find_map(find);
        let found = found?;
        let (amount, applied) = cost::charge(usage, found.price)?;
        let list = gate.shared.catalog.version().clone();
        Some(Cost { amount, custom: found.custom, estimated, basis: Basis::Rates(applied), list: Some(list) })
    }

    /// The truth in place of what was held: nothing, where nothing was answered or nobody knows what it cost.
    fn square(&mut self) {
        let Some(purse) = self.purse.take() else { return };
        let truth = Truth {
            cost: self.record.cost.as_ref().map(|cost| cost.amount),
            tokens: self.record.usage.as_ref().map_or(Tokens::default(), Tokens::of),
            sent: !self.record.attempts.is_empty(),
        };
        purse.settle(truth, &self.record);
    }

    /// What the operator pays: by the list, whatever the caller says it costs.
    fn draw(&mut self, gate: &Gate) {
        let Some(draft) = self.draft.take() else { return };
        let charged = self.record.cost.as_ref().filter(|cost| !cost.custom).map(|cost| cost.amount);
        let by_list = || self.by_list(gate, self.record.usage.as_ref()?, false).map(|cost| cost.amount);
        draft.settle(charged.or_else(by_list).or(self.record.reported), self.started_ms);
    }

    /// Into the windows that were passed on the way to the target.
    fn pay(&self, gate: &Gate) {
        if let Some(cost) = self.record.cost.as_ref().filter(|_| !self.owed.is_empty()) {
            gate.shared.meters.lock().spend(&self.owed, cost.amount, gate.shared.clock.unix_ms());
        }
    }
}

fn money(nanos: u64) -> Option<Money> {
    i64::try_from(nanos).ok().map(Money::from_nanos)
}

/// Resolves when the record is in the hands of the operating system; at once when there is none to write.
#[derive(Default)]
pub(crate) struct Closed {
    written: Option<Written>,
    pub(crate) usage: Option<Usage>,
    /// The caller lacks nothing of its answer.
    pub(crate) is_whole: bool,
}

impl Future for Closed {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.written {
            // A record that could not be written is counted by the journal; the answer is delivered all the same.
            Some(written) => Pin::new(written).poll(cx).map(drop),
            None => Poll::Ready(()),
        }
    }
}

fn blank(id: Id, head: &Head) -> Record {
    let text = |name: http::HeaderName| head.headers().get(name).and_then(|value| value.to_str().ok()).map(clip);
    Record {
        method: head.method().as_str().to_owned(),
        request_content_type: text(http::header::CONTENT_TYPE),
        user_agent: text(http::header::USER_AGENT),
        ..EMPTY.with(|nobody| Record::blank(id, nobody))
    }
}

thread_local!(static EMPTY: Arc<str> = Arc::from(""));

fn content_type(headers: &HeaderMap) -> Option<String> {
    headers.get(http::header::CONTENT_TYPE).and_then(|value: &HeaderValue| value.to_str().ok()).map(clip)
}

/// Header texts are kept to a bound; they are for people to read. `to_str` let only visible ASCII pass.
fn clip(text: &str) -> String {
    text[..text.len().min(256)].to_owned()
}
