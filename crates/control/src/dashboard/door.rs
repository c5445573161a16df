//! Signing in by a link that is good once.
//!
//! Enters: the code of a link that the process printed when it started. Leaves: a token for one day. Never: lets a code in twice, or opens beyond
//! loopback.
//!
//! Whoever reads the first lines of the process is its operator. The code travels behind the `#` of the link, which browsers do not send, and then in
//! a body, so it is in no access log.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use parking_lot::Mutex;
use serde_json::json;
use tollgate_model::Secret;
use tollgate_model::token::{Digest, Permission};
use tollgate_rules::token::digest;

use crate::desk::{Desk, DeskError, Made, Wanted, new_code};

/// How long a browser stays signed in.
pub(super) const LIVES_MS: u64 = 24 * 3_600_000;
const NAME: &str = "dashboard";
const CODE_CHARS_MAX: usize = 128;

/// Holds the digest of the one code that is still good.
#[derive(Debug, Default)]
pub struct Door(Mutex<Option<Digest>>);

// === impl Door ===

impl Door {
    /// Nobody gets in without a token.
    pub fn closed() -> Self {
        Self::default()
    }

    /// With the code that opens it, once.
    pub fn open_once() -> Result<(Self, Secret), DeskError> {
        let code = new_code()?;
        Ok((Self(Mutex::new(Some(digest(code.expose())))), code))
    }

    /// Digests are compared, so what time a comparison takes tells nothing about the code.
    fn admits(&self, said: &str) -> bool {
        let mut good = self.0.lock();
        let fits = said.len() <= CODE_CHARS_MAX && good.is_some_and(|good| good == digest(said));
        if fits {
            *good = None;
        }
        fits
    }
}

/// A token that may do everything, for a day. Those of earlier days that have ended are cleared away.
pub fn sign_in(desk: &Desk) -> Result<Made, DeskError> {
    let now_ms = desk.now_ms();
    let ended = desk.tokens()?.into_iter().filter(|token| token.name == NAME);
    for token in ended.filter(|token| token.expires_at.is_some_and(|end| end <= now_ms)) {
        desk.delete_token(&token.id)?;
    }
    let permissions = Permission::ALL.iter().map(|(_, permission)| *permission).collect();
    desk.create_token(Wanted { name: NAME.to_owned(), permissions, lives_ms: Some(LIVES_MS), ..Wanted::default() })
}

pub(super) async fn enter(desk: Arc<Desk>, door: Arc<Door>, said: String) -> Response {
    if !door.admits(said.trim()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let made = tokio::task::spawn_blocking(move || sign_in(&desk)).await;
    match made {
        Ok(Ok(made)) => ([(CACHE_CONTROL, "no-store")], Json(json!({ "token": made.secret.expose() }))).into_response(),
        cause => {
            tracing::error!(?cause, "a token for the dashboard could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
