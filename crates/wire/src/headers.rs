//! Which headers go on: to the provider, and back to the caller. The one list for all surfaces.
//!
//! Enters: the headers of a message as received. Leaves: those that go on, in their order, values untouched.
//! Never: adds one, or knows a provider.
//!
//! Not forwarded to a provider, besides what belongs to one hop (RFC 9110, section 7.6.1): `host` and `content-length`, which the
//! engine writes anew; everything of the gateway's and of an edge before it (`cf-*`, `tollgate-*`, addresses of the caller); credentials that
//! are empty or hold a gateway token; cookies, which are the gateway's if anybody's: a caller never sees a provider's;
//! sub-protocols of a WebSocket, which may carry keys and mean nothing without the upgrade.
//! Not returned to a caller, besides hop-by-hop headers: a provider's cookies, what it says of its own origin to
//! browsers, and whatever looks like ours.

mod credential;
mod names;

use http::header::{CONNECTION, TE};
use http::{HeaderMap, HeaderName, HeaderValue};

pub use credential::{HEADERS as CREDENTIALS, is_blank};

/// What only the engine knows about a request's headers.
pub struct RequestPolicy<'a> {
    /// Headers that hold a gateway token, which no provider may see.
    pub spent: &'a dyn Fn(&HeaderName) -> bool,
    /// Headers of ours that are meant for this provider.
    pub own: &'a [HeaderName],
}

/// A copy: the caller's headers are needed again when the provider has to be asked again.
pub fn forward_request(headers: &HeaderMap, policy: &RequestPolicy<'_>) -> HeaderMap {
    let named = named_in_connection(headers);
    let mut out = HeaderMap::with_capacity(headers.keys_len() + SPARE);
    for (name, value) in headers {
        let goes_on = if names::REQUEST.holds(name.as_str()) {
            (*name == TE && is_trailers(value)) || policy.own.contains(name)
        } else {
            let is_nothing = credential::HEADERS.contains(name) && credential::is_none(name, value);
            !is_nothing && !(policy.spent)(name)
        };
        if goes_on && !is_named(&named, name) {
            out.append(name.clone(), value.clone());
        }
    }
    out
}

/// The same map, when everything in it goes on.
pub fn forward_response(mut headers: HeaderMap) -> HeaderMap {
    let named = named_in_connection(&headers);
    let is_dropped = |name: &HeaderName| names::RESPONSE.holds(name.as_str()) || is_named(&named, name);
    if !headers.keys().any(is_dropped) {
        headers.reserve(SPARE);
        return headers;
    }
    let mut out = HeaderMap::with_capacity(headers.keys_len() + SPARE);
    // The name comes with the first of its values only.
    let mut last = None;
    for (name, value) in headers {
        if let Some(name) = name {
            last = Some(name).filter(|name| !is_dropped(name));
        }
        if let Some(name) = &last {
            out.append(name.clone(), value);
        }
    }
    out
}

/// Room for what is added on the way: the HTTP library's headers and the gateway's own.
const SPARE: usize = 8;

/// What `Connection` declares to be of this hop. Sorted, so that a list of thousands costs no more than reading it.
fn named_in_connection(headers: &HeaderMap) -> Vec<String> {
    let mut named = Vec::new();
    for value in headers.get_all(CONNECTION) {
        let words = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        for word in words.filter(|word| !is_usual(word)) {
            named.push(String::from_utf8_lossy(word).to_ascii_lowercase());
        }
    }
    named.sort_unstable();
    named
}

/// The words that nearly every message has, none of which is a header that would otherwise go on.
fn is_usual(word: &[u8]) -> bool {
    word.is_empty() || [&b"keep-alive"[..], b"close", b"upgrade"].iter().any(|usual| word.eq_ignore_ascii_case(usual))
}

fn is_named(named: &[String], name: &HeaderName) -> bool {
    !named.is_empty() && named.binary_search_by(|word| word.as_str().cmp(name.as_str())).is_ok()
}

fn is_trailers(value: &HeaderValue) -> bool {
    value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"trailers")
}
