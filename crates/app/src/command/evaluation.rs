//! `tollgate evaluation ...`
//!
//! Enters: arguments. Leaves: evaluations with their results. Never: needs a server: what it begins it does itself, and what a server has queued it finishes
//! as well.

use std::path::Path;

use anyhow::Context;
use clap::Subcommand;
use serde_json::{Value, json};
use tollgate_control::desk::Desk;
use tollgate_control::evaluation::{Book, KINDS, object, run_queued, wanted};
use tollgate_model::evaluation::State;
use tollgate_model::{Evaluation, Gateway};
use tollgate_store::embedded::FileEntries;

use super::dataset::{Place, find as find_dataset};
use super::{log, open_desk, show};
use crate::place::ENTRIES_FILE;

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate evaluation create weekly --dataset dear --dataset prod
  tollgate evaluation create cheap --dataset prod --type cost --json
  tollgate evaluation list
  tollgate evaluation show weekly")]
pub(crate) enum Evaluations {
    /// The evaluators there are
    Types {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// The evaluations of a gateway, the newest first
    List {
        #[command(flatten)]
        place: Place,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// An evaluation with its results
    Show {
        /// Name or id
        evaluation: String,
        #[command(flatten)]
        place: Place,
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Evaluate the records that belong to datasets now, and wait for the results
    Create {
        name: String,
        /// Name or id of a dataset; may be given more than once
        #[arg(long = "dataset", required = true)]
        datasets: Vec<String>,
        /// Evaluator, as `evaluation types` shows them; may be given more than once [default: all]
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
        #[command(flatten)]
        place: Place,
        /// The evaluation as JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete an evaluation
    Delete {
        /// Name or id
        evaluation: String,
        #[command(flatten)]
        place: Place,
    },
}

impl Evaluations {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        if let Self::Types { json } = self {
            return types(json);
        }
        let desk = open_desk(data_dir)?;
        let entries = FileEntries::open(&data_dir.join(ENTRIES_FILE)).context("cannot open the entries")?;
        let book = Book(&entries);
        match self {
            Self::Types { .. } => Ok(()),
            Self::List { place, json } => list(&desk, &book, &place.find(&desk)?, json),
            Self::Show { evaluation, place, json } => {
                said(&desk, &find(&book, &place.find(&desk)?, &evaluation)?, json)
            }
            Self::Create { name, datasets, types, place, json } => {
                let gateway = place.find(&desk)?;
                let body = body(&desk, &gateway, &name, &datasets, &types)?;
                let there = book.all(&gateway)?;
                anyhow::ensure!(there.iter().all(|each| each.name != name), "an evaluation {name:?} already exists");
                let made = wanted(&desk, &gateway, &body)?;
                let records = log::open(data_dir)?;
                book.add(&made)?;
                run_queued(&entries, &*records, &|| desk.now_ms())?;
                said(&desk, &find(&book, &gateway, &made.id)?, json)
            }
            Self::Delete { evaluation, place } => {
                let gateway = place.find(&desk)?;
                let gone = find(&book, &gateway, &evaluation)?;
                book.delete(&gateway, &gone.id)?;
                show::text(&format!("deleted evaluation {} ({})\n", gone.id, gone.name))
            }
        }
    }
}

fn types(json: bool) -> anyhow::Result<()> {
    if json {
        let kind = |kind: &tollgate_control::evaluation::Kind| json!({ "id": kind.id, "type": kind.kind, "name": kind.name, "description": kind.description });
        return show::json(&KINDS.iter().map(kind).collect());
    }
    let rows: Vec<[String; 3]> =
        KINDS.iter().map(|kind| [kind.kind, kind.id, kind.description].map(str::to_owned)).collect();
    show::table(["TYPE", "ID", "DESCRIPTION"], &rows)
}

fn body(desk: &Desk, gateway: &Gateway, name: &str, datasets: &[String], types: &[String]) -> anyhow::Result<Value> {
    let ids = datasets.iter().map(|name| Ok(find_dataset(desk, gateway, name)?.id));
    let ids = ids.collect::<anyhow::Result<Vec<_>>>()?;
    let chosen = |name: &String| {
        let kind = KINDS.iter().find(|kind| kind.kind == name || kind.id == name);
        kind.map(|kind| kind.id)
            .with_context(|| format!("no evaluator {name:?}; `tollgate evaluation types` shows them"))
    };
    let types = match types {
        [] => KINDS.iter().map(|kind| kind.id).collect(),
        names => names.iter().map(chosen).collect::<anyhow::Result<Vec<_>>>()?,
    };
    Ok(json!({ "name": name, "dataset_ids": ids, "evaluation_type_ids": types }))
}

/// By its id, else by its name.
fn find(book: &Book<'_>, gateway: &Gateway, name: &str) -> anyhow::Result<Evaluation> {
    let mut all = book.all(gateway)?;
    let place = all.iter().position(|evaluation| evaluation.id == name);
    let place = place.or_else(|| all.iter().position(|evaluation| evaluation.name == name));
    let found = place.map(|at| all.swap_remove(at));
    found.with_context(|| format!("no evaluation {name:?}; `tollgate evaluation list` shows those there are"))
}

fn list(desk: &Desk, book: &Book<'_>, gateway: &Gateway, json: bool) -> anyhow::Result<()> {
    let (account, all) = (desk.account()?, book.all(gateway)?);
    if json {
        return show::json(&all.iter().map(|evaluation| object(evaluation, &account)).collect());
    }
    let row = |evaluation: &Evaluation| {
        let state = if evaluation.processed() { "processed" } else { "in progress" };
        [evaluation.id.clone(), evaluation.name.clone(), state.to_owned(), evaluation.total_logs.to_string()]
    };
    show::table(["ID", "NAME", "STATE", "LOGS"], &all.iter().map(row).collect::<Vec<_>>())
}

fn said(desk: &Desk, evaluation: &Evaluation, json: bool) -> anyhow::Result<()> {
    if json {
        return show::json(&object(evaluation, &desk.account()?));
    }
    let row = |finding: &tollgate_model::evaluation::Finding| {
        let kind = KINDS.iter().find(|kind| kind.id == finding.evaluation_type_id);
        let result = match finding.state {
            State::Done => finding.result.clone(),
            State::Failed => finding.why.clone().unwrap_or_default(),
            State::Pending | State::Running => "in progress".to_owned(),
        };
        [kind.map_or("", |kind| kind.kind).to_owned(), result, finding.total_logs.to_string()]
    };
    show::text(&format!("{} ({}), {} logs\n", evaluation.name, evaluation.id, evaluation.total_logs))?;
    show::table(["TYPE", "RESULT", "LOGS"], &evaluation.results.iter().map(row).collect::<Vec<_>>())
}
