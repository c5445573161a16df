//! `tollgate evaluation create`: datasets and evaluators by their names, and the results when they are there.
//!
//! Enters: names. Leaves: an evaluation with its results. Never: waits for ever.

use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use serde_json::{Value, json};
use tollgate_model::gateway::DEFAULT_ID;

use super::nouns::show_one;
use super::reach::Reach;
use super::show;

const PAUSE: Duration = Duration::from_millis(100);
/// Ten minutes.
const LOOKS_MAX: u32 = 6_000;

#[derive(Subcommand, Debug)]
pub(crate) enum Evaluations {
    /// Evaluate the records that belong to datasets now, and wait for the results
    #[command(after_help = "Example:\n  tollgate evaluation create weekly --dataset prod --type cost")]
    Create {
        name: String,
        /// Name or id of a dataset; may be given more than once
        #[arg(long = "dataset", required = true)]
        datasets: Vec<String>,
        /// Evaluator, as `evaluation types` shows them; may be given more than once [default: all]
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
        /// The gateway whose log it is
        #[arg(long, default_value = DEFAULT_ID)]
        gateway: String,
        /// The evaluation as JSON
        #[arg(long)]
        json: bool,
    },
}

impl Evaluations {
    pub(crate) fn run(self, reach: &Reach) -> anyhow::Result<()> {
        let Self::Create { name, datasets, types, gateway, json } = self;
        let path = [("gateway", gateway.as_str())];
        let there = reach.result("aig-config-list-dataset", &path, &[("per_page", "100")], None)?;
        let kinds = reach.result("aig-config-list-evaluators", &[], &[("per_page", "100")], None)?;
        let dataset_ids = ids(&there, &datasets, "name", "dataset list")?;
        let kind_ids = match types.as_slice() {
            [] => kinds.as_array().into_iter().flatten().map(|kind| kind["id"].clone()).collect(),
            names => ids(&kinds, names, "type", "evaluation types")?,
        };
        let body = json!({ "name": name, "dataset_ids": dataset_ids, "evaluation_type_ids": kind_ids });
        let made = reach.result("aig-config-create-evaluations", &path, &[], Some(&body))?;
        let done = wait(reach, &gateway, made)?;
        if json { show::json(&done) } else { show_one(&done) }
    }
}

/// Of what is named, by id or by another member.
fn ids(there: &Value, names: &[String], by: &str, list: &str) -> anyhow::Result<Vec<Value>> {
    let there = there.as_array().map_or(&[][..], Vec::as_slice);
    let id = |name: &String| {
        let found = there
            .iter()
            .find(|each| each["id"] == name.as_str())
            .or_else(|| there.iter().find(|each| each[by] == name.as_str()));
        found
            .map(|each| each["id"].clone())
            .with_context(|| format!("no {name:?}; `tollgate {list}` shows those there are"))
    };
    names.iter().map(id).collect()
}

fn wait(reach: &Reach, gateway: &str, made: Value) -> anyhow::Result<Value> {
    let id = made["id"].as_str().unwrap_or_default();
    let mut now = made.clone();
    for _ in 0..LOOKS_MAX {
        if now["processed"] == true {
            return Ok(now);
        }
        std::thread::sleep(PAUSE);
        now = reach.result("aig-config-fetch-evaluations", &[("gateway", gateway), ("evaluation", id)], &[], None)?;
    }
    Ok(now)
}
