//! Turns one request into a plan: which surface, which dials, what is said, and how fast.
//!
//! Enters: a whole request. Leaves: a plan, always; whatever is wrong becomes an error in the dialect of the API asked.
//! Never: depends on anything but the request, save for the dial `fail`, which counts.

pub(crate) mod manner;
mod pacing;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::dials::{self, Dials};
use crate::digest;
use crate::http::request::Request;
use crate::plan::Plan;
use crate::sandbox::Sandbox;
use crate::surface::{self, Surface};
use manner::Manner;

pub(crate) use pacing::{Event, Spoken};

/// All that a surface needs to answer.
pub(crate) struct Order<'a> {
    pub(crate) request: &'a Request,
    /// `Null` where the surface takes no JSON.
    pub(crate) body: &'a Value,
    /// Without dials.
    pub(crate) model: &'a str,
    pub(crate) dials: &'a Dials,
    pub(crate) seed: u64,
}

/// What is wrong with a request, before it is put in the words of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) status: u16,
    pub(crate) said: String,
    /// The member that is to blame.
    pub(crate) member: Option<&'static str>,
}

pub(crate) fn plan(sandbox: &Sandbox, request: &Request) -> Plan {
    // HEAD gets the headers that GET would.
    let method = if request.method == "HEAD" { "GET" } else { &request.method };
    let seed = digest::seed(&[method.as_bytes(), request.target.as_bytes(), &request.body]);
    let Some((surface, model)) = surface::find(request) else {
        let said = format!("the sandbox has no {} {}", request.method, request.path());
        return Manner::of(request).refuse(&Wrong { status: 404, said, member: None }, seed);
    };
    heed(sandbox, request, surface, model, seed).unwrap_or_else(|wrong| surface.manner.refuse(&wrong, seed))
}

fn heed(sandbox: &Sandbox, request: &Request, surface: &Surface, model: &str, seed: u64) -> Result<Plan, Wrong> {
    let body = if surface.method == "GET" { Value::Null } else { object(&request.body)? };
    let decoded = percent_decode_str(model).decode_utf8_lossy();
    let named = if model.is_empty() { body.get("model").and_then(Value::as_str).unwrap_or("") } else { &decoded };
    let (model, text) = Dials::split(named);
    let mut dials = dials(request, text)?;
    if dials.fault.is_some() && !sandbox.faults() {
        return Err(Wrong::new("the dial \"fault\" is for tests only"));
    }
    if let Some(fail) = dials.fail {
        let key = dials.key.as_ref().map_or(seed, |key| digest::seed(&[key.as_bytes()]));
        if sandbox.owes_failure(key, fail) { dials.ensure_failure() } else { dials.forgive() }
    }
    if let Some(fault) = dials.fault {
        return Ok(fault.plan().after(dials.latency));
    }
    if let Some(status) = dials.status {
        return Ok(refusal(surface.manner, status, &dials, seed));
    }
    let order = Order { request, body: &body, model, dials: &dials, seed };
    let spoken = (surface.answer)(&order)?;
    Ok(surface.manner.sign(pacing::plan(spoken, &dials, surface.manner), seed))
}

fn object(body: &[u8]) -> Result<Value, Wrong> {
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Wrong::new("the request body is JSON, but not an object")),
        Err(fault) => Err(Wrong { said: format!("the request body is not valid JSON: {fault}"), ..Wrong::new("") }),
    }
}

/// The header wins over the model name.
fn dials(request: &Request, text: &str) -> Result<Dials, Wrong> {
    let mut dials = Dials::default();
    let header = request.header_values(dials::HEADER).map(String::from_utf8_lossy);
    let mut all = std::iter::once(text.into()).chain(header);
    all.try_for_each(|text| dials.turn(&text)).map_err(|said| Wrong { said, ..Wrong::new("") })?;
    Ok(dials)
}

fn refusal(manner: Manner, status: u16, dials: &Dials, seed: u64) -> Plan {
    let said = format!("the sandbox was asked to answer with status {status}");
    let plan = manner.refuse(&Wrong { status, said, member: None }, seed).after(dials.latency);
    match &dials.retry_after {
        Some(after) => plan.header("retry-after", after),
        None => plan,
    }
}

// === impl Order ===

impl Order<'_> {
    /// An id of this answer; `index` tells several of one kind apart.
    pub(crate) fn id(&self, prefix: &str, index: u64, length: usize) -> String {
        digest::id(prefix, self.seed, index, length)
    }
}

// === impl Wrong ===

impl Wrong {
    pub(crate) fn new(said: &str) -> Self {
        Self { status: 400, said: said.to_owned(), member: None }
    }

    pub(crate) fn missing(member: &'static str) -> Self {
        Self { status: 400, said: format!("missing required parameter: '{member}'"), member: Some(member) }
    }
}
