//! What the caller wishes for this one request: the `cf-aig-*` headers over the gateway's settings.
//!
//! Enters: a request's headers and its gateway. Leaves: resolved options. Never: fails a request: a value that cannot be read is ignored,
//! a number out of range is clamped (data-plane specification, section 3.1).
//!
//! One walk over the headers: nearly all of them are not ours, and a look-up per option would cost twenty hashes a request.

use http::HeaderMap;
use tollgate_model::Metadata;
use tollgate_model::gateway::{Backoff, CACHE_TTL_MAX_S, CACHE_TTL_MIN_S, Gateway};

use crate::metadata;
use crate::retry::{ATTEMPTS_MAX, DELAY_MAX_MS, Plan};

/// The time to live of a request that asked for caching by key on a gateway without one.
pub const CACHE_TTL_BY_KEY_S: u64 = 300;
/// Longer client ids and cache keys are cut off by ignoring them.
pub const TEXT_BYTES_MAX: usize = 1024;

#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub cache: CacheWish,
    /// Write a record at all, and write the bodies beside it.
    pub log: bool,
    pub log_payload: bool,
    pub retry: Plan,
    pub metadata: Metadata,
    pub event_id: Option<String>,
    /// The text of `cf-aig-custom-cost`; read when the answer is priced.
    pub custom_cost: Option<String>,
    /// A request that cannot be said to its target without a loss is refused.
    pub strict: bool,
    /// Which of the gateway's stored keys.
    pub byok_alias: Option<String>,
    /// The operator's keys are not to be used.
    pub no_wholesale: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheWish {
    /// 0 is off.
    pub ttl_s: u64,
    pub key: Option<String>,
    /// Neither read nor written.
    pub skip: bool,
    pub streams: StreamCache,
}

/// Whether a streamed answer may be cached, and how it is told again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamCache {
    #[default]
    Off,
    /// As fast as the caller reads.
    Instant,
    /// With the gaps of the first time.
    Recorded,
}

/// What an operator may change about how options are understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manners {
    /// Let a positive `cf-aig-cache-ttl` alone switch caching on, as documents before August 2026 said.
    pub ttl_enables_cache: bool,
    pub stream_cache: StreamCache,
}

/// Every request header that the gateway itself understands, for documents and the OpenAPI description.
pub const HEADERS: &[(&str, &str)] = &[
    ("cf-aig-authorization", "gateway token, with or without `Bearer`"),
    ("cf-aig-cache-key", "custom cache key; also asks for caching"),
    ("cf-aig-cache-ttl", "seconds, 60 to 2592000; 0 switches caching off (deprecated: cf-cache-ttl)"),
    ("cf-aig-skip-cache", "true: neither read nor write the cache (deprecated: cf-skip-cache)"),
    ("tollgate-cache-stream", "instant or recorded (or true): cache this streamed answer and how to replay it"),
    ("cf-aig-collect-log", "true or false: write a log record whatever the gateway says"),
    ("cf-aig-collect-log-payload", "false: no bodies in the log record"),
    ("cf-aig-metadata", "flat JSON object, at most 5 entries"),
    ("cf-aig-event-id", "your own trace id, echoed"),
    (
        "cf-aig-custom-cost",
        "JSON: per_token_in, per_token_out, per_cache_read_token, per_cache_write_token, or total_cost",
    ),
    ("cf-aig-byok-alias", "which stored key of the gateway for this provider; without it the default one"),
    ("cf-aig-no-wholesale", "true: never fall back to a key of the gateway's operator"),
    ("tollgate-strict", "true: refuse what the target's dialect cannot say, instead of listing it in tollgate-loss"),
    ("cf-aig-request-timeout", "milliseconds to the first byte"),
    ("cf-aig-max-attempts", "1 to 5, the first try included"),
    ("cf-aig-retry-delay", "milliseconds, at most 60000"),
    ("cf-aig-backoff", "constant, linear or exponential"),
];

