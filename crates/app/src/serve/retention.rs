//! Lets old request logs go.
//!
//! Enters: how many days are kept, and how many records each gateway may have. Leaves: fewer day files, and the caps in the store.
//! Never: deletes what is too old row by row: a day is one file, and its end is an unlink.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tollgate_model::Clock;
use tollgate_rules::snapshot::Snapshot;
use tollgate_store::Records;
use tollgate_store::records::{AtTheCap, Cap};

const LOOK_EVERY: Duration = Duration::from_secs(3_600);
/// Each time a bounded number of records.
const TRIM_EVERY: Duration = Duration::from_secs(10);
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

/// The caps of all gateways. To be handed to the store whenever settings changed.
pub(crate) fn caps(snapshot: &Snapshot) -> HashMap<String, Cap> {
    let cap = |gateway: &tollgate_model::Gateway| {
        let then = match gateway.log_management_strategy.as_deref() {
            Some("STOP_INSERTING") => AtTheCap::LeaveOut,
            _ => AtTheCap::RemoveOldest,
        };
        Some((gateway.id.clone(), Cap { rows: gateway.log_management?, then }))
    };
    snapshot.gateways().filter_map(|rules| cap(&rules.settings)).collect()
}

/// Meets caps that were lowered, also where nothing comes in that would make the store look.
pub(crate) async fn trim(records: Arc<dyn Records>) {
    let mut every = tokio::time::interval(TRIM_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let records = records.clone();
        match tokio::task::spawn_blocking(move || records.trim()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(removed)) => tracing::info!(removed, "the oldest records of full gateways were deleted"),
            Ok(Err(cause)) => tracing::error!("the oldest records of full gateways cannot be deleted: {cause}"),
            Err(cause) => tracing::error!(%cause, "deleting the oldest records of full gateways failed"),
        }
    }
}
