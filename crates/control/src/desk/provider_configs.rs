//! Gateways' own keys for providers: stored, rotated, deleted.
//!
//! Enters: bodies of the REST API. Leaves: provider configs as they are kept. Never: gives a key back, or keeps one that its provider cannot use.
//!
//! A config and its secret change in one step.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tollgate_model::keep::{GATEWAY_SCOPE, key_name};
use tollgate_model::{Gateway, ProviderConfig, Secret, StoredSecret};
use tollgate_rules::key;
use tollgate_rules::snapshot::Snapshot;
use tollgate_store::documents::Document;

use super::open::stored_secrets;
use super::read::{SECRET, read, write};
use super::secrets::{NewSecret, check_value, document as secret_document, named, rebound};
use super::stores::store_for;
use super::world::{Edit, World};
use super::{Desk, DeskError, secret};
use crate::keep;
use crate::shape::Fault;
use crate::vault::Reference;

pub const PROVIDER_CONFIG: &str = "provider config";

/// Of one gateway.
const CONFIGS_MAX: usize = 10_000;
pub(crate) const ALIAS_CHARS_MAX: usize = 64;

/// A config with its secret, which may be gone.
#[derive(Clone, Debug)]
pub struct Configured {
    pub config: ProviderConfig,
    pub secret: Option<StoredSecret>,
}

/// The members of a body, read.
struct Wanted {
    provider: String,
    alias: String,
    is_default: bool,
    secret: Option<Secret>,
    secret_id: Option<String>,
    rate_limit: Option<u64>,
    rate_limit_period: Option<u64>,
    values: BTreeMap<String, String>,
}

impl Desk {
    /// The newest first.
    pub fn provider_configs(&self, gateway: &Gateway) -> Result<Vec<Configured>, DeskError> {
        let world = self.now()?.world;
        let secrets = stored_secrets(&world)?;
        let mut all: Vec<Configured> = of_gateway(&world, gateway)?
            .into_iter()
            .map(|config| {
                let secret = secrets.iter().find(|secret| secret.id == config.secret_id);
                Configured { secret: secret.map(|secret| StoredSecret::clone(secret)), config }
            })
            .collect();
        all.sort_by(|a, b| b.config.created_at.cmp(&a.config.created_at).then_with(|| a.config.id.cmp(&b.config.id)));
        Ok(all)
    }

    pub fn provider_config(&self, gateway: &Gateway, id: &str) -> Result<Configured, DeskError> {
        let mut all = self.provider_configs(gateway)?.into_iter();
        all.find(|each| each.config.id == id).ok_or(DeskError::Missing(PROVIDER_CONFIG))
    }

    /// Why its key cannot be used as things are; `None`: it can.
    pub fn key_problem(&self, config: &ProviderConfig) -> Option<String> {
        let snapshot = self.current().ok()?;
        let key = snapshot.gateway(&config.gateway)?.keys.named(&config.provider_slug, &config.alias)?.clone();
        key.check().err().map(|unusable| unusable.to_string())
    }

    /// From the body of a create: provider, alias, and a key or the id of a secret that holds one.
    pub fn create_provider_config(&self, gateway: &Gateway, body: &Value) -> Result<Configured, DeskError> {
        let wanted = self.wanted(body)?;
        let (id, store_id, now_ms) = (secret::new_uuid()?, secret::new_id()?, self.now_ms());
        let snapshot = self.current()?;
        self.change_many(|world| {
            let others = of_gateway(world, gateway)?;
            if others.iter().any(|other| other.provider_slug == wanted.provider && other.alias == wanted.alias) {
                return Err(DeskError::Exists(PROVIDER_CONFIG));
            }
            if others.len() >= CONFIGS_MAX {
                let said = format!("A gateway has at most {CONFIGS_MAX} provider configs");
                return Err(DeskError::Faults(vec![Fault::new(["body"], said)]));
            }
            let mut config = ProviderConfig {
                id: id.clone(),
                gateway: gateway.id.clone(),
                gateway_internal_id: gateway.internal_id.clone(),
                provider_slug: wanted.provider.clone(),
                alias: wanted.alias.clone(),
                default_config: wanted.is_default,
                secret_id: String::new(),
                rate_limit: wanted.rate_limit,
                rate_limit_period: wanted.rate_limit_period,
                values: wanted.values.clone(),
                created_at: now_ms,
                modified_at: now_ms,
            };
            let (secret, mut edits) = match &wanted.secret {
                Some(value) => self.secret_for(world, &snapshot, gateway, &config, value, &store_id)?,
                None => secret_there(world, &snapshot, &config, wanted.secret_id.as_deref())?,
            };
            config.secret_id.clone_from(&secret.id);
            edits.extend(no_other_default(world, gateway, &config)?);
            edits.push(Edit { before: None, after: Some(document(&config)?) });
            Ok((edits, Configured { config, secret: Some(secret) }))
        })
    }

