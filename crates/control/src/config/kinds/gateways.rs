//! Gateways in the file: what differs from a gateway nobody has changed.
//!
//! Enters: a stored gateway, or what a file says of one. Leaves: the other. Never: writes when it was made: a gateway made anew is another one.

use serde_json::{Map, Value};
use tollgate_model::Gateway;
use tollgate_model::gateway::DEFAULT_ID;
use tollgate_store::documents::Document;

use super::{Fields, KINDS, Making, Way, failed, in_order};
use crate::desk::read::{read, write};
use crate::desk::{DeskError, secret};
use crate::gateway::{MEMBERS, create};
use crate::shape::{Fault, Presence, Shape};

pub(super) const KIND: &str = "gateway";
/// TOML has no null. Where null is not what the default is, this word stands for it.
const NONE: &str = "none";

pub(super) const WAY: Way = Way::Own { members: MEMBERS, declare, make };

/// Its place in the table.
pub(super) fn at() -> usize {
    KINDS.iter().position(|kind| kind.kind == KIND).unwrap_or_default()
}

fn declare(document: &Document) -> Result<(String, Fields), DeskError> {
    let gateway: Gateway = read(document)?;
    let (said, default) = (object(&gateway), object(&Gateway::default()));
    let mut fields = Map::new();
    for member in MEMBERS {
        let value = said.get(member.name).unwrap_or(&Value::Null);
        match value {
            value if value == default.get(member.name).unwrap_or(&Value::Null) => {}
            Value::Null => drop(fields.insert(member.name.to_owned(), NONE.into())),
            value => drop(fields.insert(member.name.to_owned(), in_order(member, value))),
        }
    }
    Ok((gateway.id, fields))
}

fn make(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    let now_ms = making.desk.now_ms();
    let wanted = create(&body(making)?)?;
    let before: Option<Gateway> = making.before.map(read).transpose().map_err(failed)?;
    let made = match before {
        Some(before) => Gateway {
            is_default: before.is_default,
            created_at: before.created_at,
            modified_at: now_ms.max(before.modified_at + 1),
            internal_id: before.internal_id,
            ..wanted
        },
        None => Gateway {
            is_default: wanted.id == DEFAULT_ID,
            created_at: now_ms,
            modified_at: now_ms,
            internal_id: secret::new_uuid().map_err(failed)?,
            ..wanted
        },
    };
    write(KIND, &made.id, &made.id, &made).map_err(failed)
}

/// As a create over HTTP would say it: with every member that must be there.
fn body(making: &Making<'_>) -> Result<Value, Vec<Fault>> {
    let default = object(&Gateway::default());
    let mut body = making.fields.clone();
    for member in MEMBERS {
        let is_none = body.get(member.name).is_some_and(|value| value == NONE);
        if is_none && matches!(member.shape, Shape::Whole { .. }) {
            body.insert(member.name.to_owned(), Value::Null);
        }
        let must_be = matches!(member.presence, Presence::Required | Presence::RequiredOrNull);
        if must_be && !body.contains_key(member.name) {
            body.insert(member.name.to_owned(), default.get(member.name).cloned().unwrap_or_default());
        }
    }
    body.insert("id".to_owned(), making.name.into());
    Ok(Value::Object(body))
}

fn object(gateway: &Gateway) -> Map<String, Value> {
    serde_json::to_value(gateway).ok().and_then(|value| value.as_object().cloned()).unwrap_or_default()
}
