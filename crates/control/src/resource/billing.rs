//! Billing over HTTP (control-plane specification, section 12), from the local credit ledger.
//!
//! Enters: what the original's dashboard asks. Leaves: balance, use and invoices of the ledger, in cents. Never: a purchase: those are refused, for
//! there is nobody to pay. Whoever runs the gateway books what was paid elsewhere.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use tollgate_store::entries::{PAGE_MAX, Span};

use self::members::{
    BALANCE, CONFIG_ASKED, CONFIGURED, CREDIT, CREDIT_ASKED, INVOICES, INVOICES_ASKED, LIMIT_ASKED, LIMITED, NOTHING,
    PREVIEW, STATUS, STATUS_ASKED, TOPUP_ASKED, USAGE, USAGE_ASKED,
};
use crate::answer::Answer;
use crate::audit::Action;
use crate::call::Call;
use crate::credits::{Credits, Line, drawn_cents};
use crate::page::{PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page};
use crate::row::{Needs, Row, get, row};
use crate::shape::{COUNT_MAX, Fault};
use crate::time;

mod members;

const PER_PAGE_MAX: u64 = 100;
const TOPUP: &str = "/accounts/{account}/ai-gateway/billing/topup";
const CONFIG: &str = "/accounts/{account}/ai-gateway/billing/topup/config";
const LIMIT: &str = "/accounts/{account}/ai-gateway/billing/spending-limit";
const CREDITS: &str = "/accounts/{account}/ai-gateway/billing/credits";
/// Pages of the ledger that one answer adds up.
const PAGES_MAX: usize = 100;
const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;

pub(crate) static ROWS: &[Row] = &[
    get(
        "/accounts/{account}/ai-gateway/billing/credit-balance",
        "aig-billing-get-credit-balance",
        Guarded(Needs::Metadata, balance),
        One(&BALANCE),
        "What is left of the credits that were booked, in cents.",
    )
    .said("credits", "balance"),
    get(
        "/accounts/{account}/ai-gateway/billing/usage-history",
        "aig-billing-get-usage-history",
        Guarded(Needs::Metadata, usage),
        One(&USAGE),
        "What was drawn from the credits, by hour or day.",
    )
    .query(USAGE_ASKED)
    .said("credits", "usage"),
    get(
        "/accounts/{account}/ai-gateway/billing/invoice-history",
        "aig-billing-get-invoice-history",
        Guarded(Needs::Metadata, invoices),
        One(&INVOICES),
        "Credits that were booked, as paid invoices, the newest first.",
    )
    .query(INVOICES_ASKED)
    .said("credits", "invoices"),
    get(
        "/accounts/{account}/ai-gateway/billing/invoice-preview",
        "aig-billing-get-invoice-preview",
        Guarded(Needs::Metadata, preview),
        One(&PREVIEW),
        "What this month drew from the credits so far.",
    ),
    row(
        Method::POST,
        TOPUP,
        "aig-billing-create-topup",
        Guarded(Needs::Write, purchase),
        One(&NOTHING),
        "Always refused with 403: there are no payments. Book credits instead.",
    )
    .unaudited("it is always refused")
    .body(&TOPUP_ASKED),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/billing/topup/status",
        "aig-billing-get-topup-status",
        Guarded(Needs::Write, status),
        One(&STATUS),
        "Whether a credit line is there, by its id.",
    )
    .unaudited("it only reads")
    .body(&STATUS_ASKED),
    get(
        CONFIG,
        "aig-billing-get-topup-config",
        Guarded(Needs::Metadata, config),
        One(&CONFIGURED),
        "Automatic purchases: always none.",
    ),
    row(
        Method::POST,
        CONFIG,
        "aig-billing-create-topup-config",
        Guarded(Needs::Write, configure),
        One(&NOTHING),
        "Always refused with 403: there are no payments.",
    )
    .unaudited("it is always refused")
    .body(&CONFIG_ASKED),
    row(
        Method::DELETE,
        CONFIG,
        "aig-billing-delete-topup-config",
        Guarded(Needs::Write, |_| Err(no_payments())),
        One(&NOTHING),
        "Always refused with 403, as for tokens in the original.",
    )
    .unaudited("it is always refused"),
    get(
        LIMIT,
        "aig-billing-get-spending-limit",
        Guarded(Needs::Metadata, |_| Ok(limit())),
        One(&LIMITED),
        "The older kind of limit: always off. See `spend_limits` of a gateway.",
    ),
    row(
        Method::POST,
        LIMIT,
        "aig-billing-create-spending-limit",
        Guarded(Needs::Write, deprecated),
        One(&NOTHING),
        "Always refused with 403, as in the original.",
    )
    .unaudited("it is always refused")
    .body(&LIMIT_ASKED),
    row(
        Method::DELETE,
        LIMIT,
        "aig-billing-delete-spending-limit",
        Guarded(Needs::Write, |_| Ok(Answer::Result(json!({})))),
        One(&NOTHING),
        "There is none to delete.",
    )
    .unaudited("there is nothing that it could delete"),
    get(
        CREDITS,
        "tollgate-list-credits",
        Guarded(Needs::Metadata, list),
        Page(&CREDIT),
        "The lines of the ledger, the newest first. Not in the original.",
    )
    .query(&[PAGE, PER_PAGE])
    .said("credits", "list")
    .columns(&["id", "amount", "balance", "description", "created_by", "created_at"]),
    row(
        Method::POST,
        CREDITS,
        "tollgate-book-credits",
        Guarded(Needs::Admin, book),
        One(&CREDIT),
        "Books credits that were paid for elsewhere; below zero takes them back. Not in the original.",
    )
    .body(&CREDIT_ASKED)
    .said("credits", "book"),
];

