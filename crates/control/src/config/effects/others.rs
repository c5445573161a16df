//! Whom a change of keys, policies, spend limits, custom providers and domains reaches.
//!
//! Enters: the gateways and providers of two snapshots. Leaves: a line for each difference that callers notice. Never: tells a difference that they do not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tollgate_model::CustomProvider;
use tollgate_rules::key::StoredKey;
use tollgate_rules::limit::Limit;
use tollgate_rules::snapshot::{GatewayRules, Snapshot};

use super::{Callers, Effects, Limits};

type Side<'a> = Option<&'a Arc<GatewayRules>>;

impl Effects {
    /// Rules of spend limits, which are known by their ids.
    pub(super) fn spending(&mut self, gateway: &str, was: Side<'_>, is: Side<'_>) {
        let (was, is) = (rules(was), rules(is));
        for id in was.keys().chain(is.keys().filter(|id| !was.contains_key(*id))) {
            let told = |rules: &BTreeMap<String, String>| rules.get(id).cloned();
            if told(&was) != told(&is) {
                let or_none = |text: Option<String>| text.unwrap_or_else(|| format!("no spend limit {id}"));
                self.limits.push(Limits {
                    gateway: gateway.to_owned(),
                    before: or_none(told(&was)),
                    after: or_none(told(&is)),
                });
            }
        }
    }

    /// Which stored keys callers can use without one of their own.
    pub(super) fn keys(&mut self, gateway: &str, was: Side<'_>, is: Side<'_>) {
        let (Some(_), Some(_)) = (was, is) else { return };
        let (was, is) = (usable(was), usable(is));
        for name in was.keys().chain(is.keys().filter(|name| !was.contains_key(*name))) {
            let who = format!("key {name:?} of gateway {gateway:?}");
            match (was.get(name), is.get(name)) {
                (Some(_), None) => {
                    self.call(who, "cannot be used any more: callers without a key of their own are refused")
                }
                (None, Some(_)) => self.call(who, "can be used: callers need none of their own"),
                (Some(was), Some(is)) if was.limit != is.limit => self.limits.push(Limits {
                    gateway: gateway.to_owned(),
                    before: format!("{} through key {name:?}", told(was.limit)),
                    after: format!("{} through key {name:?}", told(is.limit)),
                }),
                _ => {}
            }
        }
    }

    pub(super) fn policies(&mut self, gateway: &str, was: Side<'_>, is: Side<'_>) {
        let (Some(_), Some(_)) = (was, is) else { return };
        let all = |side: Side<'_>| -> BTreeMap<String, Arc<_>> {
            let policies = side.into_iter().flat_map(|gateway| gateway.policies.all());
            policies.map(|policy| (policy.id.clone(), policy.clone())).collect()
        };
        let (was, is) = (all(was), all(is));
        for id in was.keys().chain(is.keys().filter(|id| !was.contains_key(*id))) {
            let (was, is) = (was.get(id), is.get(id));
            let Some(name) = is.or(was).map(|policy| &policy.name) else { continue };
            let who = format!("policy {name:?} of gateway {gateway:?}");
            match (was, is) {
                (Some(_), None) => self.call(who, "counts no more"),
                (None, Some(_)) => self.call(who, "counts for every request from now on"),
                (Some(was), Some(is)) if !Arc::ptr_eq(was, is) => self.call(who, "counts in its new form from now on"),
                _ => {}
            }
        }
    }

    pub(super) fn providers(&mut self, before: &Snapshot, after: &Snapshot) {
        let enabled = |snapshot: &Snapshot| -> BTreeMap<String, Arc<CustomProvider>> {
            let all = snapshot.custom_providers().filter(|provider| provider.enable);
            all.map(|provider| (provider.segment(), provider.clone())).collect()
        };
        let (was, is) = (enabled(before), enabled(after));
        for name in was.keys().chain(is.keys().filter(|name| !was.contains_key(*name))) {
            let who = format!("every model of {name}");
            match (was.get(name), is.get(name)) {
                (Some(_), None) => self.call(who, "is lost: requests for it are refused"),
                (None, Some(_)) => self.call(who, "is gained"),
                (Some(was), Some(is)) if was.base_url != is.base_url => {
                    let what = format!("is asked for at {} instead of {}", is.base_url, was.base_url);
                    self.callers.push(Callers { who, what });
                }
                _ => {}
            }
        }
    }

    pub(super) fn domains(&mut self, before: &Snapshot, after: &Snapshot) {
        let all = |snapshot: &Snapshot| -> BTreeSet<String> {
            snapshot.custom_domains().map(|domain| domain.hostname.clone()).collect()
        };
        for host in all(before).union(&all(after)) {
            let leads = |snapshot: &Snapshot| snapshot.gateway_of_host(host).map(|gateway| gateway.to_string());
            match (leads(before), leads(after)) {
                (Some(was), None) => self.call(format!("{host:?}"), &format!("leads to gateway {was:?} no more")),
                (was, Some(is)) if was.as_ref() != Some(&is) => {
                    self.call(format!("{host:?}"), &format!("leads to gateway {is:?} from now on"));
                }
                _ => {}
            }
        }
    }

    fn call(&mut self, who: String, what: &str) {
        self.callers.push(Callers { who, what: what.to_owned() });
    }
}

/// By `PROVIDER/ALIAS`; what cannot be used is as good as absent.
fn usable(gateway: Side<'_>) -> BTreeMap<String, &Arc<StoredKey>> {
    let keys = gateway.into_iter().flat_map(|gateway| gateway.keys.all()).filter(|key| key.check().is_ok());
    keys.map(|key| (format!("{}/{}", key.provider(), key.alias), key)).collect()
}

fn told(limit: Option<Limit>) -> String {
    match limit {
        None => "no limit".to_owned(),
        Some(limit) => format!("{} requests in {} s", limit.requests, limit.interval_ms / 1_000),
    }
}

/// Those in force.
fn rules(gateway: Side<'_>) -> BTreeMap<String, String> {
    let limits = gateway.and_then(|gateway| gateway.settings.spend_limits.as_ref());
    let limits = limits.filter(|limits| limits["enabled"] == true);
    let all = limits.and_then(|limits| limits["rules"].as_array()).into_iter().flatten();
    let told = |rule: &Value| {
        let id = rule["id"].as_str().unwrap_or_default().to_owned();
        let narrowed = ["provider", "model", "metadata"].into_iter().filter(|name| !rule[*name].is_null());
        let narrowed: Vec<String> = narrowed.map(|name| format!(" by {name}")).collect();
        (id, format!("${} in {} s{}", rule["limit"], rule["window"], narrowed.concat()))
    };
    all.filter(|rule| rule["enabled"] != false).map(told).collect()
}
