//! The audit log over HTTP, in both of the original's forms (control-plane specification, section 20).
//!
//! Enters: a span of time and filters. Leaves: deeds, the newest first. Never: shows a secret: none was written down.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tollgate_store::entries::{Entry, PAGE_MAX, Place, Span};

use crate::answer::Answer;
use crate::audit::{Action, Deed, Interface, KIND, Kind};
use crate::call::Call;
use crate::page::{PAGE, Paging, per_page};
use crate::problem::Problem;
use crate::query::Reader;
use crate::row::Access::Guarded;
use crate::row::Answers::{self, Page};
use crate::row::{Needs, Row, get};
use crate::shape::Presence::{Default, Optional, Required};
use crate::shape::{Fault, Member, Shape};
use crate::time;

use self::filter::{FILTERS, Filter};

mod filter;

const PER_PAGE_MAX: u64 = 1_000;
const LIMIT_DEFAULT: u64 = 100;
/// One call looks at no more entries than this; with a cursor the next goes on behind them.
const SCAN_MAX: usize = 100_000;

pub(crate) static ROWS: &[Row] = &[
    get(
        "/accounts/{account}/audit_logs",
        "audit-logs-get-account-audit-logs",
        Guarded(Needs::AccountRead, pages),
        Page(&Shape::Any),
        "Who changed what, and who looked at prompts and answers; the newest first.",
    )
    .query(&[
        PAGE,
        per_page(PER_PAGE_MAX),
        Member::of("since", Shape::Time, Optional, "From then on."),
        Member::of("before", Shape::Time, Optional, "Before then."),
        DIRECTION,
        Member::of("id", Shape::TEXT, Optional, "Exactly this entry."),
        Member::of("actor.email", Shape::TEXT, Optional, "Of the person."),
        Member::of("actor.ip", Shape::TEXT, Optional, "An address, or a range."),
        Member::of("action.type", Shape::TEXT, Optional, "create, update, delete, view, login, logout."),
        Member::of("zone.name", Shape::TEXT, Optional, "There are no zones: nothing is found."),
        Member::of("hide_user_logs", Shape::Flag, Optional, "Without effect."),
        Member::of("export", Shape::Flag, Optional, "Without effect: answers are JSON."),
    ])
    .said("audit", "list")
    .columns(&["when", "action.type", "resource.type", "action.info", "actor.email", "interface"]),
    get(
        "/accounts/{account}/logs/audit",
        "audit-logs-v2-get-account-audit-logs",
        Guarded(Needs::AccountRead, cursors),
        Answers::Whole(&[
            Member::of("result", Shape::List { of: &Shape::Any, max: PER_PAGE_MAX as usize }, Required, "Entries."),
            Member::of("result_info", Shape::Map(&Shape::Any), Required, "count, and the cursor of what follows."),
        ]),
        "The same in the newer form, with more filters.",
    )
    .query(FILTERS),
];

const DIRECTION: Member =
    Member::of("direction", Shape::Word(&["asc", "desc"]), Default("\"desc\""), "Which end of time comes first.");