fn balance(call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::Result(json!({
        "balance": credits(call).balance()?.saturating_sub(drawn_cents(&draws(call), 0, u64::MAX)),
        "has_default_payment_method": false,
        "payment_method": null,
        "topup_config": { "amount": null, "threshold": null }
    })))
}

fn usage(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let step = reader.word("value_grouping_window", &[("day", DAY_MS), ("hour", HOUR_MS)]);
    let from_ms = reader.whole("start_time", 0, COUNT_MAX);
    let to_ms = reader.whole("end_time", 0, COUNT_MAX);
    reader.required("value_grouping_window");
    reader.finish()?;
    let step = step.unwrap_or(DAY_MS);
    let mut sums: BTreeMap<u64, i64> = BTreeMap::new();
    for line in all(call, from_ms.unwrap_or(0), to_ms.unwrap_or(u64::MAX))?.iter().filter(|line| line.booked.cents < 0)
    {
        *sums.entry(line.at_ms / step * step).or_default() -= line.booked.cents;
    }
    let (draws, hours) = (draws(call), from_ms.unwrap_or(0)..=to_ms.unwrap_or(u64::MAX));
    for start in draws.iter().filter(|(hour, _)| hours.contains(hour)).map(|(hour, _)| hour / step * step) {
        sums.entry(start).or_default();
    }
    for (start, sum) in &mut sums {
        let from_ms = (*start).max(*hours.start());
        *sum += drawn_cents(&draws, from_ms, (start + step).min(hours.end().saturating_add(1)));
    }
    sums.retain(|_, cents| *cents != 0);
    let shown = |(start, cents): (u64, i64)| json!({ "id": format!("usage-{start}"), "aggregated_value": cents, "start_time": start, "end_time": start + step });
    Ok(Answer::Result(json!({ "history": sums.into_iter().map(shown).collect::<Vec<_>>() })))
}

fn invoices(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let automatic = reader.word("type", &[("auto", true), ("all", false), ("manual", false)]).unwrap_or(false);
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    reader.finish()?;
    // Nothing is bought automatically.
    let mut booked = if automatic { Vec::new() } else { all(call, 0, u64::MAX)? };
    booked.retain(|line| line.booked.cents > 0);
    let total = booked.len() as u64;
    let shown: Vec<Value> = paging.cut(booked).iter().map(invoice).collect();
    let has_more = paging.skip() + (shown.len() as u64) < total;
    let pagination =
        json!({ "has_more": has_more, "page": paging.page, "per_page": paging.per_page, "total_count": total });
    Ok(Answer::Result(json!({ "invoices": shown, "pagination": pagination })))
}

fn invoice(line: &Line) -> Value {
    json!({
        "id": line.id,
        "amount_due": line.booked.cents,
        "amount_paid": line.booked.cents,
        "amount_remaining": 0,
        "currency": "usd",
        "attempt_count": 0,
        "attempted": true,
        "auto_advance": false,
        "created": line.at_ms / 1_000,
        "created_by": line.booked.by,
        "description": line.booked.description,
        "invoice_origin": "manual",
        "invoice_pdf": null,
        "status": "paid"
    })
}

