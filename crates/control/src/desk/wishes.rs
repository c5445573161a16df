//! Wishes that only the running server can meet: to forget answers that it has in memory.
//!
//! Enters: a wish of the command line, as a document. Leaves: the same document with how many answers were forgotten. Never: a connection: who may
//! write the settings may ask, and wherever the server listens it reads the settings.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tollgate_model::Gateway;
use tollgate_rules::snapshot::Snapshot;
use tollgate_store::answers::Purge;

use super::read::{draft, read, write};
use super::world::World;
use super::{Desk, DeskError, secret};
use crate::purge::named;

const PURGE: &str = "purge";
/// Who asked has waited or given up by then.
const KEPT_MS: u64 = 60_000;

/// Called with what must not be found in the cache any more, and the id of the wish that waits for it.
pub(crate) type Forget = Box<dyn Fn(Vec<Purge>, Option<String>) + Send + Sync>;

#[derive(Debug, Serialize, Deserialize)]
struct Wish {
    gateway: String,
    model: Option<String>,
    key: Option<String>,
    asked_ms: u64,
    purged: Option<u64>,
}

impl Desk {
    /// Leaves a wish to forget a gateway's answers, all or those of a model or under a chosen key. Returns its id.
    pub fn wish_purge(&self, gateway: &str, model: Option<&str>, key: Option<&str>) -> Result<String, DeskError> {
        let id = secret::new_id()?;
        let (model, key) = (model.map(str::to_owned), key.map(str::to_owned));
        let wish = Wish { gateway: gateway.to_owned(), model, key, asked_ms: self.now_ms(), purged: None };
        self.documents.put(draft(&write(PURGE, &id, gateway, &wish)?), Some(0))?;
        Ok(id)
    }

    /// How many answers were forgotten; `None` as long as no server has met the wish.
    pub fn wish_met(&self, id: &str) -> Result<Option<u64>, DeskError> {
        let found = self.documents.get(PURGE, "", id)?;
        Ok(found.map(|document| read::<Wish>(&document)).transpose()?.and_then(|wish| wish.purged))
    }

    /// Met or not, it is not waited for any more.
    pub fn drop_wish(&self, id: &str) -> Result<(), DeskError> {
        self.documents.delete(PURGE, "", id, None)?;
        Ok(())
    }

    /// `forget` hears of gateways that went, came anew, or were saved with the wish to purge, whichever process did it; and of wishes that were left.
    /// Only the first call counts.
    pub(crate) fn when_outdated(&self, forget: Forget) {
        drop(self.forget.set(forget));
    }

    /// To be called when a wish was met. Its document may be gone: nobody waited.
    pub(crate) fn meet_wish(&self, id: &str, purged: u64) -> Result<(), DeskError> {
        let Some(document) = self.documents.get(PURGE, "", id)? else { return Ok(()) };
        let wish = Wish { purged: Some(purged), ..read(&document)? };
        self.documents.put(draft(&write(PURGE, id, &wish.gateway, &wish)?), Some(document.version))?;
        Ok(())
    }

    pub(super) fn tell_outdated(&self, before: &Snapshot, after: &Snapshot) {
        let Some(forget) = self.forget.get() else { return };
        for old in before.custom_providers() {
            if after.custom_provider(&old.id).is_none_or(|new| !Arc::ptr_eq(old, new)) {
                forget(vec![Purge::of_provider(before.account.clone(), old.segment())], None);
            }
        }
        for old in before.gateways() {
            let stays = after.gateway(&old.id).is_some_and(|new| is_current(&old.settings, &new.settings));
            if !stays {
                forget(vec![Purge::of_gateway(before.account.clone(), old.id.clone())], None);
            }
        }
    }

    pub(super) fn tell_wishes(&self, world: &World, account: &str) {
        let Some(forget) = self.forget.get() else { return };
        for document in world.of_kind(PURGE).map(|held| &held.document) {
            match read::<Wish>(document) {
                Ok(wish) if wish.purged.is_none() => {
                    let purges = named(account, &wish.gateway, wish.model.as_deref(), wish.key.as_deref());
                    forget(purges, Some(document.id.clone()));
                }
                Ok(wish) if self.now_ms() < wish.asked_ms.saturating_add(KEPT_MS) => {}
                _ => drop(self.drop_wish(&document.id)),
            }
        }
    }
}

/// Whether answers that were cached under the old settings may still be used.
fn is_current(old: &Gateway, new: &Gateway) -> bool {
    let saved = old.modified_at != new.modified_at;
    old.internal_id == new.internal_id && !(saved && new.cache_invalidate_on_update)
}
