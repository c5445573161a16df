//! `tollgate key ...`
//!
//! Enters: arguments, a key on standard input. Leaves: a stored key. Never: takes a key as an argument, where every process of the machine could read
//! it, or shows one.

use std::io::Read;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tollgate_control::desk::{Configured, Desk};
use tollgate_control::keep;
use tollgate_model::Gateway;

use super::{open_desk, open_desk_with_vault, show};
use crate::settings::Settings;

/// More than a secret may have.
const INPUT_BYTES_MAX: u64 = 128 * 1024;

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate key add openai < key.txt
  tollgate key add openai --alias team-b --rate-limit 100 --rate-period 60 < key.txt
  tollgate key add anthropic --from env:ANTHROPIC_API_KEY --default
  tollgate key add aws-bedrock < bedrock.json        {\"accessKeyId\", \"secretAccessKey\", \"region\"}
  tollgate key add google-vertex-ai < account.json   a service account, with \"region\" beside its members
  tollgate key add azure-openai < azure.json         {\"key\", \"resource\"}
  tollgate key list --json
  tollgate key rotate 3f0c... < new.txt
  tollgate key remove 3f0c...

Callers choose one with `cf-aig-byok-alias: ALIAS`; without it the default one is used.")]
pub(crate) enum Key {
    /// Store a provider's key for a gateway; the key comes from standard input
    Add(Add),
    /// All stored keys of a gateway, without their values
    List {
        #[command(flatten)]
        of: Of,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Replace a key by the one on standard input
    Rotate {
        /// As `key list` shows it
        id: String,
        #[command(flatten)]
        of: Of,
        /// Where the key is instead: env:NAME or file:/path
        #[arg(long, value_name = "REFERENCE")]
        from: Option<String>,
        /// The changed key as JSON, without its value
        #[arg(long)]
        json: bool,
    },
    /// Remove a key with its secret
    Remove {
        /// As `key list` shows it
        id: String,
        #[command(flatten)]
        of: Of,
        /// The removed key as JSON, without its value
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Of {
    /// Whose keys
    #[arg(long, default_value = "default", value_name = "GATEWAY")]
    gateway: String,
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// The provider's path segment: openai, anthropic, aws-bedrock, ...
    provider: String,
    /// What callers say to choose it
    #[arg(long, default_value = "default")]
    alias: String,
    /// Use it when a caller names no alias
    #[arg(long = "default")]
    is_default: bool,
    /// Where the key is instead: env:NAME or file:/path
    #[arg(long, value_name = "REFERENCE")]
    from: Option<String>,
    /// At most this many requests in a period through this key
    #[arg(long, value_name = "REQUESTS")]
    rate_limit: Option<u64>,
    /// The period of the rate limit
    #[arg(long, value_name = "SECONDS", requires = "rate_limit")]
    rate_period: Option<u64>,
    #[command(flatten)]
    of: Of,
    /// The new key as JSON, without its value
    #[arg(long)]
    json: bool,
}

impl Key {
    pub(crate) fn run(self, settings: &Settings) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(&open_desk_with_vault(settings)?),
            Self::List { of, json } => list(&open_desk(&settings.data_dir)?, &of, json),
            Self::Rotate { id, of, from, json } => {
                let desk = open_desk_with_vault(settings)?;
                let change = json!({ "secret": value(from)? });
                let after =
                    desk.update_provider_config(&of.found(&desk)?, &id, &change).map_err(|cause| told(cause, &id))?;
                show_one(&after, json)
            }
            Self::Remove { id, of, json } => {
                let desk = open_desk(&settings.data_dir)?;
                let gone = desk.delete_provider_config(&of.found(&desk)?, &id).map_err(|cause| told(cause, &id))?;
                let text = format!("removed key {:?} of {}\n", gone.alias, gone.provider_slug);
                if json { show::json(&keep::gone(&gone)) } else { show::text(&text) }
            }
        }
    }
}

impl Add {
    fn run(self, desk: &Desk) -> anyhow::Result<()> {
        let gateway = self.of.found(desk)?;
        let mut body = json!({
            "provider_slug": self.provider, "alias": self.alias, "default_config": self.is_default, "secret": value(self.from)?
        });
        for (name, number) in [("rate_limit", self.rate_limit), ("rate_limit_period", self.rate_period)] {
            if let Some(number) = number {
                body[name] = number.into();
            }
        }
        let made = desk.create_provider_config(&gateway, &body)?;
        show_one(&made, self.json)
    }
}

impl Of {
    fn found(&self, desk: &Desk) -> anyhow::Result<Gateway> {
        let id = &self.gateway;
        desk.gateway(id)?.with_context(|| format!("no gateway {id:?}; `tollgate gateway list` shows those there are"))
    }
}

/// Without the line end that an editor leaves.
fn value(from: Option<String>) -> anyhow::Result<String> {
    if let Some(from) = from {
        anyhow::ensure!(
            from.starts_with("env:") || from.starts_with("file:/"),
            "--from names where a key is: env:NAME or file:/path. The key itself goes to standard input, where no other process can read it"
        );
        return Ok(from);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(INPUT_BYTES_MAX)
        .read_to_string(&mut text)
        .context("cannot read the key from standard input")?;
    let text = text.trim();
    anyhow::ensure!(!text.is_empty(), "there is no key on standard input; write `tollgate key add openai < key.txt`");
    Ok(text.to_owned())
}

fn told(cause: tollgate_control::DeskError, id: &str) -> anyhow::Error {
    match cause {
        tollgate_control::DeskError::Missing(_) => {
            anyhow::anyhow!("no key with the id {id:?}; `tollgate key list` shows those there are")
        }
        other => other.into(),
    }
}

fn list(desk: &Desk, of: &Of, json: bool) -> anyhow::Result<()> {
    let all = desk.provider_configs(&of.found(desk)?)?;
    if json {
        return show::json(&all.iter().map(object).collect());
    }
    let rows: Vec<[String; 6]> = all.iter().map(row).collect();
    show::table(["ID", "PROVIDER", "ALIAS", "DEFAULT", "KEY", "LIMIT"], &rows)
}

fn row(configured: &Configured) -> [String; 6] {
    let config = &configured.config;
    let preview = configured.secret.as_ref().map_or("gone", |secret| &secret.preview).to_owned();
    let limit = config.rate_limit.filter(|limit| *limit > 0);
    let limit = limit
        .map_or_else(|| "none".to_owned(), |limit| format!("{limit} in {} s", config.rate_limit_period.unwrap_or(60)));
    let is_default = if config.default_config { "yes" } else { "" }.to_owned();
    [config.id.clone(), config.provider_slug.clone(), config.alias.clone(), is_default, preview, limit]
}

fn show_one(configured: &Configured, json: bool) -> anyhow::Result<()> {
    let shown = object(configured);
    if json { show::json(&shown) } else { show::pretty(&shown) }
}

fn object(configured: &Configured) -> Value {
    keep::config(&configured.config, configured.secret.as_ref(), None)
}
