//! The gateway's rate limit: one unit a request, taken when the request first needs a provider.
//!
//! Enters: a caller. Leaves: nothing, or a refusal that says when to come back. Never: waits.

use tollgate_model::Refusal;
use tollgate_rules::limit::Window;
use tollgate_rules::meter::Need;

use crate::gate::Gate;
use crate::stage::admit::Caller;

pub(crate) fn enter(gate: &Gate, caller: &Caller) -> Result<(), Refusal> {
    let Some(limit) = caller.gateway.limit else { return Ok(()) };
    let now_ms = gate.shared.clock.unix_ms();
    let mut windows = gate.shared.windows.lock();
    let taken = match windows.get_mut(&*caller.gateway.id) {
        // The counter outlives a change of settings, unless the limit itself changed.
        Some(window) if window.limit() == limit => window.take(now_ms),
        _ => {
            let mut window = Window::new(limit);
            let taken = window.take(now_ms);
            windows.insert(caller.gateway.id.clone(), window);
            taken
        }
    };
    taken.map_err(Refusal::rate_limited)
}

/// Whether a rate element of a route has room; takes a place there when it is requests that are counted.
pub(crate) fn admit(gate: &Gate, need: &Need) -> bool {
    gate.shared.meters.lock().admit(need, gate.shared.clock.unix_ms())
}
