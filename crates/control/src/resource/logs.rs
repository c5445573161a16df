//! Logs over HTTP (control-plane specification, section 4).
//!
//! Enters: queries and ids. Leaves: rows, details, stored bodies. Never: shows a record of another gateway, or of an earlier one of the same name.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tollgate_model::{Id, Money, Record};
use tollgate_rules::snapshot::GatewayRules;
use tollgate_store::records::edit::REMOVED_MAX;
use tollgate_store::records::{Filter, Listed, Order, OrderBy, Page, Ranges, Which};

use crate::answer::Answer;
use crate::audit::Action;
use crate::call::Call;
use crate::filters;
use crate::log::{self, patch};
use crate::page::{PAGE, Paging, per_page};
use crate::problem::Problem;
use crate::query::Reader;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page as Rows, Plain, Stored, Whole};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::{Default, Optional, Required};
use crate::shape::{COUNT_MAX, Fault, Member, Shape};

mod export;
mod sums;

const PER_PAGE_MAX: u64 = 50;
const LOGS: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/logs";
const LOG: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id}";

pub(crate) static ROWS: &[Row] = &[
    get(
        LOGS,
        "aig-config-list-gateway-logs",
        Guarded(Needs::Metadata, list),
        Rows(&log::ROW),
        "Log rows by filter, order and page.",
    )
    .query(LISTED).said("log", "list").columns(&["id", "created_at", "provider", "model", "status_code", "tokens_in", "tokens_out", "cost", "duration"]),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/facets",
        "tollgate-list-gateway-log-facets",
        Guarded(Needs::Metadata, sums::facets),
        Whole(COUNTED),
        "How often each value occurs among the records that match. Not in the original.",
    )
    .query(FACETED).said("log", "facets"),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/histogram",
        "tollgate-get-gateway-log-histogram",
        Guarded(Needs::Metadata, sums::histogram),
        Rows(&sums::STRETCH),
        "What the records that match come to, over time. Not in the original.",
    )
    .query(STRETCHED).said("log", "histogram"),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/export",
        "tollgate-export-gateway-logs",
        Guarded(Needs::Metadata, export::lines),
        Plain(export::LINES),
        "All records that match, as JSON lines, however many there are. Not in the original.",
    )
    .query(EXPORTED).said("log", "export"),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/export.csv",
        "tollgate-export-gateway-logs-csv",
        Guarded(Needs::Metadata, export::csv),
        Plain(export::CSV),
        "All records that match, as CSV with a header. Not in the original.",
    )
    .query(EXPORTED),
    row(
        Method::DELETE,
        LOGS,
        "aig-config-delete-gateway-logs",
        Guarded(Needs::Write, delete),
        One(&log::DELETED),
        "Deletes the first records that match: by default the oldest, at most 10,000. They are gone at once.",
    )
    .query(DELETABLE).said("log", "delete"),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/tail",
        "tollgate-tail-gateway-logs",
        Guarded(Needs::Metadata, tail),
        Rows(&log::ROW),
        "Rows that arrived since ?after=, which the last answer told. Without it: only what comes from now on. Not in the original.",
    )
    .query(&[
        Member::of("after", Shape::COUNT, Optional, "`result_info.next` of the answer before."),
        Member::of("per_page", Shape::Whole { min: 1, max: PER_PAGE_MAX }, Default("50"), "Rows of one answer."),
    ]),
    row(
        Method::PATCH,
        LOG,
        "aig-config-patch-gateway-log",
        Guarded(Needs::Write, patch),
        One(&Shape::Object(&[])),
        "Tells a record what was thought of it: feedback, score, other metadata. What is absent stays, null takes it back.",
    )
    .body(&log::PATCH).said("log", "patch"),
    get(
        LOG,
        "aig-config-get-gateway-log-detail",
        Guarded(Needs::Metadata, detail),
        One(&log::DETAIL),
        "One log record; with the heads of its bodies if the token may read them.",
    ).said("log", "show"),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id}/request",
        "aig-config-get-gateway-log-request",
        Guarded(Needs::Read, request),
        Stored,
        "The request's body as it came.",
    ).said("log", "request"),
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id}/response",
        "aig-config-get-gateway-log-response",
        Guarded(Needs::Read, response),
        Stored,
        "The response's body as it went out.",
    ).said("log", "response"),
];

