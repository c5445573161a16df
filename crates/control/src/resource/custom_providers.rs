//! Custom providers over HTTP (control-plane specification, section 8).
//!
//! Enters: bodies and queries. Leaves: providers, with the codes that this resource has of its own. Never: shows the value of a header.

use std::cmp::Ordering;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate_model::CustomProvider;

use super::cache;
use crate::answer::Answer;
use crate::call::Call;
use crate::custom_provider::{CHANGE, NEW, OBJECT, shown};
use crate::desk::DeskError;
use crate::page::{DIRECTION, PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::Optional;
use crate::shape::{Fault, Member, Shape, Step};

const PER_PAGE_MAX: u64 = 100;
const ALL: &str = "/accounts/{account}/ai-gateway/custom-providers";
const ONE: &str = "/accounts/{account}/ai-gateway/custom-providers/{custom_provider}";
const BAD_BASE_URL: u32 = 1_002;
const SLUG_EXISTS: u32 = 1_003;
const NOT_FOUND: u32 = 1_004;

pub(crate) static ROWS: &[Row] = &[
    get(
        ALL,
        "aig-config-list-custom-providers",
        Guarded(Needs::Metadata, list),
        Page(&OBJECT),
        "The providers that were added here, by position and name unless an order is asked for.",
    )
    .query(&[
        PAGE,
        PER_PAGE,
        Member::of("enable", Shape::Flag, Optional, "Only those that are enabled, or that are not."),
        Member::of("beta", Shape::Flag, Optional, "Only those that are marked so, or that are not."),
        Member::of("search", Shape::TEXT, Optional, "A piece of id, name or slug."),
        Member::of(
            "order_by",
            Shape::Word(&["position", "name", "slug", "created_at", "modified_at"]),
            Optional,
            "A column.",
        ),
        DIRECTION,
    ])
    .said("custom-provider", "list")
    .columns(&["slug", "name", "enable", "base_url", "id"]),
    row(
        Method::POST,
        ALL,
        "aig-config-create-custom-provider",
        Guarded(Needs::Write, create),
        One(&OBJECT),
        "A new provider, called `custom-{slug}`; 1002 a base URL that may not be, 1003 a slug that is taken.",
    )
    .body(&NEW)
    .said("custom-provider", "create")
    .fills(r#"{"enable":true}"#),
    get(
        ONE,
        "aig-config-fetch-custom-provider",
        Guarded(Needs::Metadata, get_one),
        One(&OBJECT),
        "One provider; 1004 if there is none.",
    )
    .said("custom-provider", "show"),
    row(
        Method::PATCH,
        ONE,
        "aig-config-update-custom-provider",
        Guarded(Needs::Write, update),
        One(&OBJECT),
        "Changes some members; its cached answers are forgotten, and another origin loses its headers.",
    )
    .body(&CHANGE)
    .said("custom-provider", "update"),
    row(
        Method::DELETE,
        ONE,
        "aig-config-delete-custom-provider",
        Guarded(Needs::Write, delete),
        One(&OBJECT),
        "Deletes a provider with its cached answers.",
    )
    .said("custom-provider", "delete"),
];

type Order = fn(&CustomProvider, &CustomProvider) -> Ordering;

static ORDERS: &[(&str, Order)] = &[
    ("position", |a, b| a.position.total_cmp(&b.position).then_with(|| a.name.cmp(&b.name))),
    ("name", |a, b| a.name.cmp(&b.name)),
    ("slug", |a, b| a.slug.cmp(&b.slug)),
    ("created_at", |a, b| a.created_at.cmp(&b.created_at)),
    ("modified_at", |a, b| a.modified_at.cmp(&b.modified_at)),
];

fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let (enable, beta) = (reader.flag("enable"), reader.flag("beta"));
    let search = reader.text("search").map(str::to_lowercase);
    let order = reader.word("order_by", ORDERS);
    let descending = reader.word("order_by_direction", &[("asc", false), ("desc", true)]);
    reader.finish()?;
    let mut all = call.parts.desk.custom_providers()?;
    all.retain(|provider| enable.is_none_or(|enable| enable == provider.enable));
    all.retain(|provider| beta.is_none_or(|beta| beta == provider.beta));
    let holds = |text: &str, provider: &CustomProvider| {
        [&provider.id, &provider.name, &provider.slug].iter().any(|column| column.to_lowercase().contains(text))
    };
    all.retain(|provider| search.as_deref().is_none_or(|text| holds(text, provider)));
    if let Some(order) = order {
        all.sort_by(|a, b| order(a, b));
    }
    if descending == Some(true) {
        all.reverse();
    }
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(|provider| shown(provider, call.account())).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn create(call: &Call) -> Result<Answer, Problem> {
    told(call, call.parts.desk.create_custom_provider(&call.json()))
}

fn get_one(call: &Call) -> Result<Answer, Problem> {
    let found = call.parts.desk.custom_provider(call.params.get("custom_provider")).map_err(problem)?;
    Ok(Answer::Result(shown(&found, call.account())))
}

fn update(call: &Call) -> Result<Answer, Problem> {
    let id = call.params.get("custom_provider");
    let before = call.parts.desk.custom_provider(id).map_err(problem)?;
    let after = call.parts.desk.update_custom_provider(id, &call.json());
    if let Ok(after) = &after {
        cache::purge_provider(call, &before.segment())?;
        cache::purge_provider(call, &after.segment())?;
    }
    told(call, after)
}

fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_custom_provider(call.params.get("custom_provider"));
    if let Ok(gone) = &gone {
        cache::purge_provider(call, &gone.segment())?;
    }
    told(call, gone)
}

fn told(call: &Call, outcome: Result<CustomProvider, DeskError>) -> Result<Answer, Problem> {
    outcome.map(|provider| Answer::Result(shown(&provider, call.account()))).map_err(problem)
}

fn problem(error: DeskError) -> Problem {
    match error {
        DeskError::Exists(_) => {
            let message = "A custom provider with this slug already exists";
            let error = json!({ "code": SLUG_EXISTS, "message": message, "path": ["body", "slug"] });
            Problem::of_resource(StatusCode::CONFLICT, vec![error])
        }
        DeskError::Missing(_) => {
            let error = json!({ "code": NOT_FOUND, "message": "Custom Provider not found" });
            Problem::of_resource(StatusCode::NOT_FOUND, vec![error])
        }
        DeskError::Faults(faults) => {
            Problem::of_resource(StatusCode::BAD_REQUEST, faults.into_iter().map(told_fault).collect())
        }
        other => other.into(),
    }
}

/// A base URL that is there and may not be has a code of its own.
fn told_fault(fault: Fault) -> Value {
    let is_url = fault.path.get(1) == Some(&Step::from("base_url")) && fault.message.starts_with("Invalid");
    let code = if is_url { BAD_BASE_URL } else { 7_001 };
    json!({ "code": code, "message": fault.message, "path": fault.path })
}
