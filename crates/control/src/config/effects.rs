//! Whom a change reaches: models gained and lost, limits, and what would have become of requests that were logged.
//!
//! Enters: the snapshot in force, the one that would be, logged requests. Leaves: what differs for callers. Never: asks a provider, or shows a piece of a body.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use tollgate_model::{Money, Record};
use tollgate_rules::facts::Facts;
use tollgate_rules::limit::Window;
use tollgate_rules::route::Route;
use tollgate_rules::simulate::{Assumed, Simulator};
use tollgate_rules::snapshot::{GatewayRules, Snapshot};
use tollgate_store::records::{Filter, Page, Which};
use tollgate_store::{Records, StoreError};

use crate::simulate::{REQUESTS_MAX, headers_of};

mod others;

/// What differs for callers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effects {
    pub models: Vec<Reach>,
    pub limits: Vec<Limits>,
    pub callers: Vec<Callers>,
}

/// Targets that a name reaches now and did not, and the other way round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reach {
    pub gateway: String,
    /// `dynamic/support`.
    pub name: String,
    pub gains: Vec<String>,
    pub loses: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    pub gateway: String,
    pub before: String,
    pub after: String,
}

/// Who may, or may no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Callers {
    /// `gateway "support"`, `token "ci"`.
    pub who: String,
    pub what: String,
}

/// What would have become of logged requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// How many were looked at.
    pub requests: u64,
    /// Of gateways or routes that would be gone, or whose gateway would ask for a token they did not have.
    pub refused: u64,
    /// By a rate limit, beyond those it would refuse as it is.
    pub limited: u64,
    /// That would go to another target.
    pub moved: u64,
    pub moves: Vec<Move>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Move {
    pub gateway: String,
    pub route: String,
    pub from: String,
    pub to: String,
    pub requests: u64,
}

// === impl Effects ===

impl Effects {
    pub(super) fn between(before: &Snapshot, after: &Snapshot) -> Self {
        let mut effects = Self::default();
        for id in ids(before, after) {
            let (was, is) = (before.gateway(&id), after.gateway(&id));
            effects.reach(&id, was, is);
            effects.limit(&id, was, is);
            effects.doors(&id, was, is);
            effects.spending(&id, was, is);
            effects.keys(&id, was, is);
            effects.policies(&id, was, is);
        }
        effects.providers(before, after);
        effects.domains(before, after);
        effects.tokens(before, after);
        effects
    }

    fn reach(&mut self, gateway: &str, was: Option<&Arc<GatewayRules>>, is: Option<&Arc<GatewayRules>>) {
        let (was, is) = (targets(was), targets(is));
        let nothing = BTreeSet::new();
        for name in was.keys().chain(is.keys().filter(|name| !was.contains_key(*name))) {
            let of = |all: &BTreeMap<String, BTreeSet<String>>| all.get(name).unwrap_or(&nothing).clone();
            let (was, is) = (of(&was), of(&is));
            if was != is {
                self.models.push(Reach {
                    gateway: gateway.to_owned(),
                    name: format!("dynamic/{name}"),
                    gains: is.difference(&was).cloned().collect(),
                    loses: was.difference(&is).cloned().collect(),
                });
            }
        }
    }

    fn limit(&mut self, gateway: &str, was: Option<&Arc<GatewayRules>>, is: Option<&Arc<GatewayRules>>) {
        let (Some(was), Some(is)) = (was, is) else { return };
        if was.limit != is.limit {
            let told = |rules: &GatewayRules| match rules.limit {
                None => "no limit".to_owned(),
                Some(limit) => format!("{} requests in {} s", limit.requests, limit.interval_ms / 1_000),
            };
            self.limits.push(Limits { gateway: gateway.to_owned(), before: told(was), after: told(is) });
        }
    }

    fn doors(&mut self, gateway: &str, was: Option<&Arc<GatewayRules>>, is: Option<&Arc<GatewayRules>>) {
        let open = |rules: &GatewayRules| !rules.settings.authentication;
        let what = match (was, is) {
            (Some(_), None) => "is gone: every request to it is refused",
            (None, Some(is)) if open(is) => "is new, and lets anybody in",
            (Some(was), Some(is)) if open(was) && !open(is) => "asks for a token from now on",
            (Some(was), Some(is)) if !open(was) && open(is) => "lets anybody in from now on",
            _ => return,
        };
        self.callers.push(Callers { who: format!("gateway {gateway:?}"), what: what.to_owned() });
    }

    fn tokens(&mut self, before: &Snapshot, after: &Snapshot) {
        let by_id = |snapshot: &Snapshot| -> BTreeMap<String, _> {
            snapshot.tokens().map(|token| (token.id.clone(), token.clone())).collect()
        };
        let (was, is) = (by_id(before), by_id(after));
        for (id, token) in &was {
            let who = format!("token {:?}", token.name);
            let what = match is.get(id) {
                None => "is gone: whoever uses it is refused".to_owned(),
                Some(now) if now.digest != token.digest => "has another secret: the old one is refused".to_owned(),
                Some(now) if now.permissions != token.permissions => {
                    let names = |of: &[tollgate_model::token::Permission]| {
                        of.iter().map(|each| each.name()).collect::<Vec<_>>().join(", ")
                    };
                    format!("may {} instead of {}", names(&now.permissions), names(&token.permissions))
                }
                Some(_) => continue,
            };
            self.callers.push(Callers { who, what });
        }
    }
}

