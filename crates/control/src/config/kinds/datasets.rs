//! Datasets in the file: told whole by a table.
//!
//! Enters: nothing. Leaves: a row for the table of kinds. Never: a filter that the log does not know.

use serde_json::json;
use tollgate_model::Dataset;

use super::plain::{Plain, typed};
use crate::desk::DATASET;
use crate::shape::{Member, Presence, Shape};

use Presence::Required;

static MEMBERS: &[Member] = &[
    Member::of("name", Shape::Text { min: 1, max: 128 }, Required, "Unique in its gateway."),
    Member::of("enable", Shape::Flag, Required, "Kept and shown; it switches nothing."),
    Member::of("filters", Shape::Any, Required, "All of them must hold."),
];

pub(super) static PLAIN: Plain = Plain {
    kind: DATASET,
    named: &["name"],
    members: MEMBERS,
    fresh: |fresh| {
        json!({
            "id": fresh.id,
            "gateway": fresh.gateway,
            "gateway_internal_id": fresh.gateway_internal_id,
            "created_at": fresh.now_ms,
            "modified_at": fresh.now_ms
        })
    },
    check: |body| {
        let told = |faults: Vec<crate::shape::Fault>| faults.first().map(ToString::to_string).unwrap_or_default();
        crate::filters::of_dataset(&body["filters"]).map_err(told)?;
        typed::<Dataset>(body)
    },
};
