//! Signatures of messages, by the Standard Webhooks scheme (standardwebhooks.com).
//!
//! Enters: a key as text, a message. Leaves: the value of `webhook-signature`. Never: keeps a key.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tollgate_model::Secret;

pub(crate) const PREFIX: &str = "whsec_";
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
pub(crate) const EXPECTED: &str = "Expected whsec_ and the base64 of 24 to 64 bytes";

/// The bytes behind `whsec_...`; `None`: it is no such key.
pub(crate) fn key(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
    KEY_BYTES.contains(&bytes.len()).then_some(bytes)
}

pub(crate) fn of_bytes(bytes: &[u8]) -> Secret {
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// `v1,` and the base64 of HMAC-SHA256 over id, time and body.
pub(crate) fn signature(key: &[u8], id: &str, timestamp_s: u64, body: &str) -> String {
    let signed = format!("{id}.{timestamp_s}.{body}");
    let tag = sign(&Key::new(HMAC_SHA256, key), signed.as_bytes());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn a_signature_is_the_schemes() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let said = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(said, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_key_has_a_form() {
        for bad in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAA", "whsec_not base64!"] {
            assert_eq!(super::key(bad), None, "{bad}");
        }
        assert_eq!(super::key(of_bytes(&[7; 32]).expose()), Some(vec![7; 32]));
    }
}
