//! People: signed in by an OpenID Connect issuer, known by a cookie.
//!
//! Enters: settings of one issuer, browsers that come back from it. Leaves: sessions, and what their holders may. Never: sees a password, takes an
//! e-mail address for an identity, or trusts an answer whose signature, issuer, audience, nonce and time were not all checked.
//!
//! A person is (issuer, subject). What they may follows from what the issuer says of them at sign-in, by the mapping of now: a role that is taken out of the
//! settings is gone from open sessions too.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::Request;
use serde::{Deserialize, Serialize};
use tollgate_dial::Client;
use tollgate_model::Secret;
use tollgate_model::peer::Secure;
use tollgate_model::token::{Role, Token};
use tollgate_rules::scope::Pass;
use tollgate_store::Entries;

use crate::audit::{Actor, Interface, Kind};
use crate::desk::Desk;

use self::issuer::Issuer;
use self::session::Sessions;
use self::sign_in::Spent;

pub use self::session::Session;

mod claims;
mod cookie;
mod issuer;
mod keys;
mod logout;
mod origin;
mod pages;
mod proof;
mod session;
mod sign_in;

pub(crate) use self::pages::router;

/// What the operator says of the issuer, and of who may what.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// Exactly as the issuer calls itself.
    pub issuer: String,
    /// On the button.
    pub name: String,
    pub client_id: String,
    pub client_secret: ClientSecret,
    pub scopes: Vec<String>,
    /// Which claim says what somebody may: its whole name, or a path of names with dots.
    pub roles_claim: String,
    /// By the claim's values.
    pub roles: BTreeMap<String, Role>,
    /// Of everybody whom the issuer lets in. `None`: who has no role stays outside.
    pub default_role: Option<Role>,
    /// Of e-mail addresses that the issuer has verified. Empty: any.
    pub domains: Vec<String>,
    /// Where browsers reach the gateway, without a slash at its end. `None`: where each request came to.
    pub base_url: Option<String>,
    pub idle_ms: u64,
    pub absolute_ms: u64,
}

#[derive(Clone, Debug)]
pub enum ClientSecret {
    /// A public client, which PKCE alone protects.
    None,
    Given(Secret),
    /// The name of a secret in the Secrets Store.
    Stored(String),
}

/// Who somebody is, as the issuer told it at sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub issuer: String,
    pub subject: String,
    pub name: String,
    /// Only if the issuer has verified it.
    pub email: Option<String>,
    /// Those values of the roles' claim that meant something then.
    pub values: Vec<String>,
}

pub struct People {
    oidc: Oidc,
    desk: Arc<Desk>,
    issuer: Issuer,
    sessions: Sessions,
    /// Logins that were brought back already.
    spent: Spent,
}

/// Somebody with a session, for one request.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) session: Session,
    pub(crate) role: Role,
    pub(crate) pass: Arc<Pass>,
}

// === impl People ===

impl People {
    pub fn new(oidc: Oidc, desk: Arc<Desk>, entries: Arc<dyn Entries>, client: Client) -> Self {
        let issuer = Issuer::new(oidc.issuer.clone(), client);
        let sessions = Sessions::new(entries, oidc.idle_ms, oidc.absolute_ms);
        Self { oidc, desk, issuer, sessions, spent: Spent::default() }
    }

    /// The secret of the session that a request shows.
    pub(crate) fn presented(&self, request: &Request) -> Option<String> {
        let is_tls = request.extensions().get::<Secure>().is_some_and(|secure| secure.0);
        let secure = Secure(is_tls || self.base_url().is_some_and(|base| base.starts_with("https://")));
        cookie::presented(request.headers(), secure).map(str::to_owned)
    }

    /// Whether a page of ours sent it.
    pub(crate) fn is_own(&self, request: &Request) -> bool {
        origin::is_own(request.method(), request.uri(), request.headers(), self.base_url())
    }

    pub(crate) fn base_url(&self) -> Option<&str> {
        self.oidc.base_url.as_deref()
    }

    /// May wait for a disk.
    pub(crate) fn visitor(&self, secret: &str) -> Result<Option<Visitor>, crate::DeskError> {
        let Some(session) = self.sessions.find(secret, self.desk.now_ms())? else { return Ok(None) };
        let Some(role) = self.role(&session.person) else { return Ok(None) };
        let Ok(pass) = Pass::alone(session.person.token(role)) else { return Ok(None) };
        Ok(Some(Visitor { session, role, pass: Arc::new(pass) }))
    }

    /// The highest that the settings of now give. `None` also for people of an issuer that is no longer asked.
    fn role(&self, person: &Person) -> Option<Role> {
        if person.issuer != self.oidc.issuer || !self.is_in_domain(person) {
            return None;
        }
        let named = person.values.iter().filter_map(|value| self.oidc.roles.get(value)).copied();
        named.chain(self.oidc.default_role).max()
    }

    fn is_in_domain(&self, person: &Person) -> bool {
        let domain = person.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        let has = |domain: &str| self.oidc.domains.iter().any(|each| each.eq_ignore_ascii_case(domain));
        self.oidc.domains.is_empty() || domain.is_some_and(has)
    }

    /// A session without an issuer's word: for those who test what sessions may.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub(crate) fn open_session(&self, person: Person) -> Secret {
        self.sessions.open(person, None, self.desk.now_ms()).unwrap().0
    }

    pub(crate) fn all_sessions(&self) -> Result<Vec<(Session, Option<Role>)>, crate::DeskError> {
        let all = self.sessions.all(self.desk.now_ms())?;
        Ok(all.into_iter().map(|session| (session.clone(), self.role(&session.person))).collect())
    }

    pub(crate) fn end_session(&self, id: &str) -> Result<Option<Session>, crate::DeskError> {
        self.sessions.close(id, self.desk.now_ms())
    }
}

// === impl Person ===

impl Person {
    /// No token of the store can have this id, whatever an issuer calls its people.
    pub(crate) fn id(&self) -> String {
        format!("person:{}", self.subject)
    }

    fn token(&self, role: Role) -> Token {
        let permissions = role.permissions().to_vec();
        Token { id: self.id(), name: self.name.clone(), permissions, ..Token::default() }
    }

    pub(crate) fn acting(&self, actor: Actor) -> Actor {
        Actor {
            id: self.id(),
            email: self.email.clone(),
            name: self.name.clone(),
            kind: Kind::Person,
            interface: Interface::Dashboard,
            ..actor
        }
    }
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").field("oidc", &self.oidc).finish_non_exhaustive()
    }
}
