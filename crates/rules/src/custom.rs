//! Providers and domains that operators add.
//!
//! Enters: their documents. Leaves: rows like those of the catalog, host names as requests are looked up by; or what is wrong, and with which member.
//! Never: opens a connection to find out.

use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_model::CustomProvider;
use tollgate_model::secret::HIDDEN;
use tollgate_wire::headers::{RequestPolicy, forward_request};
use tollgate_wire::provider::{Origin, ProviderRow, RawRow};

use crate::egress::Egress;

mod domain;

pub use domain::{is_hostname, named_host};

/// Of one document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {what}")]
pub struct Wrong {
    pub member: &'static str,
    pub what: String,
}

pub const SLUG_CHARS_MAX: usize = 64;
pub const HEADERS_MAX: usize = 32;

/// The document as the engine reads it.
pub fn row(provider: &CustomProvider) -> Result<ProviderRow, Wrong> {
    if !is_slug(&provider.slug) {
        return Err(wrong("slug", "only letters, digits and hyphens"));
    }
    let (segment, mut raw) = RawRow::custom(&provider.slug, &provider.base_url);
    raw.title.clone_from(&provider.name);
    raw.docs = provider.link.clone().unwrap_or_default();
    let row = ProviderRow::compile(&segment, &raw).map_err(|fault| wrong("base_url", fault.to_string()))?;
    // Neither a host that a caller's path has a say in, nor what the engine answers itself.
    if !row.fixed_origin().is_some_and(|origin| matches!(origin.scheme.as_str(), "http" | "https")) {
        return Err(wrong("base_url", "write https://host/path"));
    }
    // One that a file declared and nobody has given a value yet is no header.
    let given = provider.headers.iter().filter(|header| header.value != HIDDEN);
    let headers = given.map(|header| read_header(&header.name, &header.value));
    Ok(row.with_fixed_headers(headers.collect::<Result<_, _>>()?))
}

