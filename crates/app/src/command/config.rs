//! `tollgate export`, `plan`, `apply`, `rollback`: the configuration as one file.
//!
//! Enters: a file, and where it is to be applied: a data directory or a server. Leaves: TOML, a plan in words or as JSON. Never: applies a part of a file.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use tollgate_control::config::{self, ConfigError, FILE_BYTES_MAX, Manner, REQUESTS_DEFAULT};
use tollgate_control::desk::Desk;
use tollgate_control::time;
use tollgate_store::embedded::FileEntries;

use super::remote::{Remote, Said};
use super::{log, open_desk_with_vault, show};
use crate::place::ENTRIES_FILE;
use crate::settings::Settings;

/// Where the configuration is.
pub(crate) enum At {
    Here(Box<Settings>),
    There(Remote),
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tollgate export > tollgate-config.toml
  tollgate export --url https://gateway.example.com > tollgate-config.toml")]
pub(crate) struct Export {}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tollgate plan tollgate-config.toml
  tollgate plan tollgate-config.toml --prune --last 1000 --json")]
pub(crate) struct Plan {
    /// TOML as `tollgate export` writes it; - reads standard input
    file: PathBuf,
    /// Also what is there and the file does not name: it would go
    #[arg(long)]
    prune: bool,
    /// Logged requests that are decided again with the new routes and limits
    #[arg(long, value_name = "COUNT", default_value_t = REQUESTS_DEFAULT, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    last: u32,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tollgate apply tollgate-config.toml
  tollgate apply tollgate-config.toml --prune --expected 42
  cat *.toml | tollgate apply -")]
pub(crate) struct Apply {
    /// TOML as `tollgate export` writes it; - reads standard input
    file: PathBuf,
    /// Remove what is there and the file does not name
    #[arg(long)]
    prune: bool,
    /// Only if nothing changed since this moment, which `tollgate plan --json` tells as `at`
    #[arg(long, value_name = "MOMENT")]
    expected: Option<u64>,
    /// What was done as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tollgate rollback              to the state before the last apply
  tollgate rollback --list       the states there are
  tollgate rollback --to 3f0c52e1")]
pub(crate) struct Rollback {
    /// Id of a state
    #[arg(long, value_name = "ID", conflicts_with = "list")]
    to: Option<String>,
    /// Show the states, the newest first, and change nothing
    #[arg(long)]
    list: bool,
    /// JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tollgate reload                                     the server of this machine, where the settings say it listens
  tollgate reload --url https://gateway.example.com

The same as kill -HUP, but it tells what was wrong. TOLLGATE_TOKEN holds a token with the permission admin.")]
pub(crate) struct Reload {}

impl Reload {
    pub(crate) fn run(&self, remote: &Remote) -> anyhow::Result<()> {
        let said = remote.post("config/reload", &json!({}))?.result().map_err(|said| {
            let errors = said.errors();
            match said.is_invalid() {
                true => {
                    let lines = errors.iter().filter_map(|error| error["message"].as_str());
                    anyhow::anyhow!("the old settings stay in force\n{}", lines.collect::<Vec<_>>().join("\n"))
                }
                false => said.into_error(""),
            }
        })?;
        show::text(&format!("{}\n", said["words"].as_str().unwrap_or_default()))
    }
}

impl Export {
    pub(crate) fn run(&self, at: &At) -> anyhow::Result<()> {
        match at {
            At::Here(settings) => show::text(&config::export(&open(settings)?)?),
            At::There(remote) => show::text(&remote.text("config/export")?),
        }
    }
}

impl Plan {
    pub(crate) fn run(&self, at: &At) -> anyhow::Result<()> {
        let text = read(&self.file)?;
        let said = match at {
            At::Here(settings) => {
                let manner = Manner { prune: self.prune, expected: None };
                let records = log::open(&settings.data_dir)?;
                let planned = config::plan(&open(settings)?, &*records, &text, manner, self.last);
                planned.map(|plan| plan.said()).map_err(|error| told(error, &self.file))?
            }
            At::There(remote) => {
                let body = json!({ "text": text, "prune": self.prune, "last": self.last });
                remote.post("config/plan", &body)?.result().map_err(|said| wrong_there(&said, &self.file))?
            }
        };
        shown(said, self.json)
    }
}

impl Apply {
    pub(crate) fn run(&self, at: &At) -> anyhow::Result<()> {
        let text = read(&self.file)?;
        let said = match at {
            At::Here(settings) => {
                let manner = Manner { prune: self.prune, expected: self.expected };
                let applied = config::apply(&open(settings)?, &open_entries(&settings.data_dir)?, &text, manner);
                applied.map(|plan| plan.said()).map_err(|error| told(error, &self.file))?
            }
            At::There(remote) => {
                let body = json!({ "text": text, "prune": self.prune, "expected": self.expected });
                remote.post("config/apply", &body)?.result().map_err(|said| wrong_there(&said, &self.file))?
            }
        };
        shown(said, self.json)
    }
}

impl Rollback {
    pub(crate) fn run(&self, at: &At) -> anyhow::Result<()> {
        if self.list {
            return self.list(at);
        }
        let failed = |error: ConfigError| match error {
            ConfigError::NoState(_) => anyhow::anyhow!("{error}; `tollgate rollback --list` shows those there are"),
            error => error.into(),
        };
        let said = match at {
            At::Here(settings) => {
                let rolled = config::rollback(&open(settings)?, &open_entries(&settings.data_dir)?, self.to.as_deref());
                rolled.map_err(failed)?.1.said()
            }
            At::There(remote) => {
                let said = remote.post("config/rollback", &json!({ "to": self.to }))?;
                said.result().map_err(|said| {
                    said.into_error("no such state? `tollgate rollback --list` shows those there are")
                })?
            }
        };
        shown(said, self.json)
    }

