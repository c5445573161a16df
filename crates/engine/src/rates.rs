//! What callers are told about their limits, with every answer.
//!
//! Enters: limits, and what is left of them. Leaves: the headers `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers.
//! Never: tells a limit twice.

use std::fmt::Write;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_rules::budget::Held;
use tollgate_rules::limit::Limit;
use tollgate_rules::limit::rule::{Count, LimitRule};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A limit, and what is left of it.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    name: Name,
    quota: u64,
    count: Count,
    window_ms: u64,
    /// So many, and milliseconds until there are more.
    left: (u64, u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Gateway,
    Token,
    Rule(Arc<str>),
}

// === impl Rate ===

impl Rate {
    pub(crate) fn of_gateway(limit: Limit) -> Self {
        Self::of(Name::Gateway, limit)
    }

    pub(crate) fn of_token(limit: Limit) -> Self {
        Self::of(Name::Token, limit)
    }

    fn of(name: Name, limit: Limit) -> Self {
        let Limit { requests, interval_ms, .. } = limit;
        Self { name, quota: requests, count: Count::Requests, window_ms: interval_ms, left: (0, interval_ms) }
    }

    pub(crate) fn of_rule(rule: &LimitRule) -> Self {
        let (quota, count, window_ms) = (rule.limit, rule.count, rule.window_ms);
        Self { name: Name::Rule(rule.name.clone()), quota, count, window_ms, left: (0, window_ms) }
    }

    /// With what this request holds of it.
    pub(crate) fn held(self, held: &Held, now_ms: u64) -> Self {
        Self { left: (held.left, held.part.until_ms.saturating_sub(now_ms).min(self.window_ms)), ..self }
    }

    pub(crate) fn with_left(self, left: (u64, u64)) -> Self {
        Self { left, ..self }
    }

    /// Of the same limit, for another target.
    pub(crate) fn is_of_same(&self, other: &Self) -> bool {
        self.name == other.name && matches!(self.name, Name::Rule(_))
    }

    fn name(&self) -> &str {
        match &self.name {
            Name::Gateway => "gateway",
            Name::Token => "token",
            Name::Rule(name) => name,
        }
    }

    fn write_policy(&self, text: &mut String) {
        let unit = match self.count {
            Count::Requests => "",
            Count::Tokens => ";qu=\"tokens\"",
            Count::InputTokens => ";qu=\"input-tokens\"",
            Count::OutputTokens => ";qu=\"output-tokens\"",
            Count::Concurrent => ";qu=\"concurrent-requests\"",
        };
        let _ = write!(text, ";q={}{unit}", self.quota);
        if self.count != Count::Concurrent {
            let _ = write!(text, ";w={}", self.window_ms / 1_000);
        }
    }

    fn write_left(&self, text: &mut String) {
        let _ = write!(text, ";r={}", self.left.0);
        if self.count != Count::Concurrent {
            let _ = write!(text, ";t={}", self.left.1.div_ceil(1_000));
        }
    }
}

pub(crate) fn tell(rates: &[Rate], headers: &mut HeaderMap) {
    if rates.is_empty() {
        return;
    }
    put(headers, RATE_LIMIT_POLICY, rates, Rate::write_policy);
    put(headers, RATE_LIMIT, rates, Rate::write_left);
}

/// Of an answer that is told again: what was left then says nothing now.
pub(crate) fn untell(headers: &mut HeaderMap) {
    headers.remove(RATE_LIMIT);
    headers.remove(RATE_LIMIT_POLICY);
}

fn put(headers: &mut HeaderMap, name: HeaderName, rates: &[Rate], write: impl Fn(&Rate, &mut String)) {
    let mut text = String::with_capacity(32 * rates.len());
    for rate in rates {
        if !text.is_empty() {
            text.push_str(", ");
        }
        quote(rate.name(), &mut text);
        write(rate, &mut text);
    }
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(name, value);
    }
}

/// A string of structured fields: visible ASCII, quotes and backslashes escaped. The operator chose the name.
fn quote(name: &str, text: &mut String) {
    text.push('"');
    for each in name.chars() {
        match each {
            '"' | '\\' => text.extend(['\\', each]),
            ' '..='~' => text.push(each),
            _ => text.push('?'),
        }
    }
    text.push('"');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tollgate_model::gateway::Technique;

    use super::*;

    #[test]
    fn limits_are_told_as_the_draft_has_it() {
        let rate = |name: &str, quota, count, left| Rate {
            name: Name::Rule(name.into()),
            quota,
            count,
            window_ms: 60_000,
            left,
        };
        let limit = Limit { requests: 1_000, interval_ms: 60_000, technique: Technique::Fixed };
        let rates = [
            Rate { left: (997, 41_001), ..Rate::of_gateway(limit) },
            rate("a \"b\"", 5_000, Count::Tokens, (4_100, 60_000)),
            rate("ü", 2, Count::Concurrent, (1, 0)),
        ];
        let mut headers = HeaderMap::new();
        tell(&rates, &mut headers);
        assert_eq!(
            headers["ratelimit-policy"],
            r#""gateway";q=1000;w=60, "a \"b\"";q=5000;qu="tokens";w=60, "?";q=2;qu="concurrent-requests""#
        );
        assert_eq!(headers["ratelimit"], r#""gateway";r=997;t=42, "a \"b\"";r=4100;t=60, "?";r=1"#);
        let mut none = HeaderMap::new();
        tell(&[], &mut none);
        assert!(none.is_empty());
    }
}
