//! AWS's signature, version 4: what a request says to prove that its sender has the secret key.
//!
//! Enters: a request's method, target, headers and body, keys, `now`. Leaves: the headers that sign it. Never: signs a header that a hop may change.
//!
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. As for every service but S3, what is escaped in the
//! path is escaped once more. Written here because the SDK's signer brings a second cryptographic library; its answers are the tests.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, Tag, sign as hmac};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tollgate_wire::provider::{Auth, Origin};

use super::credential::AwsKeys;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const BODY_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// Where neither the host nor the key says it.
const REGION: &str = "us-east-1";
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const IN_PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// What a signature is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub region: String,
    pub service: String,
}

// === impl Scope ===

impl Scope {
    /// AWS's hosts are `service.region.rest`. Elsewhere (a private endpoint, a stand-in) the key's region counts, and the row's first service.
    pub fn of(auth: &Auth, origin: &Origin, keys: &AwsKeys) -> Option<Self> {
        let Auth::Sigv4 { services } = auth else { return None };
        let is_aws = origin.host.ends_with(".amazonaws.com") || origin.host.ends_with(".api.aws");
        let mut labels = origin.host.split('.');
        let (host, region) = (labels.next().unwrap_or_default(), labels.next());
        let named = services.get(host).map_or(host, String::as_str);
        let own_region = || keys.region.clone().unwrap_or_else(|| REGION.to_owned());
        if is_aws && !origin.host.contains(".vpce.") {
            return Some(Self { region: region.map_or_else(own_region, str::to_owned), service: named.to_owned() });
        }
        Some(Self { region: own_region(), service: services.values().next().map_or(named, String::as_str).to_owned() })
    }
}

/// Puts the signature among the headers of a request to `host`.
pub fn sign(
    keys: &AwsKeys,
    scope: &Scope,
    (method, host, path_and_query): (&Method, &str, &str),
    headers: &mut HeaderMap,
    body: &[u8],
    now_ms: u64,
) -> Option<()> {
    let now = jiff::Timestamp::from_millisecond(i64::try_from(now_ms).ok()?).ok()?;
    let (day, moment) = (now.strftime("%Y%m%d").to_string(), now.strftime("%Y%m%dT%H%M%SZ").to_string());
    headers.remove(AUTHORIZATION);
    headers.remove(BODY_HASH);
    headers.remove(TOKEN);
    headers.insert(DATE, HeaderValue::try_from(&moment).ok()?);
    if let Some(token) = &keys.session_token {
        headers.insert(TOKEN, secret_value(token.expose())?);
    }
    let (names, lines) = signed_headers(headers, host);
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let request = format!(
        "{method}\n{}\n{}\n{lines}\n{names}\n{}",
        canonical_path(path),
        canonical_query(query),
        hex(digest(&SHA256, body).as_ref())
    );
    let place = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!("{ALGORITHM}\n{moment}\n{place}\n{}", hex(digest(&SHA256, request.as_bytes()).as_ref()));
    let signature = hex(hmac(&signing_key(keys, scope, &day), text.as_bytes()).as_ref());
    let id = &keys.access_key_id;
    let value = format!("{ALGORITHM} Credential={id}/{place}, SignedHeaders={names}, Signature={signature}");
    headers.insert(AUTHORIZATION, secret_value(&value)?);
    Some(())
}

fn signing_key(keys: &AwsKeys, scope: &Scope, day: &str) -> Key {
    let begun = zeroize::Zeroizing::new(format!("AWS4{}", keys.secret_access_key.expose()));
    let next = |tag: Tag| Key::new(HMAC_SHA256, tag.as_ref());
    let of_day = next(hmac(&Key::new(HMAC_SHA256, begun.as_bytes()), day.as_bytes()));
    let of_region = next(hmac(&of_day, scope.region.as_bytes()));
    let of_service = next(hmac(&of_region, scope.service.as_bytes()));
    next(hmac(&of_service, b"aws4_request"))
}

/// The host, the content's type and everything of AWS's own. What else there is, hops may rewrite.
fn signed_headers(headers: &HeaderMap, host: &str) -> (String, String) {
    let mut signed = vec![("host", host.to_owned())];
    for name in headers.keys().filter(|name| **name == CONTENT_TYPE || name.as_str().starts_with("x-amz-")) {
        let values = headers.get_all(name).iter().map(|value| squeezed(value.as_bytes()));
        signed.push((name.as_str(), values.collect::<Vec<_>>().join(",")));
    }
    signed.sort_unstable();
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    (names, signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect())
}

fn squeezed(value: &[u8]) -> String {
    String::from_utf8_lossy(value).split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without empty segments, and escaped once more.
fn canonical_path(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let ends = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    utf8_percent_encode(&format!("/{}{ends}", parts.join("/")), IN_PATH).to_string()
}

/// Pairs in order, decoded and escaped in the one canonical way.
fn canonical_query(query: &str) -> String {
    let escape = |text: &str| {
        let plain = percent_encoding::percent_decode_str(&text.replace('+', " ")).collect::<Vec<u8>>();
        percent_encoding::percent_encode(&plain, UNRESERVED).to_string()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (escape(name), escape(value)))
        .collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn secret_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