    fn list(&self, at: &At) -> anyhow::Result<()> {
        let states: Vec<Value> = match at {
            At::Here(settings) => config::states::all(&open_entries(&settings.data_dir)?)?.iter().map(state).collect(),
            At::There(remote) => {
                let said = remote.get("config/states")?.result().map_err(|said| said.into_error(""))?;
                said.as_array().cloned().unwrap_or_default()
            }
        };
        if self.json {
            return show::json(&Value::Array(states));
        }
        let cell =
            |state: &Value, name: &str| state[name].as_str().map_or_else(|| state[name].to_string(), str::to_owned);
        let row = |state: &Value| ["id", "until", "added", "changed", "removed"].map(|name| cell(state, name));
        let rows: Vec<[String; 5]> = states.iter().map(row).collect();
        show::table(["ID", "UNTIL", "THEN ADDED", "CHANGED", "REMOVED"], &rows)
    }
}

fn state(state: &config::State) -> Value {
    let [added, changed, removed] = state.changes;
    json!({ "id": state.id, "until": time::text(state.until_ms), "added": added, "changed": changed, "removed": removed })
}

fn shown(mut said: Value, json: bool) -> anyhow::Result<()> {
    match json {
        true => show::json(&said),
        false => show::text(said["words"].take().as_str().unwrap_or_default()),
    }
}

/// A fault a line, each with the place where an editor finds it.
fn told(error: ConfigError, file: &Path) -> anyhow::Error {
    match error {
        ConfigError::Wrong(wrong) => {
            let lines: Vec<String> = wrong.iter().map(|wrong| format!("{}:{wrong}", file.display())).collect();
            anyhow::anyhow!("nothing was changed\n{}", lines.join("\n"))
        }
        other => other.into(),
    }
}

fn wrong_there(said: &Said, file: &Path) -> anyhow::Error {
    let errors = said.errors();
    let place = |error: &Value| Some((error["line"].as_u64()?, error["column"].as_u64()?));
    let line = |error: &Value| match place(error) {
        Some((line, column)) => {
            let (at, what) = (error["at"].as_str().unwrap_or_default(), error["message"].as_str().unwrap_or_default());
            format!("{}:{line}:{column}: {at}: {what}", file.display())
        }
        None => error["message"].as_str().unwrap_or_default().to_owned(),
    };
    anyhow::anyhow!("nothing was changed\n{}", errors.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// Where a file is the only truth, the command line changes nothing either.
fn open(settings: &Settings) -> anyhow::Result<Desk> {
    let desk = open_desk_with_vault(settings)?;
    if let Some(file) = &settings.config_file {
        desk.follow_file(file);
    }
    Ok(desk)
}

fn open_entries(dir: &Path) -> anyhow::Result<FileEntries> {
    FileEntries::open(&dir.join(ENTRIES_FILE)).context("cannot open the earlier states; is --data-dir right?")
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let bound = FILE_BYTES_MAX as u64 + 1;
    let read = match file == Path::new("-") {
        true => std::io::stdin().take(bound).read_to_string(&mut text),
        false => std::fs::File::open(file).and_then(|open| open.take(bound).read_to_string(&mut text)),
    };
    read.with_context(|| format!("cannot read {}", file.display()))?;
    anyhow::ensure!(text.len() <= FILE_BYTES_MAX, "{} is longer than {} MiB", file.display(), FILE_BYTES_MAX >> 20);
    Ok(text)
}

/// For an apply of ten thousand routes on a slow disk.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
