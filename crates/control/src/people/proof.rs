//! Whether an ID token proves what it says (OpenID Connect Core, 3.1.3.7).
//!
//! Enters: the token's text, the key that it names, what was expected, and the time. Leaves: its claims, or what was wrong. Never: reads a claim before the
//! signature was checked, or lets the token choose how it is checked: `none` and shared secrets are no algorithms here.
//!
//! Only the few lines that a login needs, on the library that also does TLS: the time is ours to give, which the usual crates read by themselves.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::keys::{Key, is_known};

/// How far two clocks may differ.
const LEEWAY_S: u64 = 60;
const TOKEN_BYTES_MAX: usize = 64 * 1024;
const SUBJECT_BYTES_MAX: usize = 255;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) algorithm: String,
    pub(super) key_id: Option<String>,
}

pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now_ms: u64,
}

/// For the log and the audit: names a claim, never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unproven {
    #[error("it is no signed token")]
    Malformed,
    #[error("its algorithm is not one of RS256, PS256, ES256 and EdDSA")]
    Algorithm,
    #[error("it depends on an extension that is not known here")]
    Critical,
    #[error("it was changed, or signed by somebody else")]
    Signature,
    #[error("its {0} is not what was expected")]
    Claim(&'static str),
}

#[derive(Deserialize)]
struct Written {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Says which key is needed. Nothing of it is believed.
pub(super) fn header(token: &str) -> Result<Header, Unproven> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Unproven::Malformed);
    }
    let first = token.split('.').next().ok_or(Unproven::Malformed)?;
    let written: Written = serde_json::from_slice(&decoded(first)?).map_err(|_| Unproven::Malformed)?;
    if written.crit.is_some() {
        return Err(Unproven::Critical);
    }
    if !is_known(&written.alg) {
        return Err(Unproven::Algorithm);
    }
    Ok(Header { algorithm: written.alg, key_id: written.kid })
}

/// `key` is fit for the algorithm of the token's [`header`], and for no other.
pub(super) fn prove(token: &str, key: &Key, expected: &Expected<'_>) -> Result<Value, Unproven> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Unproven::Malformed)?;
    let (_, claims) = signed.split_once('.').filter(|(_, claims)| !claims.contains('.')).ok_or(Unproven::Malformed)?;
    if !key.has_signed(signed.as_bytes(), &decoded(signature)?) {
        return Err(Unproven::Signature);
    }
    let claims: Value = serde_json::from_slice(&decoded(claims)?).map_err(|_| Unproven::Malformed)?;
    expected.meet(&claims).map_err(Unproven::Claim)?;
    Ok(claims)
}

fn decoded(part: &str) -> Result<Vec<u8>, Unproven> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Unproven::Malformed)
}

// === impl Expected ===

impl Expected<'_> {
    fn meet(&self, claims: &Value) -> Result<(), &'static str> {
        let must = |holds: bool, name: &'static str| if holds { Ok(()) } else { Err(name) };
        must(claims["iss"] == self.issuer, "issuer")?;
        self.audience(claims)?;
        let now_s = self.now_ms / 1_000;
        let time = |name: &str| claims[name].as_f64().map(|seconds| seconds as u64);
        must(time("exp").is_some_and(|end| now_s < end.saturating_add(LEEWAY_S)), "end")?;
        must(time("iat").is_some_and(|made| made <= now_s.saturating_add(LEEWAY_S)), "time of issue")?;
        let begun = claims.get("nbf").is_none() || time("nbf").is_some_and(|start| start <= now_s + LEEWAY_S);
        must(begun, "beginning")?;
        must(claims["nonce"] == self.nonce, "nonce")?;
        let subject = claims["sub"].as_str().unwrap_or_default();
        must(!subject.is_empty() && subject.len() <= SUBJECT_BYTES_MAX, "subject")
    }

    /// One of several audiences may only be taken when the token says that it was issued to us.
    fn audience(&self, claims: &Value) -> Result<(), &'static str> {
        let is_us = |value: &Value| value == self.client_id;
        let (meant, alone) = match &claims["aud"] {
            Value::Array(all) => (all.iter().any(is_us), all.len() == 1),
            one => (is_us(one), true),
        };
        let party = claims.get("azp");
        match party {
            _ if !meant => Err("audience"),
            Some(party) if !is_us(party) => Err("authorized party"),
            None if !alone => Err("authorized party"),
            _ => Ok(()),
        }
    }
}