pub fn is_slug(text: &str) -> bool {
    (1..=SLUG_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Where a base URL leads, if it may be one. What a name resolves to is judged at each connection.
pub fn base_url(egress: &Egress, text: &str) -> Result<Origin, Wrong> {
    let (origin, path) = egress.destination(text).map_err(|cause| wrong("base_url", cause.to_string()))?;
    if path.contains(['?', '{', '}']) {
        return Err(wrong("base_url", "a path without query and braces"));
    }
    Ok(origin)
}

/// A header that the operator adds to requests. What belongs to one hop, frames the body or is the gateway's own cannot be one.
pub fn read_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Wrong> {
    let read = || {
        let name = HeaderName::try_from(name).ok()?;
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    };
    let (name, value) =
        read().ok_or_else(|| wrong("headers", format!("{name:?} is no header, or its value is none")))?;
    let alone = HeaderMap::from_iter([(name.clone(), value.clone())]);
    let goes_on = forward_request(&alone, &RequestPolicy { spent: &|_| false, own: &[] }).contains_key(&name);
    if !goes_on || name == HOST || name == CONTENT_TYPE {
        return Err(wrong("headers", format!("{name} cannot be set here")));
    }
    Ok((name, value))
}

fn wrong(member: &'static str, what: impl Into<String>) -> Wrong {
    Wrong { member, what: what.into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tollgate_model::custom::CustomHeader;

    use super::*;

    fn provider(slug: &str, base_url: &str) -> CustomProvider {
        CustomProvider {
            id: "i".into(),
            name: "Acme".into(),
            slug: slug.into(),
            base_url: base_url.into(),
            description: None,
            link: None,
            curl_example: None,
            js_example: None,
            enable: true,
            beta: false,
            headers: Vec::new(),
            position: 0.0,
            created_at: 0,
            modified_at: 0,
        }
    }

    fn url(base_url: &str, rest: &str) -> String {
        let target = row(&provider("acme", base_url)).unwrap().target("a", rest, &HeaderMap::new()).unwrap();
        format!("{}{}", target.origin, target.path_and_query)
    }

    #[test]
    fn what_follows_the_segment_is_appended_to_the_base_url() {
        for (base, rest, expected) in [
            ("https://h.example", "v1/chat/completions", "https://h.example/v1/chat/completions"),
            ("https://h.example/", "v1/models?x=1", "https://h.example/v1/models?x=1"),
            ("https://h.example/fixed/prefix", "a/b", "https://h.example/fixed/prefix/a/b"),
            ("https://h.example/v1", "v1/chat/completions", "https://h.example/v1/chat/completions"),
            ("https://h.example/v1/", "chat/completions", "https://h.example/v1/chat/completions"),
            ("https://h.example/v1", "v1beta/x", "https://h.example/v1/v1beta/x"),
            ("https://h.example/paas/v4", "chat/completions", "https://h.example/paas/v4/chat/completions"),
            ("http://127.0.0.1:11434", "api/chat", "http://127.0.0.1:11434/api/chat"),
        ] {
            assert_eq!(url(base, rest), expected);
        }
        assert!(row(&provider("acme", "https://h.example")).unwrap().target("a", "../x", &HeaderMap::new()).is_err());
    }

    #[test]
    fn slugs_are_letters_digits_and_hyphens() {
        for (slug, good) in
            [("acme", true), ("Acme-2", true), ("", false), ("a_b", false), ("a/b", false), ("é", false)]
        {
            assert_eq!(row(&provider(slug, "https://h.example")).is_ok(), good, "{slug}");
        }
        assert_eq!(row(&provider("custom-ai", "https://h.example")).unwrap().segment(), "custom-custom-ai");
        assert!(!is_slug(&"a".repeat(SLUG_CHARS_MAX + 1)));
    }

    #[test]
    fn headers_of_the_operator_stand_over_the_callers_but_not_over_its_key() {
        let header = |name: &str, value: &str| CustomHeader { name: name.into(), value: value.into() };
        let headers = vec![header("X-Tenant", "mine"), header("authorization", "Bearer operators-fake")];
        let row = row(&CustomProvider { headers, ..provider("acme", "https://h.example") }).unwrap();
        let mut alone = HeaderMap::new();
        row.write_fixed_headers(&mut alone);
        assert_eq!(
            (&alone["x-tenant"], &alone["authorization"]),
            (&"mine".parse().unwrap(), &"Bearer operators-fake".parse().unwrap())
        );
        let mut callers = HeaderMap::new();
        callers.insert("x-tenant", "another".parse().unwrap());
        callers.insert("authorization", "Bearer callers-fake".parse().unwrap());
        row.write_fixed_headers(&mut callers);
        assert_eq!(
            (&callers["x-tenant"], &callers["authorization"]),
            (&"mine".parse().unwrap(), &"Bearer callers-fake".parse().unwrap())
        );
        assert!(!format!("{row:?}").contains("operators-fake"));
    }

    #[test]
    fn a_header_that_frames_or_is_ours_cannot_be_set() {
        for name in [
            "host",
            "Content-Length",
            "transfer-encoding",
            "connection",
            "te",
            "cf-aig-metadata",
            "tollgate-x",
            "cookie",
            "content-type",
            "a b",
            "",
        ] {
            assert!(read_header(name, "x").is_err(), "{name}");
        }
        for (name, value) in [("x-a", "b\r\nc: d"), ("x-a", "b\nc")] {
            assert!(read_header(name, value).is_err());
        }
        for name in ["x-api-key", "Authorization", "OpenAI-Organization"] {
            assert!(read_header(name, "x").is_ok(), "{name}");
        }
    }

    #[test]
    fn a_base_url_is_https_or_leads_where_the_operator_opened() {
        let (closed, open) = (Egress::default(), Egress { allow_private: vec!["127.0.0.0/8".parse().unwrap()] });
        for (text, by_default, opened) in [
            ("https://h.example/v1", true, true),
            ("http://h.example/v1", false, false),
            ("http://127.0.0.1:11434", false, true),
            ("https://h.example/v1?x=1", false, false),
            ("https://h.example/{account}", false, false),
            ("https://{x}.example", false, false),
        ] {
            assert_eq!(
                (base_url(&closed, text).is_ok(), base_url(&open, text).is_ok()),
                (by_default, opened),
                "{text}"
            );
        }
    }
}
