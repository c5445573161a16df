//! A dataset as the API shows it (control-plane specification, 5.1), and as the log is asked for it.
//!
//! Enters: datasets. Leaves: JSON with the original's members; filters of the record store. Never: reads the log.

use serde_json::{Value, json};
use tollgate_model::Dataset;
use tollgate_store::records::{Condition, Filter};

use crate::filters;
use crate::shape::Presence::{Optional, Required};
use crate::shape::{Member, Shape};
use crate::time;

const NAME: Member = Member::of("name", Shape::Text { min: 1, max: 128 }, Required, "Unique in its gateway.");
const ENABLE: Member = Member::of("enable", Shape::Flag, Required, "Kept and shown; it switches nothing.");
const FILTERS: Member =
    Member::of("filters", FILTER_LIST, Required, "All of them must hold. `value` is a list: one of them.");
const FILTER_LIST: Shape = Shape::Named("DatasetFilters", &Shape::List { of: &FILTER, max: 50 });
static FILTER: Shape = Shape::Object(&[
    Member::of("key", Shape::Word(&filters::OF_DATASETS), Required, "What is compared."),
    Member::of("operator", Shape::Word(&["eq", "contains", "lt", "gt"]), Required, "How."),
    Member::of("value", Shape::Any, Required, "With what: texts, numbers, booleans."),
]);

/// What a body has. The filters are judged by `filters`, which knows of which type the values of each key are.
pub(crate) static NEW_MEMBERS: &[Member] = &[
    NAME,
    ENABLE,
    Member::of("filters", Shape::List { of: &Shape::Any, max: usize::MAX }, Required, "All of them must hold."),
];
pub(crate) static NEW: Shape = Shape::Named("NewDataset", &Shape::Object(&[NAME, ENABLE, FILTERS]));
pub(crate) static DATASET: Shape = Shape::Named("Dataset", &Shape::Parts(&[MEMBERS]));
pub(crate) static COUNTED: Shape = Shape::Named("CountedDataset", &Shape::Parts(&[MEMBERS, COUNT]));

static MEMBERS: &[Member] = &[
    Member::of("id", Shape::TEXT, Required, "Made up; never changes."),
    Member::of("gateway_id", Shape::TEXT, Required, "Whose log it is."),
    Member::of("account_id", Shape::TEXT, Required, "Whose it is."),
    Member::of("account_tag", Shape::TEXT, Required, "Whose it is."),
    NAME,
    ENABLE,
    FILTERS,
    Member::of("created_at", Shape::Time, Required, "When it was made."),
    Member::of("modified_at", Shape::Time, Required, "When it was saved last."),
];
static COUNT: &[Member] = &[Member::of("total_logs", Shape::COUNT, Optional, "How many records belong to it now.")];

pub fn object(dataset: &Dataset, account: &str) -> Value {
    json!({
        "id": dataset.id,
        "gateway_id": dataset.gateway,
        "account_id": account,
        "account_tag": account,
        "name": dataset.name,
        "enable": dataset.enable,
        "filters": dataset.filters,
        "created_at": time::text(dataset.created_at),
        "modified_at": time::text(dataset.modified_at)
    })
}

/// The records that belong to any of these.
pub fn members<'a>(gateway: &str, from_ms: u64, datasets: impl IntoIterator<Item = &'a Dataset>) -> Filter {
    let any_of = datasets.into_iter().map(conditions).collect();
    Filter { from_ms: Some(from_ms), any_of, ..Filter::of_gateway(gateway) }
}

/// They were checked when they were stored. Should a later program not know one, nothing belongs to the dataset rather than everything.
fn conditions(dataset: &Dataset) -> Vec<Condition> {
    filters::of_dataset(&dataset.filters).unwrap_or_else(|_| vec![nothing()])
}

fn nothing() -> Condition {
    use tollgate_store::records::{Field, Operator};
    Condition { field: Field::Id, operator: Operator::Eq, values: Vec::new() }
}
