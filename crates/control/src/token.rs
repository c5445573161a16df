//! Tokens as the API shows and takes them: Cloudflare's members, and ours beside them.
//!
//! Enters: bodies of create and update. Leaves: wishes for the desk, and objects for answers. Never: shows a secret or a digest.

use serde_json::{Map, Value, json};
use tollgate_model::token::{Permission, RateLimit, SpendLimit, Token};

use crate::desk::Wanted;
use crate::shape::Presence::{Optional, Required};
use crate::shape::{Fault, Member, Shape, Step, object_of};
use crate::time;

pub mod groups;

const LIST_MAX: usize = 200;
const WORDS: Shape = Shape::List { of: &Shape::TEXT, max: LIST_MAX };

static GROUP: Shape = Shape::Object(&[
    Member::of("id", Shape::TEXT, Optional, "As permission_groups lists it."),
    Member::of("name", Shape::TEXT, Optional, "Or its name."),
]);

static POLICY: Shape = Shape::Named(
    "TokenPolicy",
    &Shape::Object(&[
        Member::of("id", Shape::TEXT, Optional, "Made up where it is missing."),
        Member::of("effect", Shape::Word(&["allow", "deny"]), Required, "Only allow: what is not allowed is denied."),
        Member::of("permission_groups", Shape::List { of: &GROUP, max: 50 }, Required, "What may be done."),
        Member::of("resources", Shape::Map(&Shape::Any), Required, "`com.cloudflare.api.account.{account}` or `...*`."),
    ]),
);

static ADDRESSES: Shape = Shape::Object(&[
    Member::of("in", WORDS, Optional, "Addresses and ranges that it may be used from."),
    Member::of("not_in", WORDS, Optional, "And those of them that it may not."),
]);
static CONDITION: Shape =
    Shape::Object(&[Member::of("request_ip", Shape::OrNull(&ADDRESSES), Optional, "Where the connection comes from.")]);
static RATE: Shape = Shape::Object(&[
    Member::of("limit", Shape::COUNT, Required, "Requests."),
    Member::of("window", Shape::COUNT, Required, "Seconds, sliding."),
]);
static SPEND: Shape = Shape::Object(&[
    Member::of("limit_usd", Shape::Positive, Required, "US dollars."),
    Member::of("window", Shape::COUNT, Required, "Seconds."),
]);

/// What can be set.
static MEMBERS: &[Member] = &[
    Member::of("name", Shape::Text { min: 1, max: 120 }, Required, "What it is for."),
    Member::of("policies", Shape::List { of: &POLICY, max: 50 }, Optional, "The original's way to say permissions."),
    Member::of("permissions", WORDS, Optional, "Ours: run, read, read_metadata, write, ..., admin; beside policies."),
    Member::of("condition", Shape::OrNull(&CONDITION), Optional, "Where it may be used from."),
    Member::of("expires_on", Shape::Time, Optional, "From when it is refused."),
    Member::of("not_before", Shape::Time, Optional, "Until when it is refused."),
    Member::of("status", Shape::Word(&["active", "disabled", "expired"]), Optional, "Disabled: kept, but refused."),
    Member::of("gateways", WORDS, Optional, "Only these gateways. Not in the original."),
    Member::of("providers", WORDS, Optional, "Only these providers. Not in the original."),
    Member::of("models", WORDS, Optional, "Only models that match one of these patterns. Not in the original."),
    Member::of("routes", WORDS, Optional, "Only these dynamic routes. Not in the original."),
    Member::of("rate_limit", RATE_SHAPE, Optional, "Requests to providers in a window. Not in the original."),
    Member::of("spend_limit", SPEND_SHAPE, Optional, "Dollars in a window. Not in the original."),
];
const RATE_SHAPE: Shape = Shape::OrNull(&RATE);
const SPEND_SHAPE: Shape = Shape::OrNull(&SPEND);

/// What only answers hold.
static SHOWN: &[Member] = &[
    Member::of("id", Shape::TEXT, Required, "Part of its URL; not the secret."),
    Member::of("issued_on", Shape::Time, Required, "When it was made."),
    Member::of("modified_on", Shape::Time, Required, "When it was changed or rolled last."),
    Member::of("last_used_on", Shape::Time, Optional, "Absent when it never was; exact to the second."),
    Member::of("hint", Shape::TEXT, Required, "Prefix and last four characters of the secret."),
    Member::of("previous_hint", Shape::TEXT, Optional, "Of the secret before the last roll, while that is good."),
    Member::of("previous_expires_on", Shape::Time, Optional, "Until when that is."),
    Member::of("made_by", Shape::TEXT, Optional, "The token that it was made with, and goes with."),
];
static SECRET: &[Member] = &[Member::of("value", Shape::TEXT, Required, "The secret. It is shown only this once.")];

pub static CHANGE: Shape = Shape::Named("TokenSettings", &Shape::Object(MEMBERS));
pub static OBJECT: Shape = Shape::Named("Token", &Shape::Parts(&[MEMBERS, SHOWN]));
pub static MADE: Shape = Shape::Named("NewToken", &Shape::Parts(&[MEMBERS, SHOWN, SECRET]));

