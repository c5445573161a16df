//! Whether a page of ours asks, and not another site in the name of whoever is signed in here.
//!
//! Enters: method and headers of a request that a cookie would let in. Leaves: yes or no. Never: asked of requests with a token in a header, which no other
//! site can add.
//!
//! Browsers send `Sec-Fetch-Site` with everything and `Origin` with everything that is not a GET; neither can be set by a page. A request that changes
//! something and has neither comes from no browser, and whoever is no browser has a token.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Method, Uri};

/// `base`: where browsers reach us, when a proxy writes another `Host`.
pub(super) fn is_own(method: &Method, uri: &Uri, headers: &HeaderMap, base: Option<&str>) -> bool {
    let reads = method == Method::GET || method == Method::HEAD;
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    match text("sec-fetch-site") {
        Some("same-origin") => {}
        // Typed, or from a bookmark.
        Some("none") if reads => {}
        Some(_) => return false,
        None => {}
    }
    match text(ORIGIN.as_str()) {
        Some(origin) => {
            let host = uri.authority().map(|authority| authority.as_str()).or_else(|| text(HOST.as_str()));
            let is_host = |(_, named): (&str, &str)| host.is_some_and(|host| host.eq_ignore_ascii_case(named));
            base.is_some_and(|base| base.eq_ignore_ascii_case(origin)) || origin.split_once("://").is_some_and(is_host)
        }
        None => reads || text("sec-fetch-site").is_some(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn other_sites_are_told_from_our_own_pages() {
        let base = Some("https://ai.example.com");
        for (method, lines, expected) in [
            (Method::POST, &[("sec-fetch-site", "same-origin"), ("origin", "http://gw:8787")][..], true),
            (Method::POST, &[("origin", "http://gw:8787")], true),
            (Method::POST, &[("origin", "https://ai.example.com")], true),
            (Method::POST, &[("sec-fetch-site", "same-origin")], true),
            (Method::POST, &[], false),
            (Method::POST, &[("origin", "null")], false),
            (Method::POST, &[("origin", "http://gw:9999")], false),
            (Method::POST, &[("origin", "http://gw:8787.evil.example")], false),
            (Method::POST, &[("origin", "https://evil.example")], false),
            (Method::POST, &[("sec-fetch-site", "same-site"), ("origin", "http://gw:8787")], false),
            (Method::POST, &[("sec-fetch-site", "cross-site")], false),
            (Method::POST, &[("sec-fetch-site", "none")], false),
            (Method::DELETE, &[("sec-fetch-site", "none")], false),
            (Method::GET, &[], true),
            (Method::GET, &[("sec-fetch-site", "none")], true),
            (Method::GET, &[("sec-fetch-site", "same-origin")], true),
            (Method::GET, &[("sec-fetch-site", "cross-site")], false),
            (Method::GET, &[("sec-fetch-site", "same-site")], false),
            (Method::GET, &[("origin", "https://evil.example")], false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("gw:8787"));
            for (name, value) in lines {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_own(&method, &Uri::from_static("/x"), &headers, base), expected, "{method} {lines:?}");
        }
    }
}
