//! Secrets in a store: made, changed, copied, deleted; sealed anew when the master key turns.
//!
//! Enters: names, scopes, values. Leaves: secrets as they are kept. Never: gives a value back.

use std::sync::Arc;

use tollgate_model::keep::Bound;
use tollgate_model::{Kept, Secret, StoredSecret};
use tollgate_store::documents::Document;

use super::open::{stored_secrets, stored_stores};
use super::read::{SECRET, read, write};
use super::stores::no_store;
use super::world::{Edit, World};
use super::{Desk, DeskError, SecretsFault, secret};
use crate::vault::{key_id_of, preview};

/// All of them are held in memory by each snapshot.
pub const SECRETS_MAX: usize = 20_000;
pub const SCOPES: &[&str] = &["workers", "ai_gateway", "dex", "access", "containers", "websearch"];
const NAME_CHARS_MAX: usize = 255;
const COMMENT_CHARS_MAX: usize = 1_024;
const VALUE_BYTES_MAX: usize = 65_536;

/// What a new secret shall be.
#[derive(Clone, Debug)]
pub struct NewSecret {
    pub name: String,
    pub scopes: Vec<String>,
    pub value: Secret,
    pub comment: Option<String>,
}

/// What shall be otherwise; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct SecretChange {
    pub scopes: Option<Vec<String>>,
    pub value: Option<Secret>,
    pub comment: Option<String>,
}

impl Desk {
    /// The newest first.
    pub fn secrets(&self, store: &str) -> Result<Vec<StoredSecret>, DeskError> {
        self.store(store)?;
        let world = self.now()?.world;
        let all = stored_secrets(&world)?;
        let mut of_store: Vec<StoredSecret> =
            all.iter().filter(|secret| secret.store_id == store).map(|secret| StoredSecret::clone(secret)).collect();
        of_store.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(of_store)
    }

    pub fn secret(&self, store: &str, id: &str) -> Result<StoredSecret, DeskError> {
        self.store(store)?;
        let world = self.now()?.world;
        read(find(&world, store, id)?)
    }

    pub fn secrets_count(&self) -> Result<usize, DeskError> {
        Ok(self.current()?.secrets().len())
    }

    /// All of them, or none.
    pub fn create_secrets(&self, store: &str, wanted: &[NewSecret]) -> Result<Vec<StoredSecret>, DeskError> {
        for new in wanted {
            check(&new.name, &new.scopes, new.comment.as_deref())?;
            check_value(&new.value)?;
        }
        let account = self.account()?;
        let mut made = Vec::with_capacity(wanted.len());
        for new in wanted {
            made.push(self.new_secret(&account, store, new)?);
        }
        self.insert_secrets(store, made)
    }

    /// Its value is written anew, so it is bound to what its provider is now.
    pub fn change_secret(&self, store: &str, id: &str, change: &SecretChange) -> Result<StoredSecret, DeskError> {
        let account = self.account()?;
        let snapshot = self.current()?;
        self.change_many(|world| {
            let before = find(world, store, id)?;
            let mut after: StoredSecret = read(before)?;
            if let Some(scopes) = &change.scopes {
                after.scopes.clone_from(scopes);
            }
            if let Some(comment) = &change.comment {
                after.comment = Some(comment.clone());
            }
            check(&after.name, &after.scopes, after.comment.as_deref())?;
            if let Some(value) = &change.value {
                check_value(value)?;
                after.bound = snapshot.binding(&after.name);
                self.put_value(&account, &mut after, value)?;
            }
            after.modified_at = self.now_ms().max(after.modified_at + 1);
            Ok((vec![Edit { before: Some(before.clone()), after: Some(document(&after)?) }], after))
        })
    }

    /// Under another name, with the same value.
    pub fn duplicate_secret(
        &self,
        store: &str,
        id: &str,
        (name, scopes, comment): (&str, &[String], Option<&str>),
    ) -> Result<StoredSecret, DeskError> {
        check(name, scopes, comment)?;
        let from = self.secret(store, id)?;
        let account = self.account()?;
        let value = match &from.value {
            Kept::Reference(text) => Secret::new(text.as_str()),
            Kept::Sealed(_) | Kept::Absent => self.vault()?.value(&account, &from)?,
        };
        let (name, scopes, comment) = (name.to_owned(), scopes.to_vec(), comment.map(str::to_owned));
        let mut made = self.new_secret(&account, store, &NewSecret { name, scopes, value, comment })?;
        made.bound = rebound(from.bound.as_ref(), made.bound, false);
        self.insert_secrets(store, vec![made])?.pop().ok_or_else(no_secret)
    }

    /// All of them, or none.
    pub fn delete_secrets(&self, store: &str, ids: &[&str]) -> Result<Vec<StoredSecret>, DeskError> {
        self.store(store)?;
        self.change_many(|world| {
            let mut edits: Vec<Edit> = Vec::with_capacity(ids.len());
            let mut gone = Vec::with_capacity(ids.len());
            for (_, id) in ids.iter().enumerate().filter(|(place, id)| !ids[..*place].contains(id)) {
                let before = find(world, store, id)?;
                gone.push(read(before)?);
                edits.push(Edit { before: Some(before.clone()), after: None });
            }
            Ok((edits, gone))
        })
    }

    /// Seals with the first master key what is sealed with another one. Each secret is one step: what was done before a crash stays done, and both
    /// keys open meanwhile. Returns how many were sealed anew, documents with secrets inside among them.
    pub fn reseal(&self) -> Result<usize, DeskError> {
        let account = self.account()?;
        let mut count = self.seal_settings()?;
        for secret in stored_secrets(&self.now()?.world)? {
            count += usize::from(self.reseal_one(&account, &secret.id)?);
        }
        Ok(count)
    }

