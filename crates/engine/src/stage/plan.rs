//! Where the request goes, and what it asks for: a provider's row, a target, a model.
//!
//! Enters: a caller and what was heard. Leaves: a `Step`: everything an attempt needs. Never: opens a connection.
//!
//! Here stands the native way, where the caller has named the provider and speaks its language; `plan/` has the others.

pub(crate) mod automatic;
pub(crate) mod foreign;
pub(crate) mod question;
pub(crate) mod way;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, UPGRADE};
use http::{HeaderMap, Method};
use tollgate_model::Refusal;
use tollgate_rules::options::Options;
use tollgate_wire::dialect::Dialect;
use tollgate_wire::peek::{Peek, peek};
use tollgate_wire::provider::{Misdirected, ProviderRow, Target};

use crate::body::Outgoing;
use crate::books::Books;
use crate::decode::{Encoding, encoding};
use crate::gate::Gate;
use crate::head::Head;
use crate::stage::admit::Caller;
use crate::stage::hear::Heard;
use crate::stage::translate;
use crate::surface::run::{self, Order, Ordered};
use crate::surface::{Call, Host, universal};
use foreign::Foreign;
use question::Question;
use way::Way;

/// Which provider, before the body is read: an unknown one is refused without reading it.
pub(crate) struct Aim {
    pub(crate) row: Arc<ProviderRow>,
    pub(crate) target: Target,
}

/// Whether there is anything of that method on that path.
pub(crate) fn check(head: &Head) -> Result<(), Refusal> {
    let surface = head.surface();
    match surface.method() {
        None => Err(Refusal::not_found("there is nothing here; docs/unified.md lists the paths below /compat")),
        Some(method) if method == *head.method() => Ok(()),
        Some(method) => Err(Refusal::not_found(format!("there is nothing here but for {method}"))),
    }
}

/// What is asked on a surface other than the native one, and where that leads.
pub(crate) fn way(
    gate: &Gate,
    caller: &Caller,
    head: &Head,
    heard: Heard,
    options: &Options,
    books: &mut Books,
) -> Result<Way, Refusal> {
    let Heard::Held(bytes) = heard else {
        let most = gate.shared.limits.hold_bytes_max;
        return Err(Refusal::too_large(format!(
            "the request body is larger than {most} bytes, which only a provider's own path takes"
        )));
    };
    books.heard_body(&bytes, bytes.len() as u64, false);
    let body = decoded(gate, head.headers(), &bytes)?;
    let surface = head.surface();
    let (asked, body, job) = match surface.call {
        Call::Universal => {
            books.aimed(&NOBODY.with(Arc::clone), String::new(), None);
            return Ok(Way::of_list(universal::read(&body, head.headers())?, options));
        }
        Call::Unified(asked) => (asked, body, None),
        Call::Run => {
            let Order { what, job } = run::read(&caller.snapshot, head.rest(), &body, head.headers())?;
            match what {
                Ordered::Question(asked, body) => (asked, body, job),
                Ordered::Native(listed) => return Ok(Way::of_list(vec![listed], options).later(job)),
            }
        }
        Call::Native | Call::Models | Call::Nowhere => return Err(Refusal::internal()),
    };
    let mut question = Question::read(asked, surface.naming(), body, head.headers().clone(), surface.path.to_owned())?;
    question.own_key = match surface.host {
        Host::Gateway => question::own_key(head.headers(), |name| caller.spent.contains(name)),
        Host::Rest => None,
    };
    if job.is_some() && question.streamed {
        return Err(Refusal::bad_request("input.stream: a background job is not streamed"));
    }
    question.enveloped = surface.call == Call::Run && job.is_none();
    Ok(Way::of_question(gate, caller, question, options, books)?.later(job))
}

thread_local!(static NOBODY: Arc<str> = Arc::from(""));

/// One target, with all that is sent there.
pub(crate) struct Step {
    pub(crate) row: Arc<ProviderRow>,
    pub(crate) target: Target,
    pub(crate) dialect: Dialect,
    pub(crate) model: String,
    pub(crate) streamed: bool,
    pub(crate) method: Method,
    pub(crate) body: Asking,
    /// Something else will be asked should this one be too slow.
    pub(crate) more: bool,
    /// A dynamic route leads here, and the caller asked for that.
    pub(crate) by_route: bool,
    /// `None` on the native path: all of it is the caller's own.
    pub(crate) foreign: Option<Box<Foreign>>,
}

pub(crate) enum Asking {
    Held(Bytes),
    /// Sent once: `take` leaves nothing for a second attempt.
    Flow(Option<Outgoing>),
}

pub(crate) fn aim(caller: &Caller, head: &Head) -> Result<Aim, Refusal> {
    if head.headers().contains_key(UPGRADE) {
        return Err(Refusal::bad_request("upgrading a connection (WebSocket) is not supported on this path"));
    }
    let row = provider(caller, head.provider())?.clone();
    let target = row.target(head.account(), head.rest(), head.headers()).map_err(misdirected)?;
    Ok(Aim { row, target })
}

/// The row of a segment. What is switched off is not there, and says why.
pub(crate) fn provider<'a>(caller: &'a Caller, segment: &str) -> Result<&'a Arc<ProviderRow>, Refusal> {
    let snapshot = &caller.snapshot;
    snapshot.providers.get(segment).ok_or_else(|| match snapshot.is_disabled(segment) {
        true => Refusal::disabled_provider(segment),
        false => Refusal::invalid_provider(),
    })
}

pub(crate) fn misdirected(cause: Misdirected) -> Refusal {
    Refusal::bad_request(cause.to_string())
}

