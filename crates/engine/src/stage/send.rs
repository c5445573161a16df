//! Sends a step to its provider, again when it is worth it.
//!
//! Enters: a step, a key, a retry plan. Leaves: the provider's answer, whatever its status, or a refusal when there is none.
//! Never: asks again after a byte of an answer went to the caller, or past the origin's retry budget.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use tollgate_model::record::Attempt;
use tollgate_model::{Moment, Refusal, Secret};
use tollgate_rules::idempotency;
use tollgate_rules::key::sign;
use tollgate_rules::retry::{self, Fault, Plan, Verdict};
use tollgate_wire::headers::{RequestPolicy, forward_request};

use crate::body::{CallerLeft, TooLarge, is_because};
use crate::books::Books;
use crate::gate::Gate;
use crate::head::Head;
use crate::stage::admit::Caller;
use crate::stage::key::Key;
use crate::stage::plan::Step;
use crate::upstream::{self, Answered, Miss, Pool};

pub(crate) struct Sent {
    pub(crate) answered: Answered,
    /// The gateway has asked as often as was worth it: an SDK need not start over.
    pub(crate) exhausted: bool,
}

pub(crate) async fn out(
    gate: &Gate,
    caller: &Caller,
    head: &Head,
    step: &mut Step,
    key: &Key,
    plan: Plan,
    books: &mut Books,
) -> Result<Sent, Refusal> {
    let mut tried = 0;
    loop {
        tried += 1;
        // Made anew for each attempt: nearly always there is only one, and then nothing is copied twice.
        let outgoing = outgoing(gate, caller, head, step, key)?;
        let tried_once = try_once(gate, step, outgoing, (tried, plan.timeout(tried, step.more)), books).await;
        let fault = match &tried_once {
            Ok(answered) => answer_fault(gate, answered),
            Err(miss) => Some(miss.fault()),
        };
        if let Some(pause) = fault.and_then(|fault| again(gate, step, plan, tried, fault)) {
            drop(tried_once);
            tokio::time::sleep(pause).await;
            continue;
        }
        // Also when the budget or the provider's own wish ended it: an SDK that starts over makes it worse.
        let exhausted = fault.is_some() && plan.attempts > 1 && step.body.held().is_some();
        return tried_once.map(|answered| Sent { answered, exhausted }).map_err(|miss| missed(miss, exhausted));
    }
}

fn again(gate: &Gate, step: &Step, plan: Plan, tried: u8, fault: Fault) -> Option<Duration> {
    let Verdict::Again(pause) = plan.after(tried, fault) else { return None };
    (step.body.held().is_some() && gate.upstream.may_retry(&step.target.origin)).then_some(pause)
}

fn answer_fault(gate: &Gate, answered: &Answered) -> Option<Fault> {
    let status = answered.response.status().as_u16();
    retry::is_passing(status).then(|| {
        let retry_after = retry::read_retry_after(answered.response.headers(), gate.shared.clock.unix_ms());
        Fault::Status { status, retry_after }
    })
}

async fn try_once(
    gate: &Gate,
    step: &mut Step,
    outgoing: Outgoing,
    (number, timeout): (u8, Option<Duration>),
    books: &mut Books,
) -> Result<Answered, Miss> {
    let begun = gate.shared.clock.now();
    let pool = gate.upstream.pool(&step.target.origin);
    let patience = timeout.unwrap_or(gate.shared.limits.first_byte);
    let request = match prepared(step, outgoing) {
        Ok(request) => request,
        Err(miss) => return noted(gate, step, &pool, begun, Err(miss), books),
    };
    let result = gate.upstream.send(&pool, request, begun, patience, number).await;
    noted(gate, step, &pool, begun, result, books)
}

fn noted(
    gate: &Gate,
    step: &Step,
    pool: &Pool,
    begun: Moment,
    result: Result<Answered, Miss>,
    books: &mut Books,
) -> Result<Answered, Miss> {
    let started_us = begun.micros_since(books.started());
    let elapsed_us = gate.shared.clock.now().micros_since(begun);
    books.tried(attempt(step, pool, started_us, elapsed_us, &result));
    gate.shared.metrics.attempt(&result);
    result
}