    /// From the body of an update: what it says changes, a `secret` is a rotation. Provider and alias stay: callers name them.
    pub fn update_provider_config(&self, gateway: &Gateway, id: &str, body: &Value) -> Result<Configured, DeskError> {
        let before = self.provider_config(gateway, id)?.config;
        let change = read_body(keep::CHANGE_MEMBERS, body)?;
        let value = text(&change, "secret").map(Secret::new);
        if let Some(value) = &value {
            self.check_key(&before.provider_slug, value)?;
        }
        let (store_id, snapshot) = (secret::new_id()?, self.current()?);
        self.change_many(|world| {
            let document_before = world.find(PROVIDER_CONFIG, id).ok_or(DeskError::Missing(PROVIDER_CONFIG))?;
            let mut config: ProviderConfig = read(document_before)?;
            change_members(&mut config, &change);
            config.modified_at = self.now_ms().max(config.modified_at + 1);
            let there = world.find(SECRET, &config.secret_id).map(read::<StoredSecret>).transpose()?;
            let (secret, mut edits) = match &value {
                Some(value) => {
                    let (secret, edits) = self.secret_for(world, &snapshot, gateway, &config, value, &store_id)?;
                    (Some(secret), edits)
                }
                None => (there, Vec::new()),
            };
            if let Some(secret) = &secret {
                config.secret_id.clone_from(&secret.id);
            }
            edits.extend(no_other_default(world, gateway, &config)?);
            edits.push(Edit { before: Some(document_before.clone()), after: Some(document(&config)?) });
            Ok((edits, Configured { config, secret }))
        })
    }

    /// Its secret goes with it when it carries the name that was made for it.
    pub fn delete_provider_config(&self, gateway: &Gateway, id: &str) -> Result<ProviderConfig, DeskError> {
        self.provider_config(gateway, id)?;
        self.change_many(|world| {
            let before = world.find(PROVIDER_CONFIG, id).ok_or(DeskError::Missing(PROVIDER_CONFIG))?;
            let config: ProviderConfig = read(before)?;
            let mut edits = vec![Edit { before: Some(before.clone()), after: None }];
            edits.extend(secret_of(world, &config)?.map(|before| Edit { before: Some(before), after: None }));
            Ok((edits, config))
        })
    }

    fn wanted(&self, body: &Value) -> Result<Wanted, DeskError> {
        let read = read_body(keep::NEW_MEMBERS, body)?;
        let wanted = Wanted {
            provider: text(&read, "provider_slug").unwrap_or_default().to_owned(),
            alias: text(&read, "alias").unwrap_or_default().to_owned(),
            is_default: read.get("default_config").is_some_and(is_true),
            secret: text(&read, "secret").map(Secret::new),
            secret_id: text(&read, "secret_id").map(str::to_owned),
            rate_limit: read.get("rate_limit").and_then(Value::as_u64),
            rate_limit_period: read.get("rate_limit_period").and_then(Value::as_u64),
            values: values(read.get("tollgate_values")),
        };
        let mut faults = Vec::new();
        if self.current()?.providers.get(&wanted.provider).is_none() {
            faults.push(Fault::new(["body", "provider_slug"], "Invalid: there is no such provider"));
        }
        if !is_alias(&wanted.alias) {
            let said = format!("Invalid: at most {ALIAS_CHARS_MAX} ASCII characters without spaces");
            faults.push(Fault::new(["body", "alias"], said));
        }
        if wanted.secret.is_none() && wanted.secret_id.is_none() {
            faults.push(Fault::new(["body", "secret"], "Required"));
        }
        if !faults.is_empty() {
            return Err(DeskError::Faults(faults));
        }
        if let Some(value) = &wanted.secret {
            self.check_key(&wanted.provider, value)?;
        }
        Ok(wanted)
    }

