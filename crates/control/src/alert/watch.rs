//! Looks at what was written down, and finds what is worth telling.
//!
//! Enters: alerts, records as they are logged, the journal's own counts, `now`. Leaves: findings. Never: looks at a clock, or at a record twice: how far
//! it has read is kept in the same file as what it has counted, and that file is replaced as a whole.

mod incident;
mod spend;
mod traffic;

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tollgate_model::alert::{Rate, Watch};
use tollgate_model::{Alert, Record};
use tollgate_store::records::{Filter, Place, Walk};
use tollgate_store::{Records, StoreError};

use self::incident::{Incidents, Turn};
use self::spend::Spending;
use self::traffic::{Counts, Traffic};
use super::Finding;

/// Records of one look; the rest is for the next.
const LOOK_MAX: usize = 20_000;
const PAGE: u32 = 1_000;
/// Records become readable a moment after they are made, and not all in order.
const SETTLE_MS: u64 = 2_000;
const DAY_MS: u64 = 86_400_000;
/// How far back sessions count.
const PAST_MS: u64 = 30 * DAY_MS;
/// What is read later than that is history: it is counted and not told.
const FRESH_MS: u64 = 15 * 60_000;

/// What was lost so far, of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Records that could not be written.
    pub records: u64,
    /// Bytes of the journal that could not be read.
    pub damaged_bytes: u64,
}

#[derive(Debug)]
pub struct Watcher {
    file: PathBuf,
    state: State,
    losses: Losses,
    is_saved: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// The last record that was counted: time and key.
    place: Option<(u64, i64)>,
    traffic: Traffic,
    /// By alert.
    spending: HashMap<String, Spending>,
    incidents: Incidents,
}

// === impl Watcher ===

