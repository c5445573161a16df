//! Who may.
//!
//! Enters: the headers of a request, where it comes from, and its row of the table. Leaves: the caller, or why not.
//! Never: tells a stranger whether an account or a gateway exists: the token is looked at first. Nor tells the holder of a token that is for some
//! gateways whether there are others.

use std::sync::Arc;

use axum::extract::Request;
use http::header::AUTHORIZATION;
use tollgate_model::Peer;
use tollgate_model::token::{Permission, Token};
use tollgate_rules::scope::Pass;
use tollgate_rules::snapshot::Snapshot;
use tollgate_rules::token::{LEN_MAX, digest};

use crate::call::Params;
use crate::people::{People, Person};
use crate::problem::Problem;
use crate::router::Parts;
use crate::row::Row;

/// The least that a token must allow. A row of the table cannot be written without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Any token that is valid: it asks about itself.
    Token,
    /// Rows, but neither prompts nor answers.
    Metadata,
    /// Everything of gateways that can be read.
    Read,
    /// Everything of gateways that can be changed.
    Write,
    /// What secrets there are; never their values.
    SecretsRead,
    SecretsWrite,
    /// A gateway's setting that holds a secret: both rights at once.
    WriteAndSecrets,
    /// What belongs to the account, such as its audit log.
    AccountRead,
    Analytics,
    LogsEdit,
    Admin,
}

/// Who asks, and from where.
#[derive(Clone, Debug)]
pub struct Caller {
    pub token: Arc<Token>,
    pub pass: Arc<Pass>,
    pub may_read_bodies: bool,
    /// Who is signed in, when it is no token that asks.
    pub person: Option<Person>,
}

/// Where clients without a bearer token put their key. Any of them may hold a token of ours.
const LEGACY: [&str; 2] = ["x-auth-key", "x-auth-user-service-key"];

// === impl Needs ===

impl Needs {
    pub const ALL: [Self; 11] = [
        Self::Token,
        Self::Metadata,
        Self::Read,
        Self::Write,
        Self::SecretsRead,
        Self::SecretsWrite,
        Self::WriteAndSecrets,
        Self::AccountRead,
        Self::Analytics,
        Self::LogsEdit,
        Self::Admin,
    ];

    /// One of each list. A permission stands for those it implies, so only the least are named.
    pub fn one_of_each(self) -> &'static [&'static [Permission]] {
        use Permission as May;
        match self {
            Self::Token => &[],
            Self::Metadata => &[&[May::ReadMetadata]],
            Self::Read => &[&[May::Read]],
            Self::Write => &[&[May::Write]],
            Self::SecretsRead => &[&[May::Read, May::SecretsWrite]],
            Self::SecretsWrite => &[&[May::SecretsWrite]],
            Self::WriteAndSecrets => &[&[May::Write], &[May::SecretsWrite]],
            Self::AccountRead => &[&[May::AccountRead]],
            Self::Analytics => &[&[May::AnalyticsRead]],
            Self::LogsEdit => &[&[May::LogsEdit]],
            Self::Admin => &[&[May::Admin]],
        }
    }

    /// In words: each permission that is enough alone, and those that are together.
    pub fn said(self) -> String {
        let all = Permission::ALL.into_iter();
        let alone = all.filter(|(_, permission)| self.met_by(|each| permission.implies(each)));
        let mut words: Vec<String> = alone.map(|(name, _)| name.to_owned()).collect();
        if let lists @ [_, _, ..] = self.one_of_each() {
            let least = lists.iter().filter_map(|list| list.first()).map(|permission| permission.name());
            words.insert(0, least.collect::<Vec<_>>().join(" with "));
        }
        words.join(", ")
    }

    pub fn met_by(self, has: impl Fn(Permission) -> bool) -> bool {
        self.one_of_each().iter().all(|list| list.iter().any(|permission| has(*permission)))
    }
}

/// What a request shows of whoever sent it.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    Token(String),
    /// The secret of a person's session, from a page of ours.
    Session(String),
}

