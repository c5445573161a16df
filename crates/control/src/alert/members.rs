//! An alert as the API takes and shows it.
//!
//! Enters: bodies; alerts and deliveries. Leaves: alerts, or every fault; JSON. Never: shows a secret, but once when it was made up here.

use serde_json::{Map, Value, json};
use tollgate_model::Alert;
use tollgate_model::alert::{Anomaly, Format, Rate, Watch};
use tollgate_rules::egress::Egress;

use super::{Delivery, EXPECTED, State, signing_key};
use crate::shape::Presence::{Default, Optional, Required};
use crate::shape::{Fault, Member, Shape, Step, object_of};
use crate::time;

pub(crate) const KINDS: &[&str] = &["budget", "spend_anomaly", "error_rate", "provider_down", "log_loss"];
const FORMATS: &[&str] = &["json", "slack"];
const SECONDS_MAX: u64 = 604_800;
const NAME: Shape = Shape::Text { min: 1, max: 128 };
const KEY: Shape = Shape::Text { min: 1, max: 256 };
const URL: Shape = Shape::Url { max: 2_048 };

static SAID: &[Member] = &[
    Member::of("name", NAME, Required, "For people; it is in each message."),
    Member::of("enable", Shape::Flag, Default("true"), "Whether it is watched."),
    Member::of("kind", Shape::Word(KINDS), Required, "What is watched; docs/alerts.md says exactly when each is told."),
    Member::of("gateway_id", KEY, Optional, "Only this gateway; without it all of them."),
    Member::of(
        "thresholds",
        Shape::List { of: &Shape::Whole { min: 1, max: 100 }, max: 3 },
        Optional,
        "Of `budget`: percent of the limit, some of 50, 80 and 100; all of them by default.",
    ),
    Member::of(
        "provider",
        KEY,
        Optional,
        "Of `error_rate` and `provider_down`: only this provider, by its path segment.",
    ),
    Member::of(
        "window_seconds",
        Shape::Whole { min: 60, max: 3_600 },
        Optional,
        "Of the same: how far back is looked; by default 300, and 60 for `provider_down`.",
    ),
    Member::of(
        "threshold_percent",
        Shape::Number { min: 0.1, max: 100.0 },
        Optional,
        "Of the same: told from this share of failures on; by default 10, and 90 for `provider_down`.",
    ),
    Member::of(
        "minimum_requests",
        Shape::Whole { min: 1, max: 1_000_000 },
        Optional,
        "Of the same: fewer in the window say nothing; by default 20, and 5 for `provider_down`.",
    ),
    Member::of(
        "session_key",
        KEY,
        Optional,
        "Of `spend_anomaly`: the metadata key that names a session; by default `session_id`.",
    ),
    Member::of(
        "user_key",
        KEY,
        Optional,
        "Of the same: the metadata key that names a user; by default `user_id`. Without one the token is the user.",
    ),
    Member::of(
        "minimum_cost",
        Shape::Number { min: 0.0, max: 1_000_000.0 },
        Optional,
        "Of the same: sessions of fewer dollars are not spoken of; by default 0.",
    ),
    Member::of(
        "cooldown_seconds",
        Shape::Whole { min: 0, max: SECONDS_MAX },
        Default("3600"),
        "After one was told, the same is not told again for so long.",
    ),
];
static WEBHOOK: Member = Member::of("webhook", Shape::Object(WEBHOOK_SAID), Required, "Where it is told.");
static WEBHOOK_SAID: &[Member] = &[
    Member::of("url", URL, Required, "`https://...`; plain `http://` only to what `egress.allow_private` opens."),
    Member::of("format", Shape::Word(FORMATS), Default("\"json\""), "`json`, or `slack`: `{\"text\": ...}` alone."),
    Member::of(
        "secret",
        Shape::Text { min: 1, max: 256 },
        Optional,
        "What messages are signed with: `whsec_` and base64. Made up when it is not given; on an update the one before stays.",
    ),
];
static WEBHOOK_SHOWN: &[Member] = &[
    Member::of("url", URL, Required, "Where it is told."),
    Member::of("format", Shape::Word(FORMATS), Required, "In which form."),
];
static OWN: &[Member] = &[
    Member::of("id", Shape::TEXT, Required, "Made up; never changes."),
    Member::of("account_id", Shape::TEXT, Required, "Whose it is."),
    Member::of("webhook", Shape::Object(WEBHOOK_SHOWN), Required, "Where it is told."),
    Member::of("created_at", Shape::Time, Required, "When it was made."),
    Member::of("modified_at", Shape::Time, Required, "When it was saved last."),
];
/// What a configuration file says of one: its name stands before it, and its secret has a name.
pub(crate) static FILE_MEMBERS: &[Member] = &[
    Member::of("enable", Shape::Flag, Default("true"), "Whether it is watched."),
    Member::of("kind", Shape::Word(KINDS), Required, "What is watched."),
    Member::of("gateway_id", KEY, Optional, "Only this gateway."),
    Member::of("thresholds", Shape::Any, Optional, "Of `budget`."),
    Member::of("provider", KEY, Optional, "Of `error_rate` and `provider_down`."),
    Member::of("window_seconds", Shape::COUNT, Optional, "Of the same."),
    Member::of("threshold_percent", Shape::Any, Optional, "Of the same."),
    Member::of("minimum_requests", Shape::COUNT, Optional, "Of the same."),
    Member::of("session_key", KEY, Optional, "Of `spend_anomaly`."),
    Member::of("user_key", KEY, Optional, "Of the same."),
    Member::of("minimum_cost", Shape::Any, Optional, "Of the same."),
    Member::of("cooldown_seconds", Shape::COUNT, Default("3600"), "Between two of the same."),
    Member::of("webhook", Shape::Object(WEBHOOK_SHOWN), Required, "`url` and `format`."),
    Member::of("secret", KEY, Optional, "The name of the stored secret that its messages are signed with."),
];
static SECRET: &[Member] = &[Member::of(
    "webhook_secret",
    Shape::TEXT,
    Optional,
    "What messages are signed with, told once: where it was made up just now.",
)];
static BODY: &[Member] = &[Member::of("webhook", Shape::Object(WEBHOOK_SAID), Required, "Where it is told.")];

