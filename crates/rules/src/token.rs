//! Gateway tokens: how they look, how they are found in a request, what is kept of them.
//!
//! Enters: header values and queries. Leaves: a digest to look up. Never: compares or stores the token itself, or calls a text that has our prefix
//! somebody else's key: known or not, it is ours and goes nowhere.
//!
//! The presented text is digested before anything else touches it, so neither a comparison's timing nor a query can leak it.

use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_model::token::Digest;

/// Tokens made here begin with this, so that people and scanners recognise them.
pub const PREFIX: &str = "tg_";
/// Longer values are not tokens of ours and are not digested.
pub const LEN_MAX: usize = 512;
/// Of every token that was made here: the prefix, and 32 random bytes in base64.
const LEN: usize = PREFIX.len() + 43;

pub const GATEWAY_HEADER: &str = "cf-aig-authorization";
const PROTOCOL_PREFIX: &str = "cf-aig-authorization.";

/// Something in a request that looks like a token made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    pub text: &'a str,
    pub header: &'a HeaderName,
    /// Of several that are good, the one of the lowest rank counts.
    pub rank: u8,
}

/// Where a token may stand. Besides the gateway's own header these are the ones that official SDKs can set, which is their provider's (data-plane
/// specification, section 9.1).
fn rank(name: &str) -> Option<u8> {
    match name {
        GATEWAY_HEADER => Some(0),
        "sec-websocket-protocol" => Some(PROTOCOL_RANK),
        "authorization" => Some(2),
        "x-api-key" => Some(3),
        "x-goog-api-key" => Some(4),
        "api-key" => Some(5),
        "xi-api-key" => Some(6),
        _ => None,
    }
}

const PROTOCOL_RANK: u8 = 1;
/// Any other header: looked into so that nothing of ours goes on in it, and not let in by.
const STRAY_RANK: u8 = u8::MAX;

pub fn digest(token: &str) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()).as_ref());
    out
}

/// All of them, in one walk over the headers, whose every value counts: no token may slip past as the second of its name.
pub fn shown(headers: &HeaderMap) -> impl Iterator<Item = Shown<'_>> {
    headers.iter().filter_map(|(header, value)| {
        let (rank, text) = match rank(header.as_str()) {
            Some(PROTOCOL_RANK) => (PROTOCOL_RANK, in_protocol(value)?),
            Some(rank) => (rank, bare(value)?),
            None if value.len() < LEN => return None,
            None => (STRAY_RANK, bare(value).filter(|text| is_whole(text))?),
        };
        Some(Shown { text, header, rank })
    })
}

/// Whether a query has a token as one of its values. No SDK puts one there, and nothing takes it out again.
pub fn is_in_query(query: &str) -> bool {
    query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1)).any(is_whole)
}

/// As they are made; what only begins like one may be somebody's word.
fn is_whole(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == LEN && text.starts_with(PREFIX) && text.bytes().all(is_digit)
}

impl Shown<'_> {
    /// In the place of a provider's key.
    pub fn is_in_place_of_key(&self) -> bool {
        self.rank > PROTOCOL_RANK
    }

    /// Where no SDK puts a token: it lets nobody in.
    pub fn is_stray(&self) -> bool {
        self.rank == STRAY_RANK
    }
}

/// Browsers can set no other header when they open a WebSocket.
fn in_protocol(value: &HeaderValue) -> Option<&str> {
    let offered = value.to_str().ok()?.split(',');
    let mut tokens = offered.filter_map(|protocol| protocol.trim().strip_prefix(PROTOCOL_PREFIX));
    tokens.find(|token| token.starts_with(PREFIX) && token.len() <= LEN_MAX)
}

/// With or without its scheme.
fn bare(value: &HeaderValue) -> Option<&str> {
    const SCHEME: &[u8] = b"bearer";
    let text = value.as_bytes().trim_ascii();
    let token = match text.split_at_checked(SCHEME.len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => token.trim_ascii_start(),
        _ => text,
    };
    let is_ours = token.starts_with(PREFIX.as_bytes()) && token.len() <= LEN_MAX;
    if is_ours { std::str::from_utf8(token).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[(&'static str, &'static str)]) -> Vec<(String, u8)> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        shown(&headers).map(|shown| (shown.text.to_owned(), shown.rank)).collect()
    }

    #[test]
    fn a_token_is_found_with_and_without_its_scheme() {
        for (value, token) in [
            ("Bearer tg_fake", Some("tg_fake")),
            ("bearer   tg_fake", Some("tg_fake")),
            (" tg_fake\t", Some("tg_fake")),
            ("Bearer ", None),
            ("Bearer undefined", None),
            ("Bearer a-provider-s-key", None),
            ("", None),
        ] {
            let expected: Vec<_> = token.map(|token| (token.to_owned(), 2)).into_iter().collect();
            assert_eq!(found(&[("authorization", value)]), expected, "{value:?}");
        }
        let long: &'static str = format!("tg_{}", "x".repeat(LEN_MAX)).leak();
        assert_eq!(found(&[("authorization", long)]), []);
    }

    #[test]
    fn a_browser_names_its_token_as_a_protocol() {
        let offered = "realtime, cf-aig-authorization.tg_fake";
        assert_eq!(found(&[("sec-websocket-protocol", offered)]), [("tg_fake".to_owned(), 1)]);
    }

    #[test]
    fn every_value_of_every_place_is_looked_at() {
        let lines = [("x-api-key", "tg_b"), ("authorization", "Bearer sk-fake"), ("authorization", "Bearer tg_a")];
        assert_eq!(found(&lines), [("tg_b".to_owned(), 3), ("tg_a".to_owned(), 2)]);
        assert_eq!(found(&[("cf-aig-authorization", "tg_c"), ("x-other", "tg_d")]), [("tg_c".to_owned(), 0)]);
    }

    #[test]
    fn a_whole_token_is_found_in_any_header_and_in_a_query() {
        let token: &'static str = format!("{PREFIX}{}", "aB3-_".repeat(9).get(..43).unwrap_or_default()).leak();
        let bearer: &'static str = format!("Bearer {token}").leak();
        for value in [token, bearer] {
            assert_eq!(found(&[("x-other", value)]), [(token.to_owned(), STRAY_RANK)], "{value}");
        }
        assert_eq!(
            found(&[
                ("x-other", &token[1..]),
                ("user-agent", "tg_0123456789 (a name that is no token, however long it is)")
            ]),
            []
        );
        for (query, expected) in [
            (format!("key={token}"), true),
            (format!("alt=sse&key={token}&x"), true),
            (format!("key={}", &token[..45]), false),
            (format!("key=a{token}"), false),
            ("key=tg_fake&q".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_in_query(&query), expected, "{query}");
        }
    }
}
