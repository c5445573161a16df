//! What belongs to a gateway and is told whole by a table: its domains and datasets.
//!
//! Enters: nothing. Leaves: rows for the table of kinds. Never: has code of its own, but for what a domain's name must be.

use serde_json::{Value, json};
use tollgate_model::{CustomDomain, Dataset};
use tollgate_rules::custom::is_hostname;

use super::plain::{Fresh, Plain, typed};
use crate::desk::{CUSTOM_DOMAIN, DATASET};
use crate::shape::{Member, Presence, Shape};

use Presence::{Optional, Required};

static DOMAIN_MEMBERS: &[Member] = &[
    Member::of("hostname", Shape::Text { min: 1, max: 255 }, Required, "A whole host name."),
    Member::of("zone_id", Shape::TEXT, Optional, "Kept and shown; it means nothing here."),
];

pub(super) static DOMAIN: Plain = Plain {
    kind: CUSTOM_DOMAIN,
    named: &["hostname"],
    members: DOMAIN_MEMBERS,
    fresh: of_gateway,
    check: |body| match body["hostname"].as_str().is_some_and(is_hostname) {
        true => typed::<CustomDomain>(body),
        false => Err("expected a whole host name in lower case, without wildcard and port".to_owned()),
    },
};

static DATASET_MEMBERS: &[Member] = &[
    Member::of("name", Shape::Text { min: 1, max: 128 }, Required, "Unique in its gateway."),
    Member::of("enable", Shape::Flag, Required, "Kept and shown; it switches nothing."),
    Member::of("filters", Shape::Any, Required, "All of them must hold."),
];

pub(super) static DATASETS: Plain = Plain {
    kind: DATASET,
    named: &["name"],
    members: DATASET_MEMBERS,
    fresh: |fresh| {
        let mut body = of_gateway(fresh);
        body["id"] = fresh.id.into();
        body
    },
    check: |body| {
        let told = |faults: Vec<crate::shape::Fault>| faults.first().map(ToString::to_string).unwrap_or_default();
        crate::filters::of_dataset(&body["filters"]).map_err(told)?;
        typed::<Dataset>(body)
    },
};

fn of_gateway(fresh: &Fresh<'_>) -> Value {
    json!({
        "gateway": fresh.gateway,
        "gateway_internal_id": fresh.gateway_internal_id,
        "created_at": fresh.now_ms,
        "modified_at": fresh.now_ms
    })
}
