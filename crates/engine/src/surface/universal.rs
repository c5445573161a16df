//! `POST /v1/{account}/{gateway}`: the caller's own list of steps, each a provider, an endpoint, headers and a body.
//!
//! Enters: a JSON array of steps, or one step. Leaves: steps, read but not judged: a step that cannot be asked is passed over like one that fails.
//! Never: forwards the request's own credentials: each step names its own, and one provider's key is nothing for another.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tollgate_model::Refusal;
use tollgate_wire::headers::CREDENTIALS;

use super::{Call, Surface};

pub(crate) static ROW: Surface = Surface::gateway("", Call::Universal);

/// More than anybody falls back to.
const STEPS_MAX: usize = 64;

/// One step, in the words of the original (data-plane specification, section 1.7).
#[derive(Deserialize)]
struct Raw<'a> {
    provider: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(borrow, default)]
    query: Option<&'a RawValue>,
    #[serde(default)]
    config: Option<Config>,
    /// Of old clients: what the header of this name says.
    #[serde(default)]
    authorization: Option<String>,
}

/// The options of a step that have members of their own. Values that cannot be read are ignored, as in headers.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    request_timeout: Value,
    max_attempts: Value,
    retry_delay: Value,
    backoff: Value,
}

pub(crate) struct Listed {
    pub(crate) provider: String,
    /// Path and query, without leading slash.
    pub(crate) endpoint: String,
    /// The step's own over the request's, whose credentials are left out.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) fn read(body: &Bytes, headers: &HeaderMap) -> Result<Vec<Listed>, Refusal> {
    let bad = |cause: serde_json::Error| Refusal::bad_request(format!("request body: expected steps, {cause}"));
    let raws: Vec<&RawValue> = match body.trim_ascii_start().first() {
        Some(b'[') => serde_json::from_slice(body).map_err(bad)?,
        _ => vec![serde_json::from_slice(body).map_err(bad)?],
    };
    if !(1..=STEPS_MAX).contains(&raws.len()) {
        let said = format!("request body: expected 1 to {STEPS_MAX} steps, found {}", raws.len());
        return Err(Refusal::bad_request(said));
    }
    let request = without_credentials(headers);
    raws.iter().enumerate().map(|(at, raw)| listed(at, raw, &request)).collect()
}

fn listed(at: usize, raw: &RawValue, request: &HeaderMap) -> Result<Listed, Refusal> {
    let step: Raw<'_> = serde_json::from_str(raw.get())
        .map_err(|cause| Refusal::bad_request(format!("[{at}]: expected a step, {cause}")))?;
    let mut headers = request.clone();
    if let Some(text) = &step.authorization {
        put(&mut headers, at, "authorization", text)?;
    }
    for (name, value) in config(step.config.unwrap_or_default()) {
        put(&mut headers, at, name, &value)?;
    }
    for (name, value) in step.headers.into_iter().flatten() {
        put(&mut headers, at, &name, &as_text(value))?;
    }
    let body = step.query.map(|query| Bytes::copy_from_slice(query.get().as_bytes())).unwrap_or_default();
    let endpoint = step.endpoint.trim_start_matches('/').to_owned();
    Ok(Listed { provider: step.provider, endpoint, headers, body })
}

pub(crate) fn without_credentials(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in &CREDENTIALS {
        headers.remove(name);
    }
    debug_assert!(!headers.contains_key(AUTHORIZATION));
    headers
}

fn put(headers: &mut HeaderMap, at: usize, name: &str, text: &str) -> Result<(), Refusal> {
    let named = HeaderName::try_from(name);
    let value = HeaderValue::try_from(text);
    match (named, value) {
        (Ok(name), Ok(value)) => {
            headers.insert(name, value);
            Ok(())
        }
        _ => Err(Refusal::bad_request(format!("[{at}].headers: {name:?} cannot be sent as a header"))),
    }
}

/// As the headers of the same meaning, which a step's own headers may overrule.
fn config(config: Config) -> impl Iterator<Item = (&'static str, String)> {
    let members = [
        ("cf-aig-request-timeout", config.request_timeout),
        ("cf-aig-max-attempts", config.max_attempts),
        ("cf-aig-retry-delay", config.retry_delay),
        ("cf-aig-backoff", config.backoff),
    ];
    members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, as_text(value)))
}

/// The official client writes numbers, booleans and objects (metadata) as they are.
fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_list_and_a_single_step_are_read_alike() {
        let request = headers(&[("authorization", "Bearer tg_fake"), ("cf-aig-cache-ttl", "60"), ("x-mine", "1")]);
        let step = r#"{"provider":"openai","endpoint":"/v1/chat/completions?a=b","query":{ "model" : "m", "t":1.0 },
            "headers":{"Authorization":"Bearer k","cf-aig-cache-ttl":90,"cf-aig-metadata":{"a":1},"cf-aig-max-attempts":"3"},
            "config":{"requestTimeout":2000,"maxAttempts":2,"backoff":"linear"}}"#;
        for body in [step.to_owned(), format!(" [{step}]")] {
            let steps = read(&body.into(), &request).unwrap();
            let [one] = steps.as_slice() else { panic!("one step") };
            assert_eq!((one.provider.as_str(), one.endpoint.as_str()), ("openai", "v1/chat/completions?a=b"));
            assert_eq!(one.body, &br#"{ "model" : "m", "t":1.0 }"#[..], "not a byte is changed");
            let header = |name: &str| one.headers.get(name).map(|value| value.to_str().unwrap());
            for (name, value) in [
                ("authorization", "Bearer k"),
                ("cf-aig-cache-ttl", "90"),
                ("cf-aig-metadata", r#"{"a":1}"#),
                ("cf-aig-request-timeout", "2000"),
                ("cf-aig-max-attempts", "3"),
                ("cf-aig-backoff", "linear"),
                ("x-mine", "1"),
            ] {
                assert_eq!(header(name), Some(value), "{name}");
            }
        }
        let plain = read(&br#"{"provider":"openai"}"#.as_slice().into(), &request).unwrap();
        assert!(!plain[0].headers.contains_key("authorization") && plain[0].body.is_empty());
    }

    #[test]
    fn what_is_no_list_of_steps_is_refused_with_its_place() {
        for (body, part) in [
            ("", "request body"),
            ("[]", "found 0"),
            ("{}", "[0]: expected a step, missing field `provider`"),
            (r#"[{"provider":"openai"},7]"#, "[1]: expected a step"),
            (r#"{"provider":"openai","headers":{"a b":"c"}}"#, "[0].headers"),
            (r#"{"provider":"openai","headers":{"a":"b\nc"}}"#, "[0].headers"),
        ] {
            let refusal = read(&body.as_bytes().to_vec().into(), &HeaderMap::new()).err().unwrap();
            assert!(refusal.status() == 400 && refusal.said().contains(part), "{body}: {}", refusal.said());
        }
    }
}
