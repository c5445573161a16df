//! What the caller hears when the answer is no.
//!
//! Enters: a named constructor at the place that says no. Leaves: status, stable code, a sentence that is safe to show, whose fault it is.
//! Never: has side effects, and never shows its `cause`, which may name hosts and key ids and is for the log alone.
//!
//! Codes and texts are the original's where it has one (data-plane specification, section 13.2); ours say what to do besides.

use std::fmt;
use std::time::Duration;

use crate::Money;

/// Boxed, so that the happy path stays one word wide.
#[derive(Debug)]
pub struct Refusal(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: u16,
    status: u16,
    said: String,
    blame: Blame,
    retry_after: Option<Duration>,
    /// `Some(false)` tells official SDKs that waiting does not help.
    should_retry: Option<bool>,
    close: bool,
    /// Another target may do better.
    of_target: bool,
    /// How the caller's own dialect says it, where that is more use than the gateway's envelope.
    told: Option<Vec<u8>>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    Caller,
    Gateway,
    Upstream,
}

pub mod code {
    //! The original's numbers, and ours above 2900 where it has none.
    pub const UNKNOWN_GATEWAY: u16 = 2001;
    pub const RATE_LIMITED: u16 = 2003;
    pub const UPSTREAM_FAILED: u16 = 2005;
    pub const INVALID_PROVIDER: u16 = 2008;
    pub const UNAUTHORIZED: u16 = 2009;
    pub const CREDIT_RATE: u16 = 2018;
    pub const NO_CREDITS: u16 = 2021;
    pub const NO_SUCH_KEY: u16 = 2040;
    pub const SPEND_LIMIT: u16 = 2041;
    pub const NO_CREDITS_ON_REST: u16 = 2049;
    pub const BAD_REQUEST: u16 = 2901;
    pub const TOO_LARGE: u16 = 2902;
    pub const REQUEST_TIMEOUT: u16 = 2903;
    pub const UNAVAILABLE: u16 = 2904;
    pub const INTERNAL: u16 = 2905;
    pub const NOT_FOUND: u16 = 2906;
    pub const NO_KEY: u16 = 2907;
    pub const FORBIDDEN: u16 = 2907;
    /// Of policies, whose bodies name no code: for the log.
    pub const POLICY_BLOCK: u16 = 2908;
    pub const POLICY_LIMIT: u16 = 2909;
    /// Of idempotency keys.
    pub const UNDER_WAY: u16 = 2910;
    pub const OTHER_REQUEST: u16 = 2911;
    /// Of the REST API.
    pub const NO_ROUTE: u16 = 7000;
    pub const NO_MODEL: u16 = 7003;
    pub const AUTHENTICATION: u16 = 10_000;
}

/// The longest `Retry-After` that official SDKs follow.
const SDK_PATIENCE: Duration = Duration::from_secs(60);
/// As web servers have come to write it down.
const CALLER_LEFT: u16 = 499;

// === impl Refusal ===

