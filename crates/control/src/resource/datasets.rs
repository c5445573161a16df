//! Datasets over HTTP (control-plane specification, 5.1).
//!
//! Enters: bodies and queries. Leaves: datasets. Never: judges a filter: `filters` does.

use http::Method;
use serde_json::Value;
use tollgate_model::{Dataset, Gateway};
use tollgate_store::records::Page;

use super::logs;
use crate::answer::Answer;
use crate::call::Call;
use crate::dataset::{COUNTED, DATASET, NEW, members, object};
use crate::page::{PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page as Rows};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::Optional;
use crate::shape::{Member, Shape};

const PER_PAGE_MAX: u64 = 100;
const DATASETS: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/datasets";
const ONE: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/datasets/{dataset}";

pub(crate) static ROWS: &[Row] = &[
    get(
        DATASETS,
        "aig-config-list-dataset",
        Guarded(Needs::Metadata, list),
        Rows(&DATASET),
        "The datasets of a gateway, the newest first.",
    )
    .query(&[
        PAGE,
        PER_PAGE,
        Member::of("name", Shape::TEXT, Optional, "A piece of the name."),
        Member::of("enable", Shape::Flag, Optional, "Only these."),
        Member::of("search", Shape::TEXT, Optional, "A piece of the id, the name or the filters."),
    ])
    .said("dataset", "list")
    .columns(&["id", "name", "filters"]),
    row(
        Method::POST,
        DATASETS,
        "aig-config-create-dataset",
        Guarded(Needs::Write, create),
        One(&DATASET),
        "A new dataset: a saved filter. What matches belongs to it, also what is logged later.",
    )
    .body(&NEW)
    .said("dataset", "create")
    .fills(r#"{"enable":true,"filters":[]}"#),
    get(
        ONE,
        "aig-config-fetch-dataset",
        Guarded(Needs::Metadata, fetch),
        One(&COUNTED),
        "A dataset, and how many records belong to it.",
    )
    .said("dataset", "show"),
    row(
        Method::PUT,
        ONE,
        "aig-config-update-dataset",
        Guarded(Needs::Write, update),
        One(&DATASET),
        "Changes a dataset. Evaluations keep the one they were made with.",
    )
    .body(&NEW)
    .said("dataset", "update"),
    row(
        Method::DELETE,
        ONE,
        "aig-config-delete-dataset",
        Guarded(Needs::Write, delete),
        One(&DATASET),
        "Deletes a dataset; the records stay.",
    )
    .said("dataset", "delete"),
];

fn list(call: &Call) -> Result<Answer, Problem> {
    let gateway = gateway(call)?;
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let name = reader.text("name").map(str::to_lowercase);
    let search = reader.text("search").map(str::to_lowercase);
    let enable = reader.flag("enable");
    reader.finish()?;
    let mut all = call.parts.desk.datasets(gateway)?;
    all.retain(|dataset| name.as_deref().is_none_or(|name| dataset.name.to_lowercase().contains(name)));
    all.retain(|dataset| enable.is_none_or(|enable| dataset.enable == enable));
    all.retain(|dataset| search.as_deref().is_none_or(|text| mentions(dataset, text)));
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(|dataset| object(dataset, call.account())).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn mentions(dataset: &Dataset, text: &str) -> bool {
    let columns = [&dataset.id, &dataset.name, &dataset.filters.to_string()];
    columns.iter().any(|column| column.to_lowercase().contains(text))
}

fn create(call: &Call) -> Result<Answer, Problem> {
    let made = call.parts.desk.create_dataset(gateway(call)?, &call.json())?;
    Ok(Answer::Result(object(&made, call.account())))
}

fn fetch(call: &Call) -> Result<Answer, Problem> {
    let gateway = gateway(call)?;
    let dataset = call.parts.desk.dataset(gateway, call.params.get("dataset"))?;
    logs::catch_up(call);
    let filter = members(&gateway.id, gateway.created_at, [&dataset]);
    let listed = call.parts.records.list(&filter, &Page::newest(0))?;
    let mut shown = object(&dataset, call.account());
    shown["total_logs"] = listed.total.into();
    Ok(Answer::Result(shown))
}

fn update(call: &Call) -> Result<Answer, Problem> {
    let saved = call.parts.desk.update_dataset(gateway(call)?, call.params.get("dataset"), &call.json())?;
    Ok(Answer::Result(object(&saved, call.account())))
}

fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_dataset(gateway(call)?, call.params.get("dataset"))?;
    Ok(Answer::Result(object(&gone, call.account())))
}

fn gateway(call: &Call) -> Result<&Gateway, Problem> {
    Ok(&call.gateway()?.settings)
}
