//! A gateway's settings: the table of what can be set, and the object that is shown.
//!
//! Enters: JSON bodies of create and update. Leaves: a settings document, or all its faults; the full object for answers.
//! Never: has code for a single setting, except the one rule that spans two.

use serde_json::{Map, Value, json};
use tollgate_model::Gateway;

use crate::desk::read::GATEWAY;
use crate::desk::veil::hide;
use crate::shape::{Fault, Member, Presence, Shape, Step, object_of};
use crate::time;

use self::parts::{DLP, DLP_POLICIES, GUARDRAILS, LIMIT_RULE, OTEL, SPEND_LIMITS, STRIPE};
use self::secrets::{Unknown, restore};

mod parts;
mod secrets;

use Presence::{Optional, Required, RequiredOrNull};

pub const ID_CHARS_MAX: usize = 64;
const BACKOFFS: &[&str] = &["constant", "linear", "exponential"];
const TECHNIQUES: &[&str] = &["fixed", "sliding"];
const STRATEGIES: &[&str] = &["STOP_INSERTING", "DELETE_OLDEST"];
const BILLING: &[&str] = &["postpaid", "unified"];
/// Beyond this a number is a mistake: 2^53, what every client's JSON can carry exactly.
const WHOLE_MAX: u64 = crate::shape::COUNT_MAX;

const ANY_WHOLE: Shape = Shape::Whole { min: 0, max: WHOLE_MAX };

/// Every setting, in the order of the reference page.
pub static MEMBERS: &[Member] = &[
    row(
        "cache_invalidate_on_update",
        Shape::Flag,
        Required,
        "Purge this gateway's cache whenever its settings are saved.",
    ),
    row(
        "cache_ttl",
        ANY_WHOLE,
        RequiredOrNull,
        "How long an answer is cached, in seconds; 0 or null switches caching off.",
    ),
    row("collect_logs", Shape::Flag, Required, "Write a log record for each request; cf-aig-collect-log overrides it."),
    row("rate_limiting_interval", ANY_WHOLE, RequiredOrNull, "Length of the rate limit's window, in seconds."),
    row("rate_limiting_limit", ANY_WHOLE, RequiredOrNull, "Requests in a window; 0 or null means no limit."),
    row("rate_limiting_technique", Shape::Word(TECHNIQUES), Optional, "Windows aligned to the clock, or sliding."),
    row("authentication", Shape::Flag, Optional, "Require a token with the run permission."),
    row("byok_only", Shape::Flag, Optional, "Never use the operator's own provider credentials."),
    row("log_management", Shape::Whole { min: 10_000, max: 10_000_000 }, Optional, "The most log rows that are kept."),
    row("log_management_strategy", Shape::Word(STRATEGIES), Optional, "What happens when that many are there."),
    row("log_classification", Shape::Flag, Optional, "Analyse stored logs by task; off while logs are not collected."),
    row("logpush", Shape::Flag, Optional, "Export records through Logpush."),
    row("logpush_public_key", Shape::Text { min: 16, max: 1024 }, Optional, "PEM key that encrypts exported bodies."),
    row("otel", Shape::List { of: &OTEL, max: 16 }, Optional, "OpenTelemetry exporters."),
    row("retry_max_attempts", Shape::Whole { min: 1, max: 5 }, Optional, "Attempts, the first one included."),
    row("retry_delay", Shape::Whole { min: 0, max: 60_000 }, Optional, "Milliseconds before another attempt."),
    row("retry_backoff", Shape::Word(BACKOFFS), Optional, "How the delay grows."),
    row("guardrails", GUARDRAILS, Optional, "Content moderation by category."),
    row(
        "dlp",
        Shape::ByMember("policies", &DLP_POLICIES, &DLP),
        Optional,
        "Data-loss prevention, in one of two forms.",
    ),
    row("spend_limits", SPEND_LIMITS, Optional, "Budgets in dollars."),
    row("store_id", Shape::Text { min: 0, max: 256 }, Optional, "The secrets store that holds provider keys."),
    row("stripe", STRIPE, Optional, "Usage metering export."),
    row("workers_ai_billing_mode", Shape::Word(BILLING), Optional, "How Workers AI calls are billed."),
    row("zdr", Shape::Flag, Optional, "Zero data retention."),
    row(
        "tollgate_limits",
        Shape::List { of: &LIMIT_RULE, max: 20 },
        Optional,
        "Limits of requests, tokens and requests at once, of everybody or of each value of something. Not in the original.",
    ),
    row("tollgate_strict_cache", Shape::Flag, Optional, "Ask policies and budgets for answers from the cache too."),
    row("tollgate_strict", Shape::Flag, Optional, "Refuse requests that a translation could not carry whole."),
];

