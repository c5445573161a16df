//! Is another try worth it, and when?
//!
//! Enters: what was planned, what went wrong, how often. Leaves: a verdict. Never: waits, or asks a clock.
//!
//! Two bounds hold at once. The plan bounds one request (section 6 of the data-plane specification: at most five attempts, the first included).
//! The budget bounds an origin: a provider that fails everything is asked at most a fifth more often than callers ask, so that
//! retries cannot turn a bad minute into a worse one.

use std::time::Duration;

use tollgate_model::gateway::{Backoff, Gateway};

pub const ATTEMPTS_MAX: u8 = 5;
pub const DELAY_MAX_MS: u64 = 60_000;
/// A provider's `Retry-After` is honoured up to here; past it the caller is told instead.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);
const DELAY_DEFAULT_MS: u64 = 500;

/// How often and how patiently one target is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In all, the first included.
    pub attempts: u8,
    pub delay_ms: u64,
    pub backoff: Backoff,
    /// To the first byte of the answer.
    pub timeout_ms: Option<u64>,
}

/// What went wrong with one attempt, as far as trying again is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer: could not connect, TLS failed, connection broke before a status line.
    NoAnswer,
    Timeout,
    /// An answer with this status, and when it says to come back.
    Status {
        status: u16,
        retry_after: Option<Duration>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Ask the same target again after this long.
    Again(Duration),
    GiveUp,
}

// === impl Plan ===

impl Plan {
    pub fn of_gateway(gateway: &Gateway) -> Self {
        Self {
            attempts: gateway.retry_max_attempts.unwrap_or(1).clamp(1, ATTEMPTS_MAX),
            delay_ms: gateway.retry_delay.unwrap_or(DELAY_DEFAULT_MS).min(DELAY_MAX_MS),
            backoff: gateway.retry_backoff.unwrap_or(Backoff::Constant),
            timeout_ms: None,
        }
    }

    /// After `tried` attempts of which the last met `fault`.
    pub fn after(&self, tried: u8, fault: Fault) -> Verdict {
        if tried >= self.attempts || !fault.may_pass() {
            return Verdict::GiveUp;
        }
        match fault.retry_after() {
            Some(wait) if wait > RETRY_AFTER_MAX => Verdict::GiveUp,
            Some(wait) => Verdict::Again(wait.max(self.delay(tried))),
            None => Verdict::Again(self.delay(tried)),
        }
    }

    /// The pause before attempt `tried + 1`.
    fn delay(&self, tried: u8) -> Duration {
        let tried = u64::from(tried.max(1));
        let factor = match self.backoff {
            Backoff::Constant => 1,
            Backoff::Linear => tried,
            Backoff::Exponential => 1 << (tried - 1).min(16),
        };
        Duration::from_millis(self.delay_ms.saturating_mul(factor).min(DELAY_MAX_MS))
    }

    /// The time to the first byte for attempt number `attempt` (from 1). The last of several attempts may take as long as it
    /// needs when nothing comes after it: that is how the original's "waits until the request completes" and its promise of fallback agree.
    pub fn timeout(&self, attempt: u8, more_steps: bool) -> Option<Duration> {
        let lifted = self.attempts > 1 && attempt >= self.attempts && !more_steps;
        self.timeout_ms.filter(|_| !lifted).map(Duration::from_millis)
    }
}

impl Fault {
    /// Whether the same request might fare better a moment later. Credentials and malformed requests do not.
    fn may_pass(self) -> bool {
        match self {
            Self::NoAnswer | Self::Timeout => true,
            Self::Status { status, .. } => is_passing(status),
        }
    }

    fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => retry_after,
            _ => None,
        }
    }
}

/// Statuses that speak of the moment, not of the request.
pub fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

/// Reads `Retry-After` (seconds or an HTTP date) and the finer `retry-after-ms`. A date in the past is now; nonsense is nothing.
pub fn read_retry_after(headers: &http::HeaderMap, unix_ms: u64) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok()).filter(|ms| (0.0..1e12).contains(ms))
    {
        return Some(Duration::from_micros((ms * 1_000.0) as u64));
    }
    let after = text("retry-after")?;
    if let Ok(seconds) = after.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(after).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(Duration::from_millis(unix_ms)))
}

/// Retries an origin may be sent: a fifth of the requests of the last ten to twenty seconds, or fifty when there were few.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    began_ms: u64,
    now: Tally,
    before: Tally,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    requests: u64,
    retries: u64,
}

const WINDOW_MS: u64 = 10_000;
const REQUESTS_PER_RETRY: u64 = 5;
const RETRIES_FLOOR: u64 = 50;

