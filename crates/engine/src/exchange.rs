//! Access tokens for service accounts: fetched once, kept until shortly before they end, fetched again before anybody has to wait.
//!
//! Enters: a service account. Leaves: a token that is good now. Never: has two fetches for one account under way, or lets a token reach a log.

use std::sync::Arc;
use std::time::Duration;

use ahash::RandomState;
use bytes::Bytes;
use hashbrown::HashMap;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use parking_lot::Mutex;
use serde_json::Value;
use tollgate_model::{Refusal, Secret};
use tollgate_rules::key::ServiceAccount;

use crate::gate::Gate;

/// Before a token ends, it is fetched anew behind the back of whoever asks.
const AHEAD_MS: u64 = 5 * 60_000;
/// Google's clock and ours may differ.
const SLACK_MS: u64 = 30_000;
/// After a failure nobody asks again for so long.
const PAUSE_MS: u64 = 5_000;
const ACCOUNTS_MAX: usize = 4_096;
const LIMITS: tollgate_dial::Limits =
    tollgate_dial::Limits { total: Duration::from_secs(10), body_bytes_max: 64 * 1024 };

#[derive(Default)]
pub(crate) struct Exchanges {
    by_account: Mutex<HashMap<[u8; 32], Arc<Place>, RandomState>>,
}

#[derive(Default)]
struct Place {
    known: Mutex<Known>,
    /// Held by the one who fetches.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
enum Known {
    #[default]
    Nothing,
    Token {
        token: Secret,
        until_ms: u64,
    },
    Failed {
        why: Failed,
        until_ms: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Failed {
    #[error("the token endpoint rejected the service account")]
    Rejected,
    #[error("the token endpoint could not be reached, or said nothing of use")]
    Unreachable,
}

/// A token that is good for a while.
pub(crate) async fn token(gate: &Arc<Gate>, account: &Arc<ServiceAccount>) -> Result<Secret, Refusal> {
    let place = gate.shared.exchanges.place(account, gate.shared.clock.unix_ms());
    if let Some(known) = place.answer(gate.shared.clock.unix_ms()) {
        let (token, is_ending) = known.map_err(refused)?;
        if is_ending && place.fetching.try_lock().is_ok() {
            let (gate, account, place) = (gate.clone(), account.clone(), place.clone());
            tokio::spawn(async move {
                // Somebody may have been faster: then there is nothing to do.
                if let Ok(_alone) = place.fetching.try_lock() {
                    place.renew(&gate, &account).await;
                }
            });
        }
        return Ok(token);
    }
    let _alone = place.fetching.lock().await;
    // Whoever had the lock before has fetched it for all.
    if place.answer(gate.shared.clock.unix_ms()).is_none() {
        place.renew(gate, account).await;
    }
    let known = place.answer(gate.shared.clock.unix_ms());
    known.unwrap_or(Err(Failed::Unreachable)).map(|(token, _)| token).map_err(refused)
}

/// Rejected credentials are told as such, and are not asked again (data-plane specification, 2.2).
fn refused(why: Failed) -> Refusal {
    match why {
        Failed::Rejected => Refusal::rejected_key("the provider rejected the service account").because(why),
        Failed::Unreachable => Refusal::upstream_failed().because(why),
    }
}

// === impl Exchanges ===

impl Exchanges {
    fn place(&self, account: &ServiceAccount, now_ms: u64) -> Arc<Place> {
        let mut all = self.by_account.lock();
        if all.len() >= ACCOUNTS_MAX && !all.contains_key(&account.digest) {
            all.retain(|_, place| place.answer(now_ms).is_some());
            if all.len() >= ACCOUNTS_MAX {
                all.clear();
            }
        }
        all.entry(account.digest).or_default().clone()
    }
}

// === impl Place ===

impl Place {
    /// What is known and still holds, and whether a token will end soon.
    fn answer(&self, now_ms: u64) -> Option<Result<(Secret, bool), Failed>> {
        match &*self.known.lock() {
            Known::Token { token, until_ms } if now_ms + SLACK_MS < *until_ms => {
                Some(Ok((token.clone(), now_ms + AHEAD_MS >= *until_ms)))
            }
            Known::Failed { why, until_ms } if now_ms < *until_ms => Some(Err(*why)),
            _ => None,
        }
    }

    /// A token that is still good outlives a failure to fetch the next one.
    async fn renew(&self, gate: &Gate, account: &ServiceAccount) {
        let fetched = fetch(gate, account).await;
        let now_ms = gate.shared.clock.unix_ms();
        let is_good = matches!(self.answer(now_ms), Some(Ok(_)));
        *self.known.lock() = match fetched {
            Ok((token, lives_ms)) => Known::Token { token, until_ms: now_ms.saturating_add(lives_ms) },
            Err(_) if is_good => return,
            Err(why) => Known::Failed { why, until_ms: now_ms + PAUSE_MS },
        };
    }
}

async fn fetch(gate: &Gate, account: &ServiceAccount) -> Result<(Secret, u64), Failed> {
    let body = account.request_body(gate.shared.clock.unix_ms()).map_err(|cause| failed(account, &cause))?;
    let request = Request::post(&account.token_uri)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(body))
        .map_err(|cause| failed(account, &cause))?;
    let answer = gate.client.send(request, LIMITS).await.map_err(|cause| failed(account, &cause))?;
    let said: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    match (answer.status(), said["access_token"].as_str()) {
        (StatusCode::OK, Some(token)) => {
            let lives_s = said["expires_in"].as_u64().unwrap_or(0).min(86_400);
            Ok((Secret::new(token), lives_s * 1_000))
        }
        (status, _) => {
            let account = &account.client_email;
            let error = said["error"].as_str().filter(|word| is_word(word)).unwrap_or("no reason");
            tracing::warn!(account, %status, error, "a token endpoint gave no token");
            Err(if status.is_client_error() { Failed::Rejected } else { Failed::Unreachable })
        }
    }
}

fn failed(account: &ServiceAccount, cause: &dyn std::fmt::Display) -> Failed {
    tracing::warn!(account = account.client_email, "no token could be fetched: {cause}");
    Failed::Unreachable
}

/// `invalid_grant` and its like; anything else may repeat what was sent.
fn is_word(word: &str) -> bool {
    word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