/// The columns that a list of records can be ordered by.
pub(crate) const ORDER_WORDS: Shape = Shape::Word(&[
    "created_at",
    "provider",
    "model",
    "model_type",
    "success",
    "cached",
    "cost",
    "tokens_in",
    "tokens_out",
    "duration",
    "feedback",
]);
pub(crate) const DIRECTION_WORDS: Shape = Shape::Word(&["asc", "desc"]);
/// Below zero it bounds nothing.
const BOUND: Shape = Shape::Number { min: f64::MIN, max: f64::MAX };

/// What is asked of one list and of no other, and then everything that filters.
macro_rules! and_filters {
    ($($own:expr),* $(,)?) => {
        &[
            $($own,)*
            Member::of("q", Shape::TEXT, Optional, "A question in one line, such as `status:>=400 model:gpt-5* cost:>0.05 meta.team:search`; see docs/logs.md."),
            Member::of("search", Shape::TEXT, Optional, "A piece of the metadata."),
            Member::of("filters", Shape::TEXT, Optional, "JSON list of `{key, operator, value}`; or in the SDKs' spellings."),
            Member::of("start_date", Shape::Time, Optional, "From this moment on."),
            Member::of("end_date", Shape::Time, Optional, "Up to this moment."),
            Member::of("success", Shape::Flag, Optional, "Only these."),
            Member::of("cached", Shape::Flag, Optional, "Only these."),
            Member::of("feedback", Shape::Word(&["-1", "0", "1"]), Optional, "Only these."),
            Member::of("model", Shape::TEXT, Optional, "Only this one."),
            Member::of("model_type", Shape::TEXT, Optional, "Only this one."),
            Member::of("provider", Shape::TEXT, Optional, "Only this one."),
            Member::of("request_content_type", Shape::TEXT, Optional, "Only this one."),
            Member::of("response_content_type", Shape::TEXT, Optional, "Only this one."),
            Member::of("min_cost", BOUND, Optional, "Dollars, inclusive."),
            Member::of("max_cost", BOUND, Optional, "Dollars, inclusive."),
            Member::of("min_duration", BOUND, Optional, "Milliseconds, inclusive."),
            Member::of("max_duration", BOUND, Optional, "Milliseconds, inclusive."),
            Member::of("min_tokens_in", BOUND, Optional, "Inclusive."),
            Member::of("max_tokens_in", BOUND, Optional, "Inclusive."),
            Member::of("min_tokens_out", BOUND, Optional, "Inclusive."),
            Member::of("max_tokens_out", BOUND, Optional, "Inclusive."),
            Member::of("min_total_tokens", BOUND, Optional, "Inclusive."),
            Member::of("max_total_tokens", BOUND, Optional, "Inclusive."),
        ]
    };
}

static LISTED: &[Member] = and_filters![
    PAGE,
    per_page(PER_PAGE_MAX),
    Member::of("order_by", ORDER_WORDS, Default("\"created_at\""), "A column."),
    Member::of("direction", DIRECTION_WORDS, Optional, "Older name of `order_by_direction`."),
    Member::of("order_by_direction", DIRECTION_WORDS, Optional, "`desc` when no order is asked for, else `asc`."),
    Member::of(
        "meta_info",
        Shape::Flag,
        Default("false"),
        "Adds the least and the most of each number to `result_info`.",
    ),
];

static FACETED: &[Member] = and_filters![
    Member::of("fields", Shape::TEXT, Optional, "Names with commas between them; `meta.NAME` for metadata."),
    Member::of("limit", Shape::Whole { min: 1, max: 1_000 }, Default("20"), "Values of each field."),
];

static STRETCHED: &[Member] = and_filters![Member::of(
    "buckets",
    Shape::Whole { min: 1, max: 1_000 },
    Default("60"),
    "Into how many stretches the time is cut; the last day unless the filter says otherwise."
)];

static EXPORTED: &[Member] = and_filters![Member::of(
    "order_by_direction",
    DIRECTION_WORDS,
    Default("\"desc\""),
    "Which end of time comes first."
),];

static COUNTED: &[Member] = &[
    Member::of("result", Shape::OrNull(&sums::COUNTED), Required, "By field, the most frequent first."),
    Member::of(
        "result_info",
        Shape::Map(&Shape::Any),
        Required,
        "`complete`: false when counting would have taken too long.",
    ),
];

static DELETABLE: &[Member] = and_filters![
    Member::of("limit", Shape::Whole { min: 1, max: REMOVED_MAX }, Default("10000"), "At most so many."),
    Member::of("order_by", ORDER_WORDS, Default("\"created_at\""), "A column."),
    Member::of("direction", DIRECTION_WORDS, Optional, "Older name of `order_by_direction`."),
    Member::of("order_by_direction", DIRECTION_WORDS, Default("\"asc\""), "Which end of the order goes first."),
];

