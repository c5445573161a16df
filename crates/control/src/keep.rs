//! Stores, secrets and provider configs as bodies and answers show them (control-plane specification, section 7).
//!
//! Enters: what is kept. Leaves: JSON in the shapes of the official clients. Never: a value.

use serde_json::{Value, json};
use tollgate_model::{ProviderConfig, SecretStore, StoredSecret};

use crate::desk::SCOPES;
use crate::shape::Presence::{Optional, Required, RequiredOrNull};
use crate::shape::{Member, Presence, Shape};
use crate::time;

const fn row(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Member {
    Member::of(name, shape, presence, doc)
}

const VALUE: Shape = Shape::Text { min: 1, max: 65_536 };
const WHOLE: Shape = Shape::Whole { min: 0, max: 1_000_000_000 };
pub(crate) const SCOPE_LIST: Shape = Shape::List { of: &Shape::Word(SCOPES), max: 16 };
const VALUES: Member = row(
    "tollgate_values",
    Shape::Map(&Shape::Text { min: 1, max: 256 }),
    Optional,
    "What the provider's row leaves open and this key decides: resource, region, project. Not in the original.",
);
const LIMIT: Member = row("rate_limit", WHOLE, Optional, "Requests in a period through this key; 0: no limit.");
const PERIOD: Member = row("rate_limit_period", WHOLE, Optional, "Seconds; 60 when absent.");
const DEFAULT: &str = "Used when a caller names no alias.";

pub(crate) static NEW_MEMBERS: &[Member] = &[
    row("provider_slug", Shape::Text { min: 1, max: 64 }, Required, "The provider's path segment."),
    row(
        "alias",
        Shape::Like(&Shape::Text { min: 1, max: 64 }, "^[!-~]+$"),
        Required,
        "What callers say in cf-aig-byok-alias.",
    ),
    row("default_config", Shape::Switch, Required, DEFAULT),
    row("secret", Shape::Text { min: 0, max: 65_536 }, Optional, "The key, or env:NAME or file:/path where it is."),
    row("secret_id", Shape::Text { min: 0, max: 256 }, Optional, "A stored secret of the right name instead."),
    LIMIT,
    PERIOD,
    VALUES,
];

pub(crate) static CHANGE_MEMBERS: &[Member] = &[
    row("secret", VALUE, Optional, "The new key."),
    row("default_config", Shape::Switch, Optional, DEFAULT),
    LIMIT,
    PERIOD,
    VALUES,
];

/// What a configuration file says of one: its provider and alias are its name.
pub(crate) static FILE_MEMBERS: &[Member] =
    &[row("default_config", Shape::Flag, Optional, DEFAULT), LIMIT, PERIOD, VALUES];

pub(crate) static NEW_CONFIG: Shape = Shape::Named("NewProviderConfig", &Shape::Object(NEW_MEMBERS));
pub(crate) static CHANGE_CONFIG: Shape = Shape::Object(CHANGE_MEMBERS);
pub(crate) static CONFIG: Shape = Shape::Named(
    "ProviderConfig",
    &Shape::Object(&[
        row("id", Shape::TEXT, Required, "Made up; never changes."),
        row("provider_slug", Shape::TEXT, Required, "The provider's path segment."),
        row("alias", Shape::TEXT, Required, "What callers say in cf-aig-byok-alias."),
        row("default_config", Shape::Flag, Required, DEFAULT),
        row("gateway_id", Shape::TEXT, Required, "Whose it is."),
        row("secret_id", Shape::TEXT, Required, "The secret that holds the key."),
        row("secret_preview", Shape::TEXT, Required, "The first three and last four characters of the key."),
        row("rate_limit", WHOLE, Optional, "Requests in a period through this key."),
        row("rate_limit_period", WHOLE, Optional, "Seconds."),
        VALUES,
        row("status", Shape::Word(&["active", "invalid"]), Optional, "Whether it can be used. Not in the original."),
        row("status_reason", Shape::TEXT, Optional, "Why it cannot. Not in the original."),
        row("modified_at", Shape::Time, Required, "When it was changed last."),
    ]),
);
pub(crate) static GONE_CONFIG: Shape = Shape::Object(&[
    row("id", Shape::TEXT, Required, "The config that was deleted."),
    row("alias", Shape::TEXT, Required, "Its alias."),
    row("provider_slug", Shape::TEXT, Required, "Its provider."),
    row("gateway_id", Shape::TEXT, Required, "Whose it was."),
    row("secret_id", Shape::TEXT, Required, "Its secret, deleted too if it was made for it."),
    row("modified_at", Shape::Time, Required, "When it was changed last."),
]);

pub(crate) static NEW_STORE: Shape =
    Shape::Object(&[row("name", STORE_NAME, Required, "What people call it; older clients send a list of one.")]);
const STORE_NAME: Shape = Shape::Like(
    &Shape::Text { min: 1, max: 256 },
    r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
);
pub(crate) static STORE: Shape = Shape::Named(
    "SecretStore",
    &Shape::Object(&[
        row("id", Shape::TEXT, Required, "Made up; never changes."),
        row("name", Shape::TEXT, Required, "What people call it."),
        row("account_id", Shape::TEXT, Required, "Whose it is."),
        row("created", Shape::Time, Required, "When it was made."),
        row("modified", Shape::Time, Required, "When it was changed last."),
    ]),
);

const NAME: Member = row(
    "name",
    Shape::Like(&Shape::Text { min: 1, max: 255 }, r"^[^\s\x00-\x1f\x7f-\x9f]+$"),
    Required,
    "Unique in its store.",
);
const SCOPES_MEMBER: Member =
    row("scopes", Shape::Some(&SCOPE_LIST), Required, "Who may use it; gateways: ai_gateway.");
pub(crate) const COMMENT: Member = row("comment", Shape::Text { min: 0, max: 1_024 }, Optional, "For people.");
static NEW_SECRET: Shape = Shape::Object(&[
    NAME,
    SCOPES_MEMBER,
    row("value", VALUE, Required, "Never shown again; or env:NAME or file:/path where it is."),
    COMMENT,
]);
pub(crate) static NEW_SECRETS: Shape = Shape::List { of: &NEW_SECRET, max: 100 };
pub(crate) static CHANGE_SECRET: Shape = Shape::Object(&[
    row("value", VALUE, Optional, "The new value."),
    row("scopes", Shape::Some(&SCOPE_LIST), Optional, "Who may use it."),
    COMMENT,
]);
pub(crate) static COPY_SECRET: Shape = Shape::Object(&[NAME, SCOPES_MEMBER, COMMENT]);
static ID: Shape = Shape::Object(&[row("id", Shape::TEXT, Required, "A secret.")]);
pub(crate) static IDS: Shape = Shape::List { of: &ID, max: 100 };
pub(crate) static SECRET: Shape = Shape::Named(
    "StoredSecret",
    &Shape::Object(&[
        row("id", Shape::TEXT, Required, "Made up; never changes."),
        row("name", Shape::TEXT, Required, "Unique in its store."),
        row("store_id", Shape::TEXT, Required, "Where it is."),
        row("status", Shape::Word(&["pending", "active", "deleted"]), Required, "Active at once."),
        row("scopes", SCOPE_LIST, Required, "Who may use it."),
        row("comment", Shape::TEXT, RequiredOrNull, "For people."),
        row("created", Shape::Time, Required, "When it was made."),
        row("modified", Shape::Time, Required, "When it was changed last."),
    ]),
);
pub(crate) static SECRETS: Shape = Shape::List { of: &SECRET, max: usize::MAX };
pub(crate) static QUOTA: Shape = Shape::Object(&[row(
    "secrets",
    Shape::Object(&[
        row("quota", WHOLE, Required, "How many there may be."),
        row("usage", WHOLE, Required, "How many there are."),
    ]),
    Required,
    "Of this installation.",
)]);

pub fn store(store: &SecretStore, account: &str) -> Value {
    json!({
        "id": store.id,
        "name": store.name,
        "account_id": account,
        "created": time::text(store.created_at),
        "modified": time::text(store.modified_at),
    })
}

pub fn secret(secret: &StoredSecret) -> Value {
    json!({
        "id": secret.id,
        "name": secret.name,
        "store_id": secret.store_id,
        "status": "active",
        "scopes": secret.scopes,
        "comment": secret.comment,
        "created": time::text(secret.created_at),
        "modified": time::text(secret.modified_at),
    })
}

/// `problem`: why the key cannot be used.
pub fn config(config: &ProviderConfig, secret: Option<&StoredSecret>, problem: Option<String>) -> Value {
    let mut shown = gone(config);
    shown["default_config"] = config.default_config.into();
    shown["secret_preview"] = secret.map_or("***", |secret| &secret.preview).into();
    for (name, number) in [("rate_limit", config.rate_limit), ("rate_limit_period", config.rate_limit_period)] {
        if let Some(number) = number {
            shown[name] = number.into();
        }
    }
    if !config.values.is_empty() {
        shown["tollgate_values"] = json!(config.values);
    }
    shown["status"] = if problem.is_some() { "invalid" } else { "active" }.into();
    if let Some(problem) = problem {
        shown["status_reason"] = problem.into();
    }
    shown
}

pub fn gone(config: &ProviderConfig) -> Value {
    json!({
        "id": config.id,
        "alias": config.alias,
        "provider_slug": config.provider_slug,
        "gateway_id": config.gateway,
        "secret_id": config.secret_id,
        "modified_at": time::text(config.modified_at),
    })
}
