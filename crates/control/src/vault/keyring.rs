//! Master keys: the one that seals, and older ones that still open.
//!
//! Enters: keys as text. Leaves: a keyring that seals with the first. Never: shows a key; what it is called (its id) says nothing of it.

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use tollgate_model::Secret;
use zeroize::Zeroizing;

pub(super) const KEY_BYTES: usize = 32;
/// One in use and one being retired are usual; more are left-overs.
const KEYS_MAX: usize = 16;

pub struct Keyring {
    /// The first one seals.
    keys: Vec<MasterKey>,
}

pub struct MasterKey {
    id: String,
    pub(super) key: RandomizedNonceKey,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    #[error("there is no key in it")]
    None,
    #[error("key {0} is not 32 bytes as base64 or hexadecimal text; `openssl rand -base64 32` makes one")]
    Malformed(usize),
    #[error("there are more than {KEYS_MAX} keys in it")]
    TooMany,
}

// === impl Keyring ===

impl Keyring {
    /// Keys between spaces, commas or line ends. A line that begins with `#` says nothing.
    pub fn read(text: &str) -> Result<Self, BadKey> {
        let mut keys: Vec<MasterKey> = Vec::new();
        for (place, word) in words(text).enumerate() {
            if place == KEYS_MAX {
                return Err(BadKey::TooMany);
            }
            let key = MasterKey::read(word).ok_or(BadKey::Malformed(place + 1))?;
            if keys.iter().all(|known| known.id != key.id) {
                keys.push(key);
            }
        }
        if keys.is_empty() { Err(BadKey::None) } else { Ok(Self { keys }) }
    }

    /// The key that seals.
    pub fn current(&self) -> &MasterKey {
        &self.keys[0]
    }

    pub fn get(&self, id: &str) -> Option<&MasterKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    pub fn knows(&self, id: &str) -> bool {
        self.get(id).is_some()
    }

    pub fn ids(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.id.clone()).collect()
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Keyring").field(&self.ids()).finish()
    }
}

// === impl MasterKey ===

impl MasterKey {
    pub fn id(&self) -> &str {
        &self.id
    }

    fn read(word: &str) -> Option<Self> {
        let bytes = Zeroizing::new(decode(word)?);
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok()?;
        Some(Self { id: id_of(&bytes), key })
    }
}

pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.flat_map(|line| line.split([' ', '\t', ','])).map(str::trim).filter(|word| !word.is_empty())
}

/// A new key as text.
pub(super) fn new_key() -> Result<Secret, getrandom::Error> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut *bytes)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

fn decode(word: &str) -> Option<Vec<u8>> {
    if word.len() == KEY_BYTES * 2 {
        let digits =
            word.as_bytes().chunks_exact(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        return digits.collect();
    }
    let plain = word.trim_end_matches('=');
    let decoded = URL_SAFE_NO_PAD.decode(plain).or_else(|_| STANDARD_NO_PAD.decode(plain)).ok()?;
    (decoded.len() == KEY_BYTES).then_some(decoded)
}

/// Half of a digest under the key itself: tells keys apart, and nobody can go back from it.
fn id_of(key: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"tollgate master key id");
    tag.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
