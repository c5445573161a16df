//! Which answers are forgotten when somebody names a gateway, a model or a key.
//!
//! Enters: the names. Leaves: what to ask of the cache. Never: asks it.

use std::sync::Arc;

use tollgate_rules::cache_key::{self, Scope};
use tollgate_store::AnswerKey;
use tollgate_store::answers::Purge;

/// One key of a caller's stands for two answers: the one told whole and the one told as a stream.
pub fn of(account: &str, gateway: &str, model: Option<&str>, key: Option<&str>) -> Vec<Purge> {
    let all = Purge { model: model.map(Arc::from), ..Purge::of_gateway(account, gateway) };
    let Some(key) = key else { return vec![all] };
    let named = |streamed| AnswerKey(cache_key::custom(Scope { account, gateway }, key, streamed));
    [false, true].map(|streamed| Purge { key: Some(named(streamed)), ..all.clone() }).into()
}