fn pages(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let span = span(&mut reader);
    let filter = Filter::older(&mut reader);
    reader.flag("hide_user_logs");
    reader.flag("export");
    reader.finish()?;
    let (rows, total) = match filter.is_empty() {
        true => {
            let page = Span { skip: paging.skip(), limit: paging.per_page as usize, ..span };
            let rows = call.parts.entries.list(KIND, "", page)?;
            (rows, call.parts.entries.count(KIND, "", span.from_ms, span.to_ms)?)
        }
        false => {
            let found = scan(call, span, &filter, usize::MAX)?.0;
            let total = found.len() as u64;
            (paging.cut(found), total)
        }
    };
    let rows: Vec<Value> = rows.iter().filter_map(|entry| Some(older(entry, &deed(entry)?, call))).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn cursors(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let mut span = span(&mut reader);
    let limit = reader.whole("limit", 1, PER_PAGE_MAX).unwrap_or(LIMIT_DEFAULT);
    if let Some(text) = reader.text("cursor") {
        span.behind = read_cursor(text);
        if span.behind.is_none() {
            reader.note(Fault::new(["query", "cursor"], "Invalid"));
        }
    }
    let filter = Filter::newer(&mut reader);
    for name in ["since", "before"] {
        if reader.text(name).is_none() {
            reader.note(Fault::new(["query", name], "Required"));
        }
    }
    reader.finish()?;
    let (found, last) = scan(call, span, &filter, limit as usize)?;
    let rows: Vec<Value> = found.iter().filter_map(|entry| Some(newer(entry, &deed(entry)?, call))).collect();
    // SDKs go on until it is empty; the generated ones look for it in a second place.
    let cursor = last.map(write_cursor).unwrap_or_default();
    let info = json!({ "count": rows.len(), "cursor": cursor, "cursors": { "after": cursor } });
    let mut whole = serde_json::Map::new();
    whole.insert("result".to_owned(), rows.into());
    whole.insert("result_info".to_owned(), info);
    Ok(Answer::Whole(whole))
}

fn span(reader: &mut Reader<'_>) -> Span {
    let (from, to) = (reader.time("since"), reader.time("before"));
    let oldest_first = reader.word("direction", &[("asc", true), ("desc", false)]).unwrap_or(false);
    Span { from_ms: from.unwrap_or_default(), to_ms: to.unwrap_or(u64::MAX), oldest_first, ..Span::newest(PAGE_MAX) }
}

/// Matching entries, and where to go on when there may be more.
fn scan(call: &Call, mut span: Span, filter: &Filter, limit: usize) -> Result<(Vec<Entry>, Option<Place>), Problem> {
    let mut found = Vec::new();
    let mut seen = 0;
    loop {
        let page = call.parts.entries.list(KIND, "", span)?;
        let is_last = page.len() < PAGE_MAX;
        seen += page.len();
        for entry in page {
            span.behind = Some(entry.place());
            if deed(&entry).is_some_and(|deed| filter.matches(&entry.id, &deed)) {
                found.push(entry);
            }
            if found.len() >= limit {
                return Ok((found, span.behind));
            }
        }
        if is_last {
            return Ok((found, None));
        }
        if seen >= SCAN_MAX {
            return Ok((found, span.behind));
        }
    }
}

fn deed(entry: &Entry) -> Option<Deed> {
    serde_json::from_str(&entry.body).ok()
}

fn write_cursor(place: Place) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{}", place.at_ms, place.seq))
}

fn read_cursor(text: &str) -> Option<Place> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (at_ms, seq) = text.split_once('.')?;
    Some(Place { at_ms: at_ms.parse().ok()?, seq: seq.parse().ok()? })
}

fn older(entry: &Entry, deed: &Deed, call: &Call) -> Value {
    let actor = &deed.actor;
    let text = |value: &Value| if value.is_null() { String::new() } else { value.to_string() };
    let kind = if matches!(actor.kind, Kind::System) { "system" } else { "user" };
    json!({
        "id": entry.id,
        "action": { "type": word(&deed.action), "result": deed.refused.is_none(), "info": deed.refused.as_ref().unwrap_or(&deed.name) },
        "actor": { "id": actor.id, "email": actor.email.as_deref().unwrap_or(&actor.name), "ip": actor.ip, "type": kind },
        "interface": if actor.interface == Interface::Dashboard { json!("UI") } else { json!(actor.interface) },
        "metadata": { "gateway": deed.gateway, "user_agent": actor.user_agent, "method": actor.method, "path": actor.path },
        "oldValue": text(&deed.before),
        "oldValueJson": deed.before,
        "newValue": text(&deed.after),
        "newValueJson": deed.after,
        "owner": { "id": call.account() },
        "resource": { "type": deed.resource, "id": deed.resource_id },
        "when": time::text(entry.at_ms)
    })
}

fn newer(entry: &Entry, deed: &Deed, call: &Call) -> Value {
    let actor = &deed.actor;
    let token = (actor.kind == Kind::Token).then_some((&actor.id, &actor.name));
    json!({
        "id": entry.id,
        "account": { "id": call.account(), "name": "Tollgate" },
        "action": {
            "type": word(&deed.action), "result": filter::result(deed), "time": time::text(entry.at_ms),
            "description": match &deed.refused {
                Some(why) => format!("{} {} refused: {why}", word(&deed.action), deed.resource),
                None => format!("{} {}", word(&deed.action), deed.resource),
            }
        },
        "actor": {
            "id": actor.id, "email": actor.email, "type": filter::actor_type(actor), "context": filter::context(actor),
            "ip_address": actor.ip, "token_id": token.map(|(id, _)| id), "token_name": token.map(|(_, name)| name)
        },
        "raw": { "method": actor.method, "uri": actor.path, "user_agent": actor.user_agent, "cf_ray_id": "", "status_code": filter::status(deed) },
        "resource": {
            "id": deed.resource_id, "product": filter::product(deed), "type": deed.resource,
            "scope": { "gateway": deed.gateway }, "request": deed.after, "response": { "before": deed.before }
        },
        "zone": {}
    })
}

pub(super) fn word(action: &Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
        Action::View => "view",
        Action::Login => "login",
        Action::Logout => "logout",
        Action::Apply => "apply",
        Action::Rollback => "rollback",
        Action::Reload => "reload",
    }
}