    /// Whether the provider can use it. What stands elsewhere may not be there yet.
    fn check_key(&self, provider: &str, value: &Secret) -> Result<(), DeskError> {
        check_value(value)?;
        let snapshot = self.current()?;
        let Some(row) = snapshot.providers.get(provider).filter(|_| Reference::read(value.expose()).is_none()) else {
            return Ok(());
        };
        let read = key::read(row.auth(), value).map(drop);
        read.map_err(|said| DeskError::Faults(vec![Fault::new(["body", "secret"], format!("Invalid: {said}"))]))
    }

    /// The secret of a config with this value: the one that is there by its name, or a new one.
    fn secret_for(
        &self,
        world: &World,
        snapshot: &Snapshot,
        gateway: &Gateway,
        config: &ProviderConfig,
        value: &Secret,
        new_store_id: &str,
    ) -> Result<(StoredSecret, Vec<Edit>), DeskError> {
        let found = store_for(world, gateway.store_id.as_deref(), new_store_id, self.now_ms())?;
        let no_such_store =
            || DeskError::Faults(vec![Fault::new(["body", "secret"], "The gateway's secrets store was not found")]);
        let (store, made_store) = found.ok_or_else(no_such_store)?;
        let (account, name) = (self.account()?, config.secret_name());
        let mut edits: Vec<Edit> = made_store.into_iter().collect();
        // The one it has, in whichever store that is.
        let own = world.find(SECRET, &config.secret_id).filter(|own| own.name == name);
        let there = match own {
            Some(own) => Some(read(own)?),
            None => named(world, &store, &name)?.map(|there| StoredSecret::clone(&there)),
        };
        let secret = match there {
            Some(mut secret) => {
                if !secret.scopes.iter().any(|scope| scope == GATEWAY_SCOPE) {
                    secret.scopes.push(GATEWAY_SCOPE.to_owned());
                }
                secret.bound = snapshot.binding(&name);
                secret.modified_at = self.now_ms().max(secret.modified_at + 1);
                self.put_value(&account, &mut secret, value)?;
                secret
            }
            None => {
                let scopes = vec![GATEWAY_SCOPE.to_owned()];
                self.new_secret(&account, &store, &NewSecret { name, scopes, value: value.clone(), comment: None })?
            }
        };
        let before = world.find(SECRET, &secret.id).cloned();
        edits.push(Edit { before, after: Some(secret_document(&secret)?) });
        Ok((secret, edits))
    }
}

/// A secret that somebody stored before: it must be for gateways, and carry the name by which this config's key is found. From now on it is
/// bound to what its provider is now, unless it was bound already.
fn secret_there(
    world: &World,
    snapshot: &Snapshot,
    config: &ProviderConfig,
    id: Option<&str>,
) -> Result<(StoredSecret, Vec<Edit>), DeskError> {
    let name = config.secret_name();
    let before = id.and_then(|id| world.find(SECRET, id));
    let secret = before.map(read::<StoredSecret>).transpose()?;
    let is_right =
        |secret: &StoredSecret| secret.name == name && secret.scopes.iter().any(|scope| scope == GATEWAY_SCOPE);
    let Some(mut secret) = secret.filter(is_right) else {
        let said =
            format!("The secret was not found: it must be active, have the scope {GATEWAY_SCOPE} and the name {name}");
        return Err(DeskError::Faults(vec![Fault::new(["body", "secret_id"], said)]));
    };
    let bound = rebound(secret.bound.as_ref(), snapshot.binding(&name), true);
    if secret.bound == bound {
        return Ok((secret, Vec::new()));
    }
    secret.bound = bound;
    let edit = Edit { before: before.cloned(), after: Some(secret_document(&secret)?) };
    Ok((secret, vec![edit]))
}

