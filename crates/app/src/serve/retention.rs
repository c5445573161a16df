//! Lets old request logs go.
//!
//! Enters: how many days are kept. Leaves: fewer day files. Never: deletes row by row: a day is one file, and its end is an unlink.

use std::sync::Arc;
use std::time::Duration;

use tollgate_model::Clock;
use tollgate_store::Records;

const LOOK_EVERY: Duration = Duration::from_secs(3_600);
const DAY_MS: u64 = 86_400_000;

/// 0 days keeps everything.
pub(crate) async fn keep(records: Arc<dyn Records>, days: u64) {
    if days == 0 {
        return;
    }
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        every.tick().await;
        let (records, before) = (records.clone(), Clock::System.unix_ms().saturating_sub(days.saturating_mul(DAY_MS)));
        match tokio::task::spawn_blocking(move || records.forget_before(before)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(forgotten)) => tracing::info!(days = forgotten, "old request logs were deleted"),
            Ok(Err(cause)) => tracing::error!("old request logs cannot be deleted: {cause}"),
            Err(cause) => tracing::error!(%cause, "deleting old request logs failed"),
        }
    }
}