    fn reseal_one(&self, account: &str, id: &str) -> Result<bool, DeskError> {
        let vault = self.vault()?;
        let current = vault.keyring().current().id().to_owned();
        self.change_many(|world| {
            let Some(before) = world.find(SECRET, id) else { return Ok((Vec::new(), false)) };
            let mut secret: StoredSecret = read(before)?;
            let is_old = matches!(&secret.value, Kept::Sealed(text) if key_id_of(text) != Some(&current));
            if !is_old {
                return Ok((Vec::new(), false));
            }
            let value = vault.value(account, &secret)?;
            secret.value = vault.seal(account, id, &value)?;
            Ok((vec![Edit { before: Some(before.clone()), after: Some(document(&secret)?) }], true))
        })
    }

    fn insert_secrets(&self, store: &str, made: Vec<StoredSecret>) -> Result<Vec<StoredSecret>, DeskError> {
        self.change_many(|world| {
            if stored_stores(world)?.iter().all(|known| known.id != store) {
                return Err(no_store());
            }
            let there = stored_secrets(world)?;
            if there.len() + made.len() > SECRETS_MAX {
                return Err(SecretsFault::taken("maximum_secrets_exceeded"));
            }
            for (place, new) in made.iter().enumerate() {
                let is_taken = |other: &StoredSecret| other.store_id == store && other.name == new.name;
                if there.iter().any(|other| is_taken(other)) || made[..place].iter().any(is_taken) {
                    return Err(SecretsFault::taken(format!("secret_name_already_exists: {}", new.name)));
                }
            }
            let insert = |secret| Ok(Edit { before: None, after: Some(document(secret)?) });
            Ok((made.iter().map(insert).collect::<Result<_, DeskError>>()?, made.clone()))
        })
    }

    pub(super) fn new_secret(&self, account: &str, store: &str, new: &NewSecret) -> Result<StoredSecret, DeskError> {
        let now_ms = self.now_ms();
        let mut made = StoredSecret {
            id: secret::new_id()?,
            store_id: store.to_owned(),
            name: new.name.clone(),
            scopes: new.scopes.clone(),
            comment: new.comment.clone(),
            value: Kept::Reference(String::new()),
            preview: String::new(),
            bound: self.current()?.binding(&new.name),
            created_at: now_ms,
            modified_at: now_ms,
        };
        self.put_value(account, &mut made, &new.value)?;
        Ok(made)
    }

    pub(crate) fn put_value(&self, account: &str, secret: &mut StoredSecret, value: &Secret) -> Result<(), DeskError> {
        secret.value = self.vault()?.keep(account, &secret.id, value)?;
        secret.preview = preview(value.expose());
        Ok(())
    }
}

pub(crate) fn document(secret: &StoredSecret) -> Result<Document, DeskError> {
    write(SECRET, &secret.id, &secret.name, secret)
}

/// A secret of this name in this store.
pub(super) fn named(world: &World, store: &str, name: &str) -> Result<Option<Arc<StoredSecret>>, DeskError> {
    let mut all = stored_secrets(world)?.into_iter();
    Ok(all.find(|secret| secret.store_id == store && secret.name == name))
}

/// What a value is bound to under another name or for another gateway: nobody writes it anew, so it goes nowhere that it could not go before.
pub(super) fn rebound(before: Option<&Bound>, today: Option<Bound>, may_bind: bool) -> Option<Bound> {
    match (before, today) {
        (Some(before), Some(today)) if before.provider == today.provider && before.origin == today.origin => {
            Some(today)
        }
        (Some(before), _) => Some(before.clone()),
        (None, today) => today.filter(|_| may_bind),
    }
}

pub(super) fn check_value(value: &Secret) -> Result<(), DeskError> {
    match value.expose().len() {
        0 => Err(SecretsFault::invalid("secret_value_empty")),
        1..=VALUE_BYTES_MAX => Ok(()),
        _ => Err(SecretsFault::invalid("secret_value_too_large")),
    }
}

fn find<'w>(world: &'w World, store: &str, id: &str) -> Result<&'w Document, DeskError> {
    let found = world.find(SECRET, id).ok_or_else(no_secret)?;
    let secret: StoredSecret = read(found)?;
    if secret.store_id == store { Ok(found) } else { Err(no_secret()) }
}

fn no_secret() -> DeskError {
    SecretsFault::missing("secret_not_found")
}

pub(crate) fn check(name: &str, scopes: &[String], comment: Option<&str>) -> Result<(), DeskError> {
    if name.is_empty() {
        return Err(SecretsFault::invalid("secret_name_empty"));
    }
    let is_plain = !name.chars().any(|char| char.is_control() || char.is_whitespace());
    if !is_plain || name.chars().count() > NAME_CHARS_MAX {
        return Err(SecretsFault::invalid("secret_name_invalid: no spaces, at most 255 characters"));
    }
    if scopes.is_empty() {
        return Err(SecretsFault::invalid("secret_scopes_empty"));
    }
    if let Some(scope) = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
        let said = format!("secret_scope_invalid: {scope} is none of {}", SCOPES.join(", "));
        return Err(SecretsFault::invalid(said));
    }
    if comment.is_some_and(|comment| comment.chars().count() > COMMENT_CHARS_MAX) {
        return Err(SecretsFault::invalid("secret_comment_too_long"));
    }
    Ok(())
}
