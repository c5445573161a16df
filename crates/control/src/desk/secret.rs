//! Randomness for ids and tokens.
//!
//! Enters: the operating system's. Leaves: texts that cannot be guessed. Never: falls back to something weaker.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tollgate_model::Secret;
use tollgate_rules::token::PREFIX;

use super::DeskError;

const SHOWN_CHARS: usize = 4;

/// `tg_` and 43 characters that hold 32 random bytes.
pub(crate) fn new_token() -> Result<Secret, DeskError> {
    Ok(Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<32>()?))))
}

/// A code that a person carries in a link.
pub(crate) fn new_code() -> Result<Secret, DeskError> {
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(random::<32>()?)))
}

/// What may be shown of a token later: enough to tell two apart, far too little to guess the rest.
pub(crate) fn hint(token: &Secret) -> String {
    let text = token.expose();
    let tail = text.len().saturating_sub(SHOWN_CHARS);
    format!("{PREFIX}…{}", text.get(tail..).unwrap_or_default())
}

/// 32 lower-case hexadecimal digits: what an account or a token is named by.
pub(crate) fn new_id() -> Result<String, DeskError> {
    Ok(hex(&random::<16>()?))
}

/// A random UUID (version 4) as text.
pub(crate) fn new_uuid() -> Result<String, DeskError> {
    let mut bytes = random::<16>()?;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = hex(&bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    Ok(parts.join("-"))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], DeskError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|cause| DeskError::NoRandomness(cause.to_string()))?;
    Ok(bytes)
}
