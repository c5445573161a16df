//! Signing in: the authorization code flow with PKCE, state and nonce (OpenID Connect Core, 3.1; RFC 7636, 9207).
//!
//! Enters: a browser that wants in, and the same browser back from the issuer. Leaves: where to send it, later a session. Never: finishes a login in
//! another browser than the one it began in, or twice.
//!
//! What has to be remembered between the two travels in a cookie that is sealed with the master key. So strangers who begin logins by the million take no
//! memory here, push nobody else's login out, and a restart in between loses none.

use std::collections::VecDeque;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tollgate_model::Secret;
use tollgate_model::token::Digest;
use tollgate_rules::token::digest;

use super::issuer::{Credentials, Silent, Tokens, encoded};
use super::proof::{self, Expected, Unproven};
use super::{ClientSecret, People, Person, Session, claims};
use crate::DeskError;
use crate::audit::{Action, Actor};
use crate::desk::new_code;
use crate::vault::Place;

const CALLBACK: &str = "/dashboard/oidc/callback";
const HOME: &str = "/dashboard/";
/// As long as somebody may take to find their second factor.
pub(super) const LIVES_MS: u64 = 10 * 60_000;
const SPENT_MAX: usize = 10_000;
const PATH_CHARS_MAX: usize = 1_024;

const LOGIN: Place<'static> = Place { account: "", id: "", used_as: "oidc-login" };
pub(super) const ID_TOKEN: &str = "oidc-id-token";
pub(super) const RESOURCE: &str = "session";

/// A login between its two halves.
#[derive(Deserialize, Serialize)]
struct Underway {
    state: String,
    nonce: String,
    verifier: String,
    /// Said again at the exchange, exactly as at the beginning.
    redirect: String,
    to: String,
    until_ms: u64,
}

/// Where to send the browser, with which cookie.
pub(crate) struct Begun {
    pub(super) location: String,
    pub(super) cookie: String,
}

/// What the browser brings back.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Returned {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

pub(super) struct SignedIn {
    pub(super) secret: Secret,
    pub(super) to: String,
}

/// Why nobody is signed in. The texts are for the log; a browser is told the [word](Refused::word).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the login is not one that began in this browser, was used already, or took too long")]
    Stale,
    #[error("the issuer said {0:?}")]
    Issuer(String),
    #[error("the issuer's ID token is not taken: {0}")]
    Unproven(#[from] Unproven),
    #[error("{} has no role here, or an e-mail address of another domain, or one that is not verified", .0.name)]
    NoRole(Box<Person>),
    #[error("the issuer is of no help: {0}")]
    Silent(#[from] Silent),
    #[error(transparent)]
    Desk(#[from] DeskError),
}

/// The digests of states that came back, as long as their logins could come again.
#[derive(Default)]
pub(super) struct Spent(Mutex<VecDeque<(u64, Digest)>>);

// === impl Refused ===

impl Refused {
    /// The page has a sentence for each.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Issuer(_) => "issuer",
            Self::Unproven(_) => "unproven",
            Self::NoRole(_) => "role",
            Self::Silent(_) => "unreachable",
            Self::Desk(_) => "failed",
        }
    }
}

// === impl Spent ===

impl Spent {
    /// Whether it comes for the first time.
    fn take(&self, state: &str, until_ms: u64, now_ms: u64) -> bool {
        let (mut spent, state) = (self.0.lock(), digest(state));
        spent.retain(|(until, _)| now_ms < *until);
        if spent.iter().any(|(_, each)| *each == state) {
            return false;
        }
        if spent.len() >= SPENT_MAX {
            spent.pop_front();
        }
        spent.push_back((until_ms, state));
        true
    }
}

// === impl People ===

