//! Custom providers in the file: what the API takes, by slug.
//!
//! Enters: a stored provider, or what a file says of one. Leaves: the other. Never: a header's value, which may be a credential: `***` stands for the
//! one that is there, and is refused where none is.

use serde_json::{Map, Value};
use tollgate_model::CustomProvider;
use tollgate_store::documents::Document;

use super::{Fields, Making, Way, failed, in_order};
use crate::custom_provider::{MEMBERS, change, create, said};
use crate::desk::read::{read, write};
use crate::desk::{CUSTOM_PROVIDER, DeskError, secret};
use crate::shape::{Fault, Presence};

/// Its name in the file.
const SLUG: &str = "slug";
const HEADERS: &str = "headers";

pub(super) const WAY: Way = Way::Own { members: MEMBERS, declare, make };

fn declare(document: &Document) -> Result<(String, Fields), DeskError> {
    let provider: CustomProvider = read(document)?;
    let told = said(&provider);
    let mut fields = Map::new();
    for member in MEMBERS.iter().filter(|member| member.name != SLUG) {
        let value = told.get(member.name).unwrap_or(&Value::Null);
        if !value.is_null() && !is_default(member.presence, value) {
            fields.insert(member.name.to_owned(), in_order(member, value));
        }
    }
    Ok((provider.slug, fields))
}

fn is_default(presence: Presence, value: &Value) -> bool {
    match (presence, value) {
        (Presence::Default(text), Value::Number(number)) => text.parse().ok() == number.as_f64(),
        (Presence::Default(text), value) => serde_json::from_str::<Value>(text).is_ok_and(|default| default == *value),
        _ => value == "",
    }
}

fn make(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    let egress = making.desk.current().map_err(failed)?.egress.clone();
    let mut body = making.fields.clone();
    body.insert(SLUG.to_owned(), making.name.into());
    let before: Option<CustomProvider> = making.before.map(read).transpose().map_err(failed)?;
    let now_ms = making.desk.now_ms();
    let made = match before {
        Some(before) => {
            // What the file does not say is set back, not kept.
            for member in MEMBERS {
                body.entry(member.name).or_insert(Value::Null);
            }
            body.entry(HEADERS).and_modify(|headers| *headers = headers.as_str().unwrap_or_default().into());
            let after = change(&before, &Value::Object(body), &egress)?;
            CustomProvider { modified_at: now_ms.max(before.modified_at + 1), ..after }
        }
        None => {
            let wanted = create(&Value::Object(body), &egress)?;
            let id = making.id.map(str::to_owned).map_or_else(secret::new_uuid, Ok).map_err(failed)?;
            CustomProvider { id, created_at: now_ms, modified_at: now_ms, ..wanted }
        }
    };
    write(CUSTOM_PROVIDER, &made.id, &made.name, &made).map_err(failed)
}