/// What a body asks for. Members that are absent stay as they are in `before`; `null` takes a limit away.
pub fn read(body: &Value, before: Wanted, knows_account: impl Fn(&str) -> bool) -> Result<Wanted, Vec<Fault>> {
    let empty = Map::new();
    let said = body.as_object().unwrap_or(&empty);
    let mut faults = Vec::new();
    let read = object_of(MEMBERS, said, &mut vec![Step::from("body")], &mut faults);
    let permissions = permissions(&read, knows_account, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut wanted = before;
    let is_said = |name: &str| said.contains_key(name);
    let texts =
        |value: Option<&Value>| value.and_then(|value| serde_json::from_value::<Vec<String>>(value.clone()).ok());
    let moment = |name: &str| read.get(name).and_then(Value::as_str).and_then(time::read);
    wanted.name = read.get("name").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    if let Some(permissions) = permissions {
        wanted.permissions = permissions;
    }
    if let Some(status) = read.get("status").and_then(Value::as_str) {
        wanted.disabled = status == "disabled";
    }
    if is_said("expires_on") {
        wanted.expires_at = moment("expires_on");
    }
    if is_said("not_before") {
        wanted.not_before = moment("not_before");
    }
    let scope = &mut wanted.scope;
    if is_said("condition") {
        let addresses = read.get("condition").map(|condition| &condition["request_ip"]);
        scope.from = texts(addresses.and_then(|addresses| addresses.get("in")));
        scope.not_from = texts(addresses.and_then(|addresses| addresses.get("not_in")));
    }
    let lists = [
        ("gateways", &mut scope.gateways),
        ("providers", &mut scope.providers),
        ("models", &mut scope.models),
        ("routes", &mut scope.routes),
    ];
    for (name, list) in lists {
        if is_said(name) {
            *list = texts(read.get(name));
        }
    }
    if is_said("rate_limit") {
        let limit =
            |value: &Value| Some(RateLimit { limit: value["limit"].as_u64()?, window: value["window"].as_u64()? });
        scope.rate_limit = read.get("rate_limit").and_then(limit);
    }
    if is_said("spend_limit") {
        let limit = |value: &Value| {
            Some(SpendLimit { limit_usd: value["limit_usd"].as_f64()?, window: value["window"].as_u64()? })
        };
        scope.spend_limit = read.get("spend_limit").and_then(limit);
    }
    Ok(wanted)
}

/// Of the policies and of our own member together; `None` when neither was said.
fn permissions(
    read: &Map<String, Value>,
    knows_account: impl Fn(&str) -> bool,
    faults: &mut Vec<Fault>,
) -> Option<Vec<Permission>> {
    let (policies, own) = (read.get("policies"), read.get("permissions"));
    policies.or(own)?;
    let mut all = Vec::new();
    for (index, policy) in policies.and_then(Value::as_array).into_iter().flatten().enumerate() {
        match groups::of_policy(policy, &knows_account) {
            Ok(permissions) => all.extend(permissions),
            Err(said) => faults.push(Fault::new(["body", "policies", &index.to_string()], said)),
        }
    }
    for name in own.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        match Permission::from_name(name) {
            Some(permission) => all.push(permission),
            None => {
                let names: Vec<&str> = Permission::ALL.iter().map(|(name, _)| *name).collect();
                let said = format!("expected words of {}", names.join(", "));
                faults.push(Fault::new(["body", "permissions"], said));
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}

/// As answers show it.
pub fn object(token: &Token, account: &str, now_ms: u64, last_used_ms: Option<u64>) -> Value {
    let scope = &token.scope;
    let addresses = (scope.from.is_some() || scope.not_from.is_some())
        .then(|| json!({ "request_ip": without_null(json!({ "in": scope.from, "not_in": scope.not_from })) }));
    let previous = token.previous.as_ref().filter(|previous| now_ms < previous.until);
    without_null(json!({
        "id": token.id,
        "name": token.name,
        "status": status(token, now_ms),
        "issued_on": time::text(token.created_at),
        "modified_on": time::text(token.modified_at.unwrap_or(token.created_at)),
        "last_used_on": last_used_ms.map(time::text),
        "expires_on": token.expires_at.map(time::text),
        "not_before": token.not_before.map(time::text),
        "policies": [groups::policy(token, account)],
        "permissions": token.permissions,
        "condition": addresses,
        "gateways": scope.gateways,
        "providers": scope.providers,
        "models": scope.models,
        "routes": scope.routes,
        "rate_limit": scope.rate_limit,
        "spend_limit": scope.spend_limit,
        "hint": token.hint,
        "previous_hint": previous.map(|previous| &previous.hint),
        "previous_expires_on": previous.map(|previous| time::text(previous.until)),
        "made_by": token.made_by,
    }))
}

fn status(token: &Token, now_ms: u64) -> &'static str {
    match token.expires_at {
        Some(end) if end <= now_ms => "expired",
        _ if token.disabled => "disabled",
        _ => "active",
    }
}

fn without_null(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    value
}

#[cfg(test)]
mod tests;