impl People {
    /// `base`: where the browser reached us. `to`: the page that it wants.
    pub(crate) async fn begin(&self, base: &str, to: &str) -> Result<Begun, Refused> {
        let now_ms = self.desk.now_ms();
        let endpoints = self.issuer.endpoints(now_ms).await?;
        let fresh = || -> Result<String, DeskError> { Ok(new_code()?.expose().to_owned()) };
        let underway = Underway {
            state: fresh()?,
            nonce: fresh()?,
            verifier: fresh()?,
            redirect: format!("{base}{CALLBACK}"),
            to: if is_page(to) { to } else { HOME }.to_owned(),
            until_ms: now_ms + LIVES_MS,
        };
        let challenge = URL_SAFE_NO_PAD.encode(digest(&underway.verifier));
        let query = encoded(&[
            ("response_type", "code"),
            ("client_id", &self.oidc.client_id),
            ("redirect_uri", &underway.redirect),
            ("scope", &self.oidc.scopes.join(" ")),
            ("state", &underway.state),
            ("nonce", &underway.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let join = if endpoints.authorization_endpoint.contains('?') { '&' } else { '?' };
        let location = format!("{}{join}{query}", endpoints.authorization_endpoint);
        let text = serde_json::to_string(&underway).unwrap_or_default();
        Ok(Begun { location, cookie: self.desk.seal(&LOGIN, &Secret::new(text))? })
    }

    /// `cookie`: that of [`Begun`]. `actor`: what is known of the request.
    pub(super) async fn finish(
        self: Arc<Self>,
        cookie: Option<&str>,
        returned: Returned,
        actor: Actor,
    ) -> Result<SignedIn, Refused> {
        let now_ms = self.desk.now_ms();
        let underway = self.resume(cookie, &returned, now_ms)?;
        if let Some(error) = returned.error {
            return Err(Refused::Issuer(crate::audit::cut(&error)));
        }
        let code = returned.code.ok_or(Refused::Stale)?;
        let tokens = self.clone().exchange(&underway, &code, now_ms).await?;
        let proven = self.proven(&tokens, &underway.nonce, now_ms).await;
        let (people, to) = (self, underway.to);
        let work = move || people.admit(proven, &tokens.id_token, actor);
        let secret = tokio::task::spawn_blocking(work).await.map_err(|_| Refused::Stale)??;
        Ok(SignedIn { secret, to })
    }

    /// The cookie says that it began here, the state that it is this one, and the issuer's name that nobody else answers.
    fn resume(&self, cookie: Option<&str>, returned: &Returned, now_ms: u64) -> Result<Underway, Refused> {
        let opened = cookie.and_then(|cookie| self.desk.open_sealed(&LOGIN, cookie)).ok_or(Refused::Stale)?;
        let underway: Underway = serde_json::from_str(opened.expose()).map_err(|_| Refused::Stale)?;
        let is_same = returned.state.as_deref().is_some_and(|state| digest(state) == digest(&underway.state));
        let is_theirs = returned.iss.as_deref().is_none_or(|issuer| issuer == self.oidc.issuer);
        let is_good = is_same && is_theirs && now_ms < underway.until_ms;
        let is_first = is_good && self.spent.take(&underway.state, underway.until_ms, now_ms);
        if is_first { Ok(underway) } else { Err(Refused::Stale) }
    }

    async fn exchange(self: Arc<Self>, underway: &Underway, code: &str, now_ms: u64) -> Result<Tokens, Refused> {
        let endpoints = self.issuer.endpoints(now_ms).await?;
        let people = self.clone();
        let secret =
            tokio::task::spawn_blocking(move || people.client_secret()).await.map_err(|_| Refused::Stale)??;
        let credentials = Credentials { client_id: &self.oidc.client_id, secret };
        let fields =
            [("code", code), ("redirect_uri", &underway.redirect[..]), ("code_verifier", &underway.verifier[..])];
        Ok(self.issuer.exchange(&endpoints, credentials, &fields).await?)
    }

    fn client_secret(&self) -> Result<Option<Secret>, DeskError> {
        match &self.oidc.client_secret {
            ClientSecret::None => Ok(None),
            ClientSecret::Given(secret) => Ok(Some(secret.clone())),
            ClientSecret::Stored(name) => match self.desk.resolve(name)? {
                Some(secret) => Ok(Some(secret)),
                None => Err(DeskError::Missing("secret of the name that oidc.client_secret says")),
            },
        }
    }

    async fn proven(&self, tokens: &Tokens, nonce: &str, now_ms: u64) -> Result<Person, Refused> {
        let header = proof::header(&tokens.id_token)?;
        let key = self.issuer.key(header.key_id.as_deref(), &header.algorithm, now_ms).await?;
        let key = key.ok_or(Unproven::Signature)?;
        let expected = Expected { issuer: &self.oidc.issuer, client_id: &self.oidc.client_id, nonce, now_ms };
        let mut proven = proof::prove(&tokens.id_token, &key, &expected)?;
        if let (false, Some(access)) = (claims::is_complete(&proven, &self.oidc), &tokens.access_token) {
            let endpoints = self.issuer.endpoints(now_ms).await?;
            let more = self.issuer.user_info(&endpoints, access).await?;
            // Of somebody else it would be a token put in the place of another (Core, 5.3.2).
            let more = more.filter(|more| more["sub"] == proven["sub"]);
            proven = more.map_or_else(|| proven.clone(), |more| claims::merged(proven.clone(), more));
        }
        Ok(claims::person(&proven, &self.oidc))
    }

    /// A session, and the word of it in the audit log; or only the latter. May wait for a disk.
    fn admit(&self, proven: Result<Person, Refused>, id_token: &str, actor: Actor) -> Result<Secret, Refused> {
        let judged = proven.and_then(|person| match self.role(&person) {
            Some(_) => Ok(person),
            None => Err(Refused::NoRole(Box::new(person))),
        });
        let person = match judged {
            Ok(person) => person,
            Err(refused) => {
                let actor = match &refused {
                    Refused::NoRole(person) => person.acting(actor),
                    _ => Person::default().acting(actor),
                };
                self.desk.note_refused(Action::Login, RESOURCE, actor, &refused.to_string())?;
                return Err(refused);
            }
        };
        let actor = person.acting(actor);
        let seal = |id: &str| {
            let place = Place { account: "", id, used_as: ID_TOKEN };
            self.desk.seal(&place, &Secret::new(id_token)).ok()
        };
        let (secret, session) = self.sessions.open(person, Some(&seal), self.desk.now_ms())?;
        if let Err(cause) = self.note(Action::Login, &session, actor) {
            // Not written down: nobody is signed in.
            self.sessions.close(&session.id, self.desk.now_ms())?;
            return Err(cause.into());
        }
        Ok(secret)
    }

    pub(super) fn note(&self, action: Action, session: &Session, actor: Actor) -> Result<(), DeskError> {
        crate::audit::acting(Arc::new(actor), || self.desk.note(action, RESOURCE, &session.id))
    }
}

/// A page of the dashboard and nothing else: what stands behind it is the browser's to read.
fn is_page(to: &str) -> bool {
    let is_plain = |char: char| char.is_ascii_graphic() && char != '\\';
    to.starts_with(HOME) && !to.starts_with("/dashboard/oidc") && to.len() <= PATH_CHARS_MAX && to.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_once() {
        let spent = Spent::default();
        assert_eq!([spent.take("a", 10, 0), spent.take("a", 10, 9), spent.take("b", 10, 9)], [true, false, true]);
        for each in 0..SPENT_MAX + 5 {
            spent.take(&each.to_string(), 20, 11);
        }
        assert_eq!(spent.0.lock().len(), SPENT_MAX);
    }

    #[test]
    fn only_pages_of_the_dashboard_are_returned_to() {
        for (to, expected) in [
            ("/dashboard/", true),
            ("/dashboard/g/default/logs?q=status:error", true),
            ("/dashboard", false),
            ("//evil.example/dashboard/", false),
            ("https://evil.example", false),
            ("/dashboard/\\evil", false),
            ("/dashboard/\r\nset-cookie:x", false),
            ("/dashboard/oidc/start", false),
            ("", false),
        ] {
            assert_eq!(is_page(to), expected, "{to:?}");
        }
    }
}
