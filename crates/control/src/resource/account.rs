//! The neighbours that official clients call on their way: who am I, is this token good, which accounts are there.
//!
//! Enters: the caller's token. Leaves: the one account of the installation. Never: a person: an installation knows tokens, not people.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::Call;
use crate::page::Paging;
use crate::problem::Problem;
use crate::time;

const PER_PAGE_MAX: u64 = 100;

pub(crate) fn user(call: &Call) -> Result<Answer, Problem> {
    let token = &call.caller.token;
    Ok(Answer::Result(json!({
        "id": token.id,
        "email": "operator@localhost",
        "first_name": token.name,
        "last_name": null,
        "username": "operator",
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

fn object(call: &Call) -> Result<Value, Problem> {
    Ok(json!({
        "id": call.account(),
        "name": "Tollgate",
        "type": "standard",
        "settings": {},
        "created_on": time::text(call.parts.desk.installed_ms()?)
    }))
}
