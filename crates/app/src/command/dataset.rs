//! `tollgate dataset ...`
//!
//! Enters: arguments. Leaves: datasets, shown, made or deleted. Never: checks a filter: the desk does, in the same words as over HTTP.

use std::path::Path;

use anyhow::Context;
use clap::Subcommand;
use serde_json::{Value, json};
use tollgate_control::dataset::{members, object};
use tollgate_control::desk::Desk;
use tollgate_model::gateway::DEFAULT_ID;
use tollgate_model::{Dataset, Gateway};
use tollgate_store::records::Page;

use super::{log, open_desk, show};

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate dataset create dear --filters '[{\"key\":\"cost\",\"operator\":\"gt\",\"value\":[0.05]}]'
  tollgate dataset list
  tollgate dataset show dear --json
  tollgate dataset delete dear")]
pub(crate) enum Datasets {
    /// The datasets of a gateway, the newest first
    List {
        #[command(flatten)]
        place: Place,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// A dataset, and how many records belong to it now
    Show {
        /// Name or id
        dataset: String,
        #[command(flatten)]
        place: Place,
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Save a filter under a name; what matches belongs to it, also what is logged later
    Create {
        name: String,
        /// JSON list of {key, operator, value}; all of them must hold
        #[arg(long, default_value = "[]", value_name = "JSON")]
        filters: String,
        #[command(flatten)]
        place: Place,
        /// The new dataset as JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a dataset; the records stay
    Delete {
        /// Name or id
        dataset: String,
        #[command(flatten)]
        place: Place,
        /// The deleted dataset as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args, Debug)]
pub(crate) struct Place {
    /// The gateway whose log it is
    #[arg(long, default_value = DEFAULT_ID)]
    gateway: String,
}

impl Datasets {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        let desk = open_desk(data_dir)?;
        match self {
            Self::List { place, json } => list(&desk, &place.find(&desk)?, json),
            Self::Show { dataset, place, json } => {
                let gateway = place.find(&desk)?;
                let dataset = find(&desk, &gateway, &dataset)?;
                let records = log::open(data_dir)?;
                let filter = members(&gateway.id, gateway.created_at, [&dataset]);
                let mut shown = object(&dataset, &desk.account()?);
                shown["total_logs"] = records.list(&filter, &Page::newest(0))?.total.into();
                said(&shown, json)
            }
            Self::Create { name, filters, place, json } => {
                let gateway = place.find(&desk)?;
                let filters: Value = serde_json::from_str(&filters).context("--filters is not JSON")?;
                let body = json!({ "name": name, "enable": true, "filters": filters });
                said(&object(&desk.create_dataset(&gateway, &body)?, &desk.account()?), json)
            }
            Self::Delete { dataset, place, json } => {
                let gateway = place.find(&desk)?;
                let gone = desk.delete_dataset(&gateway, &find(&desk, &gateway, &dataset)?.id)?;
                match json {
                    true => show::json(&object(&gone, &desk.account()?)),
                    false => show::text(&format!("deleted dataset {} ({})\n", gone.id, gone.name)),
                }
            }
        }
    }
}

// === impl Place ===

impl Place {
    pub(super) fn find(&self, desk: &Desk) -> anyhow::Result<Gateway> {
        let id = &self.gateway;
        desk.gateway(id)?.with_context(|| format!("no gateway {id:?}; `tollgate gateway list` shows those there are"))
    }
}

/// By its id, else by its name.
pub(super) fn find(desk: &Desk, gateway: &Gateway, name: &str) -> anyhow::Result<Dataset> {
    let mut all = desk.datasets(gateway)?;
    let place = all.iter().position(|dataset| dataset.id == name);
    let place = place.or_else(|| all.iter().position(|dataset| dataset.name == name));
    let found = place.map(|at| all.swap_remove(at));
    found.with_context(|| {
        format!("no dataset {name:?} in {:?}; `tollgate dataset list` shows those there are", gateway.id)
    })
}

fn list(desk: &Desk, gateway: &Gateway, json: bool) -> anyhow::Result<()> {
    let (account, all) = (desk.account()?, desk.datasets(gateway)?);
    if json {
        return show::json(&all.iter().map(|dataset| object(dataset, &account)).collect());
    }
    let row = |dataset: &Dataset| [dataset.id.clone(), dataset.name.clone(), dataset.filters.to_string()];
    show::table(["ID", "NAME", "FILTERS"], &all.iter().map(row).collect::<Vec<_>>())
}

fn said(shown: &Value, json: bool) -> anyhow::Result<()> {
    if json { show::json(shown) } else { show::pretty(shown) }
}
