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
use tollgate_model::gateway::DEFAULT_ID;

use super::reach::Reach;
use super::show;

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
    /// Put a version in force: a new one from a file, or an older one
    #[command(after_help = "Example:\n  tollgate route deploy support --elements support.json")]
    Deploy(Deploy),
    /// What would be chosen for a request, or for logged ones, and why
    #[command(after_help = "Example:\n  tollgate route explain support --metadata '{\"plan\":\"free\"}'")]
    Explain(Explain),
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
    /// The gateway that the route belongs to
    #[arg(long, default_value = DEFAULT_ID)]
    gateway: String,
    /// The deployed route as JSON
    #[arg(long)]
    json: bool,
}

impl Route {
    pub(crate) fn run(self, reach: &Reach) -> anyhow::Result<()> {
        match self {
            Self::Deploy(deploy) => deploy.run(reach),
            Self::Explain(explain) => explain.run(reach),
        }
    }
}

impl Deploy {
    fn run(&self, reach: &Reach) -> anyhow::Result<()> {
        let path = [("gateway", self.gateway.as_str()), ("route", self.route.as_str())];
        let version = match &self.elements {
            Some(file) => {
                let body = json!({ "elements": read(file)? });
                let made = reach.result("aig-config-post-gateway-dynamic-route-version", &path, &[], Some(&body))?;
                made["version_id"].as_str().unwrap_or_default().to_owned()
            }
            None => self.version.clone().unwrap_or_default(),
        };
        let body = json!({ "version_id": version });
        reach.result("aig-config-post-gateway-dynamic-route-deployment", &path, &[], Some(&body))?;
        let route = reach.result("aig-config-get-gateway-dynamic-route", &path, &[], None)?;
        if self.json {
            return show::json(&route);
        }
        let name = route["name"].as_str().unwrap_or_default();
        show::text(&format!("deployed version {version} of dynamic/{name} on gateway {}\n", self.gateway))
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
