//! The key by which a caller says that several tries are one request.
//!
//! Enters: headers, who asks, what is asked. Leaves: the name under which the answer is kept, a print of what was asked, and whether an answer is
//! worth keeping. Never: lets one key mean the same for two callers.
//!
//! The header is that of draft-ietf-httpapi-idempotency-key-header; how it is understood is what Stripe made usual: the first try is carried out, the
//! others hear its answer, and the same key on another request is a fault.

use http::{HeaderMap, HeaderName, Method};

use crate::cache_key::{Key, Scope, digest};

pub static HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// On an answer that was told before.
pub static REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
pub const KEY_BYTES_MAX: usize = 255;
/// How long an answer is kept, unless the settings say otherwise.
pub const TTL_S: u64 = 86_400;

/// What was asked, as far as it decides about the answer.
pub type Print = [u8; 32];

/// Whose key it is. A token and every credential of a provider's count: who shows another one is somebody else.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    pub scope: Scope<'a>,
    /// Of the gateway: one that is made anew under the same name is another one.
    pub internal_id: &'a str,
    pub token: Option<&'a str>,
    pub credentials: &'a [&'a [u8]],
}

/// `None` where there is none, or where there is no need for one: what only reads may be asked twice.
pub fn read<'a>(method: &Method, headers: &'a HeaderMap) -> Result<Option<&'a [u8]>, &'static str> {
    let mut given = headers.get_all(&HEADER).iter();
    let Some(key) = given.next().filter(|_| !method.is_safe()) else { return Ok(None) };
    let key = key.as_bytes().trim_ascii();
    match key.len() {
        _ if given.next().is_some() => Err("idempotency-key: given more than once"),
        0 => Err("idempotency-key: it is empty"),
        1..=KEY_BYTES_MAX => Ok(Some(key)),
        _ => Err("idempotency-key: longer than 255 bytes"),
    }
}

pub fn name(holder: Holder<'_>, key: &[u8]) -> Key {
    let mut parts = vec![holder.internal_id.as_bytes(), holder.token.unwrap_or_default().as_bytes(), key];
    parts.extend(holder.credentials);
    digest(b"idempotency", holder.scope, &parts)
}

pub fn print(scope: Scope<'_>, method: &Method, path_and_query: &str, headers: &HeaderMap, body: &[u8]) -> Print {
    let mut counted: Vec<_> = headers.iter().filter(|(name, _)| counts(name.as_str())).collect();
    counted.sort_unstable_by_key(|(name, value)| (name.as_str(), value.as_bytes()));
    let mut parts = vec![method.as_str().as_bytes(), path_and_query.as_bytes(), body];
    parts.extend(counted.iter().flat_map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()]));
    digest(b"asked", scope, &parts)
}

/// Headers that change what is asked. The others may differ from try to try: dates, signatures, traces, what an SDK says of itself.
fn counts(name: &str) -> bool {
    const WHOLE: [&str; 5] =
        ["content-type", "content-encoding", "cf-aig-byok-alias", "cf-aig-no-wholesale", "tollgate-strict"];
    const ENDS: [&str; 4] = ["-version", "-beta", "-organization", "-project"];
    WHOLE.contains(&name) || (ENDS.iter().any(|end| name.ends_with(end)) && !name.starts_with("x-stainless-"))
}

/// Whether a later try shall hear this. Not what another try could do better: there it really is tried again. Of refusals only those that depend on
/// nothing but the request.
pub fn is_kept(status: u16) -> bool {
    match status {
        200..=399 => true,
        400..=499 => !matches!(status, 401 | 402 | 403 | 407 | 408 | 409 | 421 | 423 | 424 | 425 | 429 | 499),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const SCOPE: Scope<'_> = Scope { account: "a", gateway: "g" };

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &&str| HeaderValue::from_str(text).unwrap();
        pairs.iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect()
    }

    #[test]
    fn a_key_has_a_length_and_comes_once() {
        let post =
            |text: &str| read(&Method::POST, &headers(&[("idempotency-key", text)])).map(|key| key.map(<[u8]>::len));
        assert_eq!(post("k"), Ok(Some(1)));
        assert_eq!(post(&"k".repeat(255)), Ok(Some(255)));
        assert!(post(&"k".repeat(256)).is_err() && post("").is_err() && post("  ").is_err());
        let twice: HeaderMap = {
            let mut map = headers(&[("idempotency-key", "a")]);
            map.append(&HEADER, HeaderValue::from_static("a"));
            map
        };
        assert!(read(&Method::POST, &twice).is_err());
        assert_eq!(read(&Method::GET, &twice), Ok(None), "what only reads needs no key");
        assert_eq!(read(&Method::POST, &HeaderMap::new()), Ok(None));
    }

    #[test]
    fn a_key_is_its_holders() {
        let holder = Holder { scope: SCOPE, internal_id: "i", token: Some("t"), credentials: &[b"sk-1"] };
        let base = name(holder, b"k");
        for other in [
            name(holder, b"l"),
            name(Holder { internal_id: "j", ..holder }, b"k"),
            name(Holder { token: None, ..holder }, b"k"),
            name(Holder { token: Some("u"), ..holder }, b"k"),
            name(Holder { credentials: &[], ..holder }, b"k"),
            name(Holder { credentials: &[b"sk-2"], ..holder }, b"k"),
            name(Holder { scope: Scope { gateway: "h", ..SCOPE }, ..holder }, b"k"),
            name(Holder { scope: Scope { account: "b", ..SCOPE }, ..holder }, b"k"),
        ] {
            assert_ne!(base, other);
        }
        assert_eq!(base, name(holder, b"k"));
    }

    #[test]
    fn a_print_is_of_what_decides_about_the_answer() {
        let first = headers(&[
            ("content-type", "application/json"),
            ("some-beta", "x"),
            ("x-stainless-retry-count", "0"),
            ("x-stainless-package-version", "1"),
            ("date", "now"),
        ]);
        // Another try: other order, other count, another date.
        let second = headers(&[
            ("date", "later"),
            ("some-beta", "x"),
            ("x-stainless-retry-count", "1"),
            ("x-stainless-package-version", "2"),
            ("content-type", "application/json"),
        ]);
        let of = |method, path, headers: &HeaderMap, body: &[u8]| print(SCOPE, method, path, headers, body);
        let base = of(&Method::POST, "/p", &first, b"{}");
        assert_eq!(base, of(&Method::POST, "/p", &second, b"{}"));
        let mut changed = first.clone();
        changed.insert("some-beta", HeaderValue::from_static("y"));
        for other in [
            of(&Method::PUT, "/p", &first, b"{}"),
            of(&Method::POST, "/p?x", &first, b"{}"),
            of(&Method::POST, "/p", &changed, b"{}"),
            of(&Method::POST, "/p", &first, b"{ }"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn what_another_try_could_do_better_is_not_kept() {
        let kept: Vec<u16> = (100..600).filter(|status| is_kept(*status)).collect();
        for status in [200, 201, 302, 400, 404, 413, 415, 422] {
            assert!(kept.contains(&status), "{status}");
        }
        for status in [101, 401, 403, 408, 409, 429, 499, 500, 502, 503, 504, 529] {
            assert!(!kept.contains(&status), "{status}");
        }
    }
}
