//! `tollgate provider ...`
//!
//! Enters: arguments. Leaves: what the command below it does. Never: does it itself.

mod custom;

use clap::Subcommand;

use crate::settings::Settings;

use custom::Custom;

#[derive(Subcommand, Debug)]
pub(crate) enum Provider {
    /// Providers of your own: any server with an HTTP API, called as custom-SLUG
    #[command(subcommand)]
    Custom(Custom),
}

impl Provider {
    pub(crate) fn run(self, settings: &Settings) -> anyhow::Result<()> {
        match self {
            Self::Custom(custom) => custom.run(settings),
        }
    }
}
