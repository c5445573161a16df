//! Dynamic routes over HTTP (control-plane specification, section 6).
//!
//! Enters: bodies and queries. Leaves: routes, versions, deployments. Never: validates elements: `rules::route` does.

use serde_json::{Map, Value, json};
use tollgate_model::{Gateway, RouteDocument};
use tollgate_rules::route::Problem as RouteProblem;

use super::logs;
use crate::answer::Answer;
use crate::call::Call;
use crate::desk::{DeskError, Saved, VERSION};
use crate::page::Paging;
use crate::problem::Problem;
use crate::route::{bare, deployment, full, listed, one_version, version};
use crate::shape::Fault;

const PER_PAGE_MAX: u64 = 100;
const DIRECTIONS: &[(&str, bool)] = &[("asc", false), ("desc", true)];

pub(crate) fn list(call: &Call) -> Result<Answer, Problem> {
    let gateway = gateway(call)?;
    let mut reader = call.query.reader();
    let search = reader.text("search").map(str::to_lowercase);
    reader.finish()?;
    let mut all = call.parts.desk.routes(gateway)?;
    all.retain(|route| search.as_deref().is_none_or(|text| route.name.to_lowercase().contains(text)));
    paged(call, "routes", all.iter().map(|route| listed(route, call.account())).collect())
}

pub(crate) fn create(call: &Call) -> Result<Answer, Problem> {
    let saved = call.parts.desk.create_route(gateway(call)?, &call.json())?;
    Ok(noted(full(&saved.route, call.account()), &saved.warnings))
}

pub(crate) fn get(call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::Result(full(&route(call)?, call.account())))
}

/// Terraform reads the answer at its top level, the SDKs below `route`.
pub(crate) fn rename(call: &Call) -> Result<Answer, Problem> {
    let route = call.parts.desk.rename_route(gateway(call)?, call.params.get("route"), &call.json())?;
    let shown = full(&route, call.account());
    let mut whole = shown.as_object().cloned().unwrap_or_default();
    whole.insert("route".to_owned(), shown.clone());
    whole.insert("result".to_owned(), shown);
    Ok(Answer::Whole(whole))
}

pub(crate) fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_route(gateway(call)?, call.params.get("route"))?;
    Ok(Answer::Result(bare(&gone, call.account())))
}

pub(crate) fn versions(call: &Call) -> Result<Answer, Problem> {
    let route = route(call)?;
    paged(call, "versions", route.versions.iter().rev().map(|each| version(&route, each)).collect())
}

pub(crate) fn create_version(call: &Call) -> Result<Answer, Problem> {
    let saved = call.parts.desk.add_version(gateway(call)?, call.params.get("route"), &call.json())?;
    Ok(noted(shown_version(&saved.route, &saved.version_id)?, &saved.warnings))
}

pub(crate) fn get_version(call: &Call) -> Result<Answer, Problem> {
    shown_version(&route(call)?, call.params.get("version")).map(Answer::Result)
}

pub(crate) fn deployments(call: &Call) -> Result<Answer, Problem> {
    let route = route(call)?;
    paged(call, "deployments", route.deployments.iter().rev().map(deployment).collect())
}

pub(crate) fn deploy(call: &Call) -> Result<Answer, Problem> {
    let gateway = gateway(call)?;
    let body = call.json();
    let version_id = body["version_id"].as_str();
    let required = || Problem::invalid(vec![Fault::new(["body", "version_id"], "Required")]);
    // A route that is not there is told before a member that is not.
    let route = route(call)?;
    let Saved { route, warnings, .. } = call.parts.desk.deploy(gateway, &route.id, version_id.ok_or_else(required)?)?;
    let mut shown = bare(&route, call.account());
    shown["deployment"] = route.deployment().map_or(Value::Null, deployment);
    Ok(noted(shown, &warnings))
}

/// Reads the log, so what was journaled before this call is moved there first.
pub(crate) fn simulate(call: &Call) -> Result<Answer, Problem> {
    let gateway = gateway(call)?;
    logs::catch_up(call);
    let simulated = crate::simulate::simulate(&call.parts.desk, &*call.parts.records, gateway, &call.json())?;
    Ok(Answer::Result(simulated))
}

fn gateway(call: &Call) -> Result<&Gateway, Problem> {
    Ok(&call.gateway()?.settings)
}

fn route(call: &Call) -> Result<RouteDocument, Problem> {
    Ok(call.parts.desk.route(gateway(call)?, call.params.get("route"))?)
}

fn shown_version(route: &RouteDocument, id: &str) -> Result<Value, Problem> {
    let version = route.version(id).ok_or(DeskError::Missing(VERSION))?;
    Ok(one_version(route, version))
}

fn noted(result: Value, warnings: &[RouteProblem]) -> Answer {
    let message = |warning: &RouteProblem| json!({ "code": 7001, "message": warning.to_string() });
    let mut whole = Map::new();
    whole.insert("messages".to_owned(), warnings.iter().map(message).collect());
    whole.insert("result".to_owned(), result);
    Answer::Whole(whole)
}

/// `data.{name}` is the original's, `result` is what other lists have. Newest first, unless `asc` is asked for.
fn paged(call: &Call, name: &str, mut rows: Vec<Value>) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    reader.word("order_by", &[("created_at", ())]);
    let descending = reader.word("order_by_direction", DIRECTIONS).unwrap_or(true);
    reader.finish()?;
    if !descending {
        rows.reverse();
    }
    let total = rows.len() as u64;
    let rows = paging.cut(rows);
    let direction = if descending { "desc" } else { "asc" };
    let mut data = json!({
        "page": paging.page, "per_page": paging.per_page, "order_by": "created_at", "order_by_direction": direction
    });
    data[name] = rows.clone().into();
    let mut whole = Map::new();
    whole.insert("data".to_owned(), data);
    whole.insert("result_info".to_owned(), paging.info(rows.len(), total));
    whole.insert("result".to_owned(), rows.into());
    Ok(Answer::Whole(whole))
}
