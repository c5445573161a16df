//! Whether one token's rights lie within another's.
//!
//! Enters: the one that is wished for, and the one it would be made with. Leaves: the names of what goes beyond. Never: is what keeps a token within its
//! bounds (each request is judged by the whole line): it is how a wish that could not come true is refused at once.

use ipnet::IpNet;
use tollgate_model::token::Token;

use super::link::read_range;

/// Members of `inner` that say more than `outer` does. Patterns of models are compared as texts, so that a narrower one is named here too unless it is the
/// same, or the outer one ends with the only hole and begins the inner one.
pub fn beyond(inner: &Token, outer: &Token) -> Vec<&'static str> {
    let (wish, bound) = (&inner.scope, &outer.scope);
    let same = |a: &str, b: &str| a == b;
    let checks = [
        ("permissions", inner.permissions.iter().all(|each| outer.has(*each))),
        ("gateways", all_in(&wish.gateways, &bound.gateways, same)),
        ("providers", all_in(&wish.providers, &bound.providers, same)),
        ("models", all_in(&wish.models, &bound.models, covers)),
        ("routes", all_in(&wish.routes, &bound.routes, same)),
        ("condition", all_in(&wish.from, &bound.from, contains)),
        ("not_before", inner.not_before.unwrap_or_default() >= outer.not_before.unwrap_or_default()),
        ("expires_on", inner.expires_at.unwrap_or(u64::MAX) <= outer.expires_at.unwrap_or(u64::MAX)),
        ("spend_limit", bound.spend_limit.is_none() || wish.spend_limit.is_some()),
        ("rate_limit", bound.rate_limit.is_none() || wish.rate_limit.is_some()),
    ];
    checks.into_iter().filter(|(_, is_within)| !is_within).map(|(name, _)| name).collect()
}

fn all_in(inner: &Option<Vec<String>>, outer: &Option<Vec<String>>, covers: impl Fn(&str, &str) -> bool) -> bool {
    let Some(outer) = outer else { return true };
    let covered = |each: &String| outer.iter().any(|bound| covers(bound, each));
    inner.as_ref().is_some_and(|inner| inner.iter().all(covered))
}

fn covers(outer: &str, inner: &str) -> bool {
    let open = outer.strip_suffix('*').filter(|start| !start.contains('*') && inner.starts_with(start));
    // With and without a provider they are matched against different names.
    outer == inner || (open.is_some() && outer.contains('/') == inner.contains('/'))
}

fn contains(outer: &str, inner: &str) -> bool {
    let ranges = (read_range(outer), read_range(inner));
    matches!(ranges, (Some(outer), Some(inner)) if is_inside(&outer, &inner))
}

fn is_inside(outer: &IpNet, inner: &IpNet) -> bool {
    outer.contains(inner)
}
