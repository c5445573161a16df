//! Policies in the file: what is in force, and what is drafted.
//!
//! Enters: a stored policy, or what a file says of one. Leaves: the other. Never: a condition that cannot be met: both are compiled.

use serde_json::{Map, Value};
use tollgate_model::{PolicyBody, PolicyDocument};
use tollgate_store::documents::Document;

use super::{Fields, Making, Way, failed};
use crate::desk::policies::{document, members_of, wanted};
use crate::desk::read::read;
use crate::desk::world::World;
use crate::desk::{DeskError, secret};
use crate::shape::{Fault, Member, Presence, Shape};

use Presence::Optional;

const NAME: &str = "name";
const DRAFT: &str = "draft";

static MEMBERS: &[Member] = &[
    Member::of("actor", Shape::Any, Optional, "Whose bucket."),
    Member::of("resource", Shape::Any, Optional, "Models and providers."),
    Member::of("condition", Shape::Any, Optional, "A CEL expression."),
    Member::of("action", Shape::Any, Optional, "`no-limit`, `block` or `limit`."),
    Member::of(DRAFT, Shape::Any, Optional, "The same members, and `name` where it is another: drafted, not in force."),
];

pub(super) const WAY: Way = Way::Own { members: MEMBERS, declare, make };

fn declare(document: &Document, _: &World) -> Result<(String, Fields), DeskError> {
    let policy: PolicyDocument = read(document)?;
    let name = policy.committed.as_ref().or(policy.draft.as_ref()).map(|body| body.name.clone()).unwrap_or_default();
    let told = |body: &PolicyBody| {
        let mut members = members_of(body);
        members.retain(|member, value| member != NAME || *value != name);
        members
    };
    let mut fields = policy.committed.as_ref().map(told).unwrap_or_default();
    fields.extend(policy.draft.as_ref().map(|draft| (DRAFT.to_owned(), Value::Object(told(draft)))));
    Ok((name, fields))
}

fn make(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    let owner = making.gateway()?;
    let mut said = making.fields.clone();
    let draft = said.shift_remove(DRAFT);
    let draft = match draft {
        Some(Value::Object(members)) => Some(body(making.name, members).map_err(|faults| below(DRAFT, faults))?),
        Some(_) => return Err(vec![Fault::new([DRAFT], "Expected a table")]),
        None => None,
    };
    let committed = match (said.is_empty(), &draft) {
        (true, Some(_)) => None,
        _ => Some(body(making.name, said)?),
    };
    let now_s = making.desk.now_ms() / 1_000;
    let before: Option<PolicyDocument> = making.before.map(read).transpose().map_err(failed)?;
    let id = before.as_ref().map(|before| before.id.clone()).or_else(|| making.id.map(str::to_owned));
    let made = PolicyDocument {
        id: id.map_or_else(secret::new_uuid, Ok).map_err(failed)?,
        gateway: owner.id.clone(),
        gateway_internal_id: owner.internal_id.clone(),
        committed,
        draft,
        created_at: before.as_ref().map_or(now_s, |before| before.created_at),
        updated_at: before.map_or(now_s, |before| now_s.max(before.updated_at)),
    };
    document(&made).map_err(failed)
}

fn body(name: &str, mut members: Map<String, Value>) -> Result<PolicyBody, Vec<Fault>> {
    members.entry(NAME).or_insert_with(|| name.into());
    wanted(&members).map_err(|error| match error {
        DeskError::Faults(faults) => faults,
        other => failed(other),
    })
}

fn below(name: &str, faults: Vec<Fault>) -> Vec<Fault> {
    let under = |mut fault: Fault| {
        let at = usize::from(fault.path.first() == Some(&"body".into()));
        fault.path.insert(at, name.into());
        fault
    };
    faults.into_iter().map(under).collect()
}
