//! Who may.
//!
//! Enters: the headers of a request and what its row of the table needs. Leaves: the caller, or why not.
//! Never: tells a stranger whether an account or a gateway exists: the token is looked at first.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use tollgate_model::token::{Permission, Token};
use tollgate_rules::snapshot::Snapshot;
use tollgate_rules::token::{LEN_MAX, digest};

use crate::problem::Problem;

/// The least that a token must allow. A row of the table cannot be written without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Any token that is valid: it asks about itself.
    Token,
    /// Rows, but neither prompts nor answers.
    Metadata,
    /// Everything that can be read.
    Read,
    /// Everything that can be changed.
    Write,
}

#[derive(Clone, Debug)]
pub struct Caller {
    pub token: Arc<Token>,
    pub may_read_bodies: bool,
}

/// Where clients without a bearer token put their key. Any of them may hold a token of ours.
const LEGACY: [&str; 2] = ["x-auth-key", "x-auth-user-service-key"];

// === impl Needs ===

impl Needs {
    pub fn enough(self) -> &'static [Permission] {
        match self {
            Self::Token => &[Permission::Run, Permission::Read, Permission::ReadMetadata, Permission::Write],
            Self::Metadata => &[Permission::Read, Permission::ReadMetadata, Permission::Write],
            Self::Read => &[Permission::Read, Permission::Write],
            Self::Write => &[Permission::Write],
        }
    }

    fn met_by(self, token: &Token) -> bool {
        self.enough().iter().any(|permission| token.permissions.contains(permission))
    }
}

/// The token that a request names. A bearer token counts before the legacy headers: SDKs may send all at once.
pub(crate) fn presented(headers: &HeaderMap) -> Result<String, Problem> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Problem::malformed_authorization())?;
        return bearer(text).map(str::to_owned).ok_or_else(Problem::malformed_authorization);
    }
    let mut keys = LEGACY.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    keys.find(|key| !key.is_empty() && key.len() <= LEN_MAX).map(str::to_owned).ok_or_else(Problem::unauthenticated)
}

fn bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.trim().split_once(' ')?;
    let token = token.trim();
    let well_formed = !token.is_empty() && token.len() <= LEN_MAX && !token.contains(char::is_whitespace);
    (scheme.eq_ignore_ascii_case("bearer") && well_formed).then_some(token)
}

pub(crate) fn caller(
    snapshot: &Snapshot,
    presented: &str,
    needs: Needs,
    account: Option<&str>,
    now_ms: u64,
) -> Result<Caller, Problem> {
    let known = snapshot.token(&digest(presented)).filter(|token| token.expires_at.is_none_or(|end| now_ms < end));
    let token = known.ok_or_else(Problem::unauthenticated)?;
    if !needs.met_by(token) || account.is_some_and(|account| !snapshot.knows_account(account)) {
        return Err(Problem::forbidden());
    }
    Ok(Caller { token: token.clone(), may_read_bodies: Needs::Read.met_by(token) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_one_word() {
        for (text, token) in [
            ("Bearer tg_fake", Some("tg_fake")),
            ("bearer  tg_fake ", Some("tg_fake")),
            ("Basic dTpw", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer a b", None),
            ("tg_fake", None),
        ] {
            assert_eq!(bearer(text), token, "{text:?}");
        }
    }
}
