//! The members of billing's bodies and answers, as data.
//!
//! Enters: nothing. Leaves: shapes. Never: dollars: everything is whole cents.

use crate::credits::CENTS_MAX;
use crate::page::{PAGE, PER_PAGE};
use crate::shape::Presence::{Default, Optional, Required, RequiredOrNull};
use crate::shape::{Member, Presence, Shape};

const fn row(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Member {
    Member::of(name, shape, presence, doc)
}

const fn list(of: &'static Shape) -> Shape {
    Shape::List { of, max: usize::MAX }
}

/// What is added up: each line is bounded, their sum is not.
const SUM: Shape = Shape::Number { min: f64::MIN, max: f64::MAX };
const CENTS: Shape = Shape::Number { min: -(CENTS_MAX as f64), max: CENTS_MAX as f64 };
const fn from(min: u64) -> Shape {
    Shape::Whole { min, max: CENTS_MAX }
}

pub(super) static NOTHING: Shape = Shape::Object(&[]);
pub(super) static TOPUP_ASKED: Shape = Shape::Object(&[
    row("amount", from(1_000), Required, "Cents."),
    row("payment_method_id", Shape::TEXT, Optional, "Not used."),
]);
pub(super) static STATUS_ASKED: Shape =
    Shape::Object(&[row("payment_intent_id", Shape::TEXT, Required, "Id of a credit line.")]);
pub(super) static CONFIG_ASKED: Shape =
    Shape::Object(&[row("amount", from(1_000), Required, "Cents."), row("threshold", from(500), Required, "Cents.")]);
pub(super) static LIMIT_ASKED: Shape = Shape::Object(&[
    row("amount", from(100), Required, "Cents."),
    row("duration", Shape::Word(&["daily", "weekly", "monthly"]), Required, "How long a window is."),
    row("strategy", Shape::Word(&["fixed", "sliding"]), Required, "Which windows."),
]);
pub(super) static CREDIT_ASKED: Shape = Shape::Object(&[
    row("amount", CENTS, Required, "Whole cents; below zero takes credits back."),
    row("description", Shape::Text { min: 0, max: 256 }, Default("\"\""), "What it was for."),
]);
pub(super) static USAGE_ASKED: &[Member] = &[
    row("value_grouping_window", Shape::Word(&["day", "hour"]), Required, "What is added up."),
    row("start_time", Shape::COUNT, Optional, "Unix milliseconds, inclusive."),
    row("end_time", Shape::COUNT, Optional, "Unix milliseconds, exclusive."),
];
pub(super) static INVOICES_ASKED: &[Member] = &[
    row("type", Shape::Word(&["auto", "all", "manual"]), Default("\"all\""), "There are only manual ones."),
    PAGE,
    PER_PAGE,
];

static TOPUP_CONFIG: &[Member] =
    &[row("amount", CENTS, RequiredOrNull, "Always null."), row("threshold", CENTS, RequiredOrNull, "Always null.")];
pub(super) static CONFIGURED: Shape = Shape::Object(TOPUP_CONFIG);
pub(super) static BALANCE: Shape = Shape::Object(&[
    row("balance", SUM, Required, "Cents; below zero when more was drawn than booked."),
    row("has_default_payment_method", Shape::Flag, Required, "Always false."),
    row("payment_method", Shape::Any, RequiredOrNull, "Always null."),
    row("topup_config", Shape::Object(TOPUP_CONFIG), Required, "Always without amounts."),
]);
static USED: Shape = Shape::Object(&[
    row("id", Shape::TEXT, Required, "Of the window."),
    row("aggregated_value", SUM, Required, "Cents."),
    row("start_time", Shape::COUNT, Required, "Unix milliseconds."),
    row("end_time", Shape::COUNT, Required, "Unix milliseconds."),
]);
pub(super) static USAGE: Shape =
    Shape::Object(&[row("history", list(&USED), Required, "Windows in which something was drawn, oldest first.")]);

static AMOUNTS: &[Member] = &[
    row("id", Shape::TEXT, Required, "Of the line, or of the month."),
    row("amount_due", SUM, Required, "Cents."),
    row("amount_paid", SUM, Required, "Cents."),
    row("amount_remaining", SUM, Required, "Always 0."),
    row("currency", Shape::TEXT, Required, "Always usd."),
];
static INVOICE: Shape = Shape::Parts(&[
    AMOUNTS,
    &[
        row("attempt_count", Shape::COUNT, Required, "Always 0."),
        row("attempted", Shape::Flag, Required, "Always true."),
        row("auto_advance", Shape::Flag, Required, "Always false."),
        row("created", Shape::COUNT, Required, "Unix seconds."),
        row("created_by", Shape::TEXT, Required, "Name of the token that booked it."),
        row("description", Shape::TEXT, Required, "As it was booked."),
        row("invoice_origin", Shape::TEXT, Required, "Always manual."),
        row("invoice_pdf", Shape::TEXT, RequiredOrNull, "Always null."),
        row("status", Shape::TEXT, Required, "Always paid."),
    ],
]);
pub(super) static INVOICES: Shape = Shape::Object(&[
    row("invoices", list(&INVOICE), Required, "A page of them."),
    row("pagination", Shape::Map(&Shape::Any), Required, "`has_more`, `page`, `per_page`, `total_count`."),
]);
pub(super) static PREVIEW: Shape = Shape::Parts(&[
    AMOUNTS,
    &[
        row("status", Shape::Word(&["draft"]), Required, "Always draft."),
        row("period_start", Shape::COUNT, Required, "Unix seconds."),
        row("period_end", Shape::COUNT, Required, "Unix seconds."),
        row("invoice_lines", list(&Shape::Any), Required, "One, or none when nothing was drawn."),
    ],
]);
pub(super) static STATUS: Shape = Shape::Object(&[
    row("payment_intent_id", Shape::TEXT, Required, "As asked."),
    row("status", Shape::Word(&["completed"]), Required, "Lines are there or not."),
]);
pub(super) static LIMITED: Shape = Shape::Object(&[
    row("config", Shape::Map(&Shape::Any), Required, "`amount`, `duration`, `strategy`: always null."),
    row("enabled", Shape::Flag, Required, "Always false."),
]);
pub(super) static CREDIT: Shape = Shape::Named(
    "Credit",
    &Shape::Object(&[
        row("id", Shape::TEXT, Required, "Numbered."),
        row("amount", CENTS, Required, "Cents; below zero it was drawn or taken back."),
        row("balance", SUM, Required, "With this line."),
        row("description", Shape::TEXT, Required, "What it was for."),
        row("created_by", Shape::TEXT, Required, "Name of the token."),
        row("created_at", Shape::Time, Required, "When it was booked."),
    ]),
);