/// How long a reader waits for the journal to be moved: as a rule milliseconds; after a crash perhaps longer.
const CATCH_UP_AT_MOST: Duration = Duration::from_secs(5);

static ORDERS: &[(&str, OrderBy)] = &[
    ("created_at", OrderBy::CreatedAt),
    ("provider", OrderBy::Provider),
    ("model", OrderBy::Model),
    ("model_type", OrderBy::ModelType),
    ("success", OrderBy::Success),
    ("cached", OrderBy::Cached),
    ("cost", OrderBy::Cost),
    ("tokens_in", OrderBy::TokensIn),
    ("tokens_out", OrderBy::TokensOut),
    ("duration", OrderBy::Duration),
    ("feedback", OrderBy::Feedback),
];

fn list(call: &Call) -> Result<Answer, Problem> {
    let gateway = call.gateway()?;
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let order = read_order(&mut reader);
    let ranges = reader.flag("meta_info").unwrap_or(false);
    let filter = read_filter(&mut reader, gateway, call.parts.desk.now_ms());
    reader.finish()?;
    catch_up(call);
    let page = Page { skip: paging.skip(), size: paging.per_page as u32, order, ranges };
    let listed = call.parts.records.list(&filter, &page)?;
    let mut info = info(paging, &listed);
    // Only where the gateway has as many records as it may, and leaves out what comes.
    let left_out = call.parts.records.left_out(&gateway.id)?;
    if left_out > 0 {
        info["not_inserted"] = left_out.into();
    }
    Ok(Answer::Page { info, rows: listed.records.iter().map(log::row).collect() })
}

/// What arrived since the last look, oldest first. For those who watch; whoever wants the past asks for the list.
fn tail(call: &Call) -> Result<Answer, Problem> {
    let gateway = call.gateway()?;
    let mut reader = call.query.reader();
    let after = reader.whole("after", 0, COUNT_MAX);
    let limit = reader.whole("per_page", 1, PER_PAGE_MAX).unwrap_or(PER_PAGE_MAX);
    reader.finish()?;
    catch_up(call);
    let tail = call.parts.records.tail(after.unwrap_or(u64::MAX), limit as usize)?;
    let mine = tail.records.iter().filter(|record| belongs(record, gateway));
    let rows: Vec<Value> = mine.map(log::row).collect();
    let info = json!({ "count": rows.len(), "next": tail.next, "missed": tail.missed });
    Ok(Answer::Page { rows, info })
}

fn detail(call: &Call) -> Result<Answer, Problem> {
    let record = find(call)?;
    let body = |which| call.parts.records.body(record.id, which);
    let bodies = match call.caller.may_read_bodies {
        true => {
            call.looked_at("ai_gateway.log.heads", &record.id.to_string())?;
            Some([body(Which::Request)?, body(Which::Response)?])
        }
        false => None,
    };
    Ok(Answer::Result(log::detail(&record, bodies)))
}

/// Tells a record what was thought of it.
fn patch(call: &Call) -> Result<Answer, Problem> {
    let record = find(call)?;
    let said = call.json();
    let patch = patch::read(&said).map_err(Problem::invalid)?;
    let place = ("ai_gateway.log", &*record.id.to_string());
    call.parts.desk.note_deed(Action::Update, place, Some(&record.gateway), said)?;
    match call.parts.records.patch(record.id, &patch)? {
        true => Ok(Answer::Result(json!({}))),
        // Deleted in between.
        false => Err(Problem::not_found()),
    }
}

/// Deletes the first records that match. They are gone when this returns; it is bounded work, on a thread that may wait.
fn delete(call: &Call) -> Result<Answer, Problem> {
    let gateway = call.gateway()?;
    let mut reader = call.query.reader();
    let limit = reader.whole("limit", 1, REMOVED_MAX).unwrap_or(REMOVED_MAX);
    // The oldest first unless something else is said: that is what one deletes.
    let order = Order {
        descending: read_direction(&mut reader).unwrap_or(false),
        by: reader.word("order_by", ORDERS).unwrap_or(OrderBy::CreatedAt),
    };
    let filter = read_filter(&mut reader, gateway, call.parts.desk.now_ms());
    reader.finish()?;
    catch_up(call);
    // Before it happens; how many it were stands in the answer alone.
    let what = json!({ "limit": limit, "filter": said(call) });
    call.parts.desk.note_deed(Action::Delete, ("ai_gateway.log", ""), Some(&gateway.id), what)?;
    let removed = call.parts.records.remove(&filter, order, limit)?;
    Ok(Answer::Result(json!({ "deleted": removed })))
}

