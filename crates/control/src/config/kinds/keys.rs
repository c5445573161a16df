//! Provider configs in the file: which key of a provider a gateway has, and how it is used.
//!
//! Enters: a stored config, or what a file says of one. Leaves: the other. Never: the key: that is the secret `GATEWAY_PROVIDER_ALIAS` of a store.

use serde_json::{Map, Value, json};
use tollgate_model::ProviderConfig;
use tollgate_store::documents::Document;

use super::{Fields, Making, Way, failed};
use crate::desk::provider_configs::{ALIAS_CHARS_MAX, document, is_alias, values};
use crate::desk::read::read;
use crate::desk::world::World;
use crate::desk::{DeskError, secret};
use crate::keep::FILE_MEMBERS;
use crate::shape::{Fault, Step, object_of};

pub(super) const WAY: Way = Way::Own { members: FILE_MEMBERS, declare, make };

/// No provider has it in its name; an alias may.
const BETWEEN: char = '/';

fn declare(document: &Document, _: &World) -> Result<(String, Fields), DeskError> {
    let config: ProviderConfig = read(document)?;
    let mut fields = Map::new();
    if config.default_config {
        fields.insert("default_config".to_owned(), true.into());
    }
    for (name, number) in [("rate_limit", config.rate_limit), ("rate_limit_period", config.rate_limit_period)] {
        fields.extend(number.map(|number| (name.to_owned(), number.into())));
    }
    if !config.values.is_empty() {
        fields.insert("tollgate_values".to_owned(), json!(config.values));
    }
    Ok((format!("{}{BETWEEN}{}", config.provider_slug, config.alias), fields))
}

fn make(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    let owner = making.gateway()?;
    let Some((provider, alias)) = making.name.split_once(BETWEEN).filter(|(_, alias)| is_alias(alias)) else {
        let said = format!(
            "its name is \"PROVIDER/ALIAS\"; an alias has at most {ALIAS_CHARS_MAX} ASCII characters without spaces"
        );
        return Err(failed(said));
    };
    let mut faults = Vec::new();
    let said = object_of(FILE_MEMBERS, making.fields, &mut Vec::<Step>::new(), &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    let now_ms = making.desk.now_ms();
    let before: Option<ProviderConfig> = making.before.map(read).transpose().map_err(failed)?;
    let id = before.as_ref().map(|before| before.id.clone()).or_else(|| making.id.map(str::to_owned));
    let mut made = ProviderConfig {
        id: id.map_or_else(secret::new_uuid, Ok).map_err(failed)?,
        gateway: owner.id.clone(),
        gateway_internal_id: owner.internal_id.clone(),
        provider_slug: provider.to_owned(),
        alias: alias.to_owned(),
        default_config: said.get("default_config").and_then(Value::as_bool).unwrap_or_default(),
        secret_id: String::new(),
        rate_limit: said.get("rate_limit").and_then(Value::as_u64),
        rate_limit_period: said.get("rate_limit_period").and_then(Value::as_u64),
        values: values(said.get("tollgate_values")),
        created_at: before.as_ref().map_or(now_ms, |before| before.created_at),
        modified_at: before.as_ref().map_or(now_ms, |before| now_ms.max(before.modified_at + 1)),
    };
    // A config may use a secret that was chosen by hand; without one it is found by its name.
    let chosen = before.map(|before| before.secret_id).filter(|id| making.known.has_secret(id));
    let named = || making.known.secret(owner.store_id.as_deref(), &made.secret_name());
    made.secret_id = chosen.or_else(named).unwrap_or_default();
    document(&made).map_err(failed)
}
