//! Alerts in the file: told whole by a table.
//!
//! Enters: nothing. Leaves: a row for the table of kinds. Never: a secret: that is one of a store, and is named here.

use serde_json::json;
use tollgate_model::Alert;

use super::plain::{Plain, typed};
use crate::desk::ALERT;
use crate::shape::{Member, Presence, Shape};

use Presence::{Default, Optional, Required};

static WEBHOOK: Shape = Shape::Object(&[
    Member::of("url", Shape::Url { max: 2_048 }, Required, "Where it is told."),
    Member::of("format", Shape::Word(&["json", "slack"]), Default("\"json\""), "In which form."),
    Member::of(
        "secret",
        Shape::TEXT,
        Required,
        "The name of a stored secret, `env:NAME` or `file:/path`: `whsec_...`.",
    ),
]);

static MEMBERS: &[Member] = &[
    Member::of("name", Shape::Text { min: 1, max: 128 }, Required, "For people; it is in each message."),
    Member::of("enable", Shape::Flag, Default("true"), "Whether it is watched."),
    Member::of("gateway_id", Shape::TEXT, Optional, "Only this gateway."),
    Member::of("watch", Shape::Any, Required, "`log_loss`, or one of the other kinds with its members."),
    Member::of(
        "cooldown_seconds",
        Shape::Whole { min: 0, max: 604_800 },
        Default("3600"),
        "Until the same is told again.",
    ),
    Member::of("webhook", Shape::Named("StoredWebhook", &WEBHOOK), Required, "Where it is told."),
];

pub(super) static PLAIN: Plain = Plain {
    kind: ALERT,
    named: &["name"],
    members: MEMBERS,
    fresh: |fresh| json!({ "id": fresh.id, "created_at": fresh.now_ms, "modified_at": fresh.now_ms }),
    check: typed::<Alert>,
};
