//! The gateway's rate limit: one unit a request, taken when the request first needs a provider.
//!
//! Enters: a caller. Leaves: nothing, or a refusal that says when to come back. Never: waits.

use std::sync::Arc;

use parking_lot::Mutex;
use tollgate_model::Refusal;
use tollgate_rules::limit::{Limit, Window};
use tollgate_rules::meter::Need;

use crate::gate::Gate;
use crate::stage::admit::Caller;

pub(crate) fn enter(gate: &Gate, caller: &Caller) -> Result<(), Refusal> {
    let Some(limit) = caller.gateway.limit else { return Ok(()) };
    let window = window(gate, &caller.gateway.id, limit);
    let taken = window.lock().take(gate.shared.clock.unix_ms());
    taken.map_err(Refusal::rate_limited)
}

/// Whether a rate element of a route has room; takes a place there when it is requests that are counted.
pub(crate) fn admit(gate: &Gate, need: &Need) -> bool {
    gate.shared.meters.lock().admit(need, gate.shared.clock.unix_ms())
}

/// The counter outlives a change of settings, unless the limit itself changed.
fn window(gate: &Gate, gateway: &str, limit: Limit) -> Arc<Mutex<Window>> {
    let mut windows = gate.shared.windows.lock();
    if let Some(window) = windows.get(gateway) {
        if window.lock().limit() != limit {
            *window.lock() = Window::new(limit);
        }
        return window.clone();
    }
    let window = Arc::new(Mutex::new(Window::new(limit)));
    windows.insert(gateway.to_owned(), window.clone());
    window
}
