//! Dynamic routes: made, renamed, given versions, deployed, deleted.
//!
//! Enters: bodies of the REST API. Leaves: routes as they are stored now, with warnings. Never: stores elements that would not serve.
//!
//! A route is one document with all its versions, so each change is one write. Old versions are let go when they are many, or large together.

use serde_json::Value;
use tollgate_model::route::{Deployment, RouteVersion};
use tollgate_model::{Gateway, RouteDocument};
use tollgate_rules::route::{Draft, Place, Problem, Route, normalise};
use tollgate_store::documents::Document;

use super::read::{read, write};
use super::{Change, Desk, DeskError, secret};
use crate::shape::{Fault, Member, Presence, Shape, Step, object_of};

pub const ROUTE: &str = "route";
pub const VERSION: &str = "route version";

const ROUTES_MAX: usize = 1_000;
const NAME_CHARS_MAX: usize = 128;
/// The newest are kept, and the one in force.
const VERSIONS_MAX: usize = 100;
const DEPLOYMENTS_MAX: usize = 100;
/// Of all versions of a route together.
const ELEMENTS_BYTES_MAX: usize = 2 << 20;

/// A route after a change.
#[derive(Clone, Debug)]
pub struct Saved {
    pub route: RouteDocument,
    /// The version that was made or deployed.
    pub version_id: String,
    /// What does not keep it from serving.
    pub warnings: Vec<Problem>,
}

