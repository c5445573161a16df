//! The one directory that everything is kept in.
//!
//! Enters: a path from the settings, or the user's own data directory. Leaves: a directory that only its owner can enter.
//! Never: loosens or tightens a directory that somebody else made.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Settings documents: gateways, tokens.
pub(crate) const DOCUMENTS_FILE: &str = "tollgate.db";
/// What grows with use: the audit, results of evaluations, credit lines.
pub(crate) const ENTRIES_FILE: &str = "entries.db";
/// What stored secrets are sealed with, unless the settings name another place.
pub(crate) const MASTER_KEY_FILE: &str = "master.key";
/// Cached answers.
pub(crate) const ANSWERS_FILE: &str = "answers.db";
/// What requests with idempotency keys were answered.
pub(crate) const TOLD_FILE: &str = "told.db";
/// What alerts have counted of the log.
pub(crate) const ALERTS_FILE: &str = "alerts.json";
/// Log records, one file per day.
pub(crate) const LOGS_DIR: &str = "logs";
/// What was spent of budgets.
pub(crate) const LEDGER_DIR: &str = "ledger";
/// What was drawn of credits.
pub(crate) const CREDITS_DIR: &str = "credits";
/// Records on their way to the log.
pub(crate) const JOURNAL_DIR: &str = "journal";

/// `$XDG_DATA_HOME/tollgate`, or `~/.local/share/tollgate`.
pub(crate) fn default_dir() -> PathBuf {
    let base = std::env::var_os("XDG_DATA_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    base.or_else(home).unwrap_or_else(|| PathBuf::from(".")).join("tollgate")
}

pub(crate) fn prepare(dir: &Path) -> anyhow::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| {
        format!(
            "cannot create the data directory {}; choose another with --data-dir or TOLLGATE_DATA_DIR",
            dir.display()
        )
    })
}
