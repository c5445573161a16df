//! Stores and their secrets in the file: what they are called and who may use them.
//!
//! Enters: a stored one, or what a file says of one. Leaves: the other. Never: a value: the file has `env:NAME` or `file:/path`, or `***` for the value that
//! is there or is still to be given.

use serde_json::{Map, Value, json};
use tollgate_model::keep::GATEWAY_SCOPE;
use tollgate_model::secret::HIDDEN;
use tollgate_model::{Kept, Secret, SecretStore, StoredSecret};
use tollgate_store::documents::Document;

use super::{Fields, Making, Way, failed};
use crate::desk::read::read;
use crate::desk::secrets::{check, document};
use crate::desk::stores::{check_name, document as store_document};
use crate::desk::world::World;
use crate::desk::{DeskError, secret};
use crate::keep::{COMMENT, SCOPE_LIST};
use crate::shape::{Fault, Member, Presence, Shape, Step, object_of};
use crate::vault::Reference;

use Presence::Default;

const VALUE: &str = "value";

pub(super) const STORES: Way = Way::Own { members: &[], declare: declare_store, make: make_store };

static MEMBERS: &[Member] = &[
    Member::of(VALUE, Shape::TEXT, Default("\"***\""), "`env:NAME`, `file:/path`, or `***`: the value that is there."),
    Member::of("scopes", SCOPE_LIST, Default("[\"ai_gateway\"]"), "Who may use it; gateways: ai_gateway."),
    COMMENT,
];

pub(super) const SECRETS: Way = Way::Own { members: MEMBERS, declare: declare_secret, make: make_secret };

fn declare_store(document: &Document, _: &World) -> Result<(String, Fields), DeskError> {
    let store: SecretStore = read(document)?;
    Ok((store.name, Map::new()))
}

fn make_store(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    check_name(making.name).map_err(failed)?;
    let now_ms = making.desk.now_ms();
    let before: Option<SecretStore> = making.before.map(read).transpose().map_err(failed)?;
    let made = match before {
        Some(before) => before,
        None => SecretStore {
            id: making.id.map(str::to_owned).map_or_else(secret::new_id, Ok).map_err(failed)?,
            name: making.name.to_owned(),
            created_at: now_ms,
            modified_at: now_ms,
        },
    };
    store_document(&made).map_err(failed)
}

fn declare_secret(document: &Document, _: &World) -> Result<(String, Fields), DeskError> {
    let kept: StoredSecret = read(document)?;
    let mut fields = Map::new();
    let value = match &kept.value {
        Kept::Reference(text) => text.as_str(),
        Kept::Sealed(_) | Kept::Absent => HIDDEN,
    };
    fields.insert(VALUE.to_owned(), value.into());
    if kept.scopes != [GATEWAY_SCOPE] {
        fields.insert("scopes".to_owned(), json!(kept.scopes));
    }
    fields.extend(kept.comment.map(|comment| ("comment".to_owned(), comment.into())));
    Ok((kept.name, fields))
}

fn make_secret(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    let store = making.store()?;
    let mut faults = Vec::new();
    let said = object_of(MEMBERS, making.fields, &mut Vec::<Step>::new(), &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    let texts = |name: &str| said.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let scopes: Vec<String> = texts("scopes").map(str::to_owned).collect();
    let comment = said.get("comment").and_then(Value::as_str).map(str::to_owned);
    check(making.name, &scopes, comment.as_deref()).map_err(failed)?;
    let now_ms = making.desk.now_ms();
    let before: Option<StoredSecret> = making.before.map(read).transpose().map_err(failed)?;
    let mut made = match before {
        Some(before) => StoredSecret { modified_at: now_ms.max(before.modified_at + 1), ..before },
        None => StoredSecret {
            id: making.id.map(str::to_owned).map_or_else(secret::new_id, Ok).map_err(failed)?,
            store_id: store.id.clone(),
            name: making.name.to_owned(),
            scopes: Vec::new(),
            comment: None,
            value: Kept::Absent,
            preview: HIDDEN.to_owned(),
            bound: None,
            created_at: now_ms,
            modified_at: now_ms,
        },
    };
    (made.scopes, made.comment) = (scopes, comment);
    put(making, &mut made, said.get(VALUE).and_then(Value::as_str).unwrap_or(HIDDEN))?;
    document(&made).map_err(failed)
}

/// What it is bound to is found out once everything of the file is there.
fn put(making: &Making<'_>, made: &mut StoredSecret, said: &str) -> Result<(), Vec<Fault>> {
    let wrong = |message: String| vec![Fault::new([VALUE], message)];
    match (&made.value, said) {
        (Kept::Reference(there), said) if there == said => Ok(()),
        // A reference that the file does not say any more is no value to keep.
        (Kept::Reference(_), HIDDEN) => {
            (made.value, made.preview) = (Kept::Absent, HIDDEN.to_owned());
            Ok(())
        }
        (_, HIDDEN) => Ok(()),
        (_, said) if Reference::read(said).is_none() => Err(wrong(format!(
            "A file holds no secrets: write env:NAME, file:/path, or {HIDDEN} and store the value with `tollgate key rotate` or over the API"
        ))),
        (_, said) => {
            let account = making.desk.account().map_err(failed)?;
            making.desk.put_value(&account, made, &Secret::new(said)).map_err(|cause| wrong(cause.to_string()))?;
            made.bound = None;
            Ok(())
        }
    }
}
