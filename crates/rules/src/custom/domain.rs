//! Host names of custom domains: how one is written, and how a request's is read.
//!
//! Enters: text of a setting, or of `Host` and `:authority`. Leaves: one spelling for each name. Never: takes a wildcard, or reads any other header.

use http::Uri;
use http::header::HeaderValue;

use crate::egress::Host;

const HOSTNAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// A whole name of at least two labels, in lower case, that nobody reads as an address; names in other alphabets in their `xn--` form.
pub fn is_hostname(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(known)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = || matches!(Host::read(text), Some(Host::Name | Host::PrivateName));
    text.len() <= HOSTNAME_BYTES_MAX && text.contains('.') && text.split('.').all(is_label) && is_name()
}

/// The name that a request is for. `:authority`, or the authority of a request line in absolute form, counts before `Host` (RFC 9112, section 3.2.2; RFC
/// 9113, section 8.3.1); where both are there and name different hosts, none is named. `None` also for what could not be a custom domain.
pub fn named_host(uri: &Uri, host: Option<&HeaderValue>) -> Option<String> {
    let in_line = uri.authority().map(|authority| plain(authority.as_str()));
    let in_header = host.map(|host| plain(host.to_str().unwrap_or_default()));
    match (in_line, in_header) {
        (Some(line), Some(header)) if line != header => None,
        (Some(named), _) | (None, Some(named)) => named,
        (None, None) => None,
    }
}

/// Without port, one trailing dot and the case of its letters. The port is whatever the listener has, or something before it.
fn plain(text: &str) -> Option<String> {
    let (name, port) = text.split_once(':').unwrap_or((text, ""));
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    (port.bytes().all(|byte| byte.is_ascii_digit()) && is_hostname(&name)).then_some(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn named(uri: &str, host: Option<&str>) -> Option<String> {
        let host = host.map(|host| HeaderValue::from_str(host).unwrap());
        named_host(&uri.parse().unwrap(), host.as_ref())
    }

    #[test]
    fn one_name_has_many_spellings() {
        for host in [
            "ai.example.com",
            "AI.Example.COM",
            "ai.example.com:8787",
            "ai.example.com.",
            "ai.example.com.:443",
            "ai.example.com:",
        ] {
            assert_eq!(named("/openai/v1", Some(host)).as_deref(), Some("ai.example.com"), "{host}");
        }
        assert_eq!(named("https://Ai.Example.com/openai", None).as_deref(), Some("ai.example.com"));
        assert_eq!(
            named("https://ai.example.com/openai", Some("ai.example.com:443")).as_deref(),
            Some("ai.example.com")
        );
    }

    #[test]
    fn what_is_doubtful_names_nothing() {
        for host in [
            "",
            ".",
            "ai.example.com..",
            "ai..example.com",
            "ai.example.com:80:80",
            "ai.example.com:x",
            "me@ai.example.com",
            "localhost",
            "127.0.0.1.",
            "[::1]:80",
            "-a.example.com",
            "a_b.example.com",
            "ai.example.com,other.example.com",
            "*.example.com",
        ] {
            assert_eq!(named("/openai/v1", Some(host)), None, "{host}");
        }
        assert_eq!(named("https://ai.example.com/openai", Some("other.example.com")), None);
        assert_eq!(named("https://ai.example.com/openai", Some("[::1]")), None);
        assert_eq!(named("/x", None), None);
    }

    #[test]
    fn a_domain_is_a_whole_name() {
        for good in ["a.b", "ai.example.com", "xn--bcher-kva.example", "1.example.com"] {
            assert!(is_hostname(good), "{good}");
        }
        let long = format!("{}.example", "a".repeat(64));
        for bad in [
            "",
            "localhost",
            "*.example.com",
            "a.*.com",
            "a.b.",
            "127.0.0.1",
            "10.1",
            "a.0x7f",
            ".a.b",
            "A.b",
            "a.b:80",
            "a/b.c",
            "https://a.b",
            "b\u{fc}cher.example",
            &long,
        ] {
            assert!(!is_hostname(bad), "{bad}");
        }
    }
}
