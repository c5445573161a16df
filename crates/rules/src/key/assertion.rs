//! Google's service accounts: the signed statement that is exchanged for an access token.
//!
//! Enters: a service account's JSON, `now`. Leaves: the body of a token request. Never: sends it, or keeps a token.
//!
//! RFC 7523, section 2.1; https://developers.google.com/identity/protocols/oauth2/service-account#httprest

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use tollgate_wire::provider::Origin;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// The longest that Google accepts.
const LIVES_S: u64 = 3_600;
/// Of a service account's JSON in base64: they have about 3,200.
const BASE64_BYTES_MAX: usize = 64 * 1024;

pub struct ServiceAccount {
    pub client_email: String,
    pub project_id: Option<String>,
    /// Not Google's: where its models are asked.
    pub region: Option<String>,
    /// What tells two of them apart, also when a key was replaced.
    pub digest: [u8; 32],
    /// Where it is exchanged.
    pub token_uri: String,
    key_id: Option<String>,
    key: RsaKeyPair,
}

#[derive(Debug, thiserror::Error)]
#[error("the service account's key could not sign")]
pub struct AssertionError;

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("client_email", &self.client_email).finish_non_exhaustive()
    }
}

// === impl ServiceAccount ===

impl ServiceAccount {
    pub fn read(document: &Map<String, Value>) -> Result<Self, String> {
        let text = |name: &str| document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let required = |name: &str| text(name).ok_or_else(|| format!("{name} is missing"));
        let pem = required("private_key")?;
        let der = from_pem(pem).ok_or("private_key is not PEM (PKCS #8)")?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| "private_key is no RSA key")?;
        let token_uri = text("token_uri").unwrap_or(TOKEN_URI);
        if !is_private(token_uri) {
            return Err("token_uri is no https URL".to_owned());
        }
        Ok(Self {
            client_email: required("client_email")?.to_owned(),
            project_id: text("project_id").map(str::to_owned),
            region: text("region").map(str::to_owned),
            digest: digest_of(pem, required("client_email")?, token_uri),
            token_uri: token_uri.to_owned(),
            key_id: text("private_key_id").map(str::to_owned),
            key,
        })
    }

    /// As callers send it in the place of a token. `None`: it is something else.
    pub fn read_base64(text: &str) -> Option<Self> {
        if text.len() > BASE64_BYTES_MAX || text.len() < 256 {
            return None;
        }
        let decoded = STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()?;
        Self::read(&serde_json::from_slice(&decoded).ok()?).ok()
    }

    /// The form that is posted to the token endpoint.
    pub fn request_body(&self, now_ms: u64) -> Result<String, AssertionError> {
        let issued_at = now_ms / 1_000;
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = &self.key_id {
            header["kid"] = id.as_str().into();
        }
        let claims = json!({
            "iss": self.client_email, "scope": SCOPE, "aud": self.token_uri, "iat": issued_at, "exp": issued_at + LIVES_S,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| AssertionError)?;
        Ok(format!("grant_type={GRANT}&assertion={signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn digest_of(pem: &str, email: &str, token_uri: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, format!("{email}\n{token_uri}\n{pem}").as_bytes()).as_ref());
    out
}

fn from_pem(pem: &str) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (text, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let text: zeroize::Zeroizing<String> = text.chars().filter(|char| !char.is_whitespace()).collect::<String>().into();
    STANDARD.decode(text.as_bytes()).ok().map(Into::into)
}

/// Without TLS only on this machine, which is where tests and proxies are.
fn is_private(url: &str) -> bool {
    let is_local = |uri: &http::Uri| {
        uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| ["127.0.0.1", "localhost"].contains(&host))
    };
    Origin::of_https(url).is_ok() || url.parse::<http::Uri>().is_ok_and(|uri| is_local(&uri))
}
