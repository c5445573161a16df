//! `tollgate route ...`
//!
//! Enters: arguments, files of elements. Leaves: routes, shown, changed or explained. Never: checks an element: the desk does, in the same words as
//! over HTTP.

mod explain;

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tollgate_control::DeskError;
use tollgate_control::desk::{Desk, Saved};
use tollgate_control::route::{full, one_version};
use tollgate_model::gateway::DEFAULT_ID;
use tollgate_model::{Gateway, RouteDocument};

use super::{open_desk, show};

use explain::Explain;

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate route create support --elements support.json
  tollgate route deploy support --elements support-2.json
  tollgate route deploy support --version 3f0c1c52-7d0e-4c55-9a53-0b9f1a3c2d11
  tollgate route explain support --metadata '{\"plan\":\"free\"}'
  tollgate route explain --elements support.json --last 500
  tollgate route list --gateway my-app --json")]
pub(crate) enum Route {
    /// The dynamic routes of a gateway, the newest first
    List {
        #[command(flatten)]
        place: Place,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// A route as it is deployed, or one of its versions
    Get {
        /// Name or id
        route: String,
        #[arg(long, value_name = "ID")]
        version: Option<String>,
        #[command(flatten)]
        place: Place,
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a route; callers ask for the model dynamic/NAME
    Create {
        name: String,
        #[command(flatten)]
        elements: Elements,
        #[command(flatten)]
        place: Place,
        /// The new route as JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a version in force: a new one from a file, or an older one
    Deploy(Deploy),
    /// What would be chosen for a request, or for logged ones, and why
    Explain(Explain),
}

#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The gateway that the route belongs to
    #[arg(long, default_value = DEFAULT_ID)]
    gateway: String,
}

#[derive(Args, Debug)]
pub(crate) struct Elements {
    /// JSON file with the list of elements, or an object that has it as `elements`; - reads standard input
    #[arg(long, value_name = "FILE")]
    elements: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Deploy {
    /// Name or id
    route: String,
    /// JSON file with the elements of a new version; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "version", required_unless_present = "version")]
    elements: Option<PathBuf>,
    /// A version that is there already
    #[arg(long, value_name = "ID")]
    version: Option<String>,
    #[command(flatten)]
    place: Place,
    /// The deployed route as JSON
    #[arg(long)]
    json: bool,
}

impl Route {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        let desk = open_desk(data_dir)?;
        match self {
            Self::List { place, json } => list(&desk, &place.find(&desk)?, json),
            Self::Get { route, version, place, json } => {
                get(&desk, &place.find(&desk)?, &route, version.as_deref(), json)
            }
            Self::Create { name, elements, place, json } => {
                let gateway = place.find(&desk)?;
                let body = json!({ "name": name, "elements": read(&elements.elements)? });
                let saved = desk.create_route(&gateway, &body).map_err(|problem| told(problem, &name, &gateway.id))?;
                saw(&desk, &saved, json)
            }
            Self::Deploy(deploy) => deploy.run(&desk),
            Self::Explain(explain) => explain.run(&desk, data_dir),
        }
    }
}

fn list(desk: &Desk, gateway: &Gateway, json: bool) -> anyhow::Result<()> {
    let account = desk.account()?;
    let all = desk.routes(gateway)?;
    if json {
        return show::json(&all.iter().map(|route| full(route, &account)).collect());
    }
    let rows: Vec<[String; 5]> = all.iter().map(row).collect();
    show::table(["MODEL", "ID", "VERSION", "VERSIONS", "DEPLOYED"], &rows)
}

fn row(route: &RouteDocument) -> [String; 5] {
    let deployment = route.deployment();
    let version = deployment.map(|deployment| deployment.version_id.clone()).unwrap_or_default();
    let at = deployment.map(|deployment| tollgate_control::time::text(deployment.created_at)).unwrap_or_default();
    [format!("dynamic/{}", route.name), route.id.clone(), version, route.versions.len().to_string(), at]
}

fn get(desk: &Desk, gateway: &Gateway, name: &str, version: Option<&str>, json: bool) -> anyhow::Result<()> {
    let route = desk.route(gateway, name).map_err(|problem| told(problem, name, &gateway.id))?;
    let shown = match version {
        None => full(&route, &desk.account()?),
        Some(id) => {
            let version = route.version(id);
            one_version(&route, version.with_context(|| format!("route {name:?} has no version {id:?}"))?)
        }
    };
    if json { show::json(&shown) } else { show::pretty(&shown) }
}

impl Deploy {
    fn run(&self, desk: &Desk) -> anyhow::Result<()> {
        let gateway = self.place.find(desk)?;
        let failed = |problem| told(problem, &self.route, &gateway.id);
        let version = match &self.elements {
            Some(file) => {
                let body = json!({ "elements": read(file)? });
                desk.add_version(&gateway, &self.route, &body).map_err(failed)?.version_id
            }
            None => self.version.clone().unwrap_or_default(),
        };
        let saved = desk.deploy(&gateway, &self.route, &version).map_err(failed)?;
        saw(desk, &saved, self.json)
    }
}

/// Warnings go where they do not disturb a program that reads the result.
#[allow(clippy::print_stderr)]
fn saw(desk: &Desk, saved: &Saved, json: bool) -> anyhow::Result<()> {
    for warning in &saved.warnings {
        eprintln!("warning: {warning}");
    }
    if json {
        return show::json(&full(&saved.route, &desk.account()?));
    }
    let (name, gateway) = (&saved.route.name, &saved.route.gateway);
    show::text(&format!("deployed version {} of dynamic/{name} on gateway {gateway}\n", saved.version_id))
}

impl Place {
    fn find(&self, desk: &Desk) -> anyhow::Result<Gateway> {
        let id = &self.gateway;
        desk.gateway(id)?.with_context(|| format!("no gateway {id:?}; `tollgate gateway list` shows those there are"))
    }
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let text = match file == Path::new("-") {
        true => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        false => std::fs::read_to_string(file),
    };
    let text = text.with_context(|| format!("cannot read the elements from {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))
}

fn told(problem: DeskError, name: &str, gateway: &str) -> anyhow::Error {
    match problem {
        DeskError::Exists(_) => anyhow::anyhow!(
            "gateway {gateway} has a route {name:?} already; put another version in force with `tollgate route deploy {name} --elements FILE`"
        ),
        DeskError::Missing(what) => anyhow::anyhow!(
            "no {what} of that name or id: {name:?}; `tollgate route list --gateway {gateway}` shows those there are"
        ),
        DeskError::Faults(faults) => {
            let lines: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
            anyhow::anyhow!("the route would not serve:\n{}", lines.join("\n"))
        }
        other => other.into(),
    }
}
