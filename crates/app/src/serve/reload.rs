//! Reads the settings again while the server runs: asked for by SIGHUP, or over the API.
//!
//! Enters: a wish. Leaves: new settings in force and what was done in words, or every fault with its place. Never: leaves the old settings for wrong ones.

use std::sync::Arc;

use anyhow::Context;
use arc_swap::ArcSwap;
use tollgate_control::desk::Desk;
use tollgate_store::Entries;

use super::{Base, base, follow};
use crate::settings::{self, Layers};

pub(super) struct Reloader {
    pub(super) layers: Layers,
    pub(super) base: Arc<ArcSwap<Base>>,
    pub(super) desk: Arc<Desk>,
    pub(super) entries: Arc<dyn Entries>,
}

// === impl Reloader ===

impl Reloader {
    /// May wait for a disk.
    pub(super) fn reload(&self) -> anyhow::Result<String> {
        let settings = settings::resolve(&self.layers)?;
        let (before, fresh) = (self.base.load_full(), base(&settings)?);
        // Connections are judged by the ranges of the start.
        self.base.store(Arc::new(Base { egress: before.egress.clone(), ..fresh }));
        if let Err(problem) = self.desk.refresh() {
            self.base.store(before);
            return Err(problem).context("nothing can be served with these settings");
        }
        let mut words =
            "settings read again: accounts, providers, cache manners and the auto pool are in force; other settings need a restart"
                .to_owned();
        if let Some(file) = self.desk.file() {
            let plan = follow::take(file, &self.desk, &*self.entries)
                .context("the settings were read again, the configuration file was not")?;
            let [added, changed, removed] = plan.counts();
            words.push_str(&format!("\n{}: {added} added, {changed} changed, {removed} removed", file.display()));
        }
        Ok(words)
    }

    pub(super) fn log(&self) {
        match self.reload() {
            Ok(words) => tracing::info!("{words}"),
            Err(problem) => tracing::error!("the settings are not right, the old ones stay in force: {problem:#}"),
        }
    }
}
