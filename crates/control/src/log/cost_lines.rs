//! The cost of a record, line by line, as the API shows it.
//!
//! Enters: a record. Leaves: one object for each class that was charged, or nothing where nobody can tell. Never: shows lines whose amounts are not the cost.

use serde_json::{Value, json};
use tollgate_model::Record;
use tollgate_rules::cost;

use crate::shape::Presence::{Required, RequiredOrNull};
use crate::shape::{Member, Shape};

pub(super) const LINES: Shape = Shape::List { of: &Shape::Named("CostLine", &Shape::Object(LINE)), max: 64 };

static LINE: &[Member] = &[
    Member::of("class", Shape::Word(CLASSES), Required, "What was charged for."),
    Member::of("quantity", Shape::COUNT, Required, "How many units of it were used."),
    Member::of(
        "unit",
        Shape::Word(&["token", "request", "search", "image", "second", "character"]),
        Required,
        "What is counted.",
    ),
    Member::of(
        "unit_price",
        Shape::TEXT,
        RequiredOrNull,
        "US dollars for a million units, as a decimal number; null where the amount is all that was said.",
    ),
    Member::of("amount", Shape::Number { min: 0.0, max: f64::MAX }, Required, "US dollars."),
    Member::of(
        "amount_nanos",
        Shape::COUNT,
        Required,
        "The same in whole nano-dollars: these sum to the cost exactly.",
    ),
    Member::of(
        "source",
        Shape::Word(&["catalog", "custom", "provider-reported", "estimated"]),
        Required,
        "Whose price it is; `estimated` when the quantity is our estimate.",
    ),
    Member::of("catalog", Shape::TEXT, RequiredOrNull, "The version of the price list."),
];

pub(super) const CLASSES: &[&str] = &[
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "audio_in",
    "output",
    "reasoning",
    "audio_out",
    "request",
    "search",
    "image",
    "cache_read_audio",
    "cache_read_image",
    "image_in",
    "image_out",
    "second",
    "character",
];

pub(super) fn of(record: &Record) -> Option<Value> {
    let cost = record.cost.as_ref()?;
    let usage = record.usage.as_ref();
    let ledger = cost::lines(usage, cost)?;
    let whose = cost.basis.source(cost.custom);
    let line = |line: &cost::Line| {
        json!({
            "class": line.class,
            "quantity": line.quantity,
            "unit": line.class.unit(),
            "unit_price": line.price.map(|price| price.to_string()),
            "amount": line.amount.as_dollars(),
            "amount_nanos": line.amount.nanos(),
            "source": if cost.basis.is_metered() { whose.of_usage(usage) } else { whose },
            "catalog": cost.list,
        })
    };
    Some(ledger.lines.iter().map(line).collect())
}
