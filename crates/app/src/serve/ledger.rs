//! Keeps the ledger of budgets safe and short.
//!
//! Enters: a look, five times a second. Leaves: a synced file, now and then a sum. Never: holds up a request for it.

use std::sync::Arc;
use std::time::Duration;

use tollgate_engine::Till;
use tollgate_model::Clock;

/// What may be lost with the power; never with the process.
const SYNC_EVERY: Duration = Duration::from_millis(200);

pub(crate) async fn keep(till: Arc<Till>) {
    let mut every = tokio::time::interval(SYNC_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        every.tick().await;
        let till = till.clone();
        let kept = tokio::task::spawn_blocking(move || till.keep(Clock::System.unix_ms())).await;
        match kept {
            Ok(Ok(())) => failing = false,
            // Said once.
            Ok(Err(cause)) if !std::mem::replace(&mut failing, true) => {
                tracing::error!("the ledger of budgets: {cause}")
            }
            Ok(Err(_)) => {}
            Err(cause) => tracing::error!(%cause, "keeping the ledger of budgets failed"),
        }
    }
}
