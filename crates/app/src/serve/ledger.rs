//! Keeps the ledgers of budgets and credits safe and short.
//!
//! Enters: a look, five times a second. Leaves: a synced file, now and then a sum. Never: holds up a request for it.

use std::sync::Arc;
use std::time::Duration;

use tollgate_engine::{Credits, Till};
use tollgate_model::Clock;
use tollgate_store::StoreError;

/// What may be lost with the power; never with the process.
const SYNC_EVERY: Duration = Duration::from_millis(200);

pub(crate) async fn keep(till: Arc<Till>) {
    keeping("budgets", move || till.keep(Clock::System.unix_ms())).await;
}

pub(crate) async fn keep_credits(credits: Arc<Credits>) {
    keeping("credits", move || credits.keep()).await;
}

async fn keeping(what: &str, keep: impl Fn() -> Result<(), StoreError> + Send + Sync + 'static) {
    let keep = Arc::new(keep);
    let mut every = tokio::time::interval(SYNC_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        every.tick().await;
        let keep = keep.clone();
        match tokio::task::spawn_blocking(move || keep()).await {
            Ok(Ok(())) => failing = false,
            // Said once.
            Ok(Err(cause)) if !std::mem::replace(&mut failing, true) => {
                tracing::error!("the ledger of {what}: {cause}")
            }
            Ok(Err(_)) => {}
            Err(cause) => tracing::error!(%cause, "keeping the ledger of {what} failed"),
        }
    }
}