pub(crate) static NEW: Shape = Shape::Named("NewAlert", &Shape::Parts(&[SAID, BODY]));
pub(crate) static ALERT: Shape = Shape::Named("Alert", &Shape::Parts(&[OWN, SAID]));
pub(crate) static MADE: Shape = Shape::Named("SavedAlert", &Shape::Parts(&[OWN, SAID, SECRET]));

pub(crate) static DELIVERY: Shape = Shape::Named(
    "AlertDelivery",
    &Shape::Object(&[
        Member::of("id", Shape::TEXT, Required, "The message's `webhook-id`: the same at each attempt."),
        Member::of("alert_id", Shape::TEXT, Required, "Of which alert."),
        Member::of("event", Shape::TEXT, Required, "What is told: the `type` of the message."),
        Member::of("subject", Shape::TEXT, Required, "Of which budget, session, gateway or provider."),
        Member::of("state", Shape::Word(&["pending", "delivered", "failed"]), Required, "What became of it."),
        Member::of("attempts", Shape::COUNT, Required, "How often it was tried; eight times at most."),
        Member::of("last_status", Shape::COUNT, Optional, "What the receiver answered the last time."),
        Member::of("last_error", Shape::TEXT, Optional, "Why the last attempt was none."),
        Member::of("created_at", Shape::Time, Required, "When it was found."),
        Member::of("attempted_at", Shape::Time, Optional, "When it was tried last."),
        Member::of("next_attempt_at", Shape::Time, Optional, "When it is tried again."),
        Member::of("payload", Shape::TEXT, Required, "The body, as it is sent."),
    ]),
);

/// What a body says, but for what only the desk knows.
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) enable: bool,
    pub(crate) gateway_id: Option<String>,
    pub(crate) watch: Watch,
    pub(crate) cooldown_seconds: u64,
    pub(crate) url: String,
    pub(crate) format: Format,
    pub(crate) secret: Option<String>,
}