fn prepared(step: &mut Step, outgoing: Outgoing) -> Result<http::Request<upstream::UpstreamBody>, Miss> {
    let body = step.body.take().ok_or_else(|| Miss::Broken("the request body was sent already".into()))?;
    let path = outgoing.path.as_ref().map_or(step.target.path_and_query.as_str(), Secret::expose);
    upstream::request(step.method.clone(), path, outgoing.headers, body).map_err(|cause| Miss::Broken(cause.into()))
}

fn attempt(step: &Step, pool: &Pool, started_us: u64, elapsed_us: u64, result: &Result<Answered, Miss>) -> Attempt {
    let timing = result.as_ref().map(|answered| answered.timing).unwrap_or_default();
    Attempt {
        provider: step.row.name().clone(),
        model: step.model.clone(),
        origin: pool.name().clone(),
        started_us,
        queue_us: timing.queue_us,
        connect_us: timing.connect_us,
        first_byte_us: result.is_ok().then_some(elapsed_us),
        ended_us: elapsed_us,
        status: result.as_ref().ok().map(|answered| answered.response.status().as_u16()),
        miss: result.as_ref().err().map(|miss| miss.word().to_owned()),
        reused: timing.reused,
    }
}

/// What goes out besides the body.
struct Outgoing {
    headers: HeaderMap,
    /// When a key stands in it.
    path: Option<Secret>,
}

fn outgoing(gate: &Gate, caller: &Caller, head: &Head, step: &Step, key: &Key) -> Result<Outgoing, Refusal> {
    let is_spent = |name: &HeaderName| caller.spent.contains(name);
    let headers = match &step.foreign {
        None => forward_request(head.headers(), &RequestPolicy { spent: &is_spent, own: step.row.own_headers() }),
        Some(foreign) => foreign.headers.clone(),
    };
    let mut outgoing = Outgoing { headers, path: None };
    if !matches!(key, Key::Callers) {
        // Under a key that several callers share, one's idempotency key could be answered with what another one asked.
        outgoing.headers.remove(&idempotency::HEADER);
    }
    match key {
        Key::Callers | Key::None => {}
        Key::Header(name, value) => drop(outgoing.headers.insert(name.clone(), value.clone())),
        Key::Query(pair) => {
            let path = &step.target.path_and_query;
            let joint = if path.contains('?') { '&' } else { '?' };
            outgoing.path = Some(Secret::new(format!("{path}{joint}{}", pair.expose())));
        }
        Key::Signs(keys, scope) => {
            let too_large = || Refusal::too_large("the request body is too large to be signed for this provider");
            let body = step.body.held().ok_or_else(too_large)?;
            let host = tollgate_dial::authority(&step.target.origin);
            let request = (&step.method, host.as_str(), step.target.path_and_query.as_str());
            let now_ms = gate.shared.clock.unix_ms();
            sign(keys, scope, request, &mut outgoing.headers, body, now_ms).ok_or_else(Refusal::internal)?;
        }
    }
    step.row.write_fixed_headers(&mut outgoing.headers);
    Ok(outgoing)
}

fn missed(miss: Miss, exhausted: bool) -> Refusal {
    let refusal = match &miss {
        Miss::Timeout(_) => Refusal::upstream_timeout(),
        Miss::Broken(cause) if is_because(&**cause, |cause| cause.is::<TooLarge>()) => {
            Refusal::too_large("the request body is too large")
        }
        Miss::Broken(cause) if is_because(&**cause, |cause| cause.is::<CallerLeft>()) => Refusal::caller_left(),
        _ => Refusal::upstream_failed(),
    };
    let refusal = if exhausted { refusal.should_retry(false) } else { refusal };
    refusal.because(miss)
}