impl Budget {
    /// Counts a first attempt: it is what earns retries.
    pub fn deposit(&mut self, now_ms: u64) {
        self.roll(now_ms);
        self.now.requests += 1;
    }

    pub fn withdraw(&mut self, now_ms: u64) -> bool {
        self.roll(now_ms);
        let requests = self.now.requests + self.before.requests;
        let retries = self.now.retries + self.before.retries;
        let enough = retries < RETRIES_FLOOR.max(requests / REQUESTS_PER_RETRY);
        self.now.retries += u64::from(enough);
        enough
    }

    fn roll(&mut self, now_ms: u64) {
        match now_ms.saturating_sub(self.began_ms) / WINDOW_MS {
            0 => return,
            1 => self.before = self.now,
            _ => self.before = Tally::default(),
        }
        self.now = Tally::default();
        self.began_ms = now_ms;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plan(attempts: u8, backoff: Backoff) -> Plan {
        Plan { attempts, delay_ms: 100, backoff, timeout_ms: Some(50) }
    }

    #[test]
    fn backoffs_grow_as_documented() {
        let delays = |backoff| (1..4).map(|tried| plan(5, backoff).delay(tried).as_millis() as u64).collect::<Vec<_>>();
        assert_eq!(delays(Backoff::Constant), [100, 100, 100]);
        assert_eq!(delays(Backoff::Linear), [100, 200, 300]);
        assert_eq!(delays(Backoff::Exponential), [100, 200, 400]);
    }

    #[test]
    fn only_passing_faults_are_tried_again() {
        let plan = plan(3, Backoff::Constant);
        let status = |status| Fault::Status { status, retry_after: None };
        for fault in [Fault::NoAnswer, Fault::Timeout, status(408), status(429), status(500), status(503), status(529)]
        {
            assert_eq!(plan.after(1, fault), Verdict::Again(Duration::from_millis(100)), "{fault:?}");
            assert_eq!(plan.after(3, fault), Verdict::GiveUp, "{fault:?}");
        }
        for fault in [status(400), status(401), status(403), status(404), status(422)] {
            assert_eq!(plan.after(1, fault), Verdict::GiveUp, "{fault:?}");
        }
    }

    #[test]
    fn a_provider_s_wish_to_wait_is_honoured_within_reason() {
        let plan = plan(3, Backoff::Constant);
        let busy = |seconds| Fault::Status { status: 429, retry_after: Some(Duration::from_secs(seconds)) };
        assert_eq!(plan.after(1, busy(2)), Verdict::Again(Duration::from_secs(2)));
        assert_eq!(plan.after(1, busy(0)), Verdict::Again(Duration::from_millis(100)));
        assert_eq!(plan.after(1, busy(1_000_000_000)), Verdict::GiveUp);
    }

    #[test]
    fn the_last_of_several_attempts_may_take_its_time() {
        let plan = plan(2, Backoff::Constant);
        let limit = Some(Duration::from_millis(50));
        assert_eq!((plan.timeout(1, false), plan.timeout(2, false), plan.timeout(2, true)), (limit, None, limit));
        assert_eq!(Plan { attempts: 1, ..plan }.timeout(1, false), limit);
    }

    #[test]
    fn retry_after_is_read_in_all_its_spellings() {
        let now = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
        for (name, value, expected) in [
            ("retry-after", "3", Some(3_000)),
            ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT", Some(3_000)),
            ("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("retry-after", "soon", None),
            ("retry-after", "-1", None),
            ("retry-after-ms", "250", Some(250)),
            ("retry-after-ms", "NaN", None),
        ] {
            let mut headers = http::HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(read_retry_after(&headers, now), expected.map(Duration::from_millis), "{name}: {value}");
        }
    }

    #[test]
    fn an_origin_that_always_fails_is_asked_a_fifth_more_often() {
        let mut budget = Budget::default();
        let mut retries = 0;
        for request in 0..12_000_u64 {
            budget.deposit(request * 5);
            retries += u64::from(budget.withdraw(request * 5)); // 200 a second for a minute
        }
        assert!(retries <= 12_000 / 5 + RETRIES_FLOOR, "{retries}");
        assert!(retries >= 12_000 / 6, "{retries}");
    }

    #[test]
    fn a_quiet_origin_may_always_be_tried_again() {
        let mut budget = Budget::default();
        for second in 1..100 {
            budget.deposit(second * 4_000);
            assert!((0..5).all(|_| budget.withdraw(second * 4_000)));
        }
    }
}
