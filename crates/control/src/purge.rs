//! Which cached answers are meant.
//!
//! Enters: a gateway, perhaps a model, perhaps a key as callers choose them. Leaves: what to ask the cache to forget. Never: another gateway's answers.

use std::sync::Arc;

use tollgate_rules::cache_key::{self, Scope};
use tollgate_store::AnswerKey;
use tollgate_store::answers::Purge;

/// One purge, or two for a chosen key: the whole answer and the streamed one lie under different names.
pub fn named(account: &str, gateway: &str, model: Option<&str>, key: Option<&str>) -> Vec<Purge> {
    let purge = Purge { model: model.map(Arc::from), ..Purge::of_gateway(account, gateway) };
    let Some(key) = key else { return vec![purge] };
    let scope = Scope { account, gateway };
    let under = |streamed| Purge { key: Some(AnswerKey(cache_key::custom(scope, key, streamed))), ..purge.clone() };
    vec![under(false), under(true)]
}
