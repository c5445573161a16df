//! Evaluations and their types over HTTP (control-plane specification, 5.2 and 5.3).
//!
//! Enters: bodies and queries. Leaves: evaluations, at work or done. Never: waits for one.

use http::Method;
use serde_json::{Value, json};
use tollgate_model::{Evaluation, Gateway};
use tollgate_store::entries::PAGE_MAX;

use super::logs;
use crate::answer::Answer;
use crate::audit::Action;
use crate::call::Call;
use crate::evaluation::{Book, KINDS, Kind, Worker, kind_object, members, object, wanted};
use crate::page::{DIRECTION, PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page as Rows};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::Optional;
use crate::shape::{Fault, Member, Shape};

const PER_PAGE_MAX: u64 = 100;
const EVALUATIONS: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/evaluations";
const EVALUATION: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/evaluations/{evaluation}";

pub(crate) static ROWS: &[Row] = &[
    get(
        "/accounts/{account}/ai-gateway/evaluation-types",
        "aig-config-list-evaluators",
        Guarded(Needs::Metadata, types),
        Rows(&members::TYPE),
        "The evaluators there are.",
    )
    .query(&[PAGE, PER_PAGE, Member::of("order_by", Shape::TEXT, Optional, "`name`, `type` or `id`."), DIRECTION]).said("evaluation", "types").columns(&["type", "id", "description"]),
    get(
        EVALUATIONS,
        "aig-config-list-evaluations",
        Guarded(Needs::Metadata, list),
        Rows(&members::EVALUATION),
        "The evaluations of a gateway, the newest first; none for one that is not there.",
    )
    .query(&[
        PAGE,
        PER_PAGE,
        Member::of("name", Shape::TEXT, Optional, "A piece of the name."),
        Member::of("processed", Shape::Flag, Optional, "Only these."),
        Member::of("search", Shape::TEXT, Optional, "A piece of the id or the name."),
    ]).said("evaluation", "list").columns(&["id", "name", "processed", "total_logs"]),
    row(
        Method::POST,
        EVALUATIONS,
        "aig-config-create-evaluations",
        Guarded(Needs::Write, create),
        One(&members::EVALUATION),
        "Evaluates the records that belong to datasets now. The work is done in the background; ask again until `processed`.",
    )
    .body(&members::NEW).said("evaluation", "create"),
    get(
        EVALUATION,
        "aig-config-fetch-evaluations",
        Guarded(Needs::Metadata, fetch),
        One(&members::EVALUATION),
        "An evaluation, and how far it has come.",
    ).said("evaluation", "show"),
    row(
        Method::DELETE,
        EVALUATION,
        "aig-config-delete-evaluations",
        Guarded(Needs::Write, delete),
        One(&members::EVALUATION),
        "Deletes an evaluation; one that is at work ends.",
    ).said("evaluation", "delete"),
];

type Text = fn(&Kind) -> &str;

/// By which types can be ordered.
const ORDERS: [(&str, Text); 3] = [("name", |kind| kind.name), ("type", |kind| kind.kind), ("id", |kind| kind.id)];

fn types(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let order = reader.text("order_by");
    let descending = reader.word("order_by_direction", &[("asc", false), ("desc", true)]).unwrap_or(false);
    reader.finish()?;
    let mut all: Vec<&Kind> = KINDS.iter().collect();
    // Any text is an order in the original; one that we do not know leaves them as they are.
    if let Some((_, text)) = ORDERS.iter().find(|(name, _)| Some(*name) == order) {
        all.sort_by(|a, b| text(a).cmp(text(b)));
    }
    if descending {
        all.reverse();
    }
    let (installed_ms, total) = (call.parts.desk.installed_ms()?, all.len() as u64);
    let rows: Vec<Value> = paging.cut(all).into_iter().map(|kind| kind_object(kind, installed_ms)).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let name = reader.text("name").map(str::to_lowercase);
    let search = reader.text("search").map(str::to_lowercase);
    let processed = reader.flag("processed");
    reader.finish()?;
    let mut all = match call.gateway() {
        Ok(gateway) => book(call).all(&gateway.settings)?,
        // The original says so of evaluations, and of few others.
        Err(_) => Vec::new(),
    };
    let mentions = |text: &str, wanted: &Option<String>| {
        wanted.as_deref().is_none_or(|wanted| text.to_lowercase().contains(wanted))
    };
    all.retain(|each| mentions(&each.name, &name));
    all.retain(|each| mentions(&each.name, &search) || mentions(&each.id, &search));
    all.retain(|each| processed.is_none_or(|processed| each.processed() == processed));
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(|each| object(each, call.account())).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn create(call: &Call) -> Result<Answer, Problem> {
    let (gateway, parts) = (gateway(call)?, &call.parts);
    let wanted = wanted(&parts.desk, gateway, &call.json())?;
    // What was logged before this call is in it.
    logs::catch_up(call);
    let _adding = parts.evaluations.adding();
    let (book, others) = (book(call), book(call).all(gateway)?);
    if others.iter().any(|other| other.name == wanted.name) {
        let message = format!("An evaluation with the name {:?} already exists", wanted.name);
        return Err(Problem::invalid(vec![Fault::new(["body", "name"], message)]));
    }
    if others.len() >= PAGE_MAX {
        let message = format!("A gateway has at most {PAGE_MAX} evaluations");
        return Err(Problem::invalid(vec![Fault::new(["body"], message)]));
    }
    if book.is_full()? {
        return Err(Problem::busy());
    }
    note(call, Action::Create, &wanted)?;
    book.add(&wanted)?;
    Worker::nudge(parts);
    Ok(Answer::Result(object(&wanted, call.account())))
}

fn fetch(call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::Result(object(&find(call)?, call.account())))
}

fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = find(call)?;
    note(call, Action::Delete, &gone)?;
    book(call).delete(gateway(call)?, &gone.id)?;
    Ok(Answer::Result(object(&gone, call.account())))
}

/// Evaluations are no settings, so the desk does not see them change.
fn note(call: &Call, action: Action, evaluation: &Evaluation) -> Result<(), Problem> {
    let what = json!({ "name": evaluation.name, "datasets": evaluation.datasets.len() });
    let place = ("ai_gateway.evaluation", &*evaluation.id);
    Ok(call.parts.desk.note_deed(action, place, Some(call.params.get("gateway")), what)?)
}

fn find(call: &Call) -> Result<Evaluation, Problem> {
    book(call).get(gateway(call)?, call.params.get("evaluation"))?.ok_or_else(Problem::not_found)
}

fn book(call: &Call) -> Book<'_> {
    Book(&*call.parts.entries)
}

fn gateway(call: &Call) -> Result<&Gateway, Problem> {
    Ok(&call.gateway()?.settings)
}
