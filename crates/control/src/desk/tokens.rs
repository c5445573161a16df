//! Tokens: made, changed, rolled, revoked.
//!
//! Enters: what a token shall be, and who wishes it. Leaves: the secret, once. Never: stores it (only its digest is kept), or lets anybody but an
//! administrator make, change or see a token that is not their own or made with their own.

use tollgate_model::Secret;
use tollgate_model::token::{Permission, Previous, Scope, Token};
use tollgate_rules::scope::{Pass, beyond};
use tollgate_rules::token::digest;
use tollgate_store::documents::Document;

use super::read::{TOKEN, read, write};
use super::world::{Edit, World};
use super::{Change, Desk, DeskError, secret};
use crate::shape::Fault;

mod check;

const TOKENS_MAX: usize = 100_000;
/// Both secrets of a roll are good for at most this long.
pub const GRACE_MS_MAX: u64 = 30 * 86_400_000;
const BOOTSTRAP: &str = "bootstrap";

/// What a token shall be.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub name: String,
    pub permissions: Vec<Permission>,
    /// Milliseconds from now; `None`: until it is deleted, or as `expires_at` says.
    pub lives_ms: Option<u64>,
    pub expires_at: Option<u64>,
    pub not_before: Option<u64>,
    pub disabled: bool,
    pub scope: Scope,
}

/// A new token with its secret, which nobody can show again.
#[derive(Debug)]
pub struct Made {
    pub token: Token,
    pub secret: Secret,
}

/// Who wishes: the operator at the machine itself, or the holder of a token.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    Operator,
    Holder(&'a Pass),
}

// === impl By ===

impl By<'_> {
    fn may_everything(self) -> bool {
        match self {
            Self::Operator => true,
            Self::Holder(pass) => pass.has(Permission::Admin),
        }
    }

    /// Whose existence it may know: its own, and those that were made with it.
    pub(crate) fn sees(self, other: &Pass) -> bool {
        self.may_everything()
            || matches!(self, Self::Holder(pass) if other.token.id == pass.token.id || other.is_under(&pass.token.id))
    }

    fn within(self, token: &Token) -> Result<(), DeskError> {
        let Self::Holder(pass) = self else { return Ok(()) };
        if self.may_everything() {
            return Ok(());
        }
        let said = "goes beyond what the token that asks for it may";
        let fault = |member: &str| Fault::new(["body", member], said);
        let mut members: Vec<&str> = pass.line().flat_map(|above| beyond(token, above)).collect();
        members.dedup();
        let faults: Vec<Fault> = members.into_iter().map(fault).collect();
        if faults.is_empty() { Ok(()) } else { Err(DeskError::Faults(faults)) }
    }
}

impl Desk {
    /// As the operator.
    pub fn create_token(&self, wanted: Wanted) -> Result<Made, DeskError> {
        self.create_token_by(wanted, By::Operator)
    }

    pub fn create_token_by(&self, wanted: Wanted, by: By<'_>) -> Result<Made, DeskError> {
        let now_ms = self.now_ms();
        check::all(&wanted)?;
        if self.current()?.tokens().count() >= TOKENS_MAX {
            let said = format!("an installation has at most {TOKENS_MAX} tokens");
            return Err(DeskError::Faults(vec![Fault::new(["body"], said)]));
        }
        let secret = secret::new_token()?;
        let bare = Token {
            id: secret::new_id()?,
            digest: secret::hex(&digest(secret.expose())),
            hint: secret::hint(&secret),
            created_at: now_ms,
            made_by: maker(by)?,
            ..Token::default()
        };
        let token = wanted.put_into(bare, now_ms);
        if token.expires_at.is_some_and(|end| end <= now_ms) {
            return Err(DeskError::Faults(vec![Fault::new(["body", "expires_on"], "must be in the future")]));
        }
        by.within(&token)?;
        let document = write(TOKEN, &token.id, &token.name, &token)?;
        self.change(TOKEN, &token.id, |before| match before {
            Some(_) => Err(DeskError::Exists(TOKEN)),
            None => Ok(Change::to(document.clone(), ())),
        })?;
        Ok(Made { token, secret })
    }

    /// At the very first start, and only then, and only where there is no token: one that may everything.
    pub fn seed_admin(&self) -> Result<Option<Made>, DeskError> {
        let mine = secret::new_id()?;
        if self.documents.settle_constant(BOOTSTRAP, &mine)? != mine || self.current()?.tokens().next().is_some() {
            return Ok(None);
        }
        let permissions = Permission::ALL.map(|(_, permission)| permission).to_vec();
        let wanted = Wanted { name: BOOTSTRAP.to_owned(), permissions, ..Wanted::default() };
        self.create_token(wanted).map(Some)
    }