impl Options {
    pub fn of_gateway(gateway: &Gateway, manners: Manners) -> Self {
        Self {
            cache: CacheWish {
                ttl_s: clamp_ttl(gateway.cache_ttl.unwrap_or(0)),
                key: None,
                skip: false,
                streams: manners.stream_cache,
            },
            log: gateway.collect_logs,
            log_payload: true,
            retry: Plan::of_gateway(gateway),
            metadata: Metadata::default(),
            event_id: None,
            custom_cost: None,
            strict: gateway.tollgate_strict,
            byok_alias: None,
            no_wholesale: false,
        }
    }

    pub fn read(headers: &HeaderMap, gateway: &Gateway, manners: Manners) -> Self {
        let mut options = Self::of_gateway(gateway, manners);
        let mut ttl = None;
        for (name, value) in headers {
            let name = name.as_str();
            if !(name.starts_with("cf-") || name.starts_with("tollgate-")) {
                continue;
            }
            let Ok(text) = value.to_str().map(str::trim) else { continue };
            match name {
                "cf-aig-cache-ttl" => ttl = text.parse().ok().or(ttl),
                "cf-cache-ttl" => ttl = ttl.or_else(|| text.parse().ok()),
                _ => options.hear(name, text),
            }
        }
        options.cache.settle(ttl, manners);
        options
    }

    fn hear(&mut self, name: &str, text: &str) {
        match name {
            "cf-aig-cache-key" => self.cache.key = short(text),
            "cf-aig-skip-cache" | "cf-skip-cache" => set(&mut self.cache.skip, flag(text)),
            "tollgate-cache-stream" => set(&mut self.cache.streams, stream_cache(text)),
            "cf-aig-collect-log" => set(&mut self.log, flag(text)),
            "cf-aig-collect-log-payload" => set(&mut self.log_payload, flag(text)),
            "cf-aig-metadata" => self.metadata = metadata::read(text),
            "cf-aig-event-id" => self.event_id = short(text),
            "cf-aig-custom-cost" => self.custom_cost = short(text),
            "cf-aig-byok-alias" => self.byok_alias = short(text),
            "cf-aig-no-wholesale" => set(&mut self.no_wholesale, flag(text)),
            "tollgate-strict" => set(&mut self.strict, flag(text)),
            "cf-aig-request-timeout" => {
                set(&mut self.retry.timeout_ms, text.parse().ok().filter(|ms| *ms > 0).map(Some))
            }
            "cf-aig-max-attempts" => set(&mut self.retry.attempts, text.parse::<u64>().ok().map(clamp_attempts)),
            "cf-aig-retry-delay" => {
                set(&mut self.retry.delay_ms, text.parse::<u64>().ok().map(|ms| ms.min(DELAY_MAX_MS)))
            }
            "cf-aig-backoff" => set(&mut self.retry.backoff, backoff(text)),
            _ => {}
        }
    }
}

impl CacheWish {
    /// The header adjusts a request that already caches; a key alone asks for caching; 0 switches it off.
    fn settle(&mut self, ttl: Option<u64>, manners: Manners) {
        if self.key.is_some() && self.ttl_s == 0 {
            self.ttl_s = CACHE_TTL_BY_KEY_S;
        }
        match ttl {
            Some(0) => self.ttl_s = 0,
            Some(wished) if self.ttl_s > 0 || manners.ttl_enables_cache => self.ttl_s = clamp_ttl(wished),
            _ => {}
        }
    }

    pub fn applies(&self) -> bool {
        self.ttl_s > 0
    }
}

fn clamp_ttl(seconds: u64) -> u64 {
    if seconds == 0 { 0 } else { seconds.clamp(CACHE_TTL_MIN_S, CACHE_TTL_MAX_S) }
}

