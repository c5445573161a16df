//! Lets old request logs go.
//!
//! Enters: how many days are kept, and how many records each gateway may have. Leaves: fewer day files, and the caps in the store.
//! Never: deletes what is too old row by row: a day is one file, and its end is an unlink.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tollgate_control::audit;
use tollgate_model::Clock;
use tollgate_rules::snapshot::Snapshot;
use tollgate_store::records::{AtTheCap, Cap};
use tollgate_store::{Entries, Records, StoreError};

const LOOK_EVERY: Duration = Duration::from_secs(3_600);
/// Each time a bounded number of records.
const TRIM_EVERY: Duration = Duration::from_secs(10);
const DAY_MS: u64 = 86_400_000;
const AUDIT_MAX: u64 = 1_000_000;
/// In one transaction.
const AUDIT_STEP: usize = 1_000;

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

/// Entries of the audit log that are too old, and the oldest where there are more than anybody could read.
pub(crate) async fn keep_audit(entries: Arc<dyn Entries>, days: u64) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        every.tick().await;
        let entries = entries.clone();
        match tokio::task::spawn_blocking(move || forget_deeds(&*entries, days, Clock::System.unix_ms())).await {
            Ok(Ok(0)) => {}
            Ok(Ok(forgotten)) => tracing::info!(entries = forgotten, "old entries of the audit log were deleted"),
            Ok(Err(cause)) => tracing::error!("old entries of the audit log cannot be deleted: {cause}"),
            Err(cause) => tracing::error!(%cause, "deleting old entries of the audit log failed"),
        }
    }
}

/// 0 days keeps them whatever their age.
fn forget_deeds(entries: &dyn Entries, days: u64, now_ms: u64) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    if days > 0 {
        let before = now_ms.saturating_sub(days.saturating_mul(DAY_MS));
        loop {
            let gone = entries.delete_older_than(audit::KIND, before, AUDIT_STEP)?;
            forgotten += gone;
            if gone < AUDIT_STEP as u64 {
                break;
            }
        }
    }
    let too_many = entries.count(audit::KIND, "", 0, u64::MAX)?.saturating_sub(AUDIT_MAX);
    if too_many > 0 {
        forgotten += entries.delete_older_than(audit::KIND, u64::MAX, too_many as usize)?;
    }
    Ok(forgotten)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tollgate_store::embedded::FileEntries;
    use tollgate_store::entries::{Draft, Span};

    use super::*;

    #[test]
    fn old_deeds_go_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let entries = FileEntries::open(&dir.path().join("e.db")).unwrap();
        let draft = |kind, id, at_ms| Draft { kind, parent: "", id, at_ms, body: "{}" };
        let now_ms = 400 * DAY_MS;
        entries
            .append(&[draft(audit::KIND, "old", 1), draft(audit::KIND, "new", now_ms), draft("line", "old", 1)])
            .unwrap();
        assert_eq!(forget_deeds(&entries, 0, now_ms).unwrap(), 0);
        assert_eq!(forget_deeds(&entries, 365, now_ms).unwrap(), 1);
        assert_eq!(entries.list(audit::KIND, "", Span::newest(9)).unwrap()[0].id, "new");
        assert_eq!(entries.count("line", "", 0, u64::MAX).unwrap(), 1);
    }
}
