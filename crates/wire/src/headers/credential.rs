//! Whether a header that may carry a key carries one.
//!
//! Enters: a header. Leaves: yes or no. Never: knows whose key it is.

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use memchr::memmem;

/// Every header in which official SDKs send keys.
pub static HEADERS: [HeaderName; 5] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("xi-api-key"),
];

/// What stands before a key. Alone it is a key left empty; `undefined` and `null` are what JavaScript makes of a missing one.
const SCHEMES: [&str; 6] = ["bearer", "token", "key", "api-key", "apikey", "basic"];
const NOTHINGS: [&str; 3] = ["", "undefined", "null"];

/// Nothing a provider could use: blank, or the credentials of an access proxy in front of the gateway, which are sent as JSON.
pub(super) fn is_none(name: &HeaderName, value: &HeaderValue) -> bool {
    is_blank(value) || (*name == AUTHORIZATION && is_access(value.as_bytes()))
}

/// A credential that says nothing: `Bearer `, an empty value.
pub fn is_blank(value: &HeaderValue) -> bool {
    let text = value.as_bytes().trim_ascii();
    let scheme = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    match is_one_of(&SCHEMES, scheme) {
        true => is_one_of(&NOTHINGS, text[scheme.len()..].trim_ascii()),
        false => is_one_of(&NOTHINGS, text),
    }
}

fn is_one_of(words: &[&str], text: &[u8]) -> bool {
    words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(text))
}

fn is_access(value: &[u8]) -> bool {
    value.starts_with(b"{") && memmem::find(value, b"cf-access-client-").is_some()
}
