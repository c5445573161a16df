//! Tokens over HTTP, as the official SDKs manage them.
//!
//! Enters: bodies and ids. Leaves: token objects; a secret where one was made. Never: decides who may see which token: the desk does.

use http::Method;
use serde_json::{Value, json};
use tollgate_model::token::Token;

use crate::answer::Answer;
use crate::call::Call;
use crate::desk::{By, GRACE_MS_MAX, Made, Wanted};
use crate::page::{PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::{Default, Optional, Required};
use crate::shape::{Member, Shape};
use crate::token::{self, groups};

const PER_PAGE_MAX: u64 = 100;

/// The same below the user and below the account: an installation has one account, and tokens belong to it.
macro_rules! rows {
    ($under:literal, $user:literal) => {
        [
            get(
                concat!($under, "/tokens"),
                concat!($user, "-api-tokens-list-tokens"),
                Guarded(Needs::Token, list),
                Page(&token::OBJECT),
                "The tokens that the caller's own may manage: itself and those made with it, or all.",
            )
            .query(LISTED)
            .narrowed()
            .said("token", "list")
            .columns(&["id", "name", "permissions", "hint", "issued_on", "expires_on", "status"]),
            row(
                Method::POST,
                concat!($under, "/tokens"),
                concat!($user, "-api-tokens-create-token"),
                Guarded(Needs::Write, create),
                One(&token::MADE),
                "A new token, with no more rights than the caller's own.",
            )
            .body(&token::CHANGE)
            .narrowed()
            .said("token", "create"),
            get(
                concat!($under, "/tokens/permission_groups"),
                concat!($user, "-api-tokens-list-permission-groups"),
                Guarded(Needs::Token, permission_groups),
                Page(&GROUP),
                "What a token can be allowed, by the names that policies use.",
            )
            .query(GROUPS)
            .narrowed()
            .said("token", "groups")
            .columns(&["permission", "name", "id"]),
            get(
                concat!($under, "/tokens/{token}"),
                concat!($user, "-api-tokens-token-details"),
                Guarded(Needs::Token, one),
                One(&token::OBJECT),
                "A token without its secret.",
            )
            .narrowed()
            .said("token", "show"),
            row(
                Method::PUT,
                concat!($under, "/tokens/{token}"),
                concat!($user, "-api-tokens-update-token"),
                Guarded(Needs::Write, update),
                One(&token::OBJECT),
                "Changes a token: absent members stay, null takes a limit away.",
            )
            .body(&token::CHANGE)
            .narrowed()
            .said("token", "update"),
            row(
                Method::DELETE,
                concat!($under, "/tokens/{token}"),
                concat!($user, "-api-tokens-delete-token"),
                Guarded(Needs::Write, delete),
                One(&DELETED),
                "Revokes a token, and those that were made with it.",
            )
            .narrowed()
            .said("token", "delete"),
            row(
                Method::PUT,
                concat!($under, "/tokens/{token}/value"),
                concat!($user, "-api-tokens-roll-token"),
                Guarded(Needs::Write, roll),
                One(&Shape::TEXT),
                "A new secret, shown only this once. The one before stays good for grace_seconds.",
            )
            .body(&ROLL)
            .narrowed()
            .said("token", "roll"),
        ]
    };
}

static OF_USER: [Row; 7] = rows!("/user", "user");
static OF_ACCOUNT: [Row; 7] = rows!("/accounts/{account}", "account");
pub(crate) static USER_ROWS: &[Row] = &OF_USER;
pub(crate) static ACCOUNT_ROWS: &[Row] = &OF_ACCOUNT;

static LISTED: &[Member] = &[
    PAGE,
    PER_PAGE,
    Member::of("direction", Shape::Word(&["asc", "desc"]), Default("\"desc\""), "By when they were made."),
    Member::of("include_expired", Shape::Flag, Optional, "Expired ones are always listed."),
];
static GROUPS: &[Member] = &[
    Member::of("name", Shape::TEXT, Optional, "Exactly this one."),
    Member::of("scope", Shape::TEXT, Optional, "com.cloudflare.api.account; there are no others."),
];
static ROLL: Shape = Shape::Named(
    "RollToken",
    &Shape::Object(&[Member::of(
        "grace_seconds",
        Shape::Whole { min: 0, max: GRACE_MS_MAX / 1_000 },
        Default("0"),
        "How long the secret before stays good. Not in the original.",
    )]),
);
static DELETED: Shape = Shape::Object(&[Member::of("id", Shape::TEXT, Required, "The one that is gone.")]);
static GROUP: Shape = Shape::Named(
    "PermissionGroup",
    &Shape::Object(&[
        Member::of("id", Shape::TEXT, Required, "The same in every installation."),
        Member::of("name", Shape::TEXT, Required, "The original's."),
        Member::of("scopes", Shape::List { of: &Shape::TEXT, max: 1 }, Required, "Always the account."),
        Member::of("category", Shape::TEXT, Required, "The original's."),
        Member::of("is_selectable", Shape::Flag, Required, "Always true."),
        Member::of("permission", Shape::TEXT, Required, "Our own word for it."),
    ]),
);

fn by(call: &Call) -> By<'_> {
    By::Holder(&call.caller.pass)
}

fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let ascending = reader.word("direction", &[("asc", true), ("desc", false)]).unwrap_or(false);
    reader.flag("include_expired");
    reader.finish()?;
    let mut all = call.parts.desk.tokens_for(by(call))?;
    if ascending {
        all.reverse();
    }
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(|token| object(call, token)).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn create(call: &Call) -> Result<Answer, Problem> {
    let wanted = read(call, Wanted::default())?;
    made(call, call.parts.desk.create_token_by(wanted, by(call))?)
}

fn one(call: &Call) -> Result<Answer, Problem> {
    let token = call.parts.desk.token_for(call.params.get("token"), by(call))?;
    Ok(Answer::Result(object(call, &token)))
}

fn update(call: &Call) -> Result<Answer, Problem> {
    let body = call.json();
    let wish = |before| token::read(&body, before, |account| call.snapshot.knows_account(account));
    let token = call.parts.desk.update_token(call.params.get("token"), by(call), wish)?;
    Ok(Answer::Result(object(call, &token)))
}

fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_token_by(call.params.get("token"), by(call))?;
    Ok(Answer::Result(json!({ "id": gone.id })))
}

fn roll(call: &Call) -> Result<Answer, Problem> {
    let mut faults = Vec::new();
    let read = ROLL.read(&call.json(), &mut vec!["body".into()], &mut faults);
    let grace_s = read.and_then(|read| read["grace_seconds"].as_u64()).ok_or_else(|| Problem::invalid(faults))?;
    let made = call.parts.desk.roll_token(call.params.get("token"), grace_s * 1_000, by(call))?;
    Ok(Answer::Result(made.secret.expose().into()))
}

fn permission_groups(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let (name, scope) = (reader.text("name"), reader.text("scope"));
    reader.finish()?;
    let is_meant = |named: &str| name.is_none_or(|name| name == named) && scope.is_none_or(groups::is_scope);
    let rows: Vec<Value> = groups::all().filter(|(named, _)| is_meant(named)).map(|(_, group)| group).collect();
    let info = Paging { page: 1, per_page: PER_PAGE_MAX }.info(rows.len(), rows.len() as u64);
    Ok(Answer::Page { rows, info })
}

fn read(call: &Call, before: Wanted) -> Result<Wanted, Problem> {
    token::read(&call.json(), before, |account| call.snapshot.knows_account(account)).map_err(Problem::invalid)
}

fn made(call: &Call, made: Made) -> Result<Answer, Problem> {
    let mut shown = object(call, &made.token);
    shown["value"] = made.secret.expose().into();
    Ok(Answer::Result(shown))
}

fn object(call: &Call, token: &Token) -> Value {
    token::object(token, call.account(), call.parts.desk.now_ms(), call.parts.uses.last(&token.id))
}
