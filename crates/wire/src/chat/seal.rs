//! Thinking signatures and encrypted reasoning, on their way through a dialect that has no place for them.
//!
//! Enters: a provider's opaque token. Leaves: the same token, with whose it is. Never: reads, changes or shortens it.
//!
//! A caller keeps the conversation, so the caller keeps the seals: what provider A sealed is written into the caller's dialect wherever that has
//! room for opaque text (Anthropic's `signature`, Responses' `encrypted_content`, chat's `reasoning_details` and `extra_content`), packed with its
//! origin's name. When the turn comes back it is unpacked: sent to A again it is in A's place, byte for byte; sent to B it is a loss, and noted.

use crate::dialect::Dialect;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    pub origin: Dialect,
    pub data: String,
    /// Names the sealed item, where the provider does (Responses' `rs_...`).
    pub id: Option<String>,
    /// There is no visible thought: Anthropic's `redacted_thinking`.
    pub redacted: bool,
}

const MARK: &str = "tollgate:";

// === impl Seal ===

impl Seal {
    pub fn new(origin: Dialect, data: impl Into<String>) -> Self {
        Self { origin, data: data.into(), id: None, redacted: false }
    }

    /// For a place in `home`'s words. A seal of that dialect itself stands there as its provider made it.
    pub fn pack(&self, home: Dialect) -> String {
        if self.origin == home {
            return self.data.clone();
        }
        let redacted = if self.redacted { "r" } else { "" };
        format!("{MARK}{}:{redacted}:{}:{}", self.origin.name(), self.id.as_deref().unwrap_or_default(), self.data)
    }

    /// What [`Self::pack`] wrote, or a seal of `home`'s own. Unknown names and missing parts make it `home`'s: it is for its provider to judge.
    pub fn unpack(home: Dialect, text: String) -> Self {
        Self::packed(&text).unwrap_or_else(|| Self::new(home, text))
    }

    fn packed(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(MARK)?.splitn(4, ':');
        let origin = Dialect::from_name(parts.next()?)?;
        let redacted = parts.next()? == "r";
        let id = Some(parts.next()?).filter(|id| !id.is_empty()).map(str::to_owned);
        Some(Self { origin, data: parts.next()?.to_owned(), id, redacted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_from_a_foreign_place() {
        let seal = Seal {
            origin: Dialect::OpenaiResponses,
            data: "gAAA:b+/=".into(),
            id: Some("rs_1".into()),
            redacted: true,
        };
        let text = seal.pack(Dialect::AnthropicMessages);
        assert_eq!(Seal::unpack(Dialect::AnthropicMessages, text), seal);
        assert_eq!(seal.pack(Dialect::OpenaiResponses), "gAAA:b+/=", "at home it is untouched");
    }

    #[test]
    fn what_is_not_packed_is_the_homes_own() {
        for text in ["EqQB", "tollgate:", "tollgate:nobody::x:y", "tollgate:gemini:r"] {
            assert_eq!(Seal::unpack(Dialect::Gemini, text.into()), Seal::new(Dialect::Gemini, text));
        }
    }
}
