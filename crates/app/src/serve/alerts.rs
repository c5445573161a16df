//! Watches for what alerts ask for, and sends what they have to tell.
//!
//! Enters: the log, the stores' own counts, budgets' crossings. Leaves: messages. Never: has a part on a request's path: it runs on the desk's threads,
//! and where no alert asks for it, nothing is read.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc::Receiver;
use tokio::time::MissedTickBehavior;
use tollgate_control::alert::{Courier, DELIVERY, Losses, Watcher, of_crossings};
use tollgate_control::desk::Desk;
use tollgate_dial::Client;
use tollgate_model::BudgetCrossing;
use tollgate_store::{Entries, Ingest, Metrics, Records, StoreError};

use super::stores::Stores;
use crate::place::ALERTS_FILE;
use crate::settings::Settings;

const LOOK_EVERY: Duration = Duration::from_secs(5);
const SEND_EVERY: Duration = Duration::from_secs(1);
/// Looks between two times that what was counted is kept: it costs a file.
const LOOKS_OF_A_SAVE: u32 = 12;
const CATCH_UP: Duration = Duration::from_secs(2);
const CROSSINGS_MAX: usize = 256;
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
const FORGET_MS: u64 = 30 * 86_400_000;
const FORGET_STEP: usize = 1_000;

#[derive(Clone)]
pub(super) struct Guard {
    pub(super) watcher: Arc<Mutex<Watcher>>,
    pub(super) courier: Arc<Courier>,
    pub(super) desk: Arc<Desk>,
    pub(super) entries: Arc<dyn Entries>,
    records: Arc<dyn Records>,
    ingest: Arc<Ingest>,
    metrics: Arc<Metrics>,
}

// === impl Guard ===

impl Guard {
    pub(super) fn new(settings: &Settings, stores: &Stores, desk: &Arc<Desk>, client: Client) -> Self {
        let courier = Courier::new(desk.clone(), stores.entries.clone(), client);
        Self {
            watcher: Arc::new(Mutex::new(Watcher::open(&settings.data_dir.join(ALERTS_FILE)))),
            courier: Arc::new(courier),
            desk: desk.clone(),
            entries: stores.entries.clone(),
            records: stores.records.clone(),
            ingest: stores.ingest.clone(),
            metrics: stores.metrics.clone(),
        }
    }

    /// `crossings` is there for the first who asks the till for it.
    pub(super) fn start(&self, crossings: Option<Receiver<BudgetCrossing>>) {
        tokio::spawn(self.clone().watch());
        tokio::spawn(self.clone().send());
        tokio::spawn(self.clone().forget());
        if let Some(crossings) = crossings {
            tokio::spawn(self.clone().hear(crossings));
        }
    }

    async fn watch(self) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 1_u32.. {
            every.tick().await;
            let saves = number.is_multiple_of(LOOKS_OF_A_SAVE);
            let guard = self.clone();
            said("looking for what alerts ask for", tokio::task::spawn_blocking(move || guard.look(saves)).await);
        }
    }

    fn look(&self, saves: bool) -> Result<(), StoreError> {
        let Ok(alerts) = self.desk.alerts() else { return Ok(()) };
        if alerts.iter().any(|alert| alert.enable && alert.watch.reads_log()) {
            self.ingest.catch_up(CATCH_UP);
        }
        let mut watcher = self.watcher.lock();
        let (lost, damaged_bytes) = (self.metrics.journal.lost.get(), self.metrics.ingest.damaged_bytes.get());
        let losses = Losses { records: lost, damaged_bytes };
        let findings = watcher.look(&alerts, &*self.records, losses, self.desk.now_ms())?;
        // First they are in the queue, then it is kept that they were found: what is found twice has the same name and is told once.
        self.courier.queue(&findings)?;
        if saves || !findings.is_empty() {
            keep(&mut watcher);
        }
        Ok(())
    }

    /// To be called when the process ends.
    pub(super) fn save(&self) {
        keep(&mut self.watcher.lock());
    }

    /// At once: what a budget has told it does not tell again.
    async fn hear(self, mut crossings: Receiver<BudgetCrossing>) {
        let mut heard = Vec::new();
        while crossings.recv_many(&mut heard, CROSSINGS_MAX).await > 0 {
            let (guard, crossings) = (self.clone(), std::mem::take(&mut heard));
            let tell = move || match guard.desk.alerts() {
                Ok(alerts) => guard.courier.queue(&of_crossings(&alerts, &crossings)).map(drop),
                Err(_) => Ok(()),
            };
            said("telling of budgets", tokio::task::spawn_blocking(tell).await);
        }
    }

    async fn send(self) {
        let mut every = tokio::time::interval(SEND_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            if let Err(cause) = self.courier.round().await {
                tracing::error!("alerts cannot be sent, it is tried again: {cause}");
            }
        }
    }

    async fn forget(self) {
        let mut every = tokio::time::interval(FORGET_EVERY);
        loop {
            every.tick().await;
            let (entries, before) = (self.entries.clone(), self.desk.now_ms().saturating_sub(FORGET_MS));
            let forget = move || forget_old(&*entries, before);
            said("forgetting old deliveries", tokio::task::spawn_blocking(forget).await);
        }
    }
}

fn forget_old(entries: &dyn Entries, before_ms: u64) -> Result<(), StoreError> {
    while entries.delete_older_than(DELIVERY, before_ms, FORGET_STEP)? == FORGET_STEP as u64 {}
    Ok(())
}

fn keep(watcher: &mut Watcher) {
    if let Err(cause) = watcher.save() {
        tracing::warn!(%cause, "what alerts have counted cannot be kept; it is tried again");
    }
}

fn said(doing: &str, done: Result<Result<(), StoreError>, tokio::task::JoinError>) {
    match done {
        Ok(Ok(())) => {}
        Ok(Err(cause)) => tracing::error!("{doing} failed, it is tried again: {cause}"),
        Err(cause) => tracing::error!(%cause, "{doing} failed"),
    }
}