fn clamp_attempts(attempts: u64) -> u8 {
    attempts.clamp(1, u64::from(ATTEMPTS_MAX)) as u8
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn short(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= TEXT_BYTES_MAX).then(|| text.to_owned())
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn backoff(text: &str) -> Option<Backoff> {
    match text {
        "constant" => Some(Backoff::Constant),
        "linear" => Some(Backoff::Linear),
        "exponential" => Some(Backoff::Exponential),
        _ => None,
    }
}

fn stream_cache(text: &str) -> Option<StreamCache> {
    match text {
        "true" | "instant" => Some(StreamCache::Instant),
        "recorded" => Some(StreamCache::Recorded),
        "false" | "off" => Some(StreamCache::Off),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn read(gateway_ttl: u64, pairs: &[(&'static str, &'static str)]) -> Options {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let gateway = Gateway { cache_ttl: Some(gateway_ttl), ..Gateway::default() };
        Options::read(&headers, &gateway, Manners::default())
    }

    #[test]
    fn time_to_live_follows_the_documented_precedence() {
        type Case<'a> = (u64, &'a [(&'a str, &'a str)], u64);
        let cases: &[Case<'_>] = &[
            (0, &[], 0),
            (600, &[], 600),
            (0, &[("cf-aig-cache-ttl", "120")], 0),
            (600, &[("cf-aig-cache-ttl", "120")], 120),
            (600, &[("cf-aig-cache-ttl", "0")], 0),
            (600, &[("cf-cache-ttl", "90")], 90),
            (600, &[("cf-cache-ttl", "90"), ("cf-aig-cache-ttl", "120")], 120),
            (0, &[("cf-aig-cache-key", "k")], CACHE_TTL_BY_KEY_S),
            (0, &[("cf-aig-cache-key", "k"), ("cf-aig-cache-ttl", "5")], CACHE_TTL_MIN_S),
            (0, &[("cf-aig-cache-key", "k"), ("cf-aig-cache-ttl", "99999999")], CACHE_TTL_MAX_S),
            (0, &[("cf-aig-cache-key", "k"), ("cf-aig-cache-ttl", "0")], 0),
            (600, &[("cf-aig-cache-ttl", "soon")], 600),
        ];
        for (gateway_ttl, pairs, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in *pairs {
                headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            let gateway = Gateway { cache_ttl: Some(*gateway_ttl), ..Gateway::default() };
            let options = Options::read(&headers, &gateway, Manners::default());
            assert_eq!(options.cache.ttl_s, *expected, "{gateway_ttl} {pairs:?}");
        }
    }

    #[test]
    fn numbers_are_clamped_and_nonsense_is_ignored() {
        let options =
            read(0, &[("cf-aig-max-attempts", "99"), ("cf-aig-retry-delay", "99999999"), ("cf-aig-backoff", "linear")]);
        assert_eq!(
            (options.retry.attempts, options.retry.delay_ms, options.retry.backoff),
            (5, 60_000, Backoff::Linear)
        );
        let options = read(
            0,
            &[("cf-aig-max-attempts", "many"), ("cf-aig-request-timeout", "0"), ("cf-aig-collect-log", "maybe")],
        );
        assert_eq!((options.retry.attempts, options.retry.timeout_ms, options.log), (1, None, true));
    }

    #[test]
    fn the_log_can_be_declined_in_part_or_whole() {
        let options = read(0, &[("cf-aig-collect-log-payload", "false")]);
        assert!(options.log && !options.log_payload);
        assert!(!read(0, &[("cf-aig-collect-log", "false")]).log);
    }

    #[test]
    fn every_header_in_the_table_is_heard() {
        // The authorization header is heard by `token`; each of the others must change something.
        let samples = [
            ("cf-aig-cache-key", "k"),
            ("cf-aig-cache-ttl", "120"),
            ("cf-aig-skip-cache", "true"),
            ("tollgate-cache-stream", "recorded"),
            ("cf-aig-collect-log", "false"),
            ("cf-aig-collect-log-payload", "false"),
            ("cf-aig-metadata", r#"{"a":1}"#),
            ("cf-aig-event-id", "e"),
            ("cf-aig-custom-cost", "{}"),
            ("tollgate-strict", "true"),
            ("cf-aig-request-timeout", "10"),
            ("cf-aig-max-attempts", "2"),
            ("cf-aig-retry-delay", "7"),
            ("cf-aig-backoff", "linear"),
            ("cf-aig-byok-alias", "team"),
            ("cf-aig-no-wholesale", "true"),
        ];
        let plain = read(600, &[]);
        for (name, _) in HEADERS.iter().skip(1) {
            let sample = samples.iter().find(|(each, _)| each == name);
            assert!(sample.is_some_and(|sample| read(600, &[*sample]) != plain), "{name}");
        }
    }
}
