//! Gateway tokens: how they look, how they are found in a request, what is kept of them.
//!
//! Enters: header values. Leaves: a digest to look up. Never: compares or stores the token itself.
//!
//! The presented text is digested before anything else touches it, so neither a comparison's timing nor a query can leak it.

use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_model::token::Digest;

/// Tokens made here begin with this, so that people and scanners recognise them.
pub const PREFIX: &str = "tg_";
/// Longer values are not tokens of ours and are not digested.
pub const LEN_MAX: usize = 512;

pub const GATEWAY_HEADER: &str = "cf-aig-authorization";
const PROTOCOL_PREFIX: &str = "cf-aig-authorization.";

/// Where else a gateway token may stand (data-plane specification, section 9.1): official SDKs can only set their provider's header.
pub const CREDENTIAL_HEADERS: [HeaderName; 5] = [
    http::header::AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("xi-api-key"),
];

pub fn digest(token: &str) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()).as_ref());
    out
}

/// The tokens named where only a gateway token can stand.
pub fn in_gateway_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(GATEWAY_HEADER).and_then(bare).or_else(|| in_protocol(headers))
}

fn in_protocol(headers: &HeaderMap) -> Option<&str> {
    let offered = headers.get(http::header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    offered
        .split(',')
        .find_map(|protocol| protocol.trim().strip_prefix(PROTOCOL_PREFIX))
        .filter(|token| token.len() <= LEN_MAX)
}

/// A header's token without its scheme. Empty values, and the `undefined` that the official client sends for a missing token, are none.
pub fn bare(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?.trim();
    let scheme_len = "bearer".len();
    let text = match text.get(..scheme_len) {
        Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => text.get(scheme_len..)?.trim_start(),
        _ => text,
    };
    (!text.is_empty() && text != "undefined" && text.len() <= LEN_MAX).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_with_and_without_its_scheme() {
        for (value, token) in [
            ("Bearer tg_fake", Some("tg_fake")),
            ("bearer   tg_fake", Some("tg_fake")),
            ("tg_fake", Some("tg_fake")),
            ("Bearer ", None),
            ("Bearer undefined", None),
            ("", None),
        ] {
            assert_eq!(bare(&HeaderValue::from_static(value)), token, "{value:?}");
        }
    }

    #[test]
    fn a_browser_names_its_token_as_a_protocol() {
        let mut headers = HeaderMap::new();
        headers.insert("sec-websocket-protocol", HeaderValue::from_static("realtime, cf-aig-authorization.tg_fake"));
        assert_eq!(in_gateway_header(&headers), Some("tg_fake"));
    }
}
