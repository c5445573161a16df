//! Tokens in the file: what they may do, and the digest of their secret.
//!
//! Enters: a stored token, or what a file says of one. Leaves: the other. Never: the secret, which nobody has. From the digest of 32 random bytes
//! nobody can compute them back, so a file with digests may stand in a repository; who has the file cannot use the tokens.

use serde_json::{Map, Value};
use tollgate_model::token::Token;
use tollgate_store::documents::Document;

use super::{Fields, Making, Way, failed};
use crate::desk::read::{TOKEN, read, write};
use crate::desk::world::World;
use crate::desk::{DeskError, secret};
use crate::shape::{Fault, Member, Presence, Shape};
use crate::time;

use Presence::{Optional, Required};

static MEMBERS: &[Member] = &[
    Member::of(
        "id",
        Shape::Text { min: 1, max: 64 },
        Optional,
        "What logs and policies know it by; made up without one.",
    ),
    Member::of("permissions", Shape::List { of: &Shape::TEXT, max: 16 }, Required, "What it may do."),
    Member::of(
        "digest",
        Shape::Text { min: 64, max: 64 },
        Required,
        "SHA-256 of the secret; `tollgate token new` makes both.",
    ),
    Member::of("hint", Shape::Text { min: 0, max: 64 }, Optional, "What may be shown of the secret."),
    Member::of("expires_at", Shape::Time, Optional, "From when on it is refused."),
    Member::of("not_before", Shape::Time, Optional, "Until when it is refused."),
    Member::of("disabled", Shape::Flag, Optional, "Kept, but refused."),
    Member::of(
        "made_by",
        Shape::Text { min: 1, max: 64 },
        Optional,
        "Id of the token it was made with, which bounds it.",
    ),
    Member::of(
        "scope",
        Shape::Any,
        Optional,
        "What narrows it: gateways, providers, models, routes, addresses, limits.",
    ),
];
const SCOPE: &str = "scope";
/// Unix milliseconds in the document, RFC 3339 in the file.
const TIMES: &[&str] = &["expires_at", "not_before"];
/// What the installation notes.
const HIDDEN: &[&str] = &["name", "created_at", "modified_at", "previous"];

pub(super) const WAY: Way = Way::Own { members: MEMBERS, declare, make };

fn declare(document: &Document, _: &World) -> Result<(String, Fields), DeskError> {
    let token: Token = read(document)?;
    let body: Value = read(document)?;
    let mut fields = body.as_object().cloned().unwrap_or_default();
    fields.retain(|name, value| !HIDDEN.contains(&name.as_str()) && !value.is_null());
    for name in TIMES {
        if let Some(at_ms) = fields.get(*name).and_then(Value::as_u64) {
            fields.insert((*name).to_owned(), time::text(at_ms).into());
        }
    }
    Ok((token.name, fields))
}

fn make(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    let mut body = making.fields.clone();
    if !body.get("digest").and_then(Value::as_str).is_some_and(is_digest) {
        let what = "Expected 64 hexadecimal digits, the SHA-256 of the secret: `tollgate token new` makes a secret and these lines";
        return Err(vec![Fault::new(["digest"], what)]);
    }
    for name in TIMES {
        if let Some(at_ms) = body.get(*name).and_then(Value::as_str).and_then(time::read) {
            body.insert((*name).to_owned(), at_ms.into());
        }
    }
    let before: Option<Map<String, Value>> = making.before.map(read).transpose().map_err(failed)?;
    let kept = before.as_ref().map(|before| HIDDEN.iter().filter_map(|name| Some((*name, before.get(*name)?.clone()))));
    let id = body.get("id").and_then(Value::as_str).map(str::to_owned);
    let id = id.or_else(|| making.before.map(|before| before.id.clone())).or_else(|| making.id.map(str::to_owned));
    let id = id.map_or_else(secret::new_id, Ok).map_err(failed)?;
    body.insert("created_at".to_owned(), making.desk.now_ms().into());
    body.extend(kept.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)));
    body.insert("name".to_owned(), making.name.into());
    body.insert("id".to_owned(), id.into());
    body.entry("hint").or_insert_with(|| "tg_…".into());
    let token: Token = serde_json::from_value(Value::Object(body)).map_err(failed)?;
    refuse_unknown(making.fields.get(SCOPE), &token)?;
    write(TOKEN, &token.id, &token.name, &token).map_err(failed)
}

/// A bound that is misspelt would be no bound.
fn refuse_unknown(said: Option<&Value>, token: &Token) -> Result<(), Vec<Fault>> {
    let heard = serde_json::to_value(&token.scope).unwrap_or_default();
    let said = said.and_then(Value::as_object);
    let unheard = said.into_iter().flatten().find(|(name, _)| heard.get(name.as_str()).is_none());
    match unheard {
        Some((name, _)) => Err(vec![Fault::new([SCOPE, name], format!("There is no {name:?} here"))]),
        None => Ok(()),
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
