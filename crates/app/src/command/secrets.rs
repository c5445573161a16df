//! `tollgate secrets ...`
//!
//! Enters: arguments. Leaves: secrets sealed with another master key. Never: lets go of a key that something is still sealed with.

use std::sync::Arc;

use clap::Subcommand;
use serde_json::json;
use tollgate_control::vault::KeySource;
use tollgate_store::Metrics;

use super::{journal_unless_served, open_desk, show};
use crate::settings::Settings;
use crate::vault;

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate secrets rotate-key

A key file gets a new first key, and every secret is sealed with it; the old key is let go once nothing needs it and no server runs. Where the key
comes from the environment or a command, give both (\"NEW OLD\"), restart the server, run this, and then leave the old one out. It can be
run again at any time, also after a crash.")]
pub(crate) enum Secrets {
    /// Seal every stored secret with a new master key
    RotateKey {
        /// How many were sealed anew, and which keys there are now
        #[arg(long)]
        json: bool,
    },
}

impl Secrets {
    pub(crate) fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let Self::RotateKey { json } = self;
        let desk = open_desk(&settings.data_dir)?;
        let vault = Arc::new(vault::open(settings, &desk)?);
        let desk = desk.with_vault(vault.clone());
        if let KeySource::File(_) = vault.source() {
            vault.turn()?;
        }
        let count = desk.reseal()?;
        // A server that runs may seal with the older key until it has read the file again.
        let alone = journal_unless_served(&settings.data_dir, &Arc::new(Metrics::default()))?;
        let current = vault.keyring().current().id().to_owned();
        if alone.is_some() && desk.sealed_with()?.iter().all(|id| *id == current) {
            vault.forget_old_keys()?;
        }
        let keys = vault.keyring().ids();
        if json {
            return show::json(&json!({ "sealed": count, "keys": keys }));
        }
        let older = match keys.len() {
            1 => "the old one is gone".to_owned(),
            _ => "the old one is kept: run this again when no server runs".to_owned(),
        };
        show::text(&format!("sealed {count} secrets with the master key {}; {older}\n", keys[0]))
    }
}
