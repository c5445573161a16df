//! Stores of secrets: made, listed, deleted.
//!
//! Enters: names. Leaves: stores as they are kept. Never: deletes one with secrets in it unasked.

use tollgate_model::SecretStore;
use tollgate_store::documents::Document;

use super::open::{stored_secrets, stored_stores};
use super::read::{SECRET, STORE, read, write};
use super::world::{Edit, World};
use super::{Change, Desk, DeskError, SecretsFault, secret};
use crate::vault::default_store;

const STORES_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 256;

impl Desk {
    /// The oldest first.
    pub fn stores(&self) -> Result<Vec<SecretStore>, DeskError> {
        let world = self.now()?.world;
        Ok(stored_stores(&world)?.iter().map(|store| SecretStore::clone(store)).collect())
    }

    pub fn store(&self, id: &str) -> Result<SecretStore, DeskError> {
        let world = self.now()?.world;
        read(world.find(STORE, id).ok_or_else(no_store)?)
    }

    pub fn create_store(&self, name: &str) -> Result<SecretStore, DeskError> {
        check_name(name)?;
        let now_ms = self.now_ms();
        let made =
            SecretStore { id: secret::new_id()?, name: name.to_owned(), created_at: now_ms, modified_at: now_ms };
        self.change_many(|world| {
            let stores = stored_stores(world)?;
            if stores.iter().any(|store| store.name == made.name) {
                return Err(SecretsFault::taken(format!("store_name_already_exists: {}", made.name)));
            }
            if stores.len() >= STORES_MAX {
                return Err(SecretsFault::taken("maximum_stores_exceeded"));
            }
            Ok((vec![Edit { before: None, after: Some(document(&made)?) }], made.clone()))
        })
    }

    /// With `force`, its secrets go with it.
    pub fn delete_store(&self, id: &str, force: bool) -> Result<SecretStore, DeskError> {
        self.change_many(|world| {
            let before = world.find(STORE, id).ok_or_else(no_store)?;
            let mut edits = vec![Edit { before: Some(before.clone()), after: None }];
            for secret in stored_secrets(world)?.iter().filter(|secret| secret.store_id == id) {
                edits.push(Edit { before: world.find(SECRET, &secret.id).cloned(), after: None });
            }
            if edits.len() > 1 && !force {
                return Err(SecretsFault::conflict("store_not_empty"));
            }
            Ok((edits, read(before)?))
        })
    }

    /// The first store, made when there is none: to be called at start, so that clients find one.
    pub fn ensure_store(&self) -> Result<SecretStore, DeskError> {
        if let Some(store) = self.stores()?.into_iter().next() {
            return Ok(store);
        }
        let made = default_store(secret::new_id()?, self.now_ms());
        self.change(STORE, &made.id, |_| Ok(Change::to(document(&made)?, made.clone())))
    }
}

/// Where a gateway's keys are kept: the store that it names, or else the first; with the edit that makes one when there is none.
pub(super) fn store_for(
    world: &World,
    named: Option<&str>,
    new_id: &str,
    now_ms: u64,
) -> Result<Option<(String, Option<Edit>)>, DeskError> {
    let stores = stored_stores(world)?;
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return Ok(stores.iter().find(|store| store.id == named).map(|store| (store.id.clone(), None)));
    }
    if let Some(store) = stores.first() {
        return Ok(Some((store.id.clone(), None)));
    }
    let made = default_store(new_id.to_owned(), now_ms);
    Ok(Some((made.id.clone(), Some(Edit { before: None, after: Some(document(&made)?) }))))
}

pub(crate) fn check_name(name: &str) -> Result<(), DeskError> {
    if name.trim().is_empty() {
        return Err(SecretsFault::invalid("store_name_empty"));
    }
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(SecretsFault::invalid("store_name_invalid"));
    }
    Ok(())
}

pub(super) fn no_store() -> DeskError {
    SecretsFault::missing("store_not_found")
}

pub(crate) fn document(store: &SecretStore) -> Result<Document, DeskError> {
    write(STORE, &store.id, &store.name, store)
}
