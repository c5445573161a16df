//! Alerts over HTTP.
//!
//! Enters: bodies and queries. Leaves: alerts, and what became of their messages. Never: sends anything but a test that was asked for.

use http::Method;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::alert::members::{ALERT, DELIVERY, MADE, NEW, delivery_object, object};
use crate::alert::{Book, Finding};
use crate::answer::Answer;
use crate::call::Call;
use crate::desk::SavedAlert;
use crate::page::{PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page as Rows};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::Optional;
use crate::shape::{Member, Shape};

const PER_PAGE_MAX: u64 = 100;
const ALL: &str = "/accounts/{account}/ai-gateway/alerts";
const ALONE: &str = "/accounts/{account}/ai-gateway/alerts/{alert}";

pub(crate) static ROWS: &[Row] = &[
    get(ALL, "tollgate-list-alerts", Guarded(Needs::Metadata, list), Rows(&ALERT), "The alerts, the newest first.").query(&[
        PAGE,
        PER_PAGE,
        Member::of("gateway_id", Shape::TEXT, Optional, "Only those of this gateway."),
        Member::of("search", Shape::TEXT, Optional, "A piece of the name or the kind."),
    ]).said("alert", "list").columns(&["id", "name", "kind", "gateway_id", "enable", "created_at"]),
    row(
        Method::POST,
        ALL,
        "tollgate-create-alert",
        Guarded(Needs::Write, create),
        One(&MADE),
        "A new alert. Without a `webhook.secret` one is made up and told in this answer alone.",
    )
    .body(&NEW).said("alert", "create"),
    get(ALONE, "tollgate-get-alert", Guarded(Needs::Metadata, fetch), One(&ALERT), "An alert.").said("alert", "show"),
    row(
        Method::PUT,
        ALONE,
        "tollgate-update-alert",
        Guarded(Needs::Write, update),
        One(&ALERT),
        "Changes an alert; what waits to be sent goes to the new address. Without a `webhook.secret` the one before stays.",
    )
    .body(&NEW).said("alert", "update"),
    row(
        Method::DELETE,
        ALONE,
        "tollgate-delete-alert",
        Guarded(Needs::Write, delete),
        One(&ALERT),
        "Deletes an alert with its secret, its deliveries and what waits to be sent.",
    ).said("alert", "delete"),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/alerts/{alert}/test",
        "tollgate-test-alert",
        Guarded(Needs::Write, test),
        One(&DELIVERY),
        "Sends `alert.test` to the webhook now, once, signed as all messages are, and says what became of it.",
    )
    .unaudited("it changes nothing, and what was sent is among the alert's deliveries")
    .said("alert", "test"),
    get(
        "/accounts/{account}/ai-gateway/alerts/{alert}/deliveries",
        "tollgate-list-alert-deliveries",
        Guarded(Needs::Metadata, deliveries),
        Rows(&DELIVERY),
        "The messages of an alert, the newest first, and what became of each.",
    )
    .query(&[PAGE, PER_PAGE]).said("alert", "deliveries"),
];

fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let gateway = reader.text("gateway_id");
    let search = reader.text("search").map(str::to_lowercase);
    reader.finish()?;
    let mut all = call.parts.desk.alerts()?;
    all.retain(|alert| gateway.is_none_or(|gateway| alert.gateway_id.as_deref() == Some(gateway)));
    let mentions = |text: &str, piece: &str| text.to_lowercase().contains(piece);
    all.retain(|alert| {
        search.as_deref().is_none_or(|piece| mentions(&alert.name, piece) || mentions(alert.watch.kind(), piece))
    });
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(|alert| object(alert, call.account())).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn create(call: &Call) -> Result<Answer, Problem> {
    let SavedAlert { alert, secret } = call.parts.desk.create_alert(&call.json())?;
    let mut shown = object(&alert, call.account());
    if let Some(secret) = secret {
        shown["webhook_secret"] = secret.expose().into();
    }
    Ok(Answer::Result(shown))
}

fn fetch(call: &Call) -> Result<Answer, Problem> {
    let alert = call.parts.desk.alert(call.params.get("alert"))?;
    Ok(Answer::Result(object(&alert, call.account())))
}

fn update(call: &Call) -> Result<Answer, Problem> {
    let saved = call.parts.desk.update_alert(call.params.get("alert"), &call.json())?;
    Ok(Answer::Result(object(&saved.alert, call.account())))
}

fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_alert(call.params.get("alert"))?;
    Book(&*call.parts.entries).forget(&gone.id)?;
    Ok(Answer::Result(object(&gone, call.account())))
}

fn test(call: &Call) -> Result<Answer, Problem> {
    let desk = &call.parts.desk;
    let alert = desk.alert(call.params.get("alert"))?;
    let text = format!("this is a test of the alert {:?}; nothing has happened", alert.name);
    let data = json!({ "kind": alert.watch.kind() });
    let finding = Finding::new(&alert, "alert.test", "test", &desk.new_uuid()?, desk.now_ms()).saying(text, data);
    let delivery = Handle::current().block_on(call.parts.courier.try_now(&alert, &finding))?;
    Ok(Answer::Result(delivery_object(&delivery)))
}

fn deliveries(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    reader.finish()?;
    let alert = call.parts.desk.alert(call.params.get("alert"))?;
    let book = Book(&*call.parts.entries);
    let total = book.count(&alert.id)?;
    let page = book.all(&alert.id, paging.skip(), paging.per_page as usize)?;
    let rows: Vec<Value> = page.iter().map(delivery_object).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}
