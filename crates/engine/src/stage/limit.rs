//! Rate limits, of the gateway and of the caller's token: one unit a request, taken when the request first needs a provider.
//!
//! Enters: a caller. Leaves: nothing, or a refusal that says when to come back. Never: waits.

use std::sync::Arc;
use std::time::Duration;

use ahash::RandomState;
use hashbrown::HashMap;
use tollgate_model::Refusal;
use tollgate_rules::key::StoredKey;
use tollgate_rules::limit::{Limit, Window};
use tollgate_rules::meter::Need;

use crate::books::Books;
use crate::edge::Rate;
use crate::gate::Gate;
use crate::stage::admit::Caller;

type Windows = HashMap<Arc<str>, Window, RandomState>;

/// Past it, counters in whose windows nothing happened are dropped before a new one is made. Tokens come and go.
const WINDOWS_MAX: usize = 20_000;

/// The token's own limits come first: who has used up theirs shall not take from what everybody shares.
pub(crate) fn enter(gate: &Gate, caller: &Caller, books: &mut Books) -> Result<(), Refusal> {
    let own = caller.pass.iter().flat_map(|pass| pass.limits()).map(|(counter, limit)| ("token", counter, limit));
    let all = own.chain(caller.gateway.limit.map(|limit| ("gateway", &caller.gateway.id, limit)));
    let now_ms = gate.shared.clock.unix_ms();
    let mut windows = gate.shared.windows.lock();
    for (name, counter, limit) in all {
        let (taken, left) = take(&mut windows, counter, limit, now_ms);
        books.rated(Rate { name, limit, left });
        taken.map_err(Refusal::rate_limited)?;
    }
    Ok(())
}

/// A stored key's own limit: one unit for each step that goes out with it.
pub(crate) fn enter_key(gate: &Gate, key: &StoredKey) -> Result<(), Refusal> {
    let Some(limit) = key.limit else { return Ok(()) };
    let mut windows = gate.shared.windows.lock();
    take(&mut windows, &key.id, limit, gate.shared.clock.unix_ms()).0.map_err(Refusal::rate_limited)
}

fn take(windows: &mut Windows, counter: &Arc<str>, limit: Limit, now_ms: u64) -> (Result<(), Duration>, (u64, u64)) {
    match windows.get_mut(&**counter) {
        // The counter outlives a change of settings, unless the limit itself changed.
        Some(window) if window.limit() == limit => (window.take(now_ms), window.left(now_ms)),
        _ => {
            if windows.len() >= WINDOWS_MAX {
                windows.retain(|_, window| !window.is_idle(now_ms));
            }
            let mut window = Window::new(limit);
            let taken = (window.take(now_ms), window.left(now_ms));
            windows.insert(counter.clone(), window);
            taken
        }
    }
}

/// Whether a rate element of a route has room; takes a place there when it is requests that are counted.
pub(crate) fn admit(gate: &Gate, need: &Need) -> bool {
    gate.shared.meters.lock().admit(need, gate.shared.clock.unix_ms())
}