impl Desk {
    /// The newest first.
    pub fn routes(&self, gateway: &Gateway) -> Result<Vec<RouteDocument>, DeskError> {
        let world = self.now()?.world;
        let stored = world.of_kind(ROUTE).filter(|held| held.document.parent == gateway.id);
        let mut all =
            stored.map(|held| Ok((*held.read::<RouteDocument>()?).clone())).collect::<Result<Vec<_>, DeskError>>()?;
        all.retain(|route| route.gateway_internal_id == gateway.internal_id);
        all.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    /// By its id, else by its name.
    pub fn route(&self, gateway: &Gateway, id: &str) -> Result<RouteDocument, DeskError> {
        let mut all = self.routes(gateway)?;
        let place = all.iter().position(|route| route.id == id);
        let place = place.or_else(|| all.iter().position(|route| route.name == id));
        place.map(|at| all.swap_remove(at)).ok_or(DeskError::Missing(ROUTE))
    }

    /// From the body of a create: `name` and `elements`. The first version is deployed.
    pub fn create_route(&self, gateway: &Gateway, body: &Value) -> Result<Saved, DeskError> {
        let (name, elements) = wanted(body)?;
        let now_ms = self.now_ms();
        let version = self.new_version(elements)?;
        let wanted = RouteDocument {
            id: secret::new_uuid()?,
            gateway: gateway.id.clone(),
            gateway_internal_id: gateway.internal_id.clone(),
            name,
            versions: vec![version.clone()],
            deployments: vec![self.new_deployment(&version.id)?],
            created_at: now_ms,
            modified_at: now_ms,
        };
        let warnings = self.check(&wanted, &version)?;
        let route = self.change(ROUTE, &wanted.id, |_| {
            let others = self.routes(gateway)?;
            if others.len() >= ROUTES_MAX {
                let fault = Fault::new(["body"], format!("A gateway has at most {ROUTES_MAX} routes"));
                return Err(DeskError::Faults(vec![fault]));
            }
            refuse_namesake(&others, &wanted)?;
            Ok(Change::to(document(&wanted)?, wanted.clone()))
        })?;
        Ok(Saved { route, version_id: version.id, warnings })
    }

    /// From the body of a patch: `name`. In place: no version is made.
    pub fn rename_route(&self, gateway: &Gateway, id: &str, body: &Value) -> Result<RouteDocument, DeskError> {
        let name = read_name(body)?;
        self.change_route(gateway, id, |route| {
            route.name.clone_from(&name);
            refuse_namesake(&self.routes(gateway)?, route)
        })
    }

    /// From the body of a create: `elements`. The version is not deployed.
    pub fn add_version(&self, gateway: &Gateway, id: &str, body: &Value) -> Result<Saved, DeskError> {
        let version = self.new_version(read_elements(body)?)?;
        let route = self.route(gateway, id)?;
        let warnings = self.check(&route, &version)?;
        let route = self.change_route(gateway, &route.id, |route| {
            route.versions.push(version.clone());
            let_old_versions_go(route);
            Ok(())
        })?;
        Ok(Saved { route, version_id: version.id, warnings })
    }

    /// Puts a version in force. It is compiled again: what could be saved once may not serve under a later program.
    pub fn deploy(&self, gateway: &Gateway, id: &str, version_id: &str) -> Result<Saved, DeskError> {
        let route = self.route(gateway, id)?;
        let version = route.version(version_id).ok_or(DeskError::Missing(VERSION))?;
        let warnings = self.check(&route, version)?;
        let deployment = self.new_deployment(version_id)?;
        let route = self.change_route(gateway, &route.id, |route| {
            route.version(version_id).ok_or(DeskError::Missing(VERSION))?;
            route.deployments.push(deployment.clone());
            let surplus = route.deployments.len().saturating_sub(DEPLOYMENTS_MAX);
            route.deployments.drain(..surplus);
            Ok(())
        })?;
        Ok(Saved { route, version_id: version_id.to_owned(), warnings })
    }

    pub fn delete_route(&self, gateway: &Gateway, id: &str) -> Result<RouteDocument, DeskError> {
        let id = self.route(gateway, id)?.id;
        self.change(ROUTE, &id, |before| Ok(Change::gone(read(before.ok_or(DeskError::Missing(ROUTE))?)?)))
    }

    /// From a file: these elements in force. An older version that has them is deployed again; otherwise they are a new one.
    pub(crate) fn declared_route(
        &self,
        gateway: &Gateway,
        before: Option<RouteDocument>,
        body: &Value,
    ) -> Result<RouteDocument, DeskError> {
        let (name, elements) = wanted(body)?;
        let now_ms = self.now_ms();
        let mut route = match before {
            Some(before) => RouteDocument { modified_at: now_ms.max(before.modified_at + 1), ..before },
            None => RouteDocument {
                id: secret::new_uuid()?,
                gateway: gateway.id.clone(),
                gateway_internal_id: gateway.internal_id.clone(),
                name,
                versions: Vec::new(),
                deployments: Vec::new(),
                created_at: now_ms,
                modified_at: now_ms,
            },
        };
        if route.deployed().is_some_and(|version| version.elements == elements) {
            return Ok(route);
        }
        let version = match route.versions.iter().rev().find(|version| version.elements == elements) {
            Some(version) => version.clone(),
            None => {
                let version = self.new_version(elements)?;
                route.versions.push(version.clone());
                version
            }
        };
        Route::compile(&Draft::of(&route, &version)).map_err(|problems| faults(&problems))?;
        route.deployments.push(self.new_deployment(&version.id)?);
        let surplus = route.deployments.len().saturating_sub(DEPLOYMENTS_MAX);
        route.deployments.drain(..surplus);
        let_old_versions_go(&mut route);
        Ok(route)
    }

    /// A route compiled as a request would meet it: what the simulator walks.
    pub fn compile_route(&self, route: &RouteDocument, version: &RouteVersion) -> Result<Route, DeskError> {
        let compiled = Route::compile(&Draft::of(route, version)).map_err(|problems| faults(&problems))?;
        match compiled.strangers(&self.current()?.providers) {
            strangers if strangers.is_empty() => Ok(compiled),
            strangers => Err(faults(&strangers)),
        }
    }

    fn check(&self, route: &RouteDocument, version: &RouteVersion) -> Result<Vec<Problem>, DeskError> {
        Ok(self.compile_route(route, version)?.warnings)
    }

    fn change_route(
        &self,
        gateway: &Gateway,
        id: &str,
        make: impl Fn(&mut RouteDocument) -> Result<(), DeskError>,
    ) -> Result<RouteDocument, DeskError> {
        let id = self.route(gateway, id)?.id;
        self.change(ROUTE, &id, |before| {
            let mut route: RouteDocument = read(before.ok_or(DeskError::Missing(ROUTE))?)?;
            make(&mut route)?;
            // Never stands still between two changes.
            route.modified_at = self.now_ms().max(route.modified_at + 1);
            Ok(Change::to(document(&route)?, route))
        })
    }

    fn new_version(&self, elements: Value) -> Result<RouteVersion, DeskError> {
        Ok(RouteVersion { id: secret::new_uuid()?, elements, created_at: self.now_ms() })
    }

    fn new_deployment(&self, version_id: &str) -> Result<Deployment, DeskError> {
        Ok(Deployment { id: secret::new_uuid()?, version_id: version_id.to_owned(), created_at: self.now_ms() })
    }
}

fn document(route: &RouteDocument) -> Result<Document, DeskError> {
    let document = write(ROUTE, &route.id, &route.name, route)?;
    Ok(Document { parent: route.gateway.clone(), ..document })
}

fn refuse_namesake(others: &[RouteDocument], route: &RouteDocument) -> Result<(), DeskError> {
    let is_namesake = |other: &RouteDocument| other.name == route.name && other.id != route.id;
    if others.iter().any(is_namesake) { Err(DeskError::Exists(ROUTE)) } else { Ok(()) }
}

fn let_old_versions_go(route: &mut RouteDocument) {
    let deployed = route.deployment().map(|deployment| deployment.version_id.clone());
    let size = |version: &RouteVersion| version.elements.to_string().len();
    let mut bytes: usize = route.versions.iter().map(size).sum();
    let newest = route.versions.len().saturating_sub(1);
    let mut surplus = route.versions.len().saturating_sub(VERSIONS_MAX);
    let mut place = 0;
    route.versions.retain(|version| {
        let may_go = place < newest && Some(&version.id) != deployed.as_ref();
        place += 1;
        let goes = may_go && (surplus > 0 || bytes > ELEMENTS_BYTES_MAX);
        if goes {
            surplus = surplus.saturating_sub(1);
            bytes -= size(version);
        }
        !goes
    });
}

/// Both members, or every fault of both.
fn wanted(body: &Value) -> Result<(String, Value), DeskError> {
    match (read_name(body), read_elements(body)) {
        (Ok(name), Ok(elements)) => Ok((name, elements)),
        (Err(DeskError::Faults(mut name)), Err(DeskError::Faults(elements))) => {
            name.extend(elements);
            Err(DeskError::Faults(name))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

fn read_name(body: &Value) -> Result<String, DeskError> {
    static NAME: &[Member] = &[Member {
        name: "name",
        shape: Shape::Text { min: 1, max: NAME_CHARS_MAX },
        presence: Presence::Required,
        doc: "Callers ask for the model dynamic/{name}.",
    }];
    let mut faults = Vec::new();
    let empty = serde_json::Map::new();
    let read = object_of(NAME, body.as_object().unwrap_or(&empty), &mut vec![Step::from("body")], &mut faults);
    let name = read.get("name").and_then(Value::as_str).unwrap_or_default();
    if faults.is_empty() && (name.trim() != name || name.chars().any(char::is_control)) {
        faults.push(Fault::new(["body", "name"], "Invalid: no control characters, and no space at its ends"));
    }
    if faults.is_empty() { Ok(name.to_owned()) } else { Err(DeskError::Faults(faults)) }
}

/// In the names of today, whatever names they came in. `data` is what versions call them.
fn read_elements(body: &Value) -> Result<Value, DeskError> {
    let elements = ["elements", "data"].iter().find_map(|name| body.get(*name).filter(|value| !value.is_null()));
    let required = || DeskError::Faults(vec![Fault::new(["body", "elements"], "Required")]);
    elements.map(normalise).ok_or_else(required)
}

pub(crate) fn faults(problems: &[Problem]) -> DeskError {
    let errors = problems.iter().filter(|problem| problem.is_error());
    DeskError::Faults(errors.map(fault).collect())
}

/// `["body", "elements", 1, "properties", "provider"]`.
fn fault(problem: &Problem) -> Fault {
    let mut fault = Fault::new(["body", "elements"], problem.said());
    fault.path.extend(problem.path.iter().map(|place| match place {
        Place::Name(name) => Step::Name(name.clone()),
        Place::Index(index) => Step::Index(*index),
    }));
    fault
}
