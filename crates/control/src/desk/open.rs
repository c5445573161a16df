//! Stored secrets with their values, for the snapshot.
//!
//! Enters: documents, a vault. Leaves: values in memory that is wiped, or why there is none. Never: opens an envelope twice, or fails as a whole for one
//! that cannot be opened: all other keys serve.

use std::collections::HashMap;
use std::sync::Arc;

use tollgate_model::keep::{Kept, StoredSecret};
use tollgate_model::{Secret, SecretStore};
use tollgate_rules::key::OpenSecret;

use super::read::{SECRET, STORE};
use super::world::{Held, World};
use super::{Desk, DeskError, Stamps, veil};
use crate::vault::{Place, Vault, VaultError, sealed_with};

/// Values by secret, each with the document that it was opened from.
pub(super) type Opened = HashMap<String, (Arc<StoredSecret>, Secret)>;

impl Desk {
    pub(super) fn open_all(&self, world: &World) -> Result<Vec<OpenSecret>, DeskError> {
        let account = self.account()?;
        let mut before = self.opened.lock();
        let mut after = Opened::new();
        let mut all = Vec::new();
        for secret in stored_secrets(world)? {
            let known = before.get(&secret.id).filter(|(from, _)| Arc::ptr_eq(from, &secret));
            let value = match known {
                Some((_, value)) => Ok(value.clone()),
                None => self.open_one(&account, &secret),
            };
            if let (Ok(value), Kept::Sealed(_)) = (&value, &secret.value) {
                after.insert(secret.id.clone(), (secret.clone(), value.clone()));
            }
            all.push(OpenSecret { stored: StoredSecret::clone(&secret), value });
        }
        *before = after;
        Ok(all)
    }

    fn open_one(&self, account: &str, secret: &StoredSecret) -> Result<Secret, String> {
        let value = self.vault().and_then(|vault| Ok(vault.value(account, secret)?));
        value.map_err(|cause| {
            if self.vault.is_some() {
                tracing::error!(name = secret.name, "a stored secret cannot be used: {cause}");
            }
            cause.to_string()
        })
    }

    pub(super) fn vault(&self) -> Result<&Arc<Vault>, DeskError> {
        self.vault.as_ref().ok_or(DeskError::Vault(VaultError::Absent))
    }

    /// For what is kept elsewhere than among the secrets: only this installation opens it again, and only as what it was sealed for.
    pub(crate) fn seal(&self, place: &Place<'_>, value: &Secret) -> Result<String, DeskError> {
        Ok(self.vault()?.keyring().seal(place, value)?)
    }

    /// `None`: it was changed, is of another place, or sealed with a key that was turned away since.
    pub(crate) fn open_sealed(&self, place: &Place<'_>, envelope: &str) -> Option<Secret> {
        self.vault().ok()?.keyring().open(place, envelope).ok()
    }

    pub(super) fn stamps(&self, world: &World) -> Result<Stamps, DeskError> {
        let Some(vault) = &self.vault else { return Ok(Stamps::new()) };
        let secrets = stored_secrets(world)?;
        Ok(vault.stamps(secrets.iter().map(|secret| &**secret)))
    }

    /// The ids of the master keys that stored secrets need. Asked before there is a vault.
    pub fn sealed_with(&self) -> Result<Vec<String>, DeskError> {
        let (stored, changes) = self.documents.all()?;
        let mut ids = Vec::new();
        for document in &stored {
            ids.extend(veil::keys_of(document)?);
        }
        let world = World::default().renewed(stored, changes);
        let secrets = stored_secrets(&world)?;
        ids.extend(sealed_with(secrets.iter().map(|secret| &**secret)));
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// What other settings refer to instead of holding a value: a secret by name or id, `env:NAME`, `file:/path`. `None`: it refers to nothing.
    pub fn resolve(&self, reference: &str) -> Result<Option<Secret>, DeskError> {
        if crate::vault::Reference::read(reference).is_some() {
            return Ok(Some(self.vault()?.resolve(reference)?));
        }
        let snapshot = self.current()?;
        Ok(snapshot.secret(reference).and_then(|secret| secret.value.as_ref().ok().cloned()))
    }
}

/// What a store of this id is called.
pub(crate) fn store_name(world: &World, id: &str) -> Option<String> {
    world.find(STORE, id).map(|document| document.name.clone())
}

/// What a secret of this id is called.
pub(crate) fn secret_name(world: &World, id: &str) -> Option<String> {
    world.find(SECRET, id).map(|document| document.name.clone())
}

/// Whether a text is the name or id of a stored secret.
pub(crate) fn names_secret(world: &World, text: &str) -> bool {
    let is_named = |held: &Held| held.document.id == text || held.document.name == text;
    world.of_kind(SECRET).any(is_named)
}

pub(crate) fn stored_secrets(world: &World) -> Result<Vec<Arc<StoredSecret>>, DeskError> {
    world.of_kind(SECRET).map(|held| held.read()).collect()
}

/// The oldest first.
pub(crate) fn stored_stores(world: &World) -> Result<Vec<Arc<SecretStore>>, DeskError> {
    let mut stores = world.of_kind(STORE).map(|held| held.read()).collect::<Result<Vec<Arc<SecretStore>>, _>>()?;
    stores.sort_by(|a, b| a.created_at.cmp(&b.created_at).then_with(|| a.id.cmp(&b.id)));
    Ok(stores)
}
