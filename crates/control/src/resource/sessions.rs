//! Sessions of people over HTTP: who is signed in, and the end of it.
//!
//! Enters: an administrator. Leaves: sessions without their secrets. Never: opens one: that is the issuer's word alone.

use http::Method;
use serde_json::{Value, json};
use tollgate_model::token::Role;

use crate::answer::Answer;
use crate::audit::Action;
use crate::call::Call;
use crate::page::{PAGE, PER_PAGE, Paging};
use crate::people::Session;
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::Required;
use crate::shape::{Member, Shape};
use crate::time;

const PER_PAGE_MAX: u64 = 100;

static OBJECT: Shape = Shape::Named(
    "Session",
    &Shape::Object(&[
        Member::of("id", Shape::TEXT, Required, "Of the session; not its secret."),
        Member::of("subject", Shape::TEXT, Required, "Who it is, as the issuer calls them."),
        Member::of("name", Shape::TEXT, Required, "For people."),
        Member::of("email", Shape::OrNull(&Shape::TEXT), Required, "If the issuer has verified it."),
        Member::of(
            "role",
            Shape::OrNull(&Shape::TEXT),
            Required,
            "By the settings of now; null: the session lets nobody in.",
        ),
        Member::of("opened_on", Shape::Time, Required, "When they signed in."),
        Member::of("seen_on", Shape::Time, Required, "When they were there last, to the minute."),
        Member::of("ends_on", Shape::Time, Required, "When they have to sign in again at the latest."),
    ]),
);
static ENDED: Shape = Shape::Object(&[Member::of("id", Shape::TEXT, Required, "The one that has ended.")]);

pub(crate) static ROWS: &[Row] = &[
    get(
        "/accounts/{account}/sessions",
        "tollgate-list-sessions",
        Guarded(Needs::Admin, list),
        Page(&OBJECT),
        "Who is signed in by OpenID Connect, the newest first.",
    )
    .query(&[PAGE, PER_PAGE]),
    row(
        Method::DELETE,
        "/accounts/{account}/sessions/{session}",
        "tollgate-end-session",
        Guarded(Needs::Admin, end),
        One(&ENDED),
        "Signs somebody out here. Their issuer may let them in again: take the role away there.",
    ),
];

fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    reader.finish()?;
    let all = call.parts.people.as_ref().map(|people| people.all_sessions()).transpose()?.unwrap_or_default();
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(|(session, role)| object(session, *role)).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn object(session: &Session, role: Option<Role>) -> Value {
    let Session { id, person, opened_ms, seen_ms, ends_ms, .. } = session;
    json!({
        "id": id, "subject": person.subject, "name": person.name, "email": person.email, "role": role.map(Role::name),
        "opened_on": time::text(*opened_ms), "seen_on": time::text(*seen_ms), "ends_on": time::text(*ends_ms)
    })
}

fn end(call: &Call) -> Result<Answer, Problem> {
    let id = call.params.get("session");
    let people = call.parts.people.as_ref().ok_or_else(Problem::not_found)?;
    let found = people.all_sessions()?.into_iter().find(|(session, _)| session.id == id);
    let (session, _) = found.ok_or_else(Problem::not_found)?;
    let who = json!({ "subject": session.person.subject, "name": session.person.name });
    call.parts.desk.note_deed(Action::Delete, ("session", id), None, who)?;
    people.end_session(id)?;
    Ok(Answer::Result(json!({ "id": id })))
}
