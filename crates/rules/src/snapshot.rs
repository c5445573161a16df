//! All settings of the installation, compiled: what a request holds for life.
//!
//! Enters: documents. Leaves: an immutable snapshot, or the problems that keep it from serving. Never: is changed in place.

use std::sync::Arc;

use hashbrown::HashMap;
use tollgate_model::Gateway;
use tollgate_model::gateway::DEFAULT_ID;
use tollgate_model::token::{Digest, Token};
use tollgate_wire::provider::Providers;

use crate::limit::Limit;
use crate::naming::Aliases;
use crate::options::Manners;

#[derive(Debug)]
pub struct Snapshot {
    /// Grows with each change.
    pub version: u64,
    /// The account that records and cache scopes name.
    pub account: Arc<str>,
    /// Empty: every well-formed account segment names the one account of this installation.
    pub accounts: Vec<String>,
    pub manners: Manners,
    pub providers: Arc<Providers>,
    /// The operator's own names for models.
    pub aliases: Arc<Aliases>,
    gateways: HashMap<String, Arc<GatewayRules>, ahash::RandomState>,
    tokens: HashMap<Digest, Arc<Token>, ahash::RandomState>,
}

/// A gateway as the engine reads it.
#[derive(Debug)]
pub struct GatewayRules {
    pub id: Arc<str>,
    pub settings: Gateway,
    pub limit: Option<Limit>,
}

/// What a snapshot is made of.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    pub account: String,
    pub accounts: Vec<String>,
    pub manners: Manners,
    pub providers: Arc<Providers>,
    pub aliases: Arc<Aliases>,
    pub gateways: Vec<Gateway>,
    pub tokens: Vec<Token>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{document}: {what}")]
pub struct Problem {
    pub document: String,
    pub what: String,
}

impl Snapshot {
    /// All problems at once, so that they can be mended at once.
    pub fn compile(version: u64, documents: Documents) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut tokens = HashMap::with_hasher(ahash::RandomState::new());
        for token in documents.tokens {
            match read_digest(&token.digest) {
                Some(digest) => drop(tokens.insert(digest, Arc::new(token))),
                None => problems.push(Problem {
                    document: format!("token {:?}", token.id),
                    what: "digest: expected 64 hexadecimal digits".to_owned(),
                }),
            }
        }
        let gateways = documents
            .gateways
            .into_iter()
            .map(|gateway| (gateway.id.clone(), Arc::new(GatewayRules::new(gateway))))
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let account = documents.account.into();
        Ok(Self {
            version,
            account,
            accounts: documents.accounts,
            manners: documents.manners,
            providers: documents.providers,
            aliases: documents.aliases,
            gateways,
            tokens,
        })
    }

    pub fn gateway(&self, id: &str) -> Option<&Arc<GatewayRules>> {
        self.gateways.get(id)
    }

    pub fn gateways(&self) -> impl Iterator<Item = &Arc<GatewayRules>> {
        self.gateways.values()
    }

    pub fn token(&self, digest: &Digest) -> Option<&Arc<Token>> {
        self.tokens.get(digest)
    }

    pub fn tokens(&self) -> impl Iterator<Item = &Arc<Token>> {
        self.tokens.values()
    }

    pub fn knows_account(&self, account: &str) -> bool {
        if self.accounts.is_empty() {
            is_well_formed(account)
        } else {
            self.accounts.iter().any(|each| each == account)
        }
    }
}

impl GatewayRules {
    fn new(settings: Gateway) -> Self {
        Self { id: settings.id.as_str().into(), limit: Limit::of_gateway(&settings), settings }
    }

    pub fn is_default(&self) -> bool {
        &*self.id == DEFAULT_ID
    }
}

/// What may stand as an account or gateway segment of a URL.
pub fn is_well_formed(segment: &str) -> bool {
    (1..=64).contains(&segment.len())
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::token;

    fn hex(digest: &Digest) -> String {
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn tokens_are_found_by_their_digest() {
        let mine = token::digest("tg_fake");
        let document = Token {
            id: "t".into(),
            name: "n".into(),
            permissions: vec![],
            digest: hex(&mine),
            hint: String::new(),
            created_at: 0,
            expires_at: None,
        };
        let snapshot = Snapshot::compile(1, Documents { tokens: vec![document], ..Documents::default() }).unwrap();
        assert_eq!(snapshot.token(&mine).unwrap().id, "t");
        assert!(snapshot.token(&token::digest("tg_other")).is_none());
    }

    #[test]
    fn a_document_that_cannot_serve_is_a_problem() {
        let broken = Token {
            id: "t".into(),
            name: "n".into(),
            permissions: vec![],
            digest: "zz".into(),
            hint: String::new(),
            created_at: 0,
            expires_at: None,
        };
        let problems = Snapshot::compile(1, Documents { tokens: vec![broken], ..Documents::default() }).unwrap_err();
        assert_eq!(problems[0].to_string(), "token \"t\": digest: expected 64 hexadecimal digits");
    }

    #[test]
    fn any_account_is_the_one_account_until_accounts_are_named() {
        let open = Snapshot::compile(1, Documents::default()).unwrap();
        assert!(open.knows_account("0123456789abcdef0123456789abcdef"));
        assert!(!open.knows_account("") && !open.knows_account("a/b"));
        let closed = Snapshot::compile(1, Documents { accounts: vec!["mine".into()], ..Documents::default() }).unwrap();
        assert!(closed.knows_account("mine") && !closed.knows_account("other"));
    }
}
