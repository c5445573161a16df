//! Dynamic routes over HTTP (control-plane specification, section 6).
//!
//! Enters: bodies and queries. Leaves: routes, versions, deployments. Never: validates elements: `rules::route` does.

use http::Method;
use serde_json::{Map, Value, json};
use tollgate_model::{Gateway, RouteDocument};
use tollgate_rules::route::Problem as RouteProblem;

use super::logs;
use crate::answer::Answer;
use crate::call::Call;
use crate::desk::{DeskError, Saved, VERSION};
use crate::page::{DIRECTION, PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::route::members;
use crate::route::{bare, deployment, full, listed, one_version, version};
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Whole};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::{Default, Optional};
use crate::shape::{Fault, Member, Shape};

const PER_PAGE_MAX: u64 = 100;
const DIRECTIONS: &[(&str, bool)] = &[("asc", false), ("desc", true)];
const ROUTES: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/routes";
const ROUTE: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{route}";
const VERSIONS: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{route}/versions";
const DEPLOYMENTS: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{route}/deployments";
const CREATED_AT: Member =
    Member::of("order_by", Shape::Word(&["created_at"]), Default("\"created_at\""), "The only order there is.");

pub(crate) static ROWS: &[Row] = &[
    get(
        ROUTES,
        "aig-config-list-gateway-dynamic-routes",
        Guarded(Needs::Metadata, list),
        Whole(members::LISTED_ROUTES),
        "The dynamic routes of a gateway, the newest first.",
    )
    .query(&[
        PAGE,
        PER_PAGE,
        CREATED_AT,
        DIRECTION,
        Member::of("search", Shape::TEXT, Optional, "A piece of the name."),
    ])
    .said("route", "list")
    .columns(&["name", "id", "modified_at"]),
    row(
        Method::POST,
        ROUTES,
        "aig-config-post-gateway-dynamic-route",
        Guarded(Needs::Write, create),
        One(&members::FULL),
        "A new route from its name and elements; its first version is deployed.",
    )
    .body(&members::NEW)
    .said("route", "create"),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/gateways/{gateway}/routes/simulate",
        "tollgate-simulate-route",
        Guarded(Needs::Read, simulate),
        One(&members::SIMULATED),
        "What a route would choose for a request, or for logged ones, and why. Changes nothing. Not in the original.",
    )
    .unaudited("it changes nothing, and shows decisions instead of the prompts that it read")
    .body(&members::ASKED)
    .said("route", "simulate"),
    get(
        ROUTE,
        "aig-config-get-gateway-dynamic-route",
        Guarded(Needs::Metadata, get_one),
        One(&members::FULL),
        "A route as it is deployed; by its id or its name.",
    )
    .said("route", "get"),
    row(
        Method::PATCH,
        ROUTE,
        "aig-config-update-gateway-dynamic-route",
        Guarded(Needs::Write, rename),
        Whole(members::RENAMED),
        "Renames a route in place.",
    )
    .body(&members::NAME)
    .said("route", "rename"),
    row(
        Method::DELETE,
        ROUTE,
        "aig-config-delete-gateway-dynamic-route",
        Guarded(Needs::Write, delete),
        One(&members::BARE),
        "Deletes a route with all its versions.",
    )
    .said("route", "delete"),
    get(
        VERSIONS,
        "aig-config-list-gateway-dynamic-route-versions",
        Guarded(Needs::Metadata, versions),
        Whole(members::LISTED_VERSIONS),
        "The versions of a route, the newest first.",
    )
    .query(&[PAGE, PER_PAGE, CREATED_AT, DIRECTION])
    .said("route", "versions")
    .columns(&["version_id", "active", "created_at"]),
    row(
        Method::POST,
        VERSIONS,
        "aig-config-post-gateway-dynamic-route-version",
        Guarded(Needs::Write, create_version),
        One(&members::ONE_VERSION),
        "A new version from elements; it is not deployed.",
    )
    .body(&members::ELEMENTS)
    .said("route", "add-version"),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{route}/versions/{version}",
        "aig-config-get-gateway-dynamic-route-version",
        Guarded(Needs::Metadata, get_version),
        One(&members::ONE_VERSION),
        "One version of a route.",
    )
    .said("route", "version"),
    get(
        DEPLOYMENTS,
        "aig-config-list-gateway-dynamic-route-deployments",
        Guarded(Needs::Metadata, deployments),
        Whole(members::LISTED_DEPLOYMENTS),
        "What was deployed when, the newest first.",
    )
    .query(&[PAGE, PER_PAGE, CREATED_AT, DIRECTION])
    .said("route", "deployments")
    .columns(&["deployment_id", "version_id", "created_at"]),
    row(
        Method::POST,
        DEPLOYMENTS,
        "aig-config-post-gateway-dynamic-route-deployment",
        Guarded(Needs::Write, deploy),
        One(&members::DEPLOYED),
        "Deploys a version; an older one is a rollback.",
    )
    .body(&members::WHICH),
];

fn list(call: &Call) -> Result<Answer, Problem> {
    let gateway = gateway(call)?;
    let mut reader = call.query.reader();
    let search = reader.text("search").map(str::to_lowercase);
    reader.finish()?;
    let mut all = call.parts.desk.routes(gateway)?;
    all.retain(|route| search.as_deref().is_none_or(|text| route.name.to_lowercase().contains(text)));
    paged(call, "routes", all.iter().map(|route| listed(route, call.account())).collect())
}

fn create(call: &Call) -> Result<Answer, Problem> {
    let saved = call.parts.desk.create_route(gateway(call)?, &call.json())?;
    Ok(noted(full(&saved.route, call.account()), &saved.warnings))
}

fn get_one(call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::Result(full(&route(call)?, call.account())))
}

/// Terraform reads the answer at its top level, the SDKs below `route`.
fn rename(call: &Call) -> Result<Answer, Problem> {
    let route = call.parts.desk.rename_route(gateway(call)?, call.params.get("route"), &call.json())?;
    let shown = full(&route, call.account());
    let mut whole = shown.as_object().cloned().unwrap_or_default();
    whole.insert("route".to_owned(), shown.clone());
    whole.insert("result".to_owned(), shown);
    Ok(Answer::Whole(whole))
}

fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_route(gateway(call)?, call.params.get("route"))?;
    Ok(Answer::Result(bare(&gone, call.account())))
}

fn versions(call: &Call) -> Result<Answer, Problem> {
    let route = route(call)?;
    paged(call, "versions", route.versions.iter().rev().map(|each| version(&route, each)).collect())
}

fn create_version(call: &Call) -> Result<Answer, Problem> {
    let saved = call.parts.desk.add_version(gateway(call)?, call.params.get("route"), &call.json())?;
    Ok(noted(shown_version(&saved.route, &saved.version_id)?, &saved.warnings))
}

fn get_version(call: &Call) -> Result<Answer, Problem> {
    shown_version(&route(call)?, call.params.get("version")).map(Answer::Result)
}

fn deployments(call: &Call) -> Result<Answer, Problem> {
    let route = route(call)?;
    paged(call, "deployments", route.deployments.iter().rev().map(deployment).collect())
}

fn deploy(call: &Call) -> Result<Answer, Problem> {
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
fn simulate(call: &Call) -> Result<Answer, Problem> {
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
