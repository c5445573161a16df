//! The neighbours that official clients call on their way: who am I, is this token good, which accounts are there.
//!
//! Enters: the caller. Leaves: who it is, and the one account of the installation. Never: anything of anybody else.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::Call;
use crate::page::{PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page};
use crate::row::{Needs, Row, get};
use crate::shape::Presence::{Optional, Required, RequiredOrNull};
use crate::shape::{Member, Shape};
use crate::time;

const PER_PAGE_MAX: u64 = 100;

pub(crate) static ROWS: &[Row] = &[
    get(
        "/user",
        "user-user-details",
        Guarded(Needs::Token, user),
        One(&USER),
        "Who asks: the token, or the person who is signed in.",
    ),
    get(
        "/user/tokens/verify",
        "user-api-tokens-verify-token",
        Guarded(Needs::Token, verify),
        One(&VERIFIED),
        "Whether the token is valid, and until when.",
    ),
    get(
        "/accounts",
        "accounts-list-accounts",
        Guarded(Needs::Token, list),
        Page(&ACCOUNT),
        "The one account of this installation, as a list.",
    )
    .query(&[PAGE, PER_PAGE]),
    get(
        "/memberships",
        "user-s-account-memberships-list-memberships",
        Guarded(Needs::Token, memberships),
        Page(&MEMBERSHIP),
        "The account again, as older clients ask for it.",
    )
    .query(&[PAGE, PER_PAGE]),
    get("/accounts/{account}", "accounts-account-details", Guarded(Needs::Token, one), One(&ACCOUNT), "The account."),
    get(
        "/accounts/{account}/tokens/verify",
        "account-api-tokens-verify-token",
        Guarded(Needs::Token, verify),
        One(&VERIFIED),
        "As /user/tokens/verify.",
    ),
];

static USER: Shape = Shape::Object(&[
    Member::of("id", Shape::TEXT, Required, "Of the token, or of whoever is signed in."),
    Member::of(
        "email",
        Shape::TEXT,
        Required,
        "Made up for tokens; empty for people whose issuer has not verified theirs.",
    ),
    Member::of("first_name", Shape::TEXT, RequiredOrNull, "Name of the token or the person."),
    Member::of("last_name", Shape::TEXT, RequiredOrNull, "Always null."),
    Member::of("username", Shape::TEXT, Required, "What stands before the @ of the email."),
    Member::of("two_factor_authentication_enabled", Shape::Flag, Required, "Always false."),
    Member::of("suspended", Shape::Flag, Required, "Always false."),
]);

static VERIFIED: Shape = Shape::Named(
    "VerifiedToken",
    &Shape::Object(&[
        Member::of("id", Shape::TEXT, Required, "Of the token; not its secret."),
        Member::of("status", Shape::Word(&["active"]), Required, "Others are told by 401."),
        Member::of("expires_on", Shape::Time, Optional, "Absent when it never ends."),
        Member::of("not_before", Shape::Time, Optional, "Absent when it holds since it was made."),
    ]),
);

static MEMBERSHIP: Shape = Shape::Object(&[
    Member::of("id", Shape::TEXT, Required, "The account's."),
    Member::of("account", NAMED_ACCOUNT, Required, "The account."),
    Member::of("status", Shape::Word(&["accepted"]), Required, "Always accepted."),
    Member::of("roles", Shape::List { of: &Shape::TEXT, max: usize::MAX }, Required, "Permissions of the token."),
    Member::of("api_access_enabled", Shape::Flag, Required, "Always true."),
]);

const NAMED_ACCOUNT: Shape = Shape::Named("Account", &ACCOUNT_OBJECT);
static ACCOUNT: Shape = NAMED_ACCOUNT;
static ACCOUNT_OBJECT: Shape = Shape::Object(&[
    Member::of("id", Shape::TEXT, Required, "Part of every path."),
    Member::of("name", Shape::TEXT, Required, "For people."),
    Member::of("type", Shape::Word(&["standard"]), Required, "Always standard."),
    Member::of("settings", Shape::Map(&Shape::Any), Required, "Always empty."),
    Member::of("created_on", Shape::Time, Required, "When the data directory was made."),
]);

pub(crate) fn user(call: &Call) -> Result<Answer, Problem> {
    let token = &call.caller.token;
    let email = match &call.caller.person {
        Some(person) => person.email.as_deref().unwrap_or_default(),
        None => "operator@localhost",
    };
    Ok(Answer::Result(json!({
        "id": token.id,
        "email": email,
        "first_name": token.name,
        "last_name": null,
        "username": email.split('@').next(),
        "two_factor_authentication_enabled": false,
        "suspended": false
    })))
}

pub(crate) fn verify(call: &Call) -> Result<Answer, Problem> {
    let token = &call.caller.token;
    let mut result = json!({ "id": token.id, "status": "active" });
    if let Some(expires_at) = token.expires_at {
        result["expires_on"] = time::text(expires_at).into();
    }
    if let Some(not_before) = token.not_before {
        result["not_before"] = time::text(not_before).into();
    }
    Ok(Answer::Result(result))
}

pub(crate) fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    reader.finish()?;
    let rows = paging.cut(vec![object(call)?]);
    Ok(Answer::Page { info: paging.info(rows.len(), 1), rows })
}

pub(crate) fn one(call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::Result(object(call)?))
}

fn memberships(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    reader.finish()?;
    let roles: Vec<&str> = call.caller.token.permissions.iter().map(|permission| permission.name()).collect();
    let row = json!({
        "id": call.account(), "account": object(call)?, "status": "accepted", "roles": roles, "api_access_enabled": true
    });
    let rows = paging.cut(vec![row]);
    Ok(Answer::Page { info: paging.info(rows.len(), 1), rows })
}

fn object(call: &Call) -> Result<Value, Problem> {
    Ok(json!({
        "id": call.account(),
        "name": "Tollgate",
        "type": "standard",
        "settings": {},
        "created_on": time::text(call.parts.desk.installed_ms()?)
    }))
}
