//! Between stored documents and what a snapshot is made of.
//!
//! Enters: documents as JSON text. Leaves: gateways, tokens and routes. Never: skips one that cannot be read: a gateway that silently lost its settings
//! would be an open door.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tollgate_model::token::Token;
use tollgate_model::{Gateway, ProviderConfig};
use tollgate_rules::snapshot::Documents;
use tollgate_store::documents::{Document, Draft};

use super::world::World;
use super::{CUSTOM_DOMAIN, CUSTOM_PROVIDER, DeskError, POLICY, PROVIDER_CONFIG, ROUTE};

pub(crate) const GATEWAY: &str = "gateway";
pub(crate) const TOKEN: &str = "token";
pub(crate) const SECRET: &str = "secret";
pub(crate) const STORE: &str = "secret_store";

/// What goes when its gateway goes. Their parent is its id.
pub(super) const BELOW_GATEWAY: &[&str] = &[POLICY, ROUTE, CUSTOM_DOMAIN, PROVIDER_CONFIG];

/// Kinds that are not known here belong to later features and are left alone.
pub(super) fn read_all(world: &World, into: &mut Documents) -> Result<(), DeskError> {
    for held in world.all() {
        match held.document.kind.as_str() {
            GATEWAY => into.gateways.push(Gateway::clone(&*held.read()?)),
            TOKEN => into.tokens.push(Token::clone(&*held.read()?)),
            ROUTE => into.routes.push(held.read()?),
            PROVIDER_CONFIG => into.provider_configs.push(ProviderConfig::clone(&*held.read()?)),
            POLICY => into.policies.push(held.read()?),
            CUSTOM_PROVIDER => into.custom_providers.push(held.read()?),
            CUSTOM_DOMAIN => into.custom_domains.push(held.read()?),
            _ => {}
        }
    }
    Ok(())
}

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