    /// All but the secret becomes what `wish` makes of it.
    pub fn update_token(
        &self,
        id: &str,
        by: By<'_>,
        wish: impl Fn(Wanted) -> Result<Wanted, Vec<Fault>>,
    ) -> Result<Token, DeskError> {
        self.check_seen(id, by)?;
        self.change(TOKEN, id, |before| {
            let before: Token = read(before.ok_or(DeskError::Missing(TOKEN))?)?;
            let wanted = wish(Wanted::of(&before)).map_err(DeskError::Faults)?;
            check::all(&wanted)?;
            let modified = self.now_ms().max(before.modified_at.unwrap_or(before.created_at) + 1);
            let after = Token { modified_at: Some(modified), ..wanted.put_into(before, self.now_ms()) };
            by.within(&after)?;
            Ok(Change::to(write(TOKEN, &after.id, &after.name, &after)?, after))
        })
    }

    /// A new secret. The one before stays good for `grace_ms`; the one before that does not.
    pub fn roll_token(&self, id: &str, grace_ms: u64, by: By<'_>) -> Result<Made, DeskError> {
        self.check_seen(id, by)?;
        let secret = secret::new_token()?;
        let (new, hint) = (secret::hex(&digest(secret.expose())), secret::hint(&secret));
        let token = self.change(TOKEN, id, |before| {
            let before: Token = read(before.ok_or(DeskError::Missing(TOKEN))?)?;
            let now_ms = self.now_ms();
            let until = now_ms.saturating_add(grace_ms.min(GRACE_MS_MAX));
            let previous = Previous { digest: before.digest.clone(), hint: before.hint.clone(), until };
            let after = Token {
                digest: new.clone(),
                hint: hint.clone(),
                previous: Some(previous),
                modified_at: Some(now_ms),
                ..before
            };
            Ok(Change::to(write(TOKEN, &after.id, &after.name, &after)?, after))
        })?;
        Ok(Made { token, secret })
    }

    /// The newest first.
    pub fn tokens(&self) -> Result<Vec<Token>, DeskError> {
        self.tokens_for(By::Operator)
    }

    pub fn tokens_for(&self, by: By<'_>) -> Result<Vec<Token>, DeskError> {
        let snapshot = self.current()?;
        let seen = snapshot.passes().filter(|pass| by.sees(pass));
        let mut all: Vec<Token> = seen.map(|pass| Token::clone(&pass.token)).collect();
        all.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    pub fn token_for(&self, id: &str, by: By<'_>) -> Result<Token, DeskError> {
        let snapshot = self.current()?;
        let found = snapshot.passes().find(|pass| pass.token.id == id).filter(|pass| by.sees(pass));
        found.map(|pass| Token::clone(&pass.token)).ok_or(DeskError::Missing(TOKEN))
    }

    /// Revokes a token, and those that were made with it: they are refused from the next snapshot on.
    pub fn delete_token(&self, id: &str) -> Result<Token, DeskError> {
        self.delete_token_by(id, By::Operator)
    }

    pub fn delete_token_by(&self, id: &str, by: By<'_>) -> Result<Token, DeskError> {
        self.check_seen(id, by)?;
        self.change_many(|world| {
            let gone = world.find(TOKEN, id).ok_or(DeskError::Missing(TOKEN))?;
            let mut edits = vec![Edit { before: Some(gone.clone()), after: None }];
            edits.extend(made_with(world, id)?.into_iter().map(|below| Edit { before: Some(below), after: None }));
            Ok((edits, read(gone)?))
        })
    }

    fn check_seen(&self, id: &str, by: By<'_>) -> Result<(), DeskError> {
        self.token_for(id, by).map(drop)
    }
}

/// A person who is no administrator has no token that the new one could be bound to.
fn maker(by: By<'_>) -> Result<Option<String>, DeskError> {
    match by {
        By::Holder(pass) if !by.may_everything() && pass.token.digest.is_empty() => {
            Err(DeskError::Faults(vec![Fault::new(
                ["body"],
                "only an administrator may make tokens when logged in as a person",
            )]))
        }
        By::Holder(pass) if !by.may_everything() => Ok(Some(pass.token.id.clone())),
        _ => Ok(None),
    }
}

/// Directly or over others.
fn made_with(world: &World, id: &str) -> Result<Vec<Document>, DeskError> {
    let mut all = Vec::new();
    for held in world.of_kind(TOKEN) {
        all.push((held.read::<Token>()?, &held.document));
    }
    let mut gone = vec![id.to_owned()];
    let mut found = Vec::new();
    while let Some(maker) = gone.pop() {
        for (token, document) in all.iter().filter(|(token, _)| token.made_by.as_deref() == Some(&maker)) {
            gone.push(token.id.clone());
            found.push(Document::clone(document));
        }
    }
    Ok(found)
}

// === impl Wanted ===

impl Wanted {
    pub fn of(token: &Token) -> Self {
        Self {
            name: token.name.clone(),
            permissions: token.permissions.clone(),
            lives_ms: None,
            expires_at: token.expires_at,
            not_before: token.not_before,
            disabled: token.disabled,
            scope: token.scope.clone(),
        }
    }

    fn put_into(self, token: Token, now_ms: u64) -> Token {
        let mut permissions = self.permissions;
        permissions.sort_unstable();
        permissions.dedup();
        Token {
            name: self.name,
            permissions,
            expires_at: self.lives_ms.map(|lives_ms| now_ms.saturating_add(lives_ms)).or(self.expires_at),
            not_before: self.not_before,
            disabled: self.disabled,
            scope: self.scope,
            ..token
        }
    }
}