impl Watcher {
    /// Goes on where an earlier process left off. A file that cannot be read is begun anew.
    pub fn open(file: &Path) -> Self {
        let state = match fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|cause| {
                tracing::warn!(%cause, "what alerts have counted cannot be read: they begin anew");
                State::default()
            }),
            Err(_) => State::default(),
        };
        Self { file: file.to_owned(), state, losses: Losses::default(), is_saved: true }
    }

    /// What became known since the last look. Waits for the record store.
    pub fn look(
        &mut self,
        alerts: &[Alert],
        records: &dyn Records,
        losses: Losses,
        now_ms: u64,
    ) -> Result<Vec<Finding>, StoreError> {
        let alerts: Vec<&Alert> = alerts.iter().filter(|alert| alert.enable).collect();
        self.state.spending.retain(|id, _| alerts.iter().any(|alert| alert.id == *id));
        self.state.incidents.keep(|id| alerts.iter().any(|alert| alert.id == id), now_ms);
        let mut findings = self.losses(&alerts, losses, now_ms);
        if alerts.iter().any(|alert| alert.watch.reads_log()) {
            self.read(&alerts, records, now_ms)?;
            self.state.traffic.sweep(now_ms);
            for alert in &alerts {
                self.judge(alert, now_ms, &mut findings);
            }
        } else if self.state.place.is_some() {
            // Nobody asks any more; who does later begins anew.
            (self.state.place, self.state.traffic, self.is_saved) = (None, Traffic::default(), false);
        }
        self.is_saved &= findings.is_empty();
        Ok(findings)
    }

    /// Keeps what was counted. In one step: a process that is killed meanwhile finds what was kept before.
    pub fn save(&mut self) -> std::io::Result<()> {
        if self.is_saved {
            return Ok(());
        }
        let beside = self.file.with_extension("new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(&serde_json::to_vec(&self.state).map_err(std::io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(&beside, &self.file)?;
        self.is_saved = true;
        Ok(())
    }

    fn read(&mut self, alerts: &[&Alert], records: &dyn Records, now_ms: u64) -> Result<(), StoreError> {
        let to_ms = now_ms.saturating_sub(SETTLE_MS);
        let filter = Filter { from_ms: Some(now_ms.saturating_sub(PAST_MS)), to_ms: Some(to_ms), ..Filter::default() };
        for _ in 0..LOOK_MAX / PAGE as usize {
            let behind = self.state.place.map(|(created_ms, key)| Place { created_ms, key });
            let walked = records.walk(&filter, Walk { behind, descending: false }, PAGE)?;
            for record in &walked.records {
                self.count(alerts, record, now_ms);
            }
            self.state.spending.values_mut().for_each(Spending::bound);
            let Some(last) = walked.records.last() else { break };
            (self.state.place, self.is_saved) = (Some((last.created_ms, last.id.key())), false);
            if walked.next.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn count(&mut self, alerts: &[&Alert], record: &Record, now_ms: u64) {
        self.state.traffic.count(record, now_ms);
        for alert in alerts.iter().filter(|alert| alert.is_of(&record.gateway)) {
            if let Watch::SpendAnomaly(anomaly) = &alert.watch {
                self.state.spending.entry(alert.id.clone()).or_default().count(anomaly, record);
            }
        }
    }

    fn judge(&mut self, alert: &Alert, now_ms: u64, findings: &mut Vec<Finding>) {
        match &alert.watch {
            Watch::SpendAnomaly(anomaly) => {
                let Some(spending) = self.state.spending.get_mut(&alert.id) else { return };
                let (since_ms, fresh_ms) = (now_ms.saturating_sub(PAST_MS), now_ms.saturating_sub(FRESH_MS));
                for found in spending.judge(anomaly, since_ms, fresh_ms) {
                    if self.state.incidents.may_tell(alert, &found.user, now_ms) {
                        findings.push(found.finding(alert, now_ms));
                    }
                }
            }
            Watch::ErrorRate(rate) => {
                for (gateway, counts) in self.state.traffic.by_gateway(alert, rate, now_ms) {
                    self.turn(alert, rate, &gateway, counts, now_ms, findings);
                }
            }
            Watch::ProviderDown(rate) => {
                for (provider, counts) in self.state.traffic.by_provider(alert, rate, now_ms) {
                    self.turn(alert, rate, &provider, counts, now_ms, findings);
                }
            }
            Watch::Budget { .. } | Watch::LogLoss => {}
        }
    }

    fn turn(
        &mut self,
        alert: &Alert,
        rate: &Rate,
        subject: &str,
        counts: Counts,
        now_ms: u64,
        findings: &mut Vec<Finding>,
    ) {
        let is_bad = counts.all >= rate.minimum_requests && counts.percent() >= rate.threshold_percent;
        // Silence is no recovery.
        let is_good = counts.failed < counts.all && counts.percent() < rate.threshold_percent;
        let Some(turn) = self.state.incidents.turn(alert, subject, is_bad, is_good, now_ms) else { return };
        self.is_saved = false;
        findings.push(told(alert, rate, subject, counts, turn, now_ms));
    }

    fn losses(&mut self, alerts: &[&Alert], losses: Losses, now_ms: u64) -> Vec<Finding> {
        let before = std::mem::replace(&mut self.losses, losses);
        let records = losses.records.saturating_sub(before.records);
        let damaged = losses.damaged_bytes.saturating_sub(before.damaged_bytes);
        if (records, damaged) == (0, 0) {
            return Vec::new();
        }
        let watching = alerts.iter().filter(|alert| alert.watch == Watch::LogLoss);
        let telling = watching.filter(|alert| self.state.incidents.may_tell(alert, "log", now_ms));
        let told = telling.map(|alert| {
            let text = format!(
                "the log has lost something: {records} records could not be written, {damaged} bytes of the journal could not be read"
            );
            let data = json!({ "records": records, "damaged_bytes": damaged,
                "records_since_start": losses.records, "damaged_bytes_since_start": losses.damaged_bytes });
            Finding::new(alert, "alert.log_loss", "log", &now_ms.to_string(), now_ms).saying(text, data)
        });
        told.collect()
    }
}

fn told(alert: &Alert, rate: &Rate, subject: &str, counts: Counts, turn: Turn, now_ms: u64) -> Finding {
    let Counts { all, failed } = counts;
    let (event, since_ms, is_over) = match (&alert.watch, turn) {
        (Watch::ErrorRate(_), Turn::Begun) => ("alert.error_rate", now_ms, false),
        (Watch::ErrorRate(_), Turn::Over(since_ms)) => ("alert.error_rate.resolved", since_ms, true),
        (_, Turn::Begun) => ("alert.provider_down", now_ms, false),
        (_, Turn::Over(since_ms)) => ("alert.provider_down.resolved", since_ms, true),
    };
    let what = if matches!(alert.watch, Watch::ErrorRate(_)) { "gateway" } else { "provider" };
    let share = format!("{failed} of {all} requests in the last {} seconds failed", rate.window_seconds);
    let text = match (what, is_over) {
        ("gateway", false) => format!("gateway {subject}: {share}"),
        ("gateway", true) => format!("gateway {subject} is well again: {share}"),
        (_, false) => format!("provider {subject} is down: {share}"),
        (_, true) => format!("provider {subject} answers again: {share}"),
    };
    let data = json!({ what: subject, "requests": all, "failed": failed, "percent": (counts.percent() * 10.0).round() / 10.0,
        "threshold_percent": rate.threshold_percent, "window_seconds": rate.window_seconds, "provider_filter": rate.provider,
        "since": crate::time::text(since_ms) });
    Finding::new(alert, event, subject, &since_ms.to_string(), now_ms).saying(text, data)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
