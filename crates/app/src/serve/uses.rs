//! Writes down, now and then, when tokens were used last.
//!
//! Enters: what requests have noted in memory. Leaves: entries. Never: is waited for by a request.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tollgate_control::desk::Desk;
use tollgate_store::{Entries, Uses};

const WRITE_EVERY: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) uses: Arc<Uses>,
    pub(super) entries: Arc<dyn Entries>,
    pub(super) desk: Arc<Desk>,
}

// === impl Keeper ===

impl Keeper {
    pub(super) async fn keep(self) {
        let mut every = tokio::time::interval(WRITE_EVERY);
        every.tick().await;
        loop {
            every.tick().await;
            let keeper = self.clone();
            if let Err(cause) = tokio::task::spawn_blocking(move || keeper.write()).await {
                tracing::error!(%cause, "writing when tokens were used failed");
            }
        }
    }

    /// Waits for a disk.
    pub(super) fn write(&self) {
        let Ok(snapshot) = self.desk.current() else { return };
        let there: HashSet<&str> = snapshot.tokens().map(|token| token.id.as_str()).collect();
        if let Err(cause) = self.uses.write(&*self.entries, |id| there.contains(id)) {
            tracing::warn!("when tokens were used last could not be written; it is tried again: {cause}");
        }
    }
}
