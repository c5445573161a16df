//! From documents to the keys of each gateway.
//!
//! Enters: provider configs, secrets with their values, providers. Leaves: keys by gateway. Never: fails as a whole: a key that cannot be used says so
//! when somebody asks for it, and all others serve.
//!
//! A key is found by its secret's name, `{gateway}_{provider}_{alias}`, with or without a config: secrets that other tools made are as good.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tollgate_model::gateway::{Gateway, Technique};
use tollgate_model::keep::{GATEWAY_SCOPE, ProviderConfig};
use tollgate_wire::provider::{ProviderRow, Providers};

use super::credential::{self, Values};
use super::{Keys, OpenSecret, StoredKey, Unusable};
use crate::limit::Limit;

/// Seconds, when a config says none.
const PERIOD_S: u64 = 60;

struct World<'a> {
    account: &'a str,
    providers: &'a Providers,
    gateways: HashMap<&'a str, &'a Gateway>,
    secrets: HashMap<&'a str, &'a OpenSecret>,
}

/// What is known of a key besides its secret.
struct Wanted<'a> {
    id: &'a str,
    alias: &'a str,
    is_default: bool,
    limit: Option<Limit>,
    values: &'a Values,
}

pub(crate) fn compile(
    account: &str,
    providers: &Providers,
    gateways: &[&Gateway],
    secrets: &[OpenSecret],
    configs: &[ProviderConfig],
) -> BTreeMap<String, Keys> {
    let world = World {
        account,
        providers,
        gateways: gateways.iter().map(|gateway| (gateway.id.as_str(), *gateway)).collect(),
        secrets: secrets.iter().map(|secret| (secret.stored.id.as_str(), secret)).collect(),
    };
    let mut keys: BTreeMap<String, Vec<StoredKey>> = BTreeMap::new();
    let mut taken: HashSet<(&str, &str, &str)> = HashSet::new();
    for config in configs {
        let name = (config.gateway.as_str(), config.provider_slug.as_str(), config.alias.as_str());
        if let Some(key) = world.of_config(config).filter(|_| taken.insert(name)) {
            keys.entry(config.gateway.clone()).or_default().push(key);
        }
    }
    for secret in secrets.iter().filter(|secret| secret.stored.scopes.iter().any(|scope| scope == GATEWAY_SCOPE)) {
        for (gateway, row, alias) in world.meanings(&secret.stored.name) {
            if !is_of_store(gateway, &secret.stored.store_id) {
                continue;
            }
            if taken.insert((gateway.id.as_str(), row.segment(), alias)) {
                let key = world.of_secret(gateway, row, alias, secret);
                keys.entry(gateway.id.clone()).or_default().push(key);
            }
        }
    }
    keys.into_iter().map(|(gateway, keys)| (gateway, Keys::new(keys))).collect()
}

impl<'a> World<'a> {
    /// `None`: its gateway or its provider is gone.
    fn of_config(&self, config: &ProviderConfig) -> Option<StoredKey> {
        let gateway = self.gateways.get(config.gateway.as_str()).copied();
        let gateway = gateway.filter(|gateway| gateway.internal_id == config.gateway_internal_id)?;
        let row = self.providers.get(&config.provider_slug)?;
        let secret = self.secrets.get(config.secret_id.as_str()).copied();
        let period_s = config.rate_limit_period.filter(|period| *period > 0).unwrap_or(PERIOD_S);
        let limit = config.rate_limit.filter(|limit| *limit > 0).map(|requests| Limit {
            requests,
            interval_ms: period_s.saturating_mul(1_000),
            technique: Technique::Fixed,
        });
        let wanted = Wanted {
            id: &config.id,
            alias: &config.alias,
            is_default: config.default_config,
            limit,
            values: &config.values,
        };
        Some(self.key(gateway, row, secret, &wanted))
    }

    fn of_secret(&self, gateway: &Gateway, row: &Arc<ProviderRow>, alias: &str, secret: &OpenSecret) -> StoredKey {
        let none = Values::new();
        let wanted = Wanted { id: &secret.stored.id, alias, is_default: false, limit: None, values: &none };
        self.key(gateway, row, Some(secret), &wanted)
    }

    fn meanings<'n>(&self, name: &'n str) -> Vec<Meaning<'a, 'n>> {
        meanings(name, |id| self.gateways.get(id).copied(), self.providers)
    }

    fn key(
        &self,
        gateway: &Gateway,
        row: &Arc<ProviderRow>,
        secret: Option<&OpenSecret>,
        wanted: &Wanted<'_>,
    ) -> StoredKey {
        let (mut row, mut origins) = (row.clone(), None);
        let read = || {
            let secret = secret.ok_or(Unusable::Gone)?;
            if !is_bound_here(gateway, &row, secret) {
                return Err(Unusable::Moved);
            }
            let value = secret.value.as_ref().map_err(|_| Unusable::Unreadable)?;
            let (credential, mut values) = credential::read(row.auth(), value).map_err(Unusable::Malformed)?;
            values.extend(wanted.values.clone());
            let filled = row.with_values(|name, _| values.get(name).cloned());
            let filled = filled.map_err(|bad| Unusable::Malformed(bad.to_string()))?;
            let origins = filled.owners_origins(self.account);
            if origins.as_ref().is_some_and(Vec::is_empty) {
                return Err(Unusable::Malformed("it does not say whose it is: give its resource".to_owned()));
            }
            Ok((credential, if values.is_empty() { None } else { Some(Arc::new(filled)) }, origins))
        };
        let credential = read().map(|(credential, filled, allowed)| {
            row = filled.unwrap_or_else(|| row.clone());
            origins = allowed;
            credential
        });
        StoredKey {
            id: wanted.id.into(),
            alias: wanted.alias.to_owned(),
            is_default: wanted.is_default,
            row,
            limit: wanted.limit,
            credential,
            origins,
        }
    }
}

/// A gateway, a provider, an alias.
type Meaning<'a, 'n> = (&'a Gateway, &'a Arc<ProviderRow>, &'n str);

/// What a secret's name can mean: gateways' names and aliases may hold the character that joins them.
pub(crate) fn meanings<'a, 'n>(
    name: &'n str,
    gateway: impl Fn(&str) -> Option<&'a Gateway>,
    providers: &'a Providers,
) -> Vec<Meaning<'a, 'n>> {
    let cuts = |text: &'n str| text.match_indices('_').map(move |(at, _)| (&text[..at], &text[at + 1..]));
    let mut meanings = Vec::new();
    for (id, rest) in cuts(name) {
        let Some(gateway) = gateway(id) else { continue };
        for (provider, alias) in cuts(rest) {
            if let Some(row) = providers.get(provider).filter(|_| !alias.is_empty()) {
                meanings.push((gateway, row, alias));
            }
        }
    }
    meanings
}

/// A gateway that names a store finds its keys there alone.
fn is_of_store(gateway: &Gateway, store: &str) -> bool {
    gateway.store_id.as_deref().is_none_or(|named| named.is_empty() || named == store)
}

/// Whether the provider is today where it was when the key was written. A secret that was made before its gateway is for the provider's own address.
fn is_bound_here(gateway: &Gateway, row: &ProviderRow, secret: &OpenSecret) -> bool {
    let today = row.fixed_origin();
    match &secret.stored.bound {
        Some(bound) => {
            bound.provider == row.segment()
                && bound.gateway_internal_id == gateway.internal_id
                && bound.origin == today.map(|origin| origin.text())
        }
        None => Providers::builtin().get(row.segment()).is_some_and(|own| own.fixed_origin() == today),
    }
}
