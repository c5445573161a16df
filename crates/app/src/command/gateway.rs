//! `tollgate gateway ...`
//!
//! Enters: arguments. Leaves: changed documents, shown. Never: validates a setting: the desk does, in the same words as over HTTP.

use std::path::Path;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tollgate_control::DeskError;
use tollgate_control::desk::Desk;
use tollgate_control::gateway::object;
use tollgate_model as model;

use super::{cache, open_desk, show};

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate gateway create my-app --cache-ttl 300
  tollgate gateway create public-app --authentication true --rate-limit 100 --rate-interval 60
  tollgate gateway update my-app --cache-ttl 0
  tollgate gateway show my-app
  tollgate gateway list --json")]
pub(crate) enum Gateway {
    /// Make a gateway: a path segment with its own settings, cache and log
    Create(Create),
    /// Change some settings of a gateway; the others stay
    Update(Update),
    /// All gateways, the newest first
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Every setting of a gateway
    Show {
        id: String,
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a gateway; its log can no longer be seen
    Delete {
        id: String,
        /// The deleted gateway as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// Lower-case letters, digits, hyphens and underscores; part of every URL
    id: String,
    #[command(flatten)]
    settings: Settings,
    /// The new gateway as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Update {
    id: String,
    #[command(flatten)]
    settings: Settings,
    /// The changed gateway as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug, Default)]
struct Settings {
    /// Require a token with the run permission [default of a new gateway: false]
    #[arg(long, value_name = "BOOL")]
    authentication: Option<bool>,
    /// Cache answers for this many seconds; 0 is off
    #[arg(long, value_name = "SECONDS")]
    cache_ttl: Option<u64>,
    /// Write a log record for each request [default of a new gateway: true]
    #[arg(long, value_name = "BOOL")]
    collect_logs: Option<bool>,
    /// At most this many requests in an interval; 0 is no limit
    #[arg(long, value_name = "REQUESTS")]
    rate_limit: Option<u64>,
    /// The interval of the rate limit
    #[arg(long, value_name = "SECONDS")]
    rate_interval: Option<u64>,
    /// Windows aligned to the clock, or sliding
    #[arg(long)]
    technique: Option<Technique>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Technique {
    Fixed,
    Sliding,
}

impl Gateway {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        let desk = open_desk(data_dir)?;
        match self {
            Self::Create(create) => make(&desk, &create),
            Self::Update(update) => change(data_dir, &desk, &update),
            Self::List { json } => list(&desk, json),
            Self::Show { id, json } => show_one(&desk, &found(&desk, &id)?, json),
            Self::Delete { id, json } => delete(data_dir, &desk, &id, json),
        }
    }
}

fn make(desk: &Desk, create: &Create) -> anyhow::Result<()> {
    let settings = &create.settings;
    anyhow::ensure!(
        settings.rate_limit.unwrap_or_default() == 0 || settings.rate_interval.unwrap_or_default() > 0,
        "a rate limit needs an interval: add --rate-interval 60 for so many requests a minute"
    );
    let mut body = json!({
        "id": create.id, "cache_invalidate_on_update": true, "cache_ttl": 0, "collect_logs": true,
        "rate_limiting_interval": 0, "rate_limiting_limit": 0
    });
    settings.write(&mut body);
    let made = desk.create_gateway(&body).map_err(|problem| explain(problem, &create.id))?;
    show_one(desk, &made, create.json)
}

fn change(data_dir: &Path, desk: &Desk, update: &Update) -> anyhow::Result<()> {
    let mut body = object(&found(desk, &update.id)?, "", &|text| desk.names_secret(text));
    update.settings.write(&mut body);
    let changed = desk.update_gateway(&update.id, &body).map_err(|problem| explain(problem, &update.id))?;
    if changed.cache_invalidate_on_update {
        cache::purge_unless_served(data_dir, desk, &changed.id)?;
    }
    show_one(desk, &changed, update.json)
}

fn delete(data_dir: &Path, desk: &Desk, id: &str, json: bool) -> anyhow::Result<()> {
    let gone = desk.delete_gateway(id).map_err(|problem| explain(problem, id))?;
    cache::purge_unless_served(data_dir, desk, id)?;
    if json { show_one(desk, &gone, true) } else { show::text(&format!("deleted gateway {id}\n")) }
}

fn list(desk: &Desk, json: bool) -> anyhow::Result<()> {
    let account = desk.account()?;
    let all = desk.gateways()?;
    if json {
        return show::json(
            &all.iter().map(|gateway| object(gateway, &account, &|text| desk.names_secret(text))).collect(),
        );
    }
    let rows: Vec<[String; 6]> = all.iter().map(row).collect();
    show::table(["ID", "AUTHENTICATION", "LOGS", "CACHE", "RATE LIMIT", "CREATED"], &rows)
}

fn row(gateway: &model::Gateway) -> [String; 6] {
    let on = |on: bool| if on { "on" } else { "off" }.to_owned();
    let positive = |number: Option<u64>| number.filter(|number| *number > 0);
    let cache = positive(gateway.cache_ttl).map_or_else(|| "off".to_owned(), |ttl| format!("{ttl} s"));
    let limit = positive(gateway.rate_limiting_limit).zip(positive(gateway.rate_limiting_interval));
    let limit = limit.map_or_else(|| "none".to_owned(), |(limit, interval)| format!("{limit} in {interval} s"));
    let created = tollgate_control::time::text(gateway.created_at);
    [gateway.id.clone(), on(gateway.authentication), on(gateway.collect_logs), cache, limit, created]
}

fn show_one(desk: &Desk, gateway: &model::Gateway, json: bool) -> anyhow::Result<()> {
    let shown = object(gateway, &desk.account()?, &|text| desk.names_secret(text));
    if json { show::json(&shown) } else { show::pretty(&shown) }
}

fn found(desk: &Desk, id: &str) -> anyhow::Result<model::Gateway> {
    desk.gateway(id)?.with_context(|| format!("no gateway {id:?}; `tollgate gateway list` shows those there are"))
}

fn explain(problem: DeskError, id: &str) -> anyhow::Error {
    match problem {
        DeskError::Exists(_) => {
            anyhow::anyhow!(
                "a gateway {id:?} already exists; change it with `tollgate gateway update {id}`, or choose another id"
            )
        }
        DeskError::Missing(_) => anyhow::anyhow!("no gateway {id:?}; `tollgate gateway list` shows those there are"),
        other => other.into(),
    }
}

// === impl Settings ===

impl Settings {
    /// Over what the body says.
    fn write(&self, body: &mut Value) {
        let technique = self.technique.map(|technique| match technique {
            Technique::Fixed => "fixed",
            Technique::Sliding => "sliding",
        });
        let said = [
            ("authentication", self.authentication.map(Value::from)),
            ("cache_ttl", self.cache_ttl.map(Value::from)),
            ("collect_logs", self.collect_logs.map(Value::from)),
            ("rate_limiting_limit", self.rate_limit.map(Value::from)),
            ("rate_limiting_interval", self.rate_interval.map(Value::from)),
            ("rate_limiting_technique", technique.map(Value::from)),
        ];
        for (name, value) in said {
            if let Some(value) = value {
                body[name] = value;
            }
        }
    }
}
