//! A kind of document that a table of members tells whole.
//!
//! Enters: a stored JSON object, or what a file says of one. Leaves: the other. Never: touches a member that is not in the table: those are the
//! installation's own.

use serde_json::{Map, Value};
use tollgate_store::documents::Document;

use super::{Fields, Making, failed, in_order};
use crate::desk::read::read;
use crate::desk::{DeskError, secret};
use crate::shape::{Fault, Member, Presence, Shape, Step, object_of};
use crate::time;

#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) kind: &'static str,
    /// The members that its name in the file is made of, joined by `/`. They are not said again below it.
    pub(crate) named: &'static [&'static str],
    /// What may be said of it: the names of the stored object.
    pub(crate) members: &'static [Member],
    /// A new one before anything is said of it: its id, when, whose.
    pub(crate) fresh: fn(&Fresh<'_>) -> Value,
    /// Whether the whole can be read as what it is; `typed::<T>`.
    pub(crate) check: fn(&Value) -> Result<(), String>,
}

/// What a new document is told.
pub(crate) struct Fresh<'a> {
    pub(crate) id: &'a str,
    pub(crate) now_ms: u64,
    /// Empty when it stands at the top.
    pub(crate) gateway: &'a str,
    pub(crate) gateway_internal_id: &'a str,
}

const BETWEEN: &str = "/";

// === impl Plain ===

impl Plain {
    pub(super) fn declare(&self, document: &Document) -> Result<(String, Fields), DeskError> {
        let body: Value = read(document)?;
        let named: Vec<&str> = self.named.iter().filter_map(|name| body[*name].as_str()).collect();
        let mut fields = Map::new();
        for member in self.members.iter().filter(|member| !self.named.contains(&member.name)) {
            let value = &body[member.name];
            let text = value.to_string();
            let is_default = matches!(member.presence, Presence::Default(default) if default == text);
            if value.is_null() || is_default {
                continue;
            }
            let value = match (&member.shape, value.as_u64()) {
                (Shape::Time, Some(at_ms)) => time::text(at_ms).into(),
                _ => in_order(member, value),
            };
            fields.insert(member.name.to_owned(), value);
        }
        Ok((named.join(BETWEEN), fields))
    }

    pub(super) fn make(&self, making: &Making<'_>) -> Result<Document, Vec<Fault>> {
        let mut said = making.fields.clone();
        let mut parts = making.name.splitn(self.named.len().max(1), BETWEEN);
        for name in self.named {
            let part = parts.next().ok_or_else(|| failed(format!("its name is {}", self.named.join(BETWEEN))))?;
            said.insert((*name).to_owned(), part.into());
        }
        let mut faults = Vec::new();
        let mut read_members = object_of(self.members, &said, &mut Vec::<Step>::new(), &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut body = self.beginning(making)?;
        for member in self.members {
            let value = match (&member.shape, read_members.remove(member.name)) {
                (Shape::Time, Some(Value::String(text))) => time::read(&text).into(),
                (_, value) => value.unwrap_or_default(),
            };
            body.insert(member.name.to_owned(), value);
        }
        // Absent and null are one to every reader but a strict one: keep what is said.
        body.retain(|_, value| !value.is_null());
        let body = Value::Object(body);
        (self.check)(&body).map_err(failed)?;
        let id = body["id"].as_str().unwrap_or(making.name).to_owned();
        Ok(Document {
            kind: self.kind.to_owned(),
            parent: making.gateway().map(|owner| owner.id.clone()).unwrap_or_default(),
            id,
            name: making.name.to_owned(),
            version: 0,
            body: body.to_string(),
        })
    }

    /// What the installation knows of it: from before, or made up.
    fn beginning(&self, making: &Making<'_>) -> Result<Map<String, Value>, Vec<Fault>> {
        let now_ms = making.desk.now_ms();
        if let Some(before) = making.before {
            let mut body: Map<String, Value> = read(before).map_err(failed)?;
            if let Some(modified_at) = body.get_mut("modified_at").filter(|at| at.is_u64()) {
                *modified_at = now_ms.max(modified_at.as_u64().unwrap_or_default() + 1).into();
            }
            return Ok(body);
        }
        let id = making.id.map(str::to_owned).map_or_else(secret::new_uuid, Ok).map_err(failed)?;
        let (gateway, gateway_internal_id) =
            making.gateway().map_or(("", ""), |owner| (owner.id.as_str(), owner.internal_id.as_str()));
        let fresh = (self.fresh)(&Fresh { id: &id, now_ms, gateway, gateway_internal_id });
        Ok(fresh.as_object().cloned().unwrap_or_default())
    }
}

/// For [`Plain::check`].
pub(crate) fn typed<T: serde::de::DeserializeOwned>(body: &Value) -> Result<(), String> {
    serde_json::from_value::<T>(body.clone()).map(drop).map_err(|cause| cause.to_string())
}
