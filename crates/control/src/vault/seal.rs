//! Envelopes: a value encrypted for one place.
//!
//! Enters: a value and its place. Leaves: text, `tgv1.KEYID.NONCE.CIPHERTEXT`. Never: opens what was moved: account, id and use are part of what is
//! authenticated, so an envelope copied into another secret's row opens nothing.
//!
//! AES-256-GCM with a random nonce of 96 bits: safe for 2^32 values under one key, and an installation has thousands.

use aws_lc_rs::aead::{Aad, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tollgate_model::Secret;
use zeroize::Zeroizing;

use super::keyring::Keyring;
use super::source::VaultError;

const VERSION: &str = "tgv1";

/// What an envelope is for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub account: &'a str,
    pub id: &'a str,
    pub used_as: &'static str,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    #[error("it is no envelope")]
    Malformed,
    #[error("it is sealed with the master key {0}, which is not here")]
    UnknownKey(String),
    #[error("it was changed, or belongs to another secret")]
    Forged,
}

/// The id of the key that an envelope is sealed with.
pub fn key_id_of(envelope: &str) -> Option<&str> {
    envelope.strip_prefix(VERSION)?.strip_prefix('.')?.split('.').next()
}

impl Place<'_> {
    /// Each part with its length before it: no two places are told by the same bytes.
    fn told(&self) -> Vec<u8> {
        let mut told = VERSION.as_bytes().to_vec();
        for part in [self.used_as, self.account, self.id] {
            told.extend_from_slice(&(part.len() as u64).to_be_bytes());
            told.extend_from_slice(part.as_bytes());
        }
        told
    }
}

impl Keyring {
    pub fn seal(&self, place: &Place<'_>, value: &Secret) -> Result<String, VaultError> {
        let key = self.current();
        // Encrypted where it stands; what is left in the buffer is no secret.
        let mut buffer = value.expose().as_bytes().to_vec();
        let aad = Aad::from(place.told());
        let nonce = key.key.seal_in_place_append_tag(aad, &mut buffer).map_err(|_| VaultError::NotSealed)?;
        let (nonce, sealed) = (URL_SAFE_NO_PAD.encode(nonce.as_ref()), URL_SAFE_NO_PAD.encode(&buffer));
        Ok(format!("{VERSION}.{}.{nonce}.{sealed}", key.id()))
    }

    pub fn open(&self, place: &Place<'_>, envelope: &str) -> Result<Secret, NotOpened> {
        let parts: Vec<&str> = envelope.split('.').collect();
        let [VERSION, id, nonce, sealed] = parts[..] else { return Err(NotOpened::Malformed) };
        let key = self.get(id).ok_or_else(|| NotOpened::UnknownKey(id.to_owned()))?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| NotOpened::Malformed);
        let nonce = Nonce::try_assume_unique_for_key(&decode(nonce)?).map_err(|_| NotOpened::Malformed)?;
        let mut buffer = Zeroizing::new(decode(sealed)?);
        let opened = key.key.open_in_place(nonce, Aad::from(place.told()), &mut buffer);
        let opened = opened.map_err(|_| NotOpened::Forged)?;
        let text = std::str::from_utf8(opened).map_err(|_| NotOpened::Forged)?;
        Ok(Secret::new(text))
    }
}
