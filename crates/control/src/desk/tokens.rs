//! Tokens: made, listed, revoked.
//!
//! Enters: a name and permissions. Leaves: the secret, once. Never: stores it: only its digest is kept.

use tollgate_model::Secret;
use tollgate_model::token::{Permission, Token};
use tollgate_rules::token::digest;

use super::read::{TOKEN, read, write};
use super::{Change, Desk, DeskError, secret};
use crate::shape::Fault;

const NAME_CHARS_MAX: usize = 120;
const TOKENS_MAX: usize = 100_000;

/// What a new token shall be.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub permissions: Vec<Permission>,
    /// Milliseconds from now; `None`: until it is deleted.
    pub lives_ms: Option<u64>,
}

/// A new token with its secret, which nobody can show again.
#[derive(Debug)]
pub struct Made {
    pub token: Token,
    pub secret: Secret,
}

impl Desk {
    pub fn create_token(&self, wanted: Wanted) -> Result<Made, DeskError> {
        check(&wanted, self.current()?.tokens().count())?;
        let secret = secret::new_token()?;
        let now_ms = self.now_ms();
        let mut permissions = wanted.permissions;
        permissions.sort_unstable();
        permissions.dedup();
        let token = Token {
            id: secret::new_id()?,
            name: wanted.name,
            permissions,
            digest: secret::hex(&digest(secret.expose())),
            hint: secret::hint(&secret),
            created_at: now_ms,
            expires_at: wanted.lives_ms.map(|lives_ms| now_ms.saturating_add(lives_ms)),
            ..Token::default()
        };
        let document = write(TOKEN, &token.id, &token.name, &token)?;
        self.change(TOKEN, &token.id, |before| match before {
            Some(_) => Err(DeskError::Exists(TOKEN)),
            None => Ok(Change::to(document.clone(), ())),
        })?;
        Ok(Made { token, secret })
    }

    /// The newest first.
    pub fn tokens(&self) -> Result<Vec<Token>, DeskError> {
        let mut all: Vec<Token> = self.current()?.tokens().map(|token| Token::clone(token)).collect();
        all.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    /// Revokes a token: it is refused from the next snapshot on.
    pub fn delete_token(&self, id: &str) -> Result<Token, DeskError> {
        self.change(TOKEN, id, |before| Ok(Change::gone(read(before.ok_or(DeskError::Missing(TOKEN))?)?)))
    }
}

fn check(wanted: &Wanted, there: usize) -> Result<(), DeskError> {
    let mut faults = Vec::new();
    let chars = wanted.name.trim().chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&chars) {
        faults.push(Fault::new(["name"], format!("a token needs a name of 1 to {NAME_CHARS_MAX} characters")));
    }
    if wanted.permissions.is_empty() {
        let names: Vec<&str> = Permission::ALL.iter().map(|(name, _)| *name).collect();
        faults.push(Fault::new(["permissions"], format!("at least one of {}", names.join(", "))));
    }
    if there >= TOKENS_MAX {
        faults.push(Fault::new(["name"], format!("an installation has at most {TOKENS_MAX} tokens")));
    }
    if faults.is_empty() { Ok(()) } else { Err(DeskError::Faults(faults)) }
}
