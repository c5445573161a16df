//! The name under which an answer is remembered.
//!
//! Enters: who asks (a tenant scope), and what is asked, to the byte. Leaves: 32 bytes. Never: a key without a scope.
//!
//! SHA-256 over provider, path, provider credential and the whole body, as the original documents it (data-plane specification, section 4);
//! the model is part of the path or of the body. Every part is preceded by its length, so no two requests can be spliced into the same text.

use aws_lc_rs::digest::{Context, SHA256};

/// Answers are never shared across this line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    pub account: &'a str,
    pub gateway: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub method: &'a str,
    pub provider: &'a str,
    pub path_and_query: &'a str,
    /// The caller's own provider key; empty when the gateway supplies it.
    pub credential: &'a [u8],
    pub body: &'a [u8],
}

pub type Key = [u8; 32];

/// The key of exactly this request.
pub fn exact(scope: Scope<'_>, asked: Asked<'_>) -> Key {
    digest(b"exact", scope, &asked.parts())
}

/// The key of exactly this request, whose answer is told in this dialect.
pub fn told(scope: Scope<'_>, asked: Asked<'_>, dialect: &str) -> Key {
    let [method, provider, path, credential, body] = asked.parts();
    digest(b"told", scope, &[method, provider, path, credential, body, dialect.as_bytes()])
}

impl<'a> Asked<'a> {
    fn parts(&self) -> [&'a [u8]; 5] {
        [self.method.as_bytes(), self.provider.as_bytes(), self.path_and_query.as_bytes(), self.credential, self.body]
    }
}

/// The key that the caller chose: shared by all requests of the gateway that choose the same, whatever their provider. Only who asked for a stream
/// is given one.
pub fn custom(scope: Scope<'_>, key: &str, streamed: bool) -> Key {
    let kind: &[u8] = if streamed { b"custom stream" } else { b"custom" };
    digest(kind, scope, &[key.as_bytes()])
}

pub(crate) fn digest(kind: &[u8], scope: Scope<'_>, parts: &[&[u8]]) -> Key {
    let mut context = Context::new(&SHA256);
    for part in [kind, scope.account.as_bytes(), scope.gateway.as_bytes()].iter().chain(parts) {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'_> = Scope { account: "a", gateway: "g" };
    const ASKED: Asked<'_> =
        Asked { method: "POST", provider: "p", path_and_query: "/v1", credential: b"k", body: b"{}" };

    #[test]
    fn every_part_counts() {
        let base = exact(SCOPE, ASKED);
        let others = [
            exact(Scope { account: "b", ..SCOPE }, ASKED),
            exact(Scope { gateway: "h", ..SCOPE }, ASKED),
            exact(SCOPE, Asked { method: "PUT", ..ASKED }),
            exact(SCOPE, Asked { provider: "q", ..ASKED }),
            exact(SCOPE, Asked { path_and_query: "/v2", ..ASKED }),
            exact(SCOPE, Asked { credential: b"", ..ASKED }),
            exact(SCOPE, Asked { body: b"{ }", ..ASKED }),
            // The same bytes, cut elsewhere.
            exact(Scope { account: "ag", gateway: "" }, ASKED),
            exact(SCOPE, Asked { credential: b"k{", body: b"}", ..ASKED }),
            custom(SCOPE, "p", false),
            told(SCOPE, ASKED, ""),
            told(SCOPE, ASKED, "openai-chat"),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, base, "case {index}");
        }
        assert_eq!(exact(SCOPE, ASKED), base);
    }

    #[test]
    fn a_chosen_key_is_scoped() {
        assert_ne!(custom(SCOPE, "k", false), custom(Scope { gateway: "h", ..SCOPE }, "k", false));
        assert_ne!(custom(SCOPE, "k", false), custom(SCOPE, "k", true));
        assert_eq!(custom(SCOPE, "k", true), custom(SCOPE, "k", true));
    }
}
