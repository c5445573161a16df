//! Follows the file that settings come from.
//!
//! Enters: a path, looked at once a second. Leaves: documents that are what the file says. Never: takes a part of a file: one that is wrong is told with
//! its places, and what was in force stays.
//!
//! It is looked at instead of waited for: orchestrators swap links instead of writing files, network disks tell nobody, and a second is soon enough. The
//! same look sets back what somebody changed in the data directory by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use tollgate_control::config::{self, ConfigError, FILE_BYTES_MAX};
use tollgate_control::desk::Desk;
use tollgate_store::Entries;

const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Follower {
    file: PathBuf,
    desk: Arc<Desk>,
    entries: Arc<dyn Entries>,
    seen: Option<Seen>,
}

/// What a look tells without reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    modified: Option<SystemTime>,
    bytes: u64,
    /// Of the documents.
    changes: u64,
}

// === impl Follower ===

impl Follower {
    /// A server whose file is wrong does not start: there is no older state that it could be meant to keep.
    pub(super) fn start(file: &Path, desk: &Arc<Desk>, entries: &Arc<dyn Entries>) -> anyhow::Result<Self> {
        let mut follower = Self { file: file.to_owned(), desk: desk.clone(), entries: entries.clone(), seen: None };
        desk.follow_file(file);
        take(file, desk, &**entries)?;
        follower.seen = Some(follower.look()?);
        Ok(follower)
    }

    pub(super) async fn watch(mut self) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            let looked = tokio::task::spawn_blocking(move || {
                self.keep_up();
                self
            });
            match looked.await {
                Ok(follower) => self = follower,
                Err(cause) => return tracing::error!(%cause, "the configuration file is not followed any more"),
            }
        }
    }

    fn keep_up(&mut self) {
        let now = match self.look() {
            Ok(now) if Some(now) == self.seen => return,
            Ok(now) => now,
            Err(problem) => return self.complain(&problem),
        };
        match take(&self.file, &self.desk, &*self.entries) {
            Ok(plan) if plan.is_empty() => {}
            Ok(plan) => {
                let [added, changed, removed] = plan.counts();
                tracing::info!(added, changed, removed, "the configuration file was read again and is in force");
            }
            Err(problem) => self.complain(&problem),
        }
        // Looked at before it was read: what was written in between is read again.
        self.seen = Some(Seen { changes: self.look().map_or(now.changes, |after| after.changes), ..now });
    }

    fn complain(&self, problem: &anyhow::Error) {
        tracing::error!("the configuration file is not right, what was in force stays: {problem:#}");
    }

    fn look(&self) -> anyhow::Result<Seen> {
        let said = std::fs::metadata(&self.file).with_context(|| format!("cannot see {}", self.file.display()))?;
        Ok(Seen { modified: said.modified().ok(), bytes: said.len(), changes: self.desk.current()?.version })
    }
}

/// Makes what the file says be in force.
pub(super) fn take(path: &Path, desk: &Desk, entries: &dyn Entries) -> anyhow::Result<config::plan::Plan> {
    let file = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
    anyhow::ensure!(text.len() <= FILE_BYTES_MAX, "{file} is longer than {} MiB", FILE_BYTES_MAX >> 20);
    config::follow(desk, entries, &text).map_err(|error| match error {
        ConfigError::Wrong(wrong) => {
            let lines: Vec<String> = wrong.iter().map(|wrong| format!("{file}:{wrong}")).collect();
            anyhow::anyhow!("{}", lines.join("\n"))
        }
        other => other.into(),
    })
}
