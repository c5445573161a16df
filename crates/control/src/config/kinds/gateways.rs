//! Gateways in the file: what differs from a gateway nobody has changed.
//!
//! Enters: a stored gateway, or what a file says of one. Leaves: the other. Never: writes when it was made: a gateway made anew is another one.

use serde_json::{Map, Value};
use tollgate_model::Gateway;
use tollgate_model::gateway::DEFAULT_ID;
use tollgate_store::documents::Document;

use super::{Fields, Making, Way, failed, in_order};
use crate::desk::open::{names_secret, store_name};
use crate::desk::read::{GATEWAY, read, write};
use crate::desk::veil::{SecretMember, hide};
use crate::desk::world::World;
use crate::desk::{DeskError, secret};
use crate::gateway::{MEMBERS, declared};
use crate::shape::{Fault, Presence, Shape};

const STORE_ID: &str = "store_id";
/// TOML has no null. Where null is not what the default is, this word stands for it.
const NONE: &str = "none";

pub(super) const WAY: Way = Way::Own { members: MEMBERS, declare, make };

pub(super) static SECRETS: &[SecretMember] = &[
    SecretMember::at(&["otel", "*", "headers", "*"]),
    SecretMember::or_name(&["otel", "*", "authorization"]),
    SecretMember::at(&["stripe", "authorization"]),
];

fn declare(document: &Document, world: &World) -> Result<(String, Fields), DeskError> {
    let gateway: Gateway = read(document)?;
    let (said, default) = (object(&gateway), object(&Gateway::default()));
    let names = |text: &str| names_secret(world, text);
    let mut hidden = Value::Object(said);
    hide(GATEWAY, &mut hidden, &names);
    // Ids of stores are the installation's own; the file has names.
    if let Some(store) = gateway.store_id.as_deref().and_then(|id| store_name(world, id)) {
        hidden[STORE_ID] = store.into();
    }
    let said = hidden;
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
    let before: Option<Gateway> = making.before.map(read).transpose().map_err(failed)?;
    let wanted = declared(before.as_ref(), &body(making)?)?;
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
    write(GATEWAY, &made.id, &made.id, &made).map_err(failed)
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
    if let Some(id) = body.get(STORE_ID).and_then(Value::as_str).and_then(|name| making.known.store(name)) {
        body.insert(STORE_ID.to_owned(), id.as_str().into());
    }
    body.insert("id".to_owned(), making.name.into());
    Ok(Value::Object(body))
}

fn object(gateway: &Gateway) -> Map<String, Value> {
    serde_json::to_value(gateway).ok().and_then(|value| value.as_object().cloned()).unwrap_or_default()
}
