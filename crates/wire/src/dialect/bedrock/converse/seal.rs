//! Seals as Converse keeps them: a signature on a thought that is shown, bytes for one that is not.
//!
//! Enters: a seal, or the JSON of a thought. Leaves: the other. Never: anything but base64 where the API has bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::HOME;
use crate::chat::Seal;

/// Of `redactedContent`: base64, which is the seal itself, or another provider's packed seal in base64.
pub(super) fn unredacted(base64: String) -> Seal {
    let packed = STANDARD.decode(&base64).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let foreign = packed.map(|text| Seal::unpack(HOME, text)).filter(|seal| seal.origin != HOME);
    Seal { redacted: true, ..foreign.unwrap_or_else(|| Seal::new(HOME, base64)) }
}

pub(super) fn redacted(seal: &Seal) -> String {
    match seal.origin {
        HOME => seal.data.clone(),
        _ => STANDARD.encode(seal.pack(HOME)),
    }
}

/// A `reasoningContent` block.
pub(super) fn thought(text: &str, seal: Option<&Seal>) -> Value {
    let told = match seal {
        Some(seal) if seal.redacted && text.is_empty() => json!({ "redactedContent": redacted(seal) }),
        Some(seal) => json!({ "reasoningText": { "text": text, "signature": seal.pack(HOME) } }),
        None => json!({ "reasoningText": { "text": text } }),
    };
    json!({ "reasoningContent": told })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    #[test]
    fn hidden_thoughts_are_bytes_whoever_hid_them() {
        for origin in [HOME, Dialect::AnthropicMessages] {
            let seal = Seal { redacted: true, ..Seal::new(origin, "c2VhbA==") };
            let told = redacted(&seal);
            assert!(STANDARD.decode(&told).is_ok(), "{told}");
            assert_eq!(unredacted(told), seal);
        }
    }
}
