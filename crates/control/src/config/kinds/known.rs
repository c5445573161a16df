//! Stores and secrets that things in a file may refer to.
//!
//! Enters: what there is, and what the file has made so far. Leaves: ids by name. Never: a value.

use std::collections::{HashMap, HashSet};

use tollgate_model::{SecretStore, StoredSecret};
use tollgate_store::documents::Document;

use crate::desk::DeskError;
use crate::desk::open::{stored_secrets, stored_stores};
use crate::desk::read::{SECRET, STORE, read};
use crate::desk::world::World;

#[derive(Default)]
pub(crate) struct Known {
    /// Ids by name.
    stores: HashMap<String, String>,
    /// Ids by store and name.
    secrets: HashMap<(String, String), String>,
    /// Ids by name, whatever the store: a gateway that names no store finds its keys in any.
    anywhere: HashMap<String, String>,
    ids: HashSet<String>,
}

// === impl Known ===

impl Known {
    pub(crate) fn there(world: &World) -> Result<Self, DeskError> {
        let mut known = Self::default();
        stored_stores(world)?.iter().for_each(|store| known.add_store(store));
        stored_secrets(world)?.iter().for_each(|secret| known.add_secret(secret));
        Ok(known)
    }

    /// What was made from the file.
    pub(crate) fn add(&mut self, made: &Document) -> Result<(), DeskError> {
        match made.kind.as_str() {
            STORE => self.add_store(&read(made)?),
            SECRET => self.add_secret(&read(made)?),
            _ => {}
        }
        Ok(())
    }

    fn add_store(&mut self, store: &SecretStore) {
        self.stores.insert(store.name.clone(), store.id.clone());
    }

    fn add_secret(&mut self, secret: &StoredSecret) {
        self.ids.insert(secret.id.clone());
        self.anywhere.entry(secret.name.clone()).or_insert_with(|| secret.id.clone());
        self.secrets.insert((secret.store_id.clone(), secret.name.clone()), secret.id.clone());
    }

    pub(crate) fn store(&self, name: &str) -> Option<&String> {
        self.stores.get(name)
    }

    /// In the store of this id.
    pub(crate) fn secret(&self, store: Option<&str>, name: &str) -> Option<String> {
        match store.filter(|store| !store.is_empty()) {
            Some(store) => self.secrets.get(&(store.to_owned(), name.to_owned())).cloned(),
            None => self.anywhere.get(name).cloned(),
        }
    }

    pub(crate) fn has_secret(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}
