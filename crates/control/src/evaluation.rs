//! Evaluations (control-plane specification, 5.2 and 5.3): what is asked for, what is shown, and who does the work.
//!
//! Enters: bodies of the REST API. Leaves: evaluations, kept as entries, with results once the work is done. Never: reads the log while a caller waits.

use serde_json::{Value, json};
use tollgate_model::evaluation::{Finding, State};
use tollgate_model::{Dataset, Evaluation, Gateway};

use crate::dataset;
use crate::desk::{Desk, DeskError};
use crate::shape::{Fault, Step, object_of};
use crate::time;

pub use self::book::Book;
pub use self::evaluators::{KINDS, Kind};
pub use self::run::run_queued;
pub use self::worker::Worker;

pub(crate) mod members;

mod book;
mod evaluators;
mod run;
mod worker;

pub const EVALUATION: &str = "evaluation";

/// A new evaluation from the body of a create. It is neither kept nor begun.
pub fn wanted(desk: &Desk, gateway: &Gateway, body: &Value) -> Result<Evaluation, DeskError> {
    let (mut faults, nothing) = (Vec::new(), serde_json::Map::new());
    let at = &mut vec![Step::from("body")];
    let read = object_of(members::NEW_MEMBERS, body.as_object().unwrap_or(&nothing), at, &mut faults);
    if !faults.is_empty() {
        return Err(DeskError::Faults(faults));
    }
    let there = desk.datasets(gateway)?;
    let dataset = |id: &str| there.iter().find(|dataset| dataset.id == id).cloned();
    let datasets = each(&read["dataset_ids"], "dataset_ids", dataset, &mut faults);
    let kinds = each(&read["evaluation_type_ids"], "evaluation_type_ids", evaluators::find, &mut faults);
    if !faults.is_empty() {
        return Err(DeskError::Faults(faults));
    }
    let name = read["name"].as_str().unwrap_or_default();
    made(desk, gateway, name, datasets, &kinds)
}

fn made(
    desk: &Desk,
    gateway: &Gateway,
    name: &str,
    datasets: Vec<Dataset>,
    kinds: &[&'static Kind],
) -> Result<Evaluation, DeskError> {
    let now_ms = desk.now_ms();
    let finding = |kind: &&'static Kind| {
        Ok::<_, DeskError>(Finding {
            id: desk.new_uuid()?,
            evaluation_type_id: kind.id.to_owned(),
            result: String::new(),
            state: State::Pending,
            why: None,
            total_logs: 0,
            created_at: now_ms,
            modified_at: now_ms,
        })
    };
    Ok(Evaluation {
        id: desk.new_uuid()?,
        gateway: gateway.id.clone(),
        gateway_internal_id: gateway.internal_id.clone(),
        name: name.to_owned(),
        datasets,
        results: kinds.iter().map(finding).collect::<Result<_, _>>()?,
        total_logs: 0,
        expected_logs: 0,
        logs_from_ms: gateway.created_at,
        created_at: now_ms,
        modified_at: now_ms,
    })
}

/// What the ids name, each once; and a fault for each that names nothing.
fn each<T>(ids: &Value, member: &str, find: impl Fn(&str) -> Option<T>, faults: &mut Vec<Fault>) -> Vec<T> {
    let ids: Vec<&str> = ids.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut found = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate().filter(|(index, id)| !ids[..*index].contains(id)) {
        match find(id) {
            Some(thing) => found.push(thing),
            None => {
                let mut fault = Fault::new(["body", member], format!("{id:?} was not found"));
                fault.path.push(Step::Index(index));
                faults.push(fault);
            }
        }
    }
    found
}

pub fn object(evaluation: &Evaluation, account: &str) -> Value {
    let processed = evaluation.processed();
    let mut shown = json!({
        "id": evaluation.id,
        "name": evaluation.name,
        "gateway_id": evaluation.gateway,
        "account_id": account,
        "account_tag": account,
        "processed": processed,
        "total_logs": evaluation.total_logs,
        "datasets": evaluation.datasets.iter().map(|each| dataset::object(each, account)).collect::<Vec<_>>(),
        "results": evaluation.results.iter().map(|finding| result(evaluation, finding)).collect::<Vec<_>>(),
        "created_at": time::text(evaluation.created_at),
        "modified_at": time::text(evaluation.modified_at)
    });
    if !processed {
        shown["expected_logs"] = evaluation.expected_logs.into();
    }
    shown
}

fn result(evaluation: &Evaluation, finding: &Finding) -> Value {
    let (status, description) = match finding.state {
        State::Pending => (0, "Pending"),
        State::Running => (1, "In progress"),
        State::Done => (2, "Completed"),
        State::Failed => (3, "Error"),
    };
    json!({
        "id": finding.id,
        "evaluation_id": evaluation.id,
        "evaluation_type_id": finding.evaluation_type_id,
        "result": finding.result,
        "status": status,
        "status_description": finding.why.as_deref().unwrap_or(description),
        "total_logs": finding.total_logs,
        "created_at": time::text(finding.created_at),
        "modified_at": time::text(finding.modified_at)
    })
}

/// An evaluator as `evaluation-types` lists it. They are as old as the installation.
pub fn kind_object(kind: &Kind, installed_ms: u64) -> Value {
    json!({
        "id": kind.id,
        "name": kind.name,
        "description": kind.description,
        "type": kind.kind,
        "enable": true,
        "mandatory": false,
        "created_at": time::text(installed_ms),
        "modified_at": time::text(installed_ms)
    })
}