/// A bearer token counts before the legacy headers: SDKs may send all at once. Either counts before a cookie, which browsers send unasked.
pub(crate) fn presented(request: &Request, people: Option<&People>) -> Result<Shown, Problem> {
    let headers = request.headers();
    if let Some(value) = headers.get(AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Problem::malformed_authorization())?;
        return bearer(text).map(|token| Shown::Token(token.to_owned())).ok_or_else(Problem::malformed_authorization);
    }
    let mut keys = LEGACY.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    if let Some(key) = keys.find(|key| !key.is_empty() && key.len() <= LEN_MAX) {
        return Ok(Shown::Token(key.to_owned()));
    }
    let (secret, people) =
        people.and_then(|people| Some((people.presented(request)?, people))).ok_or_else(Problem::unauthenticated)?;
    match people.is_own(request) {
        true => Ok(Shown::Session(secret)),
        false => Err(Problem::from_another_site()),
    }
}

fn bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.trim().split_once(' ')?;
    let token = token.trim();
    let well_formed = !token.is_empty() && token.len() <= LEN_MAX && !token.contains(char::is_whitespace);
    (scheme.eq_ignore_ascii_case("bearer") && well_formed).then_some(token)
}

/// What it is good for, if it is good at all, and whose it is when it is a person's. May wait for a disk.
pub(crate) fn pass(parts: &Parts, snapshot: &Snapshot, shown: &Shown) -> Result<(Arc<Pass>, Option<Person>), Problem> {
    match shown {
        Shown::Token(token) => {
            let pass = snapshot.pass(&digest(token), parts.desk.now_ms()).ok_or_else(Problem::unauthenticated)?;
            Ok((pass.clone(), None))
        }
        Shown::Session(secret) => {
            let people = parts.people.as_ref().ok_or_else(Problem::unauthenticated)?;
            let visitor = people.visitor(secret)?.ok_or_else(Problem::unauthenticated)?;
            Ok((visitor.pass, Some(visitor.session.person)))
        }
    }
}

/// Whether the holder of a pass may do what the row does, to what the path names.
pub(crate) fn admit(
    pass: Arc<Pass>,
    snapshot: &Snapshot,
    (needs, row): (Needs, &Row),
    params: &Params,
    peer: Option<Peer>,
) -> Result<Caller, Problem> {
    if !pass.may_come_from(peer.map(|peer| peer.0)) {
        return Err(Problem::from_elsewhere(peer));
    }
    judge(pass, snapshot, (needs, row), params)
}

/// The same for somebody who was let in already: a tool of an assistant asks a row in its caller's name.
pub(crate) fn judge(
    pass: Arc<Pass>,
    snapshot: &Snapshot,
    (needs, row): (Needs, &Row),
    params: &Params,
) -> Result<Caller, Problem> {
    let knows_account = params.find("account").is_none_or(|account| snapshot.knows_account(account));
    let sees = match params.find("gateway") {
        Some(gateway) => pass.sees_gateway(gateway),
        None => pass.is_of_account() || needs == Needs::Token || row.narrowed,
    };
    if !needs.met_by(|permission| pass.has(permission)) || !knows_account || !sees {
        return Err(Problem::forbidden());
    }
    let may_read_bodies = Needs::Read.met_by(|permission| pass.has(permission));
    Ok(Caller { token: pass.token.clone(), pass, may_read_bodies, person: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_stands_for_what_it_implies() {
        for needs in Needs::ALL {
            assert!(needs.met_by(|each| Permission::Admin.implies(each)), "{needs:?}");
            assert_eq!(needs.met_by(|_| false), needs == Needs::Token, "{needs:?}");
        }
        assert!(Needs::Metadata.met_by(|each| Permission::Write.implies(each)));
        assert!(!Needs::WriteAndSecrets.met_by(|each| Permission::Write.implies(each)));
        assert!(!Needs::Metadata.met_by(|each| Permission::Run.implies(each)));
        assert_eq!(Needs::Metadata.said(), "read, read_metadata, write, admin");
        assert_eq!(Needs::WriteAndSecrets.said(), "write with secrets_write, admin");
    }

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