/// All of it, or every fault.
pub(crate) fn wanted(body: &Value, egress: &Egress) -> Result<Wanted, Vec<Fault>> {
    let (mut faults, nothing) = (Vec::new(), Map::new());
    let body = body.as_object().unwrap_or(&nothing);
    let at = &mut vec![Step::from("body")];
    let mut read = object_of(SAID, body, at, &mut faults);
    read.extend(object_of(std::slice::from_ref(&WEBHOOK), body, at, &mut faults));
    let read = Value::Object(read);
    let watch = watch(&read);
    faults.extend(strangers(&watch, &read));
    let webhook = &read["webhook"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let url = text(&webhook["url"]).unwrap_or_default();
    if let Some(Err(cause)) = (!url.is_empty()).then(|| egress.destination(&url)) {
        faults.push(Fault::new(["body", "webhook", "url"], cause.to_string()));
    }
    let secret = text(&webhook["secret"]);
    if secret.as_deref().is_some_and(|secret| signing_key(secret).is_none()) {
        faults.push(Fault::new(["body", "webhook", "secret"], EXPECTED));
    }
    if let Watch::Budget { thresholds } = &watch
        && (thresholds.is_empty() || thresholds.iter().any(|each| ![50, 80, 100].contains(each)))
    {
        faults.push(Fault::new(["body", "thresholds"], "Expected some of 50, 80 and 100"));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let format = if webhook["format"] == "slack" { Format::Slack } else { Format::Json };
    Ok(Wanted {
        name: text(&read["name"]).unwrap_or_default(),
        enable: read["enable"].as_bool().unwrap_or(true),
        gateway_id: text(&read["gateway_id"]),
        watch,
        cooldown_seconds: read["cooldown_seconds"].as_u64().unwrap_or(3_600),
        url,
        format,
        secret,
    })
}

fn watch(read: &Value) -> Watch {
    let text = |name: &str, other: &str| read[name].as_str().unwrap_or(other).to_owned();
    let rate = |window, percent, least| Rate {
        provider: read["provider"].as_str().map(str::to_owned),
        window_seconds: read["window_seconds"].as_u64().unwrap_or(window),
        threshold_percent: read["threshold_percent"].as_f64().unwrap_or(percent),
        minimum_requests: read["minimum_requests"].as_u64().unwrap_or(least),
    };
    match read["kind"].as_str().unwrap_or_default() {
        "spend_anomaly" => Watch::SpendAnomaly(Anomaly {
            session_key: text("session_key", "session_id"),
            user_key: text("user_key", "user_id"),
            minimum_cost: read["minimum_cost"].as_f64().unwrap_or(0.0),
        }),
        "error_rate" => Watch::ErrorRate(rate(300, 10.0, 20)),
        "provider_down" => Watch::ProviderDown(rate(60, 90.0, 5)),
        "log_loss" => Watch::LogLoss,
        _ => {
            let said = read["thresholds"].as_array();
            let number = |value: &Value| value.as_u64().and_then(|number| u8::try_from(number).ok());
            let mut thresholds: Vec<u8> =
                said.map_or_else(|| vec![50, 80, 100], |all| all.iter().filter_map(number).collect());
            thresholds.sort_unstable();
            thresholds.dedup();
            Watch::Budget { thresholds }
        }
    }
}

/// Members of another kind: whoever sends one believes that it does something.
fn strangers(watch: &Watch, read: &Value) -> Vec<Fault> {
    let own: &[&str] = match watch {
        Watch::Budget { .. } => &["thresholds"],
        Watch::SpendAnomaly(_) => &["session_key", "user_key", "minimum_cost"],
        Watch::ErrorRate(_) | Watch::ProviderDown(_) => {
            &["provider", "window_seconds", "threshold_percent", "minimum_requests"]
        }
        Watch::LogLoss => &[],
    };
    const OF_KINDS: [&str; 8] = [
        "thresholds",
        "session_key",
        "user_key",
        "minimum_cost",
        "provider",
        "window_seconds",
        "threshold_percent",
        "minimum_requests",
    ];
    let said = OF_KINDS.into_iter().filter(|name| !own.contains(name) && !read[*name].is_null());
    said.map(|name| Fault::new(["body", name], format!("An alert of kind {:?} has no {name}", watch.kind()))).collect()
}

pub(crate) fn object(alert: &Alert, account: &str) -> Value {
    let mut shown = json!({
        "id": alert.id,
        "account_id": account,
        "name": alert.name,
        "enable": alert.enable,
        "kind": alert.watch.kind(),
        "cooldown_seconds": alert.cooldown_seconds,
        "webhook": { "url": shown_url(alert), "format": alert.webhook.format },
        "created_at": time::text(alert.created_at),
        "modified_at": time::text(alert.modified_at)
    });
    if let Some(gateway) = &alert.gateway_id {
        shown["gateway_id"] = gateway.as_str().into();
    }
    // The name of the kind is said already.
    let watch = match &alert.watch {
        Watch::Budget { thresholds } => json!({ "thresholds": thresholds }),
        Watch::SpendAnomaly(anomaly) => json!(anomaly),
        Watch::ErrorRate(rate) | Watch::ProviderDown(rate) => json!(rate),
        Watch::LogLoss => json!({}),
    };
    if let (Some(shown), Value::Object(watch)) = (shown.as_object_mut(), watch) {
        shown.extend(watch.into_iter().filter(|(_, value)| !value.is_null()));
    }
    shown
}

/// Who knows a Slack webhook's address may write there: its path is a secret, and stays unsaid. Saved as it is shown, it is left as it is.
pub(crate) fn shown_url(alert: &Alert) -> String {
    let url = &alert.webhook.url;
    if alert.webhook.format == Format::Json {
        return url.clone();
    }
    let host = url.find("://").and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash));
    format!("{}/***", &url[..host.unwrap_or(url.len())])
}

pub(crate) fn delivery_object(delivery: &Delivery) -> Value {
    let state = match delivery.state {
        State::Pending => "pending",
        State::Delivered => "delivered",
        State::Failed => "failed",
    };
    let mut shown = json!({
        "id": delivery.id,
        "alert_id": delivery.alert_id,
        "event": delivery.event,
        "subject": delivery.subject,
        "state": state,
        "attempts": delivery.attempts,
        "created_at": time::text(delivery.created_at),
        "payload": delivery.payload
    });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown[name] = value;
        }
    };
    put("last_status", delivery.last_status.map(Value::from));
    put("last_error", delivery.last_error.as_deref().map(Value::from));
    put("attempted_at", delivery.attempted_at.map(|at| time::text(at).into()));
    put("next_attempt_at", delivery.next_at.map(|at| time::text(at).into()));
    shown
}
