//! Between stored documents and what they mean.
//!
//! Enters: documents as JSON text. Leaves: gateways, tokens, routes. Never: skips one that cannot be read: a gateway that silently lost its settings
//! would be an open door.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tollgate_store::documents::{Document, Draft};

use super::DeskError;

pub(crate) const GATEWAY: &str = "gateway";
pub(crate) const TOKEN: &str = "token";
pub(crate) const SECRET: &str = "secret";
pub(crate) const STORE: &str = "secret_store";

pub(crate) fn read<T: DeserializeOwned>(document: &Document) -> Result<T, DeskError> {
    let damaged = |cause| DeskError::Damaged { kind: document.kind.clone(), id: document.id.clone(), cause };
    serde_json::from_str(&document.body).map_err(damaged)
}

pub(crate) fn write(kind: &str, id: &str, name: &str, value: &impl Serialize) -> Result<Document, DeskError> {
    let damaged = |cause| DeskError::Damaged { kind: kind.to_owned(), id: id.to_owned(), cause };
    let body = serde_json::to_string(value).map_err(damaged)?;
    let (kind, id, name) = (kind.to_owned(), id.to_owned(), name.to_owned());
    Ok(Document { kind, parent: String::new(), id, name, version: 0, body })
}

pub(super) fn draft(document: &Document) -> Draft<'_> {
    Draft {
        kind: &document.kind,
        parent: &document.parent,
        id: &document.id,
        name: &document.name,
        body: &document.body,
    }
}