const fn row(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Member {
    Member::of(name, shape, presence, doc)
}

static ID: &[Member] = &[row(
    "id",
    Shape::Like(&Shape::Text { min: 1, max: ID_CHARS_MAX }, "^[a-z0-9_]+(-[a-z0-9_]+)*$"),
    Required,
    "Part of every URL; never changes.",
)];

/// What only answers hold.
static SHOWN: &[Member] = &[
    row("is_default", Shape::Flag, Required, "The one that an authenticated request makes."),
    row("created_at", Shape::Time, Required, "When it was made."),
    row("modified_at", Shape::Time, Required, "When it was saved last."),
    row("internal_id", Shape::TEXT, Required, "Another when a gateway is made anew under the same id."),
    row("account_id", Shape::TEXT, Required, "Whose it is."),
    row("account_tag", Shape::TEXT, Required, "The same again."),
    row("internal", Shape::Flag, Required, "Always false."),
    row("wholesale", Shape::Flag, Required, "Always false."),
];

/// Body of a create.
pub static NEW: Shape = Shape::Named("NewGateway", &Shape::Parts(&[ID, MEMBERS]));
/// Body of an update. An id in it is ignored.
pub static CHANGE: Shape = Shape::Named("GatewaySettings", &Shape::Object(MEMBERS));
/// As answers show it.
pub static OBJECT: Shape = Shape::Named("Gateway", &Shape::Parts(&[ID, MEMBERS, SHOWN]));

/// A new gateway from the body of a create.
pub fn create(body: &Value) -> Result<Gateway, Vec<Fault>> {
    whole(None, body, Unknown::Refused)
}

/// The whole of it said anew, as a file does: `***` stands for the secrets of before, or for ones that nobody has given yet.
pub(crate) fn declared(before: Option<&Gateway>, body: &Value) -> Result<Gateway, Vec<Fault>> {
    whole(before, body, Unknown::Declared)
}

fn whole(before: Option<&Gateway>, body: &Value, unknown: Unknown) -> Result<Gateway, Vec<Fault>> {
    let mut faults = Vec::new();
    let id = read_id(body, &mut faults);
    let gateway = apply(Gateway::default(), body, &mut faults);
    match (id, gateway) {
        (Some(id), Some(mut gateway)) if faults.is_empty() => {
            faults = restore(before, &mut gateway, unknown);
            if faults.is_empty() { Ok(Gateway { id, ..gateway }) } else { Err(faults) }
        }
        _ => Err(faults),
    }
}

/// The gateway after an update: absent members keep their value, `null` sets them back to the default (control-plane specification, 3.1).
pub fn update(before: Gateway, body: &Value) -> Result<Gateway, Vec<Fault>> {
    let mut faults = Vec::new();
    match apply(before.clone(), body, &mut faults) {
        Some(mut after) if faults.is_empty() => {
            faults = restore(Some(&before), &mut after, Unknown::Refused);
            if faults.is_empty() { Ok(after) } else { Err(faults) }
        }
        _ => Err(faults),
    }
}

/// Lower-case words joined by single hyphens: what may stand in a URL everywhere.
pub fn is_id(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    text.len() <= ID_CHARS_MAX && text.split('-').all(part)
}

fn read_id(body: &Value, faults: &mut Vec<Fault>) -> Option<String> {
    let Value::Object(body) = body else { return None };
    let read = object_of(ID, body, &mut vec![Step::from("body")], faults);
    let id = read.get("id")?.as_str()?;
    if !is_id(id) {
        let rule = "Invalid: lower-case letters, digits and underscores, in words joined by single hyphens";
        faults.push(Fault::new(["body", "id"], rule));
    }
    Some(id.to_owned())
}

fn apply(before: Gateway, body: &Value, faults: &mut Vec<Fault>) -> Option<Gateway> {
    let Value::Object(body) = body else {
        faults.push(Fault::new(["body"], format!("Expected object, received {}", crate::shape::type_name(body))));
        return None;
    };
    let read = object_of(MEMBERS, body, &mut vec![Step::from("body")], faults);
    if !faults.is_empty() {
        return None;
    }
    match merged(&before, body, read) {
        Ok(gateway) => Some(settle(gateway)),
        // The table and the model disagree: our mistake, but the caller's body shows where.
        Err(cause) => {
            faults.push(Fault::new(["body"], format!("Invalid: {cause}")));
            None
        }
    }
}

fn merged(
    before: &Gateway,
    said: &Map<String, Value>,
    mut read: Map<String, Value>,
) -> Result<Gateway, serde_json::Error> {
    let mut document = serde_json::to_value(before)?;
    let defaults = serde_json::to_value(Gateway::default())?;
    for Member { name, .. } in MEMBERS {
        match (read.remove(*name), said.get(*name)) {
            (Some(value), _) => document[*name] = value,
            // What a document leaves out is the default.
            (None, Some(Value::Null)) if defaults[*name].is_null() => {
                drop(document.as_object_mut().map(|all| all.remove(*name)))
            }
            (None, Some(Value::Null)) => document[*name] = defaults[*name].clone(),
            (None, _) => {}
        }
    }
    serde_json::from_value(document)
}

/// Without logs there is nothing to classify (control-plane specification, 3.3); and a spend rule is known by its id.
fn settle(mut gateway: Gateway) -> Gateway {
    gateway.log_classification &= gateway.collect_logs;
    if let Some(rules) = gateway.spend_limits.as_mut().and_then(|limits| limits["rules"].as_array_mut()) {
        parts::name_rules(rules);
    }
    gateway
}

/// The whole object as answers show it: secrets as `***`, but for names of stored ones, which `names` knows.
pub fn object(gateway: &Gateway, account: &str, names: &dyn Fn(&str) -> bool) -> Value {
    let mut shown = serde_json::to_value(gateway).unwrap_or_default();
    hide(GATEWAY, &mut shown, names);
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    shown["store_id"] = json!(text(&gateway.store_id));
    shown["created_at"] = time::text(gateway.created_at).into();
    shown["modified_at"] = time::text(gateway.modified_at).into();
    shown["account_id"] = account.into();
    shown["account_tag"] = account.into();
    shown["internal"] = false.into();
    shown["wholesale"] = false.into();
    shown
}

#[cfg(test)]
mod tests;
