//! What can be done from a shell on the machine where the data is.
//!
//! Enters: parsed arguments and the data directory. Leaves: tables for people, JSON for programs. Never: needs a running server: the two meet in the
//! files. Only what is asked for with `--url` talks to one (`remote`).
//!
//! Whoever may read and write the data directory is the operator: no token is asked for. Settings live in one SQLite file that several processes may
//! use, so a token made here works at once in a server that runs beside it.

pub(crate) mod api;
pub(crate) mod backup;
pub(crate) mod cache;
pub(crate) mod config;
pub(crate) mod dashboard;
pub(crate) mod evaluation;
pub(crate) mod import;
pub(crate) mod log;
pub(crate) mod nouns;
pub(crate) mod prices;
pub(crate) mod provider;
pub(crate) mod reach;
pub(crate) mod reconcile;
pub(crate) mod remote;
pub(crate) mod route;
pub(crate) mod secrets;
pub(crate) mod token;

mod duration;
mod show;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tollgate_control::audit::{Actor, Audit, Interface, Kind};
use tollgate_control::desk::Desk;
use tollgate_model::Clock;
use tollgate_rules::snapshot::Documents;
use tollgate_store::embedded::{FileDocuments, FileEntries};
use tollgate_store::{Failure, Journal, JournalOptions, Metrics};
use tollgate_wire::provider::Providers;

use crate::place::{DOCUMENTS_FILE, ENTRIES_FILE, JOURNAL_DIR};
use crate::settings::Settings;
use crate::{serve, vault};

fn open_desk(data_dir: &Path) -> anyhow::Result<Desk> {
    let path = data_dir.join(DOCUMENTS_FILE);
    let documents = FileDocuments::open(&path)
        .with_context(|| format!("cannot open the settings in {}; is --data-dir right?", data_dir.display()))?;
    // Routes name providers, and those of the catalog are known without a server.
    let base = || Documents { providers: Providers::builtin().clone(), ..Documents::default() };
    let desk = Desk::new(Arc::new(documents), Clock::System, Box::new(base));
    Ok(desk.audited(audit(data_dir)?))
}

/// What is changed from a shell is written down as well.
fn audit(data_dir: &Path) -> anyhow::Result<Audit> {
    Ok(Audit::new(Arc::new(FileEntries::open(&data_dir.join(ENTRIES_FILE))?), operator()))
}

/// Who works in this shell, as the system says; the audit log names them.
fn operator() -> Actor {
    let named = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let name = named.unwrap_or_else(|| "operator".to_owned());
    Actor { id: name.clone(), name, kind: Kind::Operator, interface: Interface::Cli, ..Actor::default() }
}

/// For the rows of the table: everything that the server's desk has, but a vault only where secrets are.
fn open_desk_for(settings: &Settings, with_secrets: bool) -> anyhow::Result<Desk> {
    let desk = match with_secrets {
        true => open_desk_with_vault(settings)?,
        false => open_desk(&settings.data_dir)?,
    };
    if let Some(file) = &settings.config_file {
        desk.follow_file(file);
    }
    Ok(desk)
}

/// Able to seal and open secrets, with the providers as the server has them: a key is bound to where its provider is.
fn open_desk_with_vault(settings: &Settings) -> anyhow::Result<Desk> {
    let base = serve::base(settings)?;
    let path = settings.data_dir.join(DOCUMENTS_FILE);
    let documents = FileDocuments::open(&path).with_context(|| {
        format!("cannot open the settings in {}; is --data-dir right?", settings.data_dir.display())
    })?;
    let desk = Desk::new(Arc::new(documents), Clock::System, Box::new(move || base.documents()));
    let vault = vault::open(settings, &desk)?;
    Ok(desk.audited(audit(&settings.data_dir)?).with_vault(Arc::new(vault)))
}

/// The journal, and with it the right to move its records; `None` while a server has it.
fn journal_unless_served(data_dir: &Path, metrics: &Arc<Metrics>) -> anyhow::Result<Option<Arc<Journal>>> {
    match Journal::open(&data_dir.join(JOURNAL_DIR), JournalOptions::default(), metrics.clone()) {
        Ok(journal) => Ok(Some(Arc::new(journal))),
        Err(cause) if cause.kind() == Failure::Busy => Ok(None),
        Err(cause) => Err(cause).context("cannot open the journal; is --data-dir right?"),
    }
}
