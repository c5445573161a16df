//! `tollgate provider custom ...`
//!
//! Enters: arguments, a file of headers. Leaves: changed documents, shown. Never: takes a credential on the command line, where every user of the machine
//! can read it, or shows one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use tollgate_control::DeskError;
use tollgate_control::custom_provider::shown;
use tollgate_control::desk::Desk;
use tollgate_model::CustomProvider;
use tollgate_model::custom::PREFIX;

use crate::command::{cache, open_desk_with_vault, show};
use crate::settings::Settings;

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate provider custom add acme --base-url https://llm.acme.example/v1
  tollgate provider custom add local --base-url http://127.0.0.1:11434/v1     with [egress] allow_private = [\"loopback\"]
  tollgate provider custom edit acme --headers headers.json                   {\"X-Api-Key\": \"...\"}
  tollgate provider custom edit acme --enable false
  tollgate provider custom list --json
  tollgate provider custom remove acme")]
pub(crate) enum Custom {
    /// All of them, by position and name
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Add a provider; callers say custom-SLUG
    Add {
        /// Letters, digits and hyphens
        slug: String,
        #[command(flatten)]
        members: Members,
        /// The new provider as JSON
        #[arg(long)]
        json: bool,
    },
    /// Everything about one
    Show {
        /// Slug or id
        provider: String,
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Change some members; the others stay
    Edit {
        /// Slug or id
        provider: String,
        /// Another slug
        #[arg(long)]
        slug: Option<String>,
        #[command(flatten)]
        members: Members,
        /// The changed provider as JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a provider with its cached answers
    Remove {
        /// Slug or id
        provider: String,
        /// The removed provider as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug, Default)]
pub(crate) struct Members {
    /// Where it is: https://host/prefix; plain http only to what [egress] allow_private opens
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// What people call it [default of a new one: its slug]
    #[arg(long)]
    name: Option<String>,
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where people read about it
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// Whether callers may use it [default of a new one: true]
    #[arg(long, value_name = "BOOL")]
    enable: Option<bool>,
    #[arg(long, value_name = "BOOL")]
    beta: Option<bool>,
    /// Lists are ordered by it, then by name
    #[arg(long, value_name = "NUMBER")]
    position: Option<f64>,
    /// JSON file with an object of headers to send with every request; - reads standard input
    #[arg(long, value_name = "FILE")]
    headers: Option<PathBuf>,
}

impl Custom {
    pub(crate) fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let data_dir = settings.data_dir.as_path();
        // Values of headers are sealed.
        let desk = open_desk_with_vault(settings)?;
        match self {
            Self::List { json } => list(&desk, json),
            Self::Add { slug, members, json } => add(&desk, &slug, &members, json),
            Self::Show { provider, json } => show_one(&desk, &*find(&desk, &provider)?, json),
            Self::Edit { provider, slug, members, json } => {
                let before = find(&desk, &provider)?;
                let mut body = members.body()?;
                body.extend(slug.map(|slug| ("slug".to_owned(), slug.into())));
                let changed = desk.update_custom_provider(&before.id, &body.into());
                let changed = changed.map_err(|problem| told(problem, &before.slug))?;
                tell_lost_headers(&before, &changed);
                forget(data_dir, &desk, &before)?;
                show_one(&desk, &changed, json)
            }
            Self::Remove { provider, json } => {
                let found = find(&desk, &provider)?;
                let gone = desk.delete_custom_provider(&found.id).map_err(|problem| told(problem, &found.slug))?;
                forget(data_dir, &desk, &gone)?;
                if json { show_one(&desk, &gone, true) } else { show::text(&format!("removed {}\n", gone.segment())) }
            }
        }
    }
}

fn add(desk: &Desk, slug: &str, members: &Members, json: bool) -> anyhow::Result<()> {
    let mut body = members.body()?;
    body.insert("slug".to_owned(), slug.into());
    body.entry("name").or_insert_with(|| slug.into());
    body.entry("enable").or_insert(Value::Bool(true));
    let made = desk.create_custom_provider(&body.into()).map_err(|problem| told(problem, slug))?;
    show_one(desk, &made, json)
}

fn list(desk: &Desk, json: bool) -> anyhow::Result<()> {
    let account = desk.account()?;
    let all = desk.custom_providers()?;
    if json {
        return show::json(&all.iter().map(|provider| shown(provider, &account)).collect());
    }
    let rows: Vec<[String; 5]> = all.iter().map(|provider| row(provider)).collect();
    show::table(["PROVIDER", "NAME", "ENABLED", "BASE URL", "ID"], &rows)
}

fn row(provider: &CustomProvider) -> [String; 5] {
    let enabled = if provider.enable { "yes" } else { "no" }.to_owned();
    [provider.segment(), provider.name.clone(), enabled, provider.base_url.clone(), provider.id.clone()]
}

fn show_one(desk: &Desk, provider: &CustomProvider, json: bool) -> anyhow::Result<()> {
    let shown = shown(provider, &desk.account()?);
    if json { show::json(&shown) } else { show::pretty(&shown) }
}

fn find(desk: &Desk, named: &str) -> anyhow::Result<Arc<CustomProvider>> {
    let slug = named.strip_prefix(PREFIX).unwrap_or(named);
    let all = desk.custom_providers()?;
    let by_slug = |slug: &str| all.iter().find(|provider| provider.slug.eq_ignore_ascii_case(slug));
    let found = by_slug(named).or_else(|| by_slug(slug)).or_else(|| all.iter().find(|provider| provider.id == named));
    found
        .cloned()
        .with_context(|| format!("no custom provider {named:?}; `tollgate provider custom list` shows those there are"))
}

/// Headers are bound to where they were meant to go.
#[allow(clippy::print_stderr)]
fn tell_lost_headers(before: &CustomProvider, after: &CustomProvider) {
    if !before.headers.is_empty() && after.headers.is_empty() {
        eprintln!(
            "warning: its headers are gone: they were meant for {}; give them anew with --headers",
            before.base_url
        );
    }
}

fn forget(data_dir: &Path, desk: &Desk, provider: &CustomProvider) -> anyhow::Result<()> {
    cache::purge_provider_unless_served(data_dir, desk, &provider.segment())
}

fn told(problem: DeskError, slug: &str) -> anyhow::Error {
    match problem {
        DeskError::Exists(_) => anyhow::anyhow!(
            "a custom provider of that slug already exists; change it with `tollgate provider custom edit {slug}`, or choose another"
        ),
        DeskError::Missing(_) => {
            anyhow::anyhow!("no custom provider {slug:?}; `tollgate provider custom list` shows those there are")
        }
        other => other.into(),
    }
}

// === impl Members ===

impl Members {
    /// What was said, as the REST API would hear it.
    fn body(&self) -> anyhow::Result<Map<String, Value>> {
        let headers = self.headers.as_deref().map(read_headers).transpose()?;
        let said = [
            ("base_url", self.base_url.clone().map(Value::from)),
            ("name", self.name.clone().map(Value::from)),
            ("description", self.description.clone().map(Value::from)),
            ("link", self.link.clone().map(Value::from)),
            ("enable", self.enable.map(Value::from)),
            ("beta", self.beta.map(Value::from)),
            ("position", self.position.map(Value::from)),
            ("headers", headers.map(Value::from)),
        ];
        Ok(said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }
}

fn read_headers(file: &Path) -> anyhow::Result<String> {
    let text =
        if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    text.with_context(|| format!("cannot read the headers from {}", file.display()))
}