fn preview(call: &Call) -> Result<Answer, Problem> {
    let now_ms = call.parts.desk.now_ms();
    let [from_ms, to_ms] = time::month(now_ms);
    let used = |line: &Line| line.booked.cents.min(0).unsigned_abs();
    let drawn = drawn_cents(&draws(call), from_ms, to_ms).unsigned_abs();
    let cents: u64 = all(call, from_ms, to_ms)?.iter().map(used).sum::<u64>() + drawn;
    let period = json!({ "start": from_ms / 1_000, "end": to_ms / 1_000 });
    let line = json!({
        "amount": cents, "currency": "usd", "description": "Drawn from credits", "period": period,
        "pricing": { "unit_amount_decimal": null }, "quantity": 1
    });
    Ok(Answer::Result(json!({
        "id": format!("preview-{}", from_ms / 1_000),
        "amount_due": 0,
        "amount_paid": cents,
        "amount_remaining": 0,
        "currency": "usd",
        "status": "draft",
        "period_start": from_ms / 1_000,
        "period_end": to_ms / 1_000,
        "invoice_lines": if cents == 0 { vec![] } else { vec![line] }
    })))
}

fn purchase(call: &Call) -> Result<Answer, Problem> {
    call.read(&TOPUP_ASKED)?;
    Err(no_payments())
}

fn configure(call: &Call) -> Result<Answer, Problem> {
    call.read(&CONFIG_ASKED)?;
    Err(no_payments())
}

fn deprecated(call: &Call) -> Result<Answer, Problem> {
    call.read(&LIMIT_ASKED)?;
    Err(Problem::refused("Account spending limits are deprecated: use spend_limits of a gateway"))
}

fn no_payments() -> Problem {
    Problem::refused("NO_MANUAL_TOPUP: this installation takes no payments; book credits with POST billing/credits")
}

fn status(call: &Call) -> Result<Answer, Problem> {
    let asked = call.read(&STATUS_ASKED)?;
    let id = asked["payment_intent_id"].as_str().unwrap_or_default();
    let line = credits(call).find(id)?.ok_or_else(Problem::not_found)?;
    Ok(Answer::Result(json!({ "payment_intent_id": line.id, "status": "completed" })))
}

fn config(_: &Call) -> Result<Answer, Problem> {
    Ok(Answer::Result(json!({ "amount": null, "threshold": null })))
}

fn limit() -> Answer {
    Answer::Result(json!({ "config": { "amount": null, "duration": null, "strategy": null }, "enabled": false }))
}

fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    reader.finish()?;
    let credits = credits(call);
    let span = Span { skip: paging.skip(), ..Span::newest(paging.per_page as usize) };
    let rows: Vec<Value> = credits.lines(span)?.iter().map(credit).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), credits.count()?), rows })
}

fn book(call: &Call) -> Result<Answer, Problem> {
    let asked = call.read(&CREDIT_ASKED)?;
    let amount = asked["amount"].as_f64().unwrap_or_default();
    if amount.fract() != 0.0 {
        return Err(Problem::invalid(vec![Fault::new(["body", "amount"], "Expected integer, received float")]));
    }
    let description = asked["description"].as_str().unwrap_or_default();
    let what = json!({ "amount": amount, "description": description });
    call.parts.desk.note_deed(Action::Create, ("ai_gateway.credit", ""), None, what)?;
    let line = credits(call).book(amount as i64, description, &call.caller.token.name, call.parts.desk.now_ms())?;
    let mut told = None;
    // Who booked at the same time may have told an older balance after a newer one was told.
    while let Some(draws) = &call.parts.draws {
        let balance = credits(call).balance()?;
        if told.replace(balance) == Some(balance) {
            break;
        }
        draws.paid(balance);
    }
    Ok(Answer::Result(credit(&line)))
}

/// What requests drew; nothing where credits are off.
fn draws(call: &Call) -> Vec<(u64, u64)> {
    call.parts.draws.as_ref().map_or_else(Vec::new, |draws| draws.by_hour())
}

fn credit(line: &Line) -> Value {
    json!({
        "id": line.id,
        "amount": line.booked.cents,
        "balance": line.booked.balance,
        "description": line.booked.description,
        "created_by": line.booked.by,
        "created_at": time::text(line.at_ms)
    })
}

fn credits(call: &Call) -> Credits<'_> {
    Credits { entries: &*call.parts.entries, account: call.account() }
}

/// The newest first; of a ledger beyond all bounds the newest part.
fn all(call: &Call, from_ms: u64, to_ms: u64) -> Result<Vec<Line>, Problem> {
    let mut lines = Vec::new();
    for page in 0..PAGES_MAX {
        let skip = (page * PAGE_MAX) as u64;
        let more = credits(call).lines(Span { from_ms, to_ms, skip, ..Span::newest(PAGE_MAX) })?;
        let last = more.len() < PAGE_MAX;
        lines.extend(more);
        if last {
            break;
        }
    }
    Ok(lines)
}
