//! The keys that an issuer signs with (RFC 7517, 7518).
//!
//! Enters: a key set as the issuer publishes it. Leaves: one key for one algorithm, and whether it made a signature. Never: a key that is a shared secret:
//! whoever may check with one of those may sign with it too.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// More than any issuer has in use at once.
const KEYS_MAX: usize = 64;
/// Of a coordinate on P-256.
const COORDINATE_BYTES: usize = 32;
/// Before a point that is written as both its coordinates.
const UNCOMPRESSED: u8 = 4;

/// What a token may be signed with: the algorithm's name, and the kind of key that it takes.
static ALGORITHMS: [(&str, &str); 4] = [("RS256", "RSA"), ("PS256", "RSA"), ("ES256", "EC"), ("EdDSA", "OKP")];

#[derive(Debug, Default, Deserialize)]
pub(super) struct Keys {
    /// Each is read by itself: a key of a kind that does not exist yet spoils no other.
    keys: Vec<Value>,
}

/// Fit for one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Rsa { n: Vec<u8>, e: Vec<u8>, padding: Padding },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Padding {
    Pkcs1,
    Pss,
}

#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

pub(super) fn is_known(algorithm: &str) -> bool {
    ALGORITHMS.iter().any(|(name, _)| *name == algorithm)
}

// === impl Keys ===

impl Keys {
    /// By its id. A token without one can only be of an issuer that has a single key for the algorithm.
    pub(super) fn find(&self, id: Option<&str>, algorithm: &str) -> Option<Key> {
        let (_, kind) = ALGORITHMS.iter().find(|(name, _)| *name == algorithm)?;
        let written = self.keys.iter().take(KEYS_MAX).filter_map(|key| Written::deserialize(key).ok());
        let fit = written.filter(|key| key.kty == *kind && key.is_for(algorithm));
        let mut fit = fit.filter(|key| id.is_none() || key.kid.as_deref() == id);
        let first = fit.next()?;
        if id.is_none() && fit.next().is_some() {
            return None;
        }
        first.read(algorithm)
    }
}

// === impl Written ===

impl Written {
    fn is_for(&self, algorithm: &str) -> bool {
        let signs = self.used_for.as_deref().is_none_or(|used_for| used_for == "sig");
        signs && self.alg.as_deref().is_none_or(|named| named == algorithm)
    }

    fn read(&self, algorithm: &str) -> Option<Key> {
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        match (algorithm, self.crv.as_deref()) {
            ("RS256", _) => Some(Key::Rsa { n: bytes(&self.n)?, e: bytes(&self.e)?, padding: Padding::Pkcs1 }),
            ("PS256", _) => Some(Key::Rsa { n: bytes(&self.n)?, e: bytes(&self.e)?, padding: Padding::Pss }),
            ("ES256", Some("P-256")) => {
                let (x, y) = (bytes(&self.x)?, bytes(&self.y)?);
                let is_whole = x.len() == COORDINATE_BYTES && y.len() == COORDINATE_BYTES;
                is_whole.then(|| Key::P256([&[UNCOMPRESSED], &x[..], &y[..]].concat()))
            }
            ("EdDSA", Some("Ed25519")) => Some(Key::Ed25519(bytes(&self.x)?)),
            _ => None,
        }
    }
}

// === impl Key ===

impl Key {
    /// RSA keys of less than 2048 bits sign nothing here.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let plain = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
        };
        match self {
            Self::Rsa { n, e, padding } => {
                let parameters: &RsaParameters = match padding {
                    Padding::Pkcs1 => &RSA_PKCS1_2048_8192_SHA256,
                    Padding::Pss => &RSA_PSS_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }
            Self::P256(point) => plain(&ECDSA_P256_SHA256_FIXED, point),
            Self::Ed25519(point) => plain(&ED25519, point),
        }
    }
}
