//! Dynamic routes in the file: the elements in force.
//!
//! Enters: a stored route, or elements from a file. Leaves: the other. Never: writes older versions: they are the installation's history.
//!
//! Elements that differ become a new version, deployed. Those of an older version deploy that one again, so going back leaves no copies.

use serde_json::{Value, json};
use tollgate_model::RouteDocument;
use tollgate_store::documents::Document;

use super::{Fields, Making, Way, failed};
use crate::desk::read::read;
use crate::desk::world::World;
use crate::desk::{DeskError, ROUTE};
use crate::shape::{Fault, Member, Presence, Shape};

const ELEMENTS: &str = "elements";

static MEMBERS: &[Member] = &[Member::of(
    ELEMENTS,
    Shape::Any,
    Presence::Required,
    "The list of elements, as the API has it; or the text of its JSON.",
)];

pub(super) const WAY: Way = Way::Own { members: MEMBERS, declare, make };

fn declare(document: &Document, _: &World) -> Result<(String, Fields), DeskError> {
    let route: RouteDocument = read(document)?;
    let elements = route.deployed().map(|version| version.elements.clone()).unwrap_or_else(|| json!([]));
    Ok((route.name, [(ELEMENTS.to_owned(), elements)].into_iter().collect()))
}

fn make(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    let owner = making.gateway()?;
    let before: Option<RouteDocument> = making.before.map(read).transpose().map_err(failed)?;
    let body = json!({ "name": making.name, "elements": making.fields.get(ELEMENTS).unwrap_or(&Value::Null) });
    let route = making.desk.declared_route(owner, before, &body).map_err(|error| match error {
        DeskError::Faults(faults) => faults,
        other => failed(other),
    })?;
    let document = crate::desk::read::write(ROUTE, &route.id, &route.name, &route).map_err(failed)?;
    Ok(Document { parent: route.gateway.clone(), ..document })
}