impl Refusal {
    fn new(code: u16, status: u16, blame: Blame, said: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            status,
            said: said.into(),
            blame,
            retry_after: None,
            should_retry: None,
            close: false,
            of_target: false,
            told: None,
            cause: None,
        }))
    }

    pub fn unknown_gateway() -> Self {
        Self::new(code::UNKNOWN_GATEWAY, 400, Blame::Caller, "Please configure AI Gateway in the Cloudflare dashboard")
    }

    /// A limit of tokens, or of requests at once. `after`: when there is room again; `None`: never, this is more than the whole limit.
    pub fn over_limit(after: Option<Duration>) -> Self {
        match after {
            Some(after) => Self::rate_limited(after),
            None => Self::new(code::RATE_LIMITED, 429, Blame::Caller, "Rate limited").should_retry(false),
        }
    }

    pub fn rate_limited(after: Duration) -> Self {
        let refusal = Self::new(code::RATE_LIMITED, 429, Blame::Caller, "Rate limited").retry_after(after);
        // Official SDKs wait no longer than that: beyond it they would only ask in vain.
        if after > SDK_PATIENCE { refusal.should_retry(false) } else { refusal }
    }

    /// The target is in the way, not the caller: another one may be asked.
    pub fn of_target(mut self) -> Self {
        self.0.of_target = true;
        self
    }

    pub fn is_of_target(&self) -> bool {
        self.0.of_target
    }

    /// Asking again at once is in vain, so an SDK is told not to; `after`: when there is room again, if ever.
    pub fn spend_limited(said: impl Into<String>, after: Option<Duration>) -> Self {
        let refusal = Self::new(code::SPEND_LIMIT, 429, Blame::Caller, said).should_retry(false);
        match after {
            Some(after) => refusal.retry_after(after),
            None => refusal,
        }
    }

    /// Of requests with the operator's key: 200 a minute and gateway, as in the original.
    pub fn credit_rate_limited() -> Self {
        let refusal = Self::new(code::CREDIT_RATE, 429, Blame::Caller, "Wholesale Rate limited");
        refusal.retry_after(SDK_PATIENCE)
    }

    /// Waiting does not help, booking credits does.
    pub fn no_credits() -> Self {
        Self::new(code::NO_CREDITS, 402, Blame::Caller, "Insufficient AI Gateway credits").should_retry(false)
    }

    pub fn no_credits_on_rest() -> Self {
        let said = "Insufficient balance; add money to your gateway";
        Self::new(code::NO_CREDITS_ON_REST, 402, Blame::Caller, said).should_retry(false)
    }

    /// Nobody knows its price, so it cannot be paid with credits.
    pub fn not_for_credits() -> Self {
        let said = "This model is not available via unified billing. Please use BYOK.";
        Self::new(code::NO_CREDITS, 402, Blame::Caller, said).should_retry(false)
    }

    /// `why` is for the log: which policy it was.
    pub fn denied_by_policy(why: impl Into<String>) -> Self {
        const BODY: &[u8] = br#"{"success":false,"error":{"message":"Access denied by policy"}}"#;
        let refusal = Self::new(code::POLICY_BLOCK, 403, Blame::Caller, "Access denied by policy");
        refusal.told(BODY.to_vec()).because(why.into())
    }

    pub fn policy_limited(bucket: &str, spent: Money, limit: Money, after: Option<Duration>) -> Self {
        let body = serde_json::json!({ "success": false, "error": {
            "message": "Spending limit exceeded", "bucket": bucket, "spent": spent.as_dollars(), "limit": limit.as_dollars()
        } });
        let refusal = Self::new(code::POLICY_LIMIT, 429, Blame::Caller, "Spending limit exceeded").should_retry(false);
        let refusal = refusal.told(body.to_string().into_bytes()).because(format!("bucket {bucket:?}"));
        match after {
            Some(after) => refusal.retry_after(after),
            None => refusal,
        }
    }

    /// No target answered. The text is the original's; `cause` says which and why.
    pub fn upstream_failed() -> Self {
        Self::new(code::UPSTREAM_FAILED, 502, Blame::Upstream, "Failed to get response from provider")
    }

    pub fn upstream_timeout() -> Self {
        Self::new(
            code::UPSTREAM_FAILED,
            504,
            Blame::Upstream,
            "Failed to get response from provider: it did not answer in time",
        )
    }

    /// Nothing that a list, a route or the auto router could ask has answered. The status is the original's.
    pub fn nothing_answered() -> Self {
        Self::new(code::UPSTREAM_FAILED, 400, Blame::Upstream, "Failed to get response from provider")
    }

    pub fn no_route() -> Self {
        Self::new(code::NO_ROUTE, 400, Blame::Caller, "No route for that URI")
    }

    pub fn no_model(model: &str) -> Self {
        Self::new(code::NO_MODEL, 404, Blame::Caller, format!("Model not found: {model}"))
    }

    /// On the REST API, where everybody needs a token.
    pub fn authentication_error() -> Self {
        Self::new(code::AUTHENTICATION, 401, Blame::Caller, "Authentication error")
    }

    pub fn invalid_provider() -> Self {
        Self::new(code::INVALID_PROVIDER, 400, Blame::Caller, "Invalid provider")
    }

    /// The same to a program; a person hears what to do about it.
    pub fn disabled_provider(segment: &str) -> Self {
        let said = format!("Invalid provider: {segment} is disabled, its `enable` is false");
        Self::new(code::INVALID_PROVIDER, 400, Blame::Caller, said)
    }

    /// The caller named a stored key that is not there. The text is the original's.
    pub fn no_such_key(provider: &str, alias: &str, configured: &[&str]) -> Self {
        let said = match configured {
            [] => format!("Provider '{provider}' has no BYOK credential named '{alias}'. No aliases are configured"),
            some => {
                let some: Vec<String> = some.iter().map(|alias| format!("'{alias}'")).collect();
                format!(
                    "Provider '{provider}' has no BYOK credential named '{alias}'. Configured aliases: {}",
                    some.join(", ")
                )
            }
        };
        Self::new(code::NO_SUCH_KEY, 400, Blame::Caller, said)
    }

    /// A gateway or a caller that allows no key of the operator's, and nobody else's is there.
    pub fn no_key(provider: &str) -> Self {
        let said = format!(
            "Provider '{provider}' needs credentials of your own: send a key with the request, or store one in the gateway"
        );
        Self::new(code::NO_KEY, 400, Blame::Caller, said)
    }

    /// A stored key that is there and cannot be used.
    pub fn unusable_key(provider: &str, alias: &str, why: &str) -> Self {
        let said = format!("The BYOK credential '{alias}' of provider '{provider}' cannot be used: {why}");
        Self::new(code::NO_KEY, 400, Blame::Gateway, said)
    }

    /// Waiting does not help.
    pub fn rejected_key(said: &str) -> Self {
        Self::new(code::UNAUTHORIZED, 401, Blame::Gateway, said).should_retry(false)
    }

    pub fn unauthorized() -> Self {
        Self::new(code::UNAUTHORIZED, 401, Blame::Caller, "Unauthorized")
    }

    /// Who asks is known, and may not do this.
    pub fn forbidden(said: impl Into<String>) -> Self {
        Self::new(code::FORBIDDEN, 403, Blame::Caller, said)
    }

    pub fn bad_request(said: impl Into<String>) -> Self {
        Self::new(code::BAD_REQUEST, 400, Blame::Caller, said)
    }

    pub fn not_found(said: impl Into<String>) -> Self {
        Self::new(code::NOT_FOUND, 404, Blame::Caller, said)
    }

    pub fn too_large(said: impl Into<String>) -> Self {
        Self::new(code::TOO_LARGE, 413, Blame::Caller, said).close()
    }

    pub fn headers_too_large(said: impl Into<String>) -> Self {
        Self::new(code::TOO_LARGE, 431, Blame::Caller, said).close()
    }

    pub fn slow_caller(said: impl Into<String>) -> Self {
        Self::new(code::REQUEST_TIMEOUT, 408, Blame::Caller, said).close()
    }

    /// Nobody will hear this one; it is how the log learns of it.
    pub fn caller_left() -> Self {
        Self::new(code::REQUEST_TIMEOUT, CALLER_LEFT, Blame::Caller, "the caller left").close()
    }

    /// The first request with this idempotency key has not ended. Asking again helps, and official SDKs do when told so.
    pub fn under_way() -> Self {
        let said = "a request with this idempotency key is under way: ask again to hear its answer";
        Self::new(code::UNDER_WAY, 409, Blame::Caller, said).retry_after(Duration::from_secs(1)).should_retry(true)
    }

    /// The idempotency key was used for something else.
    pub fn other_request() -> Self {
        let said = "idempotency-key: it belongs to another request; a key is for one request and its repetitions";
        Self::new(code::OTHER_REQUEST, 422, Blame::Caller, said).should_retry(false)
    }

    pub fn unavailable(said: impl Into<String>, after: Duration) -> Self {
        Self::new(code::UNAVAILABLE, 503, Blame::Gateway, said).retry_after(after)
    }

    pub fn internal() -> Self {
        Self::new(
            code::INTERNAL,
            500,
            Blame::Gateway,
            "Internal error: the gateway's log has the details under this request's id",
        )
    }

    /// When it makes sense to come back.
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    pub fn should_retry(mut self, should: bool) -> Self {
        self.0.should_retry = Some(should);
        self
    }

    /// The connection cannot be used again: what follows on it has no known meaning.
    pub fn close(mut self) -> Self {
        self.0.close = true;
        self
    }

    /// The body in the caller's own dialect.
    pub fn told(mut self, body: Vec<u8>) -> Self {
        self.0.told = Some(body);
        self
    }

    pub fn body(&self) -> Option<&[u8]> {
        self.0.told.as_deref()
    }

    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    pub fn code(&self) -> u16 {
        self.0.code
    }

    pub fn status(&self) -> u16 {
        self.0.status
    }

    pub fn said(&self) -> &str {
        &self.0.said
    }

    pub fn blame(&self) -> Blame {
        self.0.blame
    }

    pub fn wait(&self) -> Option<Duration> {
        self.0.retry_after
    }

    pub fn advice(&self) -> Option<bool> {
        self.0.should_retry
    }

    pub fn closes(&self) -> bool {
        self.0.close
    }

    /// The caller left before it could be answered.
    pub fn is_for_nobody(&self) -> bool {
        self.0.status == CALLER_LEFT
    }

    /// For the log alone.
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.said, self.0.code)
    }
}

impl std::error::Error for Refusal {}
