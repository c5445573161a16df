//! Gateways over HTTP (control-plane specification, sections 3 and 9).
//!
//! Enters: bodies and queries. Leaves: gateway objects. Never: validates: the table of settings does.

use std::cmp::Ordering;

use http::Method;
use serde_json::Value;
use tollgate_model::Gateway;

use super::cache;
use crate::answer::Answer;
use crate::call::Call;
use crate::gateway::{self, object};
use crate::page::{DIRECTION, PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::Optional;
use crate::shape::{Fault, Member, Shape};

const PER_PAGE_MAX: u64 = 100;
const ALL: &str = "/accounts/{account}/ai-gateway/gateways";
const GATEWAY: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}";

pub(crate) static ROWS: &[Row] = &[
    get(
        ALL,
        "aig-config-list-gateway",
        Guarded(Needs::Metadata, list),
        Page(&gateway::OBJECT),
        "All gateways, the newest first unless an order is asked for.",
    )
    .query(&[
        PAGE,
        PER_PAGE,
        Member::of("search", Shape::TEXT, Optional, "A piece of the id."),
        Member::of("id", Shape::TEXT, Optional, "Exactly this one."),
        Member::of("order_by", Shape::Word(&["id", "created_at", "modified_at"]), Optional, "A column."),
        DIRECTION,
    ])
    .narrowed().said("gateway", "list").columns(&["id", "authentication", "collect_logs", "cache_ttl", "rate_limiting_limit", "rate_limiting_interval", "created_at"]),
    row(
        Method::POST,
        ALL,
        "aig-config-create-gateway",
        Guarded(Needs::Write, create),
        One(&gateway::OBJECT),
        "A new gateway.",
    )
    .body(&gateway::NEW).said("gateway", "create").fills(r#"{"cache_invalidate_on_update":true,"cache_ttl":0,"collect_logs":true,"rate_limiting_interval":60,"rate_limiting_limit":0}"#),
    get(
        GATEWAY,
        "aig-config-fetch-gateway",
        Guarded(Needs::Metadata, get_one),
        One(&gateway::OBJECT),
        "A gateway's settings.",
    ).said("gateway", "show"),
    row(
        Method::PUT,
        GATEWAY,
        "aig-config-update-gateway",
        Guarded(Needs::Write, update),
        One(&gateway::OBJECT),
        "Changes settings: absent members stay, null sets back.",
    )
    .body(&gateway::CHANGE).said("gateway", "update"),
    row(
        Method::DELETE,
        GATEWAY,
        "aig-config-delete-gateway",
        Guarded(Needs::Write, delete),
        One(&gateway::OBJECT),
        "Deletes a gateway with its cache; its logs can no longer be seen.",
    ).said("gateway", "delete"),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/url/{provider}",
        "aig-config-get-gateway-url",
        Guarded(Needs::Metadata, url),
        One(&Shape::TEXT),
        "The base URL of a provider through this gateway.",
    ).said("gateway", "url"),
];

/// What the original calls the surface that takes a list of steps.
const UNIVERSAL: &str = "universal";
const PROVIDER_CHARS_MAX: usize = 128;

type Order = fn(&Gateway, &Gateway) -> Ordering;

/// Orders of older clients, by column.
static ORDERS: &[(&str, Order)] = &[
    ("id", |a, b| a.id.cmp(&b.id)),
    ("created_at", |a, b| a.created_at.cmp(&b.created_at).then_with(|| a.id.cmp(&b.id))),
    ("modified_at", |a, b| a.modified_at.cmp(&b.modified_at).then_with(|| a.id.cmp(&b.id))),
];

fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let search = reader.text("search").map(str::to_lowercase);
    let id = reader.text("id");
    let order = reader.word("order_by", ORDERS);
    let descending = reader.word("order_by_direction", &[("asc", false), ("desc", true)]);
    reader.finish()?;
    let mut all = call.parts.desk.gateways()?;
    all.retain(|gateway| call.caller.pass.sees_gateway(&gateway.id));
    all.retain(|gateway| search.as_deref().is_none_or(|text| gateway.id.contains(text)));
    all.retain(|gateway| id.is_none_or(|id| gateway.id == id));
    sort(&mut all, order, descending);
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(|gateway| told(call, gateway)).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

/// They come with the newest first, and stay so when nothing was said about order. Once anything was, `asc` by time of creation is the default.
fn sort(all: &mut [Gateway], order: Option<Order>, descending: Option<bool>) {
    if order.is_none() && descending.is_none() {
        return;
    }
    all.sort_by(order.unwrap_or(|a, b| a.created_at.cmp(&b.created_at).then_with(|| a.id.cmp(&b.id))));
    if descending == Some(true) {
        all.reverse();
    }
}

fn create(call: &Call) -> Result<Answer, Problem> {
    Ok(shown(call, &call.parts.desk.create_gateway(&call.json())?))
}

fn get_one(call: &Call) -> Result<Answer, Problem> {
    Ok(shown(call, &call.gateway()?.settings))
}

fn update(call: &Call) -> Result<Answer, Problem> {
    let after = call.parts.desk.update_gateway(call.params.get("gateway"), &call.json())?;
    if after.cache_invalidate_on_update {
        cache::purge_gateway(call, &after.id)?;
    }
    Ok(shown(call, &after))
}

/// Its logs stay in their day's file until that is dropped, but belong to no gateway any more: one that is made later under the same id shows
/// only what came after it was made.
fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_gateway(call.params.get("gateway"))?;
    cache::purge_gateway(call, &gone.id)?;
    Ok(shown(call, &gone))
}

/// Any well-formed segment: a provider that this version does not know may be a custom one.
fn url(call: &Call) -> Result<Answer, Problem> {
    let gateway = call.gateway()?;
    let provider = call.params.get("provider");
    if !is_segment(provider) {
        return Err(Problem::invalid(vec![Fault::new(["params", "provider"], "Invalid")]));
    }
    let base = format!("{}/v1/{}/{}/", call.parts.public.url, call.params.get("account"), gateway.id);
    let url = if provider == UNIVERSAL { base } else { base + provider };
    Ok(Answer::Result(url.into()))
}

fn is_segment(text: &str) -> bool {
    (1..=PROVIDER_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn shown(call: &Call, gateway: &Gateway) -> Answer {
    Answer::Result(told(call, gateway))
}

fn told(call: &Call, gateway: &Gateway) -> Value {
    object(gateway, call.account(), &|text| call.parts.desk.names_secret(text))
}
