//! The route simulator: `POST .../routes/simulate` and `tollgate route explain`.
//!
//! Enters: a route (saved or drafted), and one request or logged ones. Leaves: for each what would be chosen, and why. Never: asks a provider, changes
//! anything, or shows a piece of a logged body: reasons name paths, not what stands there.
//!
//! A log keeps no headers but two, so conditions on others find nothing there. The seed of a logged request is the one it was served with.

mod asked;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tollgate_model::{Gateway, Money, Record, RouteDocument};
use tollgate_rules::facts::Facts;
use tollgate_rules::route::Route;
use tollgate_rules::simulate::{Decided, Simulator};
use tollgate_store::Records;
use tollgate_store::records::{Filter, Page, Which};

use self::asked::{Asked, Of, Whom};

pub(crate) use self::asked::headers_of;
use crate::desk::{Desk, DeskError, VERSION};
use crate::shape::{Fault, Step};

/// Requests of one simulation.
pub const REQUESTS_MAX: u64 = 1_000;

/// What the body asks for, decided. Nothing of it depends on when it is asked, but for windows that are counted from now.
pub fn simulate(desk: &Desk, records: &dyn Records, gateway: &Gateway, body: &Value) -> Result<Value, DeskError> {
    let asked = Asked::read(body).map_err(DeskError::Faults)?;
    let route = Arc::new(compile(desk, gateway, &asked.of)?);
    let mut simulator = Simulator::new(route.clone(), asked.assumed);
    let decisions: Vec<Value> = match &asked.whom {
        Whom::Request(facts) => {
            vec![shown(&simulator.decide((**facts).clone(), desk.now_ms(), Money::ZERO), facts.seed, None)]
        }
        Whom::Logged(ids) => {
            let mut logged = Vec::with_capacity(ids.len());
            for (index, id) in ids.iter().enumerate() {
                let record = records.get(*id)?.filter(|record| is_of(record, gateway));
                logged.push(record.ok_or_else(|| missing(index))?);
            }
            decide_all(&mut simulator, records, &route, logged, asked.seed)?
        }
        Whom::Last(count) => {
            let filter = Filter { from_ms: Some(gateway.created_at), ..Filter::of_gateway(gateway.id.as_str()) };
            let newest = records.list(&filter, &Page::newest(*count as u32))?.records;
            decide_all(&mut simulator, records, &route, newest, asked.seed)?
        }
    };
    let name = &route.name;
    Ok(json!({
        "route": { "id": name.id, "name": name.name, "version_id": name.version_id },
        "warnings": route.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "chosen": counted(&decisions),
        "decisions": decisions,
    }))
}

fn compile(desk: &Desk, gateway: &Gateway, of: &Of) -> Result<Route, DeskError> {
    match of {
        Of::Drafted(version) => {
            let route = RouteDocument {
                id: "draft".to_owned(),
                gateway: gateway.id.clone(),
                gateway_internal_id: gateway.internal_id.clone(),
                name: "draft".to_owned(),
                versions: Vec::new(),
                deployments: Vec::new(),
                created_at: 0,
                modified_at: 0,
            };
            desk.compile_route(&route, version)
        }
        Of::Saved { route, version_id } => {
            let route = desk.route(gateway, route)?;
            let version = match version_id {
                Some(id) => route.version(id),
                None => route.deployed(),
            };
            desk.compile_route(&route, version.ok_or(DeskError::Missing(VERSION))?)
        }
    }
}

/// In the order in which they came.
fn decide_all(
    simulator: &mut Simulator,
    records: &dyn Records,
    route: &Route,
    mut logged: Vec<Record>,
    seed: Option<u64>,
) -> Result<Vec<Value>, DeskError> {
    logged.sort_by_key(|record| (began_ms(record), record.id));
    logged.iter().map(|record| decide(simulator, records, route, record, seed)).collect()
}

fn decide(
    simulator: &mut Simulator,
    records: &dyn Records,
    route: &Route,
    record: &Record,
    seed: Option<u64>,
) -> Result<Value, DeskError> {
    let stored = if route.reads_body() { records.body(record.id, Which::Request)? } else { None };
    let body = stored.and_then(|stored| serde_json::from_slice(&stored.bytes).ok());
    let lacks_body = route.reads_body() && body.is_none();
    let facts = Facts {
        headers: asked::headers_of(record),
        metadata: record.metadata.clone(),
        body: body.unwrap_or_default(),
        seed: seed.unwrap_or(0) ^ Facts::seed_of(record.id),
        ..Facts::default()
    };
    let seed = facts.seed;
    let cost = record.cost.as_ref().map_or(Money::ZERO, |cost| cost.amount);
    let mut shown = shown(&simulator.decide(facts, began_ms(record), cost), seed, Some(record));
    if lacks_body {
        shown["note"] = "the body was not kept, or is not JSON: conditions on it found nothing".into();
    }
    Ok(shown)
}

fn began_ms(record: &Record) -> u64 {
    record.created_ms.saturating_sub(record.duration_us() / 1_000)
}

fn is_of(record: &Record, gateway: &Gateway) -> bool {
    *record.gateway == *gateway.id && record.created_ms >= gateway.created_at
}

fn missing(index: usize) -> DeskError {
    let mut fault = Fault::new(["body", "log_ids"], "There is no such log of this gateway");
    fault.path.push(Step::Index(index));
    DeskError::Faults(vec![fault])
}

/// A seed has more digits than a JSON number of JavaScript can hold.
fn shown(decided: &Decided, seed: u64, record: Option<&Record>) -> Value {
    let chosen = decided
        .chosen
        .as_ref()
        .map(|step| json!({ "element": step.element, "provider": step.target.provider, "model": step.target.model }));
    let mut shown = json!({
        "chosen": chosen,
        "tried": decided.trace.tried().collect::<Vec<_>>(),
        "stopped": decided.trace.stopped,
        "visited": decided.trace.visited,
        "seed": seed.to_string(),
    });
    if let Some(record) = record {
        shown["log_id"] = record.id.to_string().into();
        // What it went to then, beside what it would go to now.
        shown["logged"] = json!({ "provider": record.provider, "model": record.model, "success": record.success() });
    }
    shown
}

/// How often each target was chosen; `null` is told as `none`.
fn counted(decisions: &[Value]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for decision in decisions {
        let chosen = &decision["chosen"];
        let name = match (chosen["provider"].as_str(), chosen["model"].as_str()) {
            (Some(provider), Some(model)) => format!("{provider}/{model}"),
            _ => "none".to_owned(),
        };
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
}