fn ids(before: &Snapshot, after: &Snapshot) -> BTreeSet<String> {
    before.gateways().chain(after.gateways()).map(|gateway| gateway.id.to_string()).collect()
}

/// By the name of the route.
fn targets(gateway: Option<&Arc<GatewayRules>>) -> BTreeMap<String, BTreeSet<String>> {
    let routes = gateway.into_iter().flat_map(|gateway| gateway.routes());
    let reached = |route: &Route| route.targets().map(|(provider, model)| format!("{provider}/{model}")).collect();
    routes.map(|route| (route.name.name.to_string(), reached(route))).collect()
}

/// The newest `last` requests, decided as they were and as they would be, in the order in which they came.
pub(super) fn traffic(
    records: &dyn Records,
    before: &Snapshot,
    after: &Snapshot,
    last: u32,
) -> Result<Traffic, StoreError> {
    let mut traffic = Traffic::default();
    if last == 0 {
        return Ok(traffic);
    }
    let page = Page::newest(last.min(REQUESTS_MAX as u32));
    let mut logged = records.list(&Filter::default(), &page)?.records;
    logged.sort_by_key(|record| (began_ms(record), record.id));
    let (mut was, mut is) = (Judge::new(before), Judge::new(after));
    let mut moves: BTreeMap<[String; 4], u64> = BTreeMap::new();
    for record in &logged {
        let Some(gateway) = before.gateway(&record.gateway) else { continue };
        if record.created_ms < gateway.settings.created_at {
            continue;
        }
        traffic.requests += 1;
        let (was, is) = (was.judge(records, record)?, is.judge(records, record)?);
        match (was, is) {
            (was, is) if was == is => {}
            (_, Verdict::Refused) => traffic.refused += 1,
            (_, Verdict::Limited) => traffic.limited += 1,
            (Verdict::Goes(from), Verdict::Goes(to)) => {
                traffic.moved += 1;
                let route = route_of(record).unwrap_or_default().to_owned();
                *moves.entry([record.gateway.to_string(), route, from, to]).or_default() += 1;
            }
            _ => {}
        }
    }
    let told = |([gateway, route, from, to], requests): ([String; 4], u64)| Move { gateway, route, from, to, requests };
    traffic.moves = moves.into_iter().map(told).collect();
    Ok(traffic)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Refused,
    Limited,
    /// `provider/model`, or why none.
    Goes(String),
}

/// Decides requests by one snapshot; windows and sticky choices go on from one to the next.
struct Judge<'a> {
    snapshot: &'a Snapshot,
    windows: BTreeMap<String, Window>,
    routes: BTreeMap<(String, String), Simulator>,
}

// === impl Judge ===

impl<'a> Judge<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, windows: BTreeMap::new(), routes: BTreeMap::new() }
    }

    fn judge(&mut self, records: &dyn Records, record: &Record) -> Result<Verdict, StoreError> {
        let Some(gateway) = self.snapshot.gateway(&record.gateway) else { return Ok(Verdict::Refused) };
        if gateway.settings.authentication && record.token_id.is_none() {
            return Ok(Verdict::Refused);
        }
        // A hit of the cache costs no unit of the limit.
        if let Some(limit) = gateway.limit.filter(|_| !record.cached) {
            let window = self.windows.entry(gateway.id.to_string()).or_insert_with(|| Window::new(limit));
            if window.take(began_ms(record)).is_err() {
                return Ok(Verdict::Limited);
            }
        }
        let Some(name) = route_of(record) else {
            return Ok(Verdict::Goes(format!("{}/{}", record.provider, record.model)));
        };
        let Some(route) = gateway.route(name) else { return Ok(Verdict::Refused) };
        let facts = facts(records, record, route)?;
        let simulator = self.routes.entry((gateway.id.to_string(), name.to_owned()));
        let simulator = simulator.or_insert_with(|| Simulator::new(route.clone(), Assumed::default()));
        let cost = record.cost.as_ref().map_or(Money::ZERO, |cost| cost.amount);
        let decided = simulator.decide(facts, began_ms(record), cost);
        Ok(Verdict::Goes(match decided.chosen {
            Some(step) => format!("{}/{}", step.target.provider, step.target.model),
            None => "none".to_owned(),
        }))
    }
}

fn facts(records: &dyn Records, record: &Record, route: &Route) -> Result<Facts, StoreError> {
    let stored = if route.reads_body() { records.body(record.id, Which::Request)? } else { None };
    let body = stored.and_then(|stored| serde_json::from_slice(&stored.bytes).ok());
    Ok(Facts {
        headers: headers_of(record),
        metadata: record.metadata.clone(),
        body: body.unwrap_or_default(),
        seed: Facts::seed_of(record.id),
        ..Facts::default()
    })
}

/// The dynamic route that a request walked.
fn route_of(record: &Record) -> Option<&str> {
    let trace = record.unified.as_ref()?.trace.as_ref()?;
    Some(&*trace.route.as_ref()?.name)
}

fn began_ms(record: &Record) -> u64 {
    record.created_ms.saturating_sub(record.duration_us() / 1_000)
}
