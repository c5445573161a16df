//! All tokens of the installation, found by what callers show.
//!
//! Enters: token documents. Leaves: passes by the digest of a secret. Never: forgets a digest that a document still holds, in force or not.

use std::sync::Arc;

use hashbrown::HashMap;
use tollgate_model::token::{Digest, Token};

use super::Problem;
use crate::scope::{Link, Pass};

#[derive(Debug, Default)]
pub(super) struct Passes {
    secrets: HashMap<Digest, Secret, ahash::RandomState>,
    /// By id. The next snapshot takes over those whose document is the same one.
    links: HashMap<String, Arc<Link>, ahash::RandomState>,
}

#[derive(Debug)]
struct Secret {
    pass: Arc<Pass>,
    /// Of the secret before the last roll: until when both are good.
    until_ms: Option<u64>,
}

// === impl Passes ===

impl Passes {
    pub(super) fn compile(last: Option<&Self>, tokens: Vec<Arc<Token>>, problems: &mut Vec<Problem>) -> Self {
        let mut all = Self::default();
        all.links.reserve(tokens.len());
        all.secrets.reserve(tokens.len());
        for token in tokens {
            let id = token.id.clone();
            let known = last.and_then(|last| last.links.get(&id)).filter(|link| Arc::ptr_eq(&link.token, &token));
            match known.map_or_else(|| Link::compile(token.clone()).map(Arc::new), |link| Ok(link.clone())) {
                Ok(link) => drop(all.links.insert(id, link)),
                Err(what) => problems.push(Problem { document: format!("token {id:?}"), what }),
            }
        }
        for link in all.links.values() {
            let pass = Arc::new(Pass::new(link, &|id| all.links.get(id).cloned()));
            if let Err(what) = add(&mut all.secrets, pass) {
                problems.push(Problem { document: format!("token {:?}", link.token.id), what });
            }
        }
        all
    }

    pub(super) fn known(&self, digest: &Digest) -> Option<&Arc<Token>> {
        self.secrets.get(digest).map(|secret| &secret.pass.token)
    }

    pub(super) fn good(&self, digest: &Digest, now_ms: u64) -> Option<&Arc<Pass>> {
        let secret = self.secrets.get(digest)?;
        let is_good = secret.until_ms.is_none_or(|until| now_ms < until) && secret.pass.is_in_force(now_ms);
        is_good.then_some(&secret.pass)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Pass>> {
        self.secrets.values().filter(|secret| secret.until_ms.is_none()).map(|secret| &secret.pass)
    }
}

fn add(secrets: &mut HashMap<Digest, Secret, ahash::RandomState>, pass: Arc<Pass>) -> Result<(), String> {
    let read = |hex: &str| read_digest(hex).ok_or_else(|| "digest: expected 64 hexadecimal digits".to_owned());
    if let Some(previous) = &pass.token.previous {
        secrets.insert(read(&previous.digest)?, Secret { pass: pass.clone(), until_ms: Some(previous.until) });
    }
    secrets.insert(read(&pass.token.digest)?, Secret { pass, until_ms: None });
    Ok(())
}

fn read_digest(hex: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (place, pair) in digest.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *place = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}
