//! Limits on how often: of the gateway, of the caller's token, and the gateway's rules for requests.
//!
//! Enters: a caller, then each target. Leaves: nothing, or a refusal that says when to come back. Never: waits, or takes a place in one window when
//! another is full.
//!
//! Tokens and requests at once are held with the budgets: [`crate::stage::access`].

use std::time::Duration;

use tollgate_model::Refusal;
use tollgate_rules::budget::rule::Spender;
use tollgate_rules::key::StoredKey;
use tollgate_rules::limit::Take;
use tollgate_rules::memory::Mark;
use tollgate_rules::meter::Need;

use crate::books::Books;
use crate::gate::Gate;
use crate::rates::Rate;
use crate::stage::admit::Caller;

/// One unit a request, taken when it first needs a provider.
pub(crate) fn enter(gate: &Gate, caller: &Caller, books: &mut Books) -> Result<(), Refusal> {
    let own = caller.pass.iter().flat_map(|pass| pass.limits());
    let own = own.map(|(mark, limit)| (Rate::of_token(limit), Take { mark, shared: mark, limit }));
    let gateway = &caller.gateway;
    let shared = gateway.limit.map(|limit| {
        let mark = gateway.limit_mark;
        (Rate::of_gateway(limit), Take { mark, shared: mark, limit })
    });
    let (rates, takes): (Vec<Rate>, Vec<Take>) = own.chain(shared).unzip();
    take(gate, rates, &takes, books).map_err(|(_, wait)| Refusal::rate_limited(wait))
}

/// The gateway's rules, for each target: one unit of each window, however many targets draw on it.
pub(crate) fn enter_target(
    gate: &Gate,
    caller: &Caller,
    spender: Spender<'_>,
    books: &mut Books,
) -> Result<(), Refusal> {
    let rules = caller.gateway.limits.takes(spender).filter(|(_, take)| books.counts(take.mark));
    let (rules, takes): (Vec<_>, Vec<Take>) = rules.unzip();
    let rates = rules.iter().map(|rule| Rate::of_rule(rule)).collect();
    take(gate, rates, &takes, books).map_err(|(at, wait)| {
        let refusal = Refusal::rate_limited(wait);
        if rules[at].is_of_target() { refusal.of_target() } else { refusal }
    })?;
    takes.iter().for_each(|take| books.counted(take.mark));
    Ok(())
}

/// A stored key's own limit: one unit for each step that goes out with it.
pub(crate) fn enter_key(gate: &Gate, key: &StoredKey) -> Result<(), Refusal> {
    let Some(limit) = key.limit else { return Ok(()) };
    let mark = Mark::of(&["key", &key.id]);
    let now_ms = gate.shared.clock.unix_ms();
    let taken = gate.shared.windows.lock().take(&[Take { mark, shared: mark, limit }], now_ms, |_, _| {});
    taken.map_err(|(_, wait)| Refusal::rate_limited(wait).of_target())
}

fn take(gate: &Gate, rates: Vec<Rate>, takes: &[Take], books: &mut Books) -> Result<(), (usize, Duration)> {
    if takes.is_empty() {
        return Ok(());
    }
    let now_ms = gate.shared.clock.unix_ms();
    let mut rates: Vec<Option<Rate>> = rates.into_iter().map(Some).collect();
    let told = |at: usize, left| {
        if let Some(rate) = rates[at].take() {
            books.rated(rate.with_left(left));
        }
    };
    gate.shared.windows.lock().take(takes, now_ms, told)
}

/// Whether a rate element of a route has room; takes a place there when it is requests that are counted.
pub(crate) fn admit(gate: &Gate, need: &Need) -> bool {
    gate.shared.meters.lock().admit(need, gate.shared.clock.unix_ms())
}
