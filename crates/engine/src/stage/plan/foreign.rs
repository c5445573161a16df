//! A step whose provider the caller did not call by its own API: which way it is reached, and in whose words.
//!
//! Enters: a question, a provider's row, a model. Leaves: a `Step`. Never: changes more of a body than its model's name when both sides speak the
//! same dialect.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tollgate_model::{Refusal, Secret};
use tollgate_wire::chat::Losses;
use tollgate_wire::dialect::Dialect;
use tollgate_wire::edit::set;
use tollgate_wire::headers::{CREDENTIALS, RequestPolicy, forward_request};
use tollgate_wire::provider::{ProviderRow, Reach};

use super::question::{Question, bad_field, in_words_of};
use super::{Asking, Step, misdirected};
use crate::stage::admit;
use crate::stage::key::Whose;
use crate::stage::translate::{self, Tongue};

/// What such a step has that a native one does not.
pub(crate) struct Foreign {
    /// Everything that goes out but a key of the operator's.
    pub(crate) headers: HeaderMap,
    pub(crate) whose: Whose,
    /// The caller had a say in where it leads: its key is the one that the native path would take.
    pub(crate) as_native: bool,
    /// What the caller hears: the words of the question.
    pub(crate) told: Dialect,
    /// What the caller asked, to the byte: it is what an answer is remembered by.
    pub(crate) asked: Bytes,
    /// `None`: both sides speak the same dialect.
    pub(crate) tongue: Option<Tongue>,
    /// What the question lost on the way into the provider's words.
    pub(crate) losses: Losses,
    /// The answer is put into the envelope of the run surface.
    pub(crate) enveloped: bool,
    /// As the log shows what was asked.
    pub(crate) path: String,
    pub(crate) kind: Option<Arc<str>>,
}

/// `own_key`: the caller's, when it can be meant for this provider, and goes along as it is.
pub(crate) fn step(
    account: &str,
    question: &mut Question,
    row: &Arc<ProviderRow>,
    model: &str,
    (whose, own_key): (Whose, Option<&Secret>),
    strict: bool,
) -> Result<Step, Refusal> {
    let row = &row_of(&whose, row)?;
    let reach = reach(question, row, model)?;
    let model = reach.model(model).unwrap_or(model).to_owned();
    let is_same = reach.dialect == question.asked.dialect;
    let mut losses = Losses::default();
    let (body, tongue) = match is_same {
        true => (named(question, &model)?, None),
        false => {
            let (body, tongue) = translate::question(question, reach.dialect, &model, &mut losses)?;
            (body, Some(tongue))
        }
    };
    let body = match row.apply_quirks(reach.dialect, &model, &body, &mut losses) {
        Ok(Cow::Borrowed(_)) => body,
        Ok(Cow::Owned(edited)) => edited.into(),
        Err(bad) => return Err(bad_field(question.asked.dialect, bad)),
    };
    // Some losses would make another question of it, strict or not.
    if losses.refusal().is_some() || (strict && !losses.is_empty()) {
        return Err(translate::refused(question.asked.dialect, &losses));
    }
    let streamed = question.streamed;
    let path = row.reach_path(&reach, &model, streamed).map_err(misdirected)?;
    let target = row.target(account, &path, &HeaderMap::new()).map_err(misdirected)?;
    let mut headers = match is_same {
        true => passed_on(&question.headers, row),
        false => made(&question.headers, row, streamed),
    };
    let own_key = own_key.filter(|_| matches!(whose, Whose::Callers));
    if let Some((name, value)) = own_key.and_then(|key| crate::keys::write(row.auth(), key)) {
        headers.insert(name, value);
    }
    for (name, value) in row.required_headers() {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    let foreign = Foreign {
        headers,
        whose,
        as_native: false,
        told: question.asked.dialect,
        asked: question.body.clone(),
        tongue,
        losses,
        enveloped: question.enveloped,
        path: question.path.clone(),
        kind: Some(question.asked.kind.into()),
    };
    Ok(Step {
        row: row.clone(),
        target,
        dialect: reach.dialect,
        model,
        streamed,
        method: Method::POST,
        body: Asking::Held(body),
        more: false,
        by_route: false,
        foreign: Some(Box::new(foreign)),
    })
}

/// A key may know of region, project or resource what the row does not.
fn row_of(whose: &Whose, row: &Arc<ProviderRow>) -> Result<Arc<ProviderRow>, Refusal> {
    match whose {
        Whose::Stored(key) => Ok(key.row.clone()),
        Whose::CallersAccount(account) => {
            let value = |name: &str, _: &[String]| match name {
                "project" => account.project_id.clone(),
                "region" => account.region.clone(),
                _ => None,
            };
            row.with_values(value).map(Arc::new).map_err(|bad| Refusal::bad_request(bad.to_string()))
        }
        Whose::Callers | Whose::Operators | Whose::Nobodys => Ok(row.clone()),
    }
}

/// The caller's bytes with the model's name as its provider has it.
fn named(question: &Question, model: &str) -> Result<Bytes, Refusal> {
    match set(&question.body, "model", model) {
        Ok(Cow::Borrowed(_)) => Ok(question.body.clone()),
        Ok(Cow::Owned(edited)) => Ok(edited.into()),
        Err(bad) => Err(bad_field(question.asked.dialect, bad)),
    }
}

/// The way whose dialect is the caller's, or else the first that the question can be put in words for.
fn reach(question: &Question, row: &ProviderRow, model: &str) -> Result<Arc<Reach>, Refusal> {
    let asked = question.asked;
    let ways = || row.reaches(asked.used_for, model);
    let same = ways().find(|reach| reach.dialect == asked.dialect);
    let found = same.or_else(|| ways().find(|reach| translate::is_possible(asked.dialect, reach.dialect)));
    found.cloned().ok_or_else(|| {
        let said = format!("model: {} cannot be asked for {} of {model:?}", row.title(), asked.kind);
        in_words_of(asked.dialect, said, Some("model".to_owned()))
    })
}

/// The caller's headers as on the native path, but for credentials: whose they are is not a matter of their header here.
fn passed_on(headers: &HeaderMap, row: &ProviderRow) -> HeaderMap {
    let ours = admit::spent(headers);
    let spent = |name: &HeaderName| is_credential(name, row) || ours.contains(name);
    let mut out = forward_request(headers, &RequestPolicy { spent: &spent, own: row.own_headers() });
    // The body was decoded to be read.
    out.remove(CONTENT_ENCODING);
    out.remove(CONTENT_LENGTH);
    out.insert(CONTENT_TYPE, JSON);
    out
}

/// Headers of a request in other words than the caller's: what the caller's say belongs to its own dialect.
fn made(headers: &HeaderMap, row: &ProviderRow, streamed: bool) -> HeaderMap {
    let mut out = HeaderMap::with_capacity(8);
    for name in row.own_headers().iter().chain(&[USER_AGENT]) {
        if let Some(value) = headers.get(name) {
            out.insert(name.clone(), value.clone());
        }
    }
    out.insert(CONTENT_TYPE, JSON);
    out.insert(ACCEPT, if streamed { HeaderValue::from_static("*/*") } else { JSON });
    // The answer is read here, not passed through.
    out.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    out
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn is_credential(name: &HeaderName, row: &ProviderRow) -> bool {
    CREDENTIALS.contains(name) || row.credential_headers().contains(name)
}
