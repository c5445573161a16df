//! Signing out: here, and at the issuer where it has a page for that (OpenID Connect RP-Initiated Logout 1.0).
//!
//! Enters: the secret of a session. Leaves: the session ended and written down, and where the browser may go to end the issuer's. Never: stays open because
//! the issuer is away.

use std::sync::Arc;

use super::issuer::encoded;
use super::sign_in::ID_TOKEN;
use super::{People, Session};
use crate::DeskError;
use crate::audit::{Action, Actor};
use crate::vault::Place;

impl People {
    /// `None`: there was no such session (any more). May wait for a disk.
    pub(super) fn leave(&self, secret: &str, actor: Actor) -> Result<Option<Session>, DeskError> {
        let now_ms = self.desk.now_ms();
        let Some(session) = self.sessions.find(secret, now_ms)? else { return Ok(None) };
        self.note(Action::Logout, &session, session.person.acting(actor))?;
        self.sessions.close(&session.id, now_ms)?;
        Ok(Some(session))
    }

    /// The issuer's own page for signing out, with a way back to `base`.
    pub(super) async fn farewell(self: &Arc<Self>, session: &Session, base: &str) -> Option<String> {
        let endpoints = self.issuer.endpoints(self.desk.now_ms()).await.ok()?;
        let page = endpoints.end_session_endpoint.as_deref()?;
        let place = Place { account: "", id: &session.id, used_as: ID_TOKEN };
        let hint = session.id_token.as_deref().and_then(|sealed| self.desk.open_sealed(&place, sealed));
        let back = format!("{base}/dashboard/");
        let mut fields = vec![("client_id", &self.oidc.client_id[..]), ("post_logout_redirect_uri", &back[..])];
        fields.extend(hint.as_ref().map(|hint| ("id_token_hint", hint.expose())));
        let join = if page.contains('?') { '&' } else { '?' };
        Some(format!("{page}{join}{}", encoded(&fields)))
    }
}
