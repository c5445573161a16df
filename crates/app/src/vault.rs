//! Which master key there is, and what secrets may refer to.
//!
//! Enters: settings, the environment. Leaves: an open vault, or what to do. Never: two answers: a key in the environment beside one in a file is refused.

use std::path::Path;

use tollgate_control::Desk;
use tollgate_control::vault::{Allowed, KeySource, Vault};
use tollgate_model::Secret;
use tollgate_wire::provider::Providers;

use crate::place::MASTER_KEY_FILE;
use crate::settings::Settings;

/// Holds the key itself.
const VARIABLE: &str = "TOLLGATE_MASTER_KEY";

/// Fails when what is sealed here needs another key.
pub(crate) fn open(settings: &Settings, desk: &Desk) -> anyhow::Result<Vault> {
    Ok(Vault::open(source(settings)?, allowed(settings), &desk.sealed_with()?)?)
}

fn source(settings: &Settings) -> anyhow::Result<KeySource> {
    let in_environment = std::env::var(VARIABLE).ok().filter(|text| !text.trim().is_empty());
    let named = settings.master_key_file.is_some() || settings.master_key_command.is_some();
    anyhow::ensure!(
        in_environment.is_none() || !named,
        "there is one master key: {VARIABLE} is set, and the settings name another place for it"
    );
    if let Some(text) = in_environment {
        return Ok(KeySource::Environment(VARIABLE.to_owned(), Secret::new(text)));
    }
    if let Some(command) = &settings.master_key_command {
        return Ok(KeySource::Command(command.clone()));
    }
    let beside_data = || settings.data_dir.join(MASTER_KEY_FILE);
    Ok(KeySource::File(settings.master_key_file.as_deref().map_or_else(beside_data, Path::to_owned)))
}

/// Providers' own variables are meant to hold keys; anything else the operator names.
fn allowed(settings: &Settings) -> Allowed {
    let usual = Providers::builtin().all().flat_map(|row| row.key_env().to_vec());
    Allowed { env: usual.chain(settings.env_references.clone()).collect(), dirs: settings.file_references.clone() }
}
