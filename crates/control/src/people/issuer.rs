//! The issuer, as the gateway asks it: who it is, which keys it signs with, what a code stands for.
//!
//! Enters: its URL. Leaves: endpoints, keys, tokens, all by the one door out. Never: asks anybody else than the issuer's own document names, waits without
//! a deadline, reads more than a bound, or asks for keys again as often as strangers would like.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tollgate_dial::{Client, Limits};
use tollgate_model::Secret;

use super::keys::{Key, Keys};

const LIMITS: Limits = Limits { total: Duration::from_secs(10), body_bytes_max: 256 * 1024 };
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Keys are asked for again after this time: one that the issuer has withdrawn does not stay good.
const FRESH_MS: u64 = 3_600_000;
/// A key that is not known may be a new one. Asked no more often than this.
const PAUSE_MS: u64 = 30_000;

pub(super) struct Issuer {
    url: String,
    client: Client,
    /// Held while the issuer is asked, so that it is asked once.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    endpoints: Option<(u64, Arc<Endpoints>)>,
    keys: Option<(u64, Arc<Keys>)>,
}

/// What the discovery document says, as far as it is of use.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Endpoints {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    pub(super) end_session_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// How the gateway proves who it is.
pub(super) struct Credentials<'a> {
    pub(super) client_id: &'a str,
    pub(super) secret: Option<Secret>,
}

/// What a code was exchanged for.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    pub(super) access_token: Option<String>,
}

/// Why the issuer was of no help. For the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Silent {
    #[error(transparent)]
    Failed(#[from] tollgate_dial::Failed),
    #[error("{0} answered with status {1}")]
    Status(String, u16),
    #[error("{0} answered something else than was expected: {1}")]
    Strange(String, String),
    #[error("{0} says that its issuer is {1}: the setting must be exactly the same")]
    Another(String, String),
}

// === impl Issuer ===

impl Issuer {
    pub(super) fn new(url: String, client: Client) -> Self {
        Self { url, client, known: Mutex::default() }
    }

    pub(super) async fn endpoints(&self, now_ms: u64) -> Result<Arc<Endpoints>, Silent> {
        let mut known = self.known.lock().await;
        if let Some((_, endpoints)) = known.endpoints.as_ref().filter(|(at, _)| is_fresh(*at, now_ms)) {
            return Ok(endpoints.clone());
        }
        let url = format!("{}{DISCOVERY}", self.url.trim_end_matches('/'));
        let found: Endpoints = self.get(&url, None).await?;
        if found.issuer != self.url {
            return Err(Silent::Another(url, found.issuer));
        }
        let found = Arc::new(found);
        known.endpoints = Some((now_ms, found.clone()));
        Ok(found)
    }

    /// The key that a token says it was signed with; `None` when the issuer has no such key.
    pub(super) async fn key(&self, id: Option<&str>, algorithm: &str, now_ms: u64) -> Result<Option<Key>, Silent> {
        let endpoints = self.endpoints(now_ms).await?;
        let mut known = self.known.lock().await;
        if let Some((at, keys)) = &known.keys {
            let found = keys.find(id, algorithm);
            let is_settled = found.is_some() && is_fresh(*at, now_ms);
            if is_settled || now_ms.saturating_sub(*at) < PAUSE_MS {
                return Ok(found);
            }
        }
        let keys: Arc<Keys> = Arc::new(self.get(&endpoints.jwks_uri, None).await?);
        known.keys = Some((now_ms, keys.clone()));
        Ok(keys.find(id, algorithm))
    }

    /// Good once: the issuer refuses a code that comes again.
    pub(super) async fn exchange(
        &self,
        endpoints: &Endpoints,
        credentials: Credentials<'_>,
        fields: &[(&str, &str)],
    ) -> Result<Tokens, Silent> {
        let url = &endpoints.token_endpoint;
        let mut form: Vec<(&str, &str)> = vec![("grant_type", "authorization_code")];
        form.extend_from_slice(fields);
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let secret = credentials.secret.as_ref().map(Secret::expose);
        match secret {
            Some(secret) if endpoints.takes_basic() => {
                let pair = STANDARD.encode(format!("{}:{}", escaped(credentials.client_id), escaped(secret)));
                request = request.header(AUTHORIZATION, format!("Basic {pair}"));
            }
            secret => {
                form.push(("client_id", credentials.client_id));
                form.extend(secret.map(|secret| ("client_secret", secret)));
            }
        }
        let request = request.body(Bytes::from(encoded(&form))).map_err(|cause| strange(url, &cause))?;
        read(url, &self.client.send(request, LIMITS).await?)
    }

    /// What the issuer says of somebody beyond the ID token. `None` where it has no such endpoint.
    pub(super) async fn user_info(&self, endpoints: &Endpoints, access_token: &str) -> Result<Option<Value>, Silent> {
        let Some(url) = &endpoints.userinfo_endpoint else { return Ok(None) };
        self.get(url, Some(access_token)).await.map(Some)
    }

    async fn get<T: for<'a> Deserialize<'a>>(&self, url: &str, bearer: Option<&str>) -> Result<T, Silent> {
        let mut request = Request::get(url).header(ACCEPT, "application/json");
        if let Some(bearer) = bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let request = request.body(Bytes::new()).map_err(|cause| strange(url, &cause))?;
        read(url, &self.client.send(request, LIMITS).await?)
    }
}

impl Endpoints {
    /// What the standard presumes where nothing is said.
    fn takes_basic(&self) -> bool {
        let named = self.token_endpoint_auth_methods_supported.as_deref();
        named.is_none_or(|named| named.iter().any(|each| each == "client_secret_basic"))
    }
}

fn read<T: for<'a> Deserialize<'a>>(url: &str, answer: &Response<Bytes>) -> Result<T, Silent> {
    if answer.status() != 200 {
        return Err(Silent::Status(url.to_owned(), answer.status().as_u16()));
    }
    // The fault alone: what was read may hold a token.
    serde_json::from_slice(answer.body()).map_err(|cause| strange(url, &cause))
}

fn strange(url: &str, cause: &dyn std::fmt::Display) -> Silent {
    Silent::Strange(url.to_owned(), cause.to_string())
}

fn is_fresh(at_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(at_ms) < FRESH_MS
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// As a form or a query.
pub(super) fn encoded(fields: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", escaped(value));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}