/// Which records were meant, in the caller's words.
fn said(call: &Call) -> Value {
    let words = call.query.reader().pairs().iter().map(|(name, value)| json!([name, crate::audit::cut(value)]));
    words.collect()
}

fn request(call: &Call) -> Result<Answer, Problem> {
    body(call, Which::Request)
}

fn response(call: &Call) -> Result<Answer, Problem> {
    body(call, Which::Response)
}

fn body(call: &Call, which: Which) -> Result<Answer, Problem> {
    let record = find(call)?;
    let body = call.parts.records.body(record.id, which)?.ok_or_else(Problem::not_found)?;
    let looked_at = match which {
        Which::Request => "ai_gateway.log.request",
        Which::Response => "ai_gateway.log.response",
    };
    call.looked_at(looked_at, &record.id.to_string())?;
    Ok(Answer::Body { content_type: body.content_type, bytes: body.bytes })
}

fn find(call: &Call) -> Result<Record, Problem> {
    let gateway = call.gateway()?;
    let id = call.params.get("id").parse::<Id>().map_err(|_| Problem::not_found())?;
    catch_up(call);
    let record = call.parts.records.get(id)?;
    record.filter(|record| belongs(record, gateway)).ok_or_else(Problem::not_found)
}

fn belongs(record: &Record, gateway: &GatewayRules) -> bool {
    record.gateway == gateway.id && record.created_ms >= gateway.settings.created_at
}

/// What was journaled before this call is in the answer; unless the store refuses, and then what is there is better than nothing.
pub(crate) fn catch_up(call: &Call) {
    if !(call.parts.catch_up)(CATCH_UP_AT_MOST) {
        tracing::warn!("the log is read before all of the journal could be moved to it");
    }
}

fn read_filter(reader: &mut Reader<'_>, gateway: &GatewayRules, now_ms: u64) -> Filter {
    let made_ms = gateway.settings.created_at;
    let mut conditions = filters::flat::read(reader);
    conditions.extend(filters::read(reader));
    let mut filter = Filter {
        gateway: Some(gateway.id.to_string()),
        from_ms: Some(reader.time("start_date").unwrap_or_default().max(made_ms)),
        to_ms: reader.time("end_date"),
        search: reader.text("search").map(str::to_owned),
        conditions,
        ..Filter::default()
    };
    if let Some(text) = reader.text("q")
        && let Err(message) = filters::text::read(text, now_ms, &mut filter)
    {
        reader.note(Fault::new(["query", "q"], message));
    }
    filter
}

/// Newest first when nothing was said about order; otherwise `asc` is the default, as the schema has it.
fn read_order(reader: &mut Reader<'_>) -> Order {
    let by = reader.word("order_by", ORDERS);
    let descending = read_direction(reader).unwrap_or(by.is_none());
    Order { by: by.unwrap_or(OrderBy::CreatedAt), descending }
}

fn read_direction(reader: &mut Reader<'_>) -> Option<bool> {
    const DIRECTIONS: &[(&str, bool)] = &[("asc", false), ("desc", true)];
    let deprecated = reader.word("direction", DIRECTIONS);
    reader.word("order_by_direction", DIRECTIONS).or(deprecated)
}

fn info(paging: Paging, listed: &Listed) -> Value {
    let mut info = paging.info(listed.records.len(), listed.total);
    if !listed.total_exact {
        info["total_is_lower_bound"] = true.into();
    }
    if let Some(ranges) = &listed.ranges {
        add_ranges(&mut info, ranges);
    }
    info
}

fn add_ranges(info: &mut Value, ranges: &Ranges) {
    let whole = |range: Option<(u64, u64)>| range.map(|(min, max)| [Value::from(min), Value::from(max)]);
    let dollars = |nanos| Value::from(Money::from_nanos(nanos).as_dollars());
    let all = [
        ("cost", ranges.cost_nanos.map(|(min, max)| [dollars(min), dollars(max)])),
        ("duration", whole(ranges.duration_ms)),
        ("tokens_in", whole(ranges.tokens_in)),
        ("tokens_out", whole(ranges.tokens_out)),
        ("total_tokens", whole(ranges.total_tokens)),
    ];
    for (name, range) in all {
        let Some([min, max]) = range else { continue };
        info[format!("min_{name}")] = min;
        info[format!("max_{name}")] = max;
    }
}