pub(crate) fn step(gate: &Gate, head: &Head, aim: Aim, heard: Heard, books: &mut Books) -> Result<Step, Refusal> {
    let Aim { row, mut target } = aim;
    let path = std::mem::take(&mut target.log_path);
    let operation = target.operation.as_ref();
    books.aimed(row.name(), path, operation.map(|operation| &operation.name));
    let dialect = target.dialect();
    let (body, said) = match heard {
        Heard::Held(bytes) => {
            books.heard_body(&bytes, bytes.len() as u64, false);
            let said = said(gate, dialect, head.headers(), &bytes)?;
            (Asking::Held(bytes), said)
        }
        Heard::Flow(flow) => {
            books.heard_body(&Bytes::new(), crate::tally::declared_length(head.headers()).unwrap_or(1), true);
            (Asking::Flow(Some(flow)), Peek::default())
        }
    };
    let model = target.model_in_path.take().or(said.model).unwrap_or_default();
    books.asked_for(model.clone(), said.stream);
    books.served_as(said.terms, letters(dialect, &body));
    Ok(Step {
        row,
        target,
        dialect,
        model,
        streamed: said.stream,
        method: head.method().clone(),
        body,
        more: false,
        by_route: false,
        foreign: None,
    })
}

/// What is read aloud is paid by the character, and only the question has it.
fn letters(dialect: Dialect, body: &Asking) -> u64 {
    match body {
        Asking::Held(bytes) if dialect == Dialect::OpenaiAudio => tollgate_wire::peek::letters(bytes),
        _ => 0,
    }
}

/// What the body says of itself. JSON that is none is refused here, with its place, before anything is spent on it; unless nothing is known of
/// what this path expects: then a model is a find for the log, and no more.
fn said(gate: &Gate, dialect: Dialect, headers: &HeaderMap, body: &Bytes) -> Result<Peek, Refusal> {
    if body.is_empty() || !names_model(headers) {
        return Ok(Peek::default());
    }
    match read(gate, headers, body) {
        Err(_) if dialect == Dialect::Raw => Ok(Peek::default()),
        said => said,
    }
}

fn read(gate: &Gate, headers: &HeaderMap, body: &Bytes) -> Result<Peek, Refusal> {
    let decoded = decoded(gate, headers, body)?;
    if let Some(fault) = std::str::from_utf8(&decoded).err().filter(|_| !is_form(headers)) {
        let at = fault.valid_up_to();
        return Err(Refusal::bad_request(format!("the request body is not valid JSON: no UTF-8 at byte {at}")));
    }
    peek(&decoded).map_err(|cause| Refusal::bad_request(format!("the request body is not valid JSON: {cause}")))
}

/// The body without its content encoding.
pub(crate) fn decoded(gate: &Gate, headers: &HeaderMap, body: &Bytes) -> Result<Bytes, Refusal> {
    match encoding(headers, gate.shared.limits.hold_bytes_max) {
        Encoding::Identity => Ok(body.clone()),
        Encoding::Known(mut decoder) => decoder.push(body).map_err(|cause| {
            Refusal::too_large(
                "the request body's content encoding is broken, or decodes to more than the gateway looks at",
            )
            .because(cause)
        }),
        Encoding::Unknown => Err(Refusal::bad_request("content-encoding: expected one of gzip, deflate, br, zstd")),
    }
}

/// JSON, and the forms in which images and audio are sent.
fn names_model(headers: &HeaderMap) -> bool {
    if headers.get(CONTENT_TYPE).is_some_and(|value| value == "application/json") {
        return true;
    }
    let Some(kind) = kind(headers) else { return true };
    kind.eq_ignore_ascii_case("application/json") || is_form(headers) || kind.to_ascii_lowercase().ends_with("+json")
}

/// Parts of it may be binary.
fn is_form(headers: &HeaderMap) -> bool {
    kind(headers).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))
}

fn kind(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(CONTENT_TYPE)?.to_str().unwrap_or_default();
    text.split(';').next().map(str::trim)
}

impl Step {
    /// What the caller hears: the provider's dialect unless it is turned.
    pub(crate) fn told(&self) -> Dialect {
        self.foreign.as_ref().map_or(self.dialect, |foreign| foreign.told)
    }

    /// What the caller asked with, as far as it matters to this step.
    pub(crate) fn asking<'a>(&'a self, head: &'a Head) -> &'a HeaderMap {
        self.foreign.as_ref().map_or(head.headers(), |foreign| &foreign.headers)
    }

    /// The ledger speaks of what was asked.
    pub(crate) fn enter(&self, books: &mut Books) {
        if let Some(foreign) = &self.foreign {
            books.aimed(self.row.name(), foreign.path.clone(), foreign.kind.as_ref());
            books.asked_for(self.model.clone(), self.streamed);
            books.lost(translate::recorded(foreign.told, &foreign.losses), foreign.losses.more());
        }
    }

    /// What the head of an answer says of a question that was put in other words.
    pub(crate) fn tell_losses(&self, headers: &mut HeaderMap) {
        if let Some(foreign) = &self.foreign {
            translate::tell_losses(foreign.told, &foreign.losses, headers);
        }
    }
}

impl Asking {
    /// The body for one attempt; `None` when it has gone out already and cannot be sent again.
    pub(crate) fn take(&mut self) -> Option<Outgoing> {
        match self {
            Self::Held(bytes) => Some(Outgoing::held(bytes.clone())),
            Self::Flow(flow) => flow.take(),
        }
    }

    pub(crate) fn held(&self) -> Option<&Bytes> {
        match self {
            Self::Held(bytes) => Some(bytes),
            Self::Flow(_) => None,
        }
    }
}
