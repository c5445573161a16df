//! What a simulation is asked for.
//!
//! Enters: the body of the call. Leaves: which route, which requests, what to assume; or every fault. Never: looks anything up.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tollgate_model::route::RouteVersion;
use tollgate_model::{Id, Record};
use tollgate_rules::facts::Facts;
use tollgate_rules::memory::Mark;
use tollgate_rules::metadata;
use tollgate_rules::simulate::Assumed;
use tollgate_rules::walk::Miss;

use super::REQUESTS_MAX;
use crate::shape::{Fault, Step, type_name};

pub(super) struct Asked {
    pub(super) of: Of,
    pub(super) whom: Whom,
    pub(super) assumed: Assumed,
    pub(super) seed: Option<u64>,
}

pub(super) enum Of {
    /// By id or name; without a version the one in force.
    Saved {
        route: String,
        version_id: Option<String>,
    },
    Drafted(RouteVersion),
}

pub(super) enum Whom {
    Request(Box<Facts>),
    Logged(Vec<Id>),
    Last(u64),
}

// === impl Asked ===

impl Asked {
    pub(super) fn read(body: &Value) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let of = of(body, &mut faults);
        let seed = seed(body, &mut faults);
        let whom = whom(body, seed, &mut faults);
        let assumed = assumed(&body["assume"], &mut faults);
        match (of, whom) {
            (Some(of), Some(whom)) if faults.is_empty() => Ok(Self { of, whom, assumed, seed }),
            _ => Err(faults),
        }
    }
}

fn of(body: &Value, faults: &mut Vec<Fault>) -> Option<Of> {
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    if !body["elements"].is_null() {
        let elements = tollgate_rules::route::normalise(&body["elements"]);
        return Some(Of::Drafted(RouteVersion { id: "draft".to_owned(), elements, created_at: 0 }));
    }
    match ["route", "route_id", "name", "id"].iter().find_map(|name| text(name)) {
        Some(route) => Some(Of::Saved { route, version_id: text("version_id") }),
        None => {
            faults.push(Fault::new(["body", "route"], "Required: the id or name of a route, or elements"));
            None
        }
    }
}

/// A number, or its digits as text.
fn seed(body: &Value, faults: &mut Vec<Fault>) -> Option<u64> {
    let seed = match &body["seed"] {
        Value::Null => return None,
        Value::String(digits) => digits.parse().ok(),
        other => other.as_u64(),
    };
    if seed.is_none() {
        faults.push(Fault::new(["body", "seed"], "Expected a whole number"));
    }
    seed
}

fn whom(body: &Value, seed: Option<u64>, faults: &mut Vec<Fault>) -> Option<Whom> {
    match (&body["log_ids"], &body["last"], &body["request"]) {
        (Value::Array(ids), Value::Null, Value::Null) => ids_of(ids, faults).map(Whom::Logged),
        (Value::Null, Value::Number(count), Value::Null) => {
            match count.as_u64().filter(|count| (1..=REQUESTS_MAX).contains(count)) {
                Some(count) => Some(Whom::Last(count)),
                None => {
                    faults.push(Fault::new(["body", "last"], format!("Expected 1 to {REQUESTS_MAX}")));
                    None
                }
            }
        }
        (Value::Null, Value::Null, Value::Object(_) | Value::Null) => {
            request(&body["request"], seed, faults).map(Box::new).map(Whom::Request)
        }
        _ => {
            faults.push(Fault::new(
                ["body"],
                "Expected one of request (an object), log_ids (a list) and last (a number)",
            ));
            None
        }
    }
}

fn ids_of(ids: &[Value], faults: &mut Vec<Fault>) -> Option<Vec<Id>> {
    if ids.len() as u64 > REQUESTS_MAX {
        faults.push(Fault::new(["body", "log_ids"], format!("Array must contain at most {REQUESTS_MAX} element(s)")));
        return None;
    }
    let read = |(index, id): (usize, &Value)| {
        let id = id.as_str().and_then(|text| text.parse().ok());
        if id.is_none() {
            let mut fault = Fault::new(["body", "log_ids"], "Expected the id of a log");
            fault.path.push(Step::Index(index));
            faults.push(fault);
        }
        id
    };
    ids.iter().enumerate().map(read).collect::<Vec<_>>().into_iter().collect()
}

/// Without a seed it is made of the request, so that the same one is decided the same way.
fn request(request: &Value, seed: Option<u64>, faults: &mut Vec<Fault>) -> Option<Facts> {
    let headers = headers(&request["headers"], faults)?;
    // Metadata may stand by itself, or in its header as a caller would send it.
    let metadata = match &request["metadata"] {
        Value::Null => headers.get("cf-aig-metadata").and_then(|value| value.to_str().ok()).unwrap_or("{}").to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let seed = seed.unwrap_or_else(|| Mark::of(&[&request.to_string()]).draw());
    let body = request["body"].clone();
    Some(Facts { headers, metadata: metadata::read(&metadata), body, seed, ..Facts::default() })
}

fn headers(value: &Value, faults: &mut Vec<Fault>) -> Option<HeaderMap> {
    let members = match value {
        Value::Null => return Some(HeaderMap::new()),
        Value::Object(members) => members,
        other => {
            let message = format!("Expected object, received {}", type_name(other));
            faults.push(Fault::new(["body", "request", "headers"], message));
            return None;
        }
    };
    let mut headers = HeaderMap::new();
    for (name, value) in members {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match (HeaderName::try_from(name), HeaderValue::try_from(text)) {
            (Ok(name), Ok(value)) => drop(headers.append(name, value)),
            _ => faults.push(Fault::new(["body", "request", "headers", name], "Invalid")),
        }
    }
    Some(headers)
}

fn assumed(value: &Value, faults: &mut Vec<Fault>) -> Assumed {
    let mut assumed = Assumed::default();
    for (target, word) in value["misses"].as_object().into_iter().flatten() {
        match Miss::ALL.into_iter().find(|miss| Some(miss.word()) == word.as_str()) {
            Some(miss) => drop(assumed.misses.insert(target.clone(), miss)),
            None => {
                let words = Miss::ALL.map(Miss::word).join(", ");
                faults.push(Fault::new(["body", "assume", "misses", target], format!("Expected one of {words}")));
            }
        }
    }
    let full = value["full"].as_array().map_or(&[][..], Vec::as_slice);
    assumed.full.extend(full.iter().filter_map(Value::as_str).map(str::to_owned));
    assumed
}

/// The two headers that a log keeps.
pub(crate) fn headers_of(record: &Record) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let kept = [("content-type", &record.request_content_type), ("user-agent", &record.user_agent)];
    for (name, value) in kept {
        if let Some(value) = value.as_deref().and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    headers
}