/// One key of a provider is the default, at most.
fn no_other_default(world: &World, gateway: &Gateway, config: &ProviderConfig) -> Result<Vec<Edit>, DeskError> {
    if !config.default_config {
        return Ok(Vec::new());
    }
    let others = of_gateway(world, gateway)?;
    let is_other = |other: &ProviderConfig| {
        other.default_config && other.provider_slug == config.provider_slug && other.id != config.id
    };
    let mut edits = Vec::new();
    for mut other in others.into_iter().filter(is_other) {
        other.default_config = false;
        let before = world.find(PROVIDER_CONFIG, &other.id).cloned();
        edits.push(Edit { before, after: Some(document(&other)?) });
    }
    Ok(edits)
}

/// The secrets that were made for a gateway's configs: they go when it goes.
pub(super) fn secrets_of_gateway(world: &World, gateway: &str) -> Result<Vec<Document>, DeskError> {
    let mut secrets: Vec<Document> = Vec::new();
    for held in world.of_kind(PROVIDER_CONFIG).filter(|held| held.document.parent == gateway) {
        let config: std::sync::Arc<ProviderConfig> = held.read()?;
        secrets.extend(secret_of(world, &config)?);
    }
    Ok(secrets)
}

fn secret_of(world: &World, config: &ProviderConfig) -> Result<Option<Document>, DeskError> {
    let Some(found) = world.find(SECRET, &config.secret_id) else { return Ok(None) };
    let secret: StoredSecret = read(found)?;
    let name = key_name(&config.gateway, &config.provider_slug, &config.alias);
    Ok((secret.name == name).then(|| found.clone()))
}

fn of_gateway(world: &World, gateway: &Gateway) -> Result<Vec<ProviderConfig>, DeskError> {
    let mut all = Vec::new();
    for held in world.of_kind(PROVIDER_CONFIG).filter(|held| held.document.parent == gateway.id) {
        let config: std::sync::Arc<ProviderConfig> = held.read()?;
        if config.gateway_internal_id == gateway.internal_id {
            all.push(ProviderConfig::clone(&config));
        }
    }
    Ok(all)
}

fn change_members(config: &mut ProviderConfig, change: &Map<String, Value>) {
    if let Some(flag) = change.get("default_config") {
        config.default_config = is_true(flag);
    }
    if let Some(limit) = change.get("rate_limit") {
        config.rate_limit = limit.as_u64();
    }
    if let Some(period) = change.get("rate_limit_period") {
        config.rate_limit_period = period.as_u64();
    }
    if change.contains_key("tollgate_values") {
        config.values = values(change.get("tollgate_values"));
    }
}

fn read_body(members: &[crate::shape::Member], body: &Value) -> Result<Map<String, Value>, DeskError> {
    let not_one = || DeskError::Faults(vec![Fault::new(["body"], "Expected object")]);
    let mut faults = Vec::new();
    let read =
        crate::shape::object_of(members, body.as_object().ok_or_else(not_one)?, &mut vec!["body".into()], &mut faults);
    if faults.is_empty() { Ok(read) } else { Err(DeskError::Faults(faults)) }
}

pub(crate) fn is_alias(text: &str) -> bool {
    (1..=ALIAS_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn text<'v>(read: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    read.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or(false)
}

pub(crate) fn values(value: Option<&Value>) -> BTreeMap<String, String> {
    let object = value.and_then(Value::as_object);
    let texts = object.into_iter().flatten().filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())));
    texts.collect()
}

pub(crate) fn document(config: &ProviderConfig) -> Result<Document, DeskError> {
    let document = write(PROVIDER_CONFIG, &config.id, &config.alias, config)?;
    Ok(Document { parent: config.gateway.clone(), ..document })
}
